"""Problems for tests: the published ones, and small random ones."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

from ohmstead.planner.files import Case, read_case
from ohmstead.planner.problem import (
    Amount,
    Battery,
    Beside,
    Car,
    Inverter,
    Problem,
    Run,
    Slot,
)

__all__ = [
    "CHEAP",
    "DEAR",
    "FILES",
    "flexible_problem",
    "half_day",
    "published",
    "random_problem",
]

DEAR, CHEAP = 0.27, 0.07

FILES = sorted((Path(__file__).parent / "planner" / "problems").glob("*.json"))


def published(path: Path) -> tuple[Mapping[str, object], Case]:
    """Return a published problem as it stands in its file, and as we read it."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return document, read_case(document)


def half_day(cheap: range, load_kwh: float) -> tuple[Slot, ...]:
    """Return twelve hours by the half-hour, some of them cheap, with a steady load."""
    return tuple(
        Slot(
            hours=0.5,
            import_per_kwh=CHEAP if index in cheap else DEAR,
            export_per_kwh=0.05,
            load_kwh=load_kwh,
        )
        for index in range(24)
    )


def random_problem(seed: int, *, slots: int = 0, car: bool = False) -> Problem:
    """Return a small problem with everything that makes one hard."""
    dice = Random(seed)  # noqa: S311 - no secret
    count = slots or dice.randint(2, 8)
    hours = dice.choice((1 / 12, 0.25, 0.5, 1.0))
    flat = dice.random() < 0.3
    fixed = dice.choice((None, 0.15, 0.05))
    base = dice.uniform(0.1, 0.3)
    coming = tuple(
        Slot(
            hours=hours,
            import_per_kwh=round(base if flat else dice.uniform(-0.15, 0.4), 4),
            export_per_kwh=fixed if fixed is not None else round(dice.uniform(-0.1, 0.3), 4),
            load_kwh=round(dice.uniform(0, 3) * hours, 4),
            pv_kwh=round(max(dice.uniform(-3, 6), 0) * hours, 4),
            charge_max_w=dice.choice((float("inf"), float("inf"), 1000.0, 0.0)),
            discharge_max_w=dice.choice((float("inf"), float("inf"), 1500.0, 0.0)),
        )
        for _ in range(count)
    )
    capacity = round(dice.uniform(1, 5) * hours * 2, 3)
    reserve = round(capacity * dice.choice((0.0, 0.04, 0.2)), 3)
    hybrid = dice.random() < 0.5
    worth = round(dice.uniform(0.02, 0.3), 4)
    energy = round(dice.uniform(0, capacity), 3)
    goal = round(dice.uniform(reserve, capacity), 3)
    return Problem(
        slots=coming,
        battery=Battery(
            capacity_kwh=capacity,
            energy_kwh=energy,
            reserve_kwh=reserve,
            charge_max_w=dice.choice((3600.0, 2500.0, 5000.0)),
            discharge_max_w=dice.choice((3600.0, 2500.0, 5000.0)),
            charge_efficiency=dice.choice((1.0, 0.97, 0.9)),
            discharge_efficiency=dice.choice((1.0, 0.97, 0.9)),
            wear_per_kwh=dice.choice((0.0, 0.01, 0.03)),
        ),
        inverter=Inverter(
            out_max_w=dice.choice((5000.0, 3000.0)),
            in_max_w=dice.choice((5000.0, 3000.0)),
            out_efficiency=dice.choice((1.0, 0.96)),
            in_efficiency=dice.choice((1.0, 0.95)),
        )
        if hybrid
        else None,
        import_max_w=dice.choice((15000.0, 4000.0)),
        export_max_w=dice.choice((5000.0, 2000.0, 0.0)),
        curtail=dice.random() < 0.6,
        end_worth=() if dice.random() < 0.3 else ((capacity, worth),),
        end_kwh=goal if dice.random() < 0.3 else None,
        car=Car(
            energy_kwh=round(dice.uniform(0, 5) * hours * count / 2, 3),
            first_slot=0,
            last_slot=dice.randint(0, count - 1),
            min_w=dice.choice((0.0, 1380.0)),
            max_w=7400.0,
            steps_w=dice.choice(((), (), (1380.0, 3680.0, 7360.0))),
        )
        if car
        else None,
    )


def flexible_problem(seed: int, kinds: str) -> Problem:
    """Return a small problem with an amount, run, further battery for each letter a, r, b."""
    problem = random_problem(seed)
    dice = Random(f"{kinds}{seed}")  # noqa: S311 - no secret
    amounts = tuple(_random_amount(dice, problem) for _ in range(kinds.count("a")))
    runs = tuple(_random_run(dice, problem) for _ in range(kinds.count("r")))
    others = tuple(_random_battery(dice, problem) for _ in range(kinds.count("b")))
    return replace(problem, loads=(*amounts, *runs), beside=others)


def _random_amount(dice: Random, problem: Problem) -> Amount:
    count, hours = len(problem.slots), problem.slots[0].hours
    first = dice.randint(0, count - 1)
    energy = round(dice.uniform(0, 2) * hours * count / 2, 3)
    return Amount(
        energy_kwh=energy,
        first_slot=first,
        last_slot=dice.randint(first, count - 1),
        min_w=dice.choice((0.0, 0.0, 500.0)),
        max_w=dice.choice((1000.0, 3000.0)),
        steps_w=dice.choice(((), (), (3000.0,))),
        most_kwh=dice.choice((None, None, round(1.5 * energy, 3))),
    )


def _random_run(dice: Random, problem: Problem) -> Run:
    count, hours = len(problem.slots), problem.slots[0].hours
    parts = dice.randint(1, 3)
    profile = tuple(
        (round(dice.choice((0.5, 1.0, 0.3)) * hours, 4), dice.choice((200.0, 1200.0, 2200.0)))
        for _ in range(parts)
    )
    if sum(part for part, _ in profile) > hours * count:
        profile = profile[:1]
    long = sum(part for part, _ in profile) / hours
    first = dice.randint(0, max(int(count - long), 0))
    needs = min(int(long - 1e-9), count - 1 - first)
    return Run(profile=profile, first_slot=first, last_slot=dice.randint(first + needs, count - 1))


def _random_battery(dice: Random, problem: Problem) -> Beside:
    hours = problem.slots[0].hours
    capacity = round(dice.uniform(1, 5) * hours * 2, 3)
    return Beside(
        battery=Battery(
            capacity_kwh=capacity,
            energy_kwh=round(dice.uniform(0, capacity), 3),
            reserve_kwh=round(capacity * dice.choice((0.0, 0.1)), 3),
            charge_max_w=dice.choice((3000.0, 1500.0, 5000.0)),
            discharge_max_w=dice.choice((3000.0, 1500.0, 5000.0)),
            charge_efficiency=dice.choice((1.0, 0.95, 0.9)),
            discharge_efficiency=dice.choice((1.0, 0.95, 0.9)),
            wear_per_kwh=dice.choice((0.0, 0.02)),
        ),
        end_worth=() if dice.random() < 0.3 else ((capacity, round(dice.uniform(0.02, 0.3), 4)),),
    )
