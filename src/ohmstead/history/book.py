"""The history as the rest of the service sees it: records while the site runs, and answers."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Self

from ohmstead.errors import HistoryError
from ohmstead.history.costs import costs
from ohmstead.history.history import History, keep_history
from ohmstead.history.query import find_signals, series
from ohmstead.history.record import kinds_of
from ohmstead.history.settings import HistorySettings
from ohmstead.model import Chart, DayCosts
from ohmstead.ports import SitePort

__all__ = ["Book"]

log = logging.getLogger(__name__)

_MOST_DAYS = 800


class Book:
    """One house's history; while it is not open every question is refused."""

    def __init__(self, path: Path, zone: tzinfo, settings: HistorySettings) -> None:
        """Keep it in *path*, with days of *zone*."""
        self._path = path
        self._zone = zone
        self._settings = settings
        self._history: History | None = None

    async def run(self, site: SitePort) -> None:
        """Record every turn of *site*, for ever; raises ``HistoryError`` if it cannot begin."""
        ticks = site.ticks()
        opened = History(self._path, self._zone, kinds_of(site.devices), self._settings)
        async with opened as history:
            self._history = history
            try:
                await keep_history(ticks, history)
            finally:
                self._history = None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Self | None]:
        """Answer from what is recorded, without a site: nothing is written, locked or made.

        Yields None where nothing was recorded, or nothing can be read, which the log tells.
        """
        if not self._may_be_there():
            yield None
            return
        history = History(self._path, self._zone, lambda *_: None, self._settings, read_only=True)
        async with AsyncExitStack() as stack:
            try:
                self._history = await stack.enter_async_context(history)
            except HistoryError as exc:
                log.warning("going on without what was recorded: %s", exc)
            try:
                yield None if self._history is None else self
            finally:
                self._history = None

    def known(self) -> Sequence[tuple[str, str]]:
        """Every device and point ever recorded."""
        return sorted({(signal.device, signal.point) for signal in self._open.signals})

    async def charts(
        self, names: Sequence[tuple[str, str]], start: datetime, end: datetime, most_points: int
    ) -> Sequence[Chart]:
        """Return each of *names* in [start, end), in about *most_points* places."""
        history = self._open
        found = await series(
            history, find_signals(history, names), start, end, most_points=most_points
        )
        return [
            Chart(
                device=one.signal.device,
                point=one.signal.point,
                resolution=one.resolution,
                step_s=one.step_s,
                times=one.times,
                low=one.low,
                mean=one.mean,
                high=one.high,
                last=one.last,
            )
            for one in found
        ]

    async def costs(self, first: date, last: date) -> Sequence[DayCosts]:
        """Return what the local days from *first* to *last* cost."""
        if last < first:
            raise HistoryError("the last day must not be before the first")
        if (last - first).days > _MOST_DAYS:
            raise HistoryError(f"at most {_MOST_DAYS} days at a time")
        return await costs(self._open, first, last)

    def _may_be_there(self) -> bool:
        try:
            return self._path.exists()
        except OSError:
            return True  # opening it says what is wrong

    @property
    def _open(self) -> History:
        if self._history is None:
            raise HistoryError("the history is not open yet; try again in a moment")
        return self._history
