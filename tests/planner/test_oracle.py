"""The planner and HiGHS find the same cost of small problems with everything in them."""

import os

import pytest

from ohmstead.planner.make import make_plan
from ohmstead.planner.solve import best, task_of
from planning_milp import milp_objective
from planning_problems import random_problem

HOW_MANY = int(os.environ.get("OHMSTEAD_ORACLE_PROBLEMS", "500"))
BATCH = 20
CLOSE = 1e-5


@pytest.mark.parametrize("first", range(0, HOW_MANY, BATCH))
def test_small_problems_cost_what_a_mixed_integer_programme_finds(first: int) -> None:
    wrong = {}
    for seed in range(first, min(first + BATCH, HOW_MANY)):
        problem = random_problem(seed)
        plan = make_plan(problem)
        proven = milp_objective(problem, task_of(problem).house.steep)
        if abs(plan.objective + plan.missed - proven) > CLOSE or plan.gap > CLOSE:
            wrong[seed] = (plan.objective + plan.missed - proven, plan.gap)
    assert wrong == {}


@pytest.mark.parametrize("first", range(0, 60, BATCH))
def test_what_is_found_before_any_proof_is_all_but_the_best(first: int) -> None:
    for seed in range(first, first + BATCH):
        task = task_of(random_problem(seed))
        found = best(task)
        proven = milp_objective(task.problem, task.house.steep)
        assert found.bound <= proven + CLOSE
        assert found.cost == pytest.approx(proven, abs=1e-3)
