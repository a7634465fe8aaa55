"""Keeps what a source said on disk, and asks it no more often than it likes.

What was said of times gone by stays for a month: it is the record that the house's own
correction is learnt from.
"""

import asyncio
import logging
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

from ohmstead.errors import ForecastBusy, ForecastError
from ohmstead.forecasts import quarters
from ohmstead.forecasts.quarters import Told
from ohmstead.json_file import read_json, write_json

__all__ = ["Keeper", "Kept", "Teller", "load", "save"]

log = logging.getLogger(__name__)

_DAY: Final = timedelta(days=1)
_KEPT: Final = timedelta(days=31)
_LONGEST_MIN: Final = 60


class Teller(Protocol):
    """A source of numbers by quarter."""

    @property
    def name(self) -> str:
        """What it is called, in the log and on disk."""

    @property
    def every(self) -> timedelta:
        """How often it has news."""

    @property
    def calls(self) -> int:
        """How many calls one ``fetch`` takes."""

    @property
    def calls_a_day(self) -> int | None:
        """How many calls it allows from midnight to midnight (UTC); None where plenty."""

    async def fetch(self, now: datetime) -> Mapping[int, Told]:
        """Ask, and return all that was said, or raise a ``ForecastError``."""


@dataclass(slots=True)
class Kept:
    """What a source said, and how the asking goes."""

    told: dict[int, Told] = field(default_factory=dict)
    fetched_at: datetime | None = None
    due: datetime | None = None
    """When to ask next, so that a restart does not ask at once again."""
    failures: int = 0
    trouble: str = ""
    called: list[datetime] = field(default_factory=list)
    """When the source was asked in the last day."""

    def merge(self, fresh: Mapping[int, Told], now: datetime) -> None:
        """Take in what is said of times to come; of times gone by only what was never said."""
        present = quarters.of(now)
        for quarter, told in fresh.items():
            if quarter >= present or quarter not in self.told:
                self.told[quarter] = told
        oldest = quarters.of(now - _KEPT)
        self.told = {quarter: told for quarter, told in self.told.items() if quarter >= oldest}


class Keeper:
    """One source with its memory."""

    def __init__(self, teller: Teller, path: Path | None) -> None:
        """Read what is kept in *path*; nothing is asked yet."""
        self._teller = teller
        self._path = path
        self._random = random.Random()  # noqa: S311 - unseeded: houses must not ask in step
        self._turn = asyncio.Lock()
        self.kept = load(path)

    @property
    def trouble(self) -> str | None:
        """What went wrong when it was last asked; None if nothing did."""
        return self.kept.trouble or None

    def next_due(self, now: datetime) -> datetime:
        """Return when the source will be asked next."""
        return max(self.kept.due or now, now + timedelta(seconds=1))

    async def refresh(self, now: datetime) -> bool:
        """Ask if it is due, and tell whether something new was said; trouble is a state."""
        async with self._turn:
            if self.kept.due is not None and now < self.kept.due:
                return False
            if not self._allowed(now):
                return False
            news = await self._ask(now)
            await asyncio.to_thread(save, self._path, self.kept)
            return news

    def _allowed(self, now: datetime) -> bool:
        """Tell whether today's calls last for one more question; if not, wait for midnight."""
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.kept.called = [at for at in self.kept.called if at >= today]
        most = self._teller.calls_a_day
        if most is None or len(self.kept.called) + self._teller.calls <= most:
            return True
        minutes = 5 + 20 * self._random.random()
        self.kept.due = today + _DAY + timedelta(minutes=minutes)
        if self.kept.trouble:
            self.kept.trouble += f"; today's {most} calls are used up"
        return False

    async def _ask(self, now: datetime) -> bool:
        jitter = self._random.random()
        self.kept.called += [now] * self._teller.calls
        try:
            fresh = await self._teller.fetch(now)
        except ForecastError as exc:
            wait_s = exc.retry_after_s if isinstance(exc, ForecastBusy) else None
            if not self.kept.failures:
                log.warning("%s: %s", self._teller.name, exc)
            self.kept.failures += 1
            self.kept.trouble = str(exc)
            self.kept.due = _after_failure(now, self.kept.failures, jitter, wait_s)
            return False
        if self.kept.failures:
            log.info("%s answers again", self._teller.name)
        self.kept.merge(fresh, now)
        self.kept.failures, self.kept.trouble, self.kept.fetched_at = 0, "", now
        self.kept.due = now + self._teller.every * (1 + 0.1 * jitter)
        return True


def _after_failure(
    now: datetime, failures: int, jitter: float, retry_after_s: float | None
) -> datetime:
    """Return when to try again after *failures* in a row: 1, 3, 6, 10 … 60 minutes."""
    minutes = min(failures * (failures + 1) / 2, _LONGEST_MIN)
    pause = timedelta(minutes=minutes * (1 + 0.2 * jitter))
    if retry_after_s is not None:
        asked = timedelta(seconds=min(retry_after_s, _DAY.total_seconds()))
        pause = max(pause, asked + timedelta(minutes=jitter))
    return now + pause


# ---- the disk -----------------------------------------------------------------------------


def load(path: Path | None) -> Kept:
    """Return what is kept in *path*; a file that cannot be understood is set aside."""
    return read_json(path, _understood, "the forecast is fetched anew") or Kept()


def save(path: Path | None, forecast: Kept) -> None:
    """Keep *forecast* in *path*, whole or not at all; a full disk loses the record, no more."""
    document = {
        "fetched_at": forecast.fetched_at and forecast.fetched_at.isoformat(),
        "due": forecast.due and forecast.due.isoformat(),
        "failures": forecast.failures,
        "trouble": forecast.trouble,
        "called": [at.isoformat() for at in forecast.called],
        "told": [
            [quarter, *(round(watts, 1) for watts in told)]
            for quarter, told in sorted(forecast.told.items())
        ],
    }
    write_json(path, document, "the forecast is not kept")


def _understood(document: Any) -> Kept:  # noqa: ANN401 - JSON
    return Kept(
        told=dict(_row(row) for row in document["told"]),
        fetched_at=_moment(document["fetched_at"]),
        due=_moment(document["due"]),
        failures=int(document["failures"]),
        trouble=str(document["trouble"]),
        called=[datetime.fromisoformat(at).astimezone(UTC) for at in document["called"]],
    )


def _row(row: Any) -> tuple[int, Told]:  # noqa: ANN401 - JSON
    quarter, low, middle, high = row
    told = Told(float(low), float(middle), float(high))
    if not all(map(math.isfinite, told)) or not told.low_w <= told.middle_w <= told.high_w:
        raise ValueError(f"what is kept of quarter {quarter} is out of order")
    quarters.begin(int(quarter))
    return int(quarter), told


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
