"""Loads that may run earlier or later: where the plan puts them, and what it remembers of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest

from houses import LONDON, NOON, a_forecast, a_price_curve
from ohmstead.control.follow_plan import FollowPlan
from ohmstead.control.loads import FlexibleLoad
from ohmstead.model import (
    BatteryMode,
    BatteryReading,
    Plan,
    Prices,
    SiteSnapshot,
)
from ohmstead.site.planning import Outlook, plan_for

HALF = timedelta(minutes=30)
EVENING = datetime(2026, 1, 15, 18, 0, tzinfo=NOON.tzinfo)
DAY, NIGHT = 0.30, 0.07
BUY = a_price_curve(*[DAY] * 13, *[NIGHT] * 10, *[DAY] * 20, start=EVENING)
"""Cheap from 00:30 to 05:30."""
DISHES = FlexibleLoad(name="dishes", power_w=1_800, minutes=90, after=time(19), by=time(7))
HEATER = FlexibleLoad(name="heater", kwh=4, max_w=3_000, on_off=True, after=time(22), by=time(7))
OUTLOOK = Outlook(load=a_forecast(*[400] * 90, start=EVENING), solar=None)


def a_house(at: datetime = EVENING) -> SiteSnapshot:
    battery = BatteryReading(
        soc_pct=20, capacity_kwh=5, max_charge_w=2_500, max_discharge_w=2_500
    )  # fmt: skip
    return SiteSnapshot(at=at, timezone=LONDON, battery=battery, prices=Prices(buy=BUY))


def planned(
    *loads: FlexibleLoad, at: datetime = EVENING, in_force: Plan | None = None
) -> Plan:  # fmt: skip
    return plan_for(a_house(at), OUTLOOK, FollowPlan(loads=loads), in_force)


def on(plan: Plan, name: str) -> list[tuple[datetime, datetime]]:
    return [(slot.start, slot.end) for slot in plan.slots if slot.runs(name)]


def kwh(plan: Plan, name: str) -> float:
    return sum(s.loads_w[name] / 1_000 * ((s.end - s.start) / (2 * HALF)) for s in plan.slots)


def test_the_dishwasher_goes_into_the_cheap_hours_and_the_plan_says_so() -> None:
    plan, without = planned(DISHES), planned()
    began = on(plan, "dishes")[0][0]
    assert began >= EVENING + timedelta(hours=6.5)
    assert on(plan, "dishes")[-1][1] <= EVENING + timedelta(hours=11.5)
    assert kwh(plan, "dishes") == pytest.approx(2.7)
    assert plan.cost - without.cost == pytest.approx(2.7 * NIGHT, abs=0.01)
    assert "dishes starts, done by Fri" in next(s.reason for s in plan.slots if s.start == began)
    for slot in plan.slots:
        assert slot.load_w == pytest.approx(400 + slot.loads_w["dishes"])
        assert slot.grid_w == pytest.approx(slot.load_w - slot.battery_w, abs=1)
    assert plan.loads == ("dishes",)
    assert without.loads == ()


def test_a_heater_takes_whole_half_hours_until_it_has_enough() -> None:
    plan = planned(HEATER, DISHES)
    assert {slot.loads_w["heater"] for slot in plan.slots} == {0, 3_000}
    assert kwh(plan, "heater") == pytest.approx(4.5)
    assert plan.slots[0].loads_w == {"heater": 0, "dishes": 0}


def test_what_it_has_had_is_not_planned_again() -> None:
    had, plan, now = list[float](), planned(HEATER), EVENING
    while now < EVENING + timedelta(hours=12.5):
        now += timedelta(minutes=34)
        plan = planned(HEATER, at=now, in_force=plan)
        had += [taken.kwh for taken in plan.taken]
    assert had[-1] == pytest.approx(4.0, abs=0.7)
    assert had == sorted(had)
    assert planned(HEATER, at=EVENING + timedelta(hours=14), in_force=plan).taken == ()


def test_a_run_under_way_goes_through_wherever_it_were_better_now() -> None:
    plan = planned(DISHES)
    began = on(plan, "dishes")[0][0]
    later = planned(DISHES, at=began + timedelta(minutes=40), in_force=plan)
    assert [had.began for had in later.taken] == [began]
    assert later.slots[0].runs("dishes")
    assert kwh(later, "dishes") == pytest.approx(1.8 * 50 / 60)
    assert later.slots[0].load_w == pytest.approx(2_200)
    assert later.slots[0].grid_w == pytest.approx(2_200 - later.slots[0].battery_w, abs=1)
    after = planned(DISHES, at=began + timedelta(minutes=95), in_force=later)
    assert on(after, "dishes") == []
    assert after.taken[0].began == began
    forgotten = planned(DISHES, at=began + timedelta(minutes=95))
    assert on(forgotten, "dishes"), "without a plan in force, all is still to do"


@pytest.mark.parametrize(
    ("after", "by", "runs"),
    [
        pytest.param(time(19), time(7), True, id="within what is known"),
        pytest.param(time(7), time(19), False, id="it ends later"),
        pytest.param(time(17), time(18, 30), False, id="too little is left of it"),
        pytest.param(time(17), time(19, 30), True, id="just enough is"),
        pytest.param(time(20), time(18), True, id="most of a day, but whole"),
        pytest.param(time(19, 5), time(19, 20), False, id="no half-hour lies in it"),
    ],
)
def test_hours_that_are_not_known_are_not_planned(after: time, by: time, *, runs: bool) -> None:
    prices = replace(a_house(), prices=Prices(buy=a_price_curve(*[DAY] * 48, start=EVENING)))
    load = replace(DISHES, after=after, by=by)
    plan = plan_for(prices, OUTLOOK, FollowPlan(loads=(load,)))
    assert bool(on(plan, "dishes")) is runs


def test_hours_of_two_days_are_two_runs() -> None:
    load = replace(DISHES, after=time(18), by=time(20))
    prices = replace(a_house(), prices=Prices(buy=a_price_curve(*[DAY] * 54, start=EVENING)))
    plan = plan_for(prices, OUTLOOK, FollowPlan(loads=(load,)))
    assert kwh(plan, "dishes") == pytest.approx(5.4)


def test_a_change_of_mode_that_counts_is_made_less_often() -> None:
    pence: Sequence[float] = [20 + 5 * (n % 3) for n in range(48)]
    house = replace(
        a_house(),
        mode=BatteryMode.SELF_USE,
        prices=Prices(buy=a_price_curve(*(p / 100 for p in pence), start=EVENING)),
    )
    free, counted = (plan_for(house, OUTLOOK, FollowPlan(switch_cost=cost)) for cost in (0.0, 0.05))

    def changes(plan: Plan) -> int:
        modes = [BatteryMode.SELF_USE, *(slot.mode for slot in plan.slots)]
        return sum(one is not two for one, two in pairwise(modes))

    assert changes(counted) < changes(free)
    assert counted.cost == pytest.approx(sum(slot.cost for slot in counted.slots))
    assert free.saved - 0.05 * changes(free) < counted.saved <= free.saved + 1e-6


def test_a_night_of_the_clocks_change_is_a_night() -> None:
    start = datetime(2026, 10, 24, 18, 0, tzinfo=UTC)
    buy = a_price_curve(*[DAY] * 12, *[NIGHT] * 10, *[DAY] * 20, start=start)
    house = replace(a_house(start), prices=Prices(buy=buy))
    plan = plan_for(house, OUTLOOK, FollowPlan(loads=(HEATER,)))
    assert kwh(plan, "heater") == pytest.approx(4.5)
    assert all(slot.import_per_kwh == NIGHT for slot in plan.slots if slot.runs("heater"))
