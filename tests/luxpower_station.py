"""A served LuxPower simulator, with its clock and a client on its port."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ohmstead.clock import ManualClock
from ohmstead.devices.luxpower import frames
from ohmstead.devices.luxpower.frames import Frame, FrameDecoder, Function, Translated
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.simulation import House, HouseSettings

_VECTORS = Path(__file__).parent / "devices" / "luxpower" / "vectors.json"
VECTORS = {name: bytes.fromhex(octets) for name, octets in json.loads(_VECTORS.read_text()).items()}
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
