"""A simulated house obeys the law of energy, and its own clock."""

import math
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmstead.simulation import BatterySettings, Energies, House, HouseSettings, PvArray

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 6, 18, 11, tzinfo=UTC)
MIDNIGHT = datetime(2026, 6, 17, 23, tzinfo=UTC)


def a_house(
    pv_w: float = 0,
    load_w: float = 500,
    wish_w: float | None = None,
    settings: HouseSettings | None = None,
    *,
    start: datetime = NOON,
) -> House:
    """Return a house under constant sun and load; without a wish it uses its own power."""
    house = House(
        settings or HouseSettings(),
        start,
        LONDON,
        pv_at=lambda _: pv_w,
        load_at=lambda _: load_w,
    )
    if wish_w is not None:
        house.controller = lambda _: wish_w
        house.settle()
    return house


@pytest.mark.parametrize(
    ("house", "battery_w", "grid_w", "pv_w"),
    [
        pytest.param(a_house(0, 500), 500, 0, 0, id="the battery carries the house"),
        pytest.param(a_house(3_000, 500), -2_500, 0, 3_000, id="spare sun is stored"),
        pytest.param(a_house(0, 5_000), 3_600, 1_400, 0, id="the grid brings the rest"),
        pytest.param(a_house(9_000, 500), -3_600, -4_900, 9_000, id="and takes the rest"),
        pytest.param(
            a_house(0, 500, settings=HouseSettings(start_soc_pct=0)),
            0,
            500,
            0,
            id="an empty battery",
        ),
        pytest.param(
            a_house(3_000, 500, settings=HouseSettings(start_soc_pct=100)),
            0,
            -2_500,
            3_000,
            id="a full battery",
        ),
        pytest.param(a_house(0, 500, -3_000), -3_000, 3_500, 0, id="charged from the grid"),
        pytest.param(a_house(0, 500, 3_000), 3_000, -2_500, 0, id="discharged into the grid"),
        pytest.param(
            a_house(0, 500, -3_000, settings=HouseSettings(import_limit_w=2_000)),
            -1_500,
            2_000,
            0,
            id="charging leaves room for the load",
        ),
        pytest.param(
            a_house(0, 3_000, -3_000, settings=HouseSettings(import_limit_w=2_000)),
            0,
            3_000,
            0,
            id="no charging where the load alone is too much",
        ),
        pytest.param(
            a_house(0, 500, 3_000, settings=HouseSettings(export_limit_w=1_000)),
            1_500,
            -1_000,
            0,
            id="discharging keeps the export limit",
        ),
        pytest.param(
            a_house(9_000, 500, settings=HouseSettings(export_limit_w=1_000)),
            -3_600,
            -1_000,
            5_100,
            id="sun beyond the export limit is not taken",
        ),
        pytest.param(
            a_house(6_000, 500, 0.0, settings=HouseSettings(hybrid=True)),
            0,
            -3_100,
            3_600,
            id="a hybrid gives no more than its rating",
        ),
        pytest.param(
            a_house(6_000, 500, settings=HouseSettings(hybrid=True)),
            -3_600,
            -1_900,
            6_000,
            id="what a hybrid cannot give it stores",
        ),
        pytest.param(
            a_house(2_000, 9_000, 3_600, settings=HouseSettings(hybrid=True)),
            1_600,
            5_400,
            2_000,
            id="sun goes before the battery in a hybrid",
        ),
    ],
)
def test_power_finds_its_way(house: House, battery_w: float, grid_w: float, pv_w: float) -> None:
    found = (house.battery_w, house.grid_w, house.pv_w)
    assert found == pytest.approx((battery_w, grid_w, pv_w))


