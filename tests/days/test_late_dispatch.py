"""Octopus charges the car into the morning: the day begins when the last dispatch is over."""

from datetime import UTC, time
from pathlib import Path

import pytest

from givenergy_house import JumpClock
from octopus_shop import a_shop
from ohmstead.prices.octopus_graphql_simulator import SimulatedDispatch
from told_day import Weather, a_day, local

CONTROL = """
control:
  - solar_export: {start: "05:30", end: "19:55", cheap_per_kwh: 0.08}
  - self_consumption: {reserve_pct: 4}
"""
SUNNY = Weather(peak_w=4_500, people=lambda _: 400.0)


def dispatch(start: time, end: time) -> SimulatedDispatch:
    return SimulatedDispatch(
        start=local(6, 21, start.hour, start.minute), end=local(6, 21, end.hour, end.minute)
    )


async def test_the_day_begins_after_the_last_dispatch_of_the_night(tmp_path: Path) -> None:
    clock = JumpClock(local(6, 21, 5, 0).astimezone(UTC), 20)
    # The evening's is planned already: by time of day alone it would be the last one.
    evening = dispatch(time(22), time(23, 30))
    async with (
        a_shop(clock, tmp_path) as shop,
        a_day(
            tmp_path, CONTROL, clock.now(), soc_pct=40, weather=SUNNY, clock=clock,
            buy=shop.source(),
        ) as story,
    ):  # fmt: skip
        shop.graphql.state = "SMART_CONTROL_IN_PROGRESS"
        shop.graphql.planned = [dispatch(time(4, 30), time(7)), evening]
        await story.until(local(6, 21, 6, 40))
        assert story.holds("pause_mode") == "none"
        assert story.battery_w < -300, "the sun goes into the battery, as at night"
        shop.graphql.planned = [dispatch(time(4, 30), time(8)), evening]  # Octopus thinks anew
        before = story.flown()
        await story.until(local(6, 21, 7, 50))
        assert story.flown().export_kwh == pytest.approx(before.export_kwh, abs=0.02)
        assert story.flown().charged_kwh > before.charged_kwh + 0.5
        await story.until(local(6, 21, 8, 8))
        before, filled_pct = story.flown(), story.soc_pct
        await story.until(local(6, 21, 10))
        assert story.holds("pause_mode") == "charge", "paused, on the wire"
        assert story.battery_w == 0
        assert story.soc_pct == pytest.approx(filled_pct, abs=0.5)
        sold_kwh = story.flown().export_kwh - before.export_kwh
        assert sold_kwh > 3, "the sun is sold"
