"""The driver against a simulated hub, over a real socket with real digests."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ohmstead.clock import ManualClock
from ohmstead.devices.zappi.driver import ZappiDriver
from ohmstead.devices.zappi.settings import ZappiSettings
from ohmstead.devices.zappi.simulator import ZappiSimulator
from ohmstead.errors import (
    DeviceError,
    DeviceProtocolError,
    DeviceRefused,
    DeviceUnreachable,
    NotWritable,
)
from ohmstead.links.http import HttpPatience
from ohmstead.model import ChargerReading, SettingChange, Value
from ohmstead.ports import BatteryPort, SettingPort
from ohmstead.simulation import House, HouseSettings

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
QUICK = HttpPatience(timeout_s=1, attempts=2, pause_s=0.01)


@dataclass
class Bench:
    clock: ManualClock
    hub: ZappiSimulator
    driver: ZappiDriver

    async def charger(self, **span: float) -> ChargerReading:
        self.clock.move(timedelta(**span).total_seconds())
        charger = (await self.driver.read()).charger
        assert charger is not None
        return charger

    async def write(self, point: str, value: Value) -> Value | None:
        return await self.driver.change(SettingChange(device="zappi", point=point, value=value))


@asynccontextmanager
async def bench(*faults: str, pv_w: float = 0, **given: Any) -> AsyncIterator[Bench]:  # noqa: ANN401 - any setting
    clock = ManualClock(NOON)
    settings = HouseSettings(start_soc_pct=100)
    house = House(settings, NOON, LONDON, pv_at=lambda _: pv_w, load_at=lambda _: 400)
    hub = ZappiSimulator(house, clock, LONDON)
    hub.faults |= set(faults)
    async with hub.serve() as port:
        said = {"hub": hub.HUB, "password": hub.PASSWORD, "base_url": f"http://127.0.0.1:{port}"}
        driver = ZappiDriver("zappi", ZappiSettings(**said | given), clock, LONDON, patience=QUICK)
        async with driver:
            yield Bench(clock, hub, driver)


async def test_a_car_that_comes_charges_and_is_full() -> None:
    async with bench() as b:
        assert await b.charger() == ChargerReading(
            power_w=0, plugged=False, charging=False, session_kwh=0
        )
        b.hub.plug_in(7)
        b.hub.mode = 1
        there = await b.charger()
        assert (there.power_w, there.plugged, there.charging) == (7_000, True, True)
        half = await b.charger(minutes=30)
        assert half.session_kwh == 3.5
        full = await b.charger(minutes=31)
        assert (full.power_w, full.plugged, full.charging) == (0, True, False)


async def test_its_clamps_and_its_mode_are_points() -> None:
    async with bench(pv_w=5_000) as b:
        b.hub.plug_in()
        reading = await b.driver.read()
    assert reading.at == NOON
    wanted = {"mode": "eco+", "power_w": 4_600, "ct2": "grid", "ct2_w": 0, "pv_w": 5_000}
    assert {key: reading.values[key] for key in wanted} == wanted
    assert reading.values["smart_boost_ready"] is not None
    assert reading.grid is None, "the inverter's meter is the house's"


@pytest.mark.parametrize(("behind", "inside"), [("inside", True), ("outside", False)])
async def test_the_wiring_is_told_with_every_reading(behind: str, inside: bool) -> None:
    async with bench(behind=behind) as b:
        assert (await b.charger()).inside_meter is inside


@pytest.mark.parametrize(
    ("point", "value"),
    [("mode", "stop"), ("mode", "fast"), ("boost_kwh", 10), ("smart_boost_kwh", 8),
     ("min_green_pct", 60)],
)  # fmt: skip
async def test_what_is_written_is_shown(point: str, value: Value) -> None:
    async with bench() as b:
        assert await b.write(point, value) == value
        assert await b.driver.setting(point) == value


async def test_a_boost_ends_with_zero() -> None:
    async with bench() as b:
        b.hub.plug_in()
        await b.write("boost_kwh", 10)
        assert (await b.charger()).power_w == 7_000
        await b.write("boost_kwh", 0)
        assert (await b.charger()).power_w == 0


async def test_a_command_is_sent_once_even_if_nobody_says_that_it_arrived() -> None:
    async with bench("silent") as b:
        assert await b.write("mode", "fast") == "fast"
        assert sum("zappi-mode" in path for path in b.hub.asked) == 1


async def test_a_zappi_that_does_not_obey_shows_what_it_holds() -> None:
    async with bench("deaf") as b:
        assert await b.write("mode", "fast") == "eco+"


async def test_a_command_that_failed_is_told() -> None:
    async with bench("command_failed") as b:
        with pytest.raises(DeviceRefused, match="did not take it"):
            await b.write("mode", "fast")


async def test_the_server_that_is_named_is_asked_from_then_on() -> None:
    async with bench("moved") as b:
        await b.charger()
        await b.charger()
        assert b.hub.asked == ["cgi-jstatus-Z"] * 3
        assert await b.write("mode", "eco") == "eco"


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("bad_password", DeviceRefused, "not accepted"),
        ("down", DeviceUnreachable, "HTTP 503"),
        ("garbage", DeviceProtocolError, "not JSON"),
        ("no_zappi", DeviceUnreachable, "no zappi"),
        ("other_zappi", DeviceProtocolError, "several zappis"),
        ("slow", DeviceUnreachable, "no answer"),
    ],
)
async def test_every_fault_is_an_error_of_the_tree(
    fault: str, error: type[DeviceError], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ohmstead")
    async with bench(fault) as b:
        with pytest.raises(error, match=says) as told:
            await b.driver.read()
    assert ZappiSimulator.PASSWORD not in f"{told.value} {caplog.text}"


async def test_with_several_zappis_the_serial_says_which() -> None:
    async with bench("other_zappi", serial="10088888") as b:
        assert (await b.driver.read()).device == "zappi"


async def test_old_data_is_not_passed_off_as_new() -> None:
    async with bench() as b:
        await b.charger()
        b.hub.faults.add("stale")
        b.clock.move(120)
        assert (await b.driver.read()).at == NOON
        b.clock.move(600)
        with pytest.raises(DeviceUnreachable, match="minutes ago"):
            await b.driver.read()


async def test_a_hub_in_the_house_is_asked_directly() -> None:
    async with bench("moved") as there:
        port = there.driver._server.rpartition(":")[2]
        there.hub.faults.clear()
        settings = ZappiSettings(
            hub=there.hub.HUB, password=there.hub.PASSWORD, host=f"127.0.0.1:{port}"
        )
        driver = ZappiDriver("zappi", settings, there.clock, LONDON, patience=QUICK)
        assert (await driver.read()).charger is not None


async def test_read_only_writes_nothing() -> None:
    async with bench(read_only=True) as b:
        assert not any(point.writable for point in b.driver.points.values())
        with pytest.raises(NotWritable, match="read_only"):
            await b.write("mode", "fast")


@pytest.mark.parametrize(("point", "value"), [("power_w", 5), ("nothing", 1), ("mode", "turbo")])
async def test_what_cannot_be_written_is_refused_before_anything_is_sent(
    point: str, value: Value
) -> None:
    async with bench() as b:
        with pytest.raises(NotWritable):
            await b.write(point, value)
        assert not any("mode-Z" in path for path in b.hub.asked)


async def test_it_has_settings_and_no_battery() -> None:
    async with bench() as b:
        assert isinstance(b.driver, SettingPort)
        assert not isinstance(b.driver, BatteryPort)
