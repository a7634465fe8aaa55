"""Mean powers of the house, five minutes by five minutes, as PVOutput counts them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

__all__ = ["Status", "StatusMaker"]

_LONGEST_GAP: Final = timedelta(minutes=3)
"""A power that nobody renewed for so long is no longer known; the house takes a turn a minute."""
_LEAST_KNOWN: Final = 0.5
"""A mean of less than this part of its time says too little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What sun and house did in the minutes up to *at*."""

    at: datetime
    pv_w: int | None
    load_w: int | None

    def fields(self, zone: tzinfo) -> tuple[str, str, str, str]:
        """Return date, time, generation and consumption as PVOutput writes them."""
        local = self.at.astimezone(zone)
        powers = ("" if watts is None else str(watts) for watts in (self.pv_w, self.load_w))
        return (f"{local:%Y%m%d}", f"{local:%H:%M}", *powers)  # type: ignore[return-value]


@dataclass(slots=True)
class _Sum:
    """Watt-seconds of one power, and for how long it was known."""

    joules: float = 0.0
    known_s: float = 0.0

    def add(self, watts: float | None, seconds: float) -> None:
        if watts is not None:
            self.joules += watts * seconds
            self.known_s += seconds

    def mean(self, whole_s: float) -> int | None:
        """Return the mean, or None if too little of it is known."""
        if self.known_s < _LEAST_KNOWN * whole_s:
            return None
        return max(round(self.joules / self.known_s), 0)


class StatusMaker:
    """Turns the house's turns, which come when they come, into statuses at full minutes."""

    def __init__(self, every: timedelta) -> None:
        """Make a status *every* so often, counted from the full hour."""
        self._every = every
        self._last: tuple[datetime, float | None, float | None] | None = None
        self._pv, self._load = _Sum(), _Sum()

    def see(self, at: datetime, pv_w: float | None, load_w: float | None) -> Iterator[Status]:
        """Note what flows from *at* on, and yield the statuses that are complete with that."""
        if self._last is not None:
            began, pv_before, load_before = self._last
            if at <= began:
                return
            end = min(at, began + _LONGEST_GAP)
            while (edge := self._edge_after(began)) <= end:
                self._add((edge - began).total_seconds(), pv_before, load_before)
                yield from self._close(edge)
                began = edge
            self._add((end - began).total_seconds(), pv_before, load_before)
            if edge <= at:  # nobody knows what came after, but up to here it is a status
                yield from self._close(edge)
        self._last = (at, pv_w, load_w)

    # ---- how it is done -------------------------------------------------------------

    def _add(self, seconds: float, pv_w: float | None, load_w: float | None) -> None:
        self._pv.add(pv_w, seconds)
        self._load.add(load_w, seconds)

    def _close(self, edge: datetime) -> Iterator[Status]:
        whole_s = self._every.total_seconds()
        pv_w, load_w = self._pv.mean(whole_s), self._load.mean(whole_s)
        self._pv, self._load = _Sum(), _Sum()
        if pv_w is not None or load_w is not None:
            yield Status(at=edge, pv_w=pv_w, load_w=load_w)

    def _edge_after(self, moment: datetime) -> datetime:
        step = self._every.total_seconds()
        return datetime.fromtimestamp((moment.timestamp() // step + 1) * step, UTC)
