"""Brings samples in from CSV: all of a file or nothing, rolled up like those that were heard."""

import csv
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from ohmstead.errors import HistoryError
from ohmstead.history import rows
from ohmstead.history.batch import Column
from ohmstead.history.buckets import Row
from ohmstead.history.days import day_of, day_span
from ohmstead.history.history import History
from ohmstead.history.record import to_ms
from ohmstead.history.rollup import Rollup
from ohmstead.history.signals import Form, Signal, form_of
from ohmstead.model import Kind, Value

__all__ = ["Intake", "import_csv"]

_NEEDED = {"time", "device", "point", "value"}
_HOUR_MS = 3_600_000


@dataclass(slots=True)
class Intake:
    """What came of an import."""

    samples: int = 0
    too_new: int = 0
    """Lines of days that are not over: what is heard now goes before."""
    first: datetime | None = None
    last: datetime | None = None
    signals: dict[Signal, int] = field(default_factory=dict)
    """All signals with their numbers, old and new."""
    words: dict[int, str] = field(default_factory=dict)
    """The texts that were written with them."""


async def import_csv(history: History, path: Path, now: datetime) -> Intake:
    """Bring in all of *path*, or raise ``HistoryError`` that names the line and change nothing.

    The file has lines in time order with time, device, point, value and perhaps form, as
    ``export_csv`` writes them. Where there was something already, the file wins. A large one
    is best brought in while nothing is recorded: nobody else can write meanwhile.
    """
    today = day_span(day_of(now.timestamp(), history.zone), history.zone)[0]
    await history.flush(now)
    begins = await history.store.run(
        lambda database: [
            day_span(d, history.zone)[0] for d in rows.open_days(database, history.zone)
        ]
    )
    until_ms = min([today, *begins]) * 1_000
    try:
        intake = await history.store.run(
            lambda database: _Reader(database, history, until_ms, now).read(path)
        )
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise HistoryError(f"cannot read {path}: {exc}") from exc
    history.learn(intake.signals, intake.words)
    return intake


class _Reader:
    """Reads one file, within one transaction."""

    def __init__(
        self, database: sqlite3.Connection, history: History, until_ms: int, now: datetime
    ) -> None:
        self._database = database
        self._history = history
        self._until_ms = until_ms
        self._raw_ms = to_ms(now - timedelta(days=history.settings.raw_days))
        self._rollup = Rollup(history.settings.gap_s)
        self._days: list[tuple[date, int]] = []
        self._columns: dict[int, Column] = {}
        self._hour = 0
        self.intake = Intake(signals=rows.read_signals(database))

    def read(self, path: Path) -> Intake:
        """Bring in the file, and tell what came of it."""
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = _NEEDED - set(reader.fieldnames or ())
            if missing:
                raise HistoryError(f"{path}: no column called {', '.join(sorted(missing))}")
            for line in reader:
                try:
                    self._take(line)
                except (ValueError, HistoryError) as exc:
                    raise HistoryError(f"{path}, line {reader.line_num}: {exc}") from exc
        self._write_batch()
        self._seal(None)
        self.intake.words = self._history.words.fresh()
        rows.write_words(self._database, self.intake.words)
        return self.intake

    def _take(self, line: Mapping[str, str]) -> None:
        if None in line.values():
            raise HistoryError("too few columns")
        at = datetime.fromisoformat(line["time"])
        if at.tzinfo is None:
            raise HistoryError("the time has no zone; write it as 2026-11-21T17:30:00Z")
        at_ms = to_ms(at)
        if at_ms >= self._until_ms:
            self.intake.too_new += 1
            return
        signal, value = self._parse(line)
        if signal not in self.intake.signals:
            self.intake.signals |= rows.write_signals(self._database, [signal])
        number = None if value is None else self._history.words.to_number(value)
        self._in_order(at_ms)
        self._rollup.add(signal, at_ms, number)
        if at_ms >= self._raw_ms:
            column = self._columns.setdefault(self.intake.signals[signal], [])
            column.append((at_ms, number))
        self.intake.samples += 1
        self.intake.first = self.intake.first or at.astimezone(UTC)
        self.intake.last = at.astimezone(UTC)

    def _in_order(self, at_ms: int) -> None:
        """Note that a sample of *at_ms* comes, and write what no later one can change."""
        day = day_of(at_ms / 1_000, self._history.zone)
        if at_ms < self._rollup.begin_s * 1_000 or (self._days and day < self._days[-1][0]):
            raise HistoryError("earlier than the lines before; sort the file by time first")
        if at_ms // _HOUR_MS != self._hour:
            self._write_batch()
            self._hour = at_ms // _HOUR_MS
        if not self._days or day != self._days[-1][0]:
            self._days.append((day, day_span(day, self._history.zone)[1]))
        self._seal(at_ms)

    def _write_batch(self) -> None:
        rows.write_batch(self._database, self._columns)
        self._columns = {}

    def _seal(self, at_ms: int | None) -> None:
        """Write the days that nothing at or after *at_ms* changes; None is the end."""
        gap_s = self._history.settings.gap_s
        while self._days and (at_ms is None or (self._days[0][1] + gap_s) * 1_000 <= at_ms):
            day, end = self._days.pop(0)
            start, _ = day_span(day, self._history.zone)
            found: dict[Signal, Row] = self._rollup.rows(self.intake.signals, start, end)
            by_number = {self.intake.signals[signal]: row for signal, row in found.items()}
            rows.seal(self._database, day, self._history.zone, by_number)
            self._rollup.forget(end)

    def _parse(self, line: Mapping[str, str]) -> tuple[Signal, Value | None]:
        """Return the signal and what it says; without a form the value says what it is."""
        device, point, text = line["device"], line["point"], line["value"]
        if not device or not point:
            raise HistoryError("a line needs a device and a point")
        form = Form(line["form"]) if line.get("form") else None
        value = None if text == "" else _guess(text) if form is None else _value(form, text)
        if form is None:
            known = [s for s in self.intake.signals if (s.device, s.point) == (device, point)]
            if value is None:
                return (known[-1] if known else Signal(device, point)), None
            total = self._history.kind_of(device, point) is Kind.TOTAL
            form = form_of(value, total=total)
        return Signal(device, point, form), value


def _value(form: Form, text: str) -> Value:
    match form:
        case Form.NUMBER | Form.TOTAL:
            return float(text)
        case Form.FLAG:
            if text not in {"true", "false"}:
                raise HistoryError(f"{text!r} is neither true nor false")
            return text == "true"
        case Form.TEXT:
            return text
        case Form.TIME:
            return time.fromisoformat(text)
        case Form.MOMENT:
            return datetime.fromisoformat(text)


def _guess(text: str) -> Value:
    if text in {"true", "false"}:
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text
