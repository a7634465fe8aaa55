"""The driver of a LuxPower inverter: what it reads, what it writes, what it refuses to."""

from datetime import datetime, time, timedelta

import pytest

from luxpower_logger import START, Logger, a_house
from ohmstead.devices.luxpower import frames
from ohmstead.devices.luxpower.frames import Function, ReadRequest, Translated, WriteRequest
from ohmstead.errors import (
    DeviceBusy,
    DeviceProtocolError,
    DeviceRefused,
    DeviceUnreachable,
    NotWritable,
)
from ohmstead.model import BatteryCommand, BatteryMode, Calibration, Value
from ohmstead.ports import BatteryPort

UNTIL = START + timedelta(hours=2)


# ---- reading --------------------------------------------------------------------------------


async def test_a_reading_has_all_roles_in_the_houses_signs() -> None:
    async with a_house() as house:
        reading = await house.driver.read()
    assert reading.device == "lux"
    assert reading.battery is not None
    assert reading.battery.soc_pct == 95
    assert reading.battery.power_w == 633
    assert (reading.battery.max_charge_w, reading.battery.max_discharge_w) == (3600, 3600)
    assert reading.grid is not None
    assert reading.grid.power_w == 0
    assert reading.grid.import_total_kwh == 1183.9
    assert reading.solar is not None
    assert (reading.solar.power_w, reading.solar.total_kwh) == (0, 1774.7)
    assert reading.load is not None
    assert reading.load.power_w == 569
    assert reading.values["pv_today_kwh"] == 22.1
    assert reading.values["status"] == "battery on grid"
    assert reading.values["discharge_rate_pct"] == 100


async def test_a_charging_battery_and_an_importing_house_have_their_signs() -> None:
    async with a_house(Logger("acs_3600_charging"), model="acs_3600") as house:
        reading = await house.driver.read()
    assert (reading.values["battery_w"], reading.values["grid_w"]) == (-3456, 3876)
    assert reading.values["load_w"] == 350


async def test_the_driver_is_a_battery_port() -> None:
    async with a_house() as house:
        assert isinstance(house.driver, BatteryPort)
        assert (house.driver.name, house.driver.family) == ("lux", "luxpower")


@pytest.mark.parametrize("protocol", [1, 2, 5])
async def test_every_protocol_gives_the_same_reading(protocol: int) -> None:
    async with a_house(Logger(protocol=protocol)) as house:
        reading = await house.driver.read()
    assert reading.values["battery_v"] == 49.7


@pytest.mark.parametrize(
    ("capture", "setting", "point"),
    [
        ("acs_3600_BAAA", "auto", "ac_charge_power_pct"),
        ("lxp_12k_FAAB", "auto", "ac_charge_power_w"),
        ("eg4_12kpv_EAAB-2021", "auto", "ac_charge_power_w"),
        ("acs_3600_BAAA", "lxp_12k", "ac_charge_power_w"),
    ],
)
async def test_the_model_decides_how_powers_count(capture: str, setting: str, point: str) -> None:
    async with a_house(Logger(capture), model=setting) as house:
        before = set(house.driver.points)
        reading = await house.driver.read()
        assert point in reading.values
        assert point in house.driver.points
        assert before <= set(house.driver.points)
        assert reading.values.keys() <= house.driver.points.keys()


async def test_an_unknown_model_counts_like_a_small_one_and_is_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = Logger()
    logger.holdings |= {7: 0x5A5A, 8: 0x5A5A, 19: 999}
    async with a_house(logger) as house:
        await house.driver.read()
        assert "ac_charge_power_pct" in house.driver.points
    assert "unknown device type 999" in caplog.text


async def test_only_what_is_stale_is_asked_for() -> None:
    async with a_house() as house:
        await house.driver.read()
        house.logger.asked.clear()
        await house.driver.read()
        assert house.logger.asked == []
        house.clock.move(30)
        reading = await house.driver.read()
        assert house.logger.reads(holding=False) == [(0, 40)]
        assert house.logger.reads(holding=True) == []
        assert reading.at == START + timedelta(seconds=30)


async def test_a_broadcast_makes_asking_needless() -> None:
    async with a_house() as house:
        await house.driver.read()
        house.clock.move(300)
        house.logger.inputs[5] = 42
        house.logger.say(*(house.logger.broadcast(first) for first in (0, 40, 80, 120)))
        await house.driver.news()
        house.logger.asked.clear()
        reading = await house.driver.read()
        assert reading.values["battery_soc_pct"] == 42
        assert house.logger.reads(holding=False) == []


