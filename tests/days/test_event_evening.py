"""Evenings and noons with events: saving sessions that pay, hours of free electricity."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from givenergy_house import JumpClock
from octopus_shop import a_shop
from ohmstead.model import BatteryMode
from ohmstead.prices.octopus_graphql_simulator import SimulatedEvent
from told_day import Story, Weather, a_day, local

PLAN = """
control:
  - follow_plan: {min_soc_pct: 4, inverter_w: 5000}
"""
GUARDED = """
control:
  - rule: {name: session, when: "price.export >= 1.0", do: {discharge: {until_soc: 8}}}
  - rule:
      name: baseline
      when: 'time.hhmm >= "16:00" && time.hhmm < "20:00"'
      do: {self_use: {}}
  - rule: {name: sell, when: "battery.soc > 30", do: {discharge: {until_soc: 30}}}
"""
"""A session is paid by how much less is drawn than on the ten days before: no export then."""
PEOPLE = Weather(people=lambda at: 800.0 if time(16) <= at < time(20) else 400.0)
SESSION = SimulatedEvent(
    start=local(11, 12, 17, 30), end=local(11, 12, 18, 30), points=1_800
)  # £2.25 a kWh


@asynccontextmanager
async def an_account(
    folder: Path,
    control: str,
    start: datetime,
    soc_pct: float,
    *,
    joined: bool = True,
    free: SimulatedEvent | None = None,
    sold_per_kwh: float = 0.15,
) -> AsyncIterator[Story]:
    """Live from *start* with whoever takes part in the session, if *joined*."""
    clock = JumpClock(start.astimezone(UTC), 20)
    async with a_shop(clock, folder, sold_per_kwh=sold_per_kwh) as shop:
        shop.graphql.sessions = [
            SimulatedEvent(
                start=SESSION.start, end=SESSION.end, points=SESSION.points, joined=joined
            )
        ]
        shop.graphql.free = [free] if free else []
        async with a_day(
            folder, control, start, soc_pct=soc_pct, weather=PEOPLE, clock=clock,
            buy=shop.source(), sell=shop.source("export"),
        ) as story:  # fmt: skip
            yield story


async def test_the_plan_keeps_the_battery_for_a_session_and_empties_it_there(
    tmp_path: Path,
) -> None:
    async with an_account(tmp_path, PLAN, local(11, 12, 15), 75) as story:
        await story.until(local(11, 12, 17, 24))
        assert story.soc_pct > 45, "enough is kept for an hour at full power"
        await story.until(local(11, 12, 17, 36))
        before = story.flown()
        await story.until(local(11, 12, 18, 24))
        sold_kwh = story.flown().export_kwh - before.export_kwh
        assert sold_kwh > 1.8, "what is sold then is paid fifteen-fold"
        assert story.flown().import_kwh == pytest.approx(before.import_kwh, abs=0.1)
        await story.until(local(11, 12, 18, 40))
        before = story.flown()
        await story.until(local(11, 12, 20))
        assert story.flown().export_kwh == pytest.approx(before.export_kwh, abs=0.05)


async def test_what_is_free_is_taken(tmp_path: Path) -> None:
    free = SimulatedEvent(start=local(11, 12, 13), end=local(11, 12, 14))
    async with an_account(tmp_path, PLAN, local(11, 12, 11), 40, free=free) as story:
        await story.until(local(11, 12, 12, 54))
        assert story.flown().ac_charged_kwh == 0
        await story.until(local(11, 12, 14, 10))
        before = story.flown()
        assert before.ac_charged_kwh > 2.8, "as fast as it can, for an hour"
        await story.until(local(11, 12, 15))
        assert story.flown().ac_charged_kwh == pytest.approx(before.ac_charged_kwh, abs=0.05)


@pytest.mark.parametrize("joined", [True, False], ids=["session", "ordinary evening"])
async def test_exports_stay_out_of_the_hours_that_sessions_are_measured_by(
    tmp_path: Path, joined: bool
) -> None:
    async with an_account(tmp_path, GUARDED, local(11, 12, 16, 5), 75, joined=joined) as story:
        await story.until(local(11, 12, 17, 24))
        assert story.flown().export_kwh == 0
        await story.until(local(11, 12, 18, 40))
        sold_kwh = story.flown().export_kwh
        await story.until(local(11, 12, 19, 50))
        assert story.flown().export_kwh == pytest.approx(sold_kwh, abs=0.05)
        if joined:
            assert sold_kwh > 1.8
        else:
            assert sold_kwh == 0
            assert {mode for _, mode in story.modes} <= {BatteryMode.SELF_USE, None}
