"""A plan that minds what its power weighs: carbon as a second price, at the owner's rate. Pure.

A kWh drawn adds what the grid's power weighs then; a kWh fed in spares others as much. So both
prices rise by the same, and the planner needs to know nothing of it. What the plan then shows
is put back into money that is paid.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ohmstead.control.follow_plan import FollowPlan
from ohmstead.control.words import price
from ohmstead.model import Plan, PlanSlot, PriceCurve, Prices, PriceSlot, SiteSnapshot
from ohmstead.planner.make import make_plan
from ohmstead.site.planning import Outlook, plan_for
from ohmstead.site.question import Likely, Question, question_of

__all__ = ["plan_with_carbon"]

_PLACES: Final = 9
"""Adding and taking away again leaves a hair in the last places of a price."""


def plan_with_carbon(
    site: SiteSnapshot,
    outlook: Outlook,
    settings: FollowPlan,
    in_force: Plan | None,
    carbon: PriceCurve | None,
) -> Plan:
    """Return the cheapest plan for *site*, a kilogram of *carbon* counted at the owner's rate.

    Its prices and costs are money that is paid; how much its power weighs stands beside them.
    """
    buy = site.prices.buy
    if carbon is None or not carbon.slots or buy is None:
        return plan_for(site, outlook, settings, in_force)
    rate = settings.carbon_per_kg
    asked = _dearer(site, buy, carbon, rate) if rate else site
    plan = plan_for(asked, outlook, settings, in_force)
    weights = [_kg(carbon, slot.start) for slot in plan.slots]
    rows = list(zip(plan.slots, weights, strict=True))
    carbon_kg = sum(weight * _drawn_kwh(slot) for slot, weight in rows)
    plan = replace(plan, carbon_kg=carbon_kg, made_of=f"{plan.made_of}; {carbon.source}")
    if rate == 0:
        return plan
    paid = replace(
        plan,
        slots=tuple(_in_money(slot, weight, rate, plan.currency) for slot, weight in rows),
        cost=plan.cost - rate * carbon_kg,
    )
    return replace(paid, saved=_saved(paid, question_of(site, outlook, settings, in_force)))


def _dearer(site: SiteSnapshot, buy: PriceCurve, carbon: PriceCurve, rate: float) -> SiteSnapshot:
    """Return *site* with prices that carbon is part of; half-hours, as the planner has them."""
    spans = buy.half_hours(site.at)
    sell = site.prices.sell
    sold = [_sold(span, sell) for span in spans]
    return replace(
        site,
        prices=Prices(
            buy=replace(buy, slots=tuple(_raised(span, carbon, rate) for span in spans)),
            sell=PriceCurve(
                slots=tuple(_raised(span, carbon, rate) for span in sold),
                currency=buy.currency,
                source=sell.source if sell else "",
            ),
        ),
    )


def _sold(span: PriceSlot, sell: PriceCurve | None) -> PriceSlot:
    """Return what is paid for feeding in during *span*."""
    found = sell.at(span.start) if sell else None
    if found is None:
        return PriceSlot(start=span.start, end=span.end, per_kwh=0.0)
    return replace(found, start=span.start, end=span.end)


def _raised(span: PriceSlot, carbon: PriceCurve, rate: float) -> PriceSlot:
    more = rate * _kg(carbon, span.start)
    usual = span.usual_per_kwh
    return replace(
        span,
        per_kwh=span.per_kwh + more,
        usual_per_kwh=None if usual is None else usual + more,
    )


def _in_money(slot: PlanSlot, kg_per_kwh: float, rate: float, currency: str) -> PlanSlot:
    """Return *slot* without what carbon added to its prices."""
    more = rate * kg_per_kwh
    grams = f"{kg_per_kwh * 1_000:.0f} g of CO2"
    return replace(
        slot,
        import_per_kwh=round(slot.import_per_kwh - more, _PLACES),
        export_per_kwh=round(slot.export_per_kwh - more, _PLACES),
        cost=slot.cost - more * _drawn_kwh(slot),
        reason=f"{slot.reason}; {price(more, currency)} of each price is for {grams} a kWh",
    )


def _saved(plan: Plan, question: Question) -> float:
    """Return what *plan* saves in money alone; below 0, the owner pays for cleaner power."""
    problem = question.problem(Likely.MIDDLE)
    left_kwh = plan.slots[-1].soc_pct / 100 * question.battery.capacity_kwh
    ((_, worth),) = problem.end_worth
    outside = sum(
        car.outside_w / 1_000 * slot.hours * slot.import_per_kwh
        for car, slot in zip(question.cars, problem.slots, strict=True)
    )
    return make_plan(problem).without + outside - (plan.cost - worth * left_kwh)


def _drawn_kwh(slot: PlanSlot) -> float:
    """Return what is drawn in *slot*, below 0 what is fed in."""
    return slot.grid_w / 1_000 * _hours(slot.start, slot.end)


def _kg(carbon: PriceCurve, moment: datetime) -> float:
    """Return what a kWh weighs at *moment*; where nobody knows, as much as it usually does.

    It must not seem light where nobody knows: the battery would wait for that.
    """
    known = carbon.at(moment)
    if known is not None:
        return known.per_kwh
    hours = [_hours(slot.start, slot.end) for slot in carbon]
    weights = (slot.per_kwh * length for slot, length in zip(carbon, hours, strict=True))
    return sum(weights) / sum(hours)


def _hours(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(hours=1)
