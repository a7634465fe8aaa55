"""What one slot does and costs at one flow of the battery.

The only freedom beside the battery's flow is how much sun is turned down. So with the
battery's energy at the bus given (``bus``, above 0 when it discharges), what passes on to the
house (``through``) lies between ``bus`` and ``bus`` plus the sun; the meter follows from it,
and so does the cost. Import and export at once, or charge and discharge at once, cannot even
be written down.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ohmstead.compiled import COMPILED
from ohmstead.planner.house import STEEP, Floats, House
from ohmstead.planner.loops import TINY, settle_lines

__all__ = ["Flows", "even", "marks", "settle", "tabled_settle"]


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


def settle(house: House, changes: Sequence[float]) -> Flows:
    """Return what the slots do when the stored energy changes by *changes* kWh."""
    if COMPILED:
        return Flows(*settle_lines(house, np.asarray(changes)))
    return tabled_settle(house, np.asarray(changes))


def tabled_settle(house: House, changes: Floats) -> Flows:
    """Return what ``settle`` does, reckoned as tables; of several plans or houses, a row each."""
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


def even(house: House) -> Floats:
    """Return the ``through`` of a still meter; below 0 where others give too much."""
    through: Floats = np.where(house.load > 0, house.load / house.out, house.load * house.into)
    return through


def marks(house: House) -> tuple[Floats, Floats, Floats]:
    """Return the ``through`` of a still inverter, of a still meter, and of the import limit."""
    full = house.load - house.imports
    full = np.where(full > 0, full / house.out, full * house.into)
    meter = np.where(house.load > 0, house.load / house.out, house.load * house.into)
    return np.zeros_like(full), meter, full


def _meter(house: House, through: Floats) -> tuple[Floats, Floats]:
    """Return the import of every slot and its cost, a broken import limit included."""
    given = np.where(through > 0, through * house.out, through / house.into)
    grid = house.load - given
    price = np.where(grid > 0, house.buy, house.sell)
    over = np.maximum(grid - house.imports, 0.0)
    return grid, grid * price + over * house.steep
