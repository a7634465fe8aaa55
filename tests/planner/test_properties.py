"""What holds for every plan: energy is conserved, limits are kept, more never hurts."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.errors import ProblemError
from ohmstead.planner.make import make_plan
from ohmstead.planner.plan import Plan, PlannedSlot
from ohmstead.planner.problem import Battery, Problem, Slot, Taper
from ohmstead.planner.solve import cost_of, task_of
from planning_problems import random_problem

SEEDS = st.integers(min_value=0, max_value=10**9)
CLOSE = 1e-6


def awkward(seed: int) -> Problem:
    """Return a problem with everything a house can have, sensible or not."""
    dice = Random(seed)  # noqa: S311 - no secret
    problem = random_problem(seed, slots=dice.randint(1, 30), car=dice.random() < 0.1)
    battery, top = problem.battery, problem.battery.capacity_kwh
    tapers = ((Taper(from_kwh=0.8 * top, share=0.5), Taper(from_kwh=0.9 * top, share=0.1)), ())
    low = dice.choice((0.0, 0.0, 0.5, 1.2)) * top
    problem = replace(
        problem,
        slots=tuple(
            slot._replace(low_kwh=low if dice.random() < 0.2 else 0.0) for slot in problem.slots
        ),
        battery=replace(
            battery,
            energy_kwh=dice.choice((0.0, battery.energy_kwh, top, 1.1 * top)),
            standby_w=dice.choice((0.0, 0.0, 40.0)),
            charge_tapers=dice.choice(tapers),
            discharge_tapers=dice.choice(((), (), (Taper(from_kwh=0.0, share=0.7),))),
        ),
        import_max_w=dice.choice((15000.0, 500.0, 0.0)),
    )
    return replace(problem, peak_per_kw=dice.choice((0.0,) * 9 + (0.2,)))


def settled(problem: Problem, plan: Plan) -> None:
    """Fail where a plan breaks physics or a limit."""
    battery, stored = problem.battery, problem.battery.energy_kwh
    for slot, planned in zip(problem.slots, plan.slots, strict=True):
        hours = slot.hours / 1000.0
        bus, grid = planned.battery_w * hours, planned.grid_w * hours
        flow = -bus * battery.charge_efficiency if bus < 0 else -bus / battery.discharge_efficiency
        assert planned.stored_kwh - stored == pytest.approx(
            flow - battery.standby_w * hours, abs=CLOSE
        )
        stored = planned.stored_kwh
        through = bus + slot.pv_kwh - planned.curtailed_w * hours
        given_, inverter = through, problem.inverter
        if inverter is not None:
            given_ *= inverter.out_efficiency if through > 0 else 1 / inverter.in_efficiency
            assert (
                -inverter.in_max_w * hours - CLOSE <= given_ <= inverter.out_max_w * hours + CLOSE
            )
        watts = planned.car_w + sum(planned.loads_w)
        watts -= sum(other.battery_w for other in planned.beside)
        taken = slot.load_kwh + watts * hours
        assert grid == pytest.approx(taken - given_, abs=CLOSE)
        assert grid >= -min(problem.export_max_w, slot.export_max_w) * hours - CLOSE
        assert -CLOSE <= planned.curtailed_w * hours <= slot.pv_kwh + CLOSE
        keeps_powers(problem, slot, planned)


def keeps_powers(problem: Problem, slot: Slot, planned: PlannedSlot) -> None:
    """Fail where the battery does more than it can."""
    battery = problem.battery
    floor = min(battery.reserve_kwh, battery.energy_kwh) - battery.standby_w / 1000 * problem.hours
    assert floor - CLOSE <= planned.stored_kwh
    assert planned.stored_kwh <= max(battery.capacity_kwh, battery.energy_kwh) + CLOSE
    assert planned.battery_w >= -min(battery.charge_max_w, slot.charge_max_w) - CLOSE * 1e4
    assert planned.battery_w <= min(battery.discharge_max_w, slot.discharge_max_w) + CLOSE * 1e4


@given(SEEDS)
def test_energy_is_conserved_and_limits_are_kept_whatever_the_house(seed: int) -> None:
    problem = awkward(seed)
    settled(problem, make_plan(problem))


@given(SEEDS)
def test_a_plan_never_costs_more_than_self_use_nor_less_than_its_bound(seed: int) -> None:
    task = task_of(random_problem(seed, slots=12))
    plan = make_plan(task.problem)
    assert plan.gap >= 0
    if task.problem.end_kwh is None:
        assert plan.objective <= plan.without + CLOSE


def bigger(problem: Problem) -> Problem:
    more = replace(problem.battery, capacity_kwh=problem.battery.capacity_kwh * 1.5)
    return replace(problem, battery=more)


def stronger(problem: Problem) -> Problem:
    battery = problem.battery
    more = replace(
        battery,
        charge_max_w=battery.charge_max_w * 1.5,
        discharge_max_w=battery.discharge_max_w * 1.5,
    )
    return replace(problem, battery=more)


def better(problem: Problem) -> Problem:
    more = replace(problem.battery, charge_efficiency=1.0, discharge_efficiency=1.0)
    paid = any(min(slot.import_per_kwh, slot.export_per_kwh) < 0 for slot in problem.slots)
    if paid or problem.end_kwh is not None:
        return problem  # there losing energy can be worth something
    return replace(problem, battery=more)


def cheaper(problem: Problem) -> Problem:
    cut = (slot._replace(import_per_kwh=slot.import_per_kwh - 0.05) for slot in problem.slots)
    return replace(problem, slots=tuple(cut))


def dearer_export(problem: Problem) -> Problem:
    more = (slot._replace(export_per_kwh=slot.export_per_kwh + 0.05) for slot in problem.slots)
    return replace(problem, slots=tuple(more))


def less_worn(problem: Problem) -> Problem:
    return replace(problem, battery=replace(problem.battery, wear_per_kwh=0.0))


@pytest.mark.parametrize(
    "gift",
    [bigger, stronger, better, cheaper, dearer_export, less_worn],
    ids=lambda gift: gift.__name__,
)
@given(SEEDS)
def test_having_more_or_paying_less_never_costs_more(
    gift: Callable[[Problem], Problem], seed: int
) -> None:
    problem = random_problem(seed)
    before, after = make_plan(problem), make_plan(gift(problem))
    if before.missed < CLOSE:  # what is missed has a price that depends on all others
        assert after.objective <= before.objective + CLOSE


def changes_of(problem: Problem) -> Iterator[float]:
    stored = problem.battery.energy_kwh
    for slot in make_plan(problem).slots:
        yield slot.stored_kwh - stored
        stored = slot.stored_kwh


@given(SEEDS, SEEDS)
def test_knowing_what_comes_never_costs_more_than_guessing_it(seed: int, other: int) -> None:
    true, dice = random_problem(seed), Random(other)  # noqa: S311 - no secret
    guess = replace(
        true,
        slots=tuple(
            slot._replace(load_kwh=slot.load_kwh * dice.uniform(0.5, 2)) for slot in true.slots
        ),
    )
    task = task_of(true)
    guessed = list(changes_of(guess))
    possible = [
        min(max(change, xs[0]), xs[-1])
        for change, (xs, _) in zip(guessed, task.points, strict=True)
    ]
    if possible == guessed:
        plan = make_plan(true)
        assert plan.objective + plan.missed <= cost_of(task, guessed) + CLOSE


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"slots": ()}, "at least one slot"),
        ({"end_worth": ((1.0, 0.1), (1.0, 0.2))}, "dearest"),
        ({"import_max_w": -1.0}, "cannot be negative"),
    ],
    ids=["no slots", "rising worth", "negative limit"],
)
def test_what_has_no_meaning_is_refused(what: dict[str, object], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        replace(random_problem(1), **what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "field", ["capacity_kwh", "charge_efficiency", "energy_kwh", "charge_max_w", "standby_w"]
)
def test_a_battery_of_no_sense_is_refused(field: str) -> None:
    broken = replace(random_problem(1).battery, **{field: -1.0})  # type: ignore[arg-type]
    with pytest.raises(ProblemError):
        replace(random_problem(1), battery=broken)


def test_numbers_that_are_none_are_refused() -> None:
    slot = Slot(hours=0.5, import_per_kwh=float("nan"), export_per_kwh=0.1, load_kwh=0.2)
    battery = Battery(capacity_kwh=5, energy_kwh=2, charge_max_w=3000, discharge_max_w=3000)
    with pytest.raises(ProblemError, match="slot 0: prices, load and sun must be finite"):
        Problem(slots=(slot,), battery=battery)
