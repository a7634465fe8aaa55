"""The planner beside HiGHS on the published problems, and a house-year of rolling plans."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from tables import print_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ohmstead.planner.files import Case
from ohmstead.planner.make import make_plan
from ohmstead.planner.problem import Problem
from ohmstead.planner.solve import Task, best, first_change, task_of
from planning_milp import milp
from planning_problems import FILES, published

RUNS = 15
YEAR = 17_520
WINDOWS = 120
HIGHS_LIMIT_S = 5.0
FULL_LIMIT_S = 120.0


def main() -> None:
    """Print one table for the problems, one for others' figures, one for the year."""
    limit_s = FULL_LIMIT_S if "--full" in sys.argv else HIGHS_LIMIT_S
    cases = [published(path) for path in FILES]
    print_table(
        "Published problems (refopt in GBP, homes in pence)",
        (
            "problem",
            "slots",
            "ms p50",
            "objective",
            "above proven",
            "gap",
            "HiGHS ms",
            "HiGHS above",
        ),
        [beside_highs(document, case, limit_s) for document, case in cases],
    )
    homes = [(d, c) for d, c in cases if c.format == "home-battery-case/1"]
    print_table(
        "The same homes by others, pence (stored with the problems)",
        ("home", "no plan", "predbat", "five modes", "ohmstead", "proven bound"),
        [beside_others(document, case) for document, case in homes],
    )
    print_table(
        f"Rolling plans of 48 h at 30 min ({WINDOWS} windows measured)",
        (
            *("tariff", "plan ms", "plans a second", f"{YEAR:,} plans s"),
            *("first step ms", f"{YEAR:,} steps s"),
        ),
        [rolling(case) for _, case in cases if len(case.problem.slots) == 96],
    )


def beside_highs(document: Mapping[str, object], case: Case, limit_s: float) -> list[str]:
    """Solve one problem with both."""
    problem = case.problem
    plan = make_plan(problem)
    took = timed(lambda: make_plan(problem))
    proven = known_optimum(document)
    solved = milp(problem, task_of(problem).house.steep, limit_s)
    mark = "" if solved.proven else " (limit)"
    return [
        case.name,
        str(len(problem.slots)),
        f"{took:.1f}",
        f"{plan.objective:.5f}",
        f"{plan.objective - proven:+.5f}",
        f"{plan.gap:.4f}",
        f"{solved.took_s * 1000:,.0f}{mark}",
        f"{solved.objective - proven:+.5f}",
    ]


def beside_others(document: Mapping[str, Any], case: Case) -> list[str]:
    """Show what others reached on the same home, before the same judge."""
    known = document["reference"]
    return [
        case.name,
        f"{known['self_use_p']:.1f}",
        f"{known['predbat']['nominal']['objective_p']:.1f}",
        f"{known['five_mode_dp']['objective_p']:.1f}",
        f"{make_plan(case.problem).objective:.1f}",
        f"{known['bound']['proven_bound_p']:.1f}",
    ]


def known_optimum(document: Mapping[str, Any]) -> float:
    """Return the optimum that is stored with a problem."""
    if "optimum" in document:
        return float(document["optimum"]["milp_objective"])
    return float(document["reference"]["bound"]["objective_p"])


def rolling(case: Case) -> list[str]:
    """Plan again and again, a slot further each time, the energy carried over."""
    whole = year_of(case.problem, lambda task: best(task).changes[0])
    step = year_of(case.problem, first_change)
    figures = [whole * 1e3, 1 / whole, whole * YEAR, step * 1e3, step * YEAR]
    digits = (1, 0, 0, 1, 0)
    return [case.name, *(f"{x:,.{n}f}" for x, n in zip(figures, digits, strict=True))]


def year_of(problem: Problem, first: Callable[[Task], float]) -> float:
    """Return the mean seconds of a rolling plan, of which only the first step is taken."""
    battery, total = problem.battery, 0.0
    energy, count = battery.energy_kwh, len(problem.slots)
    for window in range(WINDOWS):
        shift = window % count
        slots = problem.slots[shift:] + problem.slots[:shift]
        now = replace(problem, slots=slots, battery=replace(battery, energy_kwh=energy), car=None)
        began = perf_counter()
        change = first(task_of(now))
        total += perf_counter() - began
        energy = min(max(energy + change, battery.reserve_kwh), battery.capacity_kwh)
    return total / WINDOWS


def timed(run: Callable[[], object]) -> float:
    """Return the median of a few runs, in ms."""
    times = []
    for _ in range(RUNS):
        began = perf_counter()
        run()
        times.append(perf_counter() - began)
    return median(times) * 1000


if __name__ == "__main__":
    main()
