"""Serving the page and the API: from the first request to the last, bugs included."""

import asyncio
import logging
import socket
from collections.abc import Sequence

import httpx2
import pytest

from houses import NOON
from ohmstead.clock import ManualClock
from ohmstead.errors import ConfigError
from ohmstead.model import Request
from ohmstead.web.server import serve
from ohmstead.web.settings import WebSettings
from web_site import ASite, a_browser, problem


class Answer:
    """What a bare connection was sent, up to its end."""

    def __init__(self, port: int, path: str) -> None:
        self._port, self._path, self.text = port, path, ""

    async def ask(self) -> None:
        """Ask, and wait for the first words."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.text = (await self._reader.read(4096)).decode()

    async def rest(self) -> None:
        """Wait until the other end closes."""
        async with asyncio.timeout(5):
            self.text += (await self._reader.read()).decode()
        self._writer.close()


async def test_serve_ends_with_all_its_connections_when_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    site, ready = ASite(), asyncio.Queue[int]()
    site.tell()
    settings = WebSettings(listen="127.0.0.1:0")
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(serve(site, settings, ManualClock(NOON), "1", ready.put_nowait))
        port = await ready.get()
        listener, idle = Answer(port, "/api/v1/live"), Answer(port, "/api/v1/site")
        await listener.ask()
        await idle.ask()
        assert idle.text.startswith("HTTP/1.1 200")
        serving.cancel()
    assert serving.cancelled()
    await listener.rest()
    await idle.rest()
    assert "event: tick" in listener.text
    assert listener.text.endswith("0\r\n\r\n")  # ended, not cut off
    warned = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    # How long a step took says how busy the machine is.
    assert [said for said in warned if not said.startswith("Executing ")] == []


async def test_who_comes_after_the_last_turn_is_told_it_and_sent_away() -> None:
    async with a_browser() as browser:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await browser.live.run()
        said = [event async for event in browser.live.events()]
    assert len(said) == 1


async def test_a_port_that_is_taken_is_told_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = WebSettings(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(ConfigError, match="choose another address or port"):
            await serve(ASite(), settings, ManualClock(NOON), "1")


class Buggy(ASite):
    def requests(self) -> Sequence[Request]:
        raise ZeroDivisionError("the secret of the house")


async def test_a_bug_is_a_problem_that_tells_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    site, ready = Buggy(), asyncio.Queue[int]()
    async with asyncio.TaskGroup() as group:
        settings = WebSettings(listen="127.0.0.1:0")
        serving = group.create_task(serve(site, settings, ManualClock(NOON), "1", ready.put_nowait))
        async with httpx2.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{await ready.get()}/api/v1/requests")
        serving.cancel()
    said = problem(answer, 500)
    assert "/api/v1/requests failed because of a bug" in said
    assert "secret" not in answer.text
    assert "the secret of the house" in caplog.text
