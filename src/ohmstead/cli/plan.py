"""``ohmstead plan``: the cheapest way through the coming hours."""

import json
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ohmstead.cli.common import as_json_option, print_json
from ohmstead.errors import ProblemError

if TYPE_CHECKING:
    from ohmstead.model import Plan as HousePlan
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
    help="Solve a planning problem instead; can be given several times.",
)
@click.option(
    "--looks",
    type=click.IntRange(min=0),
    metavar="N",
    help="Spend up to N relaxations on closing the certified gap.",
)
@click.argument("more", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("-c", "--config", type=click.Path(path_type=Path, dir_okay=False),
              default=Path("ohmstead.yaml"), show_default=True, envvar="OHMSTEAD_CONFIG",
              help="The configuration file; a problem needs none.")  # fmt: skip
@as_json_option
@click.option("--draw", is_flag=True, help="Draw a problem's answer in the terminal.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write a page with the picture and the reasons.")  # fmt: skip
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write the picture; needs ohmstead[pictures].")  # fmt: skip
def command(
    files: tuple[Path, ...],
    more: tuple[Path, ...],
    looks: int | None,
    config: Path,
    as_json: bool,
    draw: bool,
    html: Path | None,
    png: Path | None,
) -> None:
    """Show what the house means to do in the coming hours, and why.

    Without a running service the house is looked at once and nothing is commanded.

    With --problem, planning problems of the published formats are solved, one line of JSON for
    each file. Signs are those of the file: battery above 0 discharges, grid above 0 imports. A
    refopt-problem/1 is answered in mean kW, a home-battery-case/1 in kWh a step; soc is the
    stored energy in kWh when the slot ends.
    """
    if more and not files:
        raise click.UsageError("give problems with --problem FILE, and further files behind it")
    if not files:
        _house(config, as_json=as_json, html=html, png=png)
        return
    paths = (*files, *more)
    if len(paths) > 1 and (html or png):
        raise click.UsageError("--html and --png show one problem, not several")
    for path in paths:
        case, plan, document, told = _answer(path, looks)
        if as_json or not draw:
            click.echo(json.dumps(told))
        if draw or html or png:
            from ohmstead.cli.plan_source import plan_of_case, zone_of

            shown = plan_of_case(case, plan, document)
            _show(shown, zone_of(document), draw=draw and not as_json, html=html, png=png)


def _house(config: Path, *, as_json: bool, html: Path | None, png: Path | None) -> None:
    from ohmstead.cli.plan_source import house_plan
    from ohmstead.config.load import load
    from ohmstead.web.plan import plan_view

    settings = load(config)
    plan = house_plan(settings)
    if as_json:
        print_json(plan_view(plan).model_dump(mode="json"))
    _show(plan, ZoneInfo(settings.site.timezone), draw=not as_json, html=html, png=png)


def _show(
    plan: "HousePlan", zone: ZoneInfo, *, draw: bool, html: Path | None, png: Path | None
) -> None:
    from ohmstead.cli import plan_files
    from ohmstead.cli.plan_view import draw_plan

    if draw:
        draw_plan(plan, zone)
    if html:
        plan_files.write_file(html, plan_files.page(plan, zone))
    if png:
        plan_files.write_file(png, plan_files.png(plan, zone))


def _answer(
    path: Path, looks: int | None
) -> tuple["Case", "Plan", Mapping[str, object], dict[str, object]]:
    from ohmstead.planner.files import read_case
    from ohmstead.planner.make import make_plan, warm_up

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ProblemError(f"{path}: {exc}") from exc
    if not isinstance(document, Mapping):
        raise ProblemError(f"{path}: not a problem but {type(document).__name__}")
    case = read_case(document)
    warm_up()
    began = perf_counter()
    plan = make_plan(case.problem, looks=looks)
    took = perf_counter() - began
    told = {"file": str(path), "name": case.name, "solve_ms": round(took * 1000, 3)}
    return case, plan, document, told | _told(case, plan)


def _told(case: "Case", plan: "Plan") -> dict[str, object]:
    from ohmstead.planner.explain import reasons

    slots: list[dict[str, object]] = []
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
        if slot.loads_w:
            slots[-1]["loads"] = [case.flow(w * per_slot, slot.hours) for w in slot.loads_w]
        if slot.beside:
            slots[-1]["beside"] = [
                {
                    "battery": case.flow(other.battery_w * per_slot, slot.hours),
                    "soc": other.stored_kwh,
                    "mode": other.mode.value,
                }
                for other in slot.beside
            ]
    return {
        "objective": plan.objective,
        "cost": plan.cost,
        "gap": plan.gap,
        "self_use": plan.without,
        "slots": slots,
    }
