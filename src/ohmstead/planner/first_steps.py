"""The ways to begin that are weighed over several futures, and what each would cost.

A way to begin is a behaviour, not an energy: a battery that serves the house gives more where
the house needs more. So self-use, a hold (spare sun goes in, nothing comes out) and the sun's
export (the other way round) come out differently in each future; a charge and a discharge, and
standing still, are the same change of energy in all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ohmstead.model import BatteryMode
from ohmstead.planner.house import Floats
from ohmstead.planner.nodes import NEVER
from ohmstead.planner.solve import Look, Task, ahead, look_at

__all__ = ["FOLLOWS", "Beginning", "Compared", "compared"]

FOLLOWS = (BatteryMode.SELF_USE, BatteryMode.HOLD, BatteryMode.EXPORT_SOLAR)
"""The behaviours that follow what the house and the sun do."""
STEPS = 24
"""How many energies are tried beside the knots of the futures' first slots."""
SAME_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class Beginning:
    """A behaviour, and the change of energy it stands for in the first future."""

    mode: BatteryMode | None
    """None is a charge or a discharge, whichever the change is."""
    change: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Ways to begin, and what each costs over all futures."""

    ways: Sequence[Beginning]
    costs: Floats
    close: float
    """Costs that differ by so little are the same."""

    def best(self) -> int:
        """Return the cheapest; the first one given, if that costs the same."""
        first = self.costs[0] <= self.costs.min() + self.close
        return 0 if first else int(self.costs.argmin())


def compared(
    tasks: Sequence[Task],
    shares: Sequence[float],
    first: Sequence[Beginning],
    least_gain: float = 0.0,
    looks: Sequence[Look] = (),
) -> Compared:
    """Return the ways to begin, those of *first* before all others, over *tasks* by *shares*.

    The very first one is best unless another gains more than *least_gain*. *looks* are looks at
    the tasks, if there were such.
    """
    looks = looks or [look_at(task) for task in tasks]
    knots = [np.array(task.curves.line(0)[0]) for task in tasks]
    low, high = min(float(xs[0]) for xs in knots), max(float(xs[-1]) for xs in knots)
    steps = np.concatenate([*knots, np.linspace(low, high, STEPS + 1)])
    followed = _followed(tasks[0])
    inner, outer = min(followed.values()), max(followed.values())
    # What lies between is what the battery does by following; at a fixed energy nothing can.
    steps = steps[(steps < inner - SAME_KWH) | (steps > outer + SAME_KWH)]
    ways = [
        *first,
        *(Beginning(mode, change) for mode, change in followed.items()),
        *(Beginning(None, change) for change in steps.tolist()),
    ]
    changes = [_changes(task, xs, ways) for task, xs in zip(tasks, knots, strict=True)]
    weighed = zip(shares, tasks, looks, changes, strict=True)
    each = [share * _cost(task, look, row) for share, task, look, row in weighed]
    costs: Floats = np.sum(each, axis=0)
    here = changes[0].tolist()
    clipped = [Beginning(way.mode, change) for way, change in zip(ways, here, strict=True)]
    return Compared(clipped, costs, max(least_gain, 1e-6 * tasks[0].house.dearest))


def _followed(task: Task) -> dict[BatteryMode | None, float]:
    """Return what each behaviour that follows would change."""
    served = task.idle[0][0]
    still = -float(task.house.standby[0])
    return {
        BatteryMode.SELF_USE: served,
        BatteryMode.HOLD: max(served, still),
        BatteryMode.EXPORT_SOLAR: min(served, still),
    }


def _changes(task: Task, xs: Floats, ways: Sequence[Beginning]) -> Floats:
    """Return the change of each way in one future, as far as it goes there."""
    least, most = task.limits.at(0, task.energy)
    low, high = max(float(xs[0]), least), min(float(xs[-1]), most)
    low = max(low, task.bounds.lows[1] - task.energy)
    high = min(high, task.bounds.highs[1] - task.energy)
    followed = _followed(task)
    wanted = [followed.get(way.mode, way.change) for way in ways]
    return np.clip(wanted, low, high)


def _cost(task: Task, look: Look, changes: Floats) -> Floats:
    """Return what a future costs with each of the first *changes*."""
    energies, costs = ahead(task, look)
    reached = task.energy + changes
    within = np.clip(reached, energies[0], energies[-1])
    later: Floats = np.interp(within, energies, costs)
    # A battery that is full by a rounding more is full, and not impossible.
    later[np.abs(within - reached) > SAME_KWH] = NEVER
    return np.interp(changes, *task.curves.line(0)) + later
