"""What the battery does with no plan: spare sun in, the house out, the grid last."""

from ohmstead.planner.bounds import Limits
from ohmstead.planner.convex import Bounds
from ohmstead.planner.house import House, even

__all__ = ["self_use"]


def self_use(house: House, bounds: Bounds, limits: Limits, energy: float) -> list[float]:
    """Return the change of energy of every slot of a house that does not plan."""
    changes = []
    rows = zip(
        (even(house) - house.pv).tolist(),
        house.charge.tolist(),
        house.discharge.tolist(),
        house.standby.tolist(),
        bounds.lows[1:],
        bounds.highs[1:],
        strict=True,
    )
    for index, (wanted, charge, discharge, standby, low, high) in enumerate(rows):
        bus = min(max(wanted, -charge), discharge)
        flow = -bus * house.stored if bus < 0 else -bus / house.delivered
        least, most = limits.at(index, energy)
        change = min(max(flow - standby, least, low - energy), most, high - energy)
        changes.append(change)
        energy += change
    return changes
