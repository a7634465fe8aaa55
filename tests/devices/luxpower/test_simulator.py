"""The simulated datalogger speaks as real ones were heard to, and misbehaves as they do."""

import asyncio
from datetime import timedelta

import pytest

from luxpower_station import AC_OFF, AC_ON, START, VECTORS, a_station
from ohmstead.devices.luxpower import frames
from ohmstead.devices.luxpower.frames import FrameDecoder, Function, Heartbeat, Translated
from ohmstead.devices.luxpower.simulator import LoggerSettings

# ---- the wire -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "asked", "answered"),
    [
        pytest.param(2, "P01", "C01", id="register 21"),
        pytest.param(5, "P01", "C02", id="register 21, protocol 5"),
        pytest.param(2, "P02", "C03", id="a write is repeated"),
        pytest.param(5, "P02", "C04", id="a write is repeated, protocol 5"),
        pytest.param(5, "P04", "C07", id="several words at once, asked in protocol 1"),
        pytest.param(5, "C06", "C07", id="several words at once, asked in protocol 2"),
        pytest.param(2, "G21", "G22", id="a write of register 66"),
    ],
)
async def test_it_answers_byte_for_byte(protocol: int, asked: str, answered: str) -> None:
    logger = LoggerSettings(broadcast_s=None, protocol=protocol)
    async with a_station(logger) as station:
        reply = await station.peer.ask(VECTORS[asked], len(VECTORS[answered]))
        assert reply == VECTORS[answered]
        assert station.simulator.requests == 1


async def test_the_slots_of_the_first_image_are_those_of_the_manual() -> None:
    async with a_station() as station:
        asked = frames.read_request(station.simulator.serials, Function.READ_HOLD, 68, 6)
        assert await station.peer.ask(asked.to_bytes(), len(VECTORS["C05"])) == VECTORS["C05"]


BROKEN = Translated(
    protocol=2, datalog="2222222222", inverter="5555555555", function=16, register=64, tail=b"\x01"
)
STRANGER = frames.read_request(frames.Serials("2222222222", "1111111111"), 3, 21, 1)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        pytest.param(VECTORS["G28"], VECTORS["G29"], id="how often it broadcasts"),
        pytest.param(
            VECTORS["G30"],
            bytes.fromhex("a11a02000f0001c432323232323232323232070000"),
            id="a parameter is written, to no effect",
        ),
        pytest.param(VECTORS["G26"], b"", id="silence about other parameters"),
        pytest.param(VECTORS["G07"], b"", id="silence to whoever does not know the logger"),
        pytest.param(STRANGER.to_bytes(), b"", id="silence to whoever does not know the inverter"),
        pytest.param(BROKEN.to_bytes(), b"", id="silence about half a question"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"", id="silence to a browser"),
    ],
)
async def test_what_else_it_is_asked(asked: bytes, answered: bytes) -> None:
    async with a_station(LoggerSettings(broadcast_s=180)) as station:
        # What follows proves that nothing stood before it.
        heard = await station.peer.ask(asked + VECTORS["P01"], len(answered) + 39)
        assert heard == answered + VECTORS["C01"]


@pytest.mark.parametrize(
    ("register", "count", "code"),
    [
        pytest.param(0, 40, None, id="a block"),
        pytest.param(0, 41, 2, id="more than it gives at once"),
        pytest.param(300, 1, 2, id="beyond its map"),
        pytest.param(20, 40, None, id="across a boundary"),
        pytest.param(5, 0, 2, id="nothing"),
    ],
)
async def test_reads_have_limits(register: int, count: int, code: int | None) -> None:
    async with a_station() as station:
        asked = frames.read_request(station.simulator.serials, Function.READ_HOLD, register, count)
        station.peer.writer.write(asked.to_bytes())
        (reply,) = await station.peer.frames(1)
        assert isinstance(reply, Translated)
        assert frames.error_code(reply) == code


