"""Where a plan that is to be shown comes from: the service, a look at the house, a problem."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter, ValidationError

from ohmstead import app
from ohmstead.cli.common import plan_with_past
from ohmstead.cli.plan_spans import power
from ohmstead.cli.service import ask_service
from ohmstead.clock import SystemClock
from ohmstead.config.settings import Settings
from ohmstead.control.words import price
from ohmstead.errors import OhmsteadError, RequestError
from ohmstead.model import Plan, PlanSlot

if TYPE_CHECKING:
    from ohmstead.planner.files import Case
    from ohmstead.planner.plan import Plan as Answer

__all__ = ["house_plan", "plan_of_case", "zone_of"]

_MIDNIGHT: Final = datetime(2001, 1, 1, tzinfo=UTC)
"""When a problem begins that has a time of day and no day."""


def house_plan(settings: Settings) -> Plan:
    """Return the house's plan; without a service the house is looked at, nothing is commanded.

    Raises ``RequestError`` if there is none.
    """
    said = ask_service(settings, "plan")
    if said is not None:
        try:
            return TypeAdapter(Plan).validate_python(said)
        except ValidationError as exc:
            raise OhmsteadError("the service is of another version than this command") from exc
    return asyncio.run(_look(settings))


def zone_of(document: Mapping[str, object]) -> ZoneInfo:
    """Return on which clock a problem is told."""
    try:
        return ZoneInfo(str(document.get("timezone", "UTC")))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def plan_of_case(case: "Case", answer: "Answer", document: Mapping[str, object]) -> Plan:
    """Return a problem's answer as a house's plan; a problem without a day gets some day."""
    from ohmstead.planner.explain import reasons

    start = _start(document)
    pence = document.get("currency") == "p"
    share = 0.01 if pence else 1.0
    currency = "GBP" if pence else str(document.get("currency", "GBP"))
    zone = zone_of(document)
    told = reasons(
        case.problem,
        answer,
        when=lambda hours: f"{(start + timedelta(hours=hours)).astimezone(zone):%a %H:%M}",
        money=lambda amount: price(amount * share, currency),
    )
    names = [load.name or f"load {n}" for n, load in enumerate(case.problem.loads, start=1)]
    ends = _ends(start, [slot.hours for slot in answer.slots])
    rows = zip(case.problem.slots, answer.slots, ends, told, strict=True)
    slots = []
    for asked, planned, (begin, end), reason in rows:
        car = f"; the car takes {power(planned.car_w)}" if planned.car_w > 0 else ""
        slots.append(
            PlanSlot(
                start=begin,
                end=end,
                mode=planned.mode,
                power_w=planned.power_w,
                target_pct=planned.target_pct,
                battery_w=planned.battery_w,
                grid_w=planned.grid_w,
                pv_w=asked.pv_kwh / asked.hours * 1_000,
                load_w=asked.load_kwh / asked.hours * 1_000 + planned.car_w + sum(planned.loads_w),
                soc_pct=planned.soc_pct,
                import_per_kwh=asked.import_per_kwh * share,
                export_per_kwh=asked.export_per_kwh * share,
                cost=planned.cost * share,
                worth_per_kwh=planned.worth_per_kwh * share,
                reason=reason.text + car,
                car_w=planned.car_w,
                loads_w=dict(zip(names, planned.loads_w, strict=False)),
            )
        )
    return Plan(
        made_at=start,
        slots=tuple(slots),
        cost=answer.cost * share,
        saved=answer.saved * share,
        gap=answer.gap * share,
        made_of=case.name,
        currency=currency,
        start_soc_pct=case.problem.battery.energy_kwh / case.problem.battery.capacity_kwh * 100,
    )


async def _look(settings: Settings) -> Plan:
    clock = SystemClock()
    async with plan_with_past(settings, clock) as house:
        if house.planner is None:
            raise RequestError(
                "there is no plan; list `follow_plan` under control to have one made"
            )
        site = (await app.look(house, clock)).snapshot
        if site.plan is None:
            raise RequestError(f"there is no plan: {site.plan_trouble}")
        return site.plan


def _start(document: Mapping[str, object]) -> datetime:
    given = document.get("start")
    if isinstance(given, str):
        try:
            start = datetime.fromisoformat(given)
        except ValueError:
            return _MIDNIGHT
        return start.replace(tzinfo=start.tzinfo or UTC).astimezone(UTC)
    minute = document.get("start_minute_of_day", 0)
    return _MIDNIGHT + timedelta(minutes=minute if isinstance(minute, int) else 0)


def _ends(start: datetime, hours: Sequence[float]) -> list[tuple[datetime, datetime]]:
    found = []
    for length in hours:
        end = start + timedelta(hours=length)
        found.append((start, end))
        start = end
    return found
