"""What the panels made, where they were free to: who is held back teaches nothing.

Where the grid takes no more, the inverter turns the panels down. A forecast that learnt from such
hours would promise less and less sun to the house that has most of it to spare.
"""

from datetime import datetime
from typing import Final

from ohmstead.forecasts.memory import Memory
from ohmstead.forecasts.quarters import Quarters
from ohmstead.ports import HistoryPort

__all__ = ["Lessons", "held_back"]

_NEAR_SHARE: Final = 0.05
_NEAR_W: Final = 60.0
"""So close to its limit an inverter's own control keeps the feed-in."""
_LITTLE_W: Final = 150.0
"""Below such a limit the battery keeps the feed-in there too, without holding anything back."""
_FULL_PCT: Final = 97.0


class Lessons:
    """One house's panels, as its history has them."""

    def __init__(
        self,
        history: HistoryPort | None,
        measured: tuple[str, str],
        export_limit_w: float | None = None,
    ) -> None:
        """Learn from the point *measured*, but where the feed-in stood at its limit."""
        self._made = Memory(history, measured)
        self._limit_w = export_limit_w
        limited = history if export_limit_w is not None else None
        self._grid = Memory(limited, ("site", "grid_w"))
        self._soc = Memory(limited, ("site", "soc_pct"))

    async def refresh(self, now: datetime) -> None:
        """Take in what has been measured since last time."""
        for memory in (self._made, self._grid, self._soc):
            await memory.refresh(now)

    @property
    def watts(self) -> Quarters:
        """What was made, by quarter."""
        if self._limit_w is None:
            return self._made.watts
        held = held_back(self._grid.watts, self._soc.watts, self._limit_w)
        return {q: watts for q, watts in self._made.watts.items() if q not in held}


def held_back(grid: Quarters, soc: Quarters, limit_w: float) -> frozenset[int]:
    """Return the quarters in which the feed-in stood at *limit_w*.

    Where hardly any feed-in is allowed it always does; there the battery must be full as well.
    """
    near = max(_NEAR_W, limit_w * _NEAR_SHARE)
    return frozenset(
        quarter
        for quarter, watts in grid.items()
        if watts <= near - limit_w
        and (limit_w >= _LITTLE_W or soc.get(quarter, 100.0) >= _FULL_PCT)
    )
