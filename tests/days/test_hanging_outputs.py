"""Every output hangs at once, and the house notices nothing: the loop's turns take what they took.

Each output talks to a server that accepts everything and answers nothing. The same house runs
without any output in the same test, and the two are compared.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from houses import LONDON, ToyBattery
from ohmstead import app
from ohmstead.clock import SystemClock
from ohmstead.config.build import Face
from ohmstead.model import Tick
from ohmstead.outputs.givtcp import GivtcpOutput, GivtcpSettings
from ohmstead.outputs.influx import InfluxOutput, InfluxSettings
from ohmstead.outputs.mqtt import MqttOutput, MqttSettings
from ohmstead.outputs.notify import NotifyOutput, NotifySettings
from ohmstead.outputs.prometheus import PrometheusOutput, PrometheusSettings
from ohmstead.ports import SitePort

TURNS = 25


@asynccontextmanager
async def a_deaf_server() -> AsyncIterator[int]:
    """Accept every connection and all that comes, and never say a word."""
    connected: list[asyncio.StreamWriter] = []

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)
        while await reader.read(65_536):
            pass

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in connected:
            writer.transport.abort()


def all_outputs(port: int, folder: Path) -> list[Face]:
    """Return every output there is, each talking to the deaf server."""
    common: dict[str, Any] = {"site_name": "home", "timezone": LONDON, "clock": SystemClock()}
    url = f"http://127.0.0.1:{port}"
    mqtt = MqttSettings(host="127.0.0.1", port=port, home_assistant=True)
    made: dict[str, Any] = {
        "mqtt": MqttOutput(mqtt, data_dir=folder / "mqtt", **common),
        "influx": InfluxOutput(
            InfluxSettings(url=url, bucket="power", org="home", token="secret", every_s=1),
            data_dir=folder / "influx", **common,
        ),
        "notify": NotifyOutput(
            NotifySettings(webhooks=(url,), min_interval_s=0), data_dir=folder / "notify", **common
        ),
        "givtcp": GivtcpOutput(
            GivtcpSettings(rest=False, mqtt=mqtt), data_dir=folder / "givtcp", **common
        ),
        "prometheus": PrometheusOutput(
            PrometheusSettings(listen="127.0.0.1:0"), data_dir=folder / "prometheus", **common
        ),
    }  # fmt: skip
    return [(name, output.run) for name, output in made.items()]


async def turns(folder: Path, faces: list[Face]) -> list[float]:
    """Run a house until it has taken some turns, and return how long each took."""
    took: list[float] = []
    stop = asyncio.Event()

    async def watch(site: SitePort) -> None:
        tick: Tick
        async for tick in site.ticks():
            took.append(tick.took_s)
            if len(took) >= TURNS:
                stop.set()

    battery = ToyBattery()
    plan = app.Plan(
        timezone=LONDON, devices=[(battery, 0.05)], strategies=[], data_dir=folder
    )  # fmt: skip
    async with asyncio.timeout(60):
        await app.run(plan, SystemClock(), stop, [*faces, ("watch", watch)])
    return took


@pytest.mark.timeout(150)
async def test_turns_take_no_longer_while_every_output_hangs(tmp_path: Path) -> None:
    alone = await turns(tmp_path / "alone", [])
    async with a_deaf_server() as port:
        hanging = await turns(tmp_path / "hanging", all_outputs(port, tmp_path))
    assert len(hanging) >= TURNS
    # A turn that waited for an output would wait for its timeout: seconds, not milliseconds.
    assert median(hanging) < 5 * median(alone) + 0.02
    assert max(hanging) < max(alone) + 0.25
