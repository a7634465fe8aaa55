"""Takes the history out: every sample or its steps, as CSV or Parquet, a day at a time."""

import asyncio
import csv
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Protocol, TypeAlias

from ohmstead.errors import HistoryError
from ohmstead.history.buckets import Bucket
from ohmstead.history.days import day_span, days_between, moment
from ohmstead.history.history import History
from ohmstead.history.query import Resolution
from ohmstead.history.signals import Signal
from ohmstead.model import Value

__all__ = ["SAMPLE_COLUMNS", "STEP_COLUMNS", "export_csv", "export_parquet"]

SAMPLE_COLUMNS = ("time", "device", "point", "form", "value")
STEP_COLUMNS = (
    "time", "device", "point", "count", "covered_s", "min", "mean", "max", "last", "up", "down",
)  # fmt: skip

Line: TypeAlias = tuple[datetime, tuple[Value | None, ...]]
"""A moment, and what stands beside it."""


class _Sheet(Protocol):
    """A file that grows by lines."""

    def add(self, lines: Sequence[Line]) -> None:
        """Append *lines*."""


async def export_csv(
    history: History,
    path: Path,
    first: date,
    last: date,
    *,
    level: Resolution = "raw",
    signals: Sequence[Signal] | None = None,
) -> int:
    """Write the local days *first* to *last* to *path*, and return how many lines there are.

    One line a sample or step, in time order; an empty value begins a gap. The file appears
    when it is whole.
    """
    with _appearing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        sheet = _Csv(file, SAMPLE_COLUMNS if level == "raw" else STEP_COLUMNS)
        return await _fill(sheet, _lines(history, first, last, level, signals))


async def export_parquet(
    history: History,
    path: Path,
    first: date,
    last: date,
    *,
    level: Resolution = "raw",
    signals: Sequence[Signal] | None = None,
) -> int:
    """Write what ``export_csv`` writes as Parquet; texts are in a column of their own."""
    with _appearing(path) as part, _parquet(part, level) as sheet:
        return await _fill(sheet, _lines(history, first, last, level, signals))


# ---- what is written ----------------------------------------------------------------------


async def _fill(sheet: _Sheet, days: AsyncIterator[list[Line]]) -> int:
    count = 0
    async for lines in days:
        await asyncio.to_thread(sheet.add, lines)
        count += len(lines)
    return count


async def _lines(
    history: History,
    first: date,
    last: date,
    level: Resolution,
    signals: Sequence[Signal] | None,
) -> AsyncIterator[list[Line]]:
    """Yield the lines of each day, in time order."""
    wanted = list(history.signals) if signals is None else list(signals)
    for day in days_between(first, last):
        if level == "raw":
            lines = await _samples(history, wanted, day)
        else:
            lines = await _steps(history, wanted, day, level)
        lines.sort(key=lambda line: line[0])
        if lines:
            yield lines


async def _samples(history: History, signals: Sequence[Signal], day: date) -> list[Line]:
    start_s, end_s = day_span(day, history.zone)
    columns = await history.samples(signals, start_s * 1_000, end_s * 1_000)
    return [
        (
            moment(at_ms / 1_000),
            (
                signal.device, signal.point, signal.form.value,
                None if number is None else history.words.to_value(signal.form, number),
            ),
        )
        for signal in signals
        for at_ms, number in columns[signal]
    ]  # fmt: skip


async def _steps(
    history: History, signals: Sequence[Signal], day: date, level: Resolution
) -> list[Line]:
    wanted = [signal for signal in signals if not signal.is_state]
    if level == "day":
        days = await history.days(wanted, day, day)
        return [_step(s, *found) for s in wanted for found in days[s].values()]
    rows = await history.steps("five" if level == "5min" else "hour", wanted, day, day)
    return [_step(s, at, rows[s][at]) for s in wanted for at in rows[s]]


def _step(signal: Signal, start: int, bucket: Bucket) -> Line:
    values = (
        signal.device, signal.point, bucket.count, round(bucket.covered_s, 3),
        bucket.low, bucket.mean, bucket.high, bucket.last, bucket.up, bucket.down,
    )  # fmt: skip
    return moment(start), values


# ---- how it is written --------------------------------------------------------------------


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """Give a place to write to that becomes *path* if all goes well, and goes if not."""
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    except OSError as exc:
        raise HistoryError(f"cannot write {path}: {exc.strerror or exc}") from exc
    finally:
        part.unlink(missing_ok=True)


class _Csv:
    def __init__(self, file: IO[str], columns: Sequence[str]) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(columns)

    def add(self, lines: Sequence[Line]) -> None:
        self._writer.writerows([_text(at), *map(_text, values)] for at, values in lines)


def _text(value: Value | None) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value).removesuffix(".0")
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case time():
            return value.isoformat()
        case _:
            return str(value)


@contextmanager
def _parquet(path: Path, level: Resolution) -> Iterator[_Sheet]:
    """Open a Parquet file to be filled, or raise ``HistoryError`` saying what is missing."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as exc:
        raise HistoryError(
            "Parquet needs pyarrow: install ohmstead[history], or export as CSV"
        ) from exc

    names = pa.dictionary(pa.int32(), pa.string())
    fields = {"time": pa.timestamp("ms", tz="UTC"), "device": names, "point": names}
    if level == "raw":
        fields |= {"form": names, "value": pa.float64(), "text": pa.string()}
    else:
        fields |= {name: pa.float64() for name in STEP_COLUMNS[3:]}
    schema = pa.schema(list(fields.items()))

    def table(lines: Sequence[Line]) -> object:
        flat = [_split(line) if level == "raw" else (line[0], *line[1]) for line in lines]
        columns = list(zip(*flat, strict=True))
        arrays = [
            pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=schema)

    try:
        with parquet.ParquetWriter(str(path), schema, compression="zstd") as writer:
            yield _Parquet(lambda lines: writer.write_table(table(lines)))
    except pa.ArrowException as exc:
        raise HistoryError(f"cannot write {path}: {exc}") from exc


class _Parquet:
    def __init__(self, write: Callable[[Sequence[Line]], None]) -> None:
        self._write = write

    def add(self, lines: Sequence[Line]) -> None:
        self._write(lines)


def _split(line: Line) -> tuple[object, ...]:
    """Return a sample with its value as a number or, in a column of its own, as text."""
    at, (*names, value) = line
    if isinstance(value, int | float):
        return at, *names, float(value), None
    return at, *names, None, None if value is None else _text(value)
