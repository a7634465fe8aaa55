"""The planner beside HiGHS on the published problems, and a house-year of rolling plans."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from engines import accelerated
from tables import print_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ohmstead.planner.files import Case
from ohmstead.planner.make import first_slot, make_plan
from ohmstead.planner.plan import PlannedSlot
from ohmstead.planner.problem import Problem
from ohmstead.planner.solve import best, task_of
from planning_milp import milp
from planning_problems import FILES, published

RUNS = 51
YEAR = 17_520
WINDOWS = 120
HIGHS_LIMIT_S = 5.0
FULL_LIMIT_S = 120.0


def main() -> None:
    """Print one table for the problems, one for others' figures, one for the year."""
    limit_s = FULL_LIMIT_S if "--full" in sys.argv else HIGHS_LIMIT_S
    cases = [published(path) for path in FILES]
    fast = accelerated("planner", "speeds") or {}
    print_table(
        "Published problems (refopt in GBP, homes in pence); ms are the median of a whole plan",
        (
            *("problem", "slots", "ms", "engine ms", "accelerated ms", "engine", "objective"),
            *("above proven", "gap", "HiGHS ms", "HiGHS above"),
        ),
        [beside_highs(document, case, limit_s, fast.get(case.name)) for document, case in cases],
    )
    homes = [(d, c) for d, c in cases if c.format == "home-battery-case/1"]
    print_table(
        "The same homes by others, pence (stored with the problems)",
        ("home", "no plan", "predbat", "five modes", "ohmstead", "proven bound"),
        [beside_others(document, case) for document, case in homes],
    )
    own, fast = rolling(), accelerated("planner", "rolling") or {}
    print_table(
        f"Rolling plans of 48 h at 30 min, one core ({WINDOWS} windows measured)",
        ("tariff", "plan ms", f"{YEAR:,} s", "first slot ms", f"{YEAR:,} s", "accelerated", ""),
        [
            [
                name,
                *(f"{each * 1e3:.2f}", f"{each * YEAR:.0f}"),
                *(f"{first * 1e3:.2f}", f"{first * YEAR:.0f}"),
                *(f"{each * YEAR:.1f}" for each in fast.get(name, ())),
            ]
            for name, (each, first) in own.items()
        ],
    )


def speeds() -> dict[str, list[float]]:
    """Return the ms of every published problem: of a whole plan, and of its engine alone."""
    return {case.name: speed(case.problem) for _, case in map(published, FILES)}


def speed(problem: Problem) -> list[float]:
    """Return the ms of a plan with everything it says, and of finding it."""
    engine = timed(lambda: best(task_of(problem))) if problem.car is None else 0.0
    return [timed(lambda: make_plan(problem)), engine]


def beside_highs(
    document: Mapping[str, object], case: Case, limit_s: float, fast: list[float] | None
) -> list[str]:
    """Solve one problem with both; *fast* is what compiled kernels took."""
    problem = case.problem
    plan = make_plan(problem)
    proven = known_optimum(document)
    solved = milp(problem, task_of(problem).house.steep, limit_s)
    mark = "" if solved.proven else " (limit)"
    return [
        case.name,
        str(len(problem.slots)),
        *(f"{ms:.2f}" for ms in (*speed(problem), *(fast or ()))),
        *([] if fast else ["", ""]),
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


def rolling() -> dict[str, list[float]]:
    """Return the mean seconds of planning again and again, a slot further each time."""
    cases = [case for _, case in map(published, FILES) if len(case.problem.slots) == 96]
    return {
        case.name: [year_of(case.problem, plan) for plan in (whole_plan, first_slot)]
        for case in cases
        if case.problem.car is None
    }


def whole_plan(problem: Problem) -> PlannedSlot:
    """Return the first slot of a plan that is spelled out."""
    return make_plan(problem).slots[0]


def year_of(problem: Problem, first: Callable[[Problem], PlannedSlot]) -> float:
    """Return the mean seconds of a rolling plan, of which only the first step is taken."""
    battery, total = problem.battery, 0.0
    energy, count = battery.energy_kwh, len(problem.slots)
    first(problem)
    for window in range(WINDOWS):
        shift = window % count
        slots = problem.slots[shift:] + problem.slots[:shift]
        begun = replace(battery, energy_kwh=energy)
        began = perf_counter()
        energy = first(replace(problem, slots=slots, battery=begun)).stored_kwh
        total += perf_counter() - began
        energy = min(max(energy, battery.reserve_kwh), battery.capacity_kwh)
    return total / WINDOWS


def timed(run: Callable[[], object]) -> float:
    """Return the median of a few runs, in ms."""
    run()
    times = []
    for _ in range(RUNS):
        began = perf_counter()
        run()
        times.append(perf_counter() - began)
    return median(times) * 1000


if __name__ == "__main__":
    main()
