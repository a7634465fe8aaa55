"""The sun keeps its hours, and clouds come and go smoothly."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from ohmstead.simulation import PvArray, Sky, Weather, array_w, sun_position

GREENWICH = (51.48, -0.01)


@pytest.mark.parametrize(
    ("at", "height", "bearing"),
    [
        pytest.param(datetime(2026, 6, 21, 12, 2, tzinfo=UTC), 61.96, 180.0, id="midsummer noon"),
        pytest.param(datetime(2026, 12, 21, 11, 58, tzinfo=UTC), 15.08, 180.0, id="midwinter noon"),
        pytest.param(datetime(2026, 3, 20, 18, 7, tzinfo=UTC), 0.1, 270.0, id="equinox, evening"),
        pytest.param(datetime(2026, 6, 21, 0, 2, tzinfo=UTC), -15.08, 0.0, id="midsummer midnight"),
    ],
)
def test_the_sun_stands_where_the_almanac_has_it(
    at: datetime, height: float, bearing: float
) -> None:
    found_height, found_bearing = sun_position(at.timestamp(), *GREENWICH)
    assert found_height == pytest.approx(height, abs=0.25)
    assert (found_bearing - bearing + 180) % 360 - 180 == pytest.approx(0, abs=1)


def test_the_sun_stands_north_at_noon_in_the_south() -> None:
    noon = datetime(2026, 6, 21, 2, 0, tzinfo=UTC)
    _, bearing = sun_position(noon.timestamp(), -33.87, 151.21)
    assert min(bearing, 360 - bearing) < 5


@pytest.mark.parametrize(
    ("array", "height", "bearing", "least", "most"),
    [
        pytest.param(PvArray(kwp=4), 60, 180, 3_000, 4_000, id="clear noon"),
        pytest.param(PvArray(kwp=4), -1, 180, 0, 0, id="night"),
        pytest.param(PvArray(kwp=4), 0.1, 90, 0, 50, id="sunrise"),
        pytest.param(PvArray(kwp=4, tilt=90, azimuth=0), 40, 180, 100, 1_000, id="a wall in shade"),
        pytest.param(PvArray(kwp=4, tilt=0), 60, 0, 2_500, 3_800, id="flat, wherever the sun is"),
    ],
)
def test_panels_give_what_their_place_allows(
    array: PvArray, height: float, bearing: float, least: float, most: float
) -> None:
    assert least <= array_w(array, height, bearing) <= most


def test_clouds_take_from_the_panels() -> None:
    powers = [array_w(PvArray(kwp=4), 50, 170, share) for share in (1.0, 0.6, 0.2, 0.05)]
    assert powers == sorted(powers, reverse=True)


@pytest.mark.parametrize(
    ("weather", "low", "high"),
    [
        pytest.param("clear", 0.9, 1.0, id="clear"),
        pytest.param("mixed", 0.3, 0.8, id="mixed"),
        pytest.param("overcast", 0.02, 0.25, id="overcast"),
    ],
)
def test_a_day_has_its_character(weather: Weather, low: float, high: float) -> None:
    sky = Sky(1, weather)
    noon = datetime(2026, 6, 18, 12, tzinfo=UTC).timestamp()
    shares = [sky.beam_share(noon + 60 * minute) for minute in range(-360, 360)]
    assert low <= sum(shares) / len(shares) <= high
    assert all(0.02 <= share <= 1 for share in shares)


def test_clouds_come_smoothly_and_the_same_for_the_same_seed() -> None:
    noon = datetime(2026, 6, 18, 12, tzinfo=UTC).timestamp()
    one, same, other = Sky(1, "mixed"), Sky(1, "mixed"), Sky(2, "mixed")
    course = [one.beam_share(noon + second) for second in range(7_200)]
    assert max(abs(b - a) for a, b in pairwise(course)) < 0.03
    assert course == [same.beam_share(noon + second) for second in range(7_200)]
    assert course != [other.beam_share(noon + second) for second in range(7_200)]


def test_a_month_has_days_of_every_character() -> None:
    sky = Sky(3)
    assert {sky.character(date(2026, 6, day)) for day in range(1, 31)} == {
        "clear",
        "mixed",
        "overcast",
    }
    assert Sky(3, "clear").character(date(2026, 6, 1)) == "clear"
