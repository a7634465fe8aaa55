"""Fewer changes of mode, where each is to count for something.

A battery that turns round every five minutes earns little by it and wears its relays. With a
cost for every change the nodes have a second dimension, the mode of the slot before: charging,
discharging, serving the house, or standing still. Each mode has its part of a slot's curve;
the exact plan within the parts chosen follows as always. The bound does not know of the cost,
so the gap holds all of it that is paid.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf

import numpy as np

from ohmstead.model import BatteryMode
from ohmstead.planner.flows import even
from ohmstead.planner.house import Floats
from ohmstead.planner.joint_nodes import moved_by
from ohmstead.planner.merge import flat_hulls
from ohmstead.planner.nodes import NEVER, Grid, Reach, reach_of
from ohmstead.planner.problem import Problem
from ohmstead.planner.slot import curves_through, cut
from ohmstead.planner.solve import Answer, Task, cost_of, grid_for, knots_of, missed_on, polished

__all__ = ["MODES", "counted", "held", "steadied", "turns_of"]

Points = list[tuple[list[float], list[float]]]

MODES = (BatteryMode.SELF_USE, BatteryMode.HOLD, BatteryMode.CHARGE, BatteryMode.DISCHARGE)
SAME_KWH = 1e-6
ALMOST_KWH = 1e-5


def turns_of(problem: Problem, modes: Sequence[BatteryMode]) -> int:
    """Return how often the mode changes, from what it was before on."""
    before = () if problem.mode_before is None else (problem.mode_before,)
    return sum(one is not two for one, two in pairwise((*before, *modes)))


def steadied(task: Task, answer: Answer) -> Answer:
    """Return the plan that is best when every change of mode costs something, if it does."""
    if task.problem.switch_cost <= 0:
        return answer
    parts = _parts(task)
    idle, _ = task.idle
    found = counted(task, answer)
    for changes, modes in ((idle, [0] * len(idle)), _searched(task, parts)):
        tried = _settled(task, answer, parts, changes, modes)
        if tried.cost < found.cost:
            found = tried
    return found


def counted(task: Task, answer: Answer) -> Answer:
    """Return *answer* with as few modes as its changes allow, and their changes paid for."""
    if task.problem.switch_cost <= 0:
        return answer
    parts = _parts(task)
    modes = _labelled(task, parts, answer.changes)
    found = _settled(task, answer, parts, answer.changes, modes)
    if found.cost < inf:
        return found
    named = tuple(MODES[number] for number in modes)  # only rounding can bring this about
    paid = task.problem.switch_cost * turns_of(task.problem, named)
    return replace(answer, cost=answer.cost + paid, modes=named)


def held(task: Task, answer: Answer, modes: Sequence[BatteryMode]) -> Answer:
    """Return the exact best plan in which every slot has its mode of *modes*."""
    numbers = [MODES.index(mode) for mode in modes]
    return _settled(task, answer, _parts(task), answer.changes, numbers)


def _settled(
    task: Task,
    answer: Answer,
    parts: Sequence[Points],
    changes: Sequence[float],
    numbers: Sequence[int],
) -> Answer:
    """Return the exact best plan in which every slot keeps its mode."""
    points = [parts[number][slot] for slot, number in enumerate(numbers)]
    within = replace(task, curves=curves_through(points))
    hulls, _ = flat_hulls(within.curves.lines())
    found = polished(within, list(changes), replace(answer, hulls=hulls))
    modes = tuple(MODES[number] for number in numbers)
    cost = cost_of(task, found.changes) + task.problem.switch_cost * turns_of(task.problem, modes)
    if not _possible(task, points, found.changes):
        cost = inf
    own = answer.cost - _plain(task, answer)  # of what is planned beside the battery
    return replace(found, cost=cost + own, hulls=answer.hulls, modes=modes)


def _possible(task: Task, points: Points, changes: Sequence[float]) -> bool:
    """Return whether the modes can be kept at all, and the battery's limits with them."""
    energy = task.energy
    for slot, (change, (xs, _)) in enumerate(zip(changes, points, strict=True)):
        least, most = task.limits.at(slot, energy)
        least, most = max(least, xs[0]) - ALMOST_KWH, min(most, xs[-1]) + ALMOST_KWH
        energy += change
        inside = task.bounds.lows[slot + 1] - ALMOST_KWH <= energy
        inside &= energy <= task.bounds.highs[slot + 1] + ALMOST_KWH
        if not (inside and least <= change <= most):
            return False
    return True


def _plain(task: Task, answer: Answer) -> float:
    paid = task.problem.switch_cost * turns_of(task.problem, answer.modes) if answer.modes else 0.0
    return cost_of(task, answer.changes) + paid


