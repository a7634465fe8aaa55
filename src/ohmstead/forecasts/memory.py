"""What the house measured, by quarter, as its own history tells it."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from ohmstead.errors import HistoryError
from ohmstead.forecasts import quarters
from ohmstead.forecasts.quarters import QUARTER_S
from ohmstead.model import Chart
from ohmstead.ports import HistoryPort

__all__ = ["Memory", "measured"]

log = logging.getLogger(__name__)

_CHUNK: Final = timedelta(days=7)
_POINTS: Final = 7 * 24 * 4
"""A week in quarters of an hour."""
_HELD_S: Final = 900.0
"""For how long a single sample stands, if no other follows."""
_LEAST_S: Final = 300.0
"""A quarter of which less is known is not known."""
_AGAIN: Final = timedelta(minutes=5)
"""How long after a quarter has ended all of it is written down."""


class Memory:
    """One measured power over the last days; asks the history only for what is new."""

    def __init__(
        self, history: HistoryPort | None, name: tuple[str, str], days: float = 30
    ) -> None:
        """Remember *days* of the point *name* (device, point); with no *history*, nothing."""
        self.name = name
        self._history = history
        self._span = timedelta(days=days)
        self._known: dict[int, float] = {}
        self._upto: datetime | None = None
        self._quiet = False

    @property
    def watts(self) -> quarters.Quarters:
        """What is known; the present quarter is not, before it has ended."""
        return self._known

    async def refresh(self, now: datetime) -> None:
        """Take in what has been measured since last time; a closed history adds nothing."""
        if self._history is None:
            return
        end = quarters.begin(quarters.of(now - _AGAIN))
        begin = max(end - self._span, self._upto or end - self._span)
        if begin >= end:
            return
        try:
            for start, stop in _chunks(begin, end):
                charts = await self._history.charts([self.name], start, stop, _POINTS)
                for chart in charts:
                    self._known |= measured(chart, start, stop)
                self._upto = stop
        except HistoryError as exc:
            if not self._quiet:
                log.info("no history of %s yet: %s", ".".join(self.name), exc)
            self._quiet = True
            return
        self._quiet = False
        oldest = quarters.of(now - self._span)
        for quarter in [quarter for quarter in self._known if quarter < oldest]:
            del self._known[quarter]


def measured(chart: Chart, start: datetime, end: datetime) -> dict[int, float]:
    """Return the mean of *chart* in each quarter of [start, end) of which enough is known."""
    areas: dict[int, float] = {}
    covered: dict[int, float] = {}
    for begin_s, end_s, value in _stretches(chart, end.timestamp()):
        at = max(begin_s, start.timestamp())
        last = min(end_s, end.timestamp())
        while at < last:
            quarter = int(at // QUARTER_S)
            upto = min((quarter + 1.0) * QUARTER_S, last)
            areas[quarter] = areas.get(quarter, 0.0) + value * (upto - at)
            covered[quarter] = covered.get(quarter, 0.0) + upto - at
            at = upto
    return {
        quarter: areas[quarter] / seconds
        for quarter, seconds in covered.items()
        if seconds >= _LEAST_S
    }


def _stretches(chart: Chart, end_s: float) -> Iterator[tuple[float, float, float]]:
    """Yield for how long each value of *chart* held."""
    times = [moment.timestamp() for moment in chart.times]
    longest = chart.step_s or _HELD_S
    for (at_s, next_s), value in zip(pairwise([*times, end_s]), chart.mean, strict=True):
        if value is not None:
            yield at_s, min(at_s + longest, next_s), value


def _chunks(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        stop = min(start + _CHUNK, end)
        yield start, stop
        start = stop
