"""Evenings in which what is left in the battery is sold: down to a floor, gently, if it pays."""

from datetime import time
from pathlib import Path

import pytest

from told_day import Weather, a_day, local

EVENING = Weather(people=lambda at: 1_200.0 if at < time(20) else 300.0)
CONTROL = """
prices:
  import: {{source: fixed, price_per_kwh: 0.27}}
  export: {{source: fixed, price_per_kwh: {pays}}}
control:
  - evening_export: {{start: "20:00", end: "22:30", floor_pct: 8, min_w: 1000, max_w: 2000,
                     at_least_per_kwh: 0.12}}
  - self_consumption: {{reserve_pct: 4}}
"""


@pytest.mark.parametrize(
    ("soc_pct", "low_w", "high_w", "done_by"),
    [
        pytest.param(43, 1_200, 1_500, 22, id="spread over the evening"),
        pytest.param(80, 1_900, 2_000, None, id="never more than max_w"),
        pytest.param(21, 900, 1_000, 21, id="never less than min_w, and over the sooner"),
    ],
)
async def test_it_ends_at_the_floor_by_its_time(
    tmp_path: Path, soc_pct: float, low_w: float, high_w: float, done_by: int | None
) -> None:
    evening = local(11, 12, 19, 50)
    control = CONTROL.format(pays=0.15)
    async with a_day(tmp_path, control, evening, soc_pct=soc_pct, weather=EVENING) as story:
        await story.until(local(11, 12, 19, 58))
        assert story.battery_w == pytest.approx(1_200, abs=1), "not before its time"
        await story.until(local(11, 12, 20, 6))
        power_w, before = story.battery_w, story.flown()
        assert low_w <= power_w <= high_w
        await story.until(local(11, 12, 20, 50))
        assert story.battery_w == power_w, "one power, written once"
        sold_kwh = story.flown().export_kwh - before.export_kwh
        assert sold_kwh == pytest.approx((power_w - 300) * 44 / 60_000, rel=0.2)
        await story.until(local(11, 12, 22, 40))
        assert story.holds("discharge_rate_pct") == 40, "the owner's power is given back"
        assert story.holds("eco_mode_enabled") is True
        if done_by is None:
            assert story.soc_pct > 20, "there was more than fits into the evening"
        else:
            assert story.soc_pct == pytest.approx(8, abs=2)


@pytest.mark.parametrize(
    ("soc_pct", "pays"),
    [
        pytest.param(11.5, 0.15, id="too little is left above the floor"),
        pytest.param(60, 0.10, id="it pays too little"),
    ],
)
async def test_an_evening_that_is_not_worth_it_sells_nothing(
    tmp_path: Path, soc_pct: float, pays: float
) -> None:
    evening = local(11, 12, 19, 50)
    control = CONTROL.format(pays=pays)
    async with a_day(tmp_path, control, evening, soc_pct=soc_pct, weather=EVENING) as story:
        slot = story.holds("discharge_slot_1_start"), story.holds("discharge_slot_1_end")
        await story.until(local(11, 12, 22, 40))
        assert story.flown().export_kwh == 0
        assert (story.holds("discharge_slot_1_start"), story.holds("discharge_slot_1_end")) == slot
        assert story.holds("discharge_enabled") is False
        assert story.flown().discharged_kwh > 0.1, "the house was served all the same"
