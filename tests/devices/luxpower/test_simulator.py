"""The simulated datalogger speaks as real ones were heard to, and its inverter obeys."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ohmstead.clock import ManualClock
from ohmstead.devices.luxpower import frames
from ohmstead.devices.luxpower.frames import Frame, FrameDecoder, Function, Heartbeat, Translated
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.simulation import House, HouseSettings

VECTORS = {
    name: bytes.fromhex(octets)
    for name, octets in json.loads(Path(__file__).with_name("vectors.json").read_text()).items()
}
LONDON = ZoneInfo("Europe/London")
START = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
QUIET = LoggerSettings(broadcast_s=None)
AC_ON, AC_OFF = 62420, 62292


@dataclass
class Peer:
    """Somebody on the logger's port."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, octets: bytes, size: int) -> bytes:
        self.writer.write(octets)
        return await self.hear(size)

    async def hear(self, size: int) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.readexactly(size)

    async def frames(self, count: int) -> list[Frame]:
        decoder, found = FrameDecoder(), list[Frame]()
        async with asyncio.timeout(5):
            while len(found) < count:
                data = await self.reader.read(4096)
                assert data, "hung up"
                found += decoder.feed(data)
        return found

    async def words(self, register: int, count: int, *, holding: bool = True) -> tuple[int, ...]:
        function = Function.READ_HOLD if holding else Function.READ_INPUT
        serials = frames.Serials("2222222222", "5555555555")
        self.writer.write(frames.read_request(serials, function, register, count).to_bytes())
        (reply,) = await self.frames(1)
        assert isinstance(reply, Translated)
        found = frames.reply_words(reply, register, count)
        assert found is not None, frames.error_code(reply)
        return found

    async def write(self, register: int, *words: int) -> int | None:
        """Return the error code, or None when it was accepted."""
        serials = frames.Serials("2222222222", "5555555555")
        asked = (
            frames.write_single(serials, register, words[0])
            if len(words) == 1
            else frames.write_multi_request(serials, register, words)
        )
        self.writer.write(asked.to_bytes())
        (reply,) = await self.frames(1)
        assert isinstance(reply, Translated)
        return frames.error_code(reply)


@dataclass
class Station:
    """A served simulator, with its clock and one client."""

    simulator: LuxPowerSimulator
    clock: ManualClock
    port: int
    peer: Peer

    @asynccontextmanager
    async def another(self) -> AsyncIterator[Peer]:
        async with connected(self.port) as peer:
            yield peer


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def a_station(
    logger: LoggerSettings = QUIET,
    *,
    model: str = "acs_3600",
    house: HouseSettings | None = None,
    start: datetime = START,
    pv_w: float = 0,
    load_w: float = 500,
    seed: int = 0,
) -> AsyncIterator[Station]:
    clock = ManualClock(start)
    lived_in = House(
        house or HouseSettings(), start, LONDON, pv_at=lambda _: pv_w, load_at=lambda _: load_w
    )
    simulator = LuxPowerSimulator(lived_in, clock, LONDON, model=model, seed=seed, logger=logger)
    async with simulator.serve() as port, connected(port) as peer:
        yield Station(simulator, clock, port, peer)


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


# ---- settings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "register", "word", "code"),
    [
        pytest.param("acs_3600", 66, 100, None, id="per cent"),
        pytest.param("acs_3600", 66, 101, 3, id="more than all"),
        pytest.param("eg4_12kpv", 66, 120, None, id="hundreds of watts"),
        pytest.param("acs_3600", 67, 101, None, id="never stop"),
        pytest.param("acs_3600", 105, 9, 3, id="too deep a discharge"),
        pytest.param("acs_3600", 68, 0x3C00, 3, id="sixty minutes"),
        pytest.param("acs_3600", 21, AC_ON, None, id="AC charge on"),
        pytest.param("acs_3600", 21, AC_OFF | 1, 3, id="EPS on a model that has none"),
        pytest.param("eg4_12kpv", 21, AC_OFF | 1, None, id="EPS on a model that has it"),
        pytest.param("acs_3600", 110, 3, 3, id="off-grid PV on a model that has none"),
        pytest.param("acs_3600", 234, 60, 3, id="what only newer firmware has"),
        pytest.param("eg4_12kpv", 234, 60, None, id="newer firmware has it"),
        pytest.param("acs_3600", 300, 1, 2, id="beyond its map"),
        pytest.param("acs_3600", 11, 2, 3, id="a factory reset"),
        pytest.param("acs_3600", 12, 1044, 3, id="a third of the clock"),
        pytest.param("acs_3600", 120, 0b1110, 3, id="a choice nobody has"),
        pytest.param("acs_3600", 31, 5, None, id="a register of the grid code, alas"),
    ],
)
async def test_it_checks_what_it_is_told(
    model: str, register: int, word: int, code: int | None
) -> None:
    async with a_station(model=model) as station:
        before = await station.peer.words(register, 1) if register < 240 else ()
        assert await station.peer.write(register, word) == code
        assert [(at, place, told) for at, place, told in station.simulator.writes] == [
            (START, register, word)
        ]
        if register < 240:
            expected = (word,) if code is None else before
            assert await station.peer.words(register, 1) == expected


