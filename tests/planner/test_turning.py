"""A change of mode that costs something is made only where it is worth it."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmstead.errors import ProblemError
from ohmstead.model import BatteryMode
from ohmstead.planner.make import Habit, make_plan
from ohmstead.planner.problem import Taper
from ohmstead.planner.solve import best, cost_of, task_of
from ohmstead.planner.turning import MODES, counted, held, steadied, turns_of
from planning_problems import flexible_problem, published, random_problem

FIVE_MINUTES = Path(__file__).parent / "problems" / "problem_d_agile_negative_5m.json"
CLOSE = 1e-6


def test_five_minute_slots_with_negative_prices_change_their_mode_half_as_often() -> None:
    problem = published(FIVE_MINUTES)[1].problem
    free, steady = make_plan(problem), make_plan(replace(problem, switch_cost=0.001))
    assert free.switches > 100
    assert steady.switches <= 0.6 * free.switches
    energy = steady.objective - 0.001 * steady.switches
    assert free.objective - CLOSE <= energy <= free.objective + 0.02
    assert steady.objective - steady.gap <= free.objective


@pytest.mark.parametrize("seed", range(8))
def test_the_modes_found_are_the_best_of_all_there_are(seed: int) -> None:
    problem = replace(random_problem(seed, slots=4), switch_cost=0.02)
    task = task_of(problem)
    answer = best(task)
    found = steadied(task, answer)
    every = product(MODES, repeat=4)
    least = min(held(task, answer, modes).cost for modes in every)
    assert least - CLOSE <= found.cost <= least + 2e-3


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
    assert steady.objective + steady.missed <= (
        free.objective + free.missed + 0.01 * free.switches + CLOSE
    )
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
