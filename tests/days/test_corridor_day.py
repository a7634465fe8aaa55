"""A battery kept between two levels by the clock, with five per cent of hysteresis on each side."""

from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

import pytest

from houses import LONDON
from ohmstead.model import BatteryMode
from told_day import Weather, a_day, local

CORRIDOR = """
control:
  - soc_corridor:
      power_w: 2000
      parts: [{start: "05:30", end: "16:30", min_soc_pct: 25, max_soc_pct: 60}]
  - self_consumption: {reserve_pct: 4}
"""
RESERVE = """
control:
  - soc_corridor:
      parts:
        - {start: "05:30", end: "16:30", min_soc_pct: 25}
        - {start: "16:30", end: "05:30", min_soc_pct: 4}
"""


def cooking(at: time) -> float:
    return 2_700.0 if time(11) <= at < time(12, 30) else 400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bright(Weather):
    """Two kilowatts from nine to six."""

    def sun_w(self, second: float) -> float:
        return 2_000.0 if 9 <= datetime.fromtimestamp(second, LONDON).hour < 18 else 0.0


async def test_above_the_band_it_is_sold_within_it_kept_and_below_it_filled_again(
    tmp_path: Path,
) -> None:
    """Limit 60: sold from 65 on down to 60, then no sun goes in until it has fallen below 55."""
    weather = Bright(people=cooking)
    async with a_day(
        tmp_path, CORRIDOR, local(6, 21, 8, 30), soc_pct=67, weather=weather, look_s=200
    ) as story:
        await story.until(local(6, 21, 8, 40))
        assert story.battery_w == pytest.approx(2_000, abs=100), "from 65 on it is sold"
        await story.until(local(6, 21, 9, 20))
        assert story.soc_pct == pytest.approx(60, abs=1)
        before = story.flown()
        await story.until(local(6, 21, 10, 58))
        assert story.battery_w == 0, "at the limit the sun is sold"
        assert story.flown().charged_kwh == pytest.approx(before.charged_kwh, abs=0.05)
        await story.until(local(6, 21, 11, 30))
        assert 55 < story.soc_pct < 60, "the house takes what it needs"
        await story.until(local(6, 21, 12, 40))
        assert story.soc_pct < 55
        assert story.battery_w < -1_000, "below 55 the sun goes in again"
        await story.until(local(6, 21, 13, 40))
        assert story.soc_pct == pytest.approx(60, abs=1.5), "up to the limit, not to 65"
        await story.until(local(6, 21, 16, 20))
        assert story.soc_pct == pytest.approx(60, abs=1.5)
        await story.until(local(6, 21, 17, 20))
        assert story.soc_pct > 68, "from half past four there is no limit"


async def test_a_quarter_is_kept_for_the_peak_until_half_past_four(tmp_path: Path) -> None:
    hungry = Weather(people=lambda _: 900.0)
    async with a_day(
        tmp_path, RESERVE, local(11, 12, 12), soc_pct=40, weather=hungry,
        before=lambda plant: plant.simulator.inverter.holdings.show(reserve_soc_pct=4),
    ) as story:  # fmt: skip
        await story.until(local(11, 12, 13))
        assert story.battery_w == pytest.approx(900, abs=1)
        await story.until(local(11, 12, 14, 30))
        kept_pct, imported_kwh = story.soc_pct, story.flown().import_kwh
        assert kept_pct == pytest.approx(25, abs=1.5)
        assert story.mode is BatteryMode.HOLD
        await story.until(local(11, 12, 16, 26))
        assert story.soc_pct == pytest.approx(kept_pct, abs=1)
        assert story.flown().import_kwh - imported_kwh == pytest.approx(0.9 * 1.95, abs=0.1)
        imported_kwh = story.flown().import_kwh
        await story.until(local(11, 12, 17, 45))
        peak_kwh = story.flown().import_kwh - imported_kwh
        assert peak_kwh < 0.15, "the dear hours are served by the battery"
        await story.until(local(11, 12, 20))
        assert story.soc_pct == pytest.approx(4, abs=1.5)
