"""The first battery and one more store over a narrow grid of both, along their plans.

Planned in turn, two stores can stop where neither gains alone: where both serve the same house,
or share a limit, only a change of both in the same slot helps. So both plans together are
moved over a grid a few steps wide around them; while nothing is gained the steps get smaller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from ohmstead.planner.bends import overfull
from ohmstead.planner.convex import Bounds
from ohmstead.planner.flows import tabled_settle
from ohmstead.planner.house import Floats, house_of
from ohmstead.planner.slot import Curve
from ohmstead.planner.solve import Task, knots_of
from ohmstead.planner.stores import Store

__all__ = ["Corridor", "Side", "side_of"]

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
SHORT_SLOTS = 48
"""Of longer plans the steps get smaller faster."""
GAINED = 1e-9

PLACES = np.arange(SIDE)
_MOVED = PLACES[None, :] - PLACES[:, None] + SIDE - 1
MOVES = (_MOVED[:, None, :, None] * WIDTH + _MOVED[None, :, None, :]).reshape(SIDE**2, SIDE**2)
"""For each place of both and each next one, which pair of changes leads there."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two stores."""

    bounds: Bounds
    end: Curve
    energy: float
    wide: float
    """What it can change at most in a slot."""
    into: float
    """Stored for each kWh that the house gives it."""
    out: float
    """Taken from what is stored for each kWh that it gives to the house."""


def side_of(store: Store) -> Side:
    """Return *store* as a side of a corridor."""
    wide = float(np.abs(store.change(np.stack([store.low, store.high]))).max())
    inward, outward = store.stored, 1.0 / store.delivered
    return Side(store.bounds, store.end, store.energy, wide, inward, outward)


@dataclass(frozen=True, slots=True)
class Corridor:
    """Two stores beside everything else."""

    task: Task
    """Of the first battery."""
    stores: tuple[Store, ...]
    """One, beside the first battery, or two, beside its changes as they are."""
    others: Floats
    """What everything but these takes."""
    fixed: Floats
    """The first battery's changes."""

    def better(self, second: Floats, first: Floats | None = None) -> tuple[Floats, Floats]:
        """Return changes of both that cost less together; without *first* it is the battery's."""
        first = self.fixed if first is None else first
        sides = self._sides()
        ratios = sorted(
            {
                sides[1].wide / max(sides[0].wide, SAME_KWH),
                sides[1].into / sides[0].into,
                sides[1].out / sides[0].out,
                sides[1].into / sides[0].out,
                sides[1].out / sides[0].into,
            }
        )
        size, which = WIDEST * sides[0].wide, 0
        for _ in range(MOST_ROUNDS):
            steps = max(size, SAME_KWH), max(size * ratios[which], SAME_KWH)
            gained, moves = self._moved(sides, (first, second), steps)
            if gained > GAINED:
                first, second = first + moves[0], second + moves[1]
                continue
            which = (which + 1) % len(ratios)
            if which == 0:
                size /= 2 if len(first) <= SHORT_SLOTS else 4
            if size < SMALLEST * sides[0].wide:
                break
        return first, second

    def _sides(self) -> tuple[Side, Side]:
        if len(self.stores) > 1:
            return side_of(self.stores[0]), side_of(self.stores[1])
        task, house = self.task, self.task.house
        wide = float(np.abs(task.curves.xs).max())
        inward, outward = house.stored * house.into, 1.0 / (house.delivered * house.out)
        first = Side(task.bounds, task.end, task.energy, wide, inward, outward)
        return first, side_of(self.stores[0])

    def _moved(
        self, sides: tuple[Side, Side], both: tuple[Floats, Floats], steps: tuple[float, float]
    ) -> tuple[float, tuple[Floats, Floats]]:
        """Return what the best move of both gains, and the changes it adds."""
        costs = self._costs(*both, steps)
        one, two = (
            _places(side.bounds, side.end, side.energy, planned, step)
            for side, planned, step in zip(sides, both, steps, strict=True)
        )
        places = (one[:, :, None] + two[:, None, :]).reshape(len(one), SIDE**2)
        slots, middle = len(both[0]), (SIDE**2 - 1) // 2
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
        one = first + np.repeat(offsets, WIDTH)[:, None] * steps[0]
        two = second + np.tile(offsets, WIDTH)[:, None] * steps[1]
        moved = (two,) if len(self.stores) == 1 else (one, two)
        changes = one if len(self.stores) == 1 else self.fixed + np.zeros_like(one)
        total, worn, cannot = self.others, np.zeros_like(one), np.zeros(one.shape, dtype=bool)
        for store, move in zip(self.stores, moved, strict=True):
            taken = store.taken(move)
            total = total + taken
            worn = worn + store.wear * np.maximum(-taken, 0.0)
            cannot |= ~store.allows(taken)
        house = house_of(self.task.problem, total)
        flows = tabled_settle(house, changes)
        cannot |= (flows.bus > house.discharge + SAME_KWH) | (flows.bus < -house.charge - SAME_KWH)
        cannot |= overfull(self.task.problem, house)
        costs = flows.cost + flows.broken + worn + np.where(cannot, NEVER, 0.0)
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
