"""A house as it was: what it used, what the sun gave, what was foretold, and what stands there.

Everything is cut into steps of one length. What lies before ``begin`` is past already when the
replay starts: forecasts learn from it, nobody pays for it. ``told_w`` is what a weather service
said at the time; it is part of the world, drawn or recorded beforehand, so that a strategy sees
what was known then and nothing else.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from math import inf
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmstead.errors import ProblemError

__all__ = ["HALF_HOUR", "Floats", "Plant", "World", "half_hours"]

Floats = npt.NDArray[np.float64]

HALF_HOUR: Final = timedelta(minutes=30)
_HALF_HOUR_S: Final = 1_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """What stands in the house: a battery, and a hybrid's inverter or none."""

    capacity_kwh: float = 9.6
    charge_w: float = 3_600.0
    discharge_w: float = 3_600.0
    reserve_pct: float = 10.0
    """The inverter itself goes no lower."""
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    standby_w: float = 0.0
    inverter_w: float | None = None
    """Of a hybrid, whose sun and battery share one inverter; None where they do not."""
    import_max_w: float = inf
    export_max_w: float = inf
    start_pct: float = 50.0

    def __post_init__(self) -> None:
        """Refuse what no battery is."""
        if not (0 < self.capacity_kwh < inf and min(self.charge_w, self.discharge_w) >= 0):
            raise ProblemError("a battery holds more than nothing, and its powers are not below 0")
        if not (0 < self.charge_efficiency <= 1 and 0 < self.discharge_efficiency <= 1):
            raise ProblemError("an efficiency is above 0 and at most 1")
        if not (0 <= self.reserve_pct < 100 and 0 <= self.start_pct <= 100):  # noqa: PLR2004 - per cent
            raise ProblemError("reserve and start are per cents of the capacity")

    @property
    def reserve_kwh(self) -> float:
        """What it keeps."""
        return self.capacity_kwh * self.reserve_pct / 100

    @property
    def start_kwh(self) -> float:
        """What it holds when the replay begins."""
        return self.capacity_kwh * self.start_pct / 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class World:
    """One house over one span of time."""

    name: str
    start: datetime
    """Of the first step (aware, UTC, on a half-hour)."""
    zone: tzinfo
    load_w: Floats
    """The mean of each step."""
    pv_w: Floats
    told_w: Floats
    """What was foretold of the sun: a row an issue, a column a half-hour from its issue on."""
    told_every: timedelta = timedelta(hours=6)
    """How long one issue holds; the first was given at ``start``."""
    step: timedelta = timedelta(minutes=5)
    begin: int = 0
    """The half-hour in which the replay begins."""
    tail: int = 0
    """So many half-hours at the end are not replayed: plans near the end still see a future."""
    plant: Plant = Plant()

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.step <= timedelta() or HALF_HOUR % self.step or self.told_every % HALF_HOUR:
            raise ProblemError("a step must divide a half-hour, an issue hold for whole ones")
        if self.start.timestamp() % _HALF_HOUR_S:
            raise ProblemError("a world must start on a half-hour")
        if len(self.load_w) != len(self.pv_w) or len(self.load_w) % self.steps_each:
            raise ProblemError("load and sun must cover the same whole half-hours")
        if not 0 <= self.begin < self.end <= self.halves:
            raise ProblemError("there is nothing to replay")
        if not (np.isfinite(self.load_w).all() and np.isfinite(self.pv_w).all()):
            raise ProblemError("load and sun must be finite numbers")

    @property
    def steps_each(self) -> int:
        """How many steps a half-hour has."""
        return HALF_HOUR // self.step

    @property
    def halves(self) -> int:
        """How many half-hours there are, those that are not replayed included."""
        return len(self.load_w) // self.steps_each

    @property
    def end(self) -> int:
        """The half-hour in which the replay is over."""
        return self.halves - self.tail

    @property
    def days(self) -> float:
        """How long the replay is."""
        return (self.end - self.begin) / 48

    def at(self, half: int) -> datetime:
        """Return when half-hour *half* begins."""
        return self.start + half * HALF_HOUR

    def with_plant(self, plant: Plant) -> "World":
        """Return the same house with another battery."""
        return replace(self, plant=plant)


def half_hours(watts: Floats, steps_each: int) -> Floats:
    """Return the mean of each half-hour."""
    found: Floats = watts.reshape(-1, steps_each).mean(axis=1)
    return found
