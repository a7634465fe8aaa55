"""A data adapter that does what a test says, and one with a simulated inverter behind it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

import pytest

from ohmstead.clock import ManualClock
from ohmstead.devices.givenergy.driver import GivEnergyDriver, GivEnergySettings
from ohmstead.devices.givenergy.frames import (
    INVERTER,
    Block,
    Frame,
    FrameDecoder,
    Function,
    Heartbeat,
    Refusal,
    Request,
    Stored,
)
from ohmstead.devices.givenergy.simulator import DongleSettings, GivEnergySimulator
from ohmstead.devices.givenergy.simulator_images import IMAGES
from ohmstead.devices.givenergy.station import Place, Station
from ohmstead.devices.givenergy.texts import RATED_W
from ohmstead.links.frames_tcp import FramePatience
from ohmstead.model import Reading, SettingChange, Value
from ohmstead.simulation import House, HouseSettings

__all__ = ["DONGLE", "LONDON", "MEASURED", "NIGHT", "NOON", "PACK_1", "QUICK", "SERIAL", "SETTINGS",
           "WORDS", "Dongle", "Home", "Talk", "a_home", "a_station", "until"]  # fmt: skip

LONDON = ZoneInfo("Europe/London")
NIGHT = datetime(2026, 6, 21, 1, 0, tzinfo=UTC)
NOON = datetime(2026, 6, 21, 12, 0, tzinfo=UTC)
DONGLE, SERIAL = "WJ2414G001", "EA2302G001"
QUICK = FramePatience(
    connect_s=0.5,
    reply_s=0.15,
    gap_s=0,
    spacing_s=0.001,
    retry_s=0.01,
    settle_s=0,
    again_s=0.01,
    backoff_s=0.02,
    backoff_most_s=0.05,
)
WORDS: Mapping[str, Sequence[int]] = {
    name: tuple(vector["words"])
    for name, vector in json.loads(
        (Path(__file__).parent / "devices" / "givenergy" / "vectors.json").read_text()
    )["vectors"].items()
    if "words" in vector
}
SETTINGS: Place = INVERTER, Function.READ_HOLD
MEASURED: Place = INVERTER, Function.READ_INPUT
PACK_1: Place = 0x32, Function.READ_INPUT

Script: TypeAlias = Callable[["Dongle", Request], Sequence[Frame | bytes] | None]
"""What to send for a question; None is what a healthy one would."""


@dataclass
class Dongle:
    """A data adapter as simple as can be: words by place, and a script."""

    words: dict[Place, dict[int, int]] = field(default_factory=dict)
    script: Script = lambda _dongle, _asked: None
    port: int = 0
    asked: list[Request] = field(default_factory=list)
    asked_at: list[float] = field(default_factory=list)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Hold what a real inverter held."""
        self.words = {
            SETTINGS: {**dict.fromkeys(range(360), 0), **dict(enumerate(WORDS["V7"])), 0: 0x2003},
            MEASURED: dict(enumerate(WORDS["V9"])),
            PACK_1: dict(enumerate(WORDS["V10"], 60)),
            **self.words,
        }  # fmt: skip

    def say(self, *frames: Frame | bytes) -> None:
        """Send *frames* to all who listen."""
        for frame in frames:
            octets = frame if isinstance(frame, bytes) else frame.to_bytes()
            for writer in self.writers:
                if not writer.is_closing():
                    writer.write(octets)

    def block(self, place: Place, first: int, words: Sequence[int]) -> Block:
        """Return an answer to a read."""
        return Block(
            dongle=DONGLE, address=place[0], function=place[1], serial=SERIAL, register=first,
            words=tuple(words),
        )  # fmt: skip

    def stored(self, register: int, word: int) -> Stored:
        """Return an echo of a write."""
        return Stored(dongle=DONGLE, address=INVERTER, serial=SERIAL, register=register, word=word)

    def refusal(self, asked: Request, **other: int) -> Refusal:
        """Return an error for *asked*, but with *other* fields."""
        refusal = Refusal(
            dongle=DONGLE, address=asked.address, function=asked.function, serial=SERIAL,
            register=asked.register, value=asked.value,
        )  # fmt: skip
        return replace(refusal, **other)  # type: ignore[arg-type] # numbers all

    def healthy(self, asked: Request) -> list[Frame]:
        """Return what a dongle without vices answers."""
        if asked.function == Function.WRITE:
            self.words[SETTINGS][asked.register] = asked.value
            return [self.stored(asked.register, asked.value)]
        place = asked.address, Function(asked.function)
        known = self.words.get(place, {})
        wanted = range(asked.register, asked.register + asked.value)
        if any(address not in known for address in wanted):
            return []
        return [self.block(place, asked.register, [known[address] for address in wanted])]

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        self.writers.append(writer)
        decoder = FrameDecoder()
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                for frame in decoder.feed(data):
                    if isinstance(frame, Heartbeat):
                        self.heartbeats.append(frame)
                    elif isinstance(frame, Request):
                        self.asked.append(frame)
                        self.asked_at.append(asyncio.get_running_loop().time())
                        answer = self.script(self, frame)
                        self.say(*(self.healthy(frame) if answer is None else answer))

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[int]:
        """Listen until left."""
        server = await asyncio.start_server(self.attend, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self.port
        finally:
            server.close()
            for writer in self.writers:
                writer.transport.abort()
            await asyncio.sleep(0)


@dataclass
class Talk:
    """A station connected to a dongle."""

    dongle: Dongle
    station: Station
    clock: ManualClock
    news: list[float]


@contextlib.asynccontextmanager
async def a_station(
    dongle: Dongle | None = None, patience: FramePatience = QUICK
) -> AsyncIterator[Talk]:
    """Serve *dongle* and connect a station to it."""
    dongle, clock, news = dongle or Dongle(), ManualClock(NOON), list[float]()
    async with dongle.serve() as port:
        settings = GivEnergySettings(host="127.0.0.1", port=port)
        station = Station(
            "giv", settings, clock, patience=patience,
            on_news=lambda: news.append(clock.monotonic()),
        )  # fmt: skip
        async with station:
            yield Talk(dongle, station, clock, news)


@dataclass
class Home:
    """A driver connected to a simulated inverter."""

    driver: GivEnergyDriver
    simulator: GivEnergySimulator
    clock: ManualClock
    port: int

    @property
    def written(self) -> list[tuple[int, int]]:
        """Every word that was asked to be written."""
        return [(register, word) for _, register, word in self.simulator.writes]

    async def read(self, after_s: float = 0) -> Reading:
        """Return a reading *after_s* of the house's time."""
        self.clock.move(after_s)
        return await self.driver.read()

    async def change(self, point: str, value: Value) -> Value | None:
        """Change one setting, and return what the inverter shows then."""
        return await self.driver.change(SettingChange(device="giv", point=point, value=value))


@contextlib.asynccontextmanager
async def a_home(
    model: str = "hybrid_gen2",
    start: datetime = NIGHT,
    *,
    dongle: DongleSettings | None = None,
    patience: FramePatience = QUICK,
    probe_s: float = 0.02,
    **owners: Value,
) -> AsyncIterator[Home]:
    """Serve a simulated *model*, and connect a driver with the *owners* settings to it.

    What may not be there is waited for *probe_s*.
    """
    clock = ManualClock(start)
    rated_w = RATED_W.get(IMAGES[model].device_type, 3_600)
    house = House(HouseSettings(start_soc_pct=60, inverter_w=rated_w), start, LONDON)
    simulator = GivEnergySimulator(house, clock, LONDON, model=model, dongle=dongle)
    async with simulator.serve() as port:
        settings = GivEnergySettings(host="127.0.0.1", port=port, **owners)  # type: ignore[arg-type] # a test's own
        async with GivEnergyDriver("giv", settings, clock, LONDON, patience=patience) as driver:
            driver._station._probe_s = probe_s
            yield Home(driver, simulator, clock, port)


async def until(true: Callable[[], object]) -> None:
    """Wait until something is *true*."""
    for _ in range(600):
        if true():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it never came true")
