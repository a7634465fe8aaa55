"""The load's forecast is sensible from the first minute, and better with every day."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary import Diary
from ohmstead.forecasts import quarters
from ohmstead.forecasts.load import habits, typical, without
from ohmstead.forecasts.load_history import LoadHistorySettings, load_history
from ohmstead.model import Forecast

LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 6, 15, tzinfo=LONDON).astimezone(UTC)


def at_home(moment: datetime) -> float:
    """Return the load of a house that sleeps at night, and cooks at noon on days off."""
    local = moment.astimezone(LONDON)
    if local.hour < 7:
        return 200.0
    if local.weekday() >= 5 and 11 <= local.hour < 14:
        return 1_500.0
    return 2_000.0 if 17 <= local.hour < 20 else 500.0


def a_house(
    days: float,
    now: datetime,
    load: Callable[[datetime], float | None] = at_home,
    **others: Callable[[datetime], float | None],
) -> Diary:
    powers = {("site", "load_w"): load} | {(name, "power_w"): w for name, w in others.items()}
    return Diary(powers, now - days * DAY, now + 30 * DAY)


async def told(
    diary: Diary | None, now: datetime, *without: str, holidays: str | None = None
) -> Forecast:
    settings = LoadHistorySettings(without=without, holidays=holidays)
    return await load_history(settings, zone=LONDON, history=diary).forecast(now)


def mean_w(forecast: Forecast, start: datetime, hours: float) -> float:
    return forecast.kwh(start, start + hours * HOUR)[1] * 1_000 / hours


def check_sound(forecast: Forecast, now: datetime) -> None:
    assert forecast.at(now) is not None
    assert forecast.ends is not None
    assert forecast.ends - now > timedelta(hours=71)
    for slot in forecast:
        assert 0 < slot.low_w <= slot.middle_w <= slot.high_w < 20_000


async def test_a_house_without_history_is_a_typical_one() -> None:
    forecast = await told(None, MONDAY)
    check_sound(forecast, MONDAY)
    assert forecast.kwh(MONDAY, MONDAY + DAY)[1] == pytest.approx(2_700 / 365.25, rel=0.01)
    assert mean_w(forecast, MONDAY + 17 * HOUR, 2) > 3 * mean_w(forecast, MONDAY + 2 * HOUR, 2)
    assert "typical" in forecast.source


async def test_one_day_is_enough_to_know_its_size_and_its_evening() -> None:
    now = MONDAY + DAY
    forecast = await told(a_house(1, now), now)
    check_sound(forecast, now)
    true = sum(at_home(MONDAY + n * quarters.QUARTER) for n in range(96)) / 4_000
    assert forecast.kwh(now, now + DAY)[1] == pytest.approx(true, rel=0.15)
    assert mean_w(forecast, now + 18 * HOUR, 1) > 2.5 * mean_w(forecast, now + 3 * HOUR, 1)
    assert "first day" in forecast.source


async def test_an_hour_is_enough_not_to_be_silly() -> None:
    now = MONDAY + 8 * HOUR
    check_sound(await told(a_house(1 / 24, now), now), now)


async def test_weekends_are_their_own() -> None:
    friday = MONDAY + 4 * DAY
    forecast = await told(a_house(28, friday), friday)
    check_sound(forecast, friday)
    noon = friday + 12 * HOUR
    assert mean_w(forecast, noon, 1) == pytest.approx(500, rel=0.25)
    assert mean_w(forecast, noon + DAY, 1) == pytest.approx(1_500, rel=0.25)
    assert mean_w(forecast, friday + 18 * HOUR, 1) == pytest.approx(2_000, rel=0.12)


async def test_a_holiday_is_a_sunday() -> None:
    before = datetime(2026, 8, 30, tzinfo=LONDON).astimezone(UTC)  # tomorrow is a bank holiday
    noon = before + DAY + 12 * HOUR
    kept = await told(a_house(28, before), before)
    assert mean_w(kept, noon, 1) > 1_100
    unknown = await told(a_house(28, before), before, holidays="none")
    assert mean_w(unknown, noon, 1) < 800


async def test_percentiles_are_those_of_the_days() -> None:
    def moody(moment: datetime) -> float:
        return at_home(moment) * (0.6 + 0.2 * (moment.astimezone(LONDON).toordinal() % 5))

    forecast = await told(a_house(42, MONDAY, moody), MONDAY)
    slot = forecast.at(MONDAY + DAY + 18 * HOUR)
    assert slot is not None
    assert slot.low_w == pytest.approx(2_000 * 0.65, rel=0.15)
    assert slot.high_w == pytest.approx(2_000 * 1.35, rel=0.15)


async def test_what_was_lately_counts_most() -> None:
    def moved_in(moment: datetime) -> float:
        return at_home(moment) * (2 if moment > MONDAY - 14 * DAY else 1)

    forecast = await told(a_house(42, MONDAY, moved_in), MONDAY)
    assert mean_w(forecast, MONDAY + 18 * HOUR, 1) > 2_000 * 1.5


async def test_cars_and_heaters_are_taken_out() -> None:
    def car(moment: datetime) -> float:
        return 7_000.0 if moment.astimezone(LONDON).hour in {1, 2, 3} else 0.0

    def with_car(moment: datetime) -> float:
        return at_home(moment) + car(moment)

    diary = a_house(14, MONDAY, with_car, zappi=car)
    night = MONDAY + 2 * HOUR
    assert mean_w(await told(diary, MONDAY), night, 1) > 5_000
    apart = await told(diary, MONDAY, "zappi.power_w")
    assert mean_w(apart, night, 1) == pytest.approx(200, rel=0.3)


@pytest.mark.parametrize(
    ("share", "least", "most"),
    [
        pytest.param(2.0, 1.3, 1.9, id="guests"),
        pytest.param(0.3, 0.4, 0.75, id="nobody at home"),
    ],
)
async def test_today_moves_the_hours_ahead_across_midnight(
    share: float, least: float, most: float
) -> None:
    now = MONDAY + 22 * HOUR

    def today(moment: datetime) -> float:
        return at_home(moment) * (share if moment > MONDAY else 1)

    usual = await told(a_house(28, now), now)
    moved = await told(a_house(28, now, today), now)
    soon = mean_w(moved, now, 1) / mean_w(usual, now, 1)
    assert least <= soon <= most
    after = mean_w(moved, now + 3 * HOUR, 0.5) / mean_w(usual, now + 3 * HOUR, 0.5)
    assert (after - 1) * (share - 1) > 0
    late = mean_w(moved, now + 60 * HOUR, 0.5) / mean_w(usual, now + 60 * HOUR, 0.5)
    assert late == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize(
    ("year", "month", "day", "hours"),
    [
        pytest.param(2026, 3, 29, 23, id="the clocks go forward"),
        pytest.param(2026, 10, 25, 25, id="the clocks go back"),
    ],
)
async def test_habits_follow_the_wall_clock(year: int, month: int, day: int, hours: int) -> None:
    start = datetime(year, month, day, tzinfo=LONDON).astimezone(UTC)
    now = start - 6 * HOUR
    forecast = await told(a_house(28, now), now)
    assert sum(slot.hours for slot in forecast.between(start, start + hours * HOUR)) == hours
    evening = datetime(year, month, day, 18, tzinfo=LONDON).astimezone(UTC)
    assert mean_w(forecast, evening, 1) == pytest.approx(2_000, rel=0.12)
    early = datetime(year, month, day, 5, tzinfo=LONDON).astimezone(UTC)
    assert mean_w(forecast, early, 1) == pytest.approx(200, rel=0.35)


async def test_holes_and_a_closed_history_do_no_harm() -> None:
    def broken(moment: datetime) -> float | None:
        return None if moment.astimezone(UTC).day % 3 == 0 else at_home(moment)

    check_sound(await told(a_house(28, MONDAY, broken), MONDAY), MONDAY)
    closed = a_house(28, MONDAY)
    closed.closed = True
    source = load_history(LoadHistorySettings(), zone=LONDON, history=closed)
    check_sound(await source.forecast(MONDAY), MONDAY)
    closed.closed = False
    later = MONDAY + timedelta(minutes=1)
    assert mean_w(await source.forecast(later), later + 17 * HOUR, 1) > 1_500
    assert source.trouble is None
    assert later < source.next_due(later) <= later + timedelta(minutes=21)


@given(
    st.dictionaries(st.integers(-4_000, 100), st.floats(0, 30_000), max_size=200),
    st.integers(0, 288),
)
def test_low_middle_high(used: dict[int, float], ahead: int) -> None:
    present = quarters.of(MONDAY)
    known = habits(
        {present + q: watts for q, watts in used.items()},
        present, LONDON, lambda _: False, 2_700,
    )  # fmt: skip
    low, middle, high = known.expected(present + ahead)
    assert 0 <= low <= middle <= high <= 100_000


def test_a_silent_car_leaves_a_hole_and_one_not_yet_bought_does_not() -> None:
    load = {1: 500.0, 2: 500.0, 3: 7_500.0, 4: 500.0, 5: 100.0}
    car = {2: 0.0, 3: 7_000.0, 5: 200.0}
    assert without(load, [car]) == {1: 500, 2: 500, 3: 500, 5: 0}
    assert without(load, [{}]) == load


def test_a_typical_day_has_a_mean_of_one() -> None:
    assert math.fsum(typical(time) for time in range(96)) / 96 == pytest.approx(1)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        pytest.param({"measured": "load"}, "device.point", id="no point"),
        pytest.param({"without": ("zappi",)}, "device.point", id="no point of a car"),
        pytest.param({"yearly_kwh": 0}, "yearly_kwh", id="no use"),
        pytest.param({"holidays": "QQ"}, "nobody knows", id="no country"),
    ],
)
def test_settings_that_mean_nothing_are_refused(said: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        LoadHistorySettings(**said)  # type: ignore[arg-type]


async def test_the_owners_days_off_count() -> None:
    noon = MONDAY + 12 * HOUR
    settings = LoadHistorySettings(days_off=(date(2026, 6, 15),))
    source = load_history(settings, zone=LONDON, history=a_house(28, MONDAY))
    assert mean_w(await source.forecast(MONDAY), noon, 1) > 1_100
