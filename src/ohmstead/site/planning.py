"""A plan for the house: the planner's question asked, and its answer told in times and reasons.

Pure. The planner knows slots and energies; people know times, prices and reasons.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import numpy as np

from ohmstead.control.follow_plan import FollowPlan
from ohmstead.control.words import clock_time, price
from ohmstead.model import Plan, PlanSlot, SiteSnapshot
from ohmstead.planner.explain import reasons
from ohmstead.planner.futures import Future, Hedged, make_hedged_plan, make_hedged_step
from ohmstead.planner.house import Floats
from ohmstead.planner.make import Habit
from ohmstead.planner.plan import PlannedSlot
from ohmstead.site.question import Foretold, Likely, Outlook, Question, habit_of, question_of
from ohmstead.site.steady import steady

__all__ = ["Foretold", "Outlook", "plan_for", "step_for", "why_not"]

_HAIR_PER_KWH: Final = 1e-6
"""By so much export now pays less than at the end, in any currency's main unit."""
_WORTH_SAYING: Final = 0.005
_WORTH_HEDGING: Final = 0.001
"""For less than a tenth of a penny a battery is not told anything else."""


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
    question = question_of(site, outlook, settings, in_force)
    hedged = _sun_stored_early(question, habit_of(in_force, question))
    told = _reasons(hedged, question) if explain else [""] * len(question.spans)
    slots = _slots(hedged.plan.slots, told, question)
    answer, cost = hedged.plan, sum(slot.cost for slot in slots)
    # Changes of mode count in the answer, but nobody pays for them.
    turns = answer.cost - sum(planned.cost for planned in answer.slots)
    saved = answer.saved + turns
    plan = _plan(slots, question, cost, saved, answer.gap)
    return plan if in_force is None else steady(plan, in_force)


def step_for(site: SiteSnapshot, outlook: Outlook, settings: FollowPlan) -> Plan:
    """Return the first slot of ``plan_for``, the same, for those who plan anew when it ends.

    What later slots do is neither written down nor counted: a backtest makes 17,520 plans a year.
    """
    question = question_of(site, outlook, settings)
    futures = _futures(question, _hairs(len(question.spans)))
    planned = make_hedged_step(futures, least_gain=_WORTH_HEDGING)
    (slot,) = _slots((planned,), [""], question)
    return _plan((slot,), question, slot.cost)


def _futures(question: Question, less: Floats) -> list[Future]:
    """Return the futures that count by their shares, the middle one always and first."""
    shares = question.settings.futures
    others = ((shares.dull, Likely.DULL), (shares.bright, Likely.BRIGHT))
    counted = [(shares.middle, Likely.MIDDLE), *(other for other in others if other[0] > 0)]
    return [
        Future(share=share, problem=question.problem(likely, less)) for share, likely in counted
    ]


def _hairs(count: int) -> Floats:
    return _HAIR_PER_KWH * (np.arange(count, 0.0, -1.0) / count)


def _sun_stored_early(question: Question, habit: Habit | None) -> Hedged:
    """Return the cheapest plan; of those that cost the same, the one that fills up first.

    On paper it is all one whether the sun of the morning is stored or that of the afternoon. But
    the afternoon may be cloudy. So of equal prices the later one pays a hair more, too little to
    outweigh anything else: backtests lose half as much with it, and more with a stronger one.
    The gap is that of the middle future, what it costs to be prepared for the others included.
    """
    less = _hairs(len(question.spans))
    futures = _futures(question, less)
    hedged = make_hedged_plan(futures, habit, least_gain=_WORTH_HEDGING)
    slots = tuple(
        planned._replace(cost=planned.cost - _fed_in_kwh(planned) * hair)
        for planned, hair in zip(hedged.plan.slots, less.tolist(), strict=True)
    )
    early, middle = hedged.plan, futures[0].problem
    paid = sum(_fed_in_kwh(slot) * hair for slot, hair in zip(slots, less.tolist(), strict=True))
    most_kwh = sum(slot.pv_kwh for slot in middle.slots)
    most_kwh += middle.hours * middle.battery.discharge_max_w / 1_000
    plan = replace(
        early,
        slots=slots,
        cost=early.cost - paid,
        objective=early.objective - paid,
        gap=early.gap + _HAIR_PER_KWH * most_kwh,
    )
    return replace(hedged, plan=plan)


