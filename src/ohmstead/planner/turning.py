"""Fewer changes of mode, where each is to count for something.

A battery that turns round every five minutes earns little by it and wears its relays. With a
cost for every change the nodes have a second dimension, the mode of the slot before. Serving the
house, holding and selling the sun follow what house and sun do, until the battery is empty or
full; a charge and a discharge have a power of their own, clearly above what following would move.
Whoever follows the plan can do nothing in between, so neither does the plan.

Charges and discharges are left out or done otherwise, and short gaps between them are closed;
none is added far from where the plan without the cost has one. For forecasts are wrong, and what
was sold is missing later: to sell early what would fetch the same later saves a change, and loses
more. The bound does not know of the cost, so the gap holds all of it that is paid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

import numpy as np
import numpy.typing as npt

from ohmstead.model import BatteryMode
from ohmstead.planner.flows import even
from ohmstead.planner.house import Floats
from ohmstead.planner.joint_nodes import moved_by
from ohmstead.planner.merge import flat_hulls
from ohmstead.planner.nodes import NEVER, Grid, Reach, reach_of
from ohmstead.planner.problem import Problem
from ohmstead.planner.slot import curves_through, cut
from ohmstead.planner.solve import Answer, Task, cost_of, grid_for, knots_of, missed_on, polished

__all__ = ["MODES", "counted", "steadied", "turns_of"]

MODES = (
    BatteryMode.SELF_USE,
    BatteryMode.HOLD,
    BatteryMode.EXPORT_SOLAR,
    BatteryMode.CHARGE,
    BatteryMode.DISCHARGE,
)
SAME_KWH = 1e-6
ALMOST_KWH = 1e-5
NEAR_H = 0.25 + 1e-9
"""So far from a charge or a discharge of the free plan another one may stand."""
CLEARLY = 0.05
"""Of full power: by so much more than following would, a charge or a discharge moves at least."""
TRIES = 2


@dataclass(frozen=True, slots=True)
class _Way:
    """What a mode may change in each slot."""

    least: list[float]
    most: list[float]
    goal: list[float] | None
    """The change it makes while the battery is neither empty nor full; None is any it likes."""
    open: list[bool]
    """Whether it is a way to behave in this slot at all."""


def turns_of(problem: Problem, modes: Sequence[BatteryMode]) -> int:
    """Return how often the mode changes, from what it was before on."""
    before = () if problem.mode_before is None else (problem.mode_before,)
    return sum(one is not two for one, two in pairwise((*before, *modes)))


def steadied(task: Task, answer: Answer) -> Answer:
    """Return the plan that is best when every change of mode costs something, if it does."""
    if task.problem.switch_cost <= 0:
        return answer
    ways = _ways(task, answer.changes)
    idle, _ = task.idle
    found = counted(task, answer)
    tried = [_searched(task, ways)]
    if _fits(task, ways[0], 0, task.energy, idle[0]):
        tried.append((idle, [0] * len(idle)))
    for changes, modes in tried:
        other = _settled(task, answer, ways, changes, modes)
        if other.cost < found.cost:
            found = other
    return found


def counted(task: Task, answer: Answer) -> Answer:
    """Return *answer* with as few modes as its changes allow, and their changes paid for."""
    if task.problem.switch_cost <= 0:
        return answer
    ways = _ways(task, answer.changes)
    modes = _labelled(task, ways, answer.changes)
    named = tuple(MODES[number] for number in modes)
    paid = task.problem.switch_cost * turns_of(task.problem, named)
    free = replace(answer, cost=answer.cost + paid, modes=named)
    found = _settled(task, answer, ways, answer.changes, modes)
    return found if found.cost < free.cost else free


def _settled(
    task: Task,
    answer: Answer,
    ways: Sequence[_Way],
    changes: Sequence[float],
    numbers: Sequence[int],
) -> Answer:
    """Return the best plan in which every slot keeps its mode, begun from *changes*."""
    found = answer
    for _ in range(TRIES):
        points = []
        for slot, (number, (xs, ys)) in enumerate(zip(numbers, task.points, strict=True)):
            way, change = ways[number], changes[slot]
            follows = way.goal is not None
            least = change if follows else min(way.least[slot], change)
            most = change if follows else max(way.most[slot], change)
            points.append(cut(xs, ys, least, most))
        within = replace(task, curves=curves_through(points))
        hulls, _ = flat_hulls(within.curves.lines())
        found = polished(within, list(changes), replace(answer, hulls=hulls))
        # With another charge before, what serves the house may be empty sooner or later.
        again = _kept(task, ways, found.changes, numbers)
        if np.allclose(again, found.changes, rtol=0, atol=SAME_KWH):
            break
        changes = again
    modes = tuple(MODES[number] for number in numbers)
    cost = cost_of(task, found.changes) + task.problem.switch_cost * turns_of(task.problem, modes)
    if not _possible(task, ways, found.changes, numbers):
        cost = inf
    own = answer.cost - _plain(task, answer)  # of what is planned beside the battery
    return replace(found, cost=cost + own, hulls=answer.hulls, modes=modes)


def _kept(
    task: Task, ways: Sequence[_Way], changes: Sequence[float], numbers: Sequence[int]
) -> list[float]:
    """Return *changes* where every slot that follows does what it does with so much stored."""
    energy, found = task.energy, []
    for slot, (number, change) in enumerate(zip(numbers, changes, strict=True)):
        followed = _followed(task, ways[number], slot, energy)
        low, high = task.bounds.lows[slot + 1] - energy, task.bounds.highs[slot + 1] - energy
        done = min(max(change, low), high) if followed is None else followed
        found.append(done)
        energy += done
    return found


def _possible(
    task: Task, ways: Sequence[_Way], changes: Sequence[float], numbers: Sequence[int]
) -> bool:
    """Return whether the modes can be kept at all, and the battery's limits with them."""
    energy = task.energy
    for slot, (number, change) in enumerate(zip(numbers, changes, strict=True)):
        xs, _ = task.points[slot]
        least, most = task.limits.at(slot, energy)
        least, most = max(least, xs[0]) - ALMOST_KWH, min(most, xs[-1]) + ALMOST_KWH
        fits = _fits(task, ways[number], slot, energy, change)
        energy += change
        inside = task.bounds.lows[slot + 1] - ALMOST_KWH <= energy
        inside &= energy <= task.bounds.highs[slot + 1] + ALMOST_KWH
        if not (fits and inside and least <= change <= most):
            return False
    return True


