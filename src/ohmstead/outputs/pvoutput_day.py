"""What the sun gave and the grid took on each local day, for PVOutput's daily outputs. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, TypeAlias

__all__ = ["Day", "DayMaker"]

_LONGEST_GAP: Final = timedelta(minutes=3)
_LEAST_KNOWN: Final = 0.95
"""A day of which less is known is not told: its sum would be wrong, and PVOutput's own is not."""
_DAY: Final = timedelta(days=1)
_MOST_EXPORT: Final = 1.1
"""PVOutput refuses an export above 1.15 times the generation: a battery's, filled by the grid."""
_JOULES_PER_WH: Final = 3_600

Kept: TypeAlias = Mapping[str, str | float]
"""A running day, as it is kept over a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One whole day."""

    day: date
    generated_wh: int
    exported_wh: int

    def fields(self) -> Mapping[str, str]:
        """Return the day as PVOutput's form has it."""
        most = int(self.generated_wh * _MOST_EXPORT)
        return {
            "d": f"{self.day:%Y%m%d}",
            "g": str(self.generated_wh),
            "e": str(min(self.exported_wh, most)),
        }


@dataclass(slots=True)
class _Sums:
    generated_j: float = 0.0
    exported_j: float = 0.0
    known_s: float = 0.0


@dataclass(slots=True)
class DayMaker:
    """Adds up powers from midnight to midnight on the wall clock of a zone."""

    zone: tzinfo
    _last: tuple[datetime, float | None, float | None] | None = None
    _day: date | None = None
    _sums: _Sums = field(default_factory=_Sums)

    def see(self, at: datetime, pv_w: float | None, grid_w: float | None) -> Iterator[Day]:
        """Note what flows from *at* on, and yield the day that has ended before it, if it is whole.

        A few seconds over midnight count for the new day: a turn takes place each minute.
        """
        day = at.astimezone(self.zone).date()
        if self._day is not None and day < self._day:
            return  # the clock was put back over midnight: yesterday has been told
        if self._day is not None and day > self._day:
            yield from self._ended(self._day)
            self._sums = _Sums()
        self._day = day
        if self._last is not None:
            began, pv_before, grid_before = self._last
            seconds = max(min(at - began, _LONGEST_GAP).total_seconds(), 0.0)
            if pv_before is not None and grid_before is not None:
                self._sums.generated_j += max(pv_before, 0.0) * seconds
                self._sums.exported_j += max(-grid_before, 0.0) * seconds
                self._sums.known_s += seconds
        self._last = (at, pv_w, grid_w)

    def kept(self) -> Kept | None:
        """Return the running day, to be taken up again after a restart; None before it began."""
        if self._day is None:
            return None
        sums = self._sums
        return {
            "day": self._day.isoformat(),
            "generated_j": round(sums.generated_j),
            "exported_j": round(sums.exported_j),
            "known_s": round(sums.known_s),
        }

    def take_up(self, kept: Kept) -> None:
        """Go on with the day in *kept*; raises ``ValueError``, ``KeyError`` if it is none."""
        day = date.fromisoformat(str(kept["day"]))
        numbers = [float(kept[name]) for name in ("generated_j", "exported_j", "known_s")]
        self._day, self._sums = day, _Sums(*numbers)

    # ---- how it is done -------------------------------------------------------------

    def _ended(self, day: date) -> Iterator[Day]:
        midnights = (datetime.combine(d, time(), self.zone) for d in (day, day + _DAY))
        start_s, end_s = (midnight.timestamp() for midnight in midnights)
        if self._sums.known_s >= _LEAST_KNOWN * (end_s - start_s):
            yield Day(
                day=day,
                generated_wh=round(self._sums.generated_j / _JOULES_PER_WH),
                exported_wh=round(self._sums.exported_j / _JOULES_PER_WH),
            )
