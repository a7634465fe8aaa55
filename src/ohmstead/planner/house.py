"""A problem as arrays, one column a slot, and what one slot costs at one flow of the battery.

The only freedom beside the battery's flow is how much sun is turned down. So with the
battery's energy at the bus given (``bus``, above 0 when it discharges), what passes on to the
house (``through``) lies between ``bus`` and ``bus`` plus the sun; the meter follows from it,
and so does the cost. Import and export at once, or charge and discharge at once, cannot even
be written down.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ohmstead.compiled import COMPILED, compiled
from ohmstead.planner.problem import Problem

__all__ = [
    "FAR_KWH",
    "SHORT",
    "STEEP",
    "TINY_KWH",
    "WH_PER_KWH",
    "Floats",
    "Flows",
    "House",
    "even",
    "house_of",
    "marks",
    "settle",
    "settle_table",
]

Floats = npt.NDArray[np.float64]

STEEP = 10.0
"""What a limit that must give way costs, in dearest prices."""
WH_PER_KWH = 1000.0
TINY = 1e-12
SHORT = 0.5
"""What a kWh that a load lacks counts for, as a share of what breaking the fuse does."""
TINY_KWH = 1e-7
FAR_KWH = 1e5
"""Stands for no limit, and can be reckoned with."""


class House(NamedTuple):
    """The problem's numbers in kWh a slot, as arrays of one length."""

    buy: Floats
    sell: Floats
    load: Floats
    pv: Floats
    charge: Floats
    """The most that goes into the battery, at the bus."""
    discharge: Floats
    imports: Floats
    least: Floats
    """The lowest ``through``: below 0 the bus is fed from the house."""
    most: Floats
    """The highest ``through``: the inverter's and the export limit."""
    standby: Floats
    out: float
    """Reaches the house for each kWh that passes on; one without a hybrid's inverter."""
    into: float
    stored: float
    delivered: float
    wear: float
    curtail: bool
    steep: float
    """The price of breaking what is soft: dearer than anything it could save."""

    @property
    def dearest(self) -> float:
        """Return the highest price there is, for tolerances."""
        return self.steep / STEEP


class Flows(NamedTuple):
    """What every slot does, in kWh."""

    bus: Floats
    """The battery at the bus, above 0 when it discharges."""
    grid: Floats
    """Above 0 when it is imported."""
    curtailed: Floats
    """Sun turned down, where the sun is."""
    cost: Floats
    """With wear; breaking the import limit is not paid for here, but in ``broken``."""
    broken: Floats


def house_of(problem: Problem, car: Floats | None = None) -> House:
    """Return *problem* as arrays; *car* is what a car takes in each slot beside the load."""
    battery, inverter = problem.battery, problem.inverter
    rows = problem.columns
    hours, buy, sell, load, pv = rows[:5]
    if car is not None:
        load = load + car
    per_slot = hours / WH_PER_KWH
    exports = np.minimum(np.minimum(rows[8], problem.export_max_w) * per_slot, FAR_KWH)
    out, into = (inverter.out_efficiency, inverter.in_efficiency) if inverter else (1.0, 1.0)
    most = (load + exports) / out
    least = np.full_like(load, -FAR_KWH)
    discharge = np.minimum(rows[6], battery.discharge_max_w) * per_slot
    if inverter:
        room = inverter.out_max_w / out * per_slot
        most = np.minimum(most, room)
        least = -np.minimum(inverter.in_max_w * into, inverter.dc_in_max_w) * per_slot
        least = np.maximum(least, -FAR_KWH)
        if not problem.curtail:
            discharge = np.minimum(discharge, np.maximum(room - pv, 0.0))
    discharge = np.minimum(discharge, most)
    charge = np.minimum(rows[5], battery.charge_max_w) * per_slot
    dearest = max(float(np.abs(rows[1:3]).max()), *(abs(w) for _, w in problem.end_worth), 1e-3)
    lossy = out * into * battery.charge_efficiency * battery.discharge_efficiency
    return House(
        buy=buy,
        sell=sell,
        load=load,
        pv=pv,
        charge=np.minimum(charge, pv - least),
        discharge=discharge,
        imports=np.minimum(np.minimum(rows[7], problem.import_max_w) * per_slot, FAR_KWH),
        least=least,
        most=most,
        standby=battery.standby_w * per_slot,
        # Compiled kernels are compiled once more for whole numbers: there are to be none.
        out=float(out),
        into=float(into),
        stored=float(battery.charge_efficiency),
        delivered=float(battery.discharge_efficiency),
        wear=float(battery.wear_per_kwh),
        curtail=problem.curtail,
        steep=STEEP * float(dearest + battery.wear_per_kwh) / lossy,
    )


def settle(house: House, changes: Sequence[float]) -> Flows:
    """Return what the slots do when the stored energy changes by *changes* kWh."""
    return _settled(house, np.asarray(changes))


def settle_table(house: House, changes: Floats) -> Flows:
    """Return what the slots do, as ``settle``, for several plans or houses, a row each."""
    if not COMPILED:
        return _settled(house, changes)
    shape = np.broadcast_shapes(house.load.shape, changes.shape)
    columns = [
        np.broadcast_to(part, shape) if isinstance(part, np.ndarray) and part.ndim > 1 else part
        for part in house
    ]
    many, found = np.broadcast_to(changes, shape), []
    for place in range(shape[0]):
        parts = [
            part[place] if isinstance(part, np.ndarray) and part.ndim > 1 else part
            for part in columns
        ]
        found.append(_settled(House._make(parts), np.ascontiguousarray(many[place])))
    return Flows(*(np.stack(parts) for parts in zip(*found, strict=True)))


@compiled
def _meter(house: House, through: Floats) -> tuple[Floats, Floats]:
    """Return the import of every slot and its cost, a broken import limit included."""
    given = np.where(through > 0, through * house.out, through / house.into)
    grid = house.load - given
    price = np.where(grid > 0, house.buy, house.sell)
    over = np.maximum(grid - house.imports, 0.0)
    return grid, grid * price + over * house.steep


@compiled
def marks(house: House) -> tuple[Floats, Floats, Floats]:
    """Return the ``through`` of a still inverter, of a still meter, and of the import limit."""
    full = house.load - house.imports
    full = np.where(full > 0, full / house.out, full * house.into)
    meter = np.where(house.load > 0, house.load / house.out, house.load * house.into)
    return np.zeros_like(full), meter, full


def even(house: House) -> Floats:
    """Return the ``through`` of a still meter; below 0 where others give too much."""
    through: Floats = np.where(house.load > 0, house.load / house.out, house.load * house.into)
    return through


@compiled
def _settled(house: House, changes: Floats) -> Flows:
    flow = changes + house.standby
    bus = np.where(flow > 0, -flow / house.stored, -flow * house.delivered)
    low, high = np.maximum(bus, house.least), np.minimum(bus + house.pv, house.most)
    through, cost = high, _meter(house, high)[1]
    if house.curtail:
        still, even, full = marks(house)
        for knot in (low, still, even, full):
            clipped = np.minimum(np.maximum(knot, low), high)
            other = _meter(house, clipped)[1]
            cheaper = other < cost - TINY * house.steep / STEEP
            through, cost = np.where(cheaper, clipped, through), np.where(cheaper, other, cost)
    grid, cost = _meter(house, through)
    broken = np.maximum(grid - house.imports, 0.0) * house.steep
    cost = cost + house.wear * np.maximum(bus, 0.0) - broken
    return Flows(bus, grid, np.maximum(bus + house.pv - through, 0.0), cost, broken)
