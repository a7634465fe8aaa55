"""What is read from and written to the tables, each a function over one transaction."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta, tzinfo
from typing import Literal, TypeAlias

from ohmstead.history.batch import Column, pack_batch, unpack_batch
from ohmstead.history.buckets import (
    HOUR_S,
    Bucket,
    Row,
    merged,
    pack_rows,
    regrouped,
    unpack_rows,
)
from ohmstead.history.days import day_of, day_span
from ohmstead.history.signals import Form, Signal

__all__ = [
    "Level",
    "drop_open",
    "open_days",
    "prune",
    "read_batches",
    "read_begins",
    "read_days",
    "read_last_totals",
    "read_mark",
    "read_open",
    "read_sealed_until",
    "read_signals",
    "read_steps",
    "read_words",
    "seal",
    "write_batch",
    "write_mark",
    "write_open_hour",
    "write_signals",
    "write_words",
]

Level: TypeAlias = Literal["five", "hour"]
Database: TypeAlias = sqlite3.Connection


def read_signals(database: Database) -> dict[Signal, int]:
    """Return all signals ever recorded, with their numbers."""
    rows = database.execute("SELECT device, point, form, id FROM signal")
    return {Signal(device, point, Form(form)): number for device, point, form, number in rows}


def write_signals(database: Database, signals: Iterable[Signal]) -> dict[Signal, int]:
    """Give new *signals* numbers, and return them."""
    statement = (
        "INSERT INTO signal (device, point, form) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET form = form RETURNING id"
    )
    return {
        signal: database.execute(
            statement, (signal.device, signal.point, signal.form.value)
        ).fetchone()[0]
        for signal in signals
    }


def read_words(database: Database) -> dict[int, str]:
    """Return the dictionary of texts."""
    return dict(database.execute("SELECT id, text FROM word"))


def write_words(database: Database, words: Mapping[int, str]) -> None:
    """Add to the dictionary of texts."""
    database.executemany("INSERT OR IGNORE INTO word VALUES (?, ?)", words.items())


def read_mark(database: Database, name: str) -> int | None:
    """Return the number kept under *name*."""
    row = database.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
    return None if row is None else int(row[0])


def write_mark(database: Database, name: str, value: int) -> None:
    """Keep a number under *name*."""
    database.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", (name, value))


# ---- every sample -------------------------------------------------------------------------


def write_batch(database: Database, columns: Mapping[int, Column]) -> None:
    """Write the samples of some signals, by number, in one row."""
    moments = [at_ms for column in columns.values() for at_ms, _ in column]
    if moments:
        database.execute(
            "INSERT INTO batch (first_ms, last_ms, samples) VALUES (?, ?, ?)",
            (min(moments), max(moments), pack_batch(columns)),
        )


def read_batches(
    database: Database, start_ms: int, end_ms: int, wanted: Collection[int] | None = None
) -> dict[int, Column]:
    """Return the samples of the signals *wanted* in [start_ms, end_ms), in order of writing."""
    found: dict[int, Column] = {}
    pieces = database.execute(
        "SELECT samples FROM batch WHERE last_ms >= ? AND first_ms < ? ORDER BY id",
        (start_ms, end_ms),
    )
    for (piece,) in pieces:
        for number, column in unpack_batch(piece, wanted).items():
            inside = [sample for sample in column if start_ms <= sample[0] < end_ms]
            found.setdefault(number, []).extend(inside)
    return found


# ---- 5 minutes, hours, days ---------------------------------------------------------------


def write_open_hour(database: Database, hour: int, rows: Mapping[int, Row]) -> None:
    """Keep the complete 5-minute steps of one hour until its day is over."""
    database.execute("INSERT OR REPLACE INTO open_hour VALUES (?, ?)", (hour, pack_rows(rows)))


def read_open(
    database: Database, start: int, end: int, wanted: Collection[int] | None = None
) -> dict[int, Row]:
    """Return the steps in [start, end) of days that are not sealed yet."""
    found: dict[int, Row] = {}
    pieces = database.execute(
        "SELECT steps FROM open_hour WHERE start > ? AND start < ? ORDER BY start",
        (start - HOUR_S, end),
    )
    for (piece,) in pieces:
        for number, row in unpack_rows(piece, wanted).items():
            inside = {at: bucket for at, bucket in row.items() if start <= at < end}
            found.setdefault(number, {}).update(inside)
    return found


def open_days(database: Database, zone: tzinfo) -> list[date]:
    """Return the local days that have steps which are not sealed yet."""
    hours = database.execute("SELECT start FROM open_hour")
    return sorted({day_of(at, zone) for (start,) in hours for at in (start, start + HOUR_S - 1)})


def seal(database: Database, day: date, zone: tzinfo, rows: Mapping[int, Row]) -> None:
    """Write *rows*, the 5-minute steps of *day*, at all three levels, over what is there."""
    start, _ = day_span(day, zone)
    for number, fresh in rows.items():
        key = (day.isoformat(), number)
        row = _sealed(database, "five", key) | fresh
        if not row:
            continue
        hours = _sealed(database, "hour", key) | regrouped(row, start, HOUR_S)
        for level, steps in (("five", row), ("hour", hours)):
            database.execute(
                f"INSERT OR REPLACE INTO {level} VALUES (?, ?, ?)",  # noqa: S608 - two names of ours
                (*key, pack_rows({number: steps})),
            )
        whole = merged(hours[at] for at in sorted(hours))
        database.execute(
            "INSERT OR REPLACE INTO day VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *key, start, whole.low, whole.high, whole.last, whole.count,
                whole.covered_s, whole.mean, whole.up, whole.down,
            ),
        )  # fmt: skip


def drop_open(database: Database, until: int) -> None:
    """Drop the open steps before *until*; an hour that midnight cuts in two keeps its rest."""
    cut = database.execute(
        "SELECT steps FROM open_hour WHERE start < ? AND start + ? > ?", (until, HOUR_S, until)
    ).fetchall()
    database.execute("DELETE FROM open_hour WHERE start < ?", (until,))
    for (piece,) in cut:
        rests = {
            number: {at: bucket for at, bucket in row.items() if at >= until}
            for number, row in unpack_rows(piece).items()
        }
        write_open_hour(database, until, rests)


def read_steps(
    database: Database, level: Level, days: Iterable[date], wanted: Collection[int]
) -> dict[int, Row]:
    """Return the sealed steps of *days* for the signals *wanted*."""
    found: dict[int, Row] = {number: {} for number in wanted}
    for day in days:
        for number in wanted:
            found[number].update(_sealed(database, level, (day.isoformat(), number)))
    return found


def read_days(
    database: Database, first: date, last: date, wanted: Collection[int]
) -> dict[int, dict[date, tuple[int, Bucket]]]:
    """Return each sealed day from *first* to *last*, with its start in seconds since 1970."""
    found: dict[int, dict[date, tuple[int, Bucket]]] = {number: {} for number in wanted}
    for day in _iso_days(first, last):
        for number in wanted:
            row = database.execute(
                "SELECT start, low, high, last, count, covered_s, mean, up, down"
                " FROM day WHERE day = ? AND signal = ?",
                (day, number),
            ).fetchone()
            if row is not None:
                start, low, high, end, count, covered_s, mean, up, down = row
                bucket = Bucket(low, high, end, count, covered_s, mean * covered_s, up, down)
                found[number][date.fromisoformat(day)] = (start, bucket)
    return found


def read_begins(database: Database, zone: tzinfo) -> dict[str, int]:
    """Return where the samples ("raw") and each level begin, in seconds since 1970."""
    begins = {}
    (first_ms,) = database.execute("SELECT min(first_ms) FROM batch").fetchone()
    if first_ms is not None:
        begins["raw"] = first_ms // 1_000
    (hour,) = database.execute("SELECT min(start) FROM open_hour").fetchone()
    for level in ("five", "hour", "day"):
        (day,) = database.execute(f"SELECT min(day) FROM {level}").fetchone()  # noqa: S608 - names of ours
        if day is not None:
            begins[level] = day_span(date.fromisoformat(day), zone)[0]
        elif hour is not None:
            begins[level] = hour
    return begins


def read_sealed_until(database: Database, zone: tzinfo) -> int:
    """Return when the last sealed day ended, in seconds since 1970; 0 if there is none."""
    (day,) = database.execute("SELECT max(day) FROM day").fetchone()
    return 0 if day is None else day_span(date.fromisoformat(day), zone)[1]


def read_last_totals(database: Database, since: date) -> dict[int, float]:
    """Return what the totals were when they were last seen, as far back as *since*."""
    rows = database.execute(
        "SELECT signal, last, max(day) FROM day WHERE day >= ?"
        " AND signal IN (SELECT id FROM signal WHERE form = 'total') GROUP BY signal",
        (since.isoformat(),),
    )
    return {number: last for number, last, _ in rows}


def prune(database: Database, before: Mapping[str, date], before_ms: int) -> None:
    """Drop samples before *before_ms*, and of each level the days before its date."""
    database.execute("DELETE FROM batch WHERE last_ms < ?", (before_ms,))
    for level, day in before.items():
        database.execute(f"DELETE FROM {level} WHERE day < ?", (day.isoformat(),))  # noqa: S608 - names of ours


def _sealed(database: Database, level: str, key: Sequence[object]) -> Row:
    row = database.execute(
        f"SELECT steps FROM {level} WHERE day = ? AND signal = ?",  # noqa: S608 - two names of ours
        tuple(key),
    ).fetchone()
    return {} if row is None else next(iter(unpack_rows(row[0]).values()), {})


def _iso_days(first: date, last: date) -> Iterator[str]:
    for number in range((last - first).days + 1):
        yield (first + timedelta(days=number)).isoformat()
