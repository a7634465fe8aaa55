"""Loads that may wait and batteries beside the first: told as cases, and beside HiGHS."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmstead.errors import ProblemError
from ohmstead.model import BatteryMode
from ohmstead.planner.explain import reasons
from ohmstead.planner.futures import Future, make_hedged_plan
from ohmstead.planner.make import make_plan
from ohmstead.planner.plan import Plan
from ohmstead.planner.problem import Amount, Battery, Beside, Load, Problem, Run
from ohmstead.planner.shares import unplanned
from ohmstead.planner.solve import task_of
from planning_milp import milp_objective
from planning_problems import flexible_problem, half_day

NIGHT = range(8, 16)
CLOSE = 1e-6
BATTERY = Battery(
    capacity_kwh=5.0,
    energy_kwh=0.5,
    reserve_kwh=0.5,
    charge_max_w=2500.0,
    discharge_max_w=2500.0,
    charge_efficiency=0.95,
    discharge_efficiency=0.95,
)
HEATER = Amount(name="the heater", energy_kwh=4.0, first_slot=0, last_slot=23, max_w=3000.0)
DISHES = Run(
    name="the dishwasher", profile=((0.5, 1800.0), (1.0, 300.0)), first_slot=2, last_slot=20
)


def house(*loads: Load, **more: object) -> Problem:
    """Return twelve hours by the half-hour, the middle four cheap, with a steady load."""
    slots = half_day(NIGHT, load_kwh=0.2)
    return replace(Problem(slots=slots, battery=BATTERY, loads=loads), **more)  # type: ignore[arg-type]


def kwh_of(plan: Plan, place: int) -> list[float]:
    return [slot.loads_w[place] / 1000.0 * slot.hours for slot in plan.slots]


@pytest.mark.parametrize(
    "load",
    [HEATER, replace(HEATER, steps_w=(2000.0,)), replace(HEATER, min_w=1500.0)],
    ids=["modulating", "on and off", "from a lowest power on"],
)
def test_an_amount_is_taken_in_the_cheap_hours_of_its_window(load: Amount) -> None:
    plan = make_plan(house(load))
    taken = kwh_of(plan, 0)
    assert sum(taken) == pytest.approx(4.0)
    assert sum(taken[index] for index in NIGHT) == pytest.approx(4.0)
    powers = {round(slot.loads_w[0]) for slot in plan.slots} - {0}
    assert max(powers) <= 3000
    assert not load.steps_w or powers == {2000}
    assert min(powers) >= load.min_w
    assert plan.gap < 1e-3
    assert plan.objective < plan.without


def test_a_deadline_is_kept_whatever_it_costs() -> None:
    plan = make_plan(house(replace(HEATER, last_slot=6)))
    assert sum(kwh_of(plan, 0)[:7]) == pytest.approx(4.0)
    assert plan.missed == pytest.approx(0.0, abs=CLOSE)


def test_what_cannot_be_had_in_time_is_taken_as_far_as_it_can() -> None:
    problem = house(replace(HEATER, energy_kwh=9.0, last_slot=3))
    plan = make_plan(problem)
    assert sum(kwh_of(plan, 0)) == pytest.approx(6.0)
    assert plan.missed > 0
    assert "only 6.0 of its 9.0 kWh can be had" in reasons(problem, plan)[0].text


def test_more_than_is_needed_is_taken_where_taking_is_paid_for() -> None:
    slots = tuple(slot._replace(import_per_kwh=-0.05) for slot in house().slots)
    plan = make_plan(house(replace(HEATER, most_kwh=5.5), slots=slots))
    assert sum(kwh_of(plan, 0)) == pytest.approx(5.5)


def test_a_run_goes_through_once_in_its_window_and_in_the_cheap_hours() -> None:
    problem = house(DISHES)
    plan = make_plan(problem)
    watts = [round(slot.loads_w[0], 6) for slot in plan.slots]
    start = watts.index(1800.0)
    assert watts == [0.0] * start + [1800.0, 300.0, 300.0] + [0.0] * (21 - start)
    assert set(range(start, start + 3)) <= set(NIGHT)
    told = [reason.text for reason in reasons(problem, plan)]
    assert "the dishwasher starts, done in" in told[start]
    assert told[start + 1].endswith("the dishwasher runs")


def test_a_run_may_take_parts_of_slots() -> None:
    run = replace(DISHES, profile=((0.75, 1000.0),))
    watts = [slot.loads_w[0] for slot in make_plan(house(run)).slots]
    assert sorted(watts)[-2:] == [pytest.approx(500.0), pytest.approx(1000.0)]


def test_a_run_that_cannot_be_done_in_time_starts_as_early_as_it_may() -> None:
    plan = make_plan(house(replace(DISHES, first_slot=20, last_slot=21)))
    assert plan.slots[20].loads_w[0] == pytest.approx(1800.0)
    assert plan.missed > 0


def test_loads_and_batteries_keep_out_of_each_others_way_below_the_fuse() -> None:
    problem = house(HEATER, replace(HEATER, energy_kwh=6.0), DISHES, import_max_w=4000.0)
    plan = make_plan(replace(problem, beside=(Beside(battery=BATTERY),)))
    assert [sum(kwh_of(plan, place)) for place in (0, 1)] == pytest.approx([4.0, 6.0])
    assert max(slot.grid_w for slot in plan.slots) <= 4000.0 + 1e-3
    assert plan.missed == pytest.approx(0.0, abs=CLOSE)


def test_two_halves_of_a_battery_earn_what_the_whole_does() -> None:
    half = replace(
        BATTERY,
        capacity_kwh=2.5,
        energy_kwh=0.25,
        reserve_kwh=0.25,
        charge_max_w=1250.0,
        discharge_max_w=1250.0,
    )
    whole = make_plan(house())
    halves = make_plan(house(battery=half, beside=(Beside(battery=half),)))
    assert halves.objective == pytest.approx(whole.objective, abs=1e-3)
    assert halves.objective + halves.missed >= whole.objective - CLOSE


def test_a_further_battery_is_told_what_to_do_within_what_it_can() -> None:
    other = replace(BATTERY, capacity_kwh=3.0, charge_max_w=800.0, wear_per_kwh=0.01)
    worth = ((3.0, 0.05),)
    slots = tuple(slot._replace(load_kwh=0.9) for slot in house().slots)
    problem = house(beside=(Beside(battery=other, end_worth=worth),), slots=slots)
    plan = make_plan(problem)
    rows = [slot.beside[0] for slot in plan.slots]
    assert {row.mode for row in rows} >= {BatteryMode.CHARGE, BatteryMode.DISCHARGE}
    assert min(row.battery_w for row in rows) >= -800.0 - 1e-3
    assert max(row.stored_kwh for row in rows) <= 3.0 + CLOSE
    assert plan.objective < make_plan(house(slots=slots)).objective
    assert plan.objective < plan.without
    assert any("battery 2 charges at 0.8 kW" in reason.text for reason in reasons(problem, plan))


def test_futures_share_the_loads_of_the_first() -> None:
    bright = house(HEATER)
    dull = replace(bright, slots=tuple(slot._replace(load_kwh=0.4) for slot in bright.slots))
    hedged = make_hedged_plan([Future(share=0.5, problem=bright), Future(share=0.5, problem=dull)])
    assert sum(kwh_of(hedged.plan, 0)) == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (replace(HEATER, last_slot=24), "the heater: its slots must lie within 0 … 23"),
        (replace(HEATER, min_w=4000.0), "the heater: its powers and energy"),
        (replace(HEATER, most_kwh=3.0), "the heater: its powers and energy"),
        (replace(HEATER, steps_w=(0.0,)), "the powers of its steps must be above 0"),
        (replace(DISHES, profile=()), "the dishwasher: the parts of its profile"),
        (replace(DISHES, profile=((0.5, -1.0),), name=""), "the run: the parts of its profile"),
    ],
    ids=[
        "beyond the plan",
        "order of powers",
        "less than needed",
        "no step",
        "no parts",
        "below 0",
    ],
)
def test_a_load_of_no_meaning_is_refused(load: Load, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        house(load)


# ---- beside HiGHS -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "count", "most_above"),
    [
        *(("a", 20, 0), ("r", 20, 0), ("aa", 12, 1), ("rr", 12, 0), ("ar", 12, 0)),
        *(("b", 20, 1), ("bb", 6, 2), ("ab", 8, 1)),
    ],
)
def test_no_plan_is_below_what_highs_proves_and_few_are_above(
    kinds: str, count: int, most_above: int
) -> None:
    above = 0
    for seed in range(count):
        problem = flexible_problem(seed, kinds)
        plan = make_plan(problem)
        proven = milp_objective(problem, task_of(problem).house.steep)
        found = plan.objective + plan.missed
        assert found >= proven - 1e-5
        assert found - plan.gap <= proven + 1e-5
        above += found > proven + 1e-4
    assert above <= most_above


@pytest.mark.parametrize("kinds", ["a", "r", "b"])
def test_a_charge_on_the_peak_counts_with_everything_beside(kinds: str) -> None:
    for seed in range(2):
        problem = replace(flexible_problem(seed, kinds), peak_per_kw=0.1)
        plan = make_plan(problem)
        proven = milp_objective(problem, task_of(problem).house.steep)
        found = plan.objective + plan.missed
        assert found == pytest.approx(proven, abs=1e-3)
        assert found - plan.gap <= proven + 1e-5


# ---- whatever the house -------------------------------------------------------------------


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(["a", "r", "ar", "aar", "b", "ab"]))
def test_windows_powers_and_amounts_are_kept_and_waiting_never_costs_more(
    seed: int, kinds: str
) -> None:
    problem = flexible_problem(seed, kinds)
    plan = make_plan(problem)
    for place, load in enumerate(problem.loads):
        taken = np.array(kwh_of(plan, place))
        if isinstance(load, Run):
            whole = sum(hours * watts for hours, watts in load.profile) / 1000.0
            assert taken.sum() == pytest.approx(whole, abs=CLOSE)
            continue
        assert not taken[: load.first_slot].any()
        assert not taken[load.last_slot + 1 :].any()
        assert taken.sum() <= load.top_kwh + CLOSE
        hours = problem.slots[0].hours / 1000.0
        top = max(load.steps_w, default=load.max_w) * hours
        assert taken.max() <= top + CLOSE
        assert all(kwh == 0 or kwh >= load.min_w * hours - CLOSE for kwh in taken)
    for slot in plan.slots:
        for other, row in zip(problem.beside, slot.beside, strict=True):
            assert -CLOSE <= row.stored_kwh <= other.battery.capacity_kwh + CLOSE
            assert abs(row.battery_w) <= 5000.0 + 0.1
    at_once = unplanned(problem).house.load.sum()
    with_loads = sum(s.load_kwh for s in problem.slots) + sum(
        sum(kwh_of(plan, place)) for place in range(len(problem.loads))
    )
    if problem.end_kwh is None and plan.missed < CLOSE and at_once >= with_loads - CLOSE:
        assert plan.objective <= plan.without + CLOSE
