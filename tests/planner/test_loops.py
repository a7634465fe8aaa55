"""Tables for numpy and loops for a compiler say the same, to the last digit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.planner.flows import tabled_settle
from ohmstead.planner.loops import cost_lines, node_costs, node_walk, settle_lines
from ohmstead.planner.nodes import grid_of, reach_of, tabled_sweep, tabled_trace
from ohmstead.planner.problem import Problem
from ohmstead.planner.slot import tabled_curves
from ohmstead.planner.solve import Task, knots_of, task_of
from planning_problems import FILES, published, random_problem

SEEDS = st.integers(0, 10_000)
NODES = 23


def some(problem: Problem) -> Problem:
    """Return the first slots of a problem: loops are slow where nobody compiles them."""
    return replace(problem, slots=problem.slots[:24], car=None)


PUBLISHED = [pytest.param(some(published(path)[1].problem), id=path.stem) for path in FILES]


@pytest.mark.parametrize("problem", PUBLISHED)
def test_published_slots_cost_the_same_either_way(problem: Problem) -> None:
    same_curves(task_of(problem))
    same_nodes(task_of(problem), 41)


@given(seed=SEEDS)
def test_slots_cost_the_same_either_way(seed: int) -> None:
    same_curves(task_of(random_problem(seed)))


@given(seed=SEEDS, part=st.floats(0, 1))
def test_slots_do_the_same_either_way(seed: int, part: float) -> None:
    task = task_of(random_problem(seed))
    first, last = task.curves.xs[:, 0], task.curves.xs[:, -1]
    changes = first + part * (last - first)
    for one, other in zip(
        settle_lines(task.house, changes), tabled_settle(task.house, changes), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@given(seed=SEEDS)
def test_nodes_cost_the_same_either_way(seed: int) -> None:
    same_nodes(task_of(random_problem(seed)), NODES)


def same_curves(task: Task) -> None:
    tabled = tabled_curves(task.house)
    xs, ys, counts = cost_lines(task.house)
    np.testing.assert_array_equal(counts, tabled.counts)
    np.testing.assert_array_equal(xs, tabled.xs)
    np.testing.assert_array_equal(ys, tabled.ys)


def same_nodes(task: Task, count: int) -> None:
    curves, bounds = tabled_curves(task.house), task.bounds
    lines = (curves.xs, curves.ys, curves.counts)
    grid = grid_of(min(bounds.lows), max(bounds.highs), count)
    end = np.interp(grid.nodes, *knots_of(task.end))
    missed = np.linspace(0.0, 1.0, count) * np.arange(len(curves.counts))[:, None]
    tabled = tabled_sweep(reach_of(curves, grid), grid, end, dict(enumerate(missed)))
    np.testing.assert_array_equal(node_costs(lines, grid.step, end, missed), tabled)
    energy = task.energy
    walked = node_walk(lines, grid.nodes, grid.low, grid.step, tabled, energy)
    assert walked == tabled_trace(curves.points(), grid, tabled, energy)
