"""A datalogger is a bus: others' frames teach us things, and never answer our questions."""

import asyncio
import logging
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxpower_logger import DATALOG, LONDON, SERIAL, START, VECTORS, Logger, a_house, until
from ohmstead.clock import ManualClock
from ohmstead.devices.luxpower import frames
from ohmstead.devices.luxpower.driver import LuxPowerDriver
from ohmstead.devices.luxpower.frames import Function, Heartbeat, Serials, Translated
from ohmstead.devices.luxpower.reading import DERIVED
from ohmstead.devices.luxpower.registers import MODELS
from ohmstead.devices.luxpower.settings import LuxPowerSettings
from ohmstead.errors import DeviceRefused, DeviceUnreachable
from ohmstead.model import SettingChange

OURS = Serials(DATALOG, SERIAL)
P5_HEARTBEAT = Heartbeat(protocol=5, datalog=DATALOG, payload=b"\x05").to_bytes()


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param([VECTORS["C10"]], id="somebody's write"),
        pytest.param([VECTORS["G01"]], id="a heartbeat"),
        pytest.param([VECTORS["G10"]], id="a whole block with the same register in it"),
        pytest.param([VECTORS["C10"], VECTORS["G01"], VECTORS["G10"]], id="all of these"),
        pytest.param([VECTORS["C03"]], id="an echo of a write to the same register"),
        pytest.param([VECTORS["C05"]], id="another register"),
        pytest.param([VECTORS["C11"]], id="the right one, damaged"),
        pytest.param([b"\x00\xa1\xa1\x1b\x1a"], id="garbage"),
        pytest.param([VECTORS["C08"]], id="somebody's refusal"),
        pytest.param([VECTORS["G14"][:60]], id="half a frame"),
    ],
)
async def test_nothing_but_its_own_reply_answers_a_read(foreign: list[bytes]) -> None:
    def crowded(_: Logger, asked: Translated) -> list[bytes] | None:
        if asked.register == 21 and asked.function == Function.READ_HOLD:
            return [*foreign, VECTORS["C01"]]
        return None

    async with a_house(Logger(script=crowded)) as house:
        assert await house.driver.setting("ac_charge_enabled") is False


async def test_a_reply_for_another_inverter_is_none_of_ours() -> None:
    def misrouted(logger: Logger, asked: Translated) -> list[bytes] | None:
        theirs = Serials(DATALOG, "9999999999")
        question = frames.read_request(theirs, asked.function, asked.register, 1)
        reply = frames.read_reply(question, (1,), protocol=2).to_bytes()
        return [reply, logger.healthy(asked).to_bytes()]

    async with a_house(Logger(script=misrouted)) as house:
        await house.driver.read()
        assert await house.driver.setting("discharge_rate_pct") == 100


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(VECTORS["C01"], id="a read reply of the same register"),
        pytest.param(VECTORS["G10"], id="an unasked block"),
        pytest.param(frames.write_single(OURS, 21, 62292).to_bytes(), id="another value's echo"),
    ],
)
async def test_nothing_but_its_own_echo_ends_a_write(foreign: bytes) -> None:
    echoes: list[bytes] = []

    def crowded(logger: Logger, asked: Translated) -> list[bytes] | None:
        if asked.function != Function.WRITE_SINGLE:
            return None
        logger.say(foreign)
        echoes.append(logger.healthy(asked).to_bytes())
        logger.asked.clear()
        asyncio.get_running_loop().call_later(0.03, logger.say, echoes[0])
        return []

    async with a_house(Logger(script=crowded)) as house:
        change = SettingChange(device="lux", point="ac_charge_enabled", value=True)
        assert await house.driver.change(change) is True
        # Nothing was asked before the echo had come.
        assert echoes
        assert house.logger.reads(holding=True) == [(21, 1)]


