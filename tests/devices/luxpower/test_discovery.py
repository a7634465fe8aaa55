"""A datalogger is known by what it says by itself; an open port alone proves nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from houses import LONDON
from luxpower_station import VECTORS
from ohmstead.clock import SystemClock
from ohmstead.config.catalogue import FAMILIES, validator
from ohmstead.devices.luxpower.discovery import PORT, handshake
from ohmstead.devices.luxpower.frames import FrameDecoder, Heartbeat
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.simulation import House, HouseSettings

CHATTY = LoggerSettings(broadcast_s=0.2)


def a_simulator(logger: LoggerSettings = CHATTY, model: str = "acs_3600") -> LuxPowerSimulator:
    clock = SystemClock()
    house = House(
        HouseSettings(), clock.now(), LONDON, pv_at=lambda _: 0.0, load_at=lambda _: 500.0
    )
    return LuxPowerSimulator(house, clock, LONDON, model=model, logger=logger)


@asynccontextmanager
async def served(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """Serve every connection so; yield the port."""

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await serve(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(attend, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass


async def of_pages(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    await writer.drain()


async def that_hangs_up_when_asked(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.readline()


async def that_greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    await silent(reader, writer)


async def full(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    return


@pytest.mark.parametrize("model", ["acs_3600", "lxp_12k", "eg4_12kpv"])
async def test_a_datalogger_that_speaks_is_found_with_both_serials_and_its_model(
    model: str,
) -> None:
    async with a_simulator(model=model).serve() as port:
        found = await handshake("127.0.0.1", port, 3)
    assert found is not None
    assert found.confirmed
    assert (found.model, found.serial, found.note) == (model, "5555555555", "")
    assert found.settings == {
        "host": "127.0.0.1", "port": port, "datalog": "2222222222", "serial": "5555555555",
    }  # fmt: skip
    validator(FAMILIES["luxpower"].settings).validate_python(dict(found.settings))


async def test_one_that_waits_for_its_heartbeat_to_come_back_gets_it() -> None:
    simulator = a_simulator(LoggerSettings(broadcast_s=0.2, needs_echo=True))
    async with simulator.serve() as port:
        found = await handshake("127.0.0.1", port, 3)
    assert found is not None
    assert found.serial == "5555555555"
    assert simulator.echoes >= 1


async def test_nothing_is_written_to_it() -> None:
    simulator = a_simulator()
    async with simulator.serve() as port:
        await handshake("127.0.0.1", port, 3)
    assert simulator.writes == []
    assert simulator.requests == 1


@pytest.mark.parametrize("fault", ["stale_at_connect", "duplicate", "foreign"])
async def test_a_bad_wire_hides_nobody(fault: str) -> None:
    simulator = a_simulator()
    simulator.faults.add(fault)
    async with simulator.serve() as port:
        found = await handshake("127.0.0.1", port, 3)
    assert found is not None
    assert found.serial == "5555555555"


async def test_one_that_broadcasts_but_answers_nothing_has_no_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ohmstead.devices.luxpower.discovery._REPLY_S", 0.2)

    async def broadcasting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(VECTORS["G10"])
        await silent(reader, writer)

    async with served(broadcasting) as port:
        found = await handshake("127.0.0.1", port, 1)
    assert found is not None
    assert found.confirmed
    assert found.model == ""
    assert found.serial


async def test_a_datalogger_without_its_inverter_is_told_what_to_add(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ohmstead.devices.luxpower.discovery._FOLLOW_S", 0.2)
    heard = FrameDecoder()
    echoed: list[object] = []

    async def beating(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(Heartbeat(protocol=2, datalog="BA12345678").to_bytes())
        while data := await reader.read(4096):
            echoed.extend(heard.feed(data))

    async with served(beating) as port:
        found = await handshake("127.0.0.1", port, 1)
    assert found is not None
    assert found.confirmed
    assert "on its sticker" in found.note
    assert found.settings == {"host": "127.0.0.1", "port": port, "datalog": "BA12345678"}
    assert Heartbeat(protocol=2, datalog="BA12345678") in echoed


async def test_silence_is_a_candidate_and_says_how_to_make_sure() -> None:
    async with a_simulator(LoggerSettings(broadcast_s=None)).serve() as port:
        found = await handshake("127.0.0.1", port, 0.3)
    assert found is not None
    assert not found.confirmed
    assert "try --patience 130" in found.note
    assert found.settings == {"host": "127.0.0.1"}


async def test_a_camera_that_keeps_silent_is_never_confirmed() -> None:
    async with served(silent) as port:
        found = await handshake("127.0.0.1", port, 0.3)
    assert found is not None
    assert not found.confirmed


@pytest.mark.parametrize("server", [of_pages, that_hangs_up_when_asked, that_greets])
async def test_somebody_else_is_nobody(
    server: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    async with served(server) as port:
        assert await handshake("127.0.0.1", port, 0.5) is None


async def test_a_datalogger_that_serves_somebody_already_is_a_candidate() -> None:
    async with served(full) as port:
        found = await handshake("127.0.0.1", port, 0.3)
    assert found is not None
    assert not found.confirmed
    assert "another program" in found.note


async def test_a_closed_port_is_nobody() -> None:
    async with served(silent) as port:
        pass
    assert await handshake("127.0.0.1", port, 0.3) is None


def test_the_usual_port_is_not_written_down() -> None:
    assert FAMILIES["luxpower"].port == PORT
    assert FAMILIES["luxpower"].handshake is handshake