@pytest.mark.parametrize(
    ("pv_w", "load_w", "soc_pct", "expected"),
    [
        pytest.param(0, 500, 50, (500, 0, 500, 0), id="the battery carries the house"),
        pytest.param(0, 500, 0, (0, 0, 0, 0), id="in the dark with an empty battery"),
        pytest.param(0, 5_000, 50, (3_600, 0, 3_600, 0), id="as much as the inverter can"),
        pytest.param(3_000, 500, 50, (-2_500, 3_000, 500, 0), id="the sun charges"),
        pytest.param(3_000, 500, 100, (0, 500, 500, 0), id="sun nobody needs is not taken"),
    ],
)
def test_without_a_grid_nothing_crosses_the_meter(
    pv_w: float, load_w: float, soc_pct: float, expected: tuple[float, ...]
) -> None:
    house = a_house(pv_w, load_w, settings=HouseSettings(start_soc_pct=soc_pct))
    house.grid_up = False
    house.settle()
    found = (house.battery_w, house.pv_w, house.load_w, house.grid_w)
    assert found == pytest.approx(expected)


@given(
    pv_w=st.floats(0, 20_000),
    load_w=st.floats(0, 20_000),
    wish_w=st.floats(-20_000, 20_000),
    soc_pct=st.floats(0, 100),
    hybrid=st.booleans(),
    grid_up=st.booleans(),
    import_limit_w=st.sampled_from([math.inf, 2_000.0]),
    export_limit_w=st.sampled_from([math.inf, 1_000.0, 0.0]),
)
def test_energy_is_neither_made_nor_lost(
    pv_w: float,
    load_w: float,
    wish_w: float,
    soc_pct: float,
    *,
    hybrid: bool,
    grid_up: bool,
    import_limit_w: float,
    export_limit_w: float,
) -> None:
    house = a_house(
        pv_w,
        load_w,
        wish_w,
        settings=HouseSettings(
            start_soc_pct=soc_pct,
            hybrid=hybrid,
            import_limit_w=import_limit_w,
            export_limit_w=export_limit_w,
        ),
    )
    house.grid_up = grid_up
    house.settle()
    before = house.battery.stored_kwh
    for _ in range(5):
        house.advance(house.at + timedelta(seconds=10))
        assert house.load_w == pytest.approx(house.pv_w + house.grid_w + house.battery_w, abs=1e-6)
        assert 0 <= house.pv_w <= pv_w
        assert 0 <= house.load_w <= load_w
        assert house.grid_w >= -export_limit_w - 1e-6
        assert house.grid_w <= max(import_limit_w, load_w) + 1e-6
        assert 0 <= house.battery.soc_pct <= 100
    told = house.totals
    assert house.battery.stored_kwh - before == pytest.approx(
        0.95 * told.charged_kwh - told.discharged_kwh / 0.95 - house.battery.standby_kwh,
        abs=1e-9,
    )
    assert told.ac_charged_kwh <= min(told.charged_kwh, told.import_kwh) + 1e-12


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(0.001, 4_000), min_size=1, max_size=60))
def test_how_often_anybody_looks_changes_nothing(cuts: list[float]) -> None:
    looked_at, left_alone = (
        House(HouseSettings(seed=4), NOON, LONDON),
        House(HouseSettings(seed=4), NOON, LONDON),
    )
    for cut in cuts:
        looked_at.advance(looked_at.at + timedelta(seconds=cut))
    left_alone.advance(looked_at.at)
    assert flows(looked_at.totals) == pytest.approx(flows(left_alone.totals))
    assert looked_at.battery.soc_pct == pytest.approx(left_alone.battery.soc_pct)
    assert looked_at.battery_w == pytest.approx(left_alone.battery_w)


def test_the_same_seed_lives_the_same_day() -> None:
    one, same, other = (House(HouseSettings(seed=n), MIDNIGHT, LONDON) for n in (1, 1, 2))
    for house in (one, same, other):
        house.advance(MIDNIGHT + timedelta(days=1))
    assert one.totals == same.totals
    assert one.totals != other.totals


