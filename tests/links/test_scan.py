"""A scan asks everybody once, at a bounded rate, and takes an open port for nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from ohmstead.errors import DeviceUnreachable
from ohmstead.links import scan as under_test
from ohmstead.links.scan import Found, Knock, Sightings, opened, scan

HERE = ["127.0.0.1"]


@dataclass
class Doors:
    """Listeners on this machine, and how many knocks each got."""

    ports: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """When each connection came, in the loop's seconds."""
    open_now: int = 0
    most_open: int = 0


@asynccontextmanager
async def doors(count: int, greeting: bytes = b"") -> AsyncIterator[Doors]:
    """Open *count* ports that greet, and then keep silent."""
    state = Doors()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.times.append(asyncio.get_running_loop().time())
        state.open_now += 1
        state.most_open = max(state.most_open, state.open_now)
        writer.write(greeting)
        with suppress(OSError):
            await reader.read()
        state.open_now -= 1
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    servers = [await asyncio.start_server(attend, "127.0.0.1", 0) for _ in range(count)]
    state.ports = [server.sockets[0].getsockname()[1] for server in servers]
    yield state
    for server in servers:
        server.close()
        await server.wait_closed()
    await asyncio.sleep(0)


async def greeted(host: str, port: int, patience_s: float) -> Found | None:
    """Know a device by its greeting."""
    async with opened(host, port, 1) as conversation:
        assert conversation is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                if await conversation.hear() == b"hello":
                    return Found(host=host, port=port, model="m", serial="s", settings={})
    return None


async def refusing(host: str, port: int, patience_s: float) -> Found | None:
    del port, patience_s
    raise DeviceUnreachable(host, "gone")


async def hanging(host: str, port: int, patience_s: float) -> Found | None:
    del host, port, patience_s
    await asyncio.sleep(60)
    return None


def knock(port: int, handshake: under_test.Handshake = greeted, patience_s: float = 0.2) -> Knock:
    return Knock(family="toy", port=port, handshake=handshake, patience_s=patience_s)


async def test_only_who_answers_is_found_and_who_listens_besides_is_named() -> None:
    async with doors(1) as closed:
        pass
    async with doors(1, b"hello") as right, doors(2) as cameras:
        ports = [*right.ports, *cameras.ports, *closed.ports]
        seen = await scan(HERE, [knock(port) for port in ports], per_s=1_000)
    assert [claim.found.port for claim in seen.claims] == right.ports
    assert [claim.family for claim in seen.claims] == ["toy"]
    assert sorted(seen.others) == sorted(("127.0.0.1", port) for port in cameras.ports)
    assert (seen.knocks, seen.expected) == (4, 4)


async def test_a_closed_port_is_never_handshaken() -> None:
    async with doors(1) as closed:
        pass
    seen = await scan(HERE, [knock(closed.ports[0], hanging)])
    assert (seen.knocks, seen.claims, seen.others) == (1, [], [])


async def test_no_more_than_so_many_a_second() -> None:
    async with doors(1, b"hello") as state:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await scan(HERE, [knock(state.ports[0], refusing)] * 20, per_s=20)
        took_s = loop.time() - began
    assert took_s >= 19 / 20
    first = state.times[0]
    in_half_a_second = sum(at - first < 0.5 for at in state.times)
    assert in_half_a_second <= 12


async def test_no_more_than_so_many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "_SETTLE_S", 0.01)
    async with doors(1) as state:
        await scan(HERE, [knock(state.ports[0], patience_s=0.1)] * 12, at_once=3, per_s=1_000)
    assert state.most_open <= 3
    assert len(state.times) == 24  # each was connected to twice: to look, and to ask


async def test_many_are_asked_side_by_side() -> None:
    async with doors(1) as state:
        began = asyncio.get_running_loop().time()
        await scan(HERE, [knock(state.ports[0], patience_s=0.5)] * 20, per_s=1_000)
        took_s = asyncio.get_running_loop().time() - began
    assert took_s < 5  # one after the other would be 16


@pytest.mark.parametrize("handshake", [refusing, hanging])
async def test_a_handshake_that_fails_or_hangs_spoils_nothing(
    handshake: under_test.Handshake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "_GRACE_S", 0.1)
    async with doors(1, b"hello") as right, doors(1) as other:
        knocks = [knock(other.ports[0], handshake), knock(right.ports[0])]
        seen = await scan(HERE, knocks, per_s=1_000)
    assert len(seen.claims) == 1
    assert seen.others == [("127.0.0.1", other.ports[0])]


async def test_who_stops_a_scan_keeps_what_was_found() -> None:
    kept: list[Sightings] = []
    async with doors(1, b"hello") as right, doors(1) as other:
        knocks = [knock(right.ports[0]), knock(other.ports[0], hanging, 60)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await scan(HERE, knocks, per_s=1_000, on_progress=kept.append)
    assert len(kept[-1].claims) == 1
    assert (kept[-1].knocks, kept[-1].expected) == (1, 2)


async def test_a_name_that_is_none_is_nobody() -> None:
    async with opened("a..b", 80, 0.5) as conversation:
        assert conversation is None
