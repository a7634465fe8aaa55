"""An inverter that moves more than it is told: measured once, and then the house gets its power."""

from pathlib import Path

import pytest

from ohmstead.devices.givenergy.driver import GivEnergySettings
from ohmstead.model import Calibration
from told_day import GEN3, Skies, Weather, a_day, local

CONTROL = """
control:
  - evening_export: {start: "20:00", end: "22:30", floor_pct: 8, min_w: 1500, max_w: 1500}
  - gentle_charge: {start: "00:30", end: "05:30", target_pct: 85, min_w: 1900, max_w: 1900}
"""
MEASURED = Calibration(charge_offset_w=180, discharge_offset_w=100)
QUIET = Weather(people=lambda _: 300.0)


def goes_astray(plant: Skies) -> None:
    """Let the inverter charge with 180 W and discharge with 100 W more than it is told."""
    plant.simulator.inverter.astray_w |= {"charge": 180.0, "discharge": 100.0}


@pytest.mark.parametrize(
    ("calibration", "more_w"),
    [
        pytest.param(Calibration(), (100, 180), id="as told"),
        pytest.param(MEASURED, (0, 0), id="as measured"),
    ],
)
async def test_what_is_delivered_is_what_was_meant(
    tmp_path: Path, calibration: Calibration, more_w: tuple[float, float]
) -> None:
    settings = GivEnergySettings(host="127.0.0.1", calibration=calibration)
    async with a_day(
        tmp_path, CONTROL, local(11, 12, 19, 50), soc_pct=60, weather=QUIET,
        settings=settings, before=goes_astray,
    ) as story:  # fmt: skip
        await story.until(local(11, 12, 20, 10))
        before = story.flown()
        await story.until(local(11, 12, 21, 10))
        sold_w = (story.flown().export_kwh - before.export_kwh) * 1_000
        assert story.battery_w == pytest.approx(1_500 + more_w[0], abs=GEN3.step_w)
        assert sold_w == pytest.approx(1_200 + more_w[0], rel=0.12)
        await story.until(local(11, 13, 0, 40))
        before = story.flown()
        await story.until(local(11, 13, 2, 40))
        assert -story.battery_w == pytest.approx(1_900 + more_w[1], abs=GEN3.step_w)
        assert story.flown().charged_kwh - before.charged_kwh == pytest.approx(
            2 * (1.9 + more_w[1] / 1_000), rel=0.07
        )