async def test_settings_outlive_a_restart(tmp_path: Path) -> None:
    logger = LoggerSettings(broadcast_s=None, store=tmp_path / "settings.json")
    async with a_station(logger) as station:
        await station.peer.write(67, 85)
    async with a_station(logger) as station:
        assert await station.peer.words(67, 1) == (85,)
        assert await station.peer.words(21, 1) == (AC_OFF,)


async def test_the_clock_runs_can_be_set_and_knows_no_summer_time() -> None:
    spring = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    async with a_station(start=spring) as station:
        assert await clock_of(station) == datetime(2026, 3, 29, 0, 30)
        station.clock.move(7_200)
        assert await clock_of(station) == datetime(2026, 3, 29, 2, 30)
        words = (2026 - 2000 | 3 << 8, 29 | 3 << 8, 30)
        assert await station.peer.write(12, *words) is None
        station.clock.move(60)
        assert await clock_of(station) == datetime(2026, 3, 29, 3, 31)
        assert await station.peer.write(12, 26 | 13 << 8, 1, 0) == 3  # month 13


async def test_a_clock_may_run_away() -> None:
    logger = LoggerSettings(broadcast_s=None, drift_s_per_day=60)
    async with a_station(logger) as station:
        station.clock.move(43_200)
        assert await clock_of(station) == datetime(2026, 1, 15, 14, 0, 30)


async def clock_of(station: Station) -> datetime:
    first, second, third = await station.peer.words(12, 3)
    return datetime(
        2000 + (first & 255), first >> 8, second & 255, second >> 8, third & 255, third >> 8
    )


# ---- behaviour ------------------------------------------------------------------------


async def test_ac_charge_charges_and_ends_by_itself_at_the_slots_end() -> None:
    async with a_station() as station:
        house, peer = station.simulator.house, station.peer
        await peer.words(0, 40, holding=False)
        assert house.battery_w == 500
        for register, word in ((66, 50), (68, 2), (69, 3), (21, AC_ON)):
            assert await peer.write(register, word) is None
        assert house.battery_w == pytest.approx(-1_800)
        shown = await peer.words(0, 40, holding=False)
        assert shown[0] == 0x20
        assert (shown[17], shown[10], shown[11]) == (1_800, 1_710, 0)
        assert shown[27] == 2_300
        station.clock.move(3_599)
        await peer.words(0, 40, holding=False)
        assert house.battery_w < 0
        station.clock.move(1)
        shown = await peer.words(0, 40, holding=False)
        assert (shown[0], shown[17]) == (0x10, 0)
        assert house.battery_w == pytest.approx(500)
        assert house.totals.ac_charged_kwh == pytest.approx(1.8, rel=0.001)
        assert shown[32] == 18


async def test_ac_charge_stops_at_its_limit_and_keeps_what_it_has() -> None:
    async with a_station(house=HouseSettings(start_soc_pct=58)) as station:
        for register, word in ((67, 60), (21, AC_ON)):
            await station.peer.write(register, word)
        station.clock.move(3_600)
        shown = await station.peer.words(0, 40, holding=False)
        assert (shown[5] & 0xFF, shown[0], shown[17]) == (60, 0, 0)


async def test_day_totals_begin_anew_at_the_inverters_own_midnight() -> None:
    async with a_station(load_w=3_000) as station:
        await station.peer.write(12, 26 | 1 << 8, 15 | 23 << 8, 0)
        await station.peer.write(65, 0)
        station.clock.move(3_590)
        assert (await station.peer.words(37, 1, holding=False)) == (30,)
        station.clock.move(20)
        low, high, day = (
            await station.peer.words(58, 1, holding=False),
            await station.peer.words(59, 1, holding=False),
            await station.peer.words(37, 1, holding=False),
        )
        assert day == (0,)
        assert low[0] + (high[0] << 16) == 0x2E3F + 30


async def test_its_measurements_agree_with_its_house() -> None:
    house = HouseSettings(hybrid=True, inverter_w=12_000)
    async with a_station(model="lxp_12k", house=house, pv_w=4_000) as station:
        station.clock.move(3_600)
        words = await station.peer.words(0, 127, holding=False)
        seen = station.simulator.inverter.inputs.table.decode(dict(enumerate(words))).values
        assert seen["status"] == "PV charge"
        assert (seen["pv1_w"], seen["pv2_w"]) == (2_200, 1_800)
        assert seen["grid_import_w"] == 0
        assert seen["battery_charge_w"] == pytest.approx(3_500 * 0.95, abs=1)
        assert seen["inverter_w"] == 500
        assert 49 < number(seen["battery_v"]) < 56
        assert 230 < number(seen["grid_v"]) < 250
        assert 3.2 < number(seen["cell_min_v"]) < number(seen["cell_max_v"]) < 3.6
        assert number(seen["battery_a"]) < -50
        assert seen["inverter_serial"] == "5555555555"
        assert seen["pv1_today_kwh"] == 2.2


async def test_a_power_cut_shows() -> None:
    async with a_station() as station:
        station.simulator.house.grid_up = False
        station.simulator.house.settle()
        shown = await station.peer.words(0, 40, holding=False)
        assert (shown[0], shown[12], shown[24]) == (0x40, 0, 500)


def number(value: object) -> float:
    assert isinstance(value, int | float)
    return value


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
