"""The dynamic programme over a grid of energies, for slots that are not convex.

It decides which convex piece of every slot the plan uses; ``convex`` then finds the exact best
plan within those pieces. Between two nodes the cost to come is taken as straight. From each node
every other node within reach is tried, and every knot of the slot's curve: power limits and
"nothing over the meter" seldom fall on nodes.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ohmstead.compiled import COMPILED
from ohmstead.planner.bounds import Limits
from ohmstead.planner.loops import node_costs, node_walk
from ohmstead.planner.slot import Curves

__all__ = [
    "Grid",
    "Reach",
    "grid_of",
    "reach_of",
    "sweep",
    "sweep_within",
    "tabled_sweep",
    "tabled_trace",
    "trace",
]

Floats = npt.NDArray[np.float64]

Singles = npt.NDArray[np.float32]
Points = list[tuple[list[float], list[float]]]

SAME_KWH = 1e-12
ALMOST, TINY = 1.0 - 1e-9, 1e-9
"""Added before rounding down: to the node above, and to the one below, however they are rounded."""
NEVER = 1e12
"""The cost of what cannot be."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Energies, evenly spaced from the lowest to the highest."""

    low: float
    step: float
    nodes: Floats


@dataclass(frozen=True, slots=True)
class Reach:
    """Every slot's curve on a grid: a cost for each number of nodes moved, and the knots."""

    least: int
    """The lowest number of nodes moved, below 0 for discharging."""
    moves: Floats
    """Cost by slot and move."""
    at: npt.NDArray[np.int64]
    """The move just below each knot, counted from ``least``, by slot."""
    share: Floats
    """How far towards the next move the knot lies."""
    cost: Floats
    """At the knot."""


def grid_of(low: float, high: float, count: int) -> Grid:
    """Return *count* nodes from *low* to *high*."""
    high = max(high, low + 1e-6)
    nodes = np.linspace(low, high, count)
    return Grid(low, (high - low) / (count - 1), nodes)


def reach_of(curves: Curves, grid: Grid) -> Reach:
    """Return *curves* as moves over *grid*."""
    span = grid.nodes.size - 1
    last = np.take_along_axis(curves.xs, curves.counts[:, None] - 1, axis=1)
    least = max(int(np.floor(curves.xs[:, 0].min() / grid.step)), -span)
    most = min(int(np.ceil(last.max() / grid.step)) + 1, span)
    steps = np.arange(least, most + 1) * grid.step
    moves = np.full((curves.xs.shape[0], steps.size), NEVER)
    for row, (xs, ys) in zip(moves, curves.points(), strict=True):
        row[:] = np.interp(steps, xs, ys, left=NEVER, right=NEVER)
    place = curves.xs / grid.step - least
    at = np.floor(place).astype(np.int64)
    possible = (at >= 0) & (at < steps.size - 1)
    at = np.clip(at, 0, steps.size - 2)
    share = np.where(possible, place - at, 0.0)
    return Reach(least, moves, at, share, np.where(possible, curves.ys, NEVER))


def sweep(curves: Curves, grid: Grid, end: Floats, extra: dict[int, Floats]) -> Floats:
    """Return the cost to come by slot and node; the last row is *end*.

    *extra* is what it costs to be at a node before a slot.
    """
    if not COMPILED:
        return tabled_sweep(reach_of(curves, grid), grid, end, extra)
    missed = np.zeros((len(curves.counts) if extra else 0, end.size))
    for slot, costs in extra.items():
        missed[slot] = costs
    return node_costs((curves.xs, curves.ys, curves.counts), grid.step, end, missed)


def tabled_sweep(reach: Reach, grid: Grid, end: Floats, extra: dict[int, Floats]) -> Floats:
    """Return what ``sweep`` does, reckoned as tables."""
    inner, moved = _table(reach, grid, end)
    share, cost, moves = (
        part[:, :, None].astype(np.float32) for part in (reach.share, reach.cost, reach.moves)
    )
    rest = np.float32(1.0) - share
    work = np.empty(moved.shape[1:], dtype=np.float32)
    for slot in range(len(moved) - 2, -1, -1):
        after = moved[slot + 1]
        np.add(after, moves[slot], out=work)
        knots = after[reach.at[slot]]
        knots *= rest[slot]
        knots += after[reach.at[slot] + 1] * share[slot]
        knots += cost[slot]
        np.minimum(work.min(axis=0), knots.min(axis=0), out=inner[slot])
        if slot in extra:
            inner[slot] += extra[slot]
        np.minimum(inner[slot], NEVER, out=inner[slot])
    return inner.astype(np.float64)


