"""The plan in force stays until something else saves enough."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from houses import LONDON, NOON, a_forecast, a_price_curve
from ohmstead.control.follow_plan import FollowPlan, Futures
from ohmstead.model import (
    BatteryMode,
    BatteryReading,
    Plan,
    Prices,
    SiteSnapshot,
)
from ohmstead.site.planning import Outlook, plan_for

HALF = timedelta(minutes=30)
MORNING = datetime(2026, 6, 15, 6, 0, tzinfo=NOON.tzinfo)
SUN = [max(0, 2_400 - 300 * abs(n - 12)) for n in range(24)] + [0] * 72
PENCE = [24, 25, 24, 22, 21, 20, 20, 21, 22, 24, 24, 25, 27, 30, 36, 38, 38, 37, 33, 27] + [
    22, 20, 19, 18, 17, 16, 15, 14, 14, 14, 15, 16, 17, 19, 20, 22,
] * 4  # fmt: skip


def wobbly(size: float, seed: int = 5) -> Iterator[float]:
    rng = random.Random(seed)  # noqa: S311 - a wobble is no secret
    while True:
        yield 1 + size * rng.uniform(-1, 1)


def shaken(watts: float, jitter: Iterator[float]) -> tuple[float, float, float]:
    middle_w = watts * next(jitter)
    return 0.6 * middle_w, middle_w, 1.4 * middle_w


def an_outlook(jitter: Iterator[float]) -> Outlook:
    load = a_forecast(*[shaken(450, jitter) for _ in range(96)], start=MORNING)
    solar = a_forecast(*[shaken(watts, jitter) for watts in SUN], start=MORNING)
    return Outlook(load=load, solar=solar, import_limit_w=12_000)


def a_house(at: datetime, soc_pct: float) -> SiteSnapshot:
    battery = BatteryReading(
        soc_pct=soc_pct, capacity_kwh=9.6, max_charge_w=3_000, max_discharge_w=3_000
    )
    buy = a_price_curve(*(p / 100 for p in PENCE), start=MORNING)
    sell = a_price_curve(*(p / 200 + 0.03 for p in PENCE), start=MORNING)
    return SiteSnapshot(at=at, timezone=LONDON, battery=battery, prices=Prices(buy=buy, sell=sell))


def a_day(settings: FollowPlan, *, jitter: float) -> list[Plan]:
    """Return the plans of half a day, every five minutes; the house does what they say."""
    shaky, plan, made = wobbly(jitter), None, list[Plan]()
    for step in range(12 * 12):
        at = MORNING + step * timedelta(minutes=5)
        soc_pct = 35.0 if plan is None else plan.soc_at(at)
        assert soc_pct is not None
        plan = plan_for(a_house(at, soc_pct), an_outlook(shaky), settings, plan, explain=False)
        made.append(plan)
    return made


def flips(plans: list[Plan]) -> int:
    """Return how often the mode of a coming slot is not what the plan before said."""
    count = 0
    for old, new in pairwise(plans):
        for slot in new.slots[:8]:
            before = old.at(slot.start)
            count += before is not None and before.mode is not slot.mode
    return count


@pytest.mark.parametrize("futures", [Futures(), Futures(dull=0.25, middle=0.5, bright=0.25)])
def test_forecasts_that_jitter_a_little_do_not_flip_modes(futures: Futures) -> None:
    steady = flips(a_day(FollowPlan(futures=futures), jitter=0.05))
    nervous = flips(a_day(FollowPlan(futures=futures, worth_a_switch=0), jitter=0.05))
    assert steady <= nervous / 4


def test_unchanged_inputs_give_the_plan_again() -> None:
    house = a_house(MORNING, 35)
    outlook = an_outlook(wobbly(0))
    plan = plan_for(house, outlook, FollowPlan())
    assert plan_for(house, outlook, FollowPlan(), plan) == plan


def test_a_gain_worth_a_switch_is_taken() -> None:
    house = a_house(MORNING, 35)
    plan = plan_for(house, an_outlook(wobbly(0)), FollowPlan())
    buy = a_price_curve(*[0.01] * 4, *[0.4] * 80, start=MORNING)
    other = replace(house, prices=replace(house.prices, buy=buy))
    free = plan_for(other, an_outlook(wobbly(0)), FollowPlan())
    new = plan_for(other, an_outlook(wobbly(0)), FollowPlan(), plan)
    assert new == free
    bound = plan_for(other, an_outlook(wobbly(0)), FollowPlan(worth_a_switch=1_000), plan)
    assert free.slots[0].mode is BatteryMode.CHARGE
    assert bound.slots[0].mode is plan.slots[0].mode is not BatteryMode.CHARGE
    assert bound.gap > free.gap


@pytest.mark.parametrize("hours", [-3, 40], ids=["a plan to come", "a plan that is over"])
def test_a_plan_of_another_time_binds_nobody(hours: float) -> None:
    house = a_house(MORNING, 35)
    outlook = an_outlook(wobbly(0))
    plan = plan_for(house, outlook, FollowPlan())
    moved = replace(
        plan,
        slots=tuple(
            replace(
                slot,
                start=slot.start - timedelta(hours=hours),
                end=slot.end - timedelta(hours=hours),
            )
            for slot in plan.slots
        ),
    )
    assert plan_for(house, outlook, FollowPlan(worth_a_switch=1_000), moved) == plan


def test_a_plan_of_other_half_hours_binds_nobody() -> None:
    house = a_house(MORNING, 35)
    outlook = an_outlook(wobbly(0))
    plan = plan_for(house, outlook, FollowPlan())
    first = replace(plan.slots[0], end=MORNING + HALF / 2)
    short = replace(plan, slots=(first,))
    assert plan_for(house, outlook, FollowPlan(worth_a_switch=1_000), short) == plan
