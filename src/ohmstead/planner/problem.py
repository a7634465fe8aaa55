"""What the planner is asked: the house as physics, the coming slots, and what the end is worth.

Energies are kWh in a slot, powers are W. Money is whatever one currency the caller uses
throughout, pounds or pence alike: the planner only adds and compares.

``bus`` is where the battery's power is counted: the DC bus of a hybrid (an ``Inverter`` is
given, the sun sits on the same bus), the house's AC otherwise.
"""

from dataclasses import dataclass, field
from itertools import chain
from math import inf, isfinite
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ohmstead.errors import ProblemError
from ohmstead.model import BatteryMode
from ohmstead.planner.flexible import Amount, Car, Load, Run, check_load

__all__ = [
    "Amount",
    "Battery",
    "Beside",
    "Car",
    "Inverter",
    "Load",
    "Problem",
    "Run",
    "Slot",
    "Taper",
]

LONGEST_H = 72.0
"""How far a plan may reach."""
NEVER_NEGATIVE = slice(3, 9)
ALWAYS_FINITE = slice(1, 5)


class Slot(NamedTuple):
    """One span of the future: what energy costs, what the house needs, what the sun gives.

    A tuple: a backtest makes millions of them.
    """

    hours: float
    import_per_kwh: float
    export_per_kwh: float
    load_kwh: float
    pv_kwh: float = 0.0
    """On the DC bus of a hybrid, on the house's AC otherwise."""
    charge_max_w: float = inf
    """At the bus; narrows what the battery allows. So do the next three."""
    discharge_max_w: float = inf
    import_max_w: float = inf
    export_max_w: float = inf
    low_kwh: float = 0.0
    """What the battery should hold at the end of this slot, or more (soft)."""
    high_kwh: float = inf
    """What it should hold at the end of this slot, or less (soft)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taper:
    """From this energy on, the battery takes or gives only a share of its power."""

    from_kwh: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """One battery, as it is when the first slot begins."""

    capacity_kwh: float
    energy_kwh: float
    charge_max_w: float
    discharge_max_w: float
    reserve_kwh: float = 0.0
    """Never discharged below; a start below it stays possible, and is not helped by force."""
    charge_efficiency: float = 1.0
    """Stored for each kWh taken from the bus."""
    discharge_efficiency: float = 1.0
    """Delivered to the bus for each kWh taken from the store."""
    wear_per_kwh: float = 0.0
    """For each kWh delivered to the bus."""
    standby_w: float = 0.0
    """Leaves the store all the time."""
    charge_tapers: tuple[Taper, ...] = ()
    """In rising order; below the first the share is one."""
    discharge_tapers: tuple[Taper, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inverter:
    """The one inverter of a hybrid, between its DC bus and the house."""

    out_max_w: float
    """On its AC side."""
    in_max_w: float
    """On its AC side."""
    out_efficiency: float = 1.0
    in_efficiency: float = 1.0
    dc_in_max_w: float = inf
    """What it may bring to the DC bus, counted there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A further battery at the house's AC, with whatever inverter it has in its efficiencies.

    It is not emptied into the first one: it gives no more than the house, its loads and the
    export limit take.
    """

    battery: Battery
    end_worth: tuple[tuple[float, float], ...] = ()
    """As the problem's, for what is left in this one. So is the next."""
    end_kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Everything a plan follows from."""

    slots: tuple[Slot, ...]
    battery: Battery
    inverter: Inverter | None = None
    import_max_w: float = inf
    export_max_w: float = inf
    curtail: bool = True
    """May the sun be turned down by choice? Where a limit forces it, it always is."""
    end_worth: tuple[tuple[float, float], ...] = ()
    """What the energy left is worth: (kWh of this worth, per kWh), the dearest first."""
    end_kwh: float | None = None
    """What should be left at the end, neither more nor less (soft, but dear)."""
    car: Car | None = None
    loads: tuple[Load, ...] = ()
    """What else may run earlier or later."""
    beside: tuple[Beside, ...] = ()
    """The batteries beside ``battery``."""
    switch_cost: float = 0.0
    """What it counts for that the battery changes its mode from one slot to the next."""
    mode_before: BatteryMode | None = None
    """What it does before the first slot, where that counts as well."""
    peak_per_kw: float = 0.0
    """Paid for the highest mean import of a slot."""
    peak_paid_kw: float = 0.0
    """What is paid for already: below it the peak costs nothing more."""
    hours: float = field(init=False)
    columns: npt.NDArray[np.float64] = field(init=False, repr=False, compare=False)
    """The numbers of all slots, a row each field, in the order in which ``Slot`` has them."""

    def __post_init__(self) -> None:
        """Refuse what has no meaning; everything else gets a plan."""
        object.__setattr__(self, "columns", _columns(self.slots))
        object.__setattr__(self, "hours", float(self.columns[0].sum()))
        _check_span(self)
        _check_numbers(self)
        _check_battery(self.battery)
        for load in self.every_load:
            check_load(load, len(self.slots))
        for other in self.beside:
            _check_battery(other.battery)
            _check_worth(other.end_worth)
        _check_worth(self.end_worth)
        if not 0 <= self.switch_cost < inf:
            raise ProblemError("switch_cost must be finite and not below 0")

    @property
    def every_load(self) -> tuple[Load, ...]:
        """Return the car, if there is one, and the loads."""
        return self.loads if self.car is None else (self.car, *self.loads)


def _check_worth(end_worth: tuple[tuple[float, float], ...]) -> None:
    worths = [worth for _, worth in end_worth]
    if worths != sorted(worths, reverse=True):
        raise ProblemError("end_worth must begin with the dearest kWh")


def _columns(slots: tuple[Slot, ...]) -> npt.NDArray[np.float64]:
    width = len(Slot._fields)
    rows = np.fromiter(chain.from_iterable(slots), np.float64, width * len(slots))
    return np.ascontiguousarray(rows.reshape(-1, width).T)


def _check_span(problem: Problem) -> None:
    if not problem.slots:
        raise ProblemError("a plan needs at least one slot")
    if problem.hours > LONGEST_H + 1e-6:
        raise ProblemError(f"a plan reaches {LONGEST_H:.0f} h at most, not {problem.hours:.1f}")
    if not (problem.columns[0] > 0).all():
        raise ProblemError("a slot must last longer than nothing")


def _check_numbers(problem: Problem) -> None:
    if not (problem.import_max_w >= 0 and problem.export_max_w >= 0):
        raise ProblemError("limits of the grid cannot be negative")
    columns = problem.columns
    if (
        np.isfinite(columns[ALWAYS_FINITE]).all()
        and (columns[NEVER_NEGATIVE] >= 0).all()
        and (columns[-1] >= columns[-2]).all()
    ):
        return
    for index, slot in enumerate(problem.slots):
        prices = (slot.import_per_kwh, slot.export_per_kwh)
        energies = (slot.load_kwh, slot.pv_kwh)
        limits = (slot.charge_max_w, slot.discharge_max_w, slot.import_max_w, slot.export_max_w)
        if not all(map(isfinite, (*prices, *energies))):
            raise ProblemError(f"slot {index}: prices, load and sun must be finite numbers")
        if not all(number >= 0 for number in (*energies, *limits)):
            raise ProblemError(f"slot {index}: load, sun and limits cannot be negative")
        if not slot.high_kwh >= slot.low_kwh:
            raise ProblemError(f"slot {index}: high_kwh is below low_kwh")


def _check_battery(battery: Battery) -> None:
    if not 0 < battery.capacity_kwh < inf:
        raise ProblemError("capacity_kwh must be above 0")
    numbers = (battery.energy_kwh, battery.reserve_kwh, battery.wear_per_kwh, battery.standby_w)
    powers = (battery.charge_max_w, battery.discharge_max_w)
    if not all(0 <= number < inf for number in (*numbers, *powers)):
        raise ProblemError("the battery's energies, powers and wear must be finite and not below 0")
    for share in (battery.charge_efficiency, battery.discharge_efficiency):
        if not 0 < share <= 1:
            raise ProblemError("an efficiency is above 0 and at most 1")
    for tapers in (battery.charge_tapers, battery.discharge_tapers):
        if [t.from_kwh for t in tapers] != sorted(t.from_kwh for t in tapers):
            raise ProblemError("tapers must be in rising order")
