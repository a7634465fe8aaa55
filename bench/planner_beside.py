"""Loads, further batteries and a cost of turning round, on the published half-hourly problems."""

import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from tables import print_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ohmstead.planner.make import make_plan
from ohmstead.planner.problem import Amount, Battery, Beside, Problem, Run
from ohmstead.planner.solve import task_of
from planning_milp import milp
from planning_problems import FILES, published

LIMIT_S = 10.0
HALF_HOURS = 96
HEATER = Amount(name="heater", energy_kwh=6.0, first_slot=0, last_slot=40)
DISHES = Run(
    name="dishes", profile=((0.5, 1800), (0.5, 200), (0.5, 1500)), first_slot=4, last_slot=44
)
SECOND = Beside(
    battery=Battery(
        capacity_kwh=6.0,
        energy_kwh=3.0,
        charge_max_w=3000,
        discharge_max_w=3000,
        charge_efficiency=0.93,
        discharge_efficiency=0.93,
    ),
    end_kwh=3.0,
)
MORE = {
    "heater 6 kWh": {"loads": (HEATER,)},
    "dishwasher": {"loads": (DISHES,)},
    "second battery": {"beside": (SECOND,)},
    "all three": {"loads": (HEATER, DISHES), "beside": (SECOND,)},
}
COSTS = (0.001, 0.005, 0.02)


def main() -> None:
    """Print a table for what is planned beside the battery, and one for changes of mode."""
    cases = [published(path)[1] for path in FILES if path.name.startswith("problem_")]
    rows = []
    for case in cases:
        if len(case.problem.slots) == HALF_HOURS:
            for name, more in MORE.items():
                problem = replace(case.problem, **more)  # type: ignore[arg-type]
                rows.append([case.name, name, *beside_highs(problem)])
    named = ("problem", "with", "ms", "gap", "above HiGHS", "HiGHS ms")
    print_table("Beside the battery (GBP)", named, rows)
    turns = [[case.name, *turning(case.problem)] for case in cases]
    columns = ("problem", "free", *(f"at {cost}: turns, energy dearer by" for cost in COSTS))
    print_table("Changes of mode (GBP)", columns, turns)


def beside_highs(problem: Problem) -> list[str]:
    """Solve one problem with both."""
    began = perf_counter()
    plan = make_plan(problem)
    took = perf_counter() - began
    solved = milp(problem, task_of(problem).house.steep, LIMIT_S)
    mark = "" if solved.proven else " (limit)"
    above = plan.objective + plan.missed - solved.objective
    return [
        f"{took * 1000:.0f}",
        f"{plan.gap:.4f}",
        f"{above:+.5f}",
        f"{solved.took_s * 1000:,.0f}{mark}",
    ]


def turning(problem: Problem) -> list[str]:
    """Show how often the mode changes, freely and when it costs something."""
    free = make_plan(problem)
    found = [str(free.switches)]
    for cost in COSTS:
        steady = make_plan(replace(problem, switch_cost=cost))
        dearer = steady.objective - cost * steady.switches - free.objective
        found.append(f"{steady.switches}, {dearer:.4f}")
    return found


if __name__ == "__main__":
    main()
