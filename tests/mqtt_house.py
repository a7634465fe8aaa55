"""A real mosquitto on a free port, a listener of its own, and the output between; for tests."""

import asyncio
import json
import os
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiomqtt
import pytest

from ohmstead.clock import SystemClock
from ohmstead.outputs.broker import find_mosquitto
from ohmstead.outputs.mqtt import MqttOutput, MqttSettings
from ohmstead.ports import SitePort

LONDON = ZoneInfo("Europe/London")


def mosquitto() -> str:
    program = find_mosquitto()
    if program is None and os.environ.get("CI"):
        pytest.fail("mosquitto is not installed, and CI must have it")
    if program is None:
        pytest.skip("mosquitto is not installed here")
    return program


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Broker:
    """A mosquitto of the test's own, which can be stopped and started."""

    folder: Path
    port: int = field(default_factory=free_port)
    lines: tuple[str, ...] = ("allow_anonymous true",)
    child: Process | None = None

    async def start(self) -> None:
        conf = self.folder / "test.conf"
        text = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {self.folder}/",
            "user root",
            "log_dest none",
            *self.lines,
        ]
        conf.write_text("\n".join(text) + "\n")
        self.child = await asyncio.create_subprocess_exec(
            mosquitto(), "-c", str(conf), stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(10):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    await writer.wait_closed()
                    return
                await asyncio.sleep(0.02)

    async def stop(self, *, kill: bool = False) -> None:
        if self.child is None:
            return
        if kill:
            self.child.kill()
        else:
            self.child.terminate()
        await self.child.wait()
        self.child = None


@asynccontextmanager
async def a_broker(folder: Path, *lines: str) -> AsyncIterator[Broker]:
    broker = Broker(folder, lines=lines or ("allow_anonymous true",))
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


@dataclass
class Ear:
    """Somebody else at the broker: hears everything, and says what the test wants."""

    client: aiomqtt.Client
    kept: dict[str, str] = field(default_factory=dict)
    """The newest payload of each topic."""
    heard: list[tuple[str, str]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        async for message in self.client.messages:
            text = bytes(message.payload).decode(errors="replace")
            self.kept[str(message.topic)] = text
            self.heard.append((str(message.topic), text))
            self.news.set()

    async def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        await self.client.publish(topic, payload, qos=1, retain=retain)

    async def until(self, ready: Callable[[], Any], within_s: float = 10) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not ready():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            raise AssertionError(f"did not happen; heard last: {self.heard[-20:]}") from None

    async def quiet(self, for_s: float = 0.4) -> None:
        with suppress(TimeoutError):
            while True:
                self.news.clear()
                async with asyncio.timeout(for_s):
                    await self.news.wait()

    async def topic(self, topic: str, payload: str) -> None:
        await self.until(lambda: self.kept.get(topic) == payload)

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(text) for topic, text in self.heard if topic.endswith("/result")]

    async def answer(self, number: int = 1) -> dict[str, Any]:
        await self.until(lambda: len(self.answers()) >= number)
        return self.answers()[number - 1]


@asynccontextmanager
async def an_ear(
    port: int, username: str | None = None, password: str | None = None
) -> AsyncIterator[Ear]:
    async with (
        aiomqtt.Client(
            "127.0.0.1", port, username=username, password=password, timeout=3
        ) as client,
        asyncio.TaskGroup() as group,
    ):
        await client.subscribe("#", qos=1)
        ear = Ear(client)
        listening = group.create_task(ear.listen())
        try:
            yield ear
        finally:
            listening.cancel()


@asynccontextmanager
async def told(
    site: SitePort, port: int, data_dir: Path | None = None, **more: object
) -> AsyncIterator[MqttOutput]:
    """Run the output for *site* against the broker at *port*."""
    given: Mapping[str, Any] = {"host": "127.0.0.1", "port": port, **more}
    output = MqttOutput(
        MqttSettings(**given),
        site_name="home",
        timezone=LONDON,
        clock=SystemClock(),
        data_dir=data_dir,
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(output.run(site))
        try:
            yield output
        finally:
            running.cancel()