def _plain(task: Task, answer: Answer) -> float:
    paid = task.problem.switch_cost * turns_of(task.problem, answer.modes) if answer.modes else 0.0
    return cost_of(task, answer.changes) + paid


def _ways(task: Task, changes: Sequence[float]) -> list[_Way]:
    """Return what each of the modes may do, beside a plan of *changes*."""
    house, planned = task.house, np.array(changes)
    least = -house.discharge / house.delivered - house.standby
    most = house.charge * house.stored - house.standby
    still = -house.standby
    flow = house.pv - even(house)
    served = np.where(flow > 0, flow * house.stored, flow / house.delivered) - house.standby
    served = np.clip(served, least, most)
    low, high = np.minimum(served, still), np.maximum(served, still)
    clearly = CLEARLY * (most - least)
    charge, discharge = high + clearly, low - clearly
    ends = np.cumsum(task.problem.columns[0])
    beside = np.abs(ends[:, None] - ends) <= NEAR_H

    def near(there: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = (beside & there).any(axis=1)
        return found

    # Where both come to the same in the forecast, the house is served: forecasts are wrong.
    parts = (
        (low, high, served, np.ones_like(still, bool)),
        (still, high, high, flow < 0),
        (low, still, low, flow > 0),
        (charge, most, None, (charge <= most) & near(planned > high + ALMOST_KWH)),
        (least, discharge, None, (least <= discharge) & near(planned < low - ALMOST_KWH)),
    )
    return [
        _Way(first.tolist(), last.tolist(), None if goal is None else goal.tolist(), open_.tolist())
        for first, last, goal, open_ in parts
    ]


def _followed(task: Task, way: _Way, slot: int, energy: float) -> float | None:
    """Return what a mode that follows changes with *energy* stored; None for the others."""
    if way.goal is None:
        return None
    least, most = task.limits.at(slot, energy)
    change = min(max(way.goal[slot], least), most)
    low, high = task.bounds.lows[slot + 1] - energy, task.bounds.highs[slot + 1] - energy
    return min(max(change, low), high)


def _fits(task: Task, way: _Way, slot: int, energy: float, change: float) -> bool:
    """Tell whether a mode may make *change*, as far as *change* may be chosen at all."""
    if not way.open[slot]:
        return False
    followed = _followed(task, way, slot, energy)
    if followed is not None:
        return abs(change - followed) <= ALMOST_KWH
    return way.least[slot] - ALMOST_KWH <= change <= way.most[slot] + ALMOST_KWH


def _labelled(task: Task, ways: Sequence[_Way], changes: Sequence[float]) -> list[int]:
    """Return a mode for each slot that its change belongs to, with as few changes as can be."""
    before, energy = task.problem.mode_before, task.energy
    every = set(range(len(MODES)))
    open_: set[int] = {MODES.index(before)} if before in MODES else every
    runs: list[tuple[int, set[int]]] = []
    for slot, change in enumerate(changes):
        fit = {n for n, way in enumerate(ways) if _fits(task, way, slot, energy, change)}
        fit = fit or {_nearest(ways, slot, change)}
        energy += change
        both = open_ & fit
        if runs and both:
            runs[-1] = (runs[-1][0], both)
        else:
            runs.append((slot, both or fit))
        open_ = runs[-1][1]
    ends = [start for start, _ in runs[1:]] + [len(changes)]
    numbers: list[int] = []
    for (start, fit), stop in zip(runs, ends, strict=True):
        numbers += [min(fit)] * (stop - start)
    return numbers


def _nearest(ways: Sequence[_Way], slot: int, change: float) -> int:
    """Return the mode of a change that no mode makes: it serves a part, or moves too little."""
    serving = ways[0]
    if serving.least[slot] - SAME_KWH <= change <= serving.most[slot] + SAME_KWH:
        return 0
    up, down = MODES.index(BatteryMode.CHARGE), MODES.index(BatteryMode.DISCHARGE)
    return up if change > serving.most[slot] else down


# ---- the nodes, with the mode beside the energy --------------------------------------------


def _searched(task: Task, ways: Sequence[_Way]) -> tuple[list[float], list[int]]:
    """Return good changes of energy and their modes."""
    grid = grid_for(task)
    reaches = [_reach(task, way, grid) for way in ways]
    slots, cost = len(task.points), task.problem.switch_cost
    end = np.interp(grid.nodes, *knots_of(task.end))
    ahead = np.empty((slots + 1, len(MODES), grid.nodes.size))
    ahead[slots] = end + _missed(task, slots, grid)
    for slot in range(slots - 1, -1, -1):
        # What is to come when this slot has each mode: the next one may keep or change it.
        after = np.minimum(ahead[slot + 1], ahead[slot + 1].min(axis=0) + cost)
        if slot == slots - 1:
            after = ahead[slots]
        now = [
            _following(task, way, slot, grid, later)
            if reach is None
            else _moved(task, way, slot, later, reach)
            for way, reach, later in zip(ways, reaches, after, strict=True)
        ]
        ahead[slot] = np.minimum(np.stack(now) + _missed(task, slot, grid), NEVER)
    return _traced(task, ways, grid, ahead)


def _missed(task: Task, slot: int, grid: Grid) -> Floats:
    soft = task.bounds.soft[slot]
    return 0.0 * grid.nodes if soft is None else missed_on(soft, task.bounds.steep, grid)


def _reach(task: Task, way: _Way, grid: Grid) -> Reach | None:
    """Return the moves of a mode with a power of its own; None for those that follow."""
    if way.goal is not None:
        return None
    points = [
        cut(*line, min(least, most), most)
        for line, least, most in zip(task.points, way.least, way.most, strict=True)
    ]
    return reach_of(curves_through(points), grid)


def _open(task: Task, way: _Way, slot: int) -> bool:
    """Tell whether the slot's curve has a part for this mode: its change may be fixed."""
    (xs, _), least, most = task.points[slot], way.least[slot], way.most[slot]
    return way.open[slot] and least <= xs[-1] + SAME_KWH and most >= xs[0] - SAME_KWH


def _moved(task: Task, way: _Way, slot: int, after: Floats, reach: Reach) -> Floats:
    # There may be no move at all: more than the battery can hold.
    if not _open(task, way, slot) or reach.moves.shape[1] == 0:
        return np.full_like(after, NEVER)
    best: Floats = moved_by(after[None].astype(np.float32), reach, slot)[0].astype(np.float64)
    return best


def _following(task: Task, way: _Way, slot: int, grid: Grid, after: Floats) -> Floats:
    """Return the cost to come where the battery follows until it is empty or full."""
    assert way.goal is not None  # noqa: S101 - it follows
    xs, ys = task.points[slot]
    reached = np.clip(grid.nodes + way.goal[slot], grid.nodes[0], grid.nodes[-1])
    change = reached - grid.nodes
    cost = np.interp(change, xs, ys)
    cost[(change < xs[0] - SAME_KWH) | (change > xs[-1] + SAME_KWH)] = NEVER
    if not way.open[slot]:
        cost[:] = NEVER
    total: Floats = cost + np.interp(reached, grid.nodes, after)
    return total


def _traced(
    task: Task, ways: Sequence[_Way], grid: Grid, ahead: Floats
) -> tuple[list[float], list[int]]:
    problem, nodes = task.problem, grid.nodes
    before = problem.mode_before
    mode = MODES.index(before) if before in MODES else -1
    energy, changes, numbers = task.energy, [], []
    for slot, (xs, ys) in enumerate(task.points):
        best = (NEVER * 10, 0.0, 0)
        after = ahead[slot + 1]
        if slot + 1 < len(task.points):
            after = np.minimum(after, after.min(axis=0) + problem.switch_cost)
        for number, way in enumerate(ways):
            tried = _tried(task, way, slot, energy, nodes)
            tried = tried[(tried >= xs[0] - SAME_KWH) & (tried <= xs[-1] + SAME_KWH)]
            if not tried.size:
                continue
            total = np.interp(tried, xs, ys) + np.interp(tried + energy, nodes, after[number])
            place = int(total.argmin())
            cost = float(total[place]) + problem.switch_cost * (mode not in {-1, number})
            best = min(best, (cost, float(tried[place]), number))
        change = min(max(best[1], grid.low - energy), float(nodes[-1]) - energy)
        mode, energy = best[2], energy + change
        changes.append(change)
        numbers.append(mode)
    return changes, numbers


def _tried(task: Task, way: _Way, slot: int, energy: float, nodes: Floats) -> Floats:
    """Return the changes to try: the one of a mode that follows, or all that reach a node."""
    if not way.open[slot]:
        return np.empty(0)
    followed = _followed(task, way, slot, energy)
    if followed is not None:
        return np.array([followed])
    least, most = task.limits.at(slot, energy)
    least, most = max(least, way.least[slot]), min(most, way.most[slot])
    xs, _ = task.points[slot]
    inside = [x for x in (least, *xs, most) if least <= x <= most]
    between = nodes[(nodes > energy + least) & (nodes < energy + most)] - energy
    tried = np.concatenate([between, inside])
    found: Floats = tried[(tried + energy >= nodes[0]) & (tried + energy <= nodes[-1])]
    return found
