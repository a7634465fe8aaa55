"""The driver against a simulated inverter: what a house really does, and every fault it knows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from luxpower_logger import DATALOG, LONDON, QUICK, SERIAL
from ohmstead.clock import ManualClock
from ohmstead.devices.luxpower.driver import LuxPowerDriver
from ohmstead.devices.luxpower.settings import LuxPowerSettings
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.errors import DeviceBusy, DeviceError, DeviceUnreachable
from ohmstead.model import BatteryCommand, BatteryMode, SettingChange
from ohmstead.simulation import House, HouseSettings

NIGHT = datetime(2026, 6, 21, 1, 0, tzinfo=UTC)
NOON = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
every_model = pytest.mark.parametrize("model", LuxPowerSimulator.MODELS)
CHANGE = SettingChange(device="lux", point="discharge_rate_pct", value=40)


@dataclass
class Home:
    driver: LuxPowerDriver
    simulator: LuxPowerSimulator
    clock: ManualClock

    async def command(self, mode: BatteryMode, **wishes: float) -> None:
        """Carry a command out that ends in two hours, setting by setting."""
        await self.driver.read()
        now = self.clock.now()
        ends = None if mode is BatteryMode.SELF_USE else now + timedelta(hours=2)
        power_w, soc_pct = wishes.get("power_w"), wishes.get("soc_pct")
        command = BatteryCommand(mode=mode, until=ends, power_w=power_w, soc_pct=soc_pct)
        for change in self.driver.settings_for(command, now):
            assert await self.driver.change(change) == change.value

    async def battery_w(self, minutes: float = 1) -> float:
        """Return what the battery does some minutes later."""
        self.clock.move(60 * minutes)
        reading = await self.driver.read()
        assert reading.battery is not None
        assert reading.battery.power_w is not None
        return reading.battery.power_w


@contextlib.asynccontextmanager
async def a_home(
    start: datetime = NIGHT, model: str = "acs_3600", logger: LoggerSettings | None = None
) -> AsyncIterator[Home]:
    clock = ManualClock(start)
    house = House(HouseSettings(start_soc_pct=60), start, LONDON)
    simulator = LuxPowerSimulator(house, clock, LONDON, model=model, logger=logger)
    async with simulator.serve() as port:
        settings = LuxPowerSettings(host="127.0.0.1", port=port, datalog=DATALOG, serial=SERIAL)
        async with LuxPowerDriver("lux", settings, clock, LONDON, patience=QUICK) as driver:
            yield Home(driver, simulator, clock)


@every_model
@pytest.mark.parametrize("protocol", [1, 2, 5])
async def test_what_is_read_is_what_the_house_does(model: str, protocol: int) -> None:
    async with a_home(NOON, model, LoggerSettings(protocol=protocol)) as home:
        reading = await home.driver.read()
        house = home.simulator.house
    assert reading.battery is not None
    assert reading.grid is not None
    assert reading.battery.soc_pct == pytest.approx(house.battery.soc_pct, abs=1)
    assert reading.battery.power_w == pytest.approx(
        house.battery_w, abs=0.1 * abs(house.battery_w) + 20
    )
    assert reading.grid.power_w == pytest.approx(house.grid_w, abs=2)
    assert reading.values["clock_drift_s"] == pytest.approx(0, abs=1)
    assert reading.doubts.keys() <= reading.values.keys()


@every_model
async def test_charging_draws_from_the_grid_at_night_and_ends_by_itself(model: str) -> None:
    async with a_home(NIGHT, model) as home:
        await home.command(BatteryMode.CHARGE, power_w=1000, soc_pct=90)
        assert -1150 < await home.battery_w() < -850
        assert await home.battery_w(minutes=125) >= 0


@every_model
async def test_discharging_feeds_the_house_and_the_grid(model: str) -> None:
    async with a_home(NIGHT, model) as home:
        load_w = home.simulator.house.load_w
        await home.command(BatteryMode.DISCHARGE, power_w=2000, soc_pct=20)
        # Where feeding in is switched off, as on both large captures, the house is all there is.
        feeds_in = await home.driver.setting("feed_in_enabled")
        wanted_w = 2000 if feeds_in else load_w
        assert await home.battery_w() == pytest.approx(wanted_w, rel=0.2)
        assert home.simulator.house.grid_w < 5


@every_model
async def test_holding_keeps_what_is_stored_until_self_use_comes_back(model: str) -> None:
    async with a_home(NIGHT, model) as home:
        await home.command(BatteryMode.SELF_USE)
        assert await home.battery_w() > 0
        await home.command(BatteryMode.HOLD)
        assert await home.battery_w() == 0
        await home.command(BatteryMode.SELF_USE)
        assert await home.battery_w() > 0


@every_model
async def test_exported_sun_does_not_go_into_the_battery(model: str) -> None:
    async with a_home(NOON, model) as home:
        await home.command(BatteryMode.EXPORT_SOLAR)
        assert await home.battery_w() >= 0


@every_model
async def test_an_idle_battery_does_nothing_day_or_night(model: str) -> None:
    for start in (NIGHT, NOON):
        async with a_home(start, model) as home:
            await home.command(BatteryMode.IDLE)
            assert await home.battery_w() == 0


async def test_sun_first_for_the_battery_draws_nothing_to_charge_it() -> None:
    async with a_home(NOON) as home:
        await home.command(BatteryMode.CHARGE_SOLAR)
        house = home.simulator.house
        assert await home.battery_w() <= 0
        assert -house.battery_w <= house.pv_w + 50


async def test_a_command_that_goes_on_is_not_written_again() -> None:
    async with a_home(NIGHT) as home:
        await home.driver.read()
        command = BatteryCommand(mode=BatteryMode.CHARGE, until=NIGHT + timedelta(hours=2))
        first = home.driver.settings_for(command, NIGHT)
        for change in first:
            await home.driver.change(change)
        home.clock.move(1800)
        await home.driver.read()
        assert home.driver.settings_for(command, home.clock.now()) == first


async def test_broadcasts_are_news() -> None:
    async with a_home(logger=LoggerSettings(broadcast_s=60.0)) as home:
        await home.driver.read()
        home.clock.move(61)
        async with asyncio.timeout(5):
            await home.driver.news()
        asked = home.simulator.requests
        assert (await home.driver.read()).at == home.clock.now()
        assert home.simulator.requests == asked


@pytest.mark.parametrize("block_limit", [40, 127])
async def test_any_size_of_block_will_do(block_limit: int) -> None:
    logger = LoggerSettings(block_limit=block_limit, keep_to_blocks=block_limit == 40)
    async with a_home(logger=logger) as home:
        assert (await home.driver.read()).values["discharge_rate_pct"] == 100


@pytest.mark.parametrize("fault", ["silent", "slow", "half_frame", "wrong_crc", "drop"])
async def test_a_logger_without_a_proper_answer_is_unreachable_and_comes_back(fault: str) -> None:
    async with a_home(logger=LoggerSettings(slow_s=2.0, broadcast_s=None)) as home:
        await home.driver.read()
        home.simulator.faults = {fault}
        home.clock.move(1000)
        with pytest.raises(DeviceUnreachable):
            await home.driver.read()
        with pytest.raises(DeviceUnreachable):
            await home.driver.change(CHANGE)
        await comes_back(home)
        # Sent once, and perhaps stored without a word: never twice.
        assert len(home.simulator.writes) <= 1


async def test_a_garbled_line_gives_right_values_or_none() -> None:
    async with a_home() as home:
        soc_pct = (await home.driver.read()).values["battery_soc_pct"]
        home.simulator.faults = {"garbled"}
        for _ in range(3):
            home.clock.move(1)
            with contextlib.suppress(DeviceError):
                assert await home.driver.setting("battery_soc_pct") == soc_pct
        await comes_back(home)


@pytest.mark.parametrize("fault", ["foreign", "stale_at_connect", "duplicate"])
async def test_what_others_say_does_not_confuse(fault: str) -> None:
    async with a_home() as home:
        home.simulator.faults = {fault}
        for _ in range(3):
            home.clock.move(200)
            reading = await home.driver.read()
            assert reading.values["battery_soc_pct"] == pytest.approx(
                home.simulator.house.battery.soc_pct, abs=1
            )
        assert await home.driver.change(CHANGE) == 40
        assert len(home.simulator.writes) == 1


async def test_a_deaf_inverter_shows_what_it_held_before() -> None:
    async with a_home() as home:
        home.simulator.faults = {"deaf"}
        assert await home.driver.change(CHANGE) == 100
        assert len(home.simulator.writes) == 1


async def test_a_busy_inverter_says_so() -> None:
    async with a_home() as home:
        home.simulator.faults = {"busy"}
        with pytest.raises(DeviceBusy):
            await home.driver.read()
        await comes_back(home)


async def test_a_logger_that_hangs_up_every_few_answers_is_lived_with() -> None:
    async with a_home() as home:
        async with asyncio.TaskGroup() as group:
            dropping = group.create_task(drops(home))
            for _ in range(40):
                home.clock.move(30)
                assert (await home.driver.read()).values["battery_soc_pct"] is not None
                await asyncio.sleep(0.01)
            dropping.cancel()
        assert home.simulator.clients.seen > 3


async def test_a_clock_that_is_wrong_is_seen_and_set() -> None:
    async with a_home() as home:
        local = home.clock.now().astimezone(LONDON).replace(tzinfo=None)
        wrong = replace(CHANGE, point="clock", value=local - timedelta(hours=1))
        assert await home.driver.change(wrong) == wrong.value
        assert (await home.driver.read()).values["clock_drift_s"] == -3600


async def drops(home: Home) -> None:
    while True:
        await asyncio.sleep(0.1)
        for client in list(home.simulator.clients.connected):
            client.hang_up()


async def comes_back(home: Home) -> None:
    """Take all faults away; the very next readings must do, but for one reconnection."""
    home.simulator.faults = set()
    for _ in range(5):
        home.clock.move(1000)
        with contextlib.suppress(DeviceError):
            assert (await home.driver.read()).values["battery_soc_pct"] is not None
            return
    pytest.fail("it never came back")
