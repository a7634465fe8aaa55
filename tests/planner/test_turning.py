"""A change of mode that costs something is made only where it is worth it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmstead.errors import ProblemError
from ohmstead.model import BatteryMode
from ohmstead.planner.flows import even
from ohmstead.planner.house import Floats
from ohmstead.planner.make import Habit, make_plan
from ohmstead.planner.problem import Taper
from ohmstead.planner.solve import Task, best, cost_of, knots_of, task_of
from ohmstead.planner.turning import CLEARLY, MODES, counted, steadied, turns_of
from planning_problems import flexible_problem, published, random_problem

FIVE_MINUTES = Path(__file__).parent / "problems" / "problem_d_agile_negative_5m.json"
CLOSE = 1e-6
SELF_USE, HOLD, EXPORT_SOLAR, CHARGE, DISCHARGE = MODES


def test_five_minute_slots_with_negative_prices_change_their_mode_a_third_less_often() -> None:
    problem = published(FIVE_MINUTES)[1].problem
    free, steady = make_plan(problem), make_plan(replace(problem, switch_cost=0.001))
    assert free.switches > 100
    assert steady.switches <= 0.65 * free.switches
    energy = steady.objective - 0.001 * steady.switches
    assert free.objective - CLOSE <= energy <= free.objective + 0.02
    assert steady.objective - steady.gap <= free.objective


@pytest.mark.parametrize("seed", range(12))
def test_the_modes_found_are_the_best_of_all_there_are(seed: int) -> None:
    problem = replace(random_problem(seed, slots=4), switch_cost=0.02)
    task = task_of(problem)
    free = best(task)
    found = steadied(task, free)
    assert free.cost - CLOSE <= found.cost <= least_cost(task, free.changes) + 2e-3


def least_cost(task: Task, planned: list[float], nodes: int = 1201) -> float:
    """Return the least cost over all modes and all energies, apart by a thousandth of all.

    It charges and discharges only where *planned* does.
    """
    house, bounds = task.house, task.bounds
    low, high = min(bounds.lows), max(bounds.highs)
    energies = np.linspace(low, high, nodes)
    flow = house.pv - even(house)
    served = np.where(flow > 0, flow * house.stored, flow / house.delivered)
    ends, prices = knots_of(task.end)
    here = np.interp(energies, ends, prices) + missed(task, len(flow), energies)
    ahead = dict.fromkeys(MODES, here)
    for slot in reversed(range(len(flow))):
        xs, ys = task.curves.line(slot)
        full, empty = house.charge[slot] * house.stored, -house.discharge[slot] / house.delivered
        lost, goal = house.standby[slot], min(max(served[slot], empty), full)
        goals = {SELF_USE: goal, HOLD: max(goal, 0.0), EXPORT_SOLAR: min(goal, 0.0)}
        others = {mode: np.minimum.reduce([after + 0.02 * (mode is not other)
                  for other, after in ahead.items()]) for mode in MODES}  # fmt: skip
        later = ahead if slot == len(flow) - 1 else others
        if flow[slot] >= 0:
            del goals[HOLD]
        if flow[slot] <= 0:
            del goals[EXPORT_SOLAR]
        ahead = {}
        own = [CHARGE] if near(task, planned, slot, up=True) else []
        own += [DISCHARGE] if near(task, planned, slot, up=False) else []
        for mode in (*goals, *own):
            if mode in goals:
                reached = np.clip(energies + goals[mode] - lost, low, high)
                cost = np.interp(reached - energies, xs, ys)
                total = cost + np.interp(reached, energies, later[mode])
            else:
                change = energies[None] - energies[:, None]
                first, last = empty - lost, min(goal, 0.0) - lost - CLEARLY * (full - empty)
                if mode is CHARGE:
                    first, last = max(goal, 0.0) - lost + CLEARLY * (full - empty), full - lost
                table = np.interp(change, xs, ys) + later[mode][None]
                table[(change < first - 1e-9) | (change > last + 1e-9)] = np.inf
                total = table.min(axis=1)
            ahead[mode] = total + missed(task, slot, energies)
    return min(float(np.interp(task.energy, energies, cost)) for cost in ahead.values())


def near(task: Task, planned: list[float], slot: int, *, up: bool) -> bool:
    """Tell whether *planned* charges, or discharges, within a quarter of an hour of *slot*."""
    house, hours = task.house, task.problem.columns[0]
    sign = 1 if up else -1
    for other, change in enumerate(planned):
        apart = abs(sum(hours[min(slot, other) + 1 : max(slot, other) + 1]))
        flow = house.pv[other] - even(house)[other]
        goal = flow * house.stored if flow > 0 else flow / house.delivered
        full, empty = house.charge[other] * house.stored, house.discharge[other] / house.delivered
        goal = max(min(max(goal, -empty), full) * sign, 0.0)
        if apart <= 0.25 and (change + house.standby[other]) * sign > goal + 1e-5:
            return True
    return False


def missed(task: Task, slot: int, energies: Floats) -> Floats | float:
    soft = task.bounds.soft[slot]
    if soft is None:
        return 0.0
    outside = np.maximum(soft[0] - energies, 0.0) + np.maximum(energies - soft[1], 0.0)
    return task.bounds.steep * outside


def test_what_the_battery_did_before_counts() -> None:
    problem = replace(random_problem(3, slots=6), switch_cost=0.01)
    free = make_plan(problem)
    before = (
        BatteryMode.DISCHARGE if free.slots[0].mode is BatteryMode.CHARGE else BatteryMode.CHARGE
    )
    other = make_plan(replace(problem, mode_before=before))
    assert free.objective - CLOSE <= other.objective <= free.objective + 0.01 + CLOSE


def test_a_plan_in_force_pays_for_its_changes_too() -> None:
    problem = replace(random_problem(7, slots=12), switch_cost=0.01)
    old = make_plan(problem)
    stored = tuple(slot.stored_kwh for slot in old.slots)
    kept = make_plan(problem, habit=Habit(stored_kwh=stored, least_gain=0.001))
    assert kept.objective == pytest.approx(old.objective, abs=0.001)


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from(["", "a", "b"]))
def test_a_steady_plan_is_never_dearer_than_a_restless_one_that_pays(seed: int, kinds: str) -> None:
    problem = replace(flexible_problem(seed, kinds), switch_cost=0.01)
    steady = make_plan(problem)
    free = make_plan(replace(problem, switch_cost=0.0))
    # Spread gently, which costs nothing, a discharge may span what is told apart here.
    most = free.switches + 1
    assert steady.objective + steady.missed <= free.objective + free.missed + 0.01 * most + CLOSE
    assert steady.objective + steady.missed - steady.gap <= free.objective + free.missed + CLOSE


def test_tapers_are_kept_by_a_steady_plan() -> None:
    problem = random_problem(5, slots=12)
    battery = replace(
        problem.battery,
        charge_tapers=(Taper(from_kwh=problem.battery.capacity_kwh / 2, share=0.2),),
    )
    task = task_of(replace(problem, battery=battery, switch_cost=0.01))
    answer = best(task)
    found = steadied(task, answer)
    assert found.cost <= counted(task, answer).cost + CLOSE
    paid = 0.01 * turns_of(task.problem, found.modes)
    assert found.cost == pytest.approx(cost_of(task, found.changes) + paid)
    energy = task.energy
    for index, change in enumerate(found.changes):
        least, most = task.limits.at(index, energy)
        assert least - CLOSE <= change <= most + CLOSE
        energy += change


def test_a_change_cannot_be_paid_for() -> None:
    with pytest.raises(ProblemError, match="switch_cost"):
        replace(random_problem(1), switch_cost=-1.0)
