"""From what is known of the house to the planner's question, and from its answer to a plan.

Pure. The planner knows slots and energies; people know times, prices and reasons.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf
from typing import Final, Protocol

from ohmstead.control.follow_plan import FollowPlan
from ohmstead.control.words import price
from ohmstead.model import (
    BatteryMode,
    BatteryReading,
    Plan,
    PlanSlot,
    PriceSlot,
    SiteSnapshot,
)
from ohmstead.planner.make import first_slot, make_plan
from ohmstead.planner.plan import Plan as Answer
from ohmstead.planner.plan import PlannedSlot
from ohmstead.planner.problem import Battery, Inverter, Problem, Slot

__all__ = ["Foretold", "Outlook", "plan_for", "step_for", "why_not"]

_FAR: Final = timedelta(hours=36)
_LEAST_SLOT: Final = timedelta(minutes=2)
"""What is left of the present half-hour is a slot of its own, unless it is nearly over."""
_HAIR_PER_KWH: Final = 1e-6
"""By so much export now pays less than at the end, in any currency's main unit."""


class Foretold(Protocol):
    """What the planner asks of a forecast."""

    @property
    def source(self) -> str:
        """Where it came from, in words."""

    def kwh(self, start: datetime, end: datetime) -> tuple[float, float, float]:
        """Return the low, middle and high energy that is known of [start, end)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known of the hours to come, and what the grid connection allows."""

    load: Foretold
    solar: Foretold | None
    import_limit_w: float = inf
    export_limit_w: float = inf


def why_not(site: SiteSnapshot, settings: FollowPlan) -> str | None:
    """Return what is missing for a plan, in words; None if nothing is."""
    if site.prices.buy is None or site.prices.buy.at(site.at) is None:
        return "the import price is not known for now"
    if site.battery is None or site.battery.soc_pct is None:
        return "the state of charge is not known"
    if settings.capacity_kwh is None and not site.battery.capacity_kwh:
        return "the battery does not say what it holds; set capacity_kwh of follow_plan"
    return None


def plan_for(site: SiteSnapshot, outlook: Outlook, settings: FollowPlan) -> Plan:
    """Return the cheapest plan for *site*; ``why_not`` must have found nothing missing."""
    spans = _spans(site)
    slots = tuple(_slot(span, site, outlook, settings) for span in spans)
    answer = _sun_stored_early(_problem(spans, slots, site, outlook, settings))
    return _timed(answer, spans, slots, site, outlook, settings)


def step_for(site: SiteSnapshot, outlook: Outlook, settings: FollowPlan) -> Plan:
    """Return the first slot of ``plan_for``, the same, for those who plan anew when it ends.

    What later slots do is neither written down nor counted: a backtest makes 17,520 plans a year.
    """
    spans = _spans(site)
    hairs = _hairs(len(spans))
    asked = tuple(
        _slot(span, site, outlook, settings, hair) for span, hair in zip(spans, hairs, strict=True)
    )
    planned = first_slot(_problem(spans, asked, site, outlook, settings))
    slot = replace(asked[0], export_per_kwh=asked[0].export_per_kwh + hairs[0])
    first = _timed_slot(planned, slot, spans, site, settings)
    return _plan_of((first,), site, outlook)


def _problem(
    spans: Sequence[PriceSlot],
    slots: tuple[Slot, ...],
    site: SiteSnapshot,
    outlook: Outlook,
    settings: FollowPlan,
) -> Problem:
    assert site.battery is not None  # noqa: S101 - what why_not looks at
    return Problem(
        slots=slots,
        battery=_battery(site.battery, settings),
        inverter=None if settings.inverter_w is None else _inverter(settings.inverter_w),
        import_max_w=outlook.import_limit_w,
        export_max_w=outlook.export_limit_w,
        end_worth=_end_worth(spans, site.battery, settings),
    )


def _hairs(count: int) -> list[float]:
    return [_HAIR_PER_KWH * (count - number) / count for number in range(count)]


