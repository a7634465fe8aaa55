"""Home Assistant's picture keeps in step: with its own starts, and with what comes and goes."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from houses import POINTS, ToyBattery
from mqtt_house import Broker, Ear, a_broker, an_ear, told
from ohmstead.model import Prices
from ohmstead.outputs.mqtt_settings import HomeAssistantSettings
from web_site import EVERY_KIND, ASite

pytestmark = pytest.mark.enable_socket

DEVICE = "homeassistant/device/ohmstead-home-inverter/config"
SITE = "homeassistant/device/ohmstead-home-site/config"
ONE = "homeassistant/number/ohmstead-home-inverter/charge_w/config"
COMPONENT = HomeAssistantSettings(form="component")


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with a_broker(tmp_path) as broker:
        yield broker


async def test_devices_and_the_house_are_told_with_their_state(broker: Broker) -> None:
    site = ASite()
    async with told(site, broker.port, home_assistant=True), an_ear(broker.port) as ear:
        await online(ear)
        site.tell()
        await ear.until(lambda: DEVICE in ear.kept and SITE in ear.kept)
        await ear.quiet()
        whole = json.loads(ear.kept[DEVICE])
        assert {one["stat_t"] for one in whole["cmps"].values() if "stat_t" in one} <= {
            *ear.kept, *[f"ohmstead/home/inverter/{key}" for key in EVERY_KIND]
        }  # fmt: skip
        for topic in whole["avty"]:
            assert ear.kept[topic["t"]] == "online"
        command = whole["cmps"]["charge_w"]["cmd_t"]
        await ear.say(command, "1500")
        assert (await ear.answer())["outcome"] == "applied"


async def test_a_device_that_has_not_answered_yet_is_not_told(broker: Broker) -> None:
    site = ASite()
    async with told(site, broker.port, home_assistant=True), an_ear(broker.port) as ear:
        await online(ear)
        site.tell(trouble="silent")
        await ear.until(lambda: SITE in ear.kept)
        await ear.quiet()
        assert DEVICE not in ear.kept
        site.tell(1)
        await ear.until(lambda: DEVICE in ear.kept)


async def test_at_its_birth_everything_is_told_again(broker: Broker) -> None:
    site = ASite()
    async with told(site, broker.port, home_assistant=True), an_ear(broker.port) as ear:
        await online(ear)
        site.tell()
        await ear.until(lambda: DEVICE in ear.kept)
        await ear.quiet()
        ear.heard.clear()
        for payload in ("offline", "online", "online"):
            await ear.say("homeassistant/status", payload)
        await ear.until(lambda: SITE in dict(ear.heard), within_s=14)
        await ear.quiet()
        again = [topic for topic, _ in ear.heard]
        assert again.count(DEVICE) == 1
        assert again.count("ohmstead/home/inverter/charge_w") == 1
        assert ear.answers() == []


async def test_a_point_that_goes_takes_its_entity_along(broker: Broker) -> None:
    site = ASite()
    async with told(site, broker.port, home_assistant=True), an_ear(broker.port) as ear:
        await online(ear)
        site.tell()
        await ear.until(lambda: DEVICE in ear.kept)
        await ear.quiet()
        ear.heard.clear()
        site.battery.points = POINTS
        site.tell(1)
        await ear.until(lambda: len(told_at(ear, DEVICE)) == 2)
        parting, last = (json.loads(payload)["cmps"] for payload in told_at(ear, DEVICE))
        assert parting["starts"] == {"p": "text"}
        assert parting["charge_w"] == last["charge_w"]
        assert set(last) == set(POINTS)


async def test_prices_are_told_of_once_there_are_some_and_from_then_on(broker: Broker) -> None:
    site = ASite()
    tick = site.tell()
    for prices in (tick.snapshot.prices, Prices()):
        async with told(site, broker.port, home_assistant=True), an_ear(broker.port) as ear:
            await online(ear)
            ear.kept.pop(SITE, None)
            site.hub.tell(replace(tick, snapshot=replace(tick.snapshot, prices=prices)))
            await ear.until(lambda: SITE in ear.kept)
            await ear.quiet()
            keys = set(json.loads(ear.kept[SITE])["cmps"])
            assert "import_per_kwh" in keys
            assert "export_per_kwh" not in keys


async def test_what_went_between_two_runs_is_taken_back(broker: Broker) -> None:
    async with an_ear(broker.port) as ear:
        shed = "homeassistant/device/ohmstead-home-shed/config"
        other = "homeassistant/device/zigbee/config"
        old = {"cmps": {"gone": {"p": "sensor"}, "charge_w": {"p": "sensor"}}}
        await ear.say("ohmstead/home/shed/pv_w", "5", retain=True)
        await ear.say(shed, "{}", retain=True)
        await ear.say(other, "{}", retain=True)
        await ear.say(DEVICE, json.dumps(old), retain=True)
        await ear.quiet()
        site = ASite()
        async with told(site, broker.port, home_assistant=True):
            await online(ear)
            site.tell()
            await ear.topic(shed, "")
            await ear.until(lambda: len(told_at(ear, DEVICE)) == 3)
            _, parting, last = (json.loads(text)["cmps"] for text in told_at(ear, DEVICE))
            assert parting["gone"] == {"p": "sensor"}
            assert parting["charge_w"] == {"p": "sensor"}
            assert last["charge_w"]["p"] == "number"
            assert "gone" not in last
            assert ear.kept[other] == "{}"


async def test_a_change_of_form_keeps_the_entities(broker: Broker) -> None:
    site = ASite()
    async with told(site, broker.port, home_assistant=COMPONENT), an_ear(broker.port) as ear:
        await online(ear)
        site.tell()
        await ear.until(lambda: ONE in ear.kept)
        await ear.quiet()
    async with an_ear(broker.port) as ear:
        await ear.until(lambda: ONE in ear.kept)
        ear.heard.clear()
        async with told(site, broker.port, home_assistant=True):
            await ear.topic(ONE, "")
            await ear.quiet()
        order = [(topic, text) for topic, text in ear.heard if topic in {ONE, DEVICE}]
        assert [topic for topic, _ in order] == [ONE, DEVICE, ONE]
        assert order[0][1] == '{"migrate_discovery":true}'
        assert order[2][1] == ""


async def test_nonsense_that_lies_where_we_tell_is_written_over(broker: Broker) -> None:
    async with an_ear(broker.port) as ear:
        await ear.say(DEVICE, "nonsense", retain=True)
        await ear.say(SITE, "[1]", retain=True)
        site = ASite()
        async with told(site, broker.port, home_assistant=True):
            await online(ear)
            site.tell()
            await ear.until(lambda: ear.kept[DEVICE].startswith("{"))


async def test_another_prefix_is_kept_to(broker: Broker) -> None:
    site = ASite()
    site.devices["shed_2"] = ToyBattery(name="shed_2")
    settings = HomeAssistantSettings(prefix="ha/discovery")
    async with told(site, broker.port, home_assistant=settings), an_ear(broker.port) as ear:
        await online(ear)
        site.tell()
        await ear.until(lambda: "ha/discovery/device/ohmstead-home-inverter/config" in ear.kept)


def told_at(ear: Ear, topic: str) -> list[str]:
    return [text for where, text in ear.heard if where == topic]


async def online(ear: Ear) -> None:
    await ear.topic("ohmstead/home/availability", "online")
