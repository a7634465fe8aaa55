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
    reason: str


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
    slots: list[PlanSlotView]


def make_plan_api(site: SitePort) -> APIRouter:
    """Return the route over *site*'s plan."""
    api = APIRouter(prefix="/api/v1", responses={"default": PROBLEM})

    @api.get("/plan")
    async def read_plan() -> PlanView:
        """The plan, slot by slot, with the reason for each."""
        plan = site.last.snapshot.plan if site.last else None
        if plan is None:
            raise Problem(HTTPStatus.NOT_FOUND, _why_none(site.last))
        return plan_view(plan)

    return api


def _why_none(last: Tick | None) -> str:
    if last is None:
        return "there is no plan yet: the house was not read yet"
    if any(advice.strategy == "follow_plan" for advice in last.decision.trail):
        return "there is no plan yet; the log says what it waits for"
    return "there is no plan; list `follow_plan` under control to have one made"


def plan_view(plan: Plan) -> PlanView:
    """Return *plan* as the API shows it."""
    return PlanView(
        made_at=plan.made_at,
        made_of=plan.made_of,
        currency=plan.currency,
        cost=_round(plan.cost, _MONEY),
        saved=_round(plan.saved, _MONEY),
        gap=_round(plan.gap, _MONEY),
        slots=[_slot(slot) for slot in plan.slots],
    )


def _slot(slot: PlanSlot) -> PlanSlotView:
    """Return *slot* with no more digits than anybody can measure."""
    return PlanSlotView(
        start=slot.start,
        end=slot.end,
        mode=slot.mode,
        power_w=None if slot.power_w is None else _round(slot.power_w, _WATTS),
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
    )


def _round(value: float, digits: int) -> float:
    return round(value, digits) + 0.0  # never -0.0
