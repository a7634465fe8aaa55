"""Charts: any span in about as many points as asked for, gaps left open."""

from datetime import UTC, date, datetime, timedelta

import pytest

from histories import MORNING, a_history, feed
from houses import LONDON
from ohmstead.errors import HistoryError
from ohmstead.history.history import History
from ohmstead.history.query import Resolution, energy, find_signals, resolution, series
from ohmstead.history.settings import HistorySettings
from ohmstead.history.signals import Form, Signal

GRID = Signal("inverter", "grid_w")
LONG_AGO = {"raw": 0, "five": 0, "hour": 0, "day": 0}


@pytest.mark.parametrize(
    ("span", "level"),
    [
        pytest.param(timedelta(minutes=10), "raw", id="ten minutes"),
        pytest.param(timedelta(hours=12), "raw", id="half a day"),
        pytest.param(timedelta(days=1), "5min", id="a day"),
        pytest.param(timedelta(days=3), "5min", id="three days"),
        pytest.param(timedelta(days=7), "hour", id="a week"),
        pytest.param(timedelta(days=31), "hour", id="a month"),
        pytest.param(timedelta(days=365), "day", id="a year"),
        pytest.param(timedelta(days=3_650), "day", id="ten years"),
    ],
)
def test_a_chart_gets_the_coarsest_level_that_fills_it(span: timedelta, level: Resolution) -> None:
    assert resolution(MORNING - span, MORNING, 500, LONG_AGO) == level


@pytest.mark.parametrize(
    ("ago", "level"),
    [
        pytest.param(timedelta(days=2), "raw", id="while samples are kept"),
        pytest.param(timedelta(days=100), "5min", id="when the samples are gone"),
        pytest.param(timedelta(days=700), "hour", id="when 5 minutes are gone"),
        pytest.param(timedelta(days=1_700), "day", id="when only days are left"),
        pytest.param(timedelta(days=9_000), "day", id="before all began"),
    ],
)
def test_an_hour_long_ago_comes_from_what_is_left(ago: timedelta, level: Resolution) -> None:
    now = MORNING.timestamp()
    kept = {"raw": 14, "five": 400, "hour": 1_500, "day": 3_000}
    begins = {name: int(now - days * 86_400) for name, days in kept.items()}
    start = MORNING - ago
    assert resolution(start, start + timedelta(hours=1), 500, begins) == level


async def test_samples_come_as_they_were_recorded_with_gaps_open() -> None:
    async with a_history() as history:
        await feed(history, MORNING, [{"grid_w": value} for value in (1, 2, None, 4)])
        (found,) = await series(history, [GRID], MORNING, MORNING + timedelta(minutes=10))
        assert (found.resolution, found.step_s) == ("raw", 0)
        assert found.times == tuple(MORNING + timedelta(minutes=n) for n in range(4))
        assert found.low == found.mean == found.high == found.last == (1, 2, None, 4)


async def test_a_span_begins_with_the_value_held_then() -> None:
    async with a_history() as history:
        await feed(history, MORNING, [{"grid_w": value} for value in (1, 1, 1, 4)])
        start = MORNING + timedelta(minutes=2)
        (found,) = await series(history, [GRID], start, start + timedelta(minutes=5))
        assert list(zip(found.times, found.mean, strict=True)) == [
            (start, 1),
            (start + timedelta(minutes=1), 4),
        ]


async def test_many_samples_are_drawn_together() -> None:
    settings = HistorySettings(least_s=0)
    async with a_history(settings=settings) as history:
        await feed(history, MORNING, [{"grid_w": n % 10} for n in range(3_600)], every_s=1)
        (found,) = await series(history, [GRID], MORNING, MORNING + timedelta(hours=1))
        assert 400 < len(found.times) <= 501
        assert (found.resolution, found.step_s) == ("raw", 8)
        assert (found.low[0], found.high[0], found.mean[0]) == (0, 7, 3.5)


