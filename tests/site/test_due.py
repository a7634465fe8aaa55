"""What makes a plan due before its five minutes are over."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from houses import LONDON, NOON, a_forecast, a_price_curve
from ohmstead.clock import ManualClock
from ohmstead.control.follow_plan import FollowPlan
from ohmstead.model import (
    BatteryCommand,
    BatteryMode,
    BatteryReading,
    ChargerReading,
    Forecast,
    Prices,
    PriceSlot,
    Request,
    SiteSnapshot,
)
from ohmstead.site.plans import PlanWatch

HALF = timedelta(minutes=30)
MINUTE = timedelta(minutes=1)
MADE_AT = NOON.replace(minute=10)
NO_CAR = ChargerReading(power_w=0, plugged=False)


class Told:
    """A forecast source that says one thing, and has news at a time."""

    def __init__(self) -> None:
        self.due = NOON
        self.trouble: str | None = None

    async def forecast(self, now: datetime) -> Forecast:
        return a_forecast(*[500] * 80, start=now.replace(minute=0))

    def next_due(self, now: datetime) -> datetime:
        del now
        return self.due


def a_house(minutes: float = 0, /, **given: Any) -> SiteSnapshot:  # noqa: ANN401 - fields of a snapshot
    """A house whose battery holds what is in it: it all costs the same."""
    battery = BatteryReading(
        soc_pct=10, power_w=0, capacity_kwh=10, max_charge_w=3_000, max_discharge_w=3_000
    )
    house = SiteSnapshot(
        at=MADE_AT + minutes * MINUTE,
        timezone=LONDON,
        battery=battery,
        load_w=500,
        pv_w=500,
        chargers=(NO_CAR,),
        prices=Prices(buy=a_price_curve(*[0.2] * 60, start=NOON)),
    )
    return replace(house, **given)


def a_request(until: datetime) -> Request:
    want = BatteryCommand(mode=BatteryMode.CHARGE, until=until)
    return Request(id="r1", asked_by="page", made_at=MADE_AT, want=want, until=until)


def dispatched(confidence: float) -> Prices:
    buy = a_house().prices.buy
    assert buy is not None
    start = NOON + 2 * HALF
    return Prices(
        buy=type(buy).from_slots(
            [
                *buy,
                PriceSlot(
                    start=start, end=start + HALF, per_kwh=0.07, kind="dispatch",
                    confidence=confidence, usual_per_kwh=0.2,
                ),
            ]
        )
    )  # fmt: skip


async def a_plan_for(house: SiteSnapshot) -> tuple[PlanWatch, Told]:
    told = Told()
    watch = PlanWatch(FollowPlan(), told, told, ManualClock(MADE_AT))
    assert await watch.refresh(house)
    return watch, told


SOC_15 = BatteryReading(soc_pct=15, capacity_kwh=10, max_charge_w=3_000, max_discharge_w=3_000)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, {"prices": dispatched(0.7)}, id="a dispatch"),
        pytest.param(
            {"prices": dispatched(0.7)}, {"prices": dispatched(0.95)}, id="a dispatch that begins"
        ),
        pytest.param({"prices": dispatched(0.7)}, {}, id="a dispatch that is withdrawn"),
        pytest.param(
            {}, {"chargers": (ChargerReading(power_w=0, plugged=True),)}, id="a car plugged in"
        ),
        pytest.param(
            {}, {"chargers": (ChargerReading(power_w=7_000, plugged=False),)}, id="a car charges"
        ),
        pytest.param(
            {"chargers": (ChargerReading(charging=True),)},
            {"chargers": (ChargerReading(charging=False),)},
            id="a car stops",
        ),
        pytest.param({}, {"requests": (a_request(MADE_AT + 60 * MINUTE),)}, id="a request begins"),
        pytest.param({"requests": (a_request(MADE_AT + 60 * MINUTE),)}, {}, id="a request ends"),
        pytest.param(
            {"requests": (a_request(MADE_AT + 60 * MINUTE),)},
            {"requests": (a_request(MADE_AT + 90 * MINUTE),)},
            id="a request goes on longer",
        ),
        pytest.param({}, {"battery": SOC_15}, id="another level"),
    ],
)
async def test_at_once_after(before: dict[str, Any], after: dict[str, Any]) -> None:
    watch, _ = await a_plan_for(a_house(**before))
    assert not await watch.refresh(a_house(0.5, **before))
    assert await watch.refresh(a_house(1, **after))
    assert not await watch.refresh(a_house(1.5, **after))


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param({"load_w": 3_000}, id="much load"),
        pytest.param({"pv_w": 3_000}, id="much sun"),
    ],
)
async def test_when_the_house_is_not_as_foretold_for_some_minutes(
    strange: dict[str, Any],
) -> None:
    watch, _ = await a_plan_for(a_house())
    assert not await watch.refresh(a_house(0.5, **strange))
    assert not await watch.refresh(a_house(1))  # a kettle
    assert not await watch.refresh(a_house(1.5, **strange))
    assert not await watch.refresh(a_house(4, **strange))
    assert await watch.refresh(a_house(4.6, **strange))


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"load_w": None, "pv_w": None}, id="nothing measured"),
        pytest.param({"load_w": 900, "pv_w": 100}, id="a little off"),
        pytest.param(
            {"load_w": 7_500, "chargers": (ChargerReading(power_w=7_000, plugged=True),)},
            id="a car that the plan knows of",
        ),
    ],
)
async def test_not_while_all_is_as_foretold(known: dict[str, Any]) -> None:
    watch, _ = await a_plan_for(a_house(**known))
    for minutes in (1, 2, 3, 4, 4.9):
        assert not await watch.refresh(a_house(minutes, **known))
    assert await watch.refresh(a_house(5, **known))


async def test_when_a_new_forecast_may_be_there() -> None:
    watch, told = await a_plan_for(a_house())
    told.due = MADE_AT + 8 * MINUTE
    assert await watch.refresh(a_house(5))
    assert not await watch.refresh(a_house(7))
    assert await watch.refresh(a_house(8))
    assert not await watch.refresh(a_house(12))  # its time lies before this plan


async def test_when_the_clock_was_set_back() -> None:
    watch, _ = await a_plan_for(a_house())
    assert await watch.refresh(a_house(-3))


@pytest.mark.parametrize("unknown", ["battery", "plan"])
async def test_what_is_unknown_is_no_drift(unknown: str) -> None:
    watch, _ = await a_plan_for(a_house())
    assert watch.plan is not None
    if unknown == "plan":
        watch.plan = replace(watch.plan, start_soc_pct=None)
        assert not await watch.refresh(a_house(1, battery=SOC_15))
    else:
        silent = replace(SOC_15, soc_pct=None)
        assert not await watch.refresh(a_house(1, battery=silent))
        assert watch.trouble == "the state of charge is not known"
