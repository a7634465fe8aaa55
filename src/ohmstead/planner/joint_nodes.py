"""The first battery and one more store over one grid: what one at a time cannot see.

Where a limit binds both together, the battery must feed the car, or leave it the fuse, slot
by slot; two batteries share what one house needs. A coarse grid over what the two hold finds
such plans; it only gives the search another start.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmstead.planner.nodes import NEVER, Grid, Reach, grid_of, reach_of
from ohmstead.planner.slot import Curves

__all__ = ["Second", "Way", "joint_start", "moved_by"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

SECOND_NODES = 41
MOST_NODES, FEWEST_NODES = 121, 61
TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Way:
    """One choice of the second store: its change in each slot, and the slots' costs beside it."""

    moved: list[float]
    curves: Curves
    points: list[tuple[list[float], list[float]]]


@dataclass(frozen=True, slots=True)
class Second:
    """What the second store holds at least, at most and first, and what its end costs."""

    low: float
    high: float
    first: float
    end: tuple[list[float], list[float]]


def joint_start(
    ways: Sequence[Way],
    energies: tuple[float, float, float],
    end: tuple[list[float], list[float]],
    second: Second,
) -> tuple[list[float], list[float]]:
    """Return the changes of the first battery and of the second store in a good common plan.

    *energies* are the battery's lowest, highest and first; *end* is what its last energy costs.
    """
    low, high, first = energies
    reach = max(float(np.abs(way.curves.xs).max()) for way in ways)
    nodes = int((high - low) / max(reach, 1e-6) * 8)
    grid = grid_of(low, high, min(max(nodes, FEWEST_NODES), MOST_NODES))
    reaches = [reach_of(way.curves, grid) for way in ways]
    other = grid_of(second.low, max(second.high, second.low + 1e-3), SECOND_NODES)
    last = np.interp(grid.nodes, *end)[None] + np.interp(other.nodes, *second.end)[:, None]
    costs = _sweep(ways, reaches, grid, other, last)
    return _trace(ways, (grid, other), costs, (first, second.first))


def _sweep(
    ways: Sequence[Way], reaches: Sequence[Reach], grid: Grid, other: Grid, last: Floats
) -> Singles:
    slots = len(ways[0].moved)
    costs = np.empty((slots + 1, other.nodes.size, grid.nodes.size), dtype=np.float32)
    costs[slots] = last
    for slot in range(slots - 1, -1, -1):
        best = np.full(costs.shape[1:], NEVER, dtype=np.float32)
        for number in _different(ways, slot):
            after = _shifted(costs[slot + 1], other, ways[number].moved[slot])
            np.minimum(best, moved_by(after, reaches[number], slot), out=best)
        costs[slot] = best
    return costs


def _different(ways: Sequence[Way], slot: int) -> list[int]:
    """Return the numbers of the ways that differ in this slot."""
    seen: dict[float, int] = {}
    for number, way in enumerate(ways):
        seen.setdefault(round(way.moved[slot], 6), number)
    return list(seen.values())


def _shifted(after: Singles, other: Grid, moved: float) -> Singles:
    """Return the cost to come, by what the second store holds before it changes by *moved*.

    What does not fit in any more is left out; what is not there cannot be taken.
    """
    if moved == 0:
        return after
    top = other.nodes.size - 1
    wanted = np.arange(top + 1) + moved / other.step
    place = np.clip(wanted, 0, top)
    at = np.minimum(place.astype(np.int64), top - 1)
    share = (place - at).astype(np.float32)[:, None]
    shifted: Singles = after[at] * (np.float32(1.0) - share) + after[at + 1] * share
    shifted[wanted < -TINY] = NEVER
    return shifted


def moved_by(after: Singles, reach: Reach, slot: int) -> Singles:
    """Return the cost to come before the battery moves, by row and by its energy."""
    rows, count = after.shape
    width = reach.moves.shape[1]
    before = max(-reach.least, 0)
    margin = before + max(width + reach.least, 0)
    padded = np.full((rows, count + margin), NEVER, dtype=np.float32)
    padded[:, before : before + count] = after
    whole = padded[:, before + reach.least :]
    row, cell = whole.strides
    moved = np.lib.stride_tricks.as_strided(whole, (rows, width, count), (row, cell, cell))
    moves, at = reach.moves[slot].astype(np.float32), reach.at[slot]
    best: Singles = (moved + moves[None, :, None]).min(axis=1)
    share = reach.share[slot].astype(np.float32)[None, :, None]
    knots = moved[:, at] * (np.float32(1.0) - share) + moved[:, at + 1] * share
    knots += reach.cost[slot].astype(np.float32)[None, :, None]
    np.minimum(best, knots.min(axis=1), out=best)
    np.minimum(best, np.float32(NEVER), out=best)
    return best


def _trace(
    ways: Sequence[Way], grids: tuple[Grid, Grid], costs: Singles, first: tuple[float, float]
) -> tuple[list[float], list[float]]:
    (grid, other), (energy, held), nodes = grids, first, grids[0].nodes
    top = float(other.nodes[-1])
    changes, moves = [], []
    for slot in range(len(ways[0].moved)):
        best, change, move = float(NEVER) * 10, 0.0, 0.0
        for number in _different(ways, slot):
            way = ways[number]
            xs, ys = way.points[slot]
            reached = min(held + way.moved[slot], top)
            if reached < other.low - TINY:
                continue
            at = max((reached - other.low) / other.step, 0.0)
            place = min(int(at), other.nodes.size - 2)
            share = at - place
            after = costs[slot + 1, place] * (1.0 - share) + costs[slot + 1, place + 1] * share
            inside = nodes[(nodes >= energy + xs[0]) & (nodes <= energy + xs[-1])] - energy
            tried = np.concatenate([inside, xs])
            total = np.interp(tried + energy, nodes, after, left=NEVER, right=NEVER)
            total += np.interp(tried, xs, ys)
            place = int(total.argmin())
            if total[place] < best:
                best, change, move = float(total[place]), float(tried[place]), reached - held
        change = min(max(change, grid.low - energy), float(nodes[-1]) - energy)
        energy, held = energy + change, held + move
        changes.append(change)
        moves.append(move)
    return changes, moves
