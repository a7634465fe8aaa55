"""How often one point may be written in a day: settings live in memory that wears out."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

__all__ = ["WriteBudget"]

_DAY: Final = timedelta(days=1)


class WriteBudget:
    """Counts writes per device and point over the last 24 hours."""

    def __init__(self, per_day: int, past: Mapping[tuple[str, str], list[datetime]]) -> None:
        """Allow *per_day* writes of one point in 24 hours; *past* are those of earlier runs."""
        self._per_day = per_day
        self._times = {key: deque(times) for key, times in past.items()}

    def refusal(self, device: str, point: str, now: datetime) -> str | None:
        """Return why *point* may not be written now, or None if it may."""
        times = self._times.get((device, point), deque())
        while times and times[0] <= now - _DAY:
            times.popleft()
        if len(times) < self._per_day:
            return None
        free = times[0] + _DAY
        return (
            f"{point} was written {len(times)} times in 24 hours, which is its budget; "
            f"the next write is possible in {_span(free - now)} "
            "(journal.writes_per_point_per_day sets the budget)"
        )

    def spend(self, device: str, point: str, now: datetime) -> None:
        """Count one write of *point*."""
        self._times.setdefault((device, point), deque()).append(now)


def _span(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds() // 60) + 1, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
