"""The API's route over what the house means to do."""

from datetime import datetime
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel

from ohmstead.model import BatteryMode, Plan, PlanSlot, Tick
from ohmstead.ports import SitePort
from ohmstead.web.problems import PROBLEM, Problem

__all__ = ["PlanSlotView", "PlanView", "make_plan_api", "plan_view"]

_WATTS: Final = 1
_PER_CENT: Final = 2
_MONEY: Final = 6
_GRAMS: Final = 3
"""So many digits behind the point."""


class PlanSlotView(BaseModel):
    """One span of the plan; powers are means, as forecast."""

    start: datetime
    end: datetime
    mode: BatteryMode
    power_w: float | None
    target_pct: float
    battery_w: float
    grid_w: float
    pv_w: float
    load_w: float
    soc_pct: float
    import_per_kwh: float
    export_per_kwh: float
    cost: float
    worth_per_kwh: float
    """What one more kWh in the battery would save later."""
    reason: str
    car_w: float
    """What of the load goes into cars."""


class PlanView(BaseModel):
    """The whole plan, in the currency's main unit."""

    made_at: datetime
    made_of: str
    currency: str
    cost: float
    saved: float
    """What it saves over a house that does not plan."""
    gap: float
    """It costs at most so much more than the best there is."""
    start_soc_pct: float | None
    """What is stored when it begins."""
    carbon_kg: float | None
    """What the power drawn weighs in CO2, less what is fed in; null if nobody knows."""
    trouble: str | None = None
    """Why no newer plan could be made; null while all is well."""
    slots: list[PlanSlotView]


def make_plan_api(site: SitePort) -> APIRouter:
    """Return the route over *site*'s plan."""
    api = APIRouter(prefix="/api/v1", responses={"default": PROBLEM})

    @api.get("/plan")
    async def read_plan() -> PlanView:
        """The plan, slot by slot, with the reason for each."""
        seen = site.last.snapshot if site.last else None
        if seen is None or seen.plan is None:
            raise Problem(HTTPStatus.NOT_FOUND, _why_none(site.last))
        return plan_view(seen.plan, seen.plan_trouble)

    return api


def _why_none(last: Tick | None) -> str:
    if last is None:
        return "there is no plan yet: the house was not read yet"
    if last.snapshot.plan_trouble is not None:
        return f"there is no plan: {last.snapshot.plan_trouble}"
    if any(advice.strategy == "follow_plan" for advice in last.decision.trail):
        return "there is no plan yet; try again in a moment"
    return "there is no plan; list `follow_plan` under control to have one made"


def plan_view(plan: Plan, trouble: str | None = None) -> PlanView:
    """Return *plan* as the API shows it, with the *trouble* of making the next."""
    return PlanView(
        made_at=plan.made_at,
        made_of=plan.made_of,
        currency=plan.currency,
        cost=_round(plan.cost, _MONEY),
        saved=_round(plan.saved, _MONEY),
        gap=_round(plan.gap, _MONEY),
        start_soc_pct=_rounded(plan.start_soc_pct, _PER_CENT),
        carbon_kg=_rounded(plan.carbon_kg, _GRAMS),
        trouble=trouble,
        slots=[_slot(slot) for slot in plan.slots],
    )


def _slot(slot: PlanSlot) -> PlanSlotView:
    """Return *slot* with no more digits than anybody can measure."""
    return PlanSlotView(
        start=slot.start,
        end=slot.end,
        mode=slot.mode,
        power_w=_rounded(slot.power_w, _WATTS),
        target_pct=_round(slot.target_pct, _PER_CENT),
        battery_w=_round(slot.battery_w, _WATTS),
        grid_w=_round(slot.grid_w, _WATTS),
        pv_w=_round(slot.pv_w, _WATTS),
        load_w=_round(slot.load_w, _WATTS),
        soc_pct=_round(slot.soc_pct, _PER_CENT),
        import_per_kwh=slot.import_per_kwh,
        export_per_kwh=slot.export_per_kwh,
        cost=_round(slot.cost, _MONEY),
        worth_per_kwh=_round(slot.worth_per_kwh, _MONEY),
        reason=slot.reason,
        car_w=_round(slot.car_w, _WATTS),
    )


def _round(value: float, digits: int) -> float:
    return round(value, digits) + 0.0  # never -0.0


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else _round(value, digits)
