"""What may run earlier or later is told as on and off, so that its owner's relay can follow."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from houses import NOON
from mqtt_house import Broker, a_broker, an_ear, told
from ohmstead.model import Plan
from web_site import ASite, a_plan

pytestmark = pytest.mark.enable_socket

SITE = "homeassistant/device/ohmstead-home-site/config"
DISHES, HEATER = "ohmstead/home/plan/dishes", "ohmstead/home/plan/hot_water"


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    async with a_broker(tmp_path) as broker:
        yield broker


def a_plan_with_loads(*names: str) -> Plan:
    """Return a plan in which all loads of these names are on from half past twelve to one."""
    plan = a_plan()
    slots = tuple(
        replace(slot, loads_w=dict.fromkeys(names, 1_800.0 if number == 1 else 0.0))
        for number, slot in enumerate(plan.slots)
    )
    return replace(plan, slots=slots)


async def test_each_load_is_told_on_and_off_as_the_plan_has_it(broker: Broker) -> None:
    site, plan = ASite(), a_plan_with_loads("dishes", "hot_water")
    async with told(site, broker.port, home_assistant=True), an_ear(broker.port) as ear:
        await ear.topic("ohmstead/home/availability", "online")
        site.tell(10, plan=plan)
        await ear.topic(DISHES, "off")
        await ear.until(lambda: SITE in ear.kept)
        site.tell(31, plan=plan)
        await ear.topic(DISHES, "on")
        await ear.topic(HEATER, "on")
        site.tell(46, plan=plan)
        await ear.topic(DISHES, "")  # a plan that is too old binds no relay
        renewed = replace(plan, made_at=NOON + timedelta(minutes=50))
        site.tell(61, plan=renewed)
        await ear.topic(DISHES, "off")
        entity = json.loads(ear.kept[SITE])["cmps"]["plan_hot_water"]
        assert entity["p"] == "binary_sensor"
        assert entity["name"] == "Hot water planned on"
        assert entity["stat_t"] == HEATER
        assert "cmd_t" not in entity


async def test_until_there_is_a_plan_again_its_loads_stay_known(broker: Broker) -> None:
    site = ASite()
    async with told(site, broker.port, home_assistant=True), an_ear(broker.port) as ear:
        await ear.topic("ohmstead/home/availability", "online")
        site.tell(plan=a_plan_with_loads("dishes", "hot_water"))
        await ear.until(lambda: SITE in ear.kept and HEATER in ear.kept)
        await ear.quiet()
    one = a_plan_with_loads("dishes")
    rows: list[tuple[Plan | None, str | None, set[str]]] = [
        (None, "no price", {"plan_dishes", "plan_hot_water"}),
        (one, None, {"plan_dishes"}),
        (None, None, set()),
    ]
    for plan, trouble, wanted in rows:
        await started_again(site, broker, plan, trouble, wanted)


async def started_again(
    site: ASite, broker: Broker, plan: Plan | None, trouble: str | None, wanted: set[str]
) -> None:
    async with told(site, broker.port, home_assistant=True), an_ear(broker.port) as ear:
        await ear.topic("ohmstead/home/availability", "online")
        site.tell(1, plan=plan, plan_trouble=trouble)
        await ear.until(lambda: load_keys(ear.kept.get(SITE, "{}")) == wanted)
        await ear.until(lambda: bool(ear.kept.get(DISHES)) is (plan is not None))


def load_keys(told: str) -> set[str]:
    return {key for key in json.loads(told).get("cmps", {}) if key.startswith("plan_")}
