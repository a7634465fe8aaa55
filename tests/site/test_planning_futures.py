"""A plan that suits a dull day and a bright one as well as the expected one."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from houses import LONDON, NOON, a_forecast, a_price_curve
from ohmstead.cli.demo_played import prices_of
from ohmstead.config.catalogue import validator
from ohmstead.control.follow_plan import FollowPlan, Futures
from ohmstead.model import (
    BatteryReading,
    Forecast,
    Plan,
    Prices,
    SiteSnapshot,
)
from ohmstead.simulation import SCENARIOS
from ohmstead.site.planning import Outlook, plan_for, step_for
from ohmstead.site.question import Likely, question_of

HALF = timedelta(minutes=30)
LAST_CHEAP = datetime(2026, 6, 15, 4, 30, tzinfo=NOON.tzinfo)
ONE_FUTURE = Futures(middle=1)


def a_house() -> SiteSnapshot:
    """The last cheap half-hour before a dear day and a cheap night; nothing is paid for export."""
    battery = BatteryReading(soc_pct=30, capacity_kwh=10, max_charge_w=3_000, max_discharge_w=3_000)
    buy = a_price_curve(0.07, *[0.3] * 35, *[0.07] * 8, start=LAST_CHEAP)
    return SiteSnapshot(at=LAST_CHEAP, timezone=LONDON, battery=battery, prices=Prices(buy=buy))


LOAD = a_forecast(*[400] * 44, start=LAST_CHEAP)
SURE = a_forecast(*[0] * 8, *[900] * 20, *[0] * 16, start=LAST_CHEAP)
UNSURE = a_forecast(*[0] * 8, *[(100, 900, 1_700)] * 20, *[0] * 16, start=LAST_CHEAP)
THREE = Futures(dull=0.3, middle=0.4, bright=0.3)


def first_w(plan: Plan) -> float:
    return plan.slots[0].battery_w


def test_an_unsure_sun_makes_the_last_cheap_half_hour_charge() -> None:
    alone = plan_for(a_house(), Outlook(load=LOAD, solar=UNSURE), FollowPlan(futures=ONE_FUTURE))
    hedged = plan_for(a_house(), Outlook(load=LOAD, solar=UNSURE), FollowPlan(futures=THREE))
    assert first_w(alone) > -1
    assert first_w(hedged) < -500
    # What it costs more if the middle forecast comes true is said, in the gap.
    assert hedged.gap == pytest.approx(alone.gap + alone.saved - hedged.saved, abs=1e-3)


def test_where_all_futures_are_alike_the_plan_is_that_of_one() -> None:
    outlook = Outlook(load=LOAD, solar=SURE)
    alone = plan_for(a_house(), outlook, FollowPlan(futures=ONE_FUTURE))
    assert plan_for(a_house(), outlook, FollowPlan(futures=THREE)).slots == alone.slots


def test_a_dull_day_alone_can_be_planned_for() -> None:
    outlook = Outlook(load=LOAD, solar=UNSURE)
    careful = plan_for(a_house(), outlook, FollowPlan(futures=Futures(dull=1, middle=0)))
    assert first_w(careful) < -500


def test_a_dull_day_is_one_of_much_load() -> None:
    thirsty = a_forecast(*[(400, 400, 1_500)] * 44, start=LAST_CHEAP)
    plan = plan_for(a_house(), Outlook(load=thirsty, solar=SURE), FollowPlan(futures=THREE))
    assert first_w(plan) < -500


def test_the_same_question_gets_the_same_plan() -> None:
    outlook = replace(Outlook(load=LOAD, solar=UNSURE), import_limit_w=5_000)
    one = plan_for(a_house(), outlook, FollowPlan(futures=THREE))
    assert plan_for(a_house(), outlook, FollowPlan(futures=THREE)) == one


@pytest.mark.parametrize("sun", [SURE, UNSURE, None], ids=["sure", "unsure", "none"])
@pytest.mark.parametrize("futures", [ONE_FUTURE, THREE], ids=["one future", "three"])
def test_a_step_alone_is_the_plans_first(sun: Forecast | None, futures: Futures) -> None:
    outlook = Outlook(load=LOAD, solar=sun)
    plan = plan_for(a_house(), outlook, FollowPlan(futures=futures), explain=False)
    step = step_for(a_house(), outlook, FollowPlan(futures=futures))
    assert step.slots == plan.slots[:1]
    assert (step.made_at, step.made_of, step.currency) == (plan.made_at, "a test", "GBP")


def test_being_prepared_is_said() -> None:
    outlook = Outlook(load=LOAD, solar=UNSURE)
    reason = plan_for(a_house(), outlook, FollowPlan(futures=THREE)).slots[0].reason
    assert "beside a duller and a brighter day this is" in reason
    alone = plan_for(a_house(), outlook, FollowPlan(futures=ONE_FUTURE)).slots[0].reason
    assert "duller" not in alone


def test_shares_are_settings() -> None:
    read = validator(FollowPlan).validate_python
    assert read({"futures": {"middle": 1}}).futures == ONE_FUTURE
    assert read({"futures": {"dull": 0.3, "middle": 0.4, "bright": 0.3}}).futures == THREE
    with pytest.raises(ValueError, match="cloudy"):
        read({"futures": {"cloudy": 1}})


@pytest.mark.parametrize("soc_pct", [90, 97, 99, 100])
def test_a_battery_that_a_step_fills_to_the_brim_is_not_out_of_bounds(soc_pct: float) -> None:
    """A first step that ends a rounding error above full once cost more than all the world has."""
    summer = SCENARIOS["summer"]
    at = summer.start + timedelta(minutes=211.3)
    site = replace(
        a_house(),
        at=at,
        prices=prices_of(summer),
        battery=BatteryReading(
            soc_pct=soc_pct, capacity_kwh=9.6, max_charge_w=3_600, max_discharge_w=3_600
        ),
    )
    night, day = [(0.0, 0.0, 0.0)] * 5, [(800.0, 1_500.0, 2_500.0)] * 20
    start = summer.start + timedelta(minutes=210)
    sun = a_forecast(*night, *day, *night * 10, start=start)
    load = a_forecast(*[(200, 300, 450)] * 75, start=start)
    plan = plan_for(site, Outlook(load=load, solar=sun), FollowPlan(futures=THREE))
    assert "e+" not in plan.slots[0].reason


def test_a_load_s_errors_mostly_cancel_over_the_hours_of_a_plan() -> None:
    """A half-hour between 300 and 600 W is no evening of 300 or of 600 W all along."""
    load = a_forecast(*[(300, 400, 600)] * 44, start=LAST_CHEAP)
    question = question_of(a_house(), Outlook(load=load, solar=None), FollowPlan())
    much, middle, little = (question.house_kwh(likely)[9] for likely in Likely)
    assert middle == pytest.approx(0.2)
    assert 0.2 < much < 0.25
    assert 0.175 < little < 0.2
