"""Find the cheapest way: exact where the slots are convex, by nodes and polish where not.

Every answer carries a bound: the cheapest cost were every slot replaced by the convex curve
below it, which nothing can beat. Where all slots are convex the two are equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from ohmstead.compiled import Places, listed, numbers
from ohmstead.model import BatteryMode
from ohmstead.planner.bounds import Limits, bounds_of, end_of, limits_of
from ohmstead.planner.convex import Bounds, flat_of, valley_of
from ohmstead.planner.flows import Flows, settle
from ohmstead.planner.house import House, house_of
from ohmstead.planner.merge import (
    Flat,
    chosen,
    flat_hulls,
    flat_valleys,
    flat_walk,
    flat_worth,
    mirrored,
)
from ohmstead.planner.nodes import NEVER, Grid, grid_of, reach_of, sweep, sweep_within, trace
from ohmstead.planner.problem import Problem
from ohmstead.planner.self_use import self_use
from ohmstead.planner.slot import Curve, Curves, curve, curves_of, cut, runs

__all__ = [
    "Answer",
    "Look",
    "Nodes",
    "Task",
    "ahead",
    "best",
    "cost_of",
    "grid_for",
    "knots_of",
    "look_at",
    "missed_on",
    "polished",
    "solved",
    "task_of",
]

NODES_A_REACH = 14
"""How finely the most that one of the shorter slots can move is divided."""
FEWEST_NODES, MOST_NODES = 121, 801
WIDEST = 12.0
"""How much more the longest slots may move than those the nodes are made for."""
TAPER_FINER = 2
"""The steps of a taper fall on no node, so there are more of them."""
TOLERANCE_KWH = 1e-9

Floats = npt.NDArray[np.float64]
Points = list[tuple[list[float], list[float]]]


@dataclass(frozen=True)
class Task:
    """A problem made ready: its arrays, curves, bounds and end."""

    problem: Problem
    house: House
    curves: Curves
    bounds: Bounds
    end: Curve
    limits: Limits
    energy: float
    """What is stored before the first slot."""
    taken: tuple[Floats, ...] = ()
    """What the car, each load and each further battery takes beside the load, kWh a slot."""

    @cached_property
    def points(self) -> Points:
        """Return the knots of every slot's curve."""
        return self.curves.points()

    @cached_property
    def flat_end(self) -> Flat:
        """Return the end as kernels want it."""
        return flat_of([self.end])

    @cached_property
    def idle(self) -> tuple[list[float], Flows]:
        """Return the changes of energy with no plan, and what the slots do then."""
        changes = self_use(self.house, self.bounds, self.limits, self.energy)
        return changes, settle(self.house, changes)


@dataclass(frozen=True, slots=True)
class Answer:
    """The changes of energy of the plan, and how good they are."""

    changes: list[float]
    cost: float
    """With what is left counted, and whatever soft wish is missed."""
    bound: float
    """No plan costs less."""
    pieces: Flat
    """The convex piece of every slot that the plan is in."""
    after: Flat
    """The cost to come before each slot and after the last, within those pieces."""
    hulls: Flat
    """The convex curve below every slot; where it has all the knots, it is the slot's own."""
    bent: Places
    """The slots that are not convex."""
    modes: tuple[BatteryMode, ...] = ()
    """What every slot does, where changing it costs something."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """The cost to come by slot and node."""

    first: int
    """The slot of the first row."""
    grid: Grid
    costs: Floats


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a task before it is answered."""

    hulled: Answer
    nodes: Nodes | None
    """From the first or the second slot on; None where nothing after the first one bends."""


def task_of(problem: Problem, car: Floats | None = None) -> Task:
    """Return *problem* made ready to be solved, with *car* taken beside the load."""
    house = house_of(problem, car)
    curves = curves_of(house)
    bounds = bounds_of(problem, house)
    end = end_of(problem, bounds)
    limits, energy = limits_of(problem, house), float(problem.battery.energy_kwh)
    return Task(problem, house, curves, bounds, end, limits, energy)


def best(task: Task, look: Look | None = None) -> Answer:
    """Return the cheapest changes of energy, never dearer than those of no plan at all."""
    found = solved(task, look)
    if found.cost <= found.bound + TOLERANCE_KWH:
        return found
    idle, flows = task.idle
    if _cost_of(task, idle, flows) < found.cost - TOLERANCE_KWH:
        found = polished(task, idle, found)
    return found


