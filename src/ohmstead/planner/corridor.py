"""The first battery and one more store over a narrow grid of both, along their plans.

Planned in turn, two stores can stop where neither gains alone: where both serve the same house,
or share a limit, only a change of both in the same slot helps. So both plans together are
moved over a grid a few steps wide around them; while nothing is gained the steps get smaller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from ohmstead.planner.convex import Bounds
from ohmstead.planner.house import Floats, house_of, settle
from ohmstead.planner.slot import Curve
from ohmstead.planner.solve import Task, knots_of
from ohmstead.planner.stores import Store, overfull

__all__ = ["Corridor"]

REACH = 2
"""How many steps to either side."""
SIDE = 2 * REACH + 1
WIDTH = 2 * SIDE - 1
NEVER = 1e9
SAME_KWH = 1e-7
WIDEST = 0.5
"""The first steps, as a share of what a slot can move at most."""
SMALLEST = WIDEST / 2**11
MOST_ROUNDS = 60
GAINED = 1e-9

PLACES = np.arange(SIDE)
_MOVED = PLACES[None, :] - PLACES[:, None] + SIDE - 1
MOVES = (_MOVED[:, None, :, None] * WIDTH + _MOVED[None, :, None, :]).reshape(SIDE**2, SIDE**2)
"""For each place of both and each next one, which pair of changes leads there."""


@dataclass(frozen=True, slots=True)
class Corridor:
    """Two stores, the first battery being one of them, beside everything else."""

    task: Task
    """Of the house with everything but ``store``."""
    store: Store
    others: Floats
    """What everything but ``store`` takes."""

    def better(self, first: Floats, second: Floats) -> tuple[Floats, Floats]:
        """Return changes of the first battery and of the store that cost less together."""
        wide = (
            float(np.abs(self.task.curves.xs).max()),
            float(np.abs(self.store.change(np.stack([self.store.low, self.store.high]))).max()),
        )
        size = WIDEST
        for _ in range(MOST_ROUNDS):
            steps = max(wide[0] * size, SAME_KWH), max(wide[1] * size, SAME_KWH)
            gained, moves = self._moved(first, second, steps)
            if gained > GAINED:
                first, second = first + moves[0], second + moves[1]
            else:
                size /= 2
            if size < SMALLEST:
                break
        return first, second

    def _moved(
        self, first: Floats, second: Floats, steps: tuple[float, float]
    ) -> tuple[float, tuple[Floats, Floats]]:
        """Return what the best move of both gains, and the changes it adds."""
        costs = self._costs(first, second, steps)
        one = _places(self.task.bounds, self.task.end, self.task.energy, first, steps[0])
        two = _places(self.store.bounds, self.store.end, self.store.energy, second, steps[1])
        places = (one[:, :, None] + two[:, None, :]).reshape(len(one), SIDE**2)
        slots, middle = len(first), (SIDE**2 - 1) // 2
        chosen = np.zeros((slots, SIDE**2), dtype=np.int64)
        after = places[slots]
        for slot in range(slots - 1, -1, -1):
            total = costs[slot][MOVES] + after[None]
            chosen[slot] = total.argmin(axis=1)
            after = total[np.arange(SIDE**2), chosen[slot]] + places[slot]
        still = float(costs[:, (WIDTH**2 - 1) // 2].sum() + places[:, middle].sum())
        at, path = middle, [middle]
        for slot in range(slots):
            at = int(chosen[slot, at])
            path.append(at)
        walked = np.array(path)
        moves = np.diff(walked // SIDE) * steps[0], np.diff(walked % SIDE) * steps[1]
        return still - float(after[middle]), moves

    def _costs(self, first: Floats, second: Floats, steps: tuple[float, float]) -> Floats:
        """Return what each pair of changes costs, by slot."""
        offsets = np.arange(WIDTH) - (SIDE - 1)
        changes = first + np.repeat(offsets, WIDTH)[:, None] * steps[0]
        moved = second + np.tile(offsets, WIDTH)[:, None] * steps[1]
        taken = self.store.taken(moved)
        house = house_of(self.task.problem, self.others + taken)
        flows = settle(house, changes)
        costs = flows.cost + flows.broken + self.store.wear * np.maximum(-taken, 0.0)
        cannot = (flows.bus > house.discharge + SAME_KWH) | (flows.bus < -house.charge - SAME_KWH)
        cannot |= overfull(self.task.problem, house) | ~self.store.allows(taken)
        costs += np.where(cannot, NEVER, 0.0)
        priced: Floats = costs.T
        return priced


def _places(
    bounds: Bounds, end: Curve, energy: float, changes: Sequence[float] | Floats, step: float
) -> Floats:
    """Return what each place beside a plan costs by itself, before each slot and at the end."""
    planned = np.array(list(accumulate(changes, initial=energy)))
    energies = planned[:, None] + (PLACES - REACH) * step
    costs: Floats = np.zeros_like(energies)
    for index, soft in enumerate(bounds.soft):
        if soft is not None:
            under, over = soft[0] - energies[index], energies[index] - soft[1]
            costs[index] += bounds.steep * (np.maximum(under, 0.0) + np.maximum(over, 0.0))
    lows, highs = np.array(bounds.lows)[:, None], np.array(bounds.highs)[:, None]
    outside = (energies < lows - SAME_KWH) | (energies > highs + SAME_KWH)
    costs += np.where(outside, NEVER, 0.0)
    costs[-1] += np.interp(energies[-1], *knots_of(end))
    return costs
