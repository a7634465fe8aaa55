"""What was decided, by whom, and why."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ohmstead.model.command import Ahead, BatteryCommand, BatteryMode, SettingChange

__all__ = ["Advice", "Decision", "Room"]

_ALL = frozenset(BatteryMode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the battery may still do. Strategies narrow it, one after another."""

    modes: frozenset[BatteryMode] = _ALL
    charge_w: float = math.inf
    """The most it may charge with."""
    discharge_w: float = math.inf
    """The most it may discharge with."""
    floor_pct: float = 0
    """Where a discharge ends."""
    ceiling_pct: float = 100
    """Where a charge ends."""
    until: datetime | None = None
    """When what was chosen lapses."""

    def __and__(self, other: "Room") -> "Room":
        """Return what both allow; ``modes`` is empty where they contradict each other."""
        ends = [until for until in (self.until, other.until) if until is not None]
        return Room(
            modes=self.modes & other.modes,
            charge_w=min(self.charge_w, other.charge_w),
            discharge_w=min(self.discharge_w, other.discharge_w),
            floor_pct=max(self.floor_pct, other.floor_pct),
            ceiling_pct=min(self.ceiling_pct, other.ceiling_pct),
            until=min(ends, default=None),
        )

    def within(self, other: "Room") -> bool:
        """Tell whether nothing is allowed here that *other* forbids."""
        return self & other == self


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One strategy's say.

    With a room it speaks: the room left is narrowed to it. Without one it passes; a strategy
    that lacks what it needs to know passes *blind*.
    """

    reason: str
    room: Room | None = None
    blind: bool = False
    changes: tuple[SettingChange, ...] = ()
    ahead: Ahead | None = None
    """The next charge it means to ask for."""
    memory: Mapping[str, str] = field(default_factory=dict)
    """What to be reminded of at the next decision; what is not repeated is forgotten."""
    strategy: str = ""
    """Who speaks; filled in by ``decide``."""
    overruled: bool = False
    """An earlier strategy left no room for it; filled in by ``decide``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the house shall do now, and the sentence that explains it."""

    at: datetime
    command: BatteryCommand | None
    """What the battery shall do; None is: leave the inverter to itself."""
    reason: str
    strategy: str
    changes: tuple[SettingChange, ...] = ()
    trail: tuple[Advice, ...] = ()
    """What every strategy said, in order."""
    memory: Mapping[str, str] = field(default_factory=dict)
