"""Carbon as a second price: it moves the battery, and the money shown stays what is paid."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from houses import LONDON, a_forecast, a_price_curve
from ohmstead.clock import ManualClock
from ohmstead.control.follow_plan import FollowPlan
from ohmstead.errors import PriceSourceError
from ohmstead.model import (
    BatteryMode,
    BatteryReading,
    Forecast,
    Plan,
    PriceCurve,
    Prices,
    SiteSnapshot,
)
from ohmstead.site.carbon import plan_with_carbon
from ohmstead.site.planning import Outlook, plan_for
from ohmstead.site.plans import PlanWatch

HALF = timedelta(minutes=30)
EVENING = datetime(2026, 1, 15, 18, 10, tzinfo=UTC)
HOUR = EVENING.replace(minute=0)
LOAD = a_forecast(*[600] * 90, start=HOUR, source="always 600 W")
OUTLOOK = Outlook(load=LOAD, solar=None)
GRAMS = [300] * 12 + [50] * 8 + [300] * 40
"""Clean power from midnight until four."""


def carbon(*grams: float) -> PriceCurve:
    curve = a_price_curve(*(g / 1_000 for g in grams), start=HOUR)
    return replace(curve, currency="kgCO2", source="a test's air")


def a_house(*, sell: float | None = None, soc_pct: float = 30) -> SiteSnapshot:
    """A house with one price for the whole day."""
    return SiteSnapshot(
        at=EVENING,
        timezone=LONDON,
        battery=BatteryReading(
            soc_pct=soc_pct, capacity_kwh=10, max_charge_w=3_000, max_discharge_w=3_000
        ),
        prices=Prices(
            buy=a_price_curve(*[0.20] * 60, start=HOUR),
            sell=None if sell is None else a_price_curve(*[sell] * 60, start=HOUR),
        ),
    )


def planned(site: SiteSnapshot, settings: FollowPlan, air: PriceCurve | None) -> Plan:
    return plan_with_carbon(site, OUTLOOK, settings, None, air)


def test_the_battery_is_filled_with_clean_power_although_it_costs_the_same() -> None:
    plain = planned(a_house(), FollowPlan(), carbon(*GRAMS))
    assert not [slot for slot in plain.slots if slot.mode is BatteryMode.CHARGE]
    clean = planned(a_house(), FollowPlan(carbon_per_kg=0.2), carbon(*GRAMS))
    charging = [slot for slot in clean.slots if slot.mode is BatteryMode.CHARGE]
    assert charging
    assert {slot.start.hour for slot in charging} <= {0, 1, 2, 3}
    assert clean.carbon_kg is not None
    assert plain.carbon_kg is not None
    assert clean.carbon_kg < plain.carbon_kg - 0.5


def test_what_is_shown_is_money_that_is_paid() -> None:
    plan = planned(a_house(sell=0.1), FollowPlan(carbon_per_kg=0.2), carbon(*GRAMS))
    for slot in plan.slots:
        assert slot.import_per_kwh == pytest.approx(0.20)
        assert slot.export_per_kwh == pytest.approx(0.10)
        drawn = slot.grid_w / 1_000 * ((slot.end - slot.start) / timedelta(hours=1))
        paid = drawn * (0.20 if drawn > 0 else 0.10)
        assert slot.cost == pytest.approx(paid, abs=1e-4)
    assert plan.cost == pytest.approx(sum(slot.cost for slot in plan.slots), abs=1e-4)
    assert plan.made_of == "a test; always 600 W; a test's air"
    (charge,) = {s.reason for s in plan.slots if s.start == HOUR.replace(hour=0) + 24 * 2 * HALF}
    assert charge.endswith("; 1p of each price is for 50 g of CO2 a kWh")


def test_cleaner_power_may_cost_more_money_and_says_so() -> None:
    house = a_house()
    plain = planned(house, FollowPlan(), None)
    clean = planned(house, FollowPlan(carbon_per_kg=0.5), carbon(*GRAMS))
    assert plain.carbon_kg is None
    assert plain.saved == pytest.approx(0, abs=0.05)
    assert clean.saved < plain.saved
    left_kwh = (clean.slots[-1].soc_pct - plain.slots[-1].soc_pct) / 10
    worth = 0.20 * 0.95
    assert clean.saved == pytest.approx(
        plain.saved - (clean.cost - plain.cost - left_kwh * worth), abs=0.02
    )


def test_feeding_in_spares_as_much_as_drawing_adds() -> None:
    """The evening's dirty power is worth selling into, to be drawn again when it is clean."""
    house = a_house(sell=0.19, soc_pct=90)
    clean = planned(house, FollowPlan(carbon_per_kg=0.5), carbon(*[600] * 12, *GRAMS[12:]))
    sold = [slot for slot in clean.slots if slot.grid_w < -100]
    assert sold
    assert all(slot.start < HOUR + 12 * HALF for slot in sold)
    assert not [s for s in planned(house, FollowPlan(), None).slots if s.grid_w < -100]