def solved(task: Task, look: Look | None = None) -> Answer:
    """Return the cheapest changes of energy, with the bound that certifies them.

    *look* is a look at the same task, if there was one.
    """
    hulled, nodes = (_hulled(task), None) if look is None else (look.hulled, look.nodes)
    if task.limits.taper or len(hulled.bent):
        return polished(task, _searched(task, hulled, nodes), hulled)
    changes = listed(flat_walk(hulled.hulls, hulled.after, task.energy))
    return replace(hulled, changes=changes)


def _hulled(task: Task) -> Answer:
    """Return the cheapest cost, were every slot replaced by the convex curve below it."""
    hulls, bent = flat_hulls(task.curves.lines())
    possible, relaxed = flat_valleys(hulls, task.bounds.walls, task.flat_end)
    assert possible  # noqa: S101 - doing nothing is always possible
    bound = flat_worth(relaxed, 0, task.energy)
    return Answer([], bound, bound, hulls, relaxed, hulls, bent)


def ahead(task: Task, look: Look | None = None) -> tuple[list[float], list[float]]:
    """Return energies after the first slot, and the cost still to come with each of them."""
    look = look or look_at(task)
    if look.nodes is not None:
        return look.nodes.grid.nodes.tolist(), look.nodes.costs[1 - look.nodes.first].tolist()
    first = valley_of(look.hulled.after, 1)
    return first.knots(), first.costs()


def look_at(task: Task, another: Look | None = None) -> Look:
    """Return all that an answer and what is ahead have in common.

    *another* is a look at a task that differs in its first slot alone.
    """
    hulled = _hulled(task)
    if another is not None:
        return Look(hulled, another.nodes)
    bent = hulled.bent
    first = 0 if len(bent) and bent[0] == 0 and bent[-1] > 0 else 1
    return Look(hulled, _nodes(task, hulled, first))


def _nodes(task: Task, hulled: Answer, first: int) -> Nodes | None:
    """Return the nodes from slot *first* to the last that bends; after it all is exact without."""
    last = len(task.curves.counts) if task.limits.taper else 0
    last = last or (hulled.bent[-1] + 1 if len(hulled.bent) else 0)
    return _costs(task, range(first, last), hulled.after) if first < last else None


def _searched(task: Task, hulled: Answer, nodes: Nodes | None) -> list[float]:
    """Return good changes of energy, by the nodes, from the first slot to the last one that bends.

    Before the first of those and after the last everything is exact without nodes.
    """
    curves, count = task.curves, len(task.curves.counts)
    first = 0 if task.limits.taper else hulled.bent[0]
    if nodes is None or first < nodes.first:
        nodes = _nodes(task, hulled, first)
    assert nodes is not None  # noqa: S101 - there is a slot that bends
    grid, costs = nodes.grid, nodes.costs[first - nodes.first :]
    if task.limits.taper:
        return trace(curves, grid, costs, task.energy, task.limits)
    energy = _begun(task, hulled, first, grid, costs[0])
    last = hulled.bent[-1] + 1
    part = slice(first, last)
    curves = Curves(curves.xs[part], curves.ys[part], curves.counts[part])
    return [*([0.0] * first), *trace(curves, grid, costs, energy), *([0.0] * (count - last))]


def _begun(task: Task, hulled: Answer, first: int, grid: Grid, costs: Floats) -> float:
    """Return the best energy before slot *first*, up to which all slots are convex.

    The cheapest way from now to each energy is the convex programme again, the other way round.
    """
    if first == 0:
        return task.energy
    soft = [*task.bounds.soft[:first], None]  # at the last of them *costs* counts it already
    bounds = Bounds(
        task.bounds.lows[first::-1], task.bounds.highs[first::-1], soft[::-1], task.bounds.steep
    )
    now = flat_of([Curve(task.energy, 0.0, [], [])])
    possible, found = flat_valleys(mirrored(hulled.hulls, first), bounds.walls, now)
    assert possible  # noqa: S101 - doing nothing is always possible
    way = valley_of(found, 0)
    knots = way.knots()
    inside = grid.nodes[(grid.nodes > knots[0]) & (grid.nodes < knots[-1])]
    tried = np.concatenate([knots, inside])
    total = np.interp(tried, knots, way.costs()) + np.interp(tried, grid.nodes, costs)
    return float(tried[int(total.argmin())])


