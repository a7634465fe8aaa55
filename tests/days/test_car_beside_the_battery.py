"""A car charges on an evening of export, on either side of the meter that the battery goes by."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from houses import LONDON
from ohmstead.devices.zappi.driver import ZappiDriver, ZappiSettings
from ohmstead.devices.zappi.simulator import ZappiSimulator
from ohmstead.model import BatteryMode
from ohmstead.ports import DevicePort
from told_day import Skies, Weather, a_day, local

CONTROL = """
control:
  - evening_export: {start: "20:00", end: "22:30", floor_pct: 8, min_w: 1000, max_w: 3000}
  - car: {settle_s: 60}
"""
QUIET = Weather(people=lambda _: 300.0)
Wiring = Literal["inside", "outside"]
ZAPPIS = list[ZappiSimulator]


@asynccontextmanager
async def a_zappi(plant: Skies, behind: Wiring, zappis: ZAPPIS) -> AsyncIterator[DevicePort]:
    """Let a charger stand beside *plant*, and be known to the test."""
    zappi = ZappiSimulator(plant.house, plant.clock, LONDON)
    zappi.mode = 1
    zappis.append(zappi)
    if behind == "inside":
        plant.cars.append(lambda: zappi.car_w)
    async with zappi.serve() as port:
        settings = ZappiSettings(
            hub=ZappiSimulator.HUB, password=ZappiSimulator.PASSWORD, behind=behind,
            base_url=f"http://127.0.0.1:{port}",
        )  # fmt: skip
        yield ZappiDriver("zappi", settings, plant.clock, LONDON)


@pytest.mark.parametrize(
    ("behind", "served_w"),
    [
        pytest.param("outside", 300, id="outside: the battery serves the house alone"),
        pytest.param("inside", 0, id="inside: the battery rests, the grid feeds the car"),
    ],
)
async def test_nothing_is_exported_while_the_car_charges_and_nothing_empties_into_it(
    tmp_path: Path, behind: Wiring, served_w: float
) -> None:
    zappis: ZAPPIS = []
    async with a_day(
        tmp_path, CONTROL, local(11, 12, 19, 50), soc_pct=42, weather=QUIET, look_s=120,
        beside=partial(a_zappi, behind=behind, zappis=zappis),
    ) as story:  # fmt: skip
        (zappi,) = zappis
        await story.until(local(11, 12, 20, 30))
        first_w = story.battery_w
        assert first_w > 1_000, "it exports"
        zappi.plug_in(4.7)  # forty minutes
        await story.until(local(11, 12, 20, 36))
        before, first = story.flown(), story.service.clock.now()
        await story.until(local(11, 12, 21, 4))
        after = story.flown()
        hours = (story.service.clock.now() - first).total_seconds() / 3_600
        assert zappi.car_w == 7_000
        assert after.export_kwh - before.export_kwh == pytest.approx(0, abs=0.01)
        served_kwh = after.discharged_kwh - before.discharged_kwh
        assert served_kwh == pytest.approx(served_w / 1_000 * hours, abs=0.02)
        await story.until(local(11, 12, 21, 20))
        assert zappi.car_w == 0
        assert story.mode is BatteryMode.DISCHARGE
        assert story.battery_w > first_w * 1.2, "what was missed is caught up with"
        await story.until(local(11, 12, 22, 34))
        assert story.soc_pct == pytest.approx(8, abs=2)