async def test_a_strict_logger_refuses_reads_across_a_boundary() -> None:
    async with a_station(LoggerSettings(broadcast_s=None, keep_to_blocks=True)) as station:
        asked = frames.read_request(station.simulator.serials, Function.READ_INPUT, 20, 40)
        reply = await station.peer.ask(asked.to_bytes(), 37)
        (frame,) = FrameDecoder().feed(reply)
        assert isinstance(frame, Translated)
        assert frames.error_code(frame) == 2
        assert len(await station.peer.words(40, 40)) == 40


async def test_a_newer_logger_gives_127_at_once() -> None:
    async with a_station(model="eg4_12kpv") as station:
        assert len(await station.peer.words(0, 127, holding=False)) == 127
        assert (await station.peer.words(19, 1)) == (2092,)


async def test_everybody_hears_every_answer() -> None:
    async with a_station() as station, station.another() as other:
        await other.words(21, 1)
        assert await station.peer.hear(39) == VECTORS["C01"]


async def test_a_logger_may_keep_answers_to_the_one_who_asked() -> None:
    logger = LoggerSettings(broadcast_s=None, fan_out=False)
    async with a_station(logger) as station, station.another() as other:
        await other.words(0, 3)
        assert await station.peer.ask(VECTORS["P01"], 39) == VECTORS["C01"]


async def test_a_newer_logger_serves_one_client_only() -> None:
    logger = LoggerSettings(broadcast_s=None, most_clients=1)
    async with a_station(logger) as station:
        await station.peer.words(21, 1)
        async with station.another() as other:
            assert await other.reader.read() == b""
        assert station.simulator.clients.refused == 1


# ---- unasked --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "blocks", "found"),
    [
        pytest.param("acs_3600", None, [(0, 40), (40, 40), (80, 40)], id="three of 40"),
        pytest.param("acs_3600", (40,) * 4, [(n, 40) for n in (0, 40, 80, 120)], id="four of 40"),
        pytest.param("eg4_12kpv", None, [(0, 127), (127, 127), (254, 127)], id="three of 127"),
    ],
)
async def test_it_broadcasts_by_its_clock(
    model: str, blocks: tuple[int, ...] | None, found: list[tuple[int, int]]
) -> None:
    async with a_station(LoggerSettings(blocks=blocks), model=model) as station:
        await station.peer.words(21, 1)
        station.clock.move(121)
        beat, *heard = await station.peer.frames(1 + len(found))
        assert isinstance(beat, Heartbeat)
        assert beat.payload == (b"\0" if model == "acs_3600" else b"\x05")
        shown = []
        for frame in heard:
            assert isinstance(frame, Translated)
            words = frames.block_words(frame)
            assert words is not None
            shown.append((frame.register, len(words)))
        assert shown == found


async def test_broadcasts_may_wait_for_an_answered_heartbeat() -> None:
    async with a_station(LoggerSettings(needs_echo=True)) as station:
        await station.peer.words(21, 1)
        station.clock.move(121)
        beat = await station.peer.hear(19)
        assert await station.peer.ask(VECTORS["P01"], 39) == VECTORS["C01"]
        station.peer.writer.write(beat)
        assert len(await station.peer.frames(3)) == 3
        station.peer.writer.write(beat)
        await station.peer.words(21, 1)
        assert station.simulator.echoes == 2


# ---- faults ---------------------------------------------------------------------------


async def test_silent_says_nothing_until_it_is_well_again() -> None:
    async with a_station(LoggerSettings()) as station:
        station.simulator.faults.add("silent")
        station.peer.writer.write(VECTORS["P01"])
        station.clock.move(500)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await station.peer.reader.read(1)
        station.simulator.faults.clear()
        assert len(await station.peer.frames(4)) == 4


