"""Who plans anew after every slot gets the same first one in less time."""

from dataclasses import replace
from pathlib import Path

import pytest

from ohmstead.planner.futures import Future, make_hedged_plan, make_hedged_step
from ohmstead.planner.make import first_slot, make_plan
from ohmstead.planner.plan import PlannedSlot
from ohmstead.planner.problem import Problem
from planning_problems import FILES, flexible_problem, published, random_problem

BATCH = 10


@pytest.mark.parametrize("first", range(0, 40, BATCH))
def test_the_first_slot_alone_is_that_of_the_plan(first: int) -> None:
    for seed in range(first, first + BATCH):
        problem = random_problem(seed)
        assert first_slot(problem) == make_plan(problem).slots[0]


@pytest.mark.parametrize("kinds", ["", "a", "b"])
def test_a_planned_slot_has_all_its_fields(kinds: str) -> None:
    problem = flexible_problem(3, kinds)
    for slot in (first_slot(problem), *make_plan(problem).slots):
        assert len(slot) == len(PlannedSlot._fields)


def test_with_a_charge_on_the_peak_too() -> None:
    problem = replace(random_problem(3), peak_per_kw=0.5)
    assert first_slot(problem) == make_plan(problem).slots[0]


def other(problem: Problem, more: float) -> Problem:
    """Return *problem* on a day of other sun."""
    return replace(problem, slots=tuple(s._replace(pv_kwh=s.pv_kwh * more) for s in problem.slots))


@pytest.mark.parametrize("path", FILES[:5], ids=lambda path: path.stem)
def test_a_step_for_several_futures_is_that_of_their_plan(path: Path) -> None:
    problem = published(path)[1].problem
    for shift in range(0, 48, 8):
        slots = problem.slots[shift : shift + 48]
        now = replace(problem, slots=slots, car=None)
        futures = [
            Future(share=share, problem=other(now, more))
            for share, more in ((0.5, 1.0), (0.3, 0.4), (0.2, 1.5))
        ]
        assert make_hedged_step(futures) == make_hedged_plan(futures).plan.slots[0]


def test_a_car_and_a_single_future_are_no_exception() -> None:
    (path,) = (path for path in FILES if path.stem.startswith("problem_e"))
    problem = published(path)[1].problem
    one = [Future(share=1.0, problem=problem)]
    assert make_hedged_step(one) == make_hedged_plan(one).plan.slots[0]
    two = [*one, Future(share=1.0, problem=other(problem, 0.5))]
    assert make_hedged_step(two) == make_hedged_plan(two).plan.slots[0]
