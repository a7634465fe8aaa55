"""Prices by the hour of the local day, the same every day or by day of the week."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Final, Literal

from ohmstead.model import PriceCurve, PriceSlot

__all__ = ["TimeOfUseSettings", "TimeOfUseSource", "Window"]

_DAY: Final = timedelta(days=1)
_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of the local day with its own price; it may cross midnight."""

    start: time
    """When it begins, on the wall clock."""
    end: time
    """When it ends; the same time as *start* is a whole day."""
    per_kwh: float
    """What a kWh costs in it."""
    days: tuple[Weekday, ...] = _WEEK
    """The days on which it begins."""

    def __post_init__(self) -> None:
        """Refuse what is no price, and times with a zone."""
        if not math.isfinite(self.per_kwh):
            raise ValueError("per_kwh must be a number")
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("start and end are local times, without a zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOfUseSettings:
    """A price for most of the day, and windows with others."""

    default_per_kwh: float
    """What a kWh costs outside every window."""
    windows: tuple[Window, ...]
    """Where two overlap, the later one in the list counts."""
    currency: str = "GBP"

    def __post_init__(self) -> None:
        """Refuse what is no price."""
        if not math.isfinite(self.default_per_kwh):
            raise ValueError("default_per_kwh must be a number")


class TimeOfUseSource:
    """Lays the windows over yesterday, today and two days more."""

    def __init__(
        self,
        settings: TimeOfUseSettings,
        *,
        direction: str,
        timezone: tzinfo,
        cache_dir: Path | None,
    ) -> None:
        """Read the windows on the wall clock of *timezone*."""
        del cache_dir
        self._settings = settings
        self._direction = direction
        self._timezone = timezone

    async def curve(self, now: datetime) -> PriceCurve:
        """Return the prices around *now*, exact on days of 23 and 25 hours too."""
        today = now.astimezone(self._timezone).date()
        first, last = today - _DAY, today + 3 * _DAY
        slots = [
            PriceSlot(
                start=self._moment(first, time()),
                end=self._moment(last, time()),
                per_kwh=self._settings.default_per_kwh,
            )
        ]
        for window in self._settings.windows:
            slots += self._laid(window, first - _DAY, last)
        start, end = slots[0].start, slots[0].end
        inside = [
            PriceSlot(start=max(s.start, start), end=min(s.end, end), per_kwh=s.per_kwh)
            for s in slots
        ]
        return PriceCurve.from_slots(
            inside,
            currency=self._settings.currency,
            source=f"time-of-use {self._direction} price",
        )

    def next_due(self, now: datetime) -> datetime:
        """Ask again in a day: the days have to move on."""
        return now + _DAY

    def _laid(self, window: Window, first: date, last: date) -> list[PriceSlot]:
        """Return *window* on every day it begins on, from *first* to before *last*."""
        slots = []
        for number in range((last - first).days):
            day = first + number * _DAY
            if _WEEK[day.weekday()] in window.days:
                ends = day if window.start < window.end else day + _DAY
                start, end = self._moment(day, window.start), self._moment(ends, window.end)
                slots.append(PriceSlot(start=start, end=end, per_kwh=window.per_kwh))
        return slots

    def _moment(self, day: date, at: time) -> datetime:
        """Return a wall-clock time in UTC; one that is skipped in spring is the change itself."""
        local = datetime.combine(day, at, tzinfo=self._timezone)
        return local.astimezone(UTC)
