"""A summer's night and day on Intelligent Go, by hand-made strategies and by nothing but the plan.

The modes of the day (charge at night, sell the sun, serve the evening) are what comes out of the
plan; nobody schedules them. Both houses live the same day; what it cost is compared.
"""

from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

from ohmstead.model import BatteryMode
from ohmstead.simulation import Energies
from told_day import GEN3, Weather, a_day, local

PRICES = """
prices:
  import:
    source: time_of_use
    default_per_kwh: 0.27
    windows: [{start: "23:30", end: "05:30", per_kwh: 0.07}]
  export: {source: fixed, price_per_kwh: 0.15}
"""
HAND_MADE = """
control:
  - soc_corridor:
      parts: [{start: "05:30", end: "16:30", min_soc_pct: 25}]
  - evening_export: {start: "20:00", end: "23:30", floor_pct: 8, min_w: 1000, max_w: 2000}
  - gentle_charge: {start: "00:30", end: "05:30", target_pct: 90, idle_from: "23:30"}
  - solar_export: {start: "05:30", end: "19:55"}
  - self_consumption: {reserve_pct: 4}
"""
PLAN = """
control:
  - follow_plan: {min_soc_pct: 4, inverter_w: 5000}
"""
SUMMER = Weather(peak_w=3_500, people=lambda at: 1_500.0 if time(17) <= at < time(20) else 450.0)
START, END = local(6, 20, 22, 30), local(6, 21, 22)
LEFT_PER_KWH = 0.07 / 0.95
"""What it costs to have a kWh in the battery again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What a day was like."""

    cost: float
    filled_pct: float
    """How full the battery was when the night was over."""
    noon: Energies
    """What flew from nine to one."""
    modes: list[tuple[datetime, BatteryMode | None]]

    def at(self, hour: int) -> BatteryMode | None:
        """Return the mode at *hour* of the day."""
        return next(mode for at, mode in self.modes if at >= local(6, 21, hour))


def between(before: Energies, after: Energies) -> Energies:
    """Return what flew between two looks."""
    return Energies(
        **{name: getattr(after, name) - getattr(before, name) for name in Energies.__slots__}
    )


def paid(flown: Energies, per_kwh: float) -> float:
    return flown.import_kwh * per_kwh - flown.export_kwh * 0.15


async def lived(folder: Path, control: str) -> Lived:
    """Return how the day goes under *control*."""
    async with a_day(
        folder, PRICES + control, START, soc_pct=40, weather=SUMMER, look_s=900
    ) as story:
        await story.until(local(6, 20, 23, 24))
        marks = [story.flown()]
        await story.until(local(6, 21, 5, 24))
        marks.append(story.flown())
        filled_pct = story.soc_pct
        await story.until(local(6, 21, 9))
        nine = story.flown()
        await story.until(local(6, 21, 13))
        noon = between(nine, story.flown())
        await story.until(END)
        marks.append(story.flown())
        night, day = between(*marks[:2]), between(*marks[1:])
        left_kwh = story.soc_pct / 100 * GEN3.capacity_kwh
        cost = paid(marks[0], 0.27) + paid(night, 0.07) + paid(day, 0.27)
        return Lived(
            cost=cost - left_kwh * LEFT_PER_KWH,
            filled_pct=filled_pct,
            noon=noon,
            modes=story.modes,
        )


async def test_the_plan_makes_the_modes_of_the_day_by_itself_and_costs_no_more(
    tmp_path: Path,
) -> None:
    (tmp_path / "hand").mkdir()
    hand_made = await lived(tmp_path / "hand", HAND_MADE)
    planned = await lived(tmp_path, PLAN)
    print(  # noqa: T201 - the comparison this test is about
        f"\na summer's day on Intelligent Go: hand-made strategies {hand_made.cost:.2f}, "
        f"the plan alone {planned.cost:.2f}"
    )
    assert planned.filled_pct > 60, "the night fills the battery"
    assert planned.at(9) is BatteryMode.EXPORT_SOLAR, "the sun is sold by day"
    assert planned.noon.export_kwh > 0.8 * (planned.noon.pv_kwh - planned.noon.load_kwh)
    assert planned.noon.charged_kwh < 0.5
    assert planned.cost <= hand_made.cost + 0.02
