"""A car is load behind the right meter, and no battery is planned to empty into it."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from houses import LONDON, NOON, a_forecast, a_price_curve
from ohmstead.control.car import Car, car
from ohmstead.control.decide import decide
from ohmstead.control.follow_plan import FollowPlan, follow_plan
from ohmstead.model import (
    BatteryMode,
    BatteryReading,
    ChargerReading,
    Plan,
    PriceCurve,
    Prices,
    PriceSlot,
    SiteSnapshot,
)
from ohmstead.site.planning import Outlook, plan_for

HALF = timedelta(minutes=30)
EVENING = datetime(2026, 1, 15, 17, 10, tzinfo=NOON.tzinfo)
HOUR = EVENING.replace(minute=0)
DAY, NIGHT, SOLD = 0.30, 0.07, 0.15
BUY = a_price_curve(*[DAY] * 13, *[NIGHT] * 12, *[DAY] * 40, start=HOUR)
"""Dear until 23:30, when the night begins."""


def a_house(*chargers: ChargerReading, buy: PriceCurve = BUY, soc_pct: float = 80) -> SiteSnapshot:
    battery = BatteryReading(
        soc_pct=soc_pct, capacity_kwh=10, max_charge_w=3_000, max_discharge_w=3_000
    )
    sell = a_price_curve(*[SOLD] * 70, start=HOUR)
    return SiteSnapshot(
        at=EVENING,
        timezone=LONDON,
        battery=battery,
        chargers=chargers,
        prices=Prices(buy=buy, sell=sell),
    )


def planned(house: SiteSnapshot, import_limit_w: float = 15_000) -> Plan:
    load = a_forecast(*[500] * 90, start=HOUR)
    outlook = Outlook(load=load, solar=None, import_limit_w=import_limit_w)
    return plan_for(house, outlook, FollowPlan())


def with_dispatches(*numbers: int, confidence: float = 1.0) -> PriceCurve:
    """Return the day's price with dispatches at so many half-hours after five."""
    dispatches = [
        PriceSlot(
            start=HOUR + n * HALF, end=HOUR + (n + 1) * HALF, per_kwh=NIGHT, kind="dispatch",
            confidence=confidence, usual_per_kwh=DAY,
        )
        for n in numbers
    ]  # fmt: skip
    return PriceCurve.from_slots([*BUY, *dispatches])


INSIDE = ChargerReading(power_w=7_000, plugged=True)
OUTSIDE = replace(INSIDE, inside_meter=False)


def test_a_battery_whose_meter_sees_the_car_is_kept_while_it_charges() -> None:
    plan = planned(a_house(INSIDE))
    first, second = plan.slots[:2]
    assert first.mode is BatteryMode.HOLD
    assert (first.load_w, first.car_w, first.grid_w) == pytest.approx((7_500, 7_000, 7_500))
    assert first.cost == pytest.approx(7.5 * DAY / 3)
    assert first.reason.endswith("the battery does not empty into the car")
    assert second.car_w == 0
    assert second.battery_w > 400
    assert plan.cost == pytest.approx(sum(slot.cost for slot in plan.slots), abs=1e-9)


def test_a_car_behind_its_own_meter_leaves_the_battery_to_the_house() -> None:
    plan = planned(a_house(OUTSIDE))
    first, second = plan.slots[:2]
    assert first.mode is BatteryMode.SELF_USE
    assert first.battery_w == pytest.approx(500)
    assert (first.load_w, first.car_w, first.grid_w) == pytest.approx((7_500, 7_000, 7_000))
    assert first.export_per_kwh == SOLD
    assert first.reason.endswith("nothing is fed in for the car to take")
    assert second.load_w == 500
    assert plan.cost == pytest.approx(sum(slot.cost for slot in plan.slots), abs=1e-9)


def test_the_plan_and_the_strategy_agree() -> None:
    for charger in (INSIDE, OUTSIDE):
        house = a_house(charger)
        house = replace(house, plan=planned(house))
        chain = [
            ("car", partial(car, settings=Car())),
            ("follow_plan", partial(follow_plan, settings=FollowPlan())),
        ]
        decision = decide(house, chain)
        assert not any(advice.overruled for advice in decision.trail)
        assert house.plan is not None
        assert decision.command is not None
        assert decision.command.mode is house.plan.slots[0].mode


@pytest.mark.parametrize("charger", [INSIDE, OUTSIDE], ids=["inside", "outside"])
def test_nothing_is_forced_out_for_the_car_to_take(charger: ChargerReading) -> None:
    dear = a_price_curve(*[0.6] * 70, start=HOUR)
    house = a_house(charger)
    house = replace(house, prices=replace(house.prices, sell=dear))
    plan = planned(house)
    assert plan.slots[0].mode is not BatteryMode.DISCHARGE
    assert min(slot.battery_w for slot in plan.slots[:1]) <= 500
    assert BatteryMode.DISCHARGE in {slot.mode for slot in plan.slots[1:]}


def test_a_charging_car_goes_on_through_the_dispatches_that_follow() -> None:
    plan = planned(a_house(INSIDE, buy=with_dispatches(1, 2, 5)))
    assert [slot.car_w for slot in plan.slots[:7]] == [7_000, 7_000, 7_000, 0, 0, 7_000, 0]
    kept = [slot for slot in plan.slots if slot.car_w > 0]
    assert all(slot.battery_w <= 0 for slot in kept)


def test_a_car_that_waits_for_its_dispatch_is_expected_in_it_as_likely_as_that_is() -> None:
    waiting = ChargerReading(power_w=0, plugged=True)
    plan = planned(a_house(waiting, buy=with_dispatches(2, confidence=0.7)))
    assert [slot.car_w for slot in plan.slots[:4]] == pytest.approx([0, 0, 4_900, 0])


@pytest.mark.parametrize(
    ("charger", "car_w"),
    [
        pytest.param(ChargerReading(power_w=0, plugged=False), 0, id="no car"),
        pytest.param(ChargerReading(power_w=50, plugged=True), 0, id="a full one"),
        pytest.param(ChargerReading(), 0, id="a charger that says nothing"),
        pytest.param(ChargerReading(charging=True), 7_000, id="a power nobody measures"),
    ],
)
def test_a_car_that_does_not_charge_is_no_load(charger: ChargerReading, car_w: float) -> None:
    assert planned(a_house(charger)).slots[0].car_w == car_w


@pytest.mark.parametrize("charger", [INSIDE, OUTSIDE], ids=["inside", "outside"])
def test_car_and_battery_share_the_connection(charger: ChargerReading) -> None:
    numbers = tuple(range(12))
    plan = planned(
        a_house(charger, buy=with_dispatches(*numbers), soc_pct=10), import_limit_w=9_000
    )
    charging = [slot for slot in plan.slots if slot.car_w and slot.mode is BatteryMode.CHARGE]
    assert charging
    assert max(slot.grid_w for slot in charging) <= 9_000.5


def test_a_dispatch_that_may_be_withdrawn_is_not_relied_upon() -> None:
    sure = planned(a_house(soc_pct=10, buy=with_dispatches(2, confidence=1.0)))
    doubtful = planned(a_house(soc_pct=10, buy=with_dispatches(2, confidence=0.05)))
    assert sure.slots[2].mode is BatteryMode.CHARGE
    assert sure.slots[2].import_per_kwh == NIGHT
    assert doubtful.slots[2].mode is not BatteryMode.CHARGE
    assert doubtful.slots[2].import_per_kwh == pytest.approx(0.05 * NIGHT + 0.95 * DAY)
    assert doubtful.slots[2].reason.endswith("7p by dispatch is 5 % sure")
