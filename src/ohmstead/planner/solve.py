"""Find the cheapest way: exact where the slots are convex, by nodes and polish where not.

Every answer carries a bound: the cheapest cost were every slot replaced by the convex curve
below it, which nothing can beat. Where all slots are convex the two are equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from ohmstead.model import BatteryMode
from ohmstead.planner.bounds import Limits, bounds_of, end_of, limits_of
from ohmstead.planner.convex import Bounds, Valley, valleys, walk, worth_at
from ohmstead.planner.house import House, house_of, settle
from ohmstead.planner.nodes import NEVER, Grid, grid_of, reach_of, sweep, sweep_within, trace
from ohmstead.planner.problem import Problem
from ohmstead.planner.self_use import self_use
from ohmstead.planner.slot import Curve, Curves, curve, curves_of, cut, hull, runs

__all__ = [
    "Answer",
    "Task",
    "ahead",
    "best",
    "cost_of",
    "first_change",
    "grid_for",
    "knots_of",
    "missed_on",
    "polished",
    "solved",
    "task_of",
]

NODES_A_REACH = 14
"""How finely the most that one of the shorter slots can move is divided."""
FEWEST_NODES, MOST_NODES = 201, 801
WIDEST = 12.0
"""How much more the longest slots may move than those the nodes are made for."""
TAPER_FINER = 2
"""The steps of a taper fall on no node, so there are more of them."""
TOLERANCE_KWH = 1e-9
LEVEL = 1e-7

Floats = npt.NDArray[np.float64]
Points = list[tuple[list[float], list[float]]]


@dataclass(frozen=True, slots=True)
class Task:
    """A problem made ready: its arrays, curves, bounds and end."""

    problem: Problem
    house: House
    curves: Curves
    points: Points
    bounds: Bounds
    end: Curve
    limits: Limits
    energy: float
    """What is stored before the first slot."""
    taken: tuple[Floats, ...] = ()
    """What the car, each load and each further battery takes beside the load, kWh a slot."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The changes of energy of the plan, and how good they are."""

    changes: list[float]
    cost: float
    """With what is left counted, and whatever soft wish is missed."""
    bound: float
    """No plan costs less."""
    pieces: list[Curve]
    """The convex piece of every slot that the plan is in."""
    after: list[Valley]
    """The cost to come before each slot and after the last, within those pieces."""
    hulls: list[Curve]
    """The convex curve below every slot; where it has all the knots, it is the slot's own."""
    modes: tuple[BatteryMode, ...] = ()
    """What every slot does, where changing it costs something."""


def task_of(problem: Problem, car: Floats | None = None) -> Task:
    """Return *problem* made ready to be solved, with *car* taken beside the load."""
    house = house_of(problem, car)
    curves = curves_of(house)
    bounds = bounds_of(problem, house)
    end = end_of(problem, bounds)
    limits, energy = limits_of(problem, house), problem.battery.energy_kwh
    return Task(problem, house, curves, curves.points(), bounds, end, limits, energy)


def best(task: Task) -> Answer:
    """Return the cheapest changes of energy, never dearer than those of no plan at all."""
    found = solved(task)
    if found.cost <= found.bound + TOLERANCE_KWH:
        return found
    idle = self_use(task.house, task.bounds, task.limits, task.energy)
    if cost_of(task, idle) < found.cost - TOLERANCE_KWH:
        found = polished(task, idle, found)
    return found


def solved(task: Task) -> Answer:
    """Return the cheapest changes of energy, with the bound that certifies them."""
    pieces = [curve(*hull(xs, ys)) for xs, ys in task.points]
    relaxed = valleys(pieces, task.bounds, task.end)
    assert relaxed is not None  # noqa: S101 - doing nothing is always possible
    bound = worth_at(relaxed[0], task.energy)
    if _is_convex(task):
        return Answer(walk(pieces, relaxed, task.energy), bound, bound, pieces, relaxed, pieces)
    return polished(task, _searched(task), Answer([], 0.0, bound, pieces, relaxed, pieces))


def first_change(task: Task) -> float:
    """Return the best change of energy of the first slot alone, for those who plan anew after it.

    Cheaper than a plan: nothing later is spelled out, and nothing is certified. Of changes that
    cost the same it is the smallest, as in a plan.
    """
    energies, costs = ahead(task)
    xs, ys = task.points[0]
    least, most = task.limits.at(0, task.energy)
    least, most = max(least, xs[0]), min(most, xs[-1])
    tried = np.concatenate([np.clip(xs, least, most), np.array(energies) - task.energy])
    tried = tried[(tried >= least) & (tried <= most)]
    total = np.interp(tried, xs, ys)
    total += np.interp(tried + task.energy, energies, costs, left=NEVER, right=NEVER)
    close = total <= total.min() + LEVEL * task.house.dearest
    return float(tried[close].min())


def ahead(task: Task) -> tuple[list[float], list[float]]:
    """Return energies after the first slot, and the cost still to come with each of them."""
    if not _is_convex(task):
        grid, costs = _costs(task)
        return grid.nodes.tolist(), costs[1].tolist()
    found = valleys([curve(xs, ys) for xs, ys in task.points], task.bounds, task.end)
    assert found is not None  # noqa: S101 - doing nothing is always possible
    first = found[1]
    rises = (slope * width for slope, width in zip(first.slopes, first.widths, strict=True))
    return first.knots(), list(accumulate(rises, initial=first.cost))


def _is_convex(task: Task) -> bool:
    return not task.limits.taper and all(len(runs(xs, ys)) == 1 for xs, ys in task.points)


def _searched(task: Task) -> list[float]:
    """Return good changes of energy, by the nodes."""
    grid, costs = _costs(task)
    limits = task.limits if task.limits.taper else None
    return trace(task.points, grid, costs, task.energy, limits)


def _costs(task: Task) -> tuple[Grid, Floats]:
    """Return the cost to come by slot and node."""
    grid = grid_for(task)
    end = np.interp(grid.nodes, *knots_of(task.end))
    extra = {
        index: missed_on(soft, task.bounds.steep, grid)
        for index, soft in enumerate(task.bounds.soft)
        if soft is not None
    }
    last = len(task.points)
    if last in extra:
        end += extra[last]
    reach = reach_of(task.curves, grid)
    if task.limits.taper:
        return grid, sweep_within(task.limits, task.points, reach, grid, end, extra)
    return grid, sweep(reach, grid, end, extra)


def polished(task: Task, changes: list[float], hulled: Answer) -> Answer:
    """Return the exact best plan within the convex pieces that *changes* are in."""
    energies = list(accumulate(changes, initial=task.energy))
    bounds, points = task.bounds, task.points
    if task.limits.taper:
        bounds, points = _within_cells(task, energies)
    pieces = [
        known
        if points is task.points and len(xs) == len(known.slopes) + 1
        else _piece(xs, ys, change)
        for (xs, ys), change, known in zip(points, changes, hulled.hulls, strict=True)
    ]
    found = valleys(pieces, bounds, task.end)
    if found is None:  # nothing but rounding can bring this about
        return replace(hulled, changes=changes, cost=cost_of(task, changes))
    exact = walk(pieces, found, energies[0])
    cost = worth_at(found[0], energies[0])
    return Answer(exact, cost, hulled.bound, pieces, found, hulled.hulls)


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
    flows = settle(task.house, changes)
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
