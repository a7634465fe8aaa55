"""A problem as arrays, one column a slot."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ohmstead.planner.problem import Problem

__all__ = [
    "FAR_KWH",
    "SHORT",
    "STEEP",
    "TINY_KWH",
    "WH_PER_KWH",
    "Floats",
    "House",
    "house_of",
]

Floats = npt.NDArray[np.float64]

STEEP = 10.0
"""What a limit that must give way costs, in dearest prices."""
WH_PER_KWH = 1000.0
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
