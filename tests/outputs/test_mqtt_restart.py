"""A broker that goes away and comes back loses no command, doubles none, and knows the state."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.client import MQTTMessage

from houses import NOON
from mqtt_house import Broker, a_broker, an_ear, told
from ohmstead.clock import ManualClock
from ohmstead.model import CommandResult, Request, SettingChange
from ohmstead.outputs.mqtt_link import Link
from ohmstead.outputs.mqtt_settings import MqttSettings
from web_site import ASite

pytestmark = pytest.mark.enable_socket

BASE = "ohmstead/home"
COMMANDS = 60


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with a_broker(tmp_path) as broker:
        yield broker


class Flow:
    """Somebody who gives command after command, and repeats what nobody acknowledged."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.given = 0

    async def give(self, count: int) -> None:
        while self.given < count:
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client("127.0.0.1", self.port, timeout=2) as client:
                    while self.given < count:
                        await client.publish(f"{BASE}/request", command(self.given), qos=1)
                        self.given += 1
                        await asyncio.sleep(0.02)
            await asyncio.sleep(0.05)


def command(number: int) -> str:
    change = {"device": "inverter", "point": "charge_w", "value": number, "id": f"command {number}"}
    return json.dumps(change)


async def test_a_restart_in_mid_stream_loses_and_doubles_no_command(broker: Broker) -> None:
    site = ASite()
    async with told(site, broker.port), asyncio.TaskGroup() as group:
        await until_online(broker)
        site.tell()
        flow = Flow(broker.port)
        giving = group.create_task(flow.give(COMMANDS))
        for _ in range(3):
            await asyncio.sleep(0.3)
            await broker.stop()
            await broker.start()
        await giving
        await until_asked(site, COMMANDS)
        await asyncio.sleep(0.5)
    done = [r.want.value for r in site.asked if isinstance(r.want, SettingChange)]
    assert sorted(done) == list(range(COMMANDS))


async def test_every_command_is_answered_even_those_done_while_the_broker_was_away(
    broker: Broker,
) -> None:
    class Slow(ASite):
        async def ask(self, request: Request) -> CommandResult | None:
            began.set()
            await go_on.wait()
            return await super().ask(request)

    began, go_on = asyncio.Event(), asyncio.Event()
    site = Slow()
    async with told(site, broker.port):
        await until_online(broker)
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.publish(f"{BASE}/inverter/charge_w/set", "5", qos=1)
            await began.wait()
        await broker.stop()
        go_on.set()
        await asyncio.sleep(0.1)
        await broker.start()
        async with an_ear(broker.port) as ear:
            assert (await ear.answer())["outcome"] == "applied"
    assert len(site.asked) == 1


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
async def test_state_is_right_after_a_restart(broker: Broker, *, kill: bool) -> None:
    site = ASite()
    async with told(site, broker.port):
        await until_online(broker)
        site.tell()
        async with an_ear(broker.port) as ear:
            await ear.topic(f"{BASE}/inverter/charge_w", "2000")
            await ear.topic(f"{BASE}/site/import_per_kwh", "0.05")
        await broker.stop(kill=kill)
        site.tell(31)
        await asyncio.sleep(0.2)
        await broker.start()
        async with an_ear(broker.port) as ear:
            await ear.topic(f"{BASE}/site/import_per_kwh", "0.3")
            await ear.topic(f"{BASE}/availability", "online")
            await ear.topic(f"{BASE}/inverter/availability", "online")
            await ear.topic(f"{BASE}/inverter/charge_w", "2000")


async def test_commands_given_while_ohmstead_was_not_there_are_of_another_time(
    broker: Broker,
) -> None:
    site = ASite()
    async with told(site, broker.port):
        await until_online(broker)
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish(f"{BASE}/inverter/charge_w/set", "5", qos=1)
    async with told(site, broker.port), an_ear(broker.port) as ear:
        await ear.topic(f"{BASE}/availability", "online")
        await ear.quiet()
    assert site.asked == []


async def test_what_the_broker_repeats_is_carried_out_once() -> None:
    link = a_link()
    link._hear(a_message(7, "5"))
    link._heard_before, link._heard = link._heard, {}
    link._hear(a_message(7, "5", dup=True))
    link._hear(a_message(8, "5", dup=True))
    link._hear(a_message(7, "6", dup=True))
    link._hear(a_message(7, "5"))
    payloads = [link.incoming.get_nowait().payload for _ in range(link.incoming.qsize())]
    assert payloads == [b"5", b"5", b"6", b"5"]


async def test_a_flood_is_cut_off() -> None:
    link = a_link()
    for number in range(1, 1200):
        link._hear(a_message(number, "5"))
    assert link.incoming.qsize() == 1000
    assert len(link._heard) == 200


def a_link() -> Link:
    return Link(MqttSettings(host="nowhere"), "me", "gone", ["x/set"], ManualClock(NOON))


def a_message(mid: int, payload: str, *, dup: bool = False) -> MQTTMessage:
    message = MQTTMessage(mid, b"x/set")
    message.payload, message.qos, message.dup = payload.encode(), 1, dup
    return message


async def until_online(broker: Broker) -> None:
    async with an_ear(broker.port) as ear:
        await ear.topic(f"{BASE}/availability", "online")


async def until_asked(site: ASite, count: int) -> None:
    async with asyncio.timeout(15):
        while len(site.asked) < count:  # noqa: ASYNC110 - the site tells nobody
            await asyncio.sleep(0.05)
