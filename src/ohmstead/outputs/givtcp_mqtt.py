"""GivTCP's topics: one per value under the inverter's serial number, and its controls."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from ohmstead.clock import Clock
from ohmstead.model import Tick
from ohmstead.outputs.givtcp_desk import Desk
from ohmstead.outputs.givtcp_values import Leaf, leaves
from ohmstead.outputs.mqtt_link import Link
from ohmstead.outputs.mqtt_settings import MqttSettings
from ohmstead.outputs.mqtt_state import OFFLINE, ONLINE
from ohmstead.ports import SitePort

__all__ = ["root_of", "talk"]

log = logging.getLogger(__name__)

_OURS: Final = "ohmstead"
_THEIRS: Final = "GivEnergy"
_STATUS: Final = ("Stats/status", "status")
"""Where version 3 says whether it is there, and where versions 1 and 2 did."""
_LONGEST: Final = 16_384


def root_of(settings: MqttSettings) -> str:
    """Return where GivTCP's topics begin."""
    return _THEIRS if settings.topic == _OURS else settings.topic


async def talk(desk: Desk, settings: MqttSettings, site: SitePort, clock: Clock) -> None:
    """Tell the broker of *settings* all about the inverter of *desk*, and obey what comes."""
    serial = desk.serial
    assert serial is not None  # noqa: S101 - a desk is opened when it is known
    root = root_of(settings)
    controls = [f"{root}/control/{serial}/", f"{root}/{serial}/control/"]
    name = f"{settings.client_id}-{serial}" if settings.client_id else f"givtcp-{serial}"
    link = Link(
        replace(settings, home_assistant=False),
        name,
        f"{root}/{serial}/{_STATUS[0]}",
        [f"{prefix}#" for prefix in controls],
        clock,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(link.run())
        group.create_task(_tell(site.ticks(), desk, link, f"{root}/{serial}"))
        group.create_task(_obey(desk, link, controls, f"{root}/{serial}"))


async def _tell(ticks: AsyncIterator[Tick], desk: Desk, link: Link, root: str) -> None:
    _tell_all(desk, link, root)
    async for _ in ticks:
        _tell_all(desk, link, root)


def _tell_all(desk: Desk, link: Link, root: str) -> None:
    """Tell every value; an inverter that is silent is offline, and its values stay as they were."""
    tree = desk.tree()
    for topic in _STATUS:
        link.tell(f"{root}/{topic}", OFFLINE if tree is None else ONLINE, 1)
    for path, value in leaves(tree or {}):
        if path not in _STATUS and not path.startswith("raw/"):
            link.tell(f"{root}/{path}", _text(value))


async def _obey(desk: Desk, link: Link, controls: list[str], root: str) -> None:
    while True:
        message = await link.incoming.get()
        prefix = next((p for p in controls if message.topic.startswith(p)), None)
        if prefix is None:
            continue
        name = message.topic.removeprefix(prefix)
        if message.retained:
            said = f"Error: {name} failed: it was retained, so nobody knows how old it is"
        elif len(message.payload) > _LONGEST:
            said = f"Error: {name} failed: the payload is too long"
        else:
            said = await desk.control(name, message.payload.decode("utf-8", "replace"))
        log.info("givtcp: %s", said)
        link.answer(f"{root}/result", said)
        _tell_all(desk, link, root)


def _text(value: Leaf) -> str:
    """Return *value* as GivTCP prints it: at most three decimals."""
    if isinstance(value, bool):
        return str(value)
    return str(round(value, 3)) if isinstance(value, float) else str(value)
