"""From a problem to its plan: solve, be gentle, and say what every slot should do."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from typing import Any, cast

import numpy as np

from ohmstead.compiled import listed, numbers, places, row
from ohmstead.model import BatteryMode
from ohmstead.planner.acts import ACTS, SAME_KWH, acts_of, kept_as
from ohmstead.planner.beside import best_beside, look_beside
from ohmstead.planner.flows import even, settle
from ohmstead.planner.gentle import gentle
from ohmstead.planner.house import WH_PER_KWH, house_of
from ohmstead.planner.merge import worths_at
from ohmstead.planner.peak import Solve, best_below_a_peak, peak_cost
from ohmstead.planner.plan import Plan, PlannedSlot
from ohmstead.planner.problem import Battery, Problem, Slot
from ohmstead.planner.prove import proven
from ohmstead.planner.shares import left_of, others_unplanned, shares_of, unplanned
from ohmstead.planner.solve import Answer, Look, Task, best, polished, task_of
from ohmstead.planner.turning import counted, steadied, turns_of

__all__ = [
    "Habit",
    "answer_of",
    "first_of",
    "first_slot",
    "make_plan",
    "plan_of",
    "warm_up",
    "way_of",
]

_AS_SLOT = cast("Callable[[tuple[Any, ...]], PlannedSlot]", partial(tuple.__new__, PlannedSlot))
"""``_make`` in half the time: it counts no fields, which a test does."""
SHORT_SLOTS = 24
LOOKS_A_SLOT = 2400


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What the plan in force does, and what a new one must gain to take its place."""

    stored_kwh: tuple[float, ...]
    """What it wanted stored at the end of each of the coming slots, as far as it reached."""
    least_gain: float
    modes: tuple[BatteryMode, ...] = ()
    """How it behaves in them; a new plan that behaves the same takes its place at once."""


def make_plan(problem: Problem, *, looks: int | None = None, habit: Habit | None = None) -> Plan:
    """Return the cheapest plan; for the same problem always the same one.

    *looks* is how many relaxations may be spent on closing the certified gap: by default as
    many as prove a short problem, and none for a long one.
    """
    if problem.peak_per_kw > 0:
        task, answer = best_below_a_peak(problem, _solve, _looker(problem))
        return plan_of(problem, task, answer)
    task, answer = _solve(problem, looks)
    if habit is not None:
        answer = _kept(task, answer, habit)
    return plan_of(problem, task, answer)


def first_slot(problem: Problem) -> PlannedSlot:
    """Return the first slot of ``make_plan``, the same, for those who plan anew after it.

    Nothing later is spelled out, nor what the plan saves.
    """
    if problem.peak_per_kw > 0:
        return first_of(*best_below_a_peak(problem, _solve, _looker(problem)))
    return first_of(*_solve(problem))


def first_of(task: Task, answer: Answer) -> PlannedSlot:
    """Return the first slot of the plan that *answer* stands for."""
    changes = _gentle(task.problem, task, answer)
    energies = list(accumulate(changes, initial=task.energy))
    return _slots(task, changes, energies, answer, 1)[0][0]


