"""The history of one house: takes ticks, commits now and then, and can be asked."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

from ohmstead.errors import HistoryError
from ohmstead.history import rows
from ohmstead.history.batch import Column
from ohmstead.history.buckets import FIVE_S, HOUR_S, Bucket, Row, merged, regrouped
from ohmstead.history.commit import Commit, read_start, write_commit
from ohmstead.history.days import day_of, day_span, days_between
from ohmstead.history.record import KindOf, Recorder
from ohmstead.history.rollup import Rollup
from ohmstead.history.settings import HistorySettings
from ohmstead.history.signals import Sample, Signal, Words
from ohmstead.history.store import Store
from ohmstead.model import Tick

__all__ = ["History", "keep_history"]

_MOST_PENDING = 200_000
"""So many samples wait in memory while the disk refuses them; then they are given up."""

log = logging.getLogger(__name__)


class History:
    """Everything recorded; what is not on disk yet is in every answer too."""

    def __init__(
        self,
        path: Path | None,
        zone: tzinfo,
        kind_of: KindOf,
        settings: HistorySettings,
        *,
        read_only: bool = False,
    ) -> None:
        """Keep it in *path* (None: in memory), with days of *zone*.

        One that is *read_only* may be asked beside the program that records.
        """
        self.zone = zone
        self.settings = settings
        self._store = Store(path, read_only=read_only)
        self.kind_of = kind_of
        self._ids: dict[Signal, int] = {}
        self._words = Words()
        self._recorder = Recorder(settings, self._words, kind_of)
        self._rollup = Rollup(settings.gap_s)
        self._pending: dict[Signal, Column] = {}
        self._flying: dict[Signal, Column] = {}
        self._now: datetime | None = None
        self._due: datetime | None = None
        self._look_for_days = True
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Open the file and go on where it ends, or raise ``HistoryError``."""
        await self._store.__aenter__()
        try:
            await self._load()
        except HistoryError:
            await self._store.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what is still in memory, and close the file."""
        try:
            if self._now is not None:
                self._take(self._recorder.held(self._now))
                await self.flush(self._now)
        except HistoryError as exc:
            log.warning("the last minutes are not in the history: %s", exc)
        finally:
            await self._store.__aexit__()

    # ---- in -------------------------------------------------------------------------

    async def record(self, tick: Tick) -> bool:
        """Take what *tick* says, and tell whether it was the turn of a commit.

        Raises ``HistoryError`` if a commit was due and failed; what was heard is kept.
        """
        now = tick.snapshot.at
        self._now = now
        if self._rollup.begin_s > now.timestamp() + HOUR_S:
            log.warning("the clock was set back; the history goes on from %s", now.isoformat())
            self._rollup.forget(int(now.timestamp()) // HOUR_S * HOUR_S)
        self._take(self._recorder.samples(tick))
        commit = timedelta(seconds=self.settings.commit_s)
        if self._due is None or self._due > now + commit:
            self._due = now + commit
        if now < self._due:
            return False
        self._due = now + commit
        await self.flush(now)
        return True

    async def flush(self, now: datetime) -> None:
        """Write everything in one transaction, or raise ``HistoryError`` and keep it."""
        async with self._turn:
            written = False
            self._flying, self._pending = self._pending, {}
            commit = Commit(
                now=now,
                ids=dict(self._ids),
                columns=self._flying,
                hours=self._rollup.complete(now.timestamp()),
                words=self._words.fresh(),
                look_for_days=self._look_for_days,
            )
            try:
                self._ids |= await self._store.run(
                    lambda database: write_commit(database, commit, self.zone, self.settings)
                )
                written = True
            finally:
                if not written:
                    self._take_back()
            self._flying = {}
            self._look_for_days = False
            self._words.wrote(commit.words)
            if commit.hours:
                self._rollup.forget(max(commit.hours) + HOUR_S)

    # ---- out ------------------------------------------------------------------------

    @property
    def signals(self) -> Collection[Signal]:
        """Everything ever recorded, in the order in which it was first seen."""
        return list(dict.fromkeys([*self._ids, *self._flying, *self._pending]))

    def find(self, device: str, point: str) -> Signal | None:
        """Return the signal of a point, in the form it was given last; None if there is none."""
        fits = [s for s in self.signals if s.device == device and s.point == point]
        return fits[-1] if fits else None

    @property
    def words(self) -> Words:
        """What the numbers of texts, times and flags stand for."""
        return self._words

    async def begins(self) -> Mapping[str, int]:
        """Return where samples ("raw") and the levels begin, in seconds since 1970."""
        return await self._store.run(lambda database: rows.read_begins(database, self.zone))

    async def samples(
        self, signals: Iterable[Signal], start_ms: int, end_ms: int
    ) -> dict[Signal, Column]:
        """Return the samples of *signals* in [start_ms, end_ms), in time order."""
        ids = self._numbers(signals)
        waiting = {s: [*self._flying.get(s, ()), *self._pending.get(s, ())] for s in ids}
        wanted = set(ids.values())
        kept = await self._store.run(
            lambda database: rows.read_batches(database, start_ms, end_ms, wanted)
        )
        found = {}
        for signal, number in ids.items():
            by_time = dict(kept.get(number, ()))
            by_time |= {at: v for at, v in waiting[signal] if start_ms <= at < end_ms}
            found[signal] = sorted(by_time.items(), key=lambda sample: sample[0])
        return found

    async def steps(
        self, level: rows.Level, signals: Iterable[Signal], first: date, last: date
    ) -> dict[Signal, Row]:
        """Return the 5-minute steps or hours of *signals* on the days *first* to *last*."""
        ids = self._numbers(signals)
        days = list(days_between(first, last))
        wanted = list(ids.values())
        sealed, fives = await self._store.run(
            lambda database: (
                rows.read_steps(database, level, days, wanted),
                self._read_open(database, first, last, wanted),
            )
        )
        fresh = self._fresh(ids, first, last)
        found = {}
        for signal, number in ids.items():
            late = fives.get(number, {}) | fresh.get(signal, {})
            step_s = FIVE_S if level == "five" else HOUR_S
            found[signal] = sealed[number] | self._by_day(late, step_s)
        return found

    async def days(
        self, signals: Iterable[Signal], first: date, last: date
    ) -> dict[Signal, dict[date, tuple[int, Bucket]]]:
        """Return the days of *signals*, each with its start in seconds since 1970."""
        ids = self._numbers(signals)
        wanted = list(ids.values())
        sealed, fives = await self._store.run(
            lambda database: (
                rows.read_days(database, first, last, wanted),
                self._read_open(database, first, last, wanted),
            )
        )
        fresh = self._fresh(ids, first, last)
        for signal, number in ids.items():
            late = fives.get(number, {}) | fresh.get(signal, {})
            for day in sorted({day_of(at, self.zone) for at in late}):
                start, end = day_span(day, self.zone)
                parts = [late[at] for at in sorted(late) if start <= at < end]
                sealed[number].setdefault(day, (start, merged(parts)))
        return {signal: sealed[number] for signal, number in ids.items()}

    async def backup(self, path: Path) -> None:
        """Write a whole copy of what is on disk to *path*, which must not exist yet."""
        await self._store.backup(path)

    @property
    def store(self) -> Store:
        """The file, for what brings in or takes out much at once."""
        return self._store

    def learn(self, ids: Mapping[Signal, int], words: Mapping[int, str]) -> None:
        """Take note of signals and words that were brought into the file."""
        self._ids |= ids
        self._words.wrote(words)

    # ---- how it is done -------------------------------------------------------------

    async def _load(self) -> None:
        start = await self._store.run(
            lambda database: read_start(database, self.zone, self.settings.gap_s)
        )
        self._ids = dict(start.ids)
        self._words = Words(start.words)
        self._recorder = Recorder(self.settings, self._words, self.kind_of)
        self._rollup = Rollup(self.settings.gap_s, start.begin_s)
        for signal, number in self._ids.items():
            if number in start.totals:
                self._rollup.know(signal, start.totals[number])
            for at_ms, value in start.late.get(number, ()):
                self._rollup.add(signal, at_ms, value)
                self._recorder.know(signal, at_ms, value)

    def _take(self, samples: Iterable[Sample]) -> None:
        for sample in samples:
            self._pending.setdefault(sample.signal, []).append((sample.at_ms, sample.value))
            self._rollup.add(sample.signal, sample.at_ms, sample.value)

    def _take_back(self) -> None:
        """Put what could not be written before what came meanwhile."""
        for signal, column in self._pending.items():
            self._flying.setdefault(signal, []).extend(column)
        self._pending, self._flying = self._flying, {}
        waiting = sum(map(len, self._pending.values()))
        if waiting > _MOST_PENDING:
            log.error("%d samples are lost: the history cannot be written", waiting)
            self._pending = {}

    def _numbers(self, signals: Iterable[Signal]) -> dict[Signal, int]:
        """Return the numbers of *signals*; one that is not on disk yet has one that is not."""
        return {signal: self._ids.get(signal, -1 - n) for n, signal in enumerate(signals)}

    def _read_open(
        self, database: sqlite3.Connection, first: date, last: date, wanted: Collection[int]
    ) -> dict[int, Row]:
        span = day_span(first, self.zone)[0], day_span(last, self.zone)[1]
        return rows.read_open(database, *span, wanted)

    def _fresh(self, signals: Iterable[Signal], first: date, last: date) -> dict[Signal, Row]:
        span = day_span(first, self.zone)[0], day_span(last, self.zone)[1]
        return self._rollup.rows(signals, *span)

    def _by_day(self, row: Row, step_s: int) -> Row:
        """Return *row* in steps of *step_s* counted from each midnight."""
        found: Row = {}
        for day in {day_of(at, self.zone) for at in row}:
            start, end = day_span(day, self.zone)
            part = {at: bucket for at, bucket in row.items() if start <= at < end}
            found |= regrouped(part, start, step_s)
        return found


async def keep_history(ticks: AsyncIterator[Tick], history: History) -> None:
    """Record each of *ticks* for as long as they come; a full disk is logged, not raised."""
    failing = False
    async for tick in ticks:
        try:
            if await history.record(tick):
                failing = False
        except HistoryError as exc:
            if not failing:
                log.warning("%s", exc)
            failing = True