def _costs(task: Task, span: range, found: Flat) -> Nodes:
    """Return the cost to come by slot of *span* and node; after it, *found* knows it exactly."""
    grid = grid_for(task)
    after = valley_of(found, span.stop)
    knots = after.knots()
    nodes = grid.nodes
    end = np.interp(nodes, knots, after.costs())
    end[(nodes < knots[0] - TOLERANCE_KWH) | (nodes > knots[-1] + TOLERANCE_KWH)] = NEVER
    curves, part = task.curves, slice(span.start, span.stop)
    curves = Curves(curves.xs[part], curves.ys[part], curves.counts[part])
    extra = {
        index - span.start: missed_on(soft, task.bounds.steep, grid)
        for index, soft in enumerate(task.bounds.soft)
        if soft is not None and index in span
    }
    if task.limits.taper:
        reach = reach_of(curves, grid)
        costs = sweep_within(task.limits, task.points, span, reach, grid, end, extra)
    else:
        costs = sweep(curves, grid, end, extra)
    return Nodes(span.start, grid, costs)


def polished(task: Task, changes: list[float], hulled: Answer) -> Answer:
    """Return the exact best plan within the convex pieces that *changes* are in."""
    bounds = task.bounds
    if task.limits.taper:
        energies = list(accumulate(changes, initial=task.energy))
        bounds, points = _within_cells(task, energies)
        pieces = flat_of([_piece(*p, change) for p, change in zip(points, changes, strict=True)])
    else:
        pieces = chosen(task.curves.lines(), hulled.hulls, numbers(changes))
    possible, found = flat_valleys(pieces, bounds.walls, task.flat_end)
    if not possible:  # nothing but rounding can bring this about
        idle, flows = task.idle
        return replace(hulled, changes=idle, cost=_cost_of(task, idle, flows))
    exact = listed(flat_walk(pieces, found, task.energy))
    cost = flat_worth(found, 0, task.energy)
    return Answer(exact, cost, hulled.bound, pieces, found, hulled.hulls, hulled.bent)


def _within_cells(task: Task, energies: list[float]) -> tuple[Bounds, Points]:
    """Keep every energy in its step of the tapers, and so the powers at what they are there."""
    limits, bounds = task.limits, task.bounds
    spans = [limits.span(limits.cell(energy)) for energy in energies[:-1]]
    lows = [max(low, span[0]) for low, span in zip(bounds.lows, spans, strict=False)]
    highs = [min(high, span[1]) for high, span in zip(bounds.highs, spans, strict=False)]
    points = [
        cut(xs, ys, *limits.at(index, energy))
        for index, ((xs, ys), energy) in enumerate(zip(task.points, energies, strict=False))
    ]
    lows.append(bounds.lows[-1])
    highs.append(bounds.highs[-1])
    return replace(bounds, lows=lows, highs=highs), points


def cost_of(task: Task, changes: Sequence[float]) -> float:
    """Return what *changes* cost, counted as an answer's cost is."""
    return _cost_of(task, changes, settle(task.house, changes))


def _cost_of(task: Task, changes: Sequence[float], flows: Flows) -> float:
    total = float((flows.cost + flows.broken).sum())
    energies = list(accumulate(changes, initial=task.energy))
    for energy, soft in zip(energies, task.bounds.soft, strict=True):
        if soft is not None:
            total += task.bounds.steep * (max(soft[0] - energy, 0.0) + max(energy - soft[1], 0.0))
    return total + float(np.interp(energies[-1], *knots_of(task.end)))


def grid_for(task: Task) -> Grid:
    """Return the energies over which *task* is searched."""
    low, high = min(task.bounds.lows), max(task.bounds.highs)
    reaches = np.sort(np.abs(task.curves.xs).max(axis=1))
    reach = max(float(reaches[reaches.size // 4]), float(reaches[-1]) / WIDEST, 1e-6)
    finer = TAPER_FINER if task.limits.taper else 1
    wanted = int((high - low) / reach * NODES_A_REACH) * finer
    return grid_of(low, high, min(max(wanted, FEWEST_NODES), MOST_NODES * finer))


def knots_of(end: Curve) -> tuple[list[float], list[float]]:
    """Return the knots of a curve and the cost at each."""
    xs = list(accumulate(end.widths, initial=end.low))
    rises = (s * w for s, w in zip(end.slopes, end.widths, strict=True))
    return xs, list(accumulate(rises, initial=end.cost))


def missed_on(soft: tuple[float, float], steep: float, grid: Grid) -> Floats:
    """Return what missing a soft wish costs at each node."""
    short = np.maximum(soft[0] - grid.nodes, 0.0) + np.maximum(grid.nodes - soft[1], 0.0)
    missed: Floats = steep * short
    return missed


def _piece(xs: list[float], ys: list[float], change: float) -> Curve:
    found = runs(xs, ys)
    if len(found) == 1:
        return curve(xs, ys)
    first, last = next((run for run in found if change <= xs[run[1]] + TOLERANCE_KWH), found[-1])
    return curve(xs[first : last + 1], ys[first : last + 1])