def warm_up() -> None:
    """Plan a little once, so that the first real plan takes no longer than all others.

    numpy and the interpreter prepare much on first use.
    """
    battery = Battery(capacity_kwh=2, energy_kwh=1, charge_max_w=2000, discharge_max_w=2000)
    prices = ((0.1, 0.2), (-0.1, 0.1), (0.3, 0.1)) * (SHORT_SLOTS // 2)
    slots = tuple(
        Slot(hours=0.5, import_per_kwh=buy, export_per_kwh=sell, load_kwh=0.3, pv_kwh=0.5)
        for buy, sell in prices
    )
    make_plan(Problem(slots=slots, battery=battery))


def _kept(task: Task, answer: Answer, habit: Habit) -> Answer:
    """Return the best plan that behaves as the old one did, unless a new one gains enough."""
    old = way_of(task, answer, habit)
    return old if old.cost - answer.cost < habit.least_gain else answer


def way_of(task: Task, answer: Answer, habit: Habit) -> Answer:
    """Return the best plan that behaves as *habit* does, and as *answer* where that ends."""
    changes, energy = list(answer.changes), task.energy
    for index, stored in enumerate(habit.stored_kwh[: len(changes)]):
        changes[index], energy = stored - energy, stored
    return counted(task, polished(task, changes, answer))


def _solve(problem: Problem, looks: int | None = None) -> tuple[Task, Answer]:
    if not (problem.every_load or problem.beside):
        task = task_of(problem)
        return task, steadied(task, answer_of(task, looks))
    task, answer = best_beside(problem)
    return task, steadied(task, answer)


def _looker(problem: Problem) -> Solve | None:
    """Return what finds good plans sooner than the whole search, where that is slow."""
    return _look if problem.every_load or problem.beside else None


def _look(problem: Problem) -> tuple[Task, Answer]:
    task, answer = look_beside(problem)
    return task, steadied(task, answer)


def answer_of(task: Task, looks: int | None = None, look: Look | None = None) -> Answer:
    """Return the best plan of a battery alone; *look* is a look at it, if there was one."""
    answer = best(task, look)
    slots = len(task.problem.slots)
    if looks is None:
        looks = LOOKS_A_SLOT // slots if slots <= SHORT_SLOTS else 0
    if looks > 0 and answer.cost > answer.bound:
        answer = proven(task, answer, looks)
    return answer


def plan_of(problem: Problem, task: Task, answer: Answer) -> Plan:
    """Return the plan that *answer* stands for."""
    changes = _gentle(problem, task, answer)
    energies = list(accumulate(changes, initial=task.energy))
    slots, cost, left = _slots(task, changes, energies, answer)
    cost += problem.switch_cost * turns_of(problem, answer.modes)
    cost += peak_cost(problem, task, changes)
    objective = cost - left_of(problem.end_worth, energies[-1]) - left
    return Plan(
        slots=slots,
        cost=cost,
        objective=objective,
        gap=max(answer.cost - answer.bound, 0.0),
        without=_without(problem, task, slots),
        missed=max(answer.cost - objective, 0.0),
    )


def _gentle(problem: Problem, task: Task, answer: Answer) -> list[float]:
    if task.limits.taper:
        return answer.changes
    return gentle(task.house, task.bounds, problem.columns[0], answer.pieces, answer.changes)


def _without(problem: Problem, task: Task, slots: tuple[PlannedSlot, ...]) -> float:
    """Return the objective of a house that does not plan.

    What it lacks at the end of what should be left counts at the plan's own worth of energy.
    """
    task = unplanned(problem) if task.taken else task
    changes, flows = task.idle
    energy = task.energy + sum(changes)
    cost, taken = -left_of(problem.end_worth, energy), task.house.load
    if problem.beside:
        others, more = others_unplanned(problem, task.house, changes)
        cost += more
        taken = taken + sum(others)
        task = replace(task, house=house_of(problem, taken - problem.columns[3]))
        flows = settle(task.house, changes)
    cost += float(flows.cost.sum()) + peak_cost(problem, task, changes)
    if problem.end_kwh is None:
        return cost
    return cost + (problem.end_kwh - energy) * slots[max(len(slots) - 2, 0)].worth_per_kwh


def _slots(
    task: Task,
    changes: list[float],
    energies: list[float],
    answer: Answer,
    count: int | None = None,
) -> tuple[tuple[PlannedSlot, ...], float, float]:
    """Return the first *count* slots of a plan, what all cost, and what is left beside."""
    problem, house = task.problem, task.house
    flows, shares = settle(house, changes), shares_of(task)
    per_cent, hours = 100.0 / problem.battery.capacity_kwh, problem.columns[0][:count]
    to_w = WH_PER_KWH / hours
    watts = (flows.bus[:count] * to_w).tolist()
    after, battery = energies[1:][:count], problem.battery
    needs = (even(house) - house.pv)[:count]
    known = (numbers(after), row(flows.bus[:count]), row(flows.curtailed[:count]))
    kept = places([kept_as(mode) for mode in answer.modes[:count]])
    which, targets = acts_of(known, row(needs), kept, battery.reserve_kwh, battery.capacity_kwh)
    acts = [ACTS[number] for number in np.asarray(which).tolist()]
    worths, lacks = map(listed, worths_at(answer.after, numbers(energies), SAME_KWH))
    rows = zip(
        hours.tolist(),
        [act.mode for act in acts],
        [abs(power_w) if act.capped else None for act, power_w in zip(acts, watts, strict=True)],
        [target * per_cent for target in listed(targets)],
        [act.surplus_to for act in acts],
        [act.deficit_from for act in acts],
        watts,
        (flows.grid[:count] * to_w).tolist(),
        (flows.curtailed[:count] * to_w).tolist(),
        shares.car_w,
        after,
        [energy * per_cent for energy in after],
        [cost + worn for cost, worn in zip(flows.cost.tolist(), shares.cost, strict=True)],
        worths,
        lacks,
        shares.loads_w,
        shares.beside,
        strict=False,
    )
    slots = tuple(map(_AS_SLOT, rows))
    return slots, float(flows.cost.sum()) + sum(shares.cost), shares.left
