"""From a configuration to the wire: what is set by MQTT reaches the inverter's registers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from houses import LONDON
from mqtt_house import a_broker, an_ear, mosquitto
from ohmstead import app
from ohmstead.cli.common import faces_of, plan_of
from ohmstead.clock import SystemClock
from ohmstead.config import build
from ohmstead.config.load import load
from ohmstead.devices.luxpower.simulator import LuxPowerSimulator
from ohmstead.errors import OutputError
from ohmstead.model import Tick
from ohmstead.ports import SitePort
from ohmstead.simulation import House, HouseSettings

pytestmark = pytest.mark.enable_socket

CONFIGURATION = """\
devices:
  - {{name: inverter, family: luxpower, host: 127.0.0.1, port: {device}, datalog: 2222222222,
     serial: 5555555555, pause_s: 0, poll_s: 1}}
outputs:
  - mqtt: {{host: 127.0.0.1, port: {broker}, home_assistant: true}}
  - mqtt: {{host: 127.0.0.1, port: 1, topic: nobody}}
web: {{enabled: false}}
"""
CHARGE_RATE = 64
HOME = "ohmstead/home"


async def test_a_number_set_by_home_assistant_reaches_the_inverter(tmp_path: Path) -> None:
    clock, stop = SystemClock(), asyncio.Event()
    house = House(HouseSettings(start_soc_pct=40), clock.now(), LONDON)
    inverter = LuxPowerSimulator(house, clock, LONDON)
    path = tmp_path / "ohmstead.yaml"
    async with a_broker(tmp_path) as broker, inverter.serve() as port, an_ear(broker.port) as ear:
        path.write_text(CONFIGURATION.format(device=port, broker=broker.port))
        settings = load(path)
        faces = faces_of(settings, clock, "1.2.3")
        assert [name for name, _ in faces][:2] == ["mqtt", "mqtt-2"]
        async with asyncio.TaskGroup() as group:
            group.create_task(app.run(plan_of(settings, clock), clock, stop, faces))
            where = "homeassistant/device/ohmstead-home-inverter/config"
            await ear.until(lambda: "charge_rate_pct" in ear.kept.get(where, ""), within_s=30)
            rate = json.loads(ear.kept[where])["cmps"]["charge_rate_pct"]
            assert (rate["p"], rate["min"], rate["max"]) == ("number", 0, 100)
            await ear.until(lambda: ear.kept.get(rate["stat_t"]), within_s=30)

            await ear.say(rate["cmd_t"], "37")
            answer = await ear.answer()
            assert (
                answer["said"] == "inverter: set charge_rate_pct to 37: charge_rate_pct 100 -> 37"
            )
            assert [(r, w & 0xFF) for _, r, w in inverter.writes] == [(CHARGE_RATE, 37)]
            await ear.topic(rate["stat_t"], "37")

            wish = {"mode": "charge", "minutes": 30, "id": "mine"}
            await ear.say(f"{HOME}/request", json.dumps(wish))
            await ear.topic(f"{HOME}/site/mode", "charge")
            await ear.until(lambda: "mqtt asked for charge" in ear.kept[f"{HOME}/site/reason"])
            await ear.say(f"{HOME}/site/cancel/set", "on")
            await ear.topic(f"{HOME}/site/mode", "automatic")
            stop.set()
        await ear.topic(f"{HOME}/availability", "offline")


async def test_a_broker_that_never_answers_holds_up_nobody(tmp_path: Path) -> None:
    clock, stop, mute = SystemClock(), asyncio.Event(), Mute()
    house = House(HouseSettings(start_soc_pct=40), clock.now(), LONDON)
    inverter = LuxPowerSimulator(house, clock, LONDON)
    path, ticks = tmp_path / "ohmstead.yaml", list[Tick]()

    async def follow(site: SitePort) -> None:
        async for tick in site.ticks():
            ticks.append(tick)

    async with mute.listening() as nowhere, inverter.serve() as port:
        path.write_text(CONFIGURATION.format(device=port, broker=nowhere))
        settings = load(path)
        faces = [*faces_of(settings, clock, "1.2.3"), ("test", follow)]
        async with asyncio.TaskGroup() as group:
            group.create_task(app.run(plan_of(settings, clock), clock, stop, faces))
            async with asyncio.timeout(30):
                while len(ticks) < 4 or not mute.called:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.1)
            stop.set()
    assert max(tick.took_s for tick in ticks) < 2  # the broker would be waited for 10 s


class Mute:
    """Takes every connection and says nothing."""

    def __init__(self) -> None:
        self.called = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.called += 1
        await reader.read()
        writer.close()


@pytest.mark.parametrize(
    ("more", "says"),
    [("", "connected to 127.0.0.1"), (", tls: {ca: /nowhere}", "certificates in tls")],
)
async def test_check_tries_the_broker(tmp_path: Path, more: str, says: str) -> None:
    async with a_broker(tmp_path) as broker:
        assert says in await checked(tmp_path, f"host: 127.0.0.1, port: {broker.port}{more}")


async def test_check_says_why_a_broker_cannot_be_reached(tmp_path: Path) -> None:
    lines = ("allow_anonymous false", f"password_file {tmp_path / 'passwords'}")
    (tmp_path / "passwords").write_text("")
    async with a_broker(tmp_path, *lines) as broker:
        said = await checked(tmp_path, f"host: 127.0.0.1, port: {broker.port}")
        assert "Not authorized" in said
    assert "cannot reach 127.0.0.1:1" in await checked(tmp_path, "host: 127.0.0.1, port: 1")
    assert "cannot reach" in await checked(tmp_path, "host: 'a..b'")


async def test_check_looks_for_a_broker_of_our_own(tmp_path: Path) -> None:
    mosquitto()
    assert await checked(tmp_path, "host: embedded") == "there is a broker of our own to run"


async def test_check_tries_the_broker_of_givtcps_topics_too(tmp_path: Path) -> None:
    async with a_broker(tmp_path) as broker:
        said = await checked(tmp_path, f"mqtt: {{host: 127.0.0.1, port: {broker.port}}}", "givtcp")
        assert said == f"connected to 127.0.0.1:{broker.port}"
    said = await checked(tmp_path, "mqtt: {host: 127.0.0.1, port: 1}", "givtcp")
    assert "cannot reach 127.0.0.1:1" in said
    said = await checked(tmp_path, "rest: true", "givtcp")
    assert said == "no broker is asked for; the routes will be on 127.0.0.1:6345"


async def checked(folder: Path, said: str, output: str = "mqtt") -> str:
    path = folder / "ohmstead.yaml"
    path.write_text(f"outputs: [{output}: {{{said}}}]\n")
    ((name, check),) = build.output_checks(load(path), SystemClock())
    assert name == output
    try:
        return await check()
    except OutputError as exc:
        return str(exc)
