"""The API's route over what the house means to do."""

from datetime import datetime
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, ValidationInfo, field_validator

from ohmstead.model import BatteryMode, Plan, PlanSlot, Tick
from ohmstead.ports import SitePort
from ohmstead.web.problems import PROBLEM, Problem

__all__ = ["PlanSlotView", "PlanView", "make_plan_api", "plan_view"]

_DIGITS: Final = {"w": 1, "pct": 2}
"""So many behind the point, by unit; money has more."""


class _Rounded(BaseModel):
    """No more digits than anybody can measure."""

    @field_validator("*")
    @classmethod
    def _round(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, float):
            return value
        unit = (info.field_name or "").rpartition("_")[2]
        return round(value, _DIGITS.get(unit, 6)) + 0.0  # never -0.0


class PlanSlotView(_Rounded):
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
    loads_w: dict[str, float]
    """What of the load goes into each load that may run earlier or later, by name."""

    @field_validator("loads_w")
    @classmethod
    def _round_loads(cls, value: dict[str, float]) -> dict[str, float]:
        return {name: round(watts, _DIGITS["w"]) + 0.0 for name, watts in value.items()}


class PlanView(_Rounded):
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
        cost=plan.cost,
        saved=plan.saved,
        gap=plan.gap,
        start_soc_pct=plan.start_soc_pct,
        carbon_kg=plan.carbon_kg,
        trouble=trouble,
        slots=[_slot(slot) for slot in plan.slots],
    )


def _slot(slot: PlanSlot) -> PlanSlotView:
    return PlanSlotView(
        start=slot.start,
        end=slot.end,
        mode=slot.mode,
        power_w=slot.power_w,
        target_pct=slot.target_pct,
        battery_w=slot.battery_w,
        grid_w=slot.grid_w,
        pv_w=slot.pv_w,
        load_w=slot.load_w,
        soc_pct=slot.soc_pct,
        import_per_kwh=slot.import_per_kwh,
        export_per_kwh=slot.export_per_kwh,
        cost=slot.cost,
        worth_per_kwh=slot.worth_per_kwh,
        reason=slot.reason,
        car_w=slot.car_w,
        loads_w=dict(slot.loads_w),
    )
