"""Plan against several futures at once: one first step for all, each its own way afterwards.

Sun and load come as a low, a middle and a high forecast. Only the first slot has to be decided
before it is known which of them is true; every later slot will be planned anew. So the first
behaviour is the one that costs least over all futures by their weights, each future continued
at its best. A behaviour is an energy to reach, or self-use, which follows whatever comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ohmstead.errors import ProblemError
from ohmstead.planner.beside import taken_beside, task_beside
from ohmstead.planner.house import Floats
from ohmstead.planner.make import make_plan, plan_of
from ohmstead.planner.nodes import NEVER
from ohmstead.planner.plan import Plan
from ohmstead.planner.problem import Problem
from ohmstead.planner.self_use import self_use
from ohmstead.planner.slot import curves_through, cut
from ohmstead.planner.solve import Task, ahead, solved

__all__ = ["Future", "Hedged", "make_hedged_plan"]

STEPS = 24
"""How many energies are tried beside the knots of the futures' first slots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Future:
    """One way things may come."""

    share: float
    """How likely it is, beside the others."""
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedged:
    """A plan whose first step suits several futures."""

    plan: Plan
    """Of the first future given, with the common first step."""
    expected: float
    """What the futures cost by their shares, with this first step."""
    alone: float
    """What they would cost with the first step of the first future's own plan."""


def make_hedged_plan(futures: Sequence[Future]) -> Hedged:
    """Return the plan for the first of *futures* whose first step is best for all of them.

    What is planned beside the battery is planned in the first future and does the same in all.
    A charge on the peak binds all slots together: there only the first future counts.
    """
    total = sum(future.share for future in futures)
    if not futures or total <= 0 or min(future.share for future in futures) < 0:
        raise ProblemError("futures need shares that are not negative, and not all 0")
    shares = [future.share / total for future in futures]
    middle = futures[0].problem
    own = make_plan(middle)
    if middle.peak_per_kw > 0 or len(futures) == 1:
        return Hedged(plan=own, expected=own.objective, alone=own.objective)
    taken = taken_beside(middle)
    tasks = [task_beside(future.problem, taken) for future in futures]
    own_change = own.slots[0].stored_kwh - middle.battery.energy_kwh
    tried = _tried(tasks, own_change)
    costs = np.sum(
        [
            share * _cost(task, changes)
            for share, task, changes in zip(shares, tasks, tried, strict=True)
        ],
        axis=0,
    )
    least = float(costs.min())
    close = 1e-6 * tasks[0].house.dearest
    chosen = 0 if costs[0] <= least + close else int(costs.argmin())
    return Hedged(
        plan=own if chosen == 0 else _with_first(middle, tasks[0], float(tried[0][chosen])),
        expected=float(costs[chosen]),
        alone=float(costs[0]),
    )


def _tried(tasks: Sequence[Task], own: float) -> list[Floats]:
    """Return the first changes to try, for every future the same behaviours in the same order."""
    knots = [np.array(task.points[0][0]) for task in tasks]
    low, high = min(float(xs[0]) for xs in knots), max(float(xs[-1]) for xs in knots)
    steps = np.linspace(low, high, STEPS + 1)
    common = np.concatenate([[own], *knots, steps, -tasks[0].house.standby[:1]])
    found = []
    for task, xs in zip(tasks, knots, strict=True):
        least, most = task.limits.at(0, task.energy)
        low, high = max(float(xs[0]), least), min(float(xs[-1]), most)
        low = max(low, task.bounds.lows[1] - task.energy)
        high = min(high, task.bounds.highs[1] - task.energy)
        served = self_use(task.house, task.bounds, task.limits, task.energy)[:1]
        found.append(np.clip(np.concatenate([common, served]), low, high))
    return found


def _cost(task: Task, changes: Floats) -> Floats:
    """Return what a future costs with each of the first *changes*."""
    now = np.interp(changes, *task.points[0])
    later: Floats = np.interp(task.energy + changes, *ahead(task), left=NEVER, right=NEVER)
    return now + later


def _with_first(problem: Problem, task: Task, change: float) -> Plan:
    """Return the best plan that begins with *change*."""
    points = [cut(*task.points[0], change, change), *task.points[1:]]
    fixed = replace(task, points=points, curves=curves_through(points))
    return plan_of(problem, fixed, solved(fixed))
