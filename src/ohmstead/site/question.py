"""From what is known of the house to the planner's question. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from itertools import repeat
from math import inf
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from ohmstead.control.follow_plan import FollowPlan
from ohmstead.model import (
    BatteryReading,
    Plan,
    PriceCurve,
    PriceSlot,
    SiteSnapshot,
)
from ohmstead.planner.house import Floats
from ohmstead.planner.make import Habit
from ohmstead.planner.problem import Battery, Inverter, Problem, Slot
from ohmstead.site.cars import CarDraw, cars_expected
from ohmstead.site.loads import LoadsAsked, loads_asked

__all__ = ["Foretold", "Likely", "Outlook", "Question", "habit_of", "question_of"]

_FAR: Final = timedelta(hours=36)
_HOUR: Final = timedelta(hours=1)
_LEAST_SLOT: Final = timedelta(seconds=20)
"""What is left of the present half-hour is a slot of its own, unless it is as good as over."""
_USUAL_W: Final = 3_000.0
_LASTING: Final = 0.37
"""How much of a half-hour's uncertainty of the load is still there over the hours of a plan.

A kettle that is not on now may be on in half an hour: of half-hours eight in ten lie between 0.72
and 1.4 of what was expected, of evenings and days between 0.9 and 1.15. (The sun's errors last.)
"""


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

    def energies(self, spans: Sequence[tuple[datetime, datetime]]) -> npt.ArrayLike:
        """Return the low, middle and high energy in kWh that is known of each of *spans*.

        They are in time order, and none is longer than half an hour.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known of the hours to come, and what the grid connection allows."""

    load: Foretold
    solar: Foretold | None
    import_limit_w: float = inf
    export_limit_w: float = inf


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """The half-hours to plan, and everything that the problems of all futures share.

    A backtest asks 17,520 a year, of up to 72 half-hours: so what is reckoned with are columns.
    """

    site: SiteSnapshot
    spans: Sequence[PriceSlot]
    cars: Sequence[CarDraw]
    hours: Floats
    """How long each half-hour still is."""
    bought: Floats
    """What a kWh of each is expected to cost."""
    sold: Floats
    """What is paid for a kWh fed in; nothing, where nobody says."""
    loads: Floats
    """A row each, with a low, a middle and a high energy, in kWh."""
    suns: Floats
    outlook: Outlook
    settings: FollowPlan
    battery: Battery
    flexible: LoadsAsked

    @property
    def currency(self) -> str:
        """Return what prices are in."""
        return self.site.prices.buy.currency if self.site.prices.buy else "GBP"

    def problem(self, likely: Likely, less: Floats | float = 0.0) -> Problem:
        """Return the problem, should the hours to come turn out so; export pays *less*, if told."""
        settings, outlook = self.settings, self.outlook
        inverter_w = settings.inverter_w
        return Problem(
            slots=self._slots(likely, less),
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

    def house_kwh(self, likely: Likely = Likely.MIDDLE) -> Floats:
        """Return what the house will use without cars; a dull day is one of much load."""
        middle = self.loads[:, Likely.MIDDLE]
        return middle + _LASTING * (self.loads[:, 2 - likely] - middle)

    def sun_kwh(self, likely: Likely = Likely.MIDDLE) -> Floats:
        """Return what the sun will give."""
        return self.suns[:, likely]

    def car_w(self, number: int) -> float:
        """Return what cars will draw."""
        return self.cars[number].inside_w + self.cars[number].outside_w

    # ---- how it is done -------------------------------------------------------------------

    def _slots(self, likely: Likely, less: Floats | float) -> tuple[Slot, ...]:
        count, limit_w = len(self.spans), self.outlook.import_limit_w
        house_kwh, pv_kwh = self.house_kwh(likely), self.sun_kwh(likely)
        if self.flexible.going_w:
            going_w = [self.flexible.fixed_w(number) for number in range(count)]
            house_kwh = house_kwh + np.array(going_w) * self.hours / 1_000
        missing_w = np.maximum(house_kwh - pv_kwh, 0.0) / self.hours * 1_000
        most_w = np.full(count, inf) if self.settings.export else missing_w
        sold, import_w = self.sold, np.full(count, limit_w)
        if any(self.cars):
            inside_w, outside_w, inside, outside = np.array(
                [(car.inside_w, car.outside_w, car.is_inside, car.is_outside) for car in self.cars]
            ).T
            house_kwh = house_kwh + inside_w * self.hours / 1_000
            # What is fed in goes into the car outside, which need not import it.
            sold = np.where(outside, self.bought, sold)
            most_w = np.where(inside, 0.0, np.where(outside, missing_w, most_w))
            import_w = np.maximum(limit_w - outside_w, 0.0)
        columns = (self.hours, self.bought, sold - less, house_kwh, pv_kwh)
        told = (column.tolist() for column in columns)
        return tuple(map(Slot, *told, repeat(inf), most_w.tolist(), import_w.tolist()))

    def _end_worth(self) -> tuple[tuple[float, float], ...]:
        """Return what energy left at the end is worth: what storing it anew would cost.

        The cheapest hours known stand for the cheap hours to come; valued at more, a battery
        would be filled for a day nobody knows anything about.
        """
        count = max(len(self.spans) // 6, 1)
        cheapest = float(np.sort(self.bought)[:count].mean())
        worth = max(cheapest, 0.0) * self.settings.discharge_efficiency
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
        hours=np.array([(span.end - span.start) / _HOUR for span in spans]),
        bought=np.array([span.expected_per_kwh for span in spans]),
        sold=_sold(site.prices.sell, spans),
        loads=_energies(outlook.load, spans),
        suns=_energies(outlook.solar, spans),
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
    spans, far = list(buy.half_hours(now)), now + _FAR
    while spans[-1].start >= far:
        spans.pop()
    if len(spans) > 1 and spans[0].end - now < _LEAST_SLOT:
        del spans[0]
    if spans[0].start != now:
        spans[0] = replace(spans[0], start=now)
    return spans


def _sold(sell: PriceCurve | None, spans: Sequence[PriceSlot]) -> Floats:
    slots = sell.at_each([span.start for span in spans]) if sell else [None] * len(spans)
    return np.array([0.0 if slot is None else slot.expected_per_kwh for slot in slots])


def _energies(forecast: Foretold | None, spans: Sequence[PriceSlot]) -> Floats:
    """Return what is foretold, never below 0; where nothing is known, nothing."""
    if forecast is None:
        return np.zeros((len(spans), len(Likely)))
    told: Floats = np.asarray(forecast.energies([(span.start, span.end) for span in spans]))
    return np.maximum(told, 0.0)


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
