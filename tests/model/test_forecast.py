"""A forecast is resampled to any width, and loses no energy by it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.model import Forecast, ForecastSlot

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
FAR = timedelta(days=10)
POWERS = st.floats(0, 20_000)


def a_slot(start: datetime, minutes: float, *powers: float) -> ForecastSlot:
    low, middle, high = sorted(powers) if len(powers) == 3 else (powers[0],) * 3
    return ForecastSlot(
        start=start, end=start + timedelta(minutes=minutes), low_w=low, middle_w=middle, high_w=high
    )


@st.composite
def forecasts(draw: st.DrawFn) -> Forecast:
    at, slots = NOON + timedelta(minutes=draw(st.integers(0, 59))), list[ForecastSlot]()
    for _ in range(draw(st.integers(1, 12))):
        at += timedelta(minutes=draw(st.sampled_from([0, 0, 0, 7, 90])))
        slots.append(
            a_slot(at, draw(st.integers(1, 180)), draw(POWERS), draw(POWERS), draw(POWERS))
        )
        at = slots[-1].end
    return Forecast(slots=tuple(slots), source="drawn")


@given(forecasts(), st.integers(1, 240))
def test_resampling_conserves_energy(forecast: Forecast, minutes: int) -> None:
    again = forecast.resampled(timedelta(minutes=minutes))
    assert again.kwh(NOON, NOON + FAR) == pytest.approx(forecast.kwh(NOON, NOON + FAR), abs=1e-9)


@given(forecasts(), st.integers(1, 240))
def test_low_middle_and_high_stay_in_order(forecast: Forecast, minutes: int) -> None:
    for slot in forecast.resampled(timedelta(minutes=minutes)):
        assert slot.low_w <= slot.middle_w <= slot.high_w


@given(forecasts(), st.integers(1, 240))
def test_no_slot_reaches_over_a_step(forecast: Forecast, minutes: int) -> None:
    step = timedelta(minutes=minutes)
    for slot in forecast.resampled(step):
        assert (slot.start - datetime(1970, 1, 1, tzinfo=UTC)) // step == (
            slot.end - timedelta(microseconds=1) - datetime(1970, 1, 1, tzinfo=UTC)
        ) // step


@given(forecasts())
def test_cutting_in_two_loses_nothing(forecast: Forecast) -> None:
    middle = NOON + timedelta(minutes=101)
    parts = (forecast.between(NOON, middle), forecast.between(middle, NOON + FAR))
    whole = sum(part.kwh(NOON, NOON + FAR)[1] for part in parts)
    assert whole == pytest.approx(forecast.kwh(NOON, NOON + FAR)[1])


def test_quarters_become_a_half_hour() -> None:
    quarters = Forecast(
        slots=(
            a_slot(NOON, 15, 0, 100, 200),
            a_slot(NOON + timedelta(minutes=15), 15, 100, 300, 900),
        )
    )
    assert quarters.resampled(timedelta(minutes=30)).slots == (a_slot(NOON, 30, 50, 200, 550),)


def test_an_hour_becomes_five_minutes_of_the_same_power() -> None:
    fine = Forecast(slots=(a_slot(NOON, 60, 700),)).resampled(timedelta(minutes=5))
    assert [slot.middle_w for slot in fine] == [700] * 12


def test_a_gap_stays_a_gap() -> None:
    holed = Forecast(slots=(a_slot(NOON, 10, 5), a_slot(NOON + timedelta(minutes=20), 10, 7)))
    again = holed.resampled(timedelta(minutes=30))
    assert len(again) == 2
    assert again.at(NOON + timedelta(minutes=15)) is None


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param((2026, 3, 29), 23, id="the clocks go forward"),
        pytest.param((2026, 10, 25), 25, id="the clocks go back"),
    ],
)
def test_a_local_day_has_as_many_hours_as_it_has(day: tuple[int, int, int], hours: int) -> None:
    london = ZoneInfo("Europe/London")
    start = datetime(*day, tzinfo=london)
    end = datetime(day[0], day[1], day[2] + 1, tzinfo=london)
    level = Forecast(slots=(a_slot(start.astimezone(UTC) - timedelta(days=1), 5 * 1440, 1_000),))
    assert level.resampled(timedelta(minutes=30)).kwh(
        start.astimezone(UTC), end.astimezone(UTC)
    ) == pytest.approx((hours,) * 3)


def test_a_moment_finds_its_slot_and_the_horizon_is_known() -> None:
    forecast = Forecast(slots=(a_slot(NOON, 30, 5),), fetched_at=NOON)
    assert forecast.at(NOON) == forecast.slots[0]
    assert forecast.at(NOON + timedelta(minutes=30)) is None
    assert forecast.ends == NOON + timedelta(minutes=30)
    assert forecast.age(NOON + FAR) == FAR
    assert Forecast(slots=()).ends is None


@pytest.mark.parametrize(
    ("minutes", "low", "middle", "high"),
    [
        pytest.param(0, 1, 1, 1, id="no length"),
        pytest.param(5, 2, 1, 3, id="low above middle"),
        pytest.param(5, 1, 4, 3, id="high below middle"),
        pytest.param(5, 1, float("nan"), 3, id="no number"),
        pytest.param(5, 1, 2, float("inf"), id="no end"),
    ],
)
def test_a_slot_that_means_nothing_is_refused(
    minutes: float, low: float, middle: float, high: float
) -> None:
    with pytest.raises(ValueError, match="2026-06-21T12:00"):
        ForecastSlot(
            start=NOON,
            end=NOON + timedelta(minutes=minutes),
            low_w=low,
            middle_w=middle,
            high_w=high,
        )


def test_overlaps_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        Forecast(slots=(a_slot(NOON, 30, 1), a_slot(NOON, 30, 1)))


def test_a_step_of_no_length_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than nothing"):
        Forecast(slots=()).resampled(timedelta())
