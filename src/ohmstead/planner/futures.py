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
from ohmstead.model import BatteryMode
from ohmstead.planner.car import best_with_car
from ohmstead.planner.house import Floats
from ohmstead.planner.make import Habit, answer_of, first_of, first_slot, make_plan, plan_of, way_of
from ohmstead.planner.nodes import NEVER
from ohmstead.planner.plan import Plan, PlannedSlot
from ohmstead.planner.problem import Problem
from ohmstead.planner.self_use import self_use
from ohmstead.planner.slot import curves_through, cut
from ohmstead.planner.solve import Answer, Look, Task, ahead, look_at, solved, task_of

__all__ = ["Future", "Hedged", "make_hedged_plan", "make_hedged_step"]

ROUNDING_KWH = 1e-9
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
    """Of the first future given, with the common first step. Its gap is to the best plan for that
    future alone: what it costs to be prepared for the others is in it."""
    expected: float
    """What the futures cost by their shares, with this first step."""
    alone: float
    """What they would cost with the first step of the first future's own plan."""


def make_hedged_plan(futures: Sequence[Future], habit: Habit | None = None) -> Hedged:
    """Return the plan for the first of *futures* whose first step is best for all of them.

    A car is planned in the first future and takes the same in all. A charge on the peak binds
    all slots together: there only the first future counts. The plan in force, as *habit* tells
    it, stays unless a new first step gains enough over all futures, or the way that goes on
    from there in the first of them; both gains count together.
    """
    shares, middle = _shares(futures), futures[0].problem
    own = make_plan(middle)
    if middle.peak_per_kw > 0 or (len(futures) == 1 and habit is None):
        return Hedged(plan=own, expected=own.objective, alone=own.objective)
    found = _compared(futures, shares, own.slots[0].stored_kwh, habit)
    task, chosen = found.task, found.best()
    plan = own if chosen == _OWN else _with_first(own, task, found.change(chosen))
    if habit is not None and not _behaves(plan, habit):
        index = _SERVED if _follows(habit) else _OLD
        spare = habit.least_gain - float(found.costs[index] - found.costs.min())
        kept = _staying(own, task, found.change(index), replace(habit, least_gain=spare))
        if kept is not None:
            plan, chosen = kept, index
    expected, alone = found.costs[chosen], found.costs[_OWN]
    return Hedged(plan=plan, expected=float(expected), alone=float(alone))


def make_hedged_step(futures: Sequence[Future]) -> PlannedSlot:
    """Return the first slot of ``make_hedged_plan``, for those who plan anew after it."""
    shares, middle = _shares(futures), futures[0].problem
    if middle.peak_per_kw > 0 or len(futures) == 1:
        return first_slot(middle)
    if middle.car is not None:
        return make_hedged_plan(futures).plan.slots[0]
    tasks = [task_of(future.problem) for future in futures]
    looks = [look_at(task) for task in tasks]
    own = first_of(tasks[0], answer_of(tasks[0], look=looks[0]))
    found = _weighed(tasks, shares, own.stored_kwh, None, looks)
    chosen = found.best()
    if chosen == _OWN:
        return own
    fixed = _beginning(tasks[0], found.change(chosen))
    return first_of(fixed, solved(fixed, look_at(fixed, looks[0])))


@dataclass(frozen=True, slots=True)
class _Compared:
    """First steps, and what each costs over all futures."""

    task: Task
    """Of the first future."""
    tried: Floats
    costs: Floats

    def best(self) -> int:
        """Return the cheapest, the first future's own if that costs the same."""
        close = 1e-6 * self.task.house.dearest
        own = self.costs[_OWN] <= self.costs.min() + close
        return _OWN if own else int(self.costs.argmin())

    def change(self, index: int) -> float:
        """Return by how much one changes what is stored."""
        return float(self.tried[index])


def _shares(futures: Sequence[Future]) -> list[float]:
    total = sum(future.share for future in futures)
    if not futures or total <= 0 or min(future.share for future in futures) < 0:
        raise ProblemError("futures need shares that are not negative, and not all 0")
    return [future.share / total for future in futures]


