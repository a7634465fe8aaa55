"""The embedded history: 100 points a minute, beside a plain table of samples with the same data.

python bench/history.py            30 days
python bench/history.py --full     a year, which takes some minutes
"""

import asyncio
import os
import random
import resource
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import pi, sin
from pathlib import Path
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

from ohmstead.history.costs import costs
from ohmstead.history.history import History
from ohmstead.history.query import series
from ohmstead.history.settings import HistorySettings
from ohmstead.history.signals import Signal
from ohmstead.model import (
    BatteryReading,
    Decision,
    DeviceSnapshot,
    Kind,
    PriceCurve,
    Prices,
    PriceSlot,
    Reading,
    SiteSnapshot,
    Tick,
    Value,
)
from tables import print_table

LONDON = ZoneInfo("Europe/London")
START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS, FULL_DAYS = 30, 365
SYNCED_DAYS = 2
"""In so many days, at the end, every commit is forced to the disk, as minutes between would."""
COMMIT_MIN = 5
ASKED = 40


def main() -> None:
    """Measure 30 days, or a year with ``--full``."""
    days = FULL_DAYS if "--full" in sys.argv else DAYS
    with tempfile.TemporaryDirectory() as folder:
        ours = asyncio.run(measure_ours(Path(folder) / "history.db", days))
        plain = measure_plain(Path(folder) / "plain.db", days)
    print_table(
        f"History of {days} days, 100 points a minute ({days * 144_000 / 1e6:.1f} M values)",
        ("", "history", "plain table"),
        [[name, ours.get(name, "-"), plain.get(name, "-")] for name in ours],
    )
    print(f"memory at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024} MB")


# ---- ours ---------------------------------------------------------------------------------


async def measure_ours(path: Path, days: int) -> dict[str, str]:
    """Return the history's column."""

    def kind_of(_: str, point: str) -> Kind:
        return Kind.TOTAL if point.endswith("_kwh") else Kind.MEASUREMENT

    took_s, synced = 0.0, Synced(path)
    async with History(path, LONDON, kind_of, HistorySettings()) as history:
        for number, minute in enumerate(minutes(days)):
            if number == (days - SYNCED_DAYS) * 1_440:
                synced.begin()
            tick = as_tick(minute)
            began = perf_counter()
            committed = await history.record(tick)
            took_s += perf_counter() - began
            if committed and synced.begun:
                synced.sync()
        written = synced.a_day()
        grid = Signal("inverter", "power_0_w")
        five = [Signal("inverter", f"power_{n}_w") for n in range(5)]
        end = START + timedelta(days=days)
        first, last = START.date(), end.date() - timedelta(days=1)
        whole = end - timedelta(days=days)

        async def a_day(signals: list[Signal], number: int) -> object:
            start = START + timedelta(days=1 + number % (days - 2), minutes=7 * number)
            return await series(history, signals, start, start + timedelta(days=1))

        timed = {
            "a day's chart, ms": await p50(lambda n: a_day([grid], n)),
            "a day's chart of 5 points, ms": await p50(lambda n: a_day(five, n)),
            "all days' chart, ms": await p50(lambda _: series(history, [grid], whole, end)),
            "all days' chart of 5 points, ms": await p50(
                lambda _: series(history, five, whole, end)
            ),
            "costs of a day, ms": await p50(lambda n: costs(history, *two(first, n, days))),
            "costs of all days, ms": await p50(lambda _: costs(history, first, last), 3),
        }
    return {
        "values taken a second": f"{int(days * 144_000 / took_s)}",
        "file, MB": megabytes(path),
        "written a day, MB": f"{written / 1e6:.1f}",
        **timed,
    }


def megabytes(path: Path) -> str:
    """Return how large a file is."""
    return f"{path.stat().st_size / 1e6:.1f}"


def two(first: date, number: int, days: int) -> tuple[date, date]:
    """Return one day, twice."""
    day = first + timedelta(days=1 + number % (days - 2))
    return day, day


async def p50(ask: Callable[[int], Awaitable[object]], times: int = ASKED) -> str:
    """Return the median time of an answer in milliseconds."""
    taken = []
    for number in range(times):
        began = perf_counter()
        await ask(number)
        taken.append(perf_counter() - began)
    return f"{median(taken) * 1e3:.1f}"


# ---- a plain table ------------------------------------------------------------------------


