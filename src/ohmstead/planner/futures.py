"""Plan against several futures at once: one first step for all, each its own way afterwards.

Sun and load come as a low, a middle and a high forecast. Only the first slot has to be decided
before it is known which of them is true; every later slot will be planned anew. So the first
behaviour is the one that costs least over all futures by their weights, each future continued
at its best.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ohmstead.errors import ProblemError
from ohmstead.model import BatteryMode
from ohmstead.planner.beside import taken_beside, task_beside
from ohmstead.planner.first_steps import FOLLOWS, Beginning, Compared, compared
from ohmstead.planner.make import Habit, answer_of, first_of, first_slot, make_plan, plan_of, way_of
from ohmstead.planner.plan import Plan, PlannedSlot, Side
from ohmstead.planner.problem import Problem
from ohmstead.planner.slot import curves_through, cut
from ohmstead.planner.solve import Answer, Task, look_at, solved, task_of
from ohmstead.planner.turning import steadied

__all__ = ["Future", "Hedged", "make_hedged_plan", "make_hedged_step"]

_OWN, _OLD = 0, 1
"""Among the ways to begin: the first future's own, and that of the plan in force."""


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


def make_hedged_plan(
    futures: Sequence[Future], habit: Habit | None = None, *, least_gain: float = 0.0
) -> Hedged:
    """Return the plan for the first of *futures* whose first step is best for all of them.

    A first step other than the first future's own must gain *least_gain*. What is planned beside
    the battery is planned in the first future and does the same in all. A charge on the peak
    binds all slots together: there only the first future counts. The plan in force, as *habit*
    tells it, stays unless a new first step gains enough over all futures, or the way that goes
    on from there in the first of them; both gains count together.
    """
    shares, middle = _shares(futures), futures[0].problem
    own = make_plan(middle)
    if middle.peak_per_kw > 0 or (len(futures) == 1 and habit is None):
        return Hedged(plan=own, expected=own.objective, alone=own.objective)
    task, found = _weighed(futures, shares, own.slots[0], habit, least_gain)
    chosen = found.best()
    plan = own if chosen == _OWN else _begun(own, task, found.ways[chosen])
    if habit is not None and not _behaves(plan, habit):
        spare = habit.least_gain - float(found.costs[_OLD] - found.costs.min())
        kept = _staying(own, task, found.ways[_OLD], replace(habit, least_gain=spare))
        if kept is not None:
            plan, chosen = kept, _OLD
    expected, alone = found.costs[chosen], found.costs[_OWN]
    return Hedged(plan=plan, expected=float(expected), alone=float(alone))


def make_hedged_step(futures: Sequence[Future], *, least_gain: float = 0.0) -> PlannedSlot:
    """Return the first slot of ``make_hedged_plan``, for those who plan anew after it."""
    shares, middle = _shares(futures), futures[0].problem
    if middle.peak_per_kw > 0 or len(futures) == 1:
        return first_slot(middle)
    if middle.every_load or middle.beside or middle.switch_cost > 0:
        return make_hedged_plan(futures, least_gain=least_gain).plan.slots[0]
    tasks = [task_of(future.problem) for future in futures]
    looks = [look_at(task) for task in tasks]
    own = first_of(tasks[0], answer_of(tasks[0], look=looks[0]))
    found = compared(tasks, shares, _first(own, middle, None), least_gain, looks)
    chosen = found.best()
    if chosen == _OWN:
        return own
    way = found.ways[chosen]
    fixed = _beginning(tasks[0], way)
    return _named(first_of(fixed, solved(fixed, look_at(fixed, looks[0]))), way.mode)


def _shares(futures: Sequence[Future]) -> list[float]:
    total = sum(future.share for future in futures)
    if not futures or total <= 0 or min(future.share for future in futures) < 0:
        raise ProblemError("futures need shares that are not negative, and not all 0")
    return [future.share / total for future in futures]


def _weighed(
    futures: Sequence[Future],
    shares: Sequence[float],
    own: PlannedSlot,
    habit: Habit | None,
    least_gain: float,
) -> tuple[Task, Compared]:
    """Return the first future made ready, and the ways to begin: its own, the old, all others."""
    middle = futures[0].problem
    taken = taken_beside(middle)
    tasks = [task_beside(future.problem, taken) for future in futures]
    return tasks[0], compared(tasks, shares, _first(own, middle, habit), least_gain)


def _first(own: PlannedSlot, middle: Problem, habit: Habit | None) -> list[Beginning]:
    """Return how the first future's own plan begins, and the one in force."""
    energy = middle.battery.energy_kwh
    first = [Beginning(_following(own.mode), own.stored_kwh - energy)]
    if habit is not None:
        mode = _following(habit.modes[0]) if habit.modes else None
        first.append(Beginning(mode, habit.stored_kwh[0] - energy))
    return first


def _following(mode: BatteryMode) -> BatteryMode | None:
    return mode if mode in FOLLOWS else None


def _behaves(plan: Plan, habit: Habit) -> bool:
    """Tell whether *plan* does what the one in force does, as far as that reached."""
    coming = zip(plan.slots, habit.modes, strict=False)
    return bool(habit.modes) and all(slot.mode is mode for slot, mode in coming)


def _begun(own: Plan, task: Task, way: Beginning) -> Plan:
    """Return the best plan that begins so, its gap to the best that begins freely."""
    fixed = _beginning(task, way)
    return _of(own, fixed, steadied(fixed, solved(fixed)), way)


def _staying(own: Plan, task: Task, way: Beginning, habit: Habit) -> Plan | None:
    """Return the plan that begins so and goes on as *habit*, if that is good enough."""
    fixed = _beginning(task, way)
    found = steadied(fixed, solved(fixed))
    old = way_of(fixed, found, habit)
    return _of(own, fixed, old, way) if old.cost - found.cost < habit.least_gain else None


def _beginning(task: Task, way: Beginning) -> Task:
    points = [*task.points]
    points[0] = cut(*points[0], way.change, way.change)
    return replace(task, curves=curves_through(points))


def _of(own: Plan, task: Task, answer: Answer, way: Beginning) -> Plan:
    found = plan_of(task.problem, task, answer)
    bound = own.objective + own.missed - own.gap
    first = _named(found.slots[0], way.mode)
    return replace(
        found,
        slots=(first, *found.slots[1:]),
        gap=max(found.objective + found.missed - bound, 0.0),
    )


_SIDES = {
    BatteryMode.SELF_USE: (Side.BATTERY, Side.BATTERY),
    BatteryMode.HOLD: (Side.BATTERY, Side.GRID),
    BatteryMode.EXPORT_SOLAR: (Side.GRID, Side.BATTERY),
}
"""Where spare sun goes, and where what is missing comes from."""


def _named(slot: PlannedSlot, mode: BatteryMode | None) -> PlannedSlot:
    """Return *slot* as the behaviour it was chosen for, though the first future shows another."""
    if mode is None or slot.mode is mode:
        return slot
    surplus_to, deficit_from = _SIDES[mode]
    return slot._replace(mode=mode, power_w=None, surplus_to=surplus_to, deficit_from=deficit_from)
