"""A GivEnergy inverter without the inverter: its data adapter, on a real socket.

Everybody on the port hears everybody's answers; one question is dealt with at a time; a
heartbeat goes out every three minutes, and whoever leaves three unanswered is hung up on. The
house lives on whenever somebody reads it; latencies are in real seconds, heartbeats in the
clock's.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

from ohmstead.clock import Clock
from ohmstead.devices.givenergy.frames import (
    Block,
    Frame,
    FrameDecoder,
    Function,
    Heartbeat,
    LanConfig,
    Null,
    Refusal,
    Request,
    Stored,
)
from ohmstead.devices.givenergy.simulator_faults import FAULTS, distorted, spoilt
from ohmstead.devices.givenergy.simulator_images import IMAGES
from ohmstead.devices.givenergy.simulator_inverter import SimulatedInverter
from ohmstead.errors import DeviceRefused
from ohmstead.simulation import Client, Clients, House, chance

__all__ = ["DongleSettings", "GivEnergySimulator"]

_LOOK_S: Final = 0.05
"""How often, in real time, it looks whether a heartbeat is due."""
_UNANSWERED: Final = 3
_MOST: Final = 60
_LOST: Final = 0.3
_BUSY_S: Final = 0.5
_TOO_MANY: Final = 20
_READS: Final = frozenset({Function.READ_HOLD, Function.READ_INPUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class DongleSettings:
    """What kind of dongle it is."""

    serial: str = "WJ2414G001"
    heartbeat_s: float = 180.0
    """How often it asks whether anybody listens."""
    most_clients: int | None = 4
    """How many it serves at a time."""
    latency_s: float = 0.0
    """How long every answer takes, in real time."""
    slow_s: float = 4.0
    """The same with the fault ``slow``."""
    batteries: int | None = None
    """How many packs; None as many as the house has."""
    refuses_absent: bool = False
    """Refuse at once what is asked of units that are not there; else it says nothing."""
    store: Path | None = None
    """A file that keeps the inverter's settings over a restart."""


