"""A plan for the house: the planner's question asked, and its answer told in times and reasons.

Pure. The planner knows slots and energies; people know times, prices and reasons.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from ohmstead.control.follow_plan import FollowPlan, Futures
from ohmstead.control.words import clock_time, price
from ohmstead.model import Plan, PlanSlot, SiteSnapshot
from ohmstead.planner.explain import reasons
from ohmstead.planner.futures import Future, Hedged, make_hedged_plan
from ohmstead.planner.make import Habit
from ohmstead.planner.plan import PlannedSlot
from ohmstead.planner.problem import Problem
from ohmstead.site.question import Likely, Outlook, Question, habit_of, question_of

__all__ = ["Outlook", "plan_for", "why_not"]

_HAIR_PER_KWH: Final = 1e-6
"""By so much export now pays less than at the end, in any currency's main unit."""
_WORTH_SAYING: Final = 0.005


def why_not(site: SiteSnapshot, settings: FollowPlan) -> str | None:
    """Return what is missing for a plan, in words; None if nothing is."""
    if site.prices.buy is None or site.prices.buy.at(site.at) is None:
        return "the import price is not known for now"
    if site.battery is None or site.battery.soc_pct is None:
        return "the state of charge is not known"
    if settings.capacity_kwh is None and not site.battery.capacity_kwh:
        return "the battery does not say what it holds; set capacity_kwh of follow_plan"
    return None


def plan_for(
    site: SiteSnapshot,
    outlook: Outlook,
    settings: FollowPlan,
    in_force: Plan | None = None,
    *,
    explain: bool = True,
) -> Plan:
    """Return the cheapest plan for *site*; ``why_not`` must have found nothing missing.

    What *in_force* does goes on unless something else saves enough. Without *explain* the
    slots have no reasons: who plays a year needs none, and they take an eighth of the time.
    """
    question = question_of(site, outlook, settings)
    futures = _futures(settings.futures)
    asked = [question.problem(likely) for _, likely in futures]
    shares = [share for share, _ in futures]
    hedged = _sun_stored_early(asked, shares, habit_of(in_force, question))
    told = _reasons(hedged, asked[0], question) if explain else [""] * len(question.spans)
    return _timed(hedged, asked[0], question, told)


def _futures(futures: Futures) -> list[tuple[float, Likely]]:
    """Return the futures that count by their shares, the middle one always and first."""
    others = ((futures.dull, Likely.DULL), (futures.bright, Likely.BRIGHT))
    return [(futures.middle, Likely.MIDDLE), *(other for other in others if other[0] > 0)]


def _sun_stored_early(
    asked: Sequence[Problem], shares: Sequence[float], habit: Habit | None
) -> Hedged:
    """Return the cheapest plan; of those that cost the same, the one that fills up first.

    On paper it is all one whether the sun of the morning is stored or that of the afternoon. But
    the afternoon may be cloudy. So of equal prices the later one pays a hair more, too little to
    outweigh anything else: backtests lose half as much with it, and more with a stronger one.
    The gap is that of the middle future, what it costs to be prepared for the others included.
    """
    middle, count = asked[0], len(asked[0].slots)
    less = [_HAIR_PER_KWH * (count - number) / count for number in range(count)]
    hedged = make_hedged_plan(
        [
            Future(share=share, problem=_later_pays_more(problem, less))
            for share, problem in zip(shares, asked, strict=True)
        ],
        habit,
    )
    early = hedged.plan
    paid = sum(_fed_in_kwh(slot) * hair for slot, hair in zip(early.slots, less, strict=True))
    most_kwh = sum(slot.pv_kwh for slot in middle.slots)
    most_kwh += middle.hours * middle.battery.discharge_max_w / 1_000
    plan = replace(
        early,
        cost=early.cost - paid,
        objective=early.objective - paid,
        gap=early.gap + _HAIR_PER_KWH * most_kwh,
    )
    return replace(hedged, plan=plan)


