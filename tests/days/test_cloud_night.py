"""An evening and a night by the maker's cloud, as the scripts went: the same file, other wires."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from givenergy_house import JumpClock, serving
from houses import LONDON
from ohmstead.config import build
from ohmstead.config.load import load
from ohmstead.devices.givenergy_cloud.driver import GivEnergyCloudDriver
from ohmstead.devices.givenergy_cloud.settings import GivEnergyCloudSettings
from ohmstead.devices.givenergy_cloud.simulator import GivEnergyCloudSimulator
from ohmstead.simulation import BatterySettings, House, HouseSettings
from told_day import local

CONTROL = """
control:
  - evening_export: {start: "22:00", end: "23:30", floor_pct: 6, min_w: 1050, max_w: 1900}
  - gentle_charge: {start: "00:30", end: "05:30", target_pct: 80, idle_from: "23:30"}
  - self_consumption: {}
"""
LOOK_S = 600.0
ID_OF = {"cp": 72, "dp": 73, "ds": 53, "de": 54, "ed": 56, "cl": 101, "old cl": 77, "pt": 96}
"""The numbers that the scripts knew."""


async def test_an_evening_and_a_night_by_the_cloud(tmp_path: Path) -> None:
    (tmp_path / "ohmstead.yaml").write_text(CONTROL)
    clock = JumpClock(local(11, 12, 21, 50).astimezone(UTC), 20)
    battery = BatterySettings(capacity_kwh=9.5)
    house = House(
        HouseSettings(battery=battery, inverter_w=5_000, hybrid=True, start_soc_pct=28),
        clock.now(), LONDON, pv_at=lambda _: 0, load_at=lambda _: 300,
    )  # fmt: skip
    cloud = GivEnergyCloudSimulator(house, clock, LONDON)
    owners = dict(cloud.held)
    async with cloud.serve() as port:
        settings = GivEnergyCloudSettings(
            api_key=cloud.TOKEN, serial=cloud.SERIAL, base_url=f"http://127.0.0.1:{port}/v1",
            battery_kwh=9.5, settings_per_read=60, fresh_s=30, pause_s=0,
        )  # fmt: skip
        driver = GivEnergyCloudDriver("inverter", settings, clock, LONDON)
        strategies = build.strategies(load(tmp_path / "ohmstead.yaml"))
        async with serving(
            clock, driver, poll_s=LOOK_S, strategies=strategies, late_s=310
        ) as service:

            async def until(end: datetime) -> None:
                while clock.now() < end:
                    await service.jump(LOOK_S)
                    house.advance(clock.now())

            await until(local(11, 12, 22, 40))
            assert cloud.held[ID_OF["ed"]] is True
            assert cloud.held[ID_OF["ds"]] in {"21:59", "22:00"}
            assert cloud.held[ID_OF["de"]] == "23:30"
            assert 1_050 <= int(cloud.held[ID_OF["dp"]]) <= 1_900
            assert house.battery_w == pytest.approx(float(cloud.held[ID_OF["dp"]]))
            await until(local(11, 13, 0, 5))
            assert house.battery.soc_pct == pytest.approx(6, abs=2.5)
            assert house.battery_w == 0
            assert cloud.held[ID_OF["pt"]] == 3, "paused, both ways"
            await until(local(11, 13, 2))
            assert -house.battery_w == pytest.approx(1_700, abs=200)
            assert [cloud.held[ID_OF[name]] for name in ("cl", "old cl")] == [80, 80]
            await until(local(11, 13, 5, 45))
            assert house.battery.soc_pct == pytest.approx(80, abs=2)
    changed = {number for number, value in cloud.held.items() if value != owners[number]}
    assert not changed, "what was on lease is given back"