async def test_a_silence_is_a_hole_in_every_resolution() -> None:
    async with a_history() as history:
        now = await feed(history, MORNING, [{"grid_w": 1}] * 60)
        later = now + timedelta(hours=3)
        await feed(history, later, [{"grid_w": 3}] * 60)
        for hours, resolved in ((10, "raw"), (24, "5min"), (400, "hour")):
            (found,) = await series(
                history, [GRID], MORNING, MORNING + timedelta(hours=hours), most_points=500
            )
            assert found.resolution == resolved
            assert next(value for value in found.mean if value != 1) is None
            assert found.mean[-1] == 3
            assert found.times == tuple(sorted(found.times))


async def weeks(history: History) -> datetime:
    """Record four weeks of 1 kW at noon and nothing else."""
    at = datetime(2026, 3, 16, tzinfo=UTC)
    while at < datetime(2026, 4, 13, tzinfo=UTC):
        local = at.astimezone(LONDON)
        await feed(history, at, [{"grid_w": 1_000 if local.hour == 12 else 0, "mode": "eco"}])
        at += timedelta(minutes=10)
    return at


async def test_weeks_of_hours_and_days_through_summer_time() -> None:
    async with a_history(zone=LONDON) as history:
        end = await weeks(history)
        first = date(2026, 3, 17)
        start = datetime.combine(first, datetime.min.time(), LONDON)
        (hours,) = await series(history, [GRID], start, end, most_points=1_000)
        assert hours.resolution == "hour"
        noons = [at for at, value in zip(hours.times, hours.mean, strict=True) if value == 1_000]
        assert {at.astimezone(LONDON).hour for at in noons} == {12}
        assert len(noons) == 27
        assert None not in hours.mean

        (days,) = await series(history, [GRID], start, end, most_points=30)
        assert (days.resolution, len(days.times)) == ("day", 28)
        assert {at.astimezone(LONDON).hour for at in days.times} == {0}
        assert {(lo, hi) for lo, hi in zip(days.low, days.high, strict=True)} == {
            (0, 1_000),
            (0, 0),
        }

        (few,) = await series(history, [GRID], start, end, most_points=9)
        assert len(few.times) <= 10

        found = await energy(history, [GRID], first, date(2026, 4, 11))
        assert {round(day.positive_kwh, 3) for day in found[GRID].values()} == {1}
        assert found[GRID][date(2026, 3, 29)].covered_h == pytest.approx(23)


async def test_a_day_of_words_says_the_last_of_each_step() -> None:
    async with a_history(zone=LONDON) as history:
        end = await weeks(history)
        (mode,) = find_signals(history, [("inverter", "mode")])
        (found,) = await series(history, [mode], end - timedelta(days=1), end)
        assert (found.resolution, mode.form) == ("5min", Form.TEXT)
        assert set(found.last) == {"eco"}
        assert set(found.mean) == {None}


async def test_energies_of_totals_are_in_kwh() -> None:
    async with a_history() as history:
        said = [{"made_kwh": 100 + n / 10, "inverter_w": -600} for n in range(11)]
        await feed(history, MORNING, said, every_s=600)
        signals = find_signals(history, [("inverter", "made_kwh"), ("inverter", "inverter_w")])
        day = MORNING.date()
        made, power = [days[day] for days in (await energy(history, signals, day, day)).values()]
        assert made.positive_kwh == pytest.approx(1)
        assert (power.positive_kwh, power.negative_kwh) == pytest.approx((0, 1))


async def test_what_makes_no_sense_is_refused() -> None:
    async with a_history() as history:
        await feed(history, MORNING, [{"soc_pct": 50}])
        signals = find_signals(history, [("inverter", "soc_pct")])
        with pytest.raises(HistoryError, match=r"nothing was ever recorded of inverter\.nonsense"):
            find_signals(history, [("inverter", "nonsense")])
        with pytest.raises(HistoryError, match="must end after it begins"):
            await series(history, signals, MORNING, MORNING)
        with pytest.raises(HistoryError, match="neither a power nor an energy"):
            await energy(history, signals, MORNING.date(), MORNING.date())
