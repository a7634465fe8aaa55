"""What every simulator that listens on TCP needs: clients, counted, and ended cleanly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

__all__ = ["Client", "Clients"]

_MOST_UNSENT: Final = 1 << 20
"""A client that lets this many bytes lie is cut off; the others shall not wait for it."""


class Client:
    """One connection, seen from the simulated device."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold both ends of the stream."""
        self._reader = reader
        self._writer = writer

    async def receive(self, most: int = 4_096) -> bytes:
        """Return what has arrived; nothing once the client has gone."""
        try:
            return await self._reader.read(most)
        except OSError:
            return b""

    def send(self, data: bytes) -> None:
        """Send *data*, without waiting for it to arrive."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        self._writer.write(data)
        if transport.get_write_buffer_size() > _MOST_UNSENT:
            transport.abort()

    def hang_up(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def gone(self) -> None:
        """Wait until the connection is closed for good."""
        try:
            await self._writer.wait_closed()
        except OSError:
            return


class Clients:
    """All connections of one simulated device."""

    def __init__(self, *, most: int | None = None) -> None:
        """Accept *most* at a time; one more gets its connection closed at once."""
        self.most = most
        self.connected: list[Client] = []
        self.seen = 0
        """How many have ever been accepted."""
        self.refused = 0

    def send(self, data: bytes) -> None:
        """Send *data* to everyone."""
        for client in tuple(self.connected):
            client.send(data)

    def hang_up(self) -> None:
        """Close all connections; they may come again."""
        for client in tuple(self.connected):
            client.hang_up()

    @asynccontextmanager
    async def serve(
        self,
        handle: Callable[[Client], Awaitable[None]],
        *beside: Callable[[], Awaitable[None]],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> AsyncIterator[int]:
        """Listen, yield the port, and *handle* every client in a task of its own.

        What runs *beside* is started with the server. All of it has ended when this returns.
        """
        try:
            async with (
                asyncio.TaskGroup() as group,
                self._listen(group, handle, beside, host, port) as bound,
            ):
                yield bound
        except BaseExceptionGroup as errors:
            if len(errors.exceptions) > 1:
                raise
            raise errors.exceptions[0] from None  # as it was raised, for whoever catches it

    @asynccontextmanager
    async def _listen(
        self,
        group: asyncio.TaskGroup,
        handle: Callable[[Client], Awaitable[None]],
        beside: tuple[Callable[[], Awaitable[None]], ...],
        host: str,
        port: int,
    ) -> AsyncIterator[int]:
        tasks: set[asyncio.Task[None]] = set()

        def begin(job: Awaitable[None]) -> None:
            task = group.create_task(_run(job))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            begin(self._attend(Client(reader, writer), handle))

        server = await asyncio.start_server(connected, host, port)
        for job in beside:
            begin(job())
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            self.hang_up()
            for task in tuple(tasks):
                task.cancel()

    async def _attend(self, client: Client, handle: Callable[[Client], Awaitable[None]]) -> None:
        if self.most is not None and len(self.connected) >= self.most:
            self.refused += 1
            client.hang_up()
            return
        self.connected.append(client)
        self.seen += 1
        try:
            await handle(client)
        finally:
            self.connected.remove(client)
            client.hang_up()
        await client.gone()


async def _run(job: Awaitable[None]) -> None:
    await job
