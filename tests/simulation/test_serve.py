"""Simulators serve many clients, and leave nothing behind."""

import asyncio
import socket
import struct
from collections.abc import Callable

import pytest

from ohmstead.simulation import Client, Clients


async def echo(client: Client) -> None:
    while data := await client.receive():
        client.send(data)


async def test_every_client_is_answered() -> None:
    clients = Clients()
    async with clients.serve(echo) as port:
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.close()
            await writer.wait_closed()
    assert clients.seen == 3
    assert clients.connected == []


async def test_one_word_reaches_everyone() -> None:
    clients = Clients()
    async with clients.serve(echo) as port:
        ends = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        await until(lambda: len(clients.connected) == 2)
        clients.send(b"all")
        for reader, _ in ends:
            assert await reader.readexactly(3) == b"all"
        clients.hang_up()
        for reader, writer in ends:
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()


async def test_a_client_too_many_is_shown_the_door() -> None:
    clients = Clients(most=1)
    async with clients.serve(echo) as port:
        first, first_end = await asyncio.open_connection("127.0.0.1", port)
        first_end.write(b"1")
        assert await first.readexactly(1) == b"1"
        second, second_end = await asyncio.open_connection("127.0.0.1", port)
        assert await second.read() == b""
        second_end.close()
        first_end.close()
        await first_end.wait_closed()
    assert (clients.seen, clients.refused) == (1, 1)


async def test_a_client_that_never_reads_is_cut_off() -> None:
    clients = Clients()
    async with clients.serve(echo) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await until(lambda: bool(clients.connected))
        client = clients.connected[0]
        for _ in range(40):
            client.send(b"x" * 1_000_000)
        await until(lambda: not clients.connected)
        client.send(b"too late")
        writer.close()


async def test_a_reset_connection_is_just_a_client_that_left() -> None:
    clients = Clients()
    async with clients.serve(echo) as port:
        with socket.create_connection(("127.0.0.1", port)) as rude:
            await until(lambda: bool(clients.connected))
            # Lingering for no time at all resets the connection.
            rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await until(lambda: not clients.connected)
    assert clients.seen == 1


async def test_trouble_comes_out_as_it_went_in() -> None:
    with pytest.raises(KeyError):
        async with Clients().serve(echo):
            raise KeyError

    async def broken() -> None:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - it has nothing to say
        async with Clients().serve(echo, broken):
            await asyncio.sleep(1)
    with pytest.raises(ExceptionGroup):
        async with Clients().serve(echo, broken, broken):
            await asyncio.sleep(1)


async def test_what_runs_beside_ends_with_the_server() -> None:
    ended = asyncio.Event()

    async def beside() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Clients().serve(echo, beside):
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_open_connections_do_not_keep_a_server_alive() -> None:
    clients = Clients()
    async with asyncio.timeout(5):
        async with clients.serve(echo) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"1")
            await reader.readexactly(1)
    assert await reader.read() == b""
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")
