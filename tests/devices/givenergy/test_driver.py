"""The driver against a simulated inverter: what it shows is what the house does, and it obeys."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, time, timedelta
from functools import partial

import pytest

from givenergy_dongle import LONDON, NIGHT, NOON, QUICK, Home, a_home, until
from ohmstead.clock import ManualClock
from ohmstead.devices.givenergy.driver import GivEnergyDriver, GivEnergySettings
from ohmstead.devices.givenergy.frames import INVERTER
from ohmstead.devices.givenergy.registers import MODELS
from ohmstead.devices.givenergy.simulator import DongleSettings, GivEnergySimulator
from ohmstead.errors import DeviceRefused, DeviceUnreachable, NotWritable
from ohmstead.model import BatteryCommand, BatteryMode, Range, SettingChange, Value
from ohmstead.site.writer import same

every_model = pytest.mark.parametrize("model", GivEnergySimulator.MODELS)
OBEYS = ("hybrid_gen1", "hybrid_gen2", "hybrid_gen3", "ac_coupled", "all_in_one", "hybrid_3ph")
LISTENING = DongleSettings(heartbeat_s=1e9)


def setting(point: str, value: Value) -> SettingChange:
    return SettingChange(device="giv", point=point, value=value)


@contextlib.asynccontextmanager
async def another(home: Home) -> AsyncIterator[GivEnergyDriver]:
    """Connect a second driver to the same inverter."""
    settings = GivEnergySettings(host="127.0.0.1", port=home.port)
    async with GivEnergyDriver("giv", settings, home.clock, LONDON, patience=QUICK) as driver:
        yield driver


def beaten(home: Home, times: int) -> bool:
    return home.simulator.heartbeats >= times


def near(value: Value | None, wanted: float, by: float) -> bool:
    assert isinstance(value, int | float)
    return abs(value - wanted) <= by


# ---- reading -------------------------------------------------------------------------------


@every_model
@pytest.mark.parametrize("start", [NIGHT, NOON], ids=["night", "noon"])
async def test_what_is_read_is_what_the_house_does(model: str, start: datetime) -> None:
    async with a_home(model, start) as home:
        reading = await home.read()
        house = home.simulator.house
        assert home.driver.points["model"].label == "Model"
        assert reading.values["model"] == MODELS[model].title
        assert reading.at == home.clock.now()
        assert reading.grid is not None
        assert reading.solar is not None
        assert reading.load is not None
        assert near(reading.grid.power_w, house.grid_w, 3)
        assert near(reading.load.power_w, house.load_w, 0.1 * house.load_w + 30)
        assert near(reading.solar.power_w, house.pv_w, 3)
        assert near(reading.values["clock_drift_s"], 0, 1)
        if model == "pv_only":
            assert reading.battery is None
            return
        assert reading.battery is not None
        assert near(reading.battery.soc_pct, house.battery.soc_pct, 1)
        assert near(reading.battery.power_w, house.battery_w, 0.1 * abs(house.battery_w) + 20)
        assert reading.doubts.keys() <= reading.values.keys()


@every_model
async def test_every_value_has_its_point(model: str) -> None:
    async with a_home(model) as home:
        reading = await home.read()
        assert reading.values.keys() <= home.driver.points.keys()
        for name, point in home.driver.points.items():
            assert point.key == name


@pytest.mark.parametrize(
    ("model", "units"),
    [
        ("hybrid_gen1", {"battery_1", "battery_2"}),
        ("hybrid_gen2", {"battery_control", "battery_1", "battery_2", "meter_1"}),
        ("all_in_one", {"stack_1", *(f"module_{n}" for n in range(1, 5))}),
    ],
)
async def test_what_hangs_behind_it_is_found_and_phantoms_are_not(
    model: str, units: set[str]
) -> None:
    async with a_home(model, probe_s=0.06) as home:
        await home.driver.explore()
        name, words = home.driver.captured()
        assert name == model
        assert words.keys() == {"input", "holding"} | units
        values = (await home.read()).values
        if "battery_2" in units:
            assert values["battery_2_serial"] == "DF2244G002"
            assert near(values["battery_2_soc_pct"], 60, 1)
            counted = 1_000 if model == "hybrid_gen1" else 2 * 1_204.3
            assert near(values["battery_charge_total_kwh"], counted, 1)
        if "meter_1" in units:
            assert near(values["meter_1_power_w"], home.simulator.house.grid_w, 2)


async def test_the_first_reading_does_not_wait_for_what_may_not_be_there() -> None:
    async with a_home() as home:
        await home.read()
        assert {asked.address for asked in home.simulator.requests} == {INVERTER}


async def test_only_what_is_too_old_is_asked_for() -> None:
    async with a_home() as home:
        await home.driver.explore()
        await home.read(130)
        asked = home.simulator.requests
        for after_s, pages in ((1, set()), (8, {(4, 0)}), (55, {(4, 0), (4, 180)})):
            asked.clear()
            await home.read(after_s)
            own = {(each.function, each.register) for each in asked if each.address == INVERTER}
            assert own == pages


async def test_what_was_not_heard_for_long_is_not_passed_off_as_new() -> None:
    async with a_home() as home:
        first = await home.read()
        home.simulator.faults = {"silent"}
        later = await home.read(30)
        assert later.at == first.at
        assert later.values["grid_w"] == first.values["grid_w"]
        with pytest.raises(DeviceUnreachable):
            await home.read(31)


async def test_a_connection_that_was_hung_up_is_made_again() -> None:
    async with a_home() as home:
        await home.read()
        for client in list(home.simulator.clients.connected):
            client.hang_up()
        assert (await home.read(61)).at == home.clock.now()
        assert home.simulator.clients.seen == 2


async def test_what_others_change_is_news_and_need_not_be_asked_for() -> None:
    async with a_home(dongle=LISTENING) as home, another(home) as other:
        await home.read()
        await other.change(setting("reserve_soc_pct", 33))
        await home.driver.news()
        asked = len(home.simulator.requests)
        reading = await home.read()
        assert reading.values["reserve_soc_pct"] == 33
        assert len([q for q in home.simulator.requests[asked:] if q.address == INVERTER]) == 0


async def test_heartbeats_are_answered_for_hours() -> None:
    async with a_home() as home:
        await home.read()
        for n in range(1, 6):
            home.clock.move(180)
            await until(partial(beaten, home, n))
        assert home.simulator.clients.seen == 1


# ---- writing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "point", "value", "words"),
    [
        ("hybrid_gen2", "reserve_soc_pct", 25, [(110, 25)]),
        ("hybrid_gen2", "eco_mode_enabled", False, [(27, 0)]),
        ("hybrid_gen2", "charge_slot_1_start", time(23, 30), [(94, 2330)]),
        ("hybrid_gen2", "pause_mode", "discharge", [(318, 2)]),
        ("hybrid_gen1", "charge_slot_2_end", time(5, 30), [(32, 530)]),
        ("hybrid_gen3", "charge_slot_2_start", time(1), [(243, 100), (31, 100)]),
        ("all_in_one", "charge_slot_2_end", time(2, 15), [(244, 215), (32, 215)]),
        ("all_in_one", "discharge_slot_2_end", time(2), [(45, 200)]),
        ("hybrid_3ph", "ac_charge_rate_pct", 60, [(1110, 60)]),
        ("ems", "export_slot_1_floor_soc_pct", 0, [(2064, 0)]),
    ],
)
async def test_a_write_goes_out_once_and_is_confirmed(
    model: str, point: str, value: Value, words: list[tuple[int, int]]
) -> None:
    async with a_home(model) as home:
        assert await home.change(point, value) == value
        assert home.written == words
        assert await home.driver.setting(point) == value
        assert (await home.read()).values[point] == value


async def test_the_clock_is_six_words_in_order() -> None:
    async with a_home() as home:
        local = home.clock.now().astimezone(LONDON).replace(tzinfo=None)
        wanted = local - timedelta(hours=30)
        assert await home.change("clock", wanted) == wanted
        assert home.written == list(zip(range(35, 41), (26, 6, 19, 20, 0, 0), strict=True))
        values = (await home.read()).values
        assert near(values["clock_drift_s"], -30 * 3_600, 1)
        assert values["clock"] == wanted


async def test_a_restart_is_a_hundred_and_nothing_else() -> None:
    async with a_home() as home:
        assert await home.change("restart", True) is True
        for value in (False, 100, 2, "reset"):
            with pytest.raises(NotWritable):
                await home.change("restart", value)
        assert home.written == [(163, 100)]


@pytest.mark.parametrize(
    ("model", "watts", "words"),
    [
        ("hybrid_gen2", 950, (111, 10)),
        ("hybrid_gen2", 3_600, (111, 50)),
        ("ac_coupled", 1_500, (313, 50)),
        ("ac_coupled", 3_000, (313, 100)),
        ("hybrid_3ph", 1_100, (1110, 10)),
    ],
)
async def test_a_power_is_written_in_watts(
    model: str, watts: float, words: tuple[int, int]
) -> None:
    async with a_home(model) as home:
        await home.read()
        shown = await home.change("charge_power_w", watts)
        assert home.written == [words]
        point = home.driver.points["charge_power_w"]
        assert same(point, shown, watts)
        assert same(point, await home.driver.setting("charge_power_w"), watts)
        assert same(point, (await home.read()).values["charge_power_w"], watts)


@every_model
async def test_what_is_out_of_range_is_refused_before_anything_is_sent(model: str) -> None:
    async with a_home(model) as home:
        await home.read()
        asked = len(home.simulator.requests)
        for point in home.driver.points.values():
            if isinstance(point.writable, Range):
                for value in (point.writable.low - 1, point.writable.high + 1, "nonsense"):
                    with pytest.raises(NotWritable):
                        await home.change(point.key, value)
        for name in ("battery_soc_pct", "serial", "battery_capacity_ah", "no_such_thing"):
            with pytest.raises(NotWritable):
                await home.change(name, 1)
        assert len(home.simulator.requests) == asked


async def test_what_configures_the_plant_needs_leave() -> None:
    async with a_home() as home:
        await home.read()
        assert home.driver.points["battery_calibration"].writable is None
        with pytest.raises(NotWritable, match="allow_configuration: true"):
            await home.change("battery_calibration", "discharge")
        assert home.written == []
    async with a_home(allow_configuration=True) as home:
        assert await home.change("battery_calibration", "discharge") == "discharge"
        assert home.written == [(29, 1)]


async def test_read_only_is_read_only() -> None:
    async with a_home(read_only=True) as home:
        await home.read()
        assert {point.writable for point in home.driver.points.values()} == {None}
        for point, value in (("reserve_soc_pct", 25), ("charge_power_w", 950), ("restart", True),
                             ("battery_mode", "eco")):  # fmt: skip
            with pytest.raises(NotWritable):
                await home.change(point, value)
        command = BatteryCommand(mode=BatteryMode.SELF_USE)
        with pytest.raises(NotWritable, match="read_only"):
            home.driver.settings_for(command, home.clock.now())
        assert home.written == []


async def test_a_setting_is_asked_of_the_inverter_itself() -> None:
    async with a_home() as home:
        await home.read()
        home.simulator.inverter.holdings.show(reserve_soc_pct=44)
        asked = home.simulator.requests
        asked.clear()
        assert (await home.read()).values["reserve_soc_pct"] == 4
        assert await home.driver.setting("reserve_soc_pct") == 44
        own = [(each.register, each.value) for each in asked if each.address == INVERTER]
        assert own == [(110, 1)]
        assert (await home.read()).values["reserve_soc_pct"] == 44


async def test_a_slot_that_was_unset_is_written_end_by_end() -> None:
    async with a_home() as home:
        home.simulator.inverter.holdings.words.update({94: 60, 95: 60})
        assert await home.driver.setting("charge_slot_1_start") == time(0)
        assert await home.change("charge_slot_1_end", time(5, 30)) == time(5, 30)
        assert await home.change("charge_slot_1_start", time(23, 30)) == time(23, 30)
        assert home.written == [(95, 530), (94, 2330)]
        assert await home.driver.setting("charge_slot_1_end") == time(5, 30)


async def test_a_setting_that_the_inverter_refuses_is_no_success() -> None:
    async with a_home() as home:
        del home.simulator.inverter._rows[110]
        with pytest.raises(DeviceRefused, match="refused to set register 110 to 25"):
            await home.change("reserve_soc_pct", 25)
        assert len(home.written) == 1


async def test_a_second_copy_of_a_slot_that_is_refused_is_no_loss() -> None:
    async with a_home("hybrid_gen3") as home:
        home.simulator.inverter._rows.pop(31, None)
        assert await home.change("charge_slot_2_start", time(1)) == time(1)
        assert home.written == [(243, 100), (31, 100)]


async def test_a_battery_mode_is_three_settings() -> None:
    async with a_home() as home:
        await home.read()
        assert await home.change("battery_mode", "timed export") == "timed export"
        assert home.written == [(27, 0), (59, 1)]
        assert await home.change("battery_mode", "eco paused") == "eco paused"
        assert await home.change("battery_mode", "eco") == "eco"
        assert await home.driver.setting("reserve_soc_pct") == 4
        assert (await home.read()).values["battery_mode"] == "eco"


# ---- commands ------------------------------------------------------------------------------


async def command(home: Home, mode: BatteryMode, **wishes: float) -> None:
    """Carry a command out that ends in two hours, setting by setting."""
    await home.read()
    now = home.clock.now()
    ends = None if mode is BatteryMode.SELF_USE else now + timedelta(hours=2)
    power_w, soc_pct = wishes.get("power_w"), wishes.get("soc_pct")
    order = BatteryCommand(mode=mode, until=ends, power_w=power_w, soc_pct=soc_pct)
    for change in home.driver.settings_for(order, now):
        shown = await home.driver.change(change)
        assert same(home.driver.points[change.point], shown, change.value)


async def battery_w(home: Home, minutes: float = 2) -> float:
    reading = await home.read(60 * minutes)
    assert reading.battery is not None
    assert reading.battery.power_w is not None
    return reading.battery.power_w


@pytest.mark.parametrize("model", OBEYS)
async def test_charging_draws_from_the_grid_at_night_and_ends_by_itself(model: str) -> None:
    async with a_home(model) as home:
        await command(home, BatteryMode.CHARGE, power_w=1_000, soc_pct=90)
        assert -1_150 < await battery_w(home) < -800
        assert await battery_w(home, minutes=125) >= 0


@pytest.mark.parametrize("model", OBEYS)
async def test_discharging_feeds_the_house_and_the_grid_and_ends_by_itself(model: str) -> None:
    async with a_home(model) as home:
        await command(home, BatteryMode.DISCHARGE, power_w=2_000, soc_pct=20)
        assert 1_700 < await battery_w(home) < 2_250
        assert home.simulator.house.grid_w < 0
        await battery_w(home, minutes=125)
        assert home.simulator.house.grid_w > -20


@pytest.mark.parametrize("model", OBEYS)
async def test_holding_keeps_what_is_stored_until_self_use_comes_back(model: str) -> None:
    async with a_home(model) as home:
        assert await battery_w(home) > 0
        await command(home, BatteryMode.HOLD)
        assert abs(await battery_w(home)) < 20
        await command(home, BatteryMode.SELF_USE)
        assert await battery_w(home) > 0


def test_nothing_is_commanded_before_it_has_said_what_it_is() -> None:
    settings = GivEnergySettings(host="dongle")
    driver = GivEnergyDriver("giv", settings, ManualClock(NIGHT), LONDON)
    with pytest.raises(NotWritable, match="which model"):
        driver.settings_for(BatteryCommand(mode=BatteryMode.SELF_USE), NIGHT)
