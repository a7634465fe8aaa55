"""What the battery does with no plan: spare sun in, the house out, the grid last."""

from bisect import bisect_right

from ohmstead.compiled import Row, compiled, listed, packed, row
from ohmstead.planner.bounds import Limits
from ohmstead.planner.convex import Bounds
from ohmstead.planner.flows import even
from ohmstead.planner.house import House
from ohmstead.planner.merge import Walls

__all__ = ["self_use"]


def self_use(house: House, bounds: Bounds, limits: Limits, energy: float) -> list[float]:
    """Return the change of energy of every slot of a house that does not plan."""
    bus = even(house) - house.pv
    bus = (bus.clip(-house.charge, house.discharge)).clip(-house.charge)
    flow = -bus * house.stored * (bus < 0) - bus / house.delivered * (bus >= 0) - house.standby
    return listed(_followed(row(flow), bounds.walls, limits, energy))


@compiled
def _followed(wanted: Row, walls: Walls, powers: Limits, energy: float) -> Row:
    """Return the changes *wanted*, as far as the battery's powers and its size allow."""
    changes = [0.0][:0]
    for index in range(len(wanted)):
        cell = bisect_right(powers.starts, energy, 0, len(powers.starts)) - 1
        lost = powers.standby[index]
        least = -powers.down[index] * powers.discharge[cell] - lost
        most = powers.up[index] * powers.charge[cell] - lost
        change = max(wanted[index], least, walls.lows[index + 1] - energy)
        change = min(change, most, walls.highs[index + 1] - energy)
        changes.append(change)
        energy += change
    return packed(changes)
