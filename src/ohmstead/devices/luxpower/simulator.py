"""A LuxPower inverter without the inverter: its datalogger, on a real socket.

Everybody on the port hears everybody's answers, broadcasts come unasked, and the logger is
silent towards whoever does not know both serial numbers. Its house lives on whenever somebody
reads it; latencies and faults are in real seconds, broadcasts in the clock's.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

from ohmstead.clock import Clock
from ohmstead.devices.luxpower.frames import (
    FrameDecoder,
    Function,
    Heartbeat,
    Parameter,
    ReadRequest,
    Serials,
    Translated,
    WriteRequest,
    error_reply,
    parameter_asked,
    read_parameter_reply,
    read_reply,
    read_request,
    request,
    write_parameter_reply,
    write_reply,
    write_single,
)
from ohmstead.devices.luxpower.registers import MODELS
from ohmstead.devices.luxpower.simulator_faults import FAULTS, spoilt
from ohmstead.devices.luxpower.simulator_inverter import (
    BUSY,
    ILLEGAL_ADDRESS,
    SimulatedInverter,
)
from ohmstead.errors import DeviceRefused
from ohmstead.simulation import Client, Clients, House, chance

__all__ = ["LoggerSettings", "LuxPowerSimulator"]

_LOOK_S: Final = 0.05
"""How often, in real time, it looks whether a broadcast is due."""
_LEGACY_BLOCK: Final = 40
_STRANGER: Final = "9999999999"
_OTHERS_REGISTER: Final = 85
_OTHERS_WORD: Final = 7
_PORTAL: Final = ReadRequest(holding=True, register=0, count=80)
_STALE: Final = ReadRequest(holding=False, register=0, count=40)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggerSettings:
    """What kind of datalogger it is; None follows from the model."""

    datalog: str = "2222222222"
    serial: str = "5555555555"
    protocol: int | None = None
    """1, 2 or 5."""
    block_limit: int | None = None
    """How many registers it gives in one answer."""
    keep_to_blocks: bool = False
    """Whether a read across a multiple of 40 is refused."""
    fan_out: bool = True
    """Whether everybody hears everybody's answers."""
    most_clients: int | None = None
    """How many it serves at a time."""
    broadcast_s: float | None = 120.0
    """How often it speaks unasked; None is never."""
    blocks: tuple[int, ...] | None = None
    """The lengths of the blocks it then sends."""
    needs_echo: bool = False
    """Whether it sends them only when its heartbeat was answered."""
    latency_s: float = 0.0
    """How long every answer takes, in real time."""
    slow_s: float = 8.0
    """The same with the fault ``slow``."""
    drift_s_per_day: float = 0.0
    """How fast the inverter's clock runs away."""
    store: Path | None = None
    """A file that keeps the inverter's settings over a restart."""