def _parts(task: Task) -> list[Points]:
    """Return the part of every slot's curve that belongs to each mode."""
    house = task.house
    flow = house.pv - even(house)
    served = np.where(flow > 0, flow * house.stored, flow / house.delivered) - house.standby
    found: list[Points] = [[], [], [], []]
    for (xs, ys), serves, still in zip(
        task.points, served.tolist(), (-house.standby).tolist(), strict=True
    ):
        low, high = min(serves, still), max(serves, still)
        spans = ((low, high), (still, still), (high, xs[-1]), (xs[0], low))
        for part, (least, most) in zip(found, spans, strict=True):
            part.append(cut(xs, ys, least, most))
    return found


def _labelled(task: Task, parts: Sequence[Points], changes: Sequence[float]) -> list[int]:
    """Return a mode for each slot that its change belongs to, with as few changes as can be."""
    before = task.problem.mode_before
    open_: set[int] = {MODES.index(before)} if before in MODES else {0, 1, 2, 3}
    runs: list[tuple[int, set[int]]] = []
    for slot, change in enumerate(changes):
        fit = {
            number
            for number, part in enumerate(parts)
            if part[slot][0][0] - SAME_KWH <= change <= part[slot][0][-1] + SAME_KWH
        } or {0}
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


# ---- the nodes, with the mode beside the energy --------------------------------------------


def _searched(task: Task, parts: Sequence[Points]) -> tuple[list[float], list[int]]:
    """Return good changes of energy and their modes."""
    grid = grid_for(task)
    reaches = [reach_of(curves_through(points), grid) for points in parts]
    slots, cost = len(task.points), task.problem.switch_cost
    end = np.interp(grid.nodes, *knots_of(task.end))
    ahead = np.empty((slots + 1, len(MODES), grid.nodes.size))
    ahead[slots] = end + _missed(task, slots, grid)
    for slot in range(slots - 1, -1, -1):
        # What is to come when this slot has each mode: the next one may keep or change it.
        after = np.minimum(ahead[slot + 1], ahead[slot + 1].min(axis=0) + cost)
        if slot == slots - 1:
            after = ahead[slots]
        now = [_moved(after[number], reach, slot) for number, reach in enumerate(reaches)]
        now[0] = np.minimum(now[0], _at_the_ends(parts[0][slot], grid, after[0]))
        ahead[slot] = np.minimum(np.stack(now) + _missed(task, slot, grid), NEVER)
    return _traced(task, parts, grid, ahead)


def _missed(task: Task, slot: int, grid: Grid) -> Floats:
    soft = task.bounds.soft[slot]
    return 0.0 * grid.nodes if soft is None else missed_on(soft, task.bounds.steep, grid)


def _moved(after: Floats, reach: Reach, slot: int) -> Floats:
    if reach.moves.shape[1] == 0:  # more than the battery can hold
        return np.full_like(after, NEVER)
    best: Floats = moved_by(after[None].astype(np.float32), reach, slot)[0].astype(np.float64)
    return best


def _at_the_ends(part: tuple[list[float], list[float]], grid: Grid, after: Floats) -> Floats:
    """Return the cost to come where the battery serves the house until it is empty or full."""
    xs, ys = part
    serves = xs[0] if abs(xs[0]) > abs(xs[-1]) else xs[-1]
    reached = np.clip(grid.nodes + serves, grid.nodes[0], grid.nodes[-1])
    change = reached - grid.nodes
    cost = np.interp(change, xs, ys, left=NEVER, right=NEVER)
    total: Floats = cost + np.interp(reached, grid.nodes, after)
    return total


def _traced(
    task: Task, parts: Sequence[Points], grid: Grid, ahead: Floats
) -> tuple[list[float], list[int]]:
    problem, nodes = task.problem, grid.nodes
    before = problem.mode_before
    mode = MODES.index(before) if before in MODES else -1
    energy, changes, numbers = task.energy, [], []
    for slot in range(len(task.points)):
        best = (NEVER * 10, 0.0, 0)
        least, most = task.limits.at(slot, energy)
        after = ahead[slot + 1]
        if slot + 1 < len(task.points):
            after = np.minimum(after, after.min(axis=0) + problem.switch_cost)
        for number, part in enumerate(parts):
            if part[slot][0][0] > most + SAME_KWH or part[slot][0][-1] < least - SAME_KWH:
                continue
            xs, ys = cut(*part[slot], least, most)
            tried = np.concatenate(
                [nodes[(nodes > energy + xs[0]) & (nodes < energy + xs[-1])] - energy, xs]
            )
            kept = tried[(tried + energy >= nodes[0]) & (tried + energy <= nodes[-1])]
            if not kept.size:
                continue
            total = np.interp(kept, xs, ys) + np.interp(kept + energy, nodes, after[number])
            place = int(total.argmin())
            cost = float(total[place]) + problem.switch_cost * (mode not in {-1, number})
            best = min(best, (cost, float(kept[place]), number))
        change = min(max(best[1], grid.low - energy), float(nodes[-1]) - energy)
        mode, energy = best[2], energy + change
        changes.append(change)
        numbers.append(mode)
    return changes, numbers
