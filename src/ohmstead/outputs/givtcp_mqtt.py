"""GivTCP's topics: one per value under the inverter's serial number, and its controls."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Final

from ohmstead.clock import Clock
from ohmstead.model import Tick
from ohmstead.outputs.givtcp_desk import Desk
from ohmstead.outputs.givtcp_discovery import announcements
from ohmstead.outputs.givtcp_values import Leaf, Tree, leaves
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


async def talk(
    desk: Desk, settings: MqttSettings, site: SitePort, clock: Clock, *, announce: bool = False
) -> None:
    """Tell the broker of *settings* all about the inverter of *desk*, and obey what comes.

    With *announce*, Home Assistant is told of GivTCP's entities.
    """
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
    teller = _Teller(desk, link, root, serial, announce=announce)
    async with asyncio.TaskGroup() as group:
        group.create_task(link.run())
        group.create_task(_tell(site.ticks(), teller))
        group.create_task(_obey(desk, link, controls, teller))


async def _tell(ticks: AsyncIterator[Tick], teller: "_Teller") -> None:
    teller.tell_all()
    async for _ in ticks:
        teller.tell_all()


class _Teller:
    """Tells one inverter's values, and what there is of it."""

    def __init__(self, desk: Desk, link: Link, root: str, serial: str, *, announce: bool) -> None:
        self._desk = desk
        self._link = link
        self._root = root
        self._serial = serial
        self._announce = announce
        self._announced: set[str] = set()

    @property
    def place(self) -> str:
        """Where the inverter's topics begin."""
        return f"{self._root}/{self._serial}"

    def tell_all(self) -> None:
        """Tell every value; a silent inverter is offline, and its values stay as they were."""
        tree = self._desk.tree()
        for topic in _STATUS:
            self._link.tell(f"{self.place}/{topic}", OFFLINE if tree is None else ONLINE, 1)
        told = {
            path: value
            for path, value in leaves(tree or {})
            if not path.startswith("raw/") and path != _STATUS[1]
        }
        if self._announce and tree is not None:
            self._announce_new(told, tree)
        for path, value in told.items():
            if path not in _STATUS:
                self._link.tell(f"{self.place}/{path}", _text(value))

    def _announce_new(self, told: Mapping[str, Leaf], tree: Tree) -> None:
        new = [(path, value) for path, value in told.items() if path not in self._announced]
        details = tree.get(self._serial)
        said = details if isinstance(details, dict) else {}
        most_w = said.get("Invertor_Max_Bat_Rate")
        messages = announcements(
            new,
            self._serial,
            self._root,
            str(said.get("Invertor_Type", "")),
            most_w if isinstance(most_w, int | float) else 3_600,
        )
        for topic, message in messages.items():
            self._link.tell(topic, message, 1)
        self._announced |= {path for path, _ in new}


async def _obey(desk: Desk, link: Link, controls: list[str], teller: _Teller) -> None:
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
        link.answer(f"{teller.place}/result", said)
        teller.tell_all()


def _text(value: Leaf) -> str:
    """Return *value* as GivTCP prints it: at most three decimals."""
    if isinstance(value, bool):
        return str(value)
    return str(round(value, 3)) if isinstance(value, float) else str(value)
