"""One commit, and the start that follows it: what a history writes and what it goes on from."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from ohmstead.history import rows
from ohmstead.history.batch import Column
from ohmstead.history.buckets import HOUR_S, Row
from ohmstead.history.days import day_of, day_span
from ohmstead.history.record import to_ms
from ohmstead.history.settings import HistorySettings
from ohmstead.history.signals import Signal

__all__ = ["Commit", "Start", "prune", "read_start", "write_commit"]

_MARK = "rolled_until"
_TOTALS_BACK = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What goes to the disk in one transaction."""

    now: datetime
    ids: Mapping[Signal, int]
    columns: Mapping[Signal, Column]
    hours: Mapping[int, Mapping[Signal, Row]]
    words: Mapping[int, str]
    look_for_days: bool
    """Whether days may have ended while nothing was running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a history goes on from."""

    ids: Mapping[Signal, int]
    words: dict[int, str]
    begin_s: int
    """Up to here everything is rolled up."""
    totals: Mapping[int, float]
    late: Mapping[int, Column]
    """The samples that are not rolled up yet, and those just before them."""


def write_commit(
    database: sqlite3.Connection, commit: Commit, zone: tzinfo, settings: HistorySettings
) -> dict[Signal, int]:
    """Write *commit*, and return the numbers of the signals that are new."""
    seen = [*commit.columns, *(signal for hour in commit.hours.values() for signal in hour)]
    fresh = rows.write_signals(database, [s for s in dict.fromkeys(seen) if s not in commit.ids])
    ids = {**commit.ids, **fresh}
    rows.write_words(database, commit.words)
    rows.write_batch(database, {ids[s]: column for s, column in commit.columns.items()})
    for start, hour in commit.hours.items():
        rows.write_open_hour(database, start, {ids[s]: row for s, row in hour.items()})
    if commit.hours:
        rows.write_mark(database, _MARK, max(commit.hours) + HOUR_S)
    if commit.hours or commit.look_for_days:
        ready_s = (commit.now.timestamp() - settings.gap_s) // HOUR_S * HOUR_S
        if _seal_until(database, zone, ready_s):
            prune(database, commit.now, zone, settings)
    return fresh


def prune(
    database: sqlite3.Connection, now: datetime, zone: tzinfo, settings: HistorySettings
) -> None:
    """Drop what is older than the owner wants it."""
    keep = {
        "five": settings.five_min_days,
        "hour": settings.hour_days,
        "day": settings.day_days,
    }
    today = now.astimezone(zone).date()
    before = {level: today - timedelta(days=days) for level, days in keep.items() if days}
    rows.prune(database, before, to_ms(now - timedelta(days=settings.raw_days)))


def read_start(database: sqlite3.Connection, zone: tzinfo, gap_s: float) -> Start:
    """Return what a history of *zone* goes on from."""
    sealed_s = rows.read_sealed_until(database, zone)
    begin_s = max(sealed_s, rows.read_mark(database, _MARK) or 0)
    since = day_of(sealed_s, zone) - _TOTALS_BACK if sealed_s else date.min
    totals = rows.read_last_totals(database, since)
    for number, row in rows.read_open(database, sealed_s, begin_s).items():
        if row:
            totals[number] = row[max(row)].last
    return Start(
        ids=rows.read_signals(database),
        words=rows.read_words(database),
        begin_s=begin_s,
        totals=totals,
        late=rows.read_batches(database, int((begin_s - gap_s) * 1_000), 2**62),
    )


def _seal_until(database: sqlite3.Connection, zone: tzinfo, ready_s: float) -> bool:
    """Seal the days that ended before *ready_s*, and tell whether there were any."""
    spans = {day: day_span(day, zone) for day in rows.open_days(database, zone)}
    over = {day: span for day, span in spans.items() if span[1] <= ready_s}
    for day, (start, end) in over.items():
        rows.seal(database, day, zone, rows.read_open(database, start, end))
        rows.drop_open(database, end)
    return bool(over)
