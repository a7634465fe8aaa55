"""From what is known of the house to the planner's question. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from math import inf
from typing import Final, Protocol, TypeAlias

from ohmstead.control.follow_plan import FollowPlan
from ohmstead.model import (
    BatteryReading,
    Plan,
    PriceCurve,
    PriceSlot,
    SiteSnapshot,
)
from ohmstead.planner.make import Habit
from ohmstead.planner.problem import Battery, Inverter, Problem, Slot
from ohmstead.site.cars import CarDraw, cars_expected
from ohmstead.site.loads import LoadsAsked, loads_asked

__all__ = ["Foretold", "Likely", "Outlook", "Question", "habit_of", "question_of"]

_FAR: Final = timedelta(hours=36)
_LEAST_SLOT: Final = timedelta(seconds=20)
"""What is left of the present half-hour is a slot of its own, unless it is as good as over."""
_USUAL_W: Final = 3_000.0
_LASTING: Final = 0.37
"""How much of a half-hour's uncertainty of the load is still there over the hours of a plan.

A kettle that is not on now may be on in half an hour: of half-hours eight in ten lie between 0.72
and 1.4 of what was expected, of evenings and days between 0.9 and 1.15. (The sun's errors last.)
"""

_Three: TypeAlias = tuple[float, float, float]
"""A low, a middle and a high energy, in kWh."""


class Likely(IntEnum):
    """Which of a forecast's three numbers the sun is taken from."""

    DULL = 0
    MIDDLE = 1
    BRIGHT = 2


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The half-hours to plan, and everything that the problems of all futures share."""

    site: SiteSnapshot
    spans: Sequence[PriceSlot]
    cars: Sequence[CarDraw]
    loads: Sequence[_Three]
    suns: Sequence[_Three]
    sold: Sequence[float]
    outlook: Outlook
    settings: FollowPlan
    battery: Battery
    flexible: LoadsAsked

    @property
    def currency(self) -> str:
        """Return what prices are in."""
        return self.site.prices.buy.currency if self.site.prices.buy else "GBP"

    def problem(self, likely: Likely, less: Sequence[float] = ()) -> Problem:
        """Return the problem, should the hours to come turn out so; export pays *less*, if told."""
        hairs = less or [0.0] * len(self.spans)
        settings, outlook = self.settings, self.outlook
        inverter_w = settings.inverter_w
        return Problem(
            slots=tuple(self._slot(number, likely, hair) for number, hair in enumerate(hairs)),
            battery=self.battery,
            inverter=(
                None if inverter_w is None else Inverter(out_max_w=inverter_w, in_max_w=inverter_w)
            ),
            import_max_w=outlook.import_limit_w,
            export_max_w=outlook.export_limit_w,
            curtail=settings.curtail,
            end_worth=self._end_worth(),
            loads=self.flexible.loads,
            switch_cost=settings.switch_cost,
            mode_before=self.site.mode,
        )

    def house_kwh(self, number: int, likely: Likely = Likely.MIDDLE) -> float:
        """Return what the house will use without cars; a dull day is one of much load."""
        middle = self.loads[number][Likely.MIDDLE]
        return middle + _LASTING * (self.loads[number][2 - likely] - middle)

    def sun_kwh(self, number: int, likely: Likely = Likely.MIDDLE) -> float:
        """Return what the sun will give."""
        return self.suns[number][likely]

    def sold_per_kwh(self, number: int) -> float:
        """Return what is paid for what is fed in; nothing, where nobody says."""
        return self.sold[number]

    def car_w(self, number: int) -> float:
        """Return what cars will draw."""
        return self.cars[number].inside_w + self.cars[number].outside_w

    # ---- how it is done -------------------------------------------------------------------

    def _slot(self, number: int, likely: Likely, hair: float) -> Slot:
        span, car = self.spans[number], self.cars[number]
        hours = (span.end - span.start) / timedelta(hours=1)
        house_kwh, pv_kwh = self.house_kwh(number, likely), self.sun_kwh(number, likely)
        if self.flexible.going_w:
            house_kwh += self.flexible.fixed_w(number) * hours / 1_000
        missing_w = max(house_kwh - pv_kwh, 0.0) / hours * 1_000
        export = self.sold_per_kwh(number)
        most_w = inf if self.settings.export else missing_w
        if car.is_outside:
            # What is fed in goes into the car, which need not import it.
            export, most_w = span.expected_per_kwh, missing_w
        return Slot(
            hours=hours,
            import_per_kwh=span.expected_per_kwh,
            export_per_kwh=export - hair,
            load_kwh=house_kwh + car.inside_w * hours / 1_000,
            pv_kwh=pv_kwh,
            discharge_max_w=0.0 if car.is_inside else most_w,
            import_max_w=max(self.outlook.import_limit_w - car.outside_w, 0.0),
        )

    def _end_worth(self) -> tuple[tuple[float, float], ...]:
        """Return what energy left at the end is worth: what storing it anew would cost.

        The cheapest hours known stand for the cheap hours to come; valued at more, a battery
        would be filled for a day nobody knows anything about.
        """
        count = max(len(self.spans) // 6, 1)
        cheapest = sorted(span.expected_per_kwh for span in self.spans)[:count]
        worth = max(sum(cheapest) / len(cheapest), 0.0) * self.settings.discharge_efficiency
        return ((self.battery.capacity_kwh, worth),)


def question_of(
    site: SiteSnapshot, outlook: Outlook, settings: FollowPlan, in_force: Plan | None = None
) -> Question:
    """Return the question of *site*, of which neither price nor charge may be unknown.

    *in_force* tells what the loads that may run earlier or later have had.
    """
    assert site.prices.buy is not None  # noqa: S101 - what why_not looks at
    assert site.battery is not None  # noqa: S101 - what why_not looks at
    spans = _spans(site.prices.buy, site.at)
    return Question(
        site=site,
        spans=spans,
        cars=cars_expected(site, spans),
        loads=_energies(outlook.load, spans),
        suns=_energies(outlook.solar, spans),
        sold=[_sold(site.prices.sell, span.start) for span in spans],
        outlook=outlook,
        settings=settings,
        battery=_battery(site.battery, settings),
        flexible=loads_asked(settings.loads, site, spans, in_force),
    )


def habit_of(plan: Plan | None, question: Question) -> Habit | None:
    """Return what *plan*, the one in force, does in the half-hours of *question*.

    It is taken for the same plan from what is stored now: a little more or less changes its
    energies, not what it does.
    """
    now_kwh = question.battery.energy_kwh
    began = None if plan is None else plan.soc_at(question.spans[0].start)
    if plan is None or began is None:
        return None
    stored, modes = list[float](), []
    for span in question.spans:
        slot = plan.at(span.start)
        if slot is None or slot.end < span.end:
            break
        reached = slot.soc_pct if slot.end == span.end else plan.soc_at(span.end)
        assert reached is not None  # noqa: S101 - the slot reaches so far
        stored.append(now_kwh + (reached - began) / 100 * question.battery.capacity_kwh)
        modes.append(slot.mode)
    if not stored:
        return None
    gain = question.settings.worth_a_switch
    return Habit(stored_kwh=tuple(stored), least_gain=gain, modes=tuple(modes))


def _spans(buy: PriceCurve, now: datetime) -> Sequence[PriceSlot]:
    """Return the priced half-hours from now on; the first begins now, or there were a hole."""
    first, *others = [
        slot for slot in buy.half_hours(now) if slot.start < now + _FAR and slot.end > now
    ]
    if others and first.end - now < _LEAST_SLOT:
        first, *others = others
    return [replace(first, start=now), *others]


def _sold(sell: PriceCurve | None, at: datetime) -> float:
    slot = sell.at(at) if sell else None
    return 0.0 if slot is None else slot.expected_per_kwh


def _energies(forecast: Foretold | None, spans: Sequence[PriceSlot]) -> Sequence[_Three]:
    """Return what is foretold, never below 0; where nothing is known, nothing."""
    if forecast is None:
        return [(0.0, 0.0, 0.0)] * len(spans)
    told = (forecast.kwh(span.start, span.end) for span in spans)
    return [(max(low, 0.0), max(middle, 0.0), max(high, 0.0)) for low, middle, high in told]


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