def _later_pays_more(problem: Problem, less: Sequence[float]) -> Problem:
    slots = zip(problem.slots, less, strict=True)
    return replace(
        problem,
        slots=tuple(
            replace(slot, export_per_kwh=slot.export_per_kwh - hair) for slot, hair in slots
        ),
    )


def _fed_in_kwh(planned: PlannedSlot) -> float:
    return max(-planned.grid_w, 0.0) / 1_000 * planned.hours


# ---- the answer -----------------------------------------------------------------------------


def _timed(hedged: Hedged, problem: Problem, question: Question, told: Sequence[str]) -> Plan:
    answer, site = hedged.plan, question.site
    slots = tuple(
        _slot(number, answer.slots[number], told[number], problem, question)
        for number in range(len(told))
    )
    outside = sum(
        car.outside_w / 1_000 * slot.hours * slot.import_per_kwh
        for car, slot in zip(question.cars, problem.slots, strict=True)
    )
    battery = question.battery
    return Plan(
        made_at=site.at,
        slots=slots,
        cost=answer.cost + outside,
        saved=answer.saved,
        gap=answer.gap,
        made_of=_made_of(question),
        currency=question.currency,
        start_soc_pct=battery.energy_kwh / battery.capacity_kwh * 100,
    )


def _slot(
    number: int, planned: PlannedSlot, reason: str, problem: Problem, question: Question
) -> PlanSlot:
    """Return a slot in time, with what a car outside the battery's meter draws added to it."""
    span, slot = question.spans[number], problem.slots[number]
    outside_w = question.cars[number].outside_w
    sell = question.site.prices.sell
    sold = sell.at(span.start) if sell else None
    return PlanSlot(
        start=span.start,
        end=span.end,
        mode=planned.mode,
        power_w=planned.power_w,
        target_pct=planned.target_pct,
        battery_w=planned.battery_w,
        grid_w=planned.grid_w + outside_w,
        pv_w=slot.pv_kwh / slot.hours * 1_000,
        load_w=slot.load_kwh / slot.hours * 1_000 + outside_w,
        soc_pct=planned.soc_pct,
        import_per_kwh=slot.import_per_kwh,
        export_per_kwh=0.0 if sold is None else sold.expected_per_kwh,
        cost=planned.cost + outside_w / 1_000 * slot.hours * slot.import_per_kwh,
        worth_per_kwh=planned.worth_per_kwh,
        reason=reason,
        car_w=question.car_w(number),
    )


def _made_of(question: Question) -> str:
    buy, outlook = question.site.prices.buy, question.outlook
    sources = [buy.source if buy else "", outlook.load.source]
    sources += [outlook.solar.source] if outlook.solar else []
    return "; ".join(source for source in sources if source)


def _reasons(hedged: Hedged, problem: Problem, question: Question) -> list[str]:
    """Return why each slot is as it is, in this house's times and money."""
    site, currency, begin = question.site, question.currency, question.spans[0].start
    told = [
        reason.text
        for reason in reasons(
            problem,
            hedged.plan,
            when=lambda hours: f"from {clock_time(site, begin + timedelta(hours=hours))}",
            money=lambda amount: price(amount, currency),
        )
    ]
    gains = hedged.alone - hedged.expected
    if gains > _WORTH_SAYING:
        told[0] += (
            f"; beside a duller and a brighter day this is {price(gains, currency)} better than "
            "what suits the expected one best"
        )
    return [text + _doubt(number, question) + _car(number, question)
            for number, text in enumerate(told)]  # fmt: skip


def _doubt(number: int, question: Question) -> str:
    """Return how sure a price is that may not hold."""
    span = question.spans[number]
    if span.expected_per_kwh == span.per_kwh:
        return ""
    kind, sure = span.kind.replace("_", " "), round(span.confidence * 100)
    return f"; {price(span.per_kwh, question.currency)} by {kind} is {sure} % sure"


def _car(number: int, question: Question) -> str:
    """Return what a car changes."""
    draw = question.cars[number]
    if draw.is_inside:
        return "; the battery does not empty into the car"
    return "; nothing is fed in for the car to take" if draw.is_outside else ""
