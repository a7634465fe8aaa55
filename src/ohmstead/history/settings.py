"""What an owner may say about the history."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["HistorySettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings:
    """Where the history is kept, how finely, and for how long."""

    enabled: bool = True
    path: Path | None = None
    """The file; None is ``history.db`` in the data folder."""
    commit_s: float = 300
    """How often what was heard goes to the disk; a power cut loses at most this much."""
    least_s: float = 10
    """A point is recorded no more often than this; 0 records every change."""
    heartbeat_s: float = 600
    """A value that stays the same is recorded again this often."""
    gap_s: float = 900
    """Two samples further apart than this have nothing between them; more than a heartbeat."""
    raw_days: int = 14
    """How long every sample is kept."""
    five_min_days: int = 400
    """How long the 5-minute steps are kept."""
    hour_days: int | None = None
    """How long the hours are kept; None for ever."""
    day_days: int | None = None
    """How long the days are kept; None for ever."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("commit_s", "heartbeat_s", "raw_days", "five_min_days"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above zero")
        if self.least_s < 0:
            raise ValueError("least_s must not be below zero")
        if self.gap_s <= self.heartbeat_s:
            raise ValueError("gap_s must be more than heartbeat_s")
