"""A night on two prices: the dishwasher waits for the cheap hours, as the plan tells its relay."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from ohmstead.model import SiteSnapshot
from told_day import Story, a_day, local

OWNER = """
prices:
  import:
    source: time_of_use
    default_per_kwh: 0.30
    windows: [{start: "00:30", end: "05:30", per_kwh: 0.07}]
control:
  - follow_plan:
      min_soc_pct: 4
      inverter_w: 5000
      loads: [{name: dishwasher, power_w: 1800, minutes: 90, after: "19:00", by: "07:00"}]
  - self_consumption: {reserve_pct: 4}
"""


def wanted(site: SiteSnapshot) -> bool:
    """Tell what the relay is told."""
    slot = site.plan.at(site.at) if site.plan else None
    return slot is not None and slot.runs("dishwasher")


async def test_the_dishwasher_runs_once_and_in_the_cheap_hours(tmp_path: Path) -> None:
    told = list[Story]()

    def dishwasher_w() -> float:
        return 1_800.0 if told and wanted(told[0].service.ticks[-1].snapshot) else 0.0

    async with a_day(
        tmp_path, OWNER, local(1, 15, 23, 30), soc_pct=30, look_s=900,
        before=lambda plant: plant.cars.append(dishwasher_w),
    ) as day:  # fmt: skip
        told.append(day)
        await day.until(local(1, 16, 7))
        seen = [tick.snapshot for tick in day.service.ticks]
    on = [site.at for site in seen if wanted(site)]
    assert local(1, 16, 0, 30) <= on[0]
    assert on[-1] < local(1, 16, 5, 30)
    assert timedelta(minutes=60) <= on[-1] - on[0] <= timedelta(minutes=90)
    switched = [one for one, two in pairwise(map(wanted, seen)) if one != two]
    assert switched == [False, True], "it ran once, and through"
    measured = [site.load_w for site in seen if wanted(site) and site.load_w is not None]
    assert max(measured) > 2_000
