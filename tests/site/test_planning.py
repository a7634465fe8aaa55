"""From a house to the planner's question and back; when to plan anew."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from houses import LONDON, NOON, a_forecast, a_price_curve
from ohmstead.clock import ManualClock
from ohmstead.control.follow_plan import FollowPlan
from ohmstead.errors import ForecastError
from ohmstead.model import (
    BatteryMode,
    BatteryReading,
    Forecast,
    PriceCurve,
    Prices,
    SiteSnapshot,
)
from ohmstead.site.planning import Outlook, plan_for, why_not
from ohmstead.site.plans import PlanWatch

HALF = timedelta(minutes=30)
NIGHT = datetime(2026, 1, 15, 20, 10, tzinfo=NOON.tzinfo)
PENCE = [20] * 10 + [7] * 10 + [25] * 20 + [40] * 6 + [20] * 10
"""Half-hours from 20:00: a cheap night, a dear evening."""


def always(middle_w: float, start: datetime = NIGHT, hours: int = 40) -> Forecast:
    band = (middle_w / 2, middle_w, 2 * middle_w)
    whole_hour, source = start.replace(minute=0), f"always {middle_w:g} W"
    return a_forecast(*[band] * 2 * hours, start=whole_hour, source=source)


def a_house(soc_pct: float | None = 20, at: datetime = NIGHT) -> SiteSnapshot:
    buy = a_price_curve(*(p / 100 for p in PENCE), start=NIGHT.replace(minute=0))
    battery = BatteryReading(
        soc_pct=soc_pct, power_w=0, capacity_kwh=10, max_charge_w=3_000, max_discharge_w=3_000
    )
    return SiteSnapshot(at=at, timezone=LONDON, battery=battery, prices=Prices(buy=buy))


LOAD = Outlook(load=always(600), solar=None)


def test_the_battery_is_filled_in_the_cheap_night_and_used_in_the_dear_evening() -> None:
    plan = plan_for(a_house(), LOAD, FollowPlan())
    charging = [slot for slot in plan.slots if slot.mode is BatteryMode.CHARGE]
    assert charging
    assert {slot.import_per_kwh for slot in charging} == {0.07}
    dear = [slot for slot in plan.slots if slot.import_per_kwh == 0.4]
    assert all(slot.battery_w > 0 for slot in dear)
    assert plan.saved > 0.5
    assert plan.gap < 0.01
    assert "7p a kWh now" in charging[0].reason
    assert "it serves the house from Fri 06:00 at 27.72p" in charging[0].reason
    assert "instead would cost" in charging[0].reason
    assert "always 600 W" in plan.made_of


def test_it_begins_now_and_goes_on_without_gaps() -> None:
    plan = plan_for(a_house(), LOAD, FollowPlan())
    assert plan.slots[0].start == NIGHT
    assert plan.slots[0].end == NIGHT.replace(minute=30)
    assert all(
        one.end == other.start for one, other in zip(plan.slots, plan.slots[1:], strict=False)
    )
    assert plan.slots[-1].end <= NIGHT + timedelta(hours=37)


@pytest.mark.parametrize(("second", "end"), [(30, 30), (50, 60)])
def test_the_end_of_a_half_hour_is_no_hole_in_the_plan(second: int, end: int) -> None:
    now = NIGHT.replace(minute=29, second=second)
    plan = plan_for(a_house(at=now), LOAD, FollowPlan())
    assert plan.slots[0].start == now
    assert plan.slots[0].end == NIGHT.replace(minute=0) + end * timedelta(minutes=1)
    assert plan.at(now) is plan.slots[0]


@pytest.mark.parametrize("export", [True, False])
def test_the_battery_feeds_the_grid_only_if_it_may(export: bool) -> None:
    sell = PriceCurve.from_slots(
        [replace(slot, per_kwh=0.38) for slot in a_house().prices.buy or ()]
    )
    house = a_house(soc_pct=90)
    house = replace(house, prices=Prices(buy=house.prices.buy, sell=sell))
    plan = plan_for(house, LOAD, FollowPlan(export=export))
    assert (min(slot.grid_w for slot in plan.slots) < -100) is export


def test_limits_of_the_grid_are_kept_and_the_reserve_stays() -> None:
    outlook = replace(LOAD, import_limit_w=2_000)
    plan = plan_for(a_house(soc_pct=60), outlook, FollowPlan(min_soc_pct=30))
    assert max(slot.grid_w for slot in plan.slots) <= 2_000.5
    assert min(slot.soc_pct for slot in plan.slots) >= 29.9


def test_sun_is_stored_and_said_so() -> None:
    sun = always(2_000, hours=6)
    plan = plan_for(a_house(), replace(LOAD, solar=sun), FollowPlan(inverter_w=3_600))
    assert plan.slots[1].battery_w < 0
    assert "spare sun is stored, not sold at 0p" in plan.slots[1].reason


@pytest.mark.parametrize(
    ("house", "said"),
    [
        (replace(a_house(), prices=Prices()), "price is not known"),
        (a_house(soc_pct=None), "state of charge"),
        (replace(a_house(), battery=None), "state of charge"),
        (
            replace(a_house(), battery=BatteryReading(soc_pct=50)),
            "set capacity_kwh of follow_plan",
        ),
        (a_house(at=NIGHT + timedelta(days=9)), "price is not known"),
    ],
)
def test_what_is_missing_is_named(house: SiteSnapshot, said: str) -> None:
    assert said in (why_not(house, FollowPlan()) or "")


def test_nothing_missing_is_nothing_to_say() -> None:
    assert why_not(a_house(), FollowPlan()) is None


# ---- when to plan anew ----------------------------------------------------------------------


class Told:
    """A forecast source that says one thing, or is in trouble."""

    def __init__(self) -> None:
        self.asked = 0
        self.broken = False
        self.trouble: str | None = None

    async def forecast(self, now: datetime) -> Forecast:
        self.asked += 1
        if self.broken:
            raise ForecastError("nobody knows")
        return always(600, now)

    def next_due(self, now: datetime) -> datetime:
        return now


def a_watch() -> tuple[PlanWatch, Told]:
    told = Told()
    return PlanWatch(FollowPlan(), told, None, ManualClock(NIGHT)), told


async def test_a_plan_is_made_at_once_and_kept_while_nothing_changes() -> None:
    watch, told = a_watch()
    assert await watch.refresh(a_house())
    first = watch.plan
    assert not await watch.refresh(replace(a_house(), at=NIGHT + timedelta(minutes=2)))
    assert watch.plan is first
    assert told.asked == 1


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(replace(a_house(), at=NIGHT + timedelta(minutes=6)), id="some minutes"),
        pytest.param(
            replace(a_house(), prices=Prices(buy=a_price_curve(*[0.1] * 40, start=NIGHT))),
            id="new prices",
        ),
        pytest.param(
            replace(a_house(soc_pct=60), at=NIGHT + timedelta(minutes=25)), id="another level"
        ),
    ],
)
async def test_it_is_made_anew_after(later: SiteSnapshot) -> None:
    watch, _ = a_watch()
    await watch.refresh(a_house())
    assert await watch.refresh(later)


async def test_trouble_is_a_state_and_the_last_plan_stays(caplog: pytest.LogCaptureFixture) -> None:
    watch, told = a_watch()
    await watch.refresh(a_house())
    kept, told.broken = watch.plan, True
    for minutes in (6, 12):
        assert not await watch.refresh(replace(a_house(), at=NIGHT + timedelta(minutes=minutes)))
    assert watch.plan is kept
    assert watch.trouble == "nobody knows"
    assert caplog.text.count("nobody knows") == 1


async def test_what_was_missing_and_is_there_again_is_no_trouble() -> None:
    watch, told = a_watch()
    await watch.refresh(a_house())
    said = []
    for soc_pct in (None, 20):
        assert not await watch.refresh(a_house(soc_pct=soc_pct))
        said.append(watch.trouble)
    assert said == ["the state of charge is not known", None]
    assert told.asked == 1


def test_spare_sun_is_stored_early_where_when_is_all_one() -> None:
    morning = NIGHT.replace(hour=9, minute=0)
    buy = a_price_curve(*[0.27] * 48, start=morning)
    sell = a_price_curve(*[0.15] * 48, start=morning)
    house = replace(a_house(at=morning), prices=Prices(buy=buy, sell=sell))
    day = always(2_000, morning, hours=8)
    plan = plan_for(house, Outlook(load=always(500, morning), solar=day), FollowPlan())
    sunny = [slot for slot in plan.slots if slot.pv_w > 0]
    stores = [slot.battery_w < -1 for slot in sunny]
    assert stores[0]
    assert stores == sorted(stores, reverse=True)
    assert {slot.export_per_kwh for slot in plan.slots} == {0.15}
    paid = sum(
        max(slot.grid_w, 0) * 0.27 - max(-slot.grid_w, 0) * 0.15 for slot in plan.slots
    ) / 2_000  # fmt: skip
    assert plan.cost == pytest.approx(paid, abs=1e-6)
    assert plan.gap < 0.001


async def test_it_plans_by_itself_and_tells_of_every_new_plan() -> None:
    watch, _ = a_watch()
    news = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run(a_house, news.set))
        await news.wait()
        task.cancel()
    assert watch.plan is not None