def test_without_a_rate_it_is_the_same_plan_and_its_weight() -> None:
    told = planned(a_house(), FollowPlan(), carbon(*GRAMS))
    plain = plan_for(a_house(), OUTLOOK, FollowPlan())
    assert [s.battery_w for s in told.slots] == [s.battery_w for s in plain.slots]
    assert (told.cost, told.saved) == (plain.cost, plain.saved)


def test_where_nobody_knows_the_air_is_as_usual() -> None:
    """The forecast ends: what follows must not seem cleaner than it."""
    plan = planned(a_house(), FollowPlan(carbon_per_kg=0.5), carbon(*[300] * 30))
    assert not [slot for slot in plan.slots if slot.mode is BatteryMode.CHARGE]
    assert all("150" in slot.reason or "300 g" in slot.reason for slot in plan.slots)


def test_a_price_that_may_not_hold_is_as_dear_as_it_was_beside_the_carbon() -> None:
    house = a_house()
    assert house.prices.buy is not None
    slots = [
        replace(s, per_kwh=0.07, kind="dispatch", confidence=0.5, usual_per_kwh=0.2)
        for s in house.prices.buy.slots
    ]
    house = replace(house, prices=Prices(buy=replace(house.prices.buy, slots=tuple(slots))))
    plan = planned(house, FollowPlan(carbon_per_kg=0.5), carbon(*GRAMS))
    assert {round(slot.import_per_kwh, 6) for slot in plan.slots} == {0.135}


def test_an_empty_forecast_is_none() -> None:
    plan = planned(a_house(), FollowPlan(carbon_per_kg=0.5), PriceCurve(slots=()))
    assert plan.carbon_kg is None


class Air:
    """A source that speaks, or does not."""

    def __init__(self, curve: PriceCurve | None) -> None:
        self.said = curve

    def next_due(self, now: datetime) -> datetime:
        return now + HALF

    async def curve(self, now: datetime) -> PriceCurve:
        if self.said is None:
            raise PriceSourceError(f"no air at {now:%H:%M}")
        return self.said


class Steady:
    """The load that every test here has."""

    trouble: str | None = None

    def next_due(self, now: datetime) -> datetime:
        return now + HALF

    async def forecast(self, now: datetime) -> Forecast:
        del now
        return LOAD


@pytest.mark.parametrize("speaks", [True, False])
async def test_while_nobody_tells_the_weight_money_alone_decides(speaks: bool) -> None:
    air = Air(carbon(*GRAMS) if speaks else None)
    settings = FollowPlan(carbon_per_kg=0.5)
    watch = PlanWatch(settings, Steady(), None, ManualClock(EVENING), carbon=air)
    assert await watch.refresh(a_house())
    assert watch.plan is not None
    assert (watch.plan.carbon_kg is not None) is speaks
    assert watch.trouble is None