def _compared(
    futures: Sequence[Future], shares: Sequence[float], own_kwh: float, habit: Habit | None
) -> _Compared:
    """Return the first steps to choose from; *own_kwh* is what the first future would reach."""
    middle = futures[0].problem
    car: Floats | None = best_with_car(middle).car if middle.car is not None else None
    tasks = [task_of(future.problem, car) for future in futures]
    return _weighed(tasks, shares, own_kwh, habit, [None] * len(tasks))


def _weighed(
    tasks: Sequence[Task],
    shares: Sequence[float],
    own_kwh: float,
    habit: Habit | None,
    looks: Sequence[Look | None],
) -> _Compared:
    own = own_kwh - tasks[0].energy
    tried = _tried(tasks, own, _first_of(habit, tasks[0], own))
    weighed = zip(shares, tasks, tried, looks, strict=True)
    costs = [share * _cost(task, changes, look) for share, task, changes, look in weighed]
    return _Compared(tasks[0], tried[0], np.sum(costs, axis=0))


_OWN, _OLD, _SERVED = 0, 1, -1
"""Among the first steps tried: the first future's own, the plan in force's, and self-use."""


def _behaves(plan: Plan, habit: Habit) -> bool:
    """Tell whether *plan* does what the one in force does, as far as that reached."""
    coming = zip(plan.slots, habit.modes, strict=False)
    return bool(habit.modes) and all(slot.mode is mode for slot, mode in coming)


def _follows(habit: Habit) -> bool:
    return habit.modes[:1] == (BatteryMode.SELF_USE,)


def _first_of(habit: Habit | None, task: Task, otherwise: float) -> float:
    """Return the change of energy that the plan in force wants now."""
    if habit is None or not habit.stored_kwh:
        return otherwise
    return habit.stored_kwh[0] - task.energy


def _tried(tasks: Sequence[Task], own: float, old: float) -> list[Floats]:
    """Return the first changes to try, for every future the same behaviours in the same order."""
    knots = [np.array(task.curves.line(0)[0]) for task in tasks]
    low, high = min(float(xs[0]) for xs in knots), max(float(xs[-1]) for xs in knots)
    steps = np.linspace(low, high, STEPS + 1)
    common = np.concatenate([[own, old], *knots, steps, -tasks[0].house.standby[:1]])
    found = []
    for task, xs in zip(tasks, knots, strict=True):
        least, most = task.limits.at(0, task.energy)
        low, high = max(float(xs[0]), least), min(float(xs[-1]), most)
        low = max(low, task.bounds.lows[1] - task.energy)
        high = min(high, task.bounds.highs[1] - task.energy)
        served = self_use(task.house, task.bounds, task.limits, task.energy)[:1]
        found.append(np.clip(np.concatenate([common, served]), low, high))
    return found


def _cost(task: Task, changes: Floats, look: Look | None) -> Floats:
    """Return what a future costs with each of the first *changes*."""
    now = np.interp(changes, *task.curves.line(0))
    energies, costs = ahead(task, look)
    reached = task.energy + changes
    inside = np.clip(reached, energies[0], energies[-1])
    reached = np.where(np.abs(reached - inside) < ROUNDING_KWH, inside, reached)
    later: Floats = np.interp(reached, energies, costs, left=NEVER, right=NEVER)
    return now + later


def _with_first(own: Plan, task: Task, change: float) -> Plan:
    """Return the best plan that begins with *change*, its gap to the best that begins freely."""
    fixed = _beginning(task, change)
    return _of(own, fixed, solved(fixed))


def _staying(own: Plan, task: Task, change: float, habit: Habit) -> Plan | None:
    """Return the plan that begins with *change* and goes on as *habit*, if that is good enough."""
    fixed = _beginning(task, change)
    found = solved(fixed)
    old = way_of(fixed, found, habit)
    return _of(own, fixed, old) if old.cost - found.cost < habit.least_gain else None


def _beginning(task: Task, change: float) -> Task:
    points = task.points
    points[0] = cut(*points[0], change, change)
    return replace(task, curves=curves_through(points))


def _of(own: Plan, task: Task, answer: Answer) -> Plan:
    found = plan_of(task.problem, task, answer)
    bound = own.objective + own.missed - own.gap
    return replace(found, gap=max(found.objective + found.missed - bound, 0.0))