async def test_a_logger_that_takes_40_registers_is_asked_for_no_more() -> None:
    async with a_house(Logger(most=40)) as house:
        await house.driver.read()
        house.logger.asked.clear()
        house.clock.move(3600)
        reading = await house.driver.read()
        assert reading.values["battery_soc_pct"] == 95
        reads = house.logger.reads(holding=True) + house.logger.reads(holding=False)
        assert max(count for _, count in reads) == 40
        assert all(first // 40 == (first + count - 1) // 40 for first, count in reads)


async def test_a_logger_that_is_silent_on_large_blocks_is_found_out() -> None:
    def silent_on_large(_: Logger, asked: Translated) -> list[bytes] | None:
        wanted = frames.request(asked)
        return [] if isinstance(wanted, ReadRequest) and wanted.count > 40 else None

    async with a_house(Logger(script=silent_on_large)) as house:
        assert (await house.driver.read()).values["battery_soc_pct"] == 95


async def test_registers_that_are_not_there_are_not_asked_for_again() -> None:
    def ends_at_120(_: Logger, asked: Translated) -> list[bytes] | None:
        wanted = frames.request(asked)
        if isinstance(wanted, ReadRequest) and wanted.register + wanted.count > 120:
            return [frames.error_reply(asked, 2, protocol=2).to_bytes()]
        return None

    async with a_house(Logger(script=ends_at_120)) as house:
        reading = await house.driver.read()
        assert reading.values["battery_soc_pct"] == 95
        assert "generator_w" not in reading.values
        house.logger.asked.clear()
        house.clock.move(3600)
        await house.driver.read()
        assert [first for first, _ in house.logger.reads(holding=False) if first >= 120] == []


async def test_an_inverter_without_measurements_is_no_inverter() -> None:
    def no_inputs(_: Logger, asked: Translated) -> list[bytes] | None:
        if asked.function == Function.READ_INPUT:
            return [frames.error_reply(asked, 2, protocol=2).to_bytes()]
        return None

    async with a_house(Logger(script=no_inputs)) as house:
        with pytest.raises(DeviceProtocolError, match="no measurements"):
            await house.driver.read()


async def test_a_silent_logger_is_unreachable_and_the_owner_is_told_what_to_do() -> None:
    async with a_house(Logger(script=lambda _logger, _asked: [])) as house:
        with pytest.raises(DeviceUnreachable, match=r"port 8000.*one\s+client only.*off and on"):
            await house.driver.read()


async def test_broadcasts_are_used_while_reads_fail_but_never_for_long() -> None:
    async with a_house() as house:
        await house.driver.read()
        house.logger.script = lambda _logger, _asked: []
        house.clock.move(100)
        reading = await house.driver.read()
        assert reading.at == START
        house.clock.move(250)
        with pytest.raises(DeviceUnreachable):
            await house.driver.read()


async def test_a_value_that_was_not_heard_for_long_is_not_passed_off_as_new() -> None:
    async with a_house() as house:
        await house.driver.read()
        house.clock.move(10_000)
        house.logger.script = lambda _logger, _asked: []
        house.logger.say(house.logger.broadcast())
        await house.driver.news()
        reading = await house.driver.read()
        assert reading.values["battery_soc_pct"] == 95
        assert reading.values["grid_import_total_kwh"] is None
        assert reading.doubts["grid_import_total_kwh"] == "not heard for 10000 s"
        assert reading.values["discharge_rate_pct"] is None


async def test_the_clocks_drift_is_shown_and_the_clock_goes_on() -> None:
    logger = Logger()
    logger.holdings |= {12: 26 | 1 << 8, 13: 15 | 12 << 8, 14: 2 | 30 << 8}
    async with a_house(logger) as house:
        assert (await house.driver.read()).values["clock_drift_s"] == 150
        house.clock.move(60)
        reading = await house.driver.read()
        assert reading.values["clock"] == datetime.fromisoformat("2026-01-15T12:03:30")
        assert reading.values["clock_drift_s"] == 150


async def test_a_clock_that_shows_no_time_has_no_drift() -> None:
    logger = Logger()
    logger.holdings |= {12: 0, 13: 0, 14: 0}
    async with a_house(logger) as house:
        reading = await house.driver.read()
        assert (reading.values["clock"], reading.values["clock_drift_s"]) == (None, None)


# ---- writing --------------------------------------------------------------------------------


async def test_a_setting_is_written_once_and_read_back() -> None:
    async with a_house() as house:
        assert await house.change("discharge_rate_pct", 40) == 40
        (write,) = house.logger.writes
        assert write == WriteRequest(register=65, words=(40,), multi=False)
        assert house.logger.asked[-1] == ReadRequest(holding=True, register=65, count=1)


async def test_a_bit_is_changed_within_the_word_the_inverter_holds_now() -> None:
    async with a_house() as house:
        await house.driver.read()
        house.logger.holdings[21] = 62292 | 1 << 10
        assert await house.change("ac_charge_enabled", value=True) is True
        assert house.logger.writes[0].words == (62292 | 1 << 10 | 1 << 7,)


@pytest.mark.parametrize("protocol", [2, 5])
async def test_the_seeds_own_sequence_gives_the_words_it_should(protocol: int) -> None:
    async with a_house(Logger(protocol=protocol)) as house:
        assert await house.change("ac_charge_enabled", value=True) is True
        assert house.logger.holdings[21] == 62420
        assert await house.change("ac_charge_enabled", value=False) is False
        assert house.logger.holdings[21] == 62292


async def test_a_word_without_its_protection_bits_is_not_written_over() -> None:
    logger = Logger()
    logger.holdings[21] = 21506
    async with a_house(logger) as house:
        with pytest.raises(DeviceProtocolError, match="nothing is written"):
            await house.change("ac_charge_enabled", value=True)
        assert logger.writes == []


async def test_a_slot_is_written_as_hour_and_minute() -> None:
    async with a_house() as house:
        assert await house.change("ac_charge_slot_1_start", time(23, 30)) == time(23, 30)
        assert house.logger.holdings[68] == 0x1E17


async def test_the_clock_is_set_with_one_multi_write() -> None:
    def ticks(logger: Logger, asked: Translated) -> list[bytes] | None:
        if asked.function != Function.WRITE_MULTI:
            return None
        reply = logger.healthy(asked)
        logger.holdings[14] += 2 << 8  # two seconds go by
        return [reply.to_bytes()]

    wanted = datetime.fromisoformat("2022-06-19T20:23:33")
    async with a_house(Logger(script=ticks)) as house:
        assert await house.change("clock", wanted) == wanted
        (write,) = house.logger.writes
        assert write.multi
        assert write.words == (0x0616, 0x1413, 0x2117)


@pytest.mark.parametrize(
    ("point", "value", "why"),
    [
        pytest.param("discharge_rate_pct", 101, "outside 0 to 100", id="out of range"),
        pytest.param("battery_soc_pct", 50, "no setting", id="a measurement"),
        pytest.param("feed_in_enabled", False, "only be read", id="protection"),
        pytest.param("no_such_thing", 1, "no setting", id="unknown"),
        pytest.param("eps_cutoff_soc_pct", 20, "allow_configuration", id="configuration"),
    ],
)
async def test_what_may_not_be_written_is_not_sent(point: str, value: Value, why: str) -> None:
    async with a_house() as house:
        with pytest.raises(NotWritable, match=why):
            await house.change(point, value)
        assert house.logger.writes == []


async def test_configuration_is_changed_where_the_owner_allows_it() -> None:
    async with a_house(allow_configuration=True) as house:
        house.logger.holdings[105] = 20
        assert await house.change("eps_cutoff_soc_pct", 20) == 20
        with pytest.raises(NotWritable, match="above discharge_cutoff_soc_pct, which is 20"):
            await house.change("eps_cutoff_soc_pct", 21)
        assert house.driver.points["eps_cutoff_soc_pct"].writable is not None


async def test_what_the_owner_does_not_allow_is_not_shown_as_writable() -> None:
    async with a_house() as house:
        assert house.driver.points["eps_cutoff_soc_pct"].writable is None
        assert house.driver.points["discharge_rate_pct"].writable is not None


async def test_a_driver_that_may_only_read_writes_nothing() -> None:
    async with a_house(read_only=True) as house:
        await house.driver.read()
        assert [p.key for p in house.driver.points.values() if p.writable] == []
        with pytest.raises(NotWritable, match="read_only"):
            await house.change("discharge_rate_pct", 40)
        with pytest.raises(NotWritable, match="read_only"):
            house.driver.settings_for(BatteryCommand(mode=BatteryMode.SELF_USE), START)
        assert house.logger.writes == []


async def test_nothing_is_written_to_an_inverter_of_another_serial(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = Logger()
    logger.holdings[6] = 0x3939
    async with a_house(logger) as house:
        reading = await house.driver.read()
        assert "ends in 5599" in reading.doubts["serial"]
        with pytest.raises(DeviceProtocolError, match="nothing is written"):
            await house.change("discharge_rate_pct", 40)
    assert logger.writes == []
    assert "5555555599" not in caplog.text


@pytest.mark.parametrize(
    ("code", "error"), [(3, DeviceRefused), (4, DeviceRefused), (6, DeviceBusy)]
)
async def test_a_refused_write_says_why_and_leaves_the_connection_open(
    code: int, error: type[Exception]
) -> None:
    def refuses(_: Logger, asked: Translated) -> list[bytes] | None:
        if asked.function == Function.WRITE_SINGLE:
            return [frames.error_reply(asked, code, protocol=5).to_bytes()]
        return None

    async with a_house(Logger(script=refuses)) as house:
        with pytest.raises(error, match="register 65"):
            await house.change("discharge_rate_pct", 40)
        assert await house.driver.setting("discharge_rate_pct") == 100
        assert (len(house.logger.writes), len(house.logger.writers)) == (1, 1)


async def test_a_deaf_inverter_is_found_out_by_reading_back() -> None:
    def deaf(logger: Logger, asked: Translated) -> list[bytes] | None:
        if asked.function != Function.WRITE_SINGLE:
            return None
        before = dict(logger.holdings)
        reply = logger.healthy(asked)
        logger.holdings = before
        return [reply.to_bytes()]

    async with a_house(Logger(script=deaf)) as house:
        assert await house.change("discharge_rate_pct", 40) == 100
        assert len(house.logger.writes) == 1


async def test_a_write_whose_echo_is_lost_is_not_repeated_but_looked_after() -> None:
    def mute(logger: Logger, asked: Translated) -> list[bytes] | None:
        if asked.function != Function.WRITE_SINGLE:
            return None
        logger.healthy(asked)
        logger.writers[-1].close()
        return []

    async with a_house(Logger(script=mute)) as house:
        await house.driver.read()
        assert await house.change("discharge_rate_pct", 40) == 40
        assert len(house.logger.writes) == 1
        assert len(house.logger.writers) == 2


async def test_a_stale_answer_after_a_write_is_asked_over() -> None:
    stale: list[bytes] = []

    def late(logger: Logger, asked: Translated) -> list[bytes] | None:
        if asked.function == Function.WRITE_SINGLE:
            question = frames.read_request(
                frames.Serials(asked.datalog, asked.inverter), Function.READ_HOLD, 65, 1
            )
            stale.append(logger.healthy(question).to_bytes())
        elif stale:
            return [stale.pop()]
        return None

    async with a_house(Logger(script=late)) as house:
        assert await house.change("discharge_rate_pct", 40) == 40


async def test_a_setting_is_asked_for_anew_each_time() -> None:
    async with a_house() as house:
        assert await house.driver.setting("discharge_rate_pct") == 100
        house.logger.holdings[65] = 30
        assert await house.driver.setting("discharge_rate_pct") == 30
        assert await house.driver.setting("grid_import_total_kwh") == 1183.9
        with pytest.raises(NotWritable, match="no register pv_w"):
            await house.driver.setting("pv_w")


# ---- commands -------------------------------------------------------------------------------


async def test_a_command_needs_to_know_the_model() -> None:
    async with a_house() as house:
        with pytest.raises(NotWritable, match="which model"):
            house.driver.settings_for(BatteryCommand(mode=BatteryMode.SELF_USE), START)


async def test_a_charge_is_carried_out_setting_by_setting() -> None:
    async with a_house() as house:
        await house.driver.read()
        command = BatteryCommand(mode=BatteryMode.CHARGE, power_w=900, soc_pct=80, until=UNTIL)
        changes = house.driver.settings_for(command, START)
        assert changes[-1].point == "ac_charge_enabled"
        for change in changes:
            assert await house.driver.change(change) == change.value
    held = house.logger.holdings
    assert (held[66], held[67], held[68], held[69]) == (25, 80, 0x3B0B, 14)
    assert held[21] == 62420


async def test_self_use_opens_a_shut_rate_to_where_it_was() -> None:
    logger = Logger()
    logger.holdings[65] = 80
    async with a_house(logger) as house:
        await house.driver.read()
        await house.change("discharge_rate_pct", 0)
        changes = house.driver.settings_for(BatteryCommand(mode=BatteryMode.SELF_USE), START)
        assert {c.point: c.value for c in changes}["discharge_rate_pct"] == 80


async def test_the_owner_may_know_the_rated_power_better() -> None:
    async with a_house(rated_w=1800, battery_kwh=4.8) as house:
        reading = await house.driver.read()
        assert reading.battery is not None
        assert (reading.battery.max_charge_w, reading.battery.capacity_kwh) == (1800, 4.8)
        command = BatteryCommand(mode=BatteryMode.CHARGE, power_w=900, until=UNTIL)
        changes = house.driver.settings_for(command, START)
        assert {c.point: c.value for c in changes}["ac_charge_power_pct"] == 50


async def test_an_inverter_that_delivers_more_is_told_less() -> None:
    async with a_house(calibration=Calibration(charge_offset_w=180)) as house:
        await house.driver.read()
        command = BatteryCommand(mode=BatteryMode.CHARGE, power_w=1_080, soc_pct=80, until=UNTIL)
        told = {change.point: change.value for change in house.driver.settings_for(command, START)}
    assert told["ac_charge_power_pct"] == 25