def _sun_stored_early(problem: Problem) -> Answer:
    """Return the cheapest plan; of those that cost the same, the one that fills up first.

    On paper it is all one whether the sun of the morning is stored or that of the afternoon. But
    the afternoon may be cloudy. So of equal prices the later one pays a hair more, too little to
    outweigh anything else: backtests lose half as much with it, and more with a stronger one.
    """
    battery, less = problem.battery, _hairs(len(problem.slots))
    asked = tuple(
        replace(slot, export_per_kwh=slot.export_per_kwh - hair)
        for slot, hair in zip(problem.slots, less, strict=True)
    )
    early = make_plan(replace(problem, slots=asked))
    paid = sum(_fed_in_kwh(slot) * hair for slot, hair in zip(early.slots, less, strict=True))
    most_kwh = sum(slot.pv_kwh for slot in asked) + problem.hours * battery.discharge_max_w / 1_000
    return replace(
        early,
        cost=early.cost - paid,
        objective=early.objective - paid,
        gap=early.gap + _HAIR_PER_KWH * most_kwh,
    )


def _fed_in_kwh(planned: PlannedSlot) -> float:
    return max(-planned.grid_w, 0.0) / 1_000 * planned.hours


# ---- the question ---------------------------------------------------------------------------


def _spans(site: SiteSnapshot) -> Sequence[PriceSlot]:
    """Return the priced half-hours from now on; the present one begins now."""
    assert site.prices.buy is not None  # noqa: S101 - what why_not looks at
    buy, now = site.prices.buy, site.at
    first, *others = [
        slot for slot in buy.half_hours(now) if slot.start < now + _FAR and slot.end > now
    ]
    if others and first.end - now < _LEAST_SLOT:
        return others
    return [replace(first, start=now), *others]


def _slot(
    span: PriceSlot,
    site: SiteSnapshot,
    outlook: Outlook,
    settings: FollowPlan,
    hair: float = 0.0,
) -> Slot:
    hours = (span.end - span.start) / timedelta(hours=1)
    sell = site.prices.sell.at(span.start) if site.prices.sell else None
    export = 0.0 if sell is None else sell.per_kwh
    load_kwh = _kwh(outlook.load, span)
    pv_kwh = _kwh(outlook.solar, span) if outlook.solar else 0.0
    missing_w = max(load_kwh - pv_kwh, 0.0) / hours * 1_000
    return Slot(
        hours=hours,
        import_per_kwh=span.per_kwh,
        export_per_kwh=export - hair,
        load_kwh=load_kwh,
        pv_kwh=pv_kwh,
        discharge_max_w=inf if settings.export else missing_w,
    )


def _kwh(forecast: Foretold, span: PriceSlot) -> float:
    """Return the energy expected in *span*; where nothing is known, none."""
    return forecast.kwh(span.start, span.end)[1]


def _battery(battery: BatteryReading, settings: FollowPlan) -> Battery:
    capacity_kwh = settings.capacity_kwh or battery.capacity_kwh or 0.0
    most_w = settings.battery_w
    return Battery(
        capacity_kwh=capacity_kwh,
        energy_kwh=capacity_kwh * (battery.soc_pct or 0.0) / 100,
        charge_max_w=most_w or battery.max_charge_w or _USUAL_W,
        discharge_max_w=most_w or battery.max_discharge_w or _USUAL_W,
        reserve_kwh=capacity_kwh * settings.min_soc_pct / 100,
        charge_efficiency=settings.charge_efficiency,
        discharge_efficiency=settings.discharge_efficiency,
        wear_per_kwh=settings.wear_per_kwh,
    )


def _inverter(inverter_w: float) -> Inverter:
    return Inverter(out_max_w=inverter_w, in_max_w=inverter_w)


