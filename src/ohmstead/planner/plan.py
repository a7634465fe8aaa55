"""The plan: for every slot what the battery should do, what it is for, and what it is worth.

A slot of a plan is not a power to hold but a way to behave: up to which energy, where spare
sun goes, where what is missing comes from. The inverter, or the fast loop, can follow that by
itself while the sun and the house do as they please.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from ohmstead.model import BatteryMode

__all__ = ["Plan", "PlannedBattery", "PlannedSlot", "Side"]


class Side(StrEnum):
    """Where energy goes to, or comes from."""

    BATTERY = "battery"
    GRID = "grid"
    NOWHERE = "nowhere"
    """The sun is turned down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBattery:
    """What a further battery does in one slot."""

    mode: BatteryMode
    """Charge, discharge or hold, at the power below: two that serve one house would fight."""
    battery_w: float
    """At the house's AC; above 0 it discharges."""
    stored_kwh: float
    soc_pct: float


class PlannedSlot(NamedTuple):
    """One slot of a plan. A tuple: hundreds are made in well under a millisecond."""

    hours: float
    mode: BatteryMode
    power_w: float | None
    """How much at most, always ≥ 0; None is as much as the house asks or the sun spares."""
    target_pct: float
    """Where it stops: what should be stored when the slot ends."""
    surplus_to: Side
    deficit_from: Side
    battery_w: float
    """As forecast, at the bus; above 0 it discharges."""
    grid_w: float
    """As forecast; above 0 it imports."""
    curtailed_w: float
    car_w: float
    stored_kwh: float
    """When the slot ends, as forecast."""
    soc_pct: float
    cost: float
    worth_per_kwh: float
    """What one more kWh in the battery would save later, when the slot ends."""
    lack_per_kwh: float
    """What one kWh less would cost later; never less than ``worth_per_kwh``."""
    loads_w: tuple[float, ...] = ()
    """What each of the problem's loads takes."""
    beside: tuple[PlannedBattery, ...] = ()
    """What each of its further batteries does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do in every slot, and how good that is."""

    slots: tuple[PlannedSlot, ...]
    cost: float
    """Energy, wear, peak and changes of mode over all slots."""
    objective: float
    """``cost`` less what is left in the battery is worth."""
    gap: float
    """The plan costs at most this much more than the best there is: proven."""
    without: float
    """The objective of a house that does not plan."""
    missed: float = 0.0
    """What the soft wishes that cannot be kept count for; 0 when all are."""

    @property
    def switches(self) -> int:
        """Return how often the battery changes its mode."""
        return sum(one.mode is not two.mode for one, two in pairwise(self.slots))

    @property
    def saved(self) -> float:
        """Return what the plan saves over a house that does not plan."""
        return self.without - self.objective