class LuxPowerSimulator:
    """One datalogger with one inverter behind it."""

    MODELS: Final = tuple(MODELS)
    FAULTS: Final = FAULTS

    def __init__(
        self,
        house: House,
        clock: Clock,
        timezone: tzinfo,
        *,
        model: str = "acs_3600",
        seed: int = 0,
        logger: LoggerSettings | None = None,
    ) -> None:
        """Take over the battery of *house*; *seed* decides what gets garbled."""
        self.settings = logger = logger or LoggerSettings()
        self.inverter = SimulatedInverter(
            house,
            timezone,
            model=model,
            serial=logger.serial,
            drift_s_per_day=logger.drift_s_per_day,
            store=logger.store,
        )
        image = self.inverter.image
        self.house = house
        self.serials = Serials(logger.datalog, logger.serial)
        self.protocol = logger.protocol or image.protocol
        self.faults: set[str] = set()
        """Any of ``FAULTS``; may be changed while it runs."""
        self.clients = Clients(most=logger.most_clients)
        self.requests = 0
        """How many proper questions have come so far."""
        self.echoes = 0
        """How many heartbeats came back."""
        self._block_limit = logger.block_limit or image.block_limit
        self._blocks = logger.blocks or image.blocks
        self._clock = clock
        self._random = chance("luxpower", seed)
        self._turn = asyncio.Lock()
        self._due = clock.now()
        self._echo_awaited = False
        self._stale = self._answer(_STALE, self.serials).to_bytes()

    @property
    def writes(self) -> list[tuple[datetime, int, int]]:
        """Every word anybody asked to write: when, where, what. Refused ones too."""
        return self.inverter.writes

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
        """Answer on *port* until left; yield the port it got."""
        self._due = self._clock.now() + timedelta(seconds=self.settings.broadcast_s or 0)
        beside = () if self.settings.broadcast_s is None else (self._broadcast,)
        async with self.clients.serve(self._attend, *beside, host=host, port=port) as bound:
            yield bound

    # ---- what it hears --------------------------------------------------------------

    async def _attend(self, client: Client) -> None:
        if "stale_at_connect" in self.faults:
            client.send(self._stale[50:] + self._stale)
        decoder = FrameDecoder()
        while data := await client.receive():
            for frame in decoder.feed(data):
                await self._hear(client, frame)

    async def _hear(self, client: Client, frame: Heartbeat | Parameter | Translated) -> None:
        if frame.datalog != self.serials.datalog:
            return
        match frame:
            case Heartbeat():
                self.echoes += 1
                if self._echo_awaited:
                    self._echo_awaited = False
                    self._say_blocks()
            case Parameter():
                self._parameter(client, frame)
            case Translated() if frame.inverter == self.serials.inverter:
                self.requests += 1
                async with self._turn:  # there is one wire to the inverter
                    await self._serve_request(client, frame)
            case _:
                return

    def _parameter(self, client: Client, frame: Parameter) -> None:
        number = parameter_asked(frame)
        if frame.write and number is not None:
            reply = write_parameter_reply(self.protocol, self.serials.datalog, number & 0xFF)
        elif number == 0:
            seconds = int(self.settings.broadcast_s or 0).to_bytes(2, "little")
            reply = read_parameter_reply(self.protocol, self.serials.datalog, 0, seconds)
        else:
            return  # real ones are silent about most of them
        self._say(reply, client)

    async def _serve_request(self, client: Client, asked: Translated) -> None:
        wanted = request(asked)
        if wanted is None:
            return
        reply = self._reply(asked, wanted)
        if "silent" in self.faults:
            return
        if "drop" in self.faults:
            client.hang_up()
            return
        delay_s = self.settings.slow_s if "slow" in self.faults else self.settings.latency_s
        if delay_s:
            await asyncio.sleep(delay_s)
        if "foreign" in self.faults:
            for frame in self._foreign(asked, wanted):
                self._say(frame, client)
        self._say(reply, client)

    def _reply(self, asked: Translated, wanted: ReadRequest | WriteRequest) -> Translated:
        if "busy" in self.faults:
            return error_reply(asked, BUSY, protocol=self.protocol)
        now = self._clock.now()
        try:
            if isinstance(wanted, ReadRequest):
                return read_reply(asked, self._read(wanted, now), protocol=self.protocol)
            self.inverter.write(wanted.register, wanted.words, now, deaf="deaf" in self.faults)
        except DeviceRefused as exc:
            return error_reply(asked, exc.code, protocol=self.protocol)
        return write_reply(asked, protocol=self.protocol)

    def _read(self, wanted: ReadRequest, now: datetime) -> tuple[int, ...]:
        first, last = wanted.register, wanted.register + wanted.count - 1
        crosses = first // _LEGACY_BLOCK != last // _LEGACY_BLOCK
        if wanted.count > self._block_limit or (self.settings.keep_to_blocks and crosses):
            raise DeviceRefused(self.serials.inverter, "too many registers", ILLEGAL_ADDRESS)
        return self.inverter.read(
            holding=wanted.holding, register=first, count=wanted.count, now=now
        )

    # ---- what it says ---------------------------------------------------------------

    def _say(self, frame: Heartbeat | Parameter | Translated, client: Client | None = None) -> None:
        octets = spoilt(frame.to_bytes(), self.faults, self._random)
        if client is None or self.settings.fan_out:
            self.clients.send(octets)
        else:
            client.send(octets)

    async def _broadcast(self) -> None:
        while True:
            # Real time: a clock that only tests move must not be slept on.
            await asyncio.sleep(_LOOK_S)
            now = self._clock.now()
            if now < self._due or "silent" in self.faults:
                continue
            self._due = now + timedelta(seconds=self.settings.broadcast_s or 0)
            payload = bytes([self.inverter.image.heartbeat])
            self._say(
                Heartbeat(protocol=self.protocol, datalog=self.serials.datalog, payload=payload)
            )
            self._echo_awaited = self.settings.needs_echo
            if not self.settings.needs_echo:
                self._say_blocks()

    def _say_blocks(self) -> None:
        first = 0
        for count in self._blocks:
            wanted = ReadRequest(holding=False, register=first, count=count)
            self._say(self._answer(wanted, self.serials))
            first += count

    def _answer(self, wanted: ReadRequest, serials: Serials) -> Translated:
        """Return the answer to a question that somebody else asked."""
        function = Function.READ_HOLD if wanted.holding else Function.READ_INPUT
        asked = read_request(serials, function, wanted.register, wanted.count)
        words = self.inverter.read(
            holding=wanted.holding,
            register=wanted.register,
            count=wanted.count,
            now=self._clock.now(),
        )
        return read_reply(asked, words, protocol=self.protocol)

    def _foreign(
        self, asked: Translated, wanted: ReadRequest | WriteRequest
    ) -> Iterator[Translated]:
        """Yield what others hear just then: their own echo, another inverter's, the portal's."""
        (present,) = self.inverter.holdings.read(_OTHERS_REGISTER, 1)
        theirs = write_single(self.serials, _OTHERS_REGISTER, present)
        yield write_reply(theirs, protocol=self.protocol)
        stranger = Serials(self.serials.datalog, _STRANGER)
        if isinstance(wanted, WriteRequest):
            other = write_single(stranger, wanted.register, wanted.words[0] ^ 1)
            yield write_reply(other, protocol=self.protocol)
            yield self._answer(_PORTAL, self.serials)
        else:
            words = (_OTHERS_WORD,) * wanted.count
            other = read_request(stranger, asked.function, wanted.register, wanted.count)
            yield read_reply(other, words, protocol=self.protocol)