async def test_slow_answers_late() -> None:
    logger = LoggerSettings(broadcast_s=None, slow_s=0.3)
    async with a_station(logger) as station:
        station.simulator.faults.add("slow")
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await station.peer.ask(VECTORS["P01"], 39) == VECTORS["C01"]
        assert loop.time() - began >= 0.3


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param("wrong_crc", VECTORS["C11"][:-1], id="wrong_crc"),
        pytest.param("half_frame", VECTORS["C01"][:19], id="half_frame"),
        pytest.param("duplicate", VECTORS["C01"] * 2, id="duplicate"),
    ],
)
async def test_a_fault_on_the_wire(fault: str, expected: bytes) -> None:
    async with a_station() as station:
        station.simulator.faults.add(fault)
        heard = await station.peer.ask(VECTORS["P01"], len(expected))
        assert heard == expected
        if fault == "wrong_crc":
            assert await station.peer.hear(1) != VECTORS["C01"][-1:]


async def test_garbled_is_no_frame_and_the_same_for_the_same_seed() -> None:
    async def heard(seed: int) -> bytes:
        async with a_station(seed=seed) as station:
            station.simulator.faults.add("garbled")
            octets = await station.peer.ask(VECTORS["P01"], 40)
            assert FrameDecoder().feed(octets) == []
            return octets

    assert await heard(1) == await heard(1)
    assert await heard(1) != await heard(2)


async def test_deaf_says_yes_and_does_nothing() -> None:
    async with a_station() as station:
        station.simulator.faults.add("deaf")
        assert await station.peer.ask(VECTORS["P02"], 38) == VECTORS["C03"]
        assert await station.peer.words(21, 1) == (AC_OFF,)
        assert station.simulator.writes[-1][1:] == (21, AC_ON)


async def test_foreign_lets_others_speak_first() -> None:
    async with a_station() as station:
        station.simulator.faults.add("foreign")
        station.peer.writer.write(VECTORS["P01"])
        echo, other, reply = await station.peer.frames(3)
        assert isinstance(echo, Translated)
        assert isinstance(other, Translated)
        assert (echo.function, echo.register) == (6, 85)
        assert (other.inverter, other.register) == ("9999999999", 21)
        assert reply == FrameDecoder().feed(VECTORS["C01"])[0]
        station.peer.writer.write(VECTORS["P02"])
        *_, portal, reply = await station.peer.frames(4)
        assert isinstance(portal, Translated)
        assert (portal.function, portal.register, len(portal.tail)) == (3, 0, 161)
        assert reply == FrameDecoder().feed(VECTORS["C03"])[0]
        station.peer.writer.write(VECTORS["G26"] + VECTORS["G24"][:20])


async def test_drop_hangs_up_having_done_it() -> None:
    async with a_station() as station:
        station.simulator.faults.add("drop")
        station.peer.writer.write(VECTORS["P02"])
        assert await station.peer.reader.read() == b""
        station.simulator.faults.clear()
        async with station.another() as again:
            assert await again.words(21, 1) == (AC_ON,)


async def test_stale_at_connect_begins_with_what_was() -> None:
    async with a_station() as station:
        station.simulator.faults.add("stale_at_connect")
        async with station.another() as other:
            (old,) = await other.frames(1)
            assert isinstance(old, Translated)
            assert (old.function, old.register) == (4, 0)


async def test_busy_asks_to_come_again() -> None:
    async with a_station() as station:
        station.simulator.faults.add("busy")
        assert await station.peer.write(66, 50) == 6
        assert station.simulator.writes == []


async def test_answers_take_their_time() -> None:
    async with a_station(LoggerSettings(broadcast_s=None, latency_s=0.1)) as station:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with station.another() as other:
            station.peer.writer.write(VECTORS["P01"])
            other.writer.write(VECTORS["P01"])
            await station.peer.frames(2)
        assert loop.time() - began >= 0.2  # one wire, one after the other


async def test_a_day_of_simulated_time_agrees_with_the_house() -> None:
    async with a_station() as station:
        for _ in range(24):
            station.clock.move(3_600)
            await station.peer.words(0, 40, holding=False)
        house = station.simulator.house
        assert house.at == START + timedelta(days=1)
        assert house.totals.load_kwh == pytest.approx(12)