def test_a_clock_that_goes_backwards_changes_nothing() -> None:
    house = a_house()
    house.advance(NOON + timedelta(hours=1))
    before = flows(house.totals)
    house.advance(NOON)
    assert house.at == NOON + timedelta(hours=1)
    assert flows(house.totals) == before


@pytest.mark.parametrize(
    ("start", "hours"),
    [
        pytest.param(datetime(2026, 6, 17, 23, tzinfo=UTC), 24, id="a day of 24 hours"),
        pytest.param(datetime(2026, 3, 29, 0, tzinfo=UTC), 23, id="a day of 23 hours"),
        pytest.param(datetime(2026, 10, 24, 23, tzinfo=UTC), 25, id="a day of 25 hours"),
    ],
)
def test_the_days_count_begins_anew_at_local_midnight(start: datetime, hours: int) -> None:
    house = a_house(0, 1_000, start=start)
    house.advance(start + timedelta(hours=hours) - timedelta(seconds=1))
    assert house.day.load_kwh == pytest.approx(hours, abs=0.001)
    house.advance(start + timedelta(hours=hours + 1))
    assert house.day.load_kwh == pytest.approx(1)
    assert house.totals.load_kwh == pytest.approx(hours + 1)


def test_a_change_takes_effect_at_once_when_settled() -> None:
    house = a_house()
    house.advance(NOON + timedelta(seconds=3))
    house.controller = lambda _: -2_000
    assert house.battery_w == 500
    house.settle()
    assert house.battery_w == -2_000


def test_a_summer_day_is_sunny_and_a_winter_day_short() -> None:
    summer = House(HouseSettings(weather="clear"), MIDNIGHT, LONDON)
    winter = House(HouseSettings(weather="clear"), datetime(2026, 1, 15, tzinfo=UTC), LONDON)
    for house in (summer, winter):
        house.advance(house.at + timedelta(hours=24))
    assert 24 < summer.totals.pv_kwh < 34
    assert 5 < winter.totals.pv_kwh < 15


def test_two_arrays_give_more_than_one() -> None:
    both = HouseSettings(arrays=(PvArray(kwp=3, azimuth=90), PvArray(kwp=3, azimuth=270)))
    one = HouseSettings(arrays=both.arrays[:1])
    house, less = (House(settings, NOON, LONDON) for settings in (both, one))
    assert house.pv_w > less.pv_w > 0
    assert House(HouseSettings(arrays=()), NOON, LONDON).pv_w == 0


def test_sun_follows_the_day_smoothly_for_weeks() -> None:
    house = House(HouseSettings(weather="clear", step_s=300), MIDNIGHT, LONDON)
    course = []
    for _ in range(14 * 288):
        house.advance(house.at + timedelta(seconds=300))
        course.append(house.pv_w)
    assert max(abs(b - a) for a, b in pairwise(course)) < 400
    assert len(house._sun_knots) <= 4_001


def test_steps_must_fit_between_midnights() -> None:
    with pytest.raises(ValueError, match="must divide"):
        HouseSettings(step_s=7)


def test_a_day_passes_in_a_moment() -> None:
    house = House(HouseSettings(seed=1), MIDNIGHT, LONDON)
    began = time.process_time()
    house.advance(MIDNIGHT + timedelta(days=1))
    assert time.process_time() - began < 2.0  # 0.05 s on a small machine; slack for tracing


def test_a_small_battery_lasts_as_long_as_its_energy() -> None:
    house = a_house(
        0, 1_000, settings=HouseSettings(battery=BatterySettings(capacity_kwh=2, standby_w=0))
    )
    house.advance(NOON + timedelta(hours=3))
    assert house.totals.discharged_kwh == pytest.approx(0.95, abs=0.01)
    assert house.battery.soc_pct == pytest.approx(0, abs=1.5)


def flows(count: Energies) -> list[float]:
    return [getattr(count, name) for name in count.__slots__]