def sweep_within(
    limits: Limits,
    points: Points,
    span: range,
    reach: Reach,
    grid: Grid,
    end: Floats,
    extra: dict[int, Floats],
) -> Floats:
    """Do what ``sweep`` does for the slots of *span*, where power depends on what is stored.

    Moves and knots beyond a node's power are out of reach; the most that it has power for, each
    way, is tried instead.
    """
    inner, moved = _table(reach, grid, end)
    nodes = grid.nodes
    moves, cost = reach.moves[:, :, None].astype(np.float32), reach.cost[:, :, None]
    share = reach.share[:, :, None]
    work = np.empty(moved.shape[1:], dtype=np.float32)
    edges: dict[tuple[float, ...], _Edges] = {}
    for slot in range(len(span) - 1, -1, -1):
        number = span[slot]
        key = (limits.up[number], limits.down[number], limits.standby[number])
        if key not in edges:
            edges[key] = _edges(limits, number, reach, grid)
        edge, (xs, ys), after = edges[key], points[number], moved[slot + 1]
        np.add(after, moves[slot], out=work)
        np.add(work, edge.beyond, out=work)
        knot = grid.step * (reach.least + reach.at[slot][:, None] + share[slot])
        knots = after[reach.at[slot]] * (1.0 - share[slot])
        knots += after[reach.at[slot] + 1] * share[slot] + cost[slot]
        knots[(knot > edge.most + SAME_KWH) | (knot < edge.least - SAME_KWH)] = NEVER
        tried = np.clip(np.stack([edge.least, edge.most]), xs[0], xs[-1])
        ends = np.interp(nodes + tried, nodes, inner[slot + 1], left=NEVER, right=NEVER)
        ends += np.interp(tried, xs, ys)
        np.minimum(work.min(axis=0), knots.min(axis=0), out=inner[slot], casting="same_kind")
        np.minimum(inner[slot], ends.min(axis=0), out=inner[slot], casting="same_kind")
        if slot in extra:
            inner[slot] += extra[slot]
        np.minimum(inner[slot], NEVER, out=inner[slot])
    return inner.astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Edges:
    """How far each node's power reaches in slots of one kind."""

    least: Floats
    most: Floats
    beyond: Singles
    """By move and node: nothing within reach, too much to be chosen beyond."""


def _edges(limits: Limits, slot: int, reach: Reach, grid: Grid) -> _Edges:
    both = np.array([limits.at(slot, energy) for energy in grid.nodes.tolist()])
    least, most = both[:, 0], both[:, 1]
    steps = (reach.least + np.arange(reach.moves.shape[1]))[:, None] * grid.step
    outside = (steps > most + SAME_KWH) | (steps < least - SAME_KWH)
    return _Edges(least, most, np.where(outside, NEVER, 0.0).astype(np.float32))


def _table(reach: Reach, grid: Grid, end: Floats) -> tuple[Singles, Singles]:
    """Return room for all costs, and the same room seen by slot, move and node.

    Beside the nodes there is margin that cannot be reached, so that every move is a plain
    shift of a row: no copies, no conditions. Single precision is plenty for choosing pieces,
    and twice as fast.
    """
    slots, width = reach.moves.shape
    count = grid.nodes.size
    before = max(-reach.least, 0)
    margin = before + max(width + reach.least, 0)
    padded = np.full((slots + 1, count + margin), NEVER, dtype=np.float32)
    inner = padded[:, before : before + count]
    inner[slots] = end
    whole = padded[:, before + reach.least :]
    row, cell = whole.strides
    shape = (slots + 1, width, count)
    return inner, np.lib.stride_tricks.as_strided(whole, shape, (row, cell, cell))


def trace(
    curves: Curves, grid: Grid, costs: Floats, energy: float, limits: Limits | None = None
) -> list[float]:
    """Return the change of energy of every slot, beginning with *energy*, by the swept costs."""
    if limits is None and COMPILED:
        return node_walk(
            (curves.xs, curves.ys, curves.counts), grid.nodes, grid.low, grid.step, costs, energy
        )
    return tabled_trace(curves.points(), grid, costs, energy, limits)


def tabled_trace(
    points: Points, grid: Grid, costs: Floats, energy: float, limits: Limits | None = None
) -> list[float]:
    """Return what ``trace`` does, a table for each slot."""
    changes = []
    nodes, high, low, step = grid.nodes, float(grid.nodes[-1]), grid.low, grid.step
    for slot, ((xs, ys), after) in enumerate(zip(points, costs[1:], strict=True)):
        first = max(int((energy + xs[0] - low) / step + ALMOST), 0)
        last = max(int((energy + xs[-1] - low) / step + TINY) + 1, 0)
        tried = np.concatenate([nodes[first:last] - energy, xs])
        ends = np.array(xs) + energy
        if limits is not None:
            least, most = limits.at(slot, energy)
            within = tried[(tried >= least) & (tried <= most)]
            tried = np.concatenate([within, [max(least, xs[0]), min(most, xs[-1])]])
            ends = tried + energy
        total = np.interp(ends, nodes, after, left=NEVER, right=NEVER)
        if limits is None:
            total = np.concatenate([after[first:last], total])
        total += np.interp(tried, xs, ys, left=NEVER, right=NEVER)
        change = float(tried[int(total.argmin())])
        change = min(max(change, grid.low - energy), high - energy)
        energy += change
        changes.append(change)
    return changes
