"""``ohmstead plan``: the cheapest way through the coming hours."""

import json
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import click

from ohmstead.errors import ProblemError

if TYPE_CHECKING:
    from ohmstead.planner.files import Case
    from ohmstead.planner.plan import Plan

__all__ = ["command"]


@click.command("plan")
@click.option(
    "--problem",
    "files",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="A planning problem; can be given several times.",
)
@click.option(
    "--looks",
    type=click.IntRange(min=0),
    metavar="N",
    help="Spend up to N relaxations on closing the certified gap.",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
def command(files: tuple[Path, ...], more: tuple[Path, ...], looks: int | None) -> None:
    """Solve planning problems of the published formats; one line of JSON for each file.

    Signs are those of the file: battery above 0 discharges, grid above 0 imports. A
    refopt-problem/1 is answered in mean kW, a home-battery-case/1 in kWh a step; soc is the
    stored energy in kWh when the slot ends.
    """
    if not files:
        raise click.UsageError("give --problem FILE, and further files behind it if you like")
    for path in (*files, *more):
        click.echo(json.dumps(_answer(path, looks)))


def _answer(path: Path, looks: int | None) -> dict[str, object]:
    from ohmstead.planner.files import read_case
    from ohmstead.planner.make import make_plan

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ProblemError(f"{path}: {exc}") from exc
    if not isinstance(document, Mapping):
        raise ProblemError(f"{path}: not a problem but {type(document).__name__}")
    case = read_case(document)
    began = perf_counter()
    plan = make_plan(case.problem, looks=looks)
    took = perf_counter() - began
    return {"file": str(path), "name": case.name, "solve_ms": round(took * 1000, 3)} | _told(
        case, plan
    )


def _told(case: "Case", plan: "Plan") -> dict[str, object]:
    from ohmstead.planner.explain import reasons

    slots = []
    why = reasons(case.problem, plan)
    for slot, reason in zip(plan.slots, why, strict=True):
        per_slot = slot.hours / 1000.0
        slots.append(
            {
                "battery": case.battery(slot.battery_w * per_slot, slot.hours),
                "grid": case.flow(slot.grid_w * per_slot, slot.hours),
                "curtailed": case.flow(slot.curtailed_w * per_slot, slot.hours),
                "soc": slot.stored_kwh,
                "mode": slot.mode.value,
                "power_kw": None if slot.power_w is None else slot.power_w / 1000.0,
                "target_pct": slot.target_pct,
                "surplus_to": slot.surplus_to.value,
                "deficit_from": slot.deficit_from.value,
                "car": case.flow(slot.car_w * per_slot, slot.hours),
                "worth_per_kwh": slot.worth_per_kwh,
                "reason": reason.text,
            }
        )
    return {
        "objective": plan.objective,
        "cost": plan.cost,
        "gap": plan.gap,
        "self_use": plan.without,
        "slots": slots,
    }
