"""A datalogger that does what a test says, and a driver connected to it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias
from zoneinfo import ZoneInfo

import pytest

from ohmstead.clock import ManualClock
from ohmstead.devices.luxpower import frames
from ohmstead.devices.luxpower.driver import LuxPowerDriver, LuxPowerSettings
from ohmstead.devices.luxpower.frames import (
    FrameDecoder,
    Function,
    Heartbeat,
    ReadRequest,
    Translated,
    WriteRequest,
)
from ohmstead.links.frames_tcp import FramePatience
from ohmstead.model import SettingChange, Value

_FOLDER = Path(__file__).parent / "devices" / "luxpower"
CAPTURES = _FOLDER / "captures"
VECTORS = {
    name: bytes.fromhex(octets)
    for name, octets in json.loads((_FOLDER / "vectors.json").read_text()).items()
}
LONDON = ZoneInfo("Europe/London")
DATALOG, SERIAL = "2222222222", "5555555555"
QUICK = FramePatience(
    connect_s=0.5,
    reply_s=0.1,
    gap_s=0,
    settle_s=0,
    again_s=0.01,
    backoff_s=0.02,
    backoff_most_s=0.05,
)
START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
Script: TypeAlias = Callable[["Logger", Translated], list[bytes] | None]
"""What to send for a request; None is what a healthy logger would."""


@dataclass
class Logger:
    """A datalogger with an inverter behind it, both as simple as can be."""

    capture: str = "acs_3600_BAAA"
    protocol: int = 2
    most: int = 127
    script: Script = lambda _logger, _asked: None
    port: int = 0
    asked: list[ReadRequest | WriteRequest] = field(default_factory=list)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    inputs: dict[int, int] = field(default_factory=dict)
    holdings: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        words = json.loads((CAPTURES / self.capture / "words.json").read_text())
        self.inputs = {int(a): w for a, w in words.get("input", {}).items()}
        self.holdings = {int(a): w for a, w in words.get("holding", {}).items()}
        self.holdings |= {2 + n: 0x3535 for n in range(5)} | {64: 100, 65: 100}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        decoder = FrameDecoder()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1000):
                for frame in decoder.feed(data):
                    if isinstance(frame, Heartbeat):
                        self.heartbeats.append(frame)
                    elif isinstance(frame, Translated):
                        self.take(frame, writer)
        writer.close()

    def take(self, frame: Translated, writer: asyncio.StreamWriter) -> None:
        asked = frames.request(frame)
        assert asked is not None
        self.asked.append(asked)
        said = self.script(self, frame)
        for piece in [self.healthy(frame).to_bytes()] if said is None else said:
            writer.write(piece)

    def healthy(self, frame: Translated) -> Translated:
        asked = frames.request(frame)
        if isinstance(asked, WriteRequest):
            self.holdings.update(enumerate(asked.words, asked.register))
            return frames.write_reply(frame, protocol=self.protocol)
        assert asked is not None
        if asked.count > self.most:
            return frames.error_reply(frame, 2, protocol=self.protocol)
        space = self.holdings if asked.holding else self.inputs
        words = tuple(space.get(asked.register + n, 0) for n in range(asked.count))
        return frames.read_reply(frame, words, protocol=self.protocol)

    def say(self, *octets: bytes) -> None:
        """Say something to all who are connected."""
        for writer in self.writers:
            writer.write(b"".join(octets))

    def broadcast(self, first: int = 0, count: int = 40, serial: str = SERIAL) -> bytes:
        serials = frames.Serials(DATALOG, serial)
        asked = frames.read_request(serials, Function.READ_INPUT, first, count)
        words = tuple(self.inputs.get(first + n, 0) for n in range(count))
        return frames.read_reply(asked, words, protocol=self.protocol).to_bytes()

    def reads(self, *, holding: bool) -> list[tuple[int, int]]:
        return [
            (asked.register, asked.count)
            for asked in self.asked
            if isinstance(asked, ReadRequest) and asked.holding == holding
        ]

    @property
    def writes(self) -> list[WriteRequest]:
        return [asked for asked in self.asked if isinstance(asked, WriteRequest)]


@dataclass
class House:
    """A driver and the logger it talks to."""

    driver: LuxPowerDriver
    logger: Logger
    clock: ManualClock

    async def change(self, point: str, value: Value) -> Value | None:
        self.logger.asked.clear()
        return await self.driver.change(SettingChange(device="lux", point=point, value=value))


@contextlib.asynccontextmanager
async def a_house(logger: Logger | None = None, **settings: object) -> AsyncIterator[House]:
    logger = logger or Logger()
    clock = ManualClock(START)
    async with await asyncio.start_server(logger.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        known = {"host": "127.0.0.1", "port": port, "datalog": DATALOG, "serial": SERIAL}
        driver = LuxPowerDriver(
            "lux", LuxPowerSettings(**known | settings), clock, LONDON, patience=QUICK
        )
        try:
            async with driver:
                yield House(driver, logger, clock)
        finally:
            for writer in logger.writers:
                writer.close()


async def until(true: Callable[[], object]) -> None:
    for _ in range(300):
        if true():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")
