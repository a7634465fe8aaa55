"""A charge on the highest import: find the cap on the import at which bill and peak cost least.

With the cap given the rest is the ordinary problem, so the search has one dimension: a look at
evenly spaced caps, then closer around the best. The bound needs no luck: below a cap nothing
costs less than the bound at that cap, and above the cap before it the peak costs at least that.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from ohmstead.planner.flows import settle
from ohmstead.planner.house import WH_PER_KWH, house_of
from ohmstead.planner.problem import Problem
from ohmstead.planner.solve import Answer, Task

__all__ = ["Solve", "best_below_a_peak", "peak_cost"]

LOOKS = 16
ROUNDS = 8
FEW_ROUNDS = 5
PARTS = 3
NEAREST = 2
CLOSE_KW = 1e-6
SHORT_SLOTS, FEW = 24, 3
"""Of longer plans few caps are solved only for the bound."""

Solve = Callable[[Problem], tuple[Task, Answer]]


@dataclass(frozen=True, slots=True)
class _Try:
    """What a cap leads to."""

    cap_kw: float
    task: Task
    answer: Answer
    cost: float
    """With the peak that is really reached."""


def peak_cost(problem: Problem, task: Task, changes: list[float]) -> float:
    """Return what the highest import of a plan costs."""
    if problem.peak_per_kw <= 0:
        return 0.0
    return problem.peak_per_kw * max(_peak(problem, task, changes) - problem.peak_paid_kw, 0.0)


def best_below_a_peak(
    problem: Problem, solve: Solve, look: Solve | None = None
) -> tuple[Task, Answer]:
    """Return the cheapest plan, the charge for its peak counted.

    Where *solve* is slow, *look* finds its way among the caps: good plans without a bound. Then
    only the best caps are solved, and as many others as the bound needs.
    """
    free = _try(problem, solve, inf)
    tries = {free.cap_kw: free}
    low = problem.peak_paid_kw
    high = max(_peak(problem, free.task, free.answer.changes), low)
    spans = [(low, high, LOOKS)]
    for _ in range(1 + (ROUNDS if look is None else FEW_ROUNDS)):
        for start, stop, parts in spans:
            for part in range(parts + 1):
                cap = start + (stop - start) * part / parts
                if cap not in tries:
                    tries[cap] = _try(problem, look or solve, cap)
        spans = _around(tries, high)
    if look is not None:
        parts = LOOKS if len(problem.slots) <= SHORT_SLOTS else FEW
        caps = set(sorted(tries, key=lambda cap: tries[cap].cost)[: NEAREST + 1])
        caps |= {low + (high - low) * part / parts for part in range(parts + 1)}
        for cap in sorted(caps - {free.cap_kw}):
            full, seen = _try(problem, solve, cap), tries.get(cap)
            if seen is not None and seen.cost < full.cost:
                full = replace(seen, answer=replace(seen.answer, bound=full.answer.bound))
            tries[cap] = full
    certain = sorted(cap for cap in tries if tries[cap].answer.bound > -inf)
    found = min(tries.values(), key=lambda tried: tried.cost)
    bound = _bound(problem, [tries[cap] for cap in certain])
    return found.task, replace(found.answer, cost=found.cost, bound=min(bound, found.cost))


def _around(tries: dict[float, _Try], highest: float) -> list[tuple[float, float, int]]:
    """Return the spans beside the best caps, each with how often to look into it."""
    caps = sorted(tries)
    best = sorted(range(len(caps)), key=lambda place: tries[caps[place]].cost)[:NEAREST]
    edges = {(max(place - 1, 0), place) for place in best}
    edges |= {(place, min(place + 1, len(caps) - 1)) for place in best}
    spans = [(caps[left], min(caps[right], highest)) for left, right in sorted(edges)]
    return [(left, right, PARTS) for left, right in spans if right - left > CLOSE_KW]


def _try(problem: Problem, solve: Solve, cap_kw: float) -> _Try:
    limit = min(problem.import_max_w, cap_kw * WH_PER_KWH)
    task, answer = solve(replace(problem, import_max_w=limit, peak_per_kw=0.0))
    flows, fuse = settle(task.house, answer.changes), house_of(problem).imports
    # The cap may be broken for what it costs, the fuse only where it must give way.
    over = float(np.maximum(flows.grid - fuse, 0.0).sum()) * task.house.steep
    cost = answer.cost - float(flows.broken.sum()) + over + peak_cost(problem, task, answer.changes)
    return _Try(cap_kw, task, answer, cost)


def _peak(problem: Problem, task: Task, changes: list[float]) -> float:
    grid: list[float] = settle(task.house, changes).grid.tolist()
    return max(kwh / slot.hours for kwh, slot in zip(grid, problem.slots, strict=True))


def _bound(problem: Problem, tries: list[_Try]) -> float:
    """Return what no plan can beat: between two caps the energy costs what it does at the upper."""
    floors = [problem.peak_paid_kw, *(tried.cap_kw for tried in tries[:-1])]
    return min(
        tried.answer.bound + problem.peak_per_kw * max(floor - problem.peak_paid_kw, 0.0)
        for floor, tried in zip(floors, tries, strict=True)
    )
