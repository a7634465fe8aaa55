"""Runs an ASGI application inside the caller's tasks, without touching the program's signals."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from ohmstead.errors import ConfigError

__all__ = ["listening"]

_GRACE_S: Final = 1


class _Server(uvicorn.Server):
    """A server that leaves the program's signal handlers alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@asynccontextmanager
async def listening(app: ASGIApp, host: str, port: int) -> AsyncIterator[int]:
    """Serve *app* for as long as the block lasts; yields the port, a free one for port 0.

    Raises ``ConfigError`` if the address cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as exc:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {exc.strerror}; is another program there? "
            "choose another address or port"
        ) from exc
    application: Any = app  # starlette and uvicorn have types of their own for one interface
    config = uvicorn.Config(
        application, log_config=None, access_log=False, lifespan="off", ws="none",
        timeout_graceful_shutdown=_GRACE_S, server_header=False,
    )  # fmt: skip
    server = _Server(config)
    with listener:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve(sockets=[listener]))
            while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
                await asyncio.sleep(0.005)
            try:
                yield listener.getsockname()[1]
            finally:
                server.should_exit = True
                # Also where the block was cancelled: cut off, the server would leave its
                # connections open, and go on answering whoever is at their other end.
                await asyncio.wait([serving])