def measure_plain(path: Path, days: int) -> dict[str, str]:
    """Return the column of ``samples (signal, time, value)``, committed as often as ours."""
    database, synced, took_s = sqlite3.connect(path), Synced(path), 0.0
    database.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "CREATE TABLE samples (signal INTEGER, time INTEGER, value,"
        " PRIMARY KEY (signal, time)) WITHOUT ROWID;"
    )
    waiting: list[tuple[int, int, object]] = []
    numbers = {point: n for n, point in enumerate(next(minutes(1)).values)}
    for number, minute in enumerate(minutes(days)):
        if number == (days - SYNCED_DAYS) * 1_440:
            synced.begin()
        at = round(minute.at.timestamp())
        waiting += [(numbers[point], at, value) for point, value in minute.values.items()]
        # Before the days whose bytes are counted an hour at a time, or it would take all day.
        if number % (COMMIT_MIN if synced.begun else 60) == 0:
            began = perf_counter()
            with database:
                database.executemany("INSERT OR REPLACE INTO samples VALUES (?, ?, ?)", waiting)
            took_s += perf_counter() - began
            waiting.clear()
            if synced.begun:
                synced.sync()
    written = synced.a_day()
    timed = {}
    for name, span, step, points in (
        ("a day's chart, ms", 1, 300, [0]),
        ("a day's chart of 5 points, ms", 1, 300, range(5)),
        ("all days' chart, ms", days, 86_400, [0]),
        ("all days' chart of 5 points, ms", days, 86_400, range(5)),
    ):
        taken = []
        for number in range(ASKED if span == 1 else 5):
            begin = int(START.timestamp()) + (0 if span > 1 else (1 + number % (days - 2)) * 86_400)
            began = perf_counter()
            for point in points:
                database.execute(
                    "SELECT time / ?, min(value), avg(value), max(value) FROM samples"
                    " WHERE signal = ? AND time >= ? AND time < ? GROUP BY 1",
                    (step, numbers[f"power_{point}_w"], begin, begin + span * 86_400),
                ).fetchall()
            taken.append(perf_counter() - began)
        timed[name] = f"{median(taken) * 1e3:.1f}"
    database.close()
    return {
        "values taken a second": f"{int(days * 144_000 / took_s)}",
        "file, MB": megabytes(path),
        "written a day, MB": f"{written / 1e6:.1f}",
        **timed,
    }


# ---- what the disk gets -------------------------------------------------------------------


@dataclass
class Synced:
    """Counts the bytes that reach the disk while every commit is forced there."""

    path: Path
    before: int | None = None

    @property
    def begun(self) -> bool:
        """Whether commits are being forced to the disk."""
        return self.before is not None

    def begin(self) -> None:
        """Count from now on."""
        os.sync()
        self.before = written_bytes()

    def sync(self) -> None:
        """Force what was written to the disk, so that writing it again counts again."""
        for ending in ("", "-wal"):
            file = os.open(f"{self.path}{ending}", os.O_RDONLY)
            os.fsync(file)
            os.close(file)

    def a_day(self) -> float:
        """Return how many bytes a day were written."""
        assert self.before is not None
        return (written_bytes() - self.before) / SYNCED_DAYS


def written_bytes() -> int:
    """Return what this process has sent to the disk so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


# ---- a house ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Minute:
    """What the one device says."""

    at: datetime
    values: Mapping[str, Value]


def minutes(days: int) -> Iterator[Minute]:
    """Yield 100 values a minute: 40 noisy powers, 20 voltages, 10 totals, 10 slow, 20 settings."""
    chance = random.Random(1)  # noqa: S311 - a house, no secret
    noise = [chance.gauss(0, 1) for _ in range(10_007)]
    totals = [1_000.0 * n for n in range(10)]
    settings: dict[str, Value] = {f"setting_{n}_pct": 10 * n % 100 for n in range(17)}
    settings |= {"charging_on": False, "mode": "eco", "firmware": "EAAB-2021"}
    for number in range(days * 1_440):
        at = START + timedelta(minutes=number)
        sun = max(sin((number % 1_440 - 360) / 720 * pi), 0.0)
        values: dict[str, Value] = {}
        for n in range(40):
            values[f"power_{n}_w"] = round(
                50 * n * sun + 300 + 120 * noise[(number * 41 + n) % 10_007]
            )
        for n in range(20):
            values[f"voltage_{n}_v"] = round(230 + 2 * noise[(number * 43 + n) % 10_007], 1)
        for n in range(10):
            totals[n] += n * sun / 60
            values[f"total_{n}_kwh"] = round(totals[n], 1)
            values[f"slow_{n}_pct"] = round(50 + 40 * sin((number + 97 * n) / 300))
        if number % 720 == 0:
            settings["charging_on"] = not settings["charging_on"]
        yield Minute(at, values | settings)


SLOTS = [0.15 + 0.1 * sin(n / 48 * 2 * pi) for n in range(48)]


def as_tick(minute: Minute) -> Tick:
    """Return the minute as the loop would tell it; the house itself comes on top."""
    values, slot = minute.values, minute.at.hour * 2 + minute.at.minute // 30
    start = minute.at.replace(minute=minute.at.minute // 30 * 30)
    curve = PriceCurve(
        slots=(PriceSlot(start=start, end=start + timedelta(minutes=30), per_kwh=SLOTS[slot]),)
    )
    reading = Reading(device="inverter", at=minute.at, values=values)
    snapshot = SiteSnapshot(
        at=minute.at,
        devices={"inverter": DeviceSnapshot(name="inverter", family="toy", reading=reading)},
        grid_w=number(values["power_0_w"]) - 200,
        pv_w=number(values["power_39_w"]),
        load_w=number(values["power_1_w"]),
        battery=BatteryReading(soc_pct=number(values["slow_0_pct"]), capacity_kwh=9.5),
        prices=Prices(buy=curve, sell=curve),
    )
    decision = Decision(at=minute.at, command=None, reason="a bench", strategy="bench")
    return Tick(snapshot=snapshot, decision=decision)


def number(value: Value) -> float:
    """Return *value*, which is a number."""
    assert isinstance(value, int | float)
    return value


if __name__ == "__main__":
    main()
