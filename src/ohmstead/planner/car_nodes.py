"""Battery and car over one grid of both: what the search with one at a time cannot see.

Where a limit binds both together, the battery must feed the car, or leave it the fuse, slot
by slot. A coarse grid over what the battery holds and what the car has got finds such plans;
it only gives the search another start.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmstead.planner.nodes import NEVER, Grid, Reach, grid_of, reach_of
from ohmstead.planner.slot import Curves

__all__ = ["Way", "joint_start"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

CAR_NODES = 41
MOST_NODES, FEWEST_NODES = 121, 61


@dataclass(frozen=True, slots=True)
class Way:
    """One choice of the car: its energy in each slot, and the slots' costs beside it."""

    taken: list[float]
    curves: Curves
    points: list[tuple[list[float], list[float]]]


def joint_start(
    ways: Sequence[Way],
    energies: tuple[float, float, float],
    needed: float,
    end: tuple[list[float], list[float]],
    lack_per_kwh: float,
) -> tuple[list[float], list[float]]:
    """Return the battery's changes and the car's energies of a good common plan.

    *energies* are the battery's lowest, highest and first; *end* is what the battery's last
    energy costs, *lack_per_kwh* what each kWh does that the car goes without.
    """
    low, high, first = energies
    reach = max(float(np.abs(way.curves.xs).max()) for way in ways)
    nodes = int((high - low) / max(reach, 1e-6) * 8)
    grid = grid_of(low, high, min(max(nodes, FEWEST_NODES), MOST_NODES))
    reaches = [reach_of(way.curves, grid) for way in ways]
    car = grid_of(0.0, max(needed, 1e-3), CAR_NODES)
    last = np.interp(grid.nodes, *end)[None] + (lack_per_kwh * (needed - car.nodes))[:, None]
    costs = _sweep(ways, reaches, grid, car, last)
    return _trace(ways, grid, car, costs, first)


def _sweep(
    ways: Sequence[Way], reaches: Sequence[Reach], grid: Grid, car: Grid, last: Floats
) -> Singles:
    slots = len(ways[0].taken)
    costs = np.empty((slots + 1, car.nodes.size, grid.nodes.size), dtype=np.float32)
    costs[slots] = last
    for slot in range(slots - 1, -1, -1):
        best = np.full(costs.shape[1:], NEVER, dtype=np.float32)
        for taken in _different(ways, slot):
            after = _shifted(costs[slot + 1], car, ways[taken].taken[slot])
            np.minimum(best, _moved(after, reaches[taken], slot), out=best)
        costs[slot] = best
    return costs


def _different(ways: Sequence[Way], slot: int) -> list[int]:
    """Return the numbers of the ways that differ in this slot."""
    seen: dict[float, int] = {}
    for number, way in enumerate(ways):
        seen.setdefault(round(way.taken[slot], 6), number)
    return list(seen.values())


def _shifted(after: Singles, car: Grid, taken: float) -> Singles:
    """Return the cost to come, by what the car has before it takes *taken*."""
    if taken <= 0:
        return after
    top = car.nodes.size - 1
    place = np.minimum(np.arange(top + 1) + taken / car.step, top)
    at = np.minimum(place.astype(np.int64), top - 1)
    share = (place - at).astype(np.float32)[:, None]
    shifted: Singles = after[at] * (np.float32(1.0) - share) + after[at + 1] * share
    return shifted


def _moved(after: Singles, reach: Reach, slot: int) -> Singles:
    """Return the cost to come before the battery moves, by the car's and the battery's energy."""
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
    ways: Sequence[Way], grid: Grid, car: Grid, costs: Singles, first: float
) -> tuple[list[float], list[float]]:
    energy, got, nodes = first, 0.0, grid.nodes
    changes, car_takes = [], []
    for slot in range(len(ways[0].taken)):
        best, change, takes = float(NEVER) * 10, 0.0, 0.0
        for number in _different(ways, slot):
            way = ways[number]
            xs, ys = way.points[slot]
            reached = min(got + way.taken[slot], float(car.nodes[-1]))
            place = min(int(reached / car.step), car.nodes.size - 2)
            share = reached / car.step - place
            after = costs[slot + 1, place] * (1.0 - share) + costs[slot + 1, place + 1] * share
            inside = nodes[(nodes >= energy + xs[0]) & (nodes <= energy + xs[-1])] - energy
            tried = np.concatenate([inside, xs])
            total = np.interp(tried + energy, nodes, after, left=NEVER, right=NEVER)
            total += np.interp(tried, xs, ys)
            place = int(total.argmin())
            if total[place] < best:
                best, change, takes = float(total[place]), float(tried[place]), way.taken[slot]
        change = min(max(change, grid.low - energy), float(nodes[-1]) - energy)
        takes = min(takes, float(car.nodes[-1]) - got)
        energy, got = energy + change, got + takes
        changes.append(change)
        car_takes.append(takes)
    return changes, car_takes
