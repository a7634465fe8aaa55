"""GivTCP's topics: one per value under the inverter's serial number, and its controls."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import tzinfo
from typing import Final

from ohmstead.clock import Clock
from ohmstead.model import Tick
from ohmstead.outputs.givtcp_desk import Desk
from ohmstead.outputs.givtcp_values import Leaf, leaves
from ohmstead.outputs.mqtt_link import Link
from ohmstead.outputs.mqtt_settings import MqttSettings
from ohmstead.ports import SitePort

__all__ = ["talk"]

log = logging.getLogger(__name__)

_OURS: Final = "ohmstead"
_THEIRS: Final = "GivEnergy"


async def talk(
    desk: Desk, settings: MqttSettings, site: SitePort, clock: Clock, timezone: tzinfo
) -> None:
    """Tell the broker of *settings* all about the inverter of *desk*, and obey what comes."""
    del timezone
    serial = desk.serial
    assert serial is not None  # noqa: S101 - a desk is opened when it is known
    root = _THEIRS if settings.topic == _OURS else settings.topic
    controls = [f"{root}/control/{serial}/", f"{root}/{serial}/control/"]
    link = Link(
        replace(settings, home_assistant=False),
        settings.client_id or f"givtcp-{serial}",
        f"{root}/{serial}/Stats/status",
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
    for path, value in leaves(desk.tree() or {}):
        if not path.startswith(("Stats/status", "raw/")):
            link.tell(f"{root}/{path}", _text(value))


async def _obey(desk: Desk, link: Link, controls: list[str], root: str) -> None:
    while True:
        message = await link.incoming.get()
        prefix = next((p for p in controls if message.topic.startswith(p)), None)
        if prefix is None:
            continue
        name = message.topic.removeprefix(prefix)
        if message.retained:
            said = f"{name} failed: it was retained, so nobody knows how old it is"
        else:
            said = await desk.control(name, message.payload.decode("utf-8", "replace"))
        log.info("givtcp: %s", said)
        link.answer(f"{root}/result", said)
        _tell_all(desk, link, root)


def _text(value: Leaf) -> str:
    if isinstance(value, bool):
        return str(value)
    return str(round(value, 3)) if isinstance(value, float) else str(value)