async def test_a_refusal_with_the_other_protocols_serials_is_understood() -> None:
    def refuses(_: Logger, asked: Translated) -> list[bytes] | None:
        return [VECTORS["G32"]] if asked.function == Function.WRITE_SINGLE else None

    logger = Logger("lxp_12k_FAAB", protocol=5, script=refuses)
    serials = {"datalog": "DG99999999", "serial": "99999T9999"}
    logger.holdings |= dict(enumerate(struct.unpack("<5H", b"99999T9999"), 2))
    async with a_house(logger, **serials, allow_configuration=True) as house:
        change = SettingChange(device="lux", point="quick_charge_min", value=30)
        with pytest.raises(DeviceRefused, match=r"refused register 234: .*out of range") as caught:
            await house.driver.change(change)
        assert caught.value.code == 3
        assert len(logger.writers) == 1


async def test_somebody_elses_write_is_learnt_from() -> None:
    async with a_house() as house:
        await house.driver.read()
        house.logger.say(frames.write_single(OURS, 65, 30).to_bytes())
        await house.driver.news()
        house.logger.asked.clear()
        assert (await house.driver.read()).values["discharge_rate_pct"] == 30
        assert house.logger.asked == []


async def test_somebody_elses_multi_write_is_looked_at() -> None:
    async with a_house() as house:
        await house.driver.read()
        house.logger.holdings[68] = 0x1E17
        asked = frames.write_multi_request(OURS, 68, (0x1E17, 0x1E05))
        house.logger.say(frames.write_reply(asked, protocol=2).to_bytes())
        await house.driver.news()
        house.logger.asked.clear()
        reading = await house.driver.read()
        assert str(reading.values["ac_charge_slot_1_start"]) == "23:30:00"
        assert house.logger.reads(holding=True) == [(68, 2)]


async def test_somebody_elses_reply_refreshes_ours() -> None:
    async with a_house() as house:
        await house.driver.read()
        asked = frames.read_request(OURS, Function.READ_HOLD, 64, 2)
        house.logger.say(frames.read_reply(asked, (70, 60), protocol=5).to_bytes())
        await asyncio.sleep(0.02)
        reading = await house.driver.read()
        assert reading.values["discharge_rate_pct"] == 60


async def test_a_protocol_1_frame_of_one_word_may_be_a_request_and_teaches_nothing() -> None:
    async with a_house() as house:
        await house.driver.read()
        house.logger.say(frames.read_request(OURS, Function.READ_HOLD, 65, 1).to_bytes())
        await asyncio.sleep(0.02)
        assert (await house.driver.read()).values["discharge_rate_pct"] == 100


async def test_a_wrong_serial_is_guessed_from_what_is_heard_and_not_written_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    logger = Logger(script=lambda _logger, _asked: [])
    async with a_house(logger) as house:
        await until(lambda: logger.writers)
        logger.say(logger.broadcast(serial="9876543210"))
        with pytest.raises(DeviceUnreachable, match="inverter …3210"):
            await house.driver.read()
    for serial in ("9876543210", DATALOG, SERIAL):
        assert serial not in caplog.text


async def test_a_logger_that_drops_every_connection_after_a_while_is_read_all_the_same() -> None:
    def drops_every_third(logger: Logger, asked: Translated) -> list[bytes] | None:
        del asked
        if len(logger.asked) % 3:
            return None
        logger.writers[-1].close()
        return []

    async with a_house(Logger(script=drops_every_third, most=40)) as house:
        for _ in range(5):
            house.clock.move(400)
            assert (await house.driver.read()).values["battery_soc_pct"] == 95
    assert len(house.logger.writers) > 5


async def test_damaged_frames_are_counted() -> None:
    async with a_house() as house:
        await house.driver.read()
        house.logger.say(VECTORS["C11"], house.logger.broadcast())
        await house.driver.news()
        assert (await house.driver.read()).values["frames_dropped"] == 1


# ---- heartbeats -----------------------------------------------------------------------------


async def heartbeats(mode: str, beats: int, *, broadcast: bool) -> list[bytes]:
    """Return what came back for *beats* heartbeats, followed by a broadcast or not."""
    logger = Logger()
    async with a_house(logger, heartbeat=mode) as house:
        await house.driver.read()
        for _ in range(beats):
            house.clock.move(120)
            logger.say(P5_HEARTBEAT)
            await asyncio.sleep(0.1)  # it must be heard before the clock moves on
            if broadcast:
                house.clock.move(2)
                logger.say(logger.broadcast())
                await house.driver.news()
        await asyncio.sleep(0.03)
    return [beat.to_bytes() for beat in logger.heartbeats]