def _fed_in_kwh(planned: PlannedSlot) -> float:
    return max(-planned.grid_w, 0.0) / 1_000 * planned.hours


# ---- the answer -----------------------------------------------------------------------------


def _plan(
    slots: tuple[PlanSlot, ...],
    question: Question,
    cost: float,
    saved: float = 0.0,
    gap: float = 0.0,
) -> Plan:
    """Return *slots* as a plan."""
    battery = question.battery
    return Plan(
        made_at=question.site.at,
        slots=slots,
        cost=cost,
        saved=saved,
        gap=gap,
        made_of=_made_of(question),
        currency=question.currency,
        start_soc_pct=battery.energy_kwh / battery.capacity_kwh * 100,
        taken=question.flexible.taken,
    )


def _slots(
    planned: Sequence[PlannedSlot], told: Sequence[str], question: Question
) -> tuple[PlanSlot, ...]:
    """Return the first slots in time, with the reasons *told*."""
    kwh = zip(question.house_kwh().tolist(), question.sun_kwh().tolist(), strict=True)
    sold = question.sold.tolist()
    rows = zip(planned, told, kwh, sold, strict=False)
    return tuple(_slot(number, *row, question) for number, row in enumerate(rows))


def _slot(
    number: int,
    planned: PlannedSlot,
    reason: str,
    kwh: tuple[float, float],
    sold: float,
    question: Question,
) -> PlanSlot:
    """Return a slot in time, with what a car outside the battery's meter draws added to it.

    *kwh* is what the house will use and the sun will give.
    """
    span, car = question.spans[number], question.cars[number]
    loads_w = question.flexible.watts(number, planned)
    house_w, sun_w = (energy / planned.hours * 1_000 for energy in kwh)
    return PlanSlot(
        start=span.start,
        end=span.end,
        mode=planned.mode,
        power_w=planned.power_w,
        target_pct=planned.target_pct,
        battery_w=planned.battery_w,
        grid_w=planned.grid_w + car.outside_w,
        pv_w=sun_w,
        load_w=house_w + question.car_w(number) + sum(loads_w.values()),
        soc_pct=planned.soc_pct,
        import_per_kwh=span.expected_per_kwh,
        export_per_kwh=sold,
        cost=planned.cost + _outside_cost(number, question),
        worth_per_kwh=planned.worth_per_kwh,
        reason=reason,
        car_w=question.car_w(number),
        loads_w=loads_w,
    )


def _outside_cost(number: int, question: Question) -> float:
    """Return what a car costs that the planner knows nothing of."""
    span = question.spans[number]
    hours = (span.end - span.start) / timedelta(hours=1)
    return question.cars[number].outside_w / 1_000 * hours * span.expected_per_kwh


def _made_of(question: Question) -> str:
    buy, outlook = question.site.prices.buy, question.outlook
    sources = [buy.source if buy else "", outlook.load.source]
    sources += [outlook.solar.source] if outlook.solar else []
    return "; ".join(source for source in sources if source)


def _reasons(hedged: Hedged, question: Question) -> list[str]:
    """Return why each slot is as it is, in this house's times and money."""
    problem = question.problem(Likely.MIDDLE)
    site, currency, begin = question.site, question.currency, question.spans[0].start
    told = [
        reason.text
        for reason in reasons(
            problem,
            hedged.plan,
            when=lambda hours: f"from {clock_time(site, begin + timedelta(hours=hours))}",
            by=lambda hours: f"by {clock_time(site, begin + timedelta(hours=hours))}",
            money=lambda amount: price(amount, currency),
        )
    ]
    gains = hedged.alone - hedged.expected
    if gains > _WORTH_SAYING:
        told[0] += (
            f"; beside a duller and a brighter day this is {price(gains, currency)} better than "
            "what suits the expected one best"
        )
    return [
        text + _doubt(number, question) + _car(number, question) for number, text in enumerate(told)
    ]


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