def _end_worth(
    spans: Sequence[PriceSlot], battery: BatteryReading, settings: FollowPlan
) -> tuple[tuple[float, float], ...]:
    """Return what energy left at the end is worth: what storing it anew would cost.

    The cheapest hours known stand for the cheap hours to come; valued at more, a battery would
    be filled for a day nobody knows anything about.
    """
    capacity_kwh = settings.capacity_kwh or battery.capacity_kwh or 0.0
    cheapest = sorted(span.per_kwh for span in spans)[: max(len(spans) // 6, 1)]
    worth = max(sum(cheapest) / len(cheapest), 0.0) * settings.discharge_efficiency
    return ((capacity_kwh, worth),)


_USUAL_W: Final = 3_000.0


# ---- the answer -----------------------------------------------------------------------------


def _timed(
    answer: Answer,
    spans: Sequence[PriceSlot],
    slots: Sequence[Slot],
    site: SiteSnapshot,
    outlook: Outlook,
    settings: FollowPlan,
) -> Plan:
    found = tuple(
        _timed_slot(planned, slot, spans[number:], site, settings)
        for number, (slot, planned) in enumerate(zip(slots, answer.slots, strict=True))
    )
    plan = _plan_of(found, site, outlook)
    return replace(plan, cost=answer.cost, saved=answer.saved, gap=answer.gap)


def _timed_slot(
    planned: PlannedSlot,
    slot: Slot,
    spans: Sequence[PriceSlot],
    site: SiteSnapshot,
    settings: FollowPlan,
) -> PlanSlot:
    """Return the slot of the plan that begins with the first of *spans*."""
    span = spans[0]
    later = spans[1:] if planned.mode is BatteryMode.CHARGE else ()
    return PlanSlot(
        start=span.start,
        end=span.end,
        mode=planned.mode,
        power_w=planned.power_w,
        target_pct=planned.target_pct,
        battery_w=planned.battery_w,
        grid_w=planned.grid_w,
        pv_w=slot.pv_kwh / slot.hours * 1_000,
        load_w=slot.load_kwh / slot.hours * 1_000,
        soc_pct=planned.soc_pct,
        import_per_kwh=span.per_kwh,
        export_per_kwh=slot.export_per_kwh,
        cost=planned.cost,
        worth_per_kwh=planned.worth_per_kwh,
        reason=_reason(planned, slot, later, site, settings),
    )


def _plan_of(slots: tuple[PlanSlot, ...], site: SiteSnapshot, outlook: Outlook) -> Plan:
    """Return *slots* as a plan of which only they are known."""
    sources = [site.prices.buy.source if site.prices.buy else "", outlook.load.source]
    sources += [outlook.solar.source] if outlook.solar else []
    return Plan(
        made_at=site.at,
        slots=slots,
        cost=sum(slot.cost for slot in slots),
        saved=0.0,
        gap=0.0,
        made_of="; ".join(source for source in sources if source),
        currency=site.prices.buy.currency if site.prices.buy else "GBP",
    )


def _reason(
    planned: PlannedSlot,
    slot: Slot,
    later: Sequence[PriceSlot],
    site: SiteSnapshot,
    settings: FollowPlan,
) -> str:
    """Return what the energy is for, and the margin to the next best thing to do.

    Worths are those of a kWh where it is measured, not in the cells: what is drawn shrinks on
    its way in, and what is kept shrinks on its way out.
    """
    currency = site.prices.buy.currency if site.prices.buy else "GBP"
    buys, sells = price(slot.import_per_kwh, currency), price(slot.export_per_kwh, currency)
    stored = price(planned.worth_per_kwh * settings.charge_efficiency, currency)
    kept = price(planned.worth_per_kwh / settings.discharge_efficiency, currency)
    if planned.battery_w > 0:
        used = f"serve the house instead of drawing at {buys}; a kWh kept is worth {kept}"
    elif planned.battery_w < 0:
        used = f"store spare sun: a kWh of it is worth {stored} later, and {sells} if fed in"
    else:
        used = f"nothing to gain: a kWh kept is worth {kept}"
    return {
        BatteryMode.CHARGE: (
            f"charge at {buys}{_dearest(later, site, currency)}; a kWh drawn is worth {stored}"
        ),
        BatteryMode.DISCHARGE: f"sell at {sells}: a kWh kept would be worth {kept}",
        BatteryMode.HOLD: f"keep what is stored: drawing costs {buys}, a kWh kept is worth {kept}",
        BatteryMode.EXPORT_SOLAR: (
            f"sell the sun at {sells}: stored, a kWh of it would be worth {stored}"
        ),
        BatteryMode.IDLE: (
            f"turn the sun down, feeding in costs money: stored, a kWh would be worth {stored}"
        ),
    }.get(planned.mode, used)


def _dearest(later: Sequence[PriceSlot], site: SiteSnapshot, currency: str) -> str:
    if not later:
        return ""
    top = max(slot.per_kwh for slot in later)
    first = next(slot for slot in later if slot.per_kwh == top)
    local = first.start.astimezone(site.timezone)
    return f" for {local:%H:%M}, when it costs {price(top, currency)}"
