"""A history as a whole: what goes in comes out, before and after commits, days and restarts."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import MORNING, a_history, a_tick, feed
from houses import LONDON
from ohmstead.errors import HistoryError
from ohmstead.history.history import History, keep_history
from ohmstead.history.settings import HistorySettings
from ohmstead.history.signals import Form, Signal
from ohmstead.model import Tick

GRID = Signal("inverter", "grid_w")
TOTAL = Signal("inverter", "import_kwh", Form.TOTAL)
KOLKATA = ZoneInfo("Asia/Kolkata")


async def values_of(history: History, signal: Signal) -> list[float | None]:
    return [value for _, value in (await history.samples([signal], 0, 2**50))[signal]]


async def a_day_of(history: History, day: date, every_s: float = 300) -> None:
    """Record 1 kW of import and a total that counts it, for one local day."""
    start = datetime.combine(day, datetime.min.time(), history.zone)
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), history.zone)
    at = start.timestamp()
    while at < end.timestamp():
        kwh = round((at - start.timestamp()) / 3_600, 3)
        moment = datetime.fromtimestamp(at, LONDON)
        await history.record(a_tick(moment, {"grid_w": 1_000, "import_kwh": kwh}))
        at += every_s


async def test_what_is_not_on_disk_yet_is_in_every_answer() -> None:
    async with a_history() as history:
        await feed(history, MORNING, [{"grid_w": n} for n in range(4)])
        assert await values_of(history, GRID) == [0, 1, 2, 3]
        assert history.find("inverter", "grid_w") == GRID
        steps = await history.steps("five", [GRID], MORNING.date(), MORNING.date())
        assert [b.count for b in steps[GRID].values()] == [4]


async def test_samples_are_committed_now_and_then_only(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with a_history(path) as history:
        await feed(history, MORNING, [{"grid_w": n} for n in range(11)])
        with sqlite3.connect(path) as database:
            (batches,) = database.execute("SELECT count(*) FROM batch").fetchone()
        database.close()
        assert batches == 2
        assert await values_of(history, GRID) == list(range(11))


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with a_history(path) as history:
        now = await feed(history, MORNING, [{"grid_w": n, "mode": "eco"} for n in range(4)])
    async with a_history(path) as history:
        await feed(history, now, [{"grid_w": n, "mode": "eco"} for n in range(4, 8)])
        assert await values_of(history, GRID) == list(range(8))
        mode = history.find("inverter", "mode")
        assert mode is not None
        (number, *_) = await values_of(history, mode)
        assert number is not None
        assert history.words.to_value(Form.TEXT, number) == "eco"
        (five, *_) = (await history.steps("five", [GRID], now.date(), now.date()))[GRID].values()
        assert (five.count, five.covered_s, five.mean) == (5, 300, 2)


@pytest.mark.parametrize("restarts", [False, True], ids=["in one go", "with restarts"])
@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        pytest.param(LONDON, date(2026, 6, 21), 24, id="an ordinary day"),
        pytest.param(LONDON, date(2026, 3, 29), 23, id="summer time begins"),
        pytest.param(LONDON, date(2026, 10, 25), 25, id="summer time ends"),
        pytest.param(KOLKATA, date(2026, 6, 21), 24, id="midnight at half past"),
        pytest.param(ZoneInfo("Australia/Lord_Howe"), date(2026, 10, 4), 23.5, id="half an hour"),
    ],
)
async def test_a_day_is_from_midnight_to_midnight(
    tmp_path: Path, zone: ZoneInfo, day: date, hours: float, restarts: bool
) -> None:
    path = tmp_path / "history.db"
    days = [day + timedelta(days=number) for number in (-1, 0, 1)]
    for some in [[one] for one in days] if restarts else [days]:
        async with a_history(path, zone) as history:
            for one in some:
                await a_day_of(history, one)
    async with a_history(path, zone) as history:
        with sqlite3.connect(path) as database:
            sealed = {day for (day,) in database.execute("SELECT day FROM day")}
        database.close()
        assert day.isoformat() in sealed
        found = await history.days([GRID, TOTAL], day, day)
        _, power = found[GRID][day]
        _, total = found[TOTAL][day]
        assert power.covered_s == pytest.approx(hours * 3_600)
        assert power.up == pytest.approx(hours, abs=0.001)
        assert total.up == pytest.approx(hours, abs=0.1)
        steps = await history.steps("hour", [GRID], day, day)
        assert len(steps[GRID]) == round(hours + 0.4)
        fives = await history.steps("five", [GRID], day, day)
        assert len(fives[GRID]) == hours * 12


async def test_a_restart_late_in_the_day_keeps_its_hours(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with a_history(path) as history:
        now = await feed(history, MORNING, [{"grid_w": 6_000}] * 300)
    for _ in range(3):
        async with a_history(path) as history:
            now = await feed(history, now, [{"grid_w": 6_000}] * 10)
    async with a_history(path) as history:
        days = await history.days([GRID], MORNING.date(), MORNING.date())
        assert days[GRID][MORNING.date()][1].up == pytest.approx(32.9)


async def test_a_total_goes_on_after_days_without_the_program(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with a_history(path) as history:
        await feed(history, MORNING, [{"import_kwh": 100.0}] * 10)
    later = MORNING + timedelta(days=5)
    for _ in range(2):
        async with a_history(path) as history:
            await feed(history, later, [{"import_kwh": 130.0}] * 10)
    async with a_history(path) as history:
        days = await history.days([TOTAL], MORNING.date(), later.date())
        assert {day: bucket.up for day, (_, bucket) in days[TOTAL].items()} == {
            MORNING.date(): 0,
            later.date(): 30,
        }


async def test_old_samples_go_and_days_stay(tmp_path: Path) -> None:
    settings = HistorySettings(raw_days=1, five_min_days=2, hour_days=3, commit_s=3_600)
    first = date(2026, 6, 1)
    async with a_history(tmp_path / "history.db", settings=settings) as history:
        for number in range(7):
            await a_day_of(history, first + timedelta(days=number), every_s=600)
        begins = await history.begins()
        oldest = {
            name: (datetime.fromtimestamp(at, LONDON).date() - first).days
            for name, at in begins.items()
        }
        # The last day that was sealed is the sixth, number 5, early on the seventh.
        assert oldest == {"raw": 5, "five": 4, "hour": 3, "day": 0}


async def test_a_clock_that_was_far_ahead_does_not_stop_the_history(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    ahead = MORNING + timedelta(days=3_650)
    async with a_history(path) as history:
        await feed(history, ahead, [{"grid_w": 1}] * 200)
        await feed(history, MORNING, [{"grid_w": 6_000}] * 200)
    async with a_history(path) as history:
        await feed(history, MORNING + timedelta(days=1), [{"grid_w": 6_000}] * 200)
    async with a_history(path) as history:
        days = await history.days([GRID], MORNING.date(), MORNING.date() + timedelta(days=1))
        assert [b.up for _, b in days[GRID].values()] == pytest.approx([19.9, 19.9], abs=1)


async def test_a_disk_that_refuses_loses_nothing_once_it_accepts_again(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with a_history(path) as history:
        now = await feed(history, MORNING, [{"grid_w": n} for n in range(6)])
        await history.store.run(lambda database: database.execute("PRAGMA query_only = ON"))
        with pytest.raises(HistoryError, match="full or read-only"):
            await history.flush(now)
        now = await feed(history, now, [{"grid_w": n} for n in range(6, 9)])
        assert await values_of(history, GRID) == list(range(9))
        await history.store.run(lambda database: database.execute("PRAGMA query_only = OFF"))
        await history.flush(now)
    async with a_history(path) as history:
        assert await values_of(history, GRID) == list(range(9))


async def test_a_full_disk_does_not_end_the_recording(caplog: pytest.LogCaptureFixture) -> None:
    async with a_history() as history:
        await history.store.run(lambda database: database.execute("PRAGMA query_only = ON"))

        async def ticks() -> AsyncIterator[Tick]:
            for n in range(20):
                yield a_tick(MORNING + timedelta(minutes=n), {"grid_w": n})

        await keep_history(ticks(), history)
        assert await values_of(history, GRID) == list(range(20))
    assert len([r for r in caplog.records if "read-only" in r.getMessage()]) == 2


async def test_a_backup_is_a_whole_history(tmp_path: Path) -> None:
    async with a_history(tmp_path / "history.db") as history:
        now = await feed(history, MORNING, [{"grid_w": n} for n in range(4)])
        await history.flush(now)
        await history.backup(tmp_path / "copy.db")
        with pytest.raises(HistoryError, match="cannot copy"):
            await history.backup(tmp_path / "copy.db")
    async with a_history(tmp_path / "copy.db") as copy:
        assert await values_of(copy, GRID) == [0, 1, 2, 3]


waits = st.integers(10, 290)
powers = st.none() | st.integers(-5_000, 5_000)
walks = st.lists(st.tuples(waits, powers, st.integers(0, 3)), min_size=1, max_size=120)


@settings(max_examples=40)
@given(walks, st.sets(st.integers(0, 119)), st.sets(st.integers(0, 119)))
def test_restarts_and_cuts_change_nothing_that_was_committed(
    walk: list[tuple[int, int | None, int]], ends: set[int], commits: set[int]
) -> None:
    """One history goes on without end; the other is closed now and then, and both are alike."""

    async def walked(path: Path, ends: set[int]) -> tuple[list[object], list[float]]:
        at, kwh = datetime(2026, 3, 28, 20, tzinfo=UTC), 0
        chosen = HistorySettings(commit_s=1e9)
        async with AsyncExitStack() as stack:
            history = await stack.enter_async_context(a_history(path, LONDON, chosen))
            for number, (wait, power, growth) in enumerate(walk):
                at, kwh = at + timedelta(seconds=wait), kwh + growth
                await history.record(a_tick(at, {"grid_w": power, "import_kwh": kwh}))
                if number in commits:
                    await history.flush(at)
                if number in ends:
                    await stack.aclose()
                    history = await stack.enter_async_context(a_history(path, LONDON, chosen))
            signals = [s for s in (GRID, TOTAL) if s in history.signals]
            first = date(2026, 3, 28)
            days = await history.days(signals, first, first + timedelta(days=4))
            found = [(s, *days[s][day]) for s in signals for day in days[s]]
            exact = [(s, start, b.low, b.high, b.last) for s, start, b in found]
            return list(exact), [energy for *_, b in found for energy in (b.up, b.down)]

    with TemporaryDirectory() as folder:
        path = Path(folder)
        exact, energies = asyncio.run(walked(path / "one.db", {len(walk) - 1}))
        again, energies_again = asyncio.run(walked(path / "other.db", {*ends, len(walk) - 1}))
    assert again == exact
    assert energies_again == pytest.approx(energies, abs=1e-4)
