"""Knocks on many doors at a bounded rate, and believes only whoever answers in its protocol."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from ohmstead.errors import DeviceError

__all__ = ["Claim", "Conversation", "Found", "Handshake", "Knock", "Sightings", "opened", "scan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A device that answered, and what its entry in a configuration needs."""

    host: str
    port: int
    model: str
    """Empty if it did not say."""
    serial: str
    """Empty if it did not say."""
    settings: Mapping[str, str | int]
    """The entry's keys beside name and family; a port only where it is not the usual one."""
    confirmed: bool = True
    """Whether it spoke its protocol. What did not is a guess: shown, never written down."""
    note: str = ""
    """What the owner should know or do about it."""
    called: str = "inverter"
    """What to name it where the owner gave it no name."""


Handshake: TypeAlias = Callable[[str, int, float], Awaitable[Found | None]]
"""Asks host and port, with some patience in seconds, whether a device of its family is there.

None: something else listens, or nobody. Only a valid frame of its protocol makes a claim.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """How one family is asked."""

    family: str
    port: int
    handshake: Handshake
    patience_s: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What was found, and by which family's handshake."""

    family: str
    found: Found


@dataclass(slots=True)
class Sightings:
    """How far a scan has come."""

    expected: int
    """How many knocks there will be."""
    knocks: int = 0
    """How many were made, answered or not."""
    claims: list[Claim] = field(default_factory=list)
    others: list[tuple[str, int]] = field(default_factory=list)
    """Where a port is open and none of our protocols is spoken: cameras, servers."""


async def scan(
    addresses: Sequence[str],
    knocks: Sequence[Knock],
    *,
    at_once: int = 64,
    per_s: float = 100.0,
    connect_s: float = 0.5,
    on_progress: Callable[[Sightings], None] | None = None,
) -> Sightings:
    """Make every one of *knocks* at each of *addresses*, *per_s* a second, *at_once* at most.

    *on_progress* gets the same object again and again, at first before anything was asked: who
    cancels a scan keeps what it had found.
    """
    seen = Sightings(expected=len(addresses) * len(knocks))
    tell = on_progress or (lambda _: None)
    tell(seen)
    room = asyncio.Semaphore(at_once)
    pace = _Pace(per_s)

    async def attend(host: str, knock: Knock) -> None:
        try:
            await _knock(host, knock, connect_s, seen)
        finally:
            room.release()
        seen.knocks += 1
        tell(seen)

    async with asyncio.TaskGroup() as group:
        for host in addresses:
            for knock in knocks:
                await pace.next()
                await room.acquire()
                group.create_task(attend(host, knock), name=f"{knock.family} at {host}")
    return seen


async def _knock(host: str, knock: Knock, connect_s: float, seen: Sightings) -> None:
    if not await _open(host, knock.port, connect_s):
        return
    await asyncio.sleep(_SETTLE_S)
    found = None
    # A handshake keeps its own time; this only bounds one that does not.
    with contextlib.suppress(OSError, EOFError, DeviceError):
        async with asyncio.timeout(knock.patience_s + _GRACE_S):
            found = await knock.handshake(host, knock.port, knock.patience_s)
    if found is None:
        seen.others.append((host, knock.port))
    else:
        seen.claims.append(Claim(family=knock.family, found=found))


async def _open(host: str, port: int, connect_s: float) -> bool:
    """Tell whether anybody accepts connections there."""
    async with opened(host, port, connect_s) as conversation:
        return conversation is not None


@dataclass(frozen=True, slots=True)
class Conversation:
    """One connection, for as long as a handshake takes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def hear(self) -> bytes:
        """Return what comes next; nothing once the other end has hung up."""
        try:
            return await self.reader.read(_CHUNK)
        except OSError:
            return b""

    def say(self, octets: bytes) -> None:
        """Send *octets*, without waiting for them to arrive."""
        if not self.writer.transport.is_closing():
            self.writer.write(octets)


@contextlib.asynccontextmanager
async def opened(host: str, port: int, connect_s: float) -> AsyncIterator[Conversation | None]:
    """Hold a connection to *host*, or None if there is none within *connect_s*."""
    conversation = await _connect(host, port, connect_s)
    try:
        yield conversation
    finally:
        if conversation is not None:
            conversation.writer.transport.abort()
            with contextlib.suppress(OSError):
                await conversation.writer.wait_closed()


async def _connect(host: str, port: int, connect_s: float) -> Conversation | None:
    try:
        async with asyncio.timeout(connect_s):
            return Conversation(*await asyncio.open_connection(host, port))
    except (OSError, UnicodeError):  # the latter for a host like "a..b"
        return None


class _Pace:
    """Lets one through every so often."""

    def __init__(self, per_s: float) -> None:
        self._gap_s = 1 / per_s
        self._due = 0.0

    async def next(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._due = max(self._due, now) + self._gap_s
        await asyncio.sleep(self._due - self._gap_s - now)


_CHUNK: Final = 4096
_SETTLE_S: Final = 0.3
"""Left to a device that serves one client, to notice that the first connection is over."""
_GRACE_S: Final = 15.0
"""What a handshake may take beyond its patience: to connect, and to ask who it is."""