class GivEnergySimulator:
    """One dongle with one inverter, and its batteries, behind it."""

    MODELS: Final = tuple(IMAGES)
    FAULTS: Final = FAULTS

    def __init__(
        self,
        house: House,
        clock: Clock,
        timezone: tzinfo,
        *,
        model: str = "hybrid_gen2",
        seed: int = 0,
        dongle: DongleSettings | None = None,
    ) -> None:
        """Take over the battery of *house*; *seed* decides what gets lost and damaged."""
        self.settings = dongle = dongle or DongleSettings()
        packs = house.battery.settings.packs if dongle.batteries is None else dongle.batteries
        self.inverter = SimulatedInverter(
            house, timezone, model=model, batteries=packs, seed=seed, store=dongle.store
        )
        self.house = house
        self.faults: set[str] = set()
        """Any of ``FAULTS``; may be changed while it runs."""
        self.clients = Clients(most=dongle.most_clients)
        self.requests: list[Request] = []
        """Every question that has come so far."""
        self.heartbeats = 0
        """How many came back."""
        self._clock = clock
        self._random = chance("givenergy", seed)
        self._turn = asyncio.Lock()
        self._due = clock.now()
        self._unanswered: dict[Client, int] = {}
        self._recent: deque[float] = deque(maxlen=_TOO_MANY)
        self._hung = False
        self._frozen: dict[tuple[int, int], Block] = {}

    @property
    def writes(self) -> list[tuple[datetime, int, int]]:
        """Every word anybody asked to write: when, where, what. Refused ones too."""
        return self.inverter.writes

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
        """Answer on *port* until left; yield the port it got."""
        self._due = self._clock.now() + timedelta(seconds=self.settings.heartbeat_s)
        async with self.clients.serve(self._attend, self._beat, host=host, port=port) as bound:
            yield bound

    # ---- what it hears --------------------------------------------------------------

    async def _attend(self, client: Client) -> None:
        self._unanswered[client] = 0
        self._hung = False
        decoder = FrameDecoder()
        try:
            while data := await client.receive():
                for frame in decoder.feed(data):
                    if isinstance(frame, Heartbeat):
                        self.heartbeats += 1
                        self._unanswered[client] = 0
                    elif isinstance(frame, Request):
                        self.requests.append(frame)
                        async with self._turn:  # there is one wire to the inverter
                            await self._serve_request(client, frame)
        finally:
            del self._unanswered[client]

    async def _serve_request(self, client: Client, asked: Request) -> None:
        if self._overrun() or "silent" in self.faults:
            return
        reply = self._reply(asked)
        if "drop" in self.faults:
            client.hang_up()
            return
        delay_s = self.settings.slow_s if "slow" in self.faults else self.settings.latency_s
        if delay_s:
            await asyncio.sleep(delay_s)
        if reply is None or ("lossy" in self.faults and self._random.random() < _LOST):
            return
        for frame in self._before(asked):
            self._say(frame)
        self._say(reply)

    def _overrun(self) -> bool:
        """Tell whether it has hung: twenty questions came faster than it can take them."""
        now = asyncio.get_running_loop().time()
        self._recent.append(now)
        crowded = len(self._recent) == _TOO_MANY and now - self._recent[0] < _TOO_MANY * _BUSY_S / 5
        self._hung = "hangs" in self.faults and (self._hung or crowded)
        return self._hung

    def _reply(self, asked: Request) -> Frame | None:
        now, dongle, serial = self._clock.now(), self.settings.serial, self.inverter.serial
        if "null" in self.faults:
            return Null(dongle=dongle, address=asked.address)
        value = 0 if "error" in self.faults else asked.value
        refusal = Refusal(
            dongle=dongle,
            address=asked.address,
            function=asked.function,
            serial=serial,
            register=asked.register,
            value=value,
        )
        if "error" in self.faults:
            return refusal
        try:
            if asked.function == Function.WRITE:
                return self._stored(asked, now)
            if asked.function in _READS and 1 <= asked.value <= _MOST:
                return self._block(asked, now)
        except DeviceRefused:
            return refusal
        return refusal if asked.function in _READS else None

    def _stored(self, asked: Request, now: datetime) -> Stored:
        self.inverter.write(asked.register, asked.value, now, deaf="deaf" in self.faults)
        return Stored(
            dongle=self.settings.serial,
            address=asked.address,
            serial=self.inverter.serial,
            register=asked.register,
            word=asked.value,
        )

    def _block(self, asked: Request, now: datetime) -> Block | None:
        words = self.inverter.read(asked.address, asked.function, asked.register, asked.value, now)
        if words is None:
            if self.settings.refuses_absent:
                raise DeviceRefused(self.inverter.model.name, f"nobody at {asked.address}", 0)
            return None
        block = Block(
            dongle=self.settings.serial,
            address=asked.address,
            function=asked.function,
            serial=self.inverter.serial,
            register=asked.register,
            words=words,
        )
        if "frozen" in self.faults and asked.address in range(0x32, 0x38):
            return self._frozen.setdefault((asked.address, asked.register), block)
        return distorted(block, self.faults)

    # ---- what it says ---------------------------------------------------------------

    def _say(self, frame: Frame) -> None:
        octets = spoilt(frame.to_bytes(), self.faults, self._random)
        if "split" in self.faults:
            middle = len(octets) // 2
            self.clients.send(b"noise" + octets[:middle])
            octets = octets[middle:]
        self.clients.send(octets)

    def _before(self, asked: Request) -> Iterator[Frame]:
        """Yield what comes before the answer: what others hear, and the dongle's own news."""
        serial, dongle = self.inverter.serial, self.settings.serial
        if "lan_config" in self.faults:
            yield LanConfig(dongle=dongle, text="192.168.1.20,255.255.255.0,192.168.1.1")
        if "foreign" in self.faults:
            yield Heartbeat(dongle=dongle)
            yield Stored(dongle=dongle, address=asked.address, serial=serial, register=250, word=7)
            if asked.function == Function.WRITE:
                yield Stored(
                    dongle=dongle,
                    address=asked.address,
                    serial=serial,
                    register=asked.register + 1,
                    word=asked.value,
                )
            else:
                yield Refusal(
                    dongle=dongle,
                    address=asked.address,
                    function=asked.function,
                    serial=serial,
                    register=asked.register + 60,
                    value=60,
                )

    async def _beat(self) -> None:
        while True:
            # Real time: a clock that only tests move must not be slept on.
            await asyncio.sleep(_LOOK_S)
            now = self._clock.now()
            if now < self._due:
                continue
            self._due = now + timedelta(seconds=self.settings.heartbeat_s)
            for client, unanswered in tuple(self._unanswered.items()):
                if unanswered >= _UNANSWERED:
                    client.hang_up()
                else:
                    self._unanswered[client] = unanswered + 1
                    client.send(Heartbeat(dongle=self.settings.serial).to_bytes())