async def test_heartbeats_are_echoed_byte_for_byte_when_the_owner_says_always() -> None:
    assert await heartbeats("always", 2, broadcast=True) == [P5_HEARTBEAT] * 2


async def test_heartbeats_are_left_to_the_cloud_when_the_owner_says_never() -> None:
    assert await heartbeats("never", 5, broadcast=False) == []


async def test_heartbeats_that_broadcasts_follow_are_left_to_the_cloud() -> None:
    assert await heartbeats("auto", 5, broadcast=True) == []


async def test_heartbeats_that_nobody_heeds_are_echoed_from_the_third_on() -> None:
    assert await heartbeats("auto", 4, broadcast=False) == [P5_HEARTBEAT] * 2


async def test_another_loggers_heartbeat_is_not_echoed() -> None:
    logger = Logger()
    async with a_house(logger, heartbeat="always") as house:
        await house.driver.read()
        logger.say(VECTORS["G02"])
        await asyncio.sleep(0.03)
    assert logger.heartbeats == []


async def test_the_broadcasts_own_rhythm_says_how_long_their_values_hold() -> None:
    async with a_house() as house:
        await house.driver.read()
        station = house.driver._station
        for _ in range(2):
            house.clock.move(300)
            house.logger.say(house.logger.broadcast())
            await house.driver.news()
        assert station.interval_s == 300
        house.logger.say(VECTORS["G29"])
        await until(lambda: station.interval_s == 180)
        house.logger.say(VECTORS["G31"])
        await asyncio.sleep(0.02)
        assert station.interval_s == 180


# ---- whatever comes -------------------------------------------------------------------------

ANY_FRAME = st.builds(
    Translated,
    protocol=st.sampled_from([1, 2, 5, 700]),
    datalog=st.sampled_from([DATALOG, "DG99999999"]),
    inverter=st.sampled_from([SERIAL, "99999T9999"]),
    function=st.sampled_from([3, 4, 6, 16, 0x83, 0x84, 0x86, 0x90, 0, 99]),
    register=st.integers(0, 0xFFFF),
    tail=st.binary(max_size=255),
)


@settings(deadline=None)
@given(st.lists(ANY_FRAME), st.lists(st.integers(0, 0xFFFF), min_size=254, max_size=254))
def test_no_frame_and_no_word_breaks_the_driver(heard: list[Translated], words: list[int]) -> None:
    owner = LuxPowerSettings(host="logger", datalog=DATALOG, serial=SERIAL)
    driver = LuxPowerDriver("lux", owner, ManualClock(START), LONDON)
    for model in MODELS.values():
        for function in (Function.READ_INPUT, Function.READ_HOLD):
            driver._station.heard[function].store(0, words, driver._clock.monotonic())
        for frame in heard:
            driver._station._hear(frame)
        reading = driver._reading(model)
        assert reading.values.keys() <= {
            row.name for row in (*model.inputs, *model.holdings)
        } | set(DERIVED)


# ---- settings -------------------------------------------------------------------------------


def test_a_serial_may_be_a_number_without_its_leading_zeros() -> None:
    owner = LuxPowerSettings(host="logger", datalog=22222222, serial="5555555555")
    assert owner.datalog == "0022222222"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"datalog": "123"}, "datalog is 10 characters"),
        ({"serial": "ÄÖÜÄÖÜÄÖÜÄ"}, "serial is 10 characters"),
        ({"host": ""}, "host"),
        ({"port": 0}, "port"),
        ({"fresh_s": 0}, "fresh_s"),
        ({"rated_w": -1}, "rated_w"),
        ({"pause_s": -1}, "pause_s"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object], why: str) -> None:
    good: dict[str, object] = {"host": "logger", "datalog": DATALOG, "serial": SERIAL}
    with pytest.raises(ValueError, match=why):
        LuxPowerSettings(**(good | wrong))  # type: ignore[arg-type] # wrong on purpose
