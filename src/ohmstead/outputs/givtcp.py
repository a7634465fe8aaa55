"""GivTCP's surface: its REST routes on its port, its topics on a broker, for flows that exist."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from ohmstead.clock import Clock
from ohmstead.http_server import listening
from ohmstead.outputs.givtcp_desk import Desk
from ohmstead.outputs.givtcp_mqtt import root_of, talk
from ohmstead.outputs.givtcp_rest import Networks, routes_for
from ohmstead.outputs.givtcp_tree import Generation
from ohmstead.outputs.mqtt_client import try_out
from ohmstead.outputs.mqtt_settings import EMBEDDED, MqttSettings
from ohmstead.ports import BatteryPort, SitePort

__all__ = ["GivtcpOutput", "GivtcpSettings"]

log = logging.getLogger(__name__)

_PORT: Final = 6345
_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivtcpSettings:
    """How GivTCP's old users are served."""

    listen: str = f"127.0.0.1:{_PORT}"
    """Address and port of the first inverter's REST routes; the next ones count up from it."""
    allow: tuple[str, ...] = ()
    """Networks that may ask, like 192.168.1.0/24. GivTCP knows no password, so an address that
    others can reach needs them."""
    rest: bool = True
    """Serve the REST routes."""
    mqtt: MqttSettings | None = None
    """A broker for GivTCP's topics; none if not said. Its `topic` is `GivEnergy` if not said."""
    home_assistant: bool = False
    """Tell Home Assistant of GivTCP's own entities, for dashboards and automations that name
    them; the output `mqtt` tells it more under names of ours."""
    version: Generation = 3
    """Which GivTCP the flows were written for. It decides where one name meant two things: 1
    counts charge rates in per cent, and `setChargeTarget` of 1 and 2 switches the target on."""
    raw: bool = True
    """Show every value once more under `raw`."""

    def __post_init__(self) -> None:
        """Refuse an open door, and what is no address."""
        host, colon, port = self.listen.rpartition(":")
        if not (colon and port.isdecimal() and 0 < int(port) < 1 << 16):
            raise ValueError(f"listen is an address and a port, like 0.0.0.0:{_PORT}")
        for network in self.allow:
            ip_network(network)  # its ValueError names what it does not take
        if not self.allow and host not in {"127.0.0.1", "::1", "[::1]", "localhost"}:
            raise ValueError(
                f"listen: {host} can be reached from the network, and GivTCP's routes ask for no"
                " password; say which networks may: `allow: [192.168.1.0/24]`"
            )
        if self.home_assistant and self.mqtt is None:
            raise ValueError("home_assistant needs the broker, as `mqtt`")
        if self.mqtt is not None and self.mqtt.host == EMBEDDED:
            raise ValueError("mqtt.host: name the embedded broker's address, 127.0.0.1")

    @property
    def host(self) -> str:
        """Where to listen."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The first inverter's port."""
        return int(self.listen.rpartition(":")[2])

    @property
    def networks(self) -> Networks:
        """Who may ask."""
        return [ip_network(network) for network in (*self.allow, *_LOOPBACK)]


class GivtcpOutput:
    """Every inverter of the house, each with its routes and topics."""

    def __init__(
        self,
        settings: GivtcpSettings,
        *,
        site_name: str,
        timezone: tzinfo,
        clock: Clock,
        data_dir: Path | None,
    ) -> None:
        """Be ready; an inverter is served once it has told its serial number."""
        del data_dir
        self._settings = settings
        self._site_name = site_name
        self._timezone = timezone
        self._clock = clock
        self._desks: dict[str, Desk] = {}

    async def run(self, site: SitePort) -> None:
        """Serve for ever; raises ``ConfigError`` if a port cannot be had."""
        ticks = site.ticks()
        names = [name for name, device in site.devices.items() if isinstance(device, BatteryPort)]
        desks = {name: self._desk(name, site) for name in names}
        self._desks = {}
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            if self._settings.rest:
                await self._listen(names, stack)
            if site.last is not None:
                self._look(desks, site, group)
            async for tick in ticks:
                for desk in desks.values():
                    desk.heard(tick)
                self._look(desks, site, group)

    async def check(self) -> str:
        """Return what can be said of the broker, or raise ``OutputError``."""
        mqtt = self._settings.mqtt
        if mqtt is None:
            return f"no broker is asked for; the routes will be on {self._settings.listen}"
        return await try_out(mqtt, f"{mqtt.client_id or 'givtcp'}-check")

    def _desk(self, name: str, site: SitePort) -> Desk:
        settings = self._settings
        return Desk(
            name, site, self._clock, self._timezone, version=settings.version, raw=settings.raw
        )

    async def _listen(self, names: list[str], stack: AsyncExitStack) -> None:
        host, networks = self._settings.host, self._settings.networks
        for number, name in enumerate(names, start=1):
            port = self._settings.port + number - 1
            app = routes_for(number, partial(self._numbered, names), networks, self._shown(names))
            await stack.enter_async_context(listening(app, host, port))
            log.info("GivTCP's routes for %s are on port %d", name, port)

    def _look(self, desks: Mapping[str, Desk], site: SitePort, group: asyncio.TaskGroup) -> None:
        """Serve the inverters that have told their serial number since."""
        for name, desk in desks.items():
            if name not in self._desks and desk.serial is not None:
                self._desks[name] = desk
                if self._settings.mqtt is not None:
                    announce = self._settings.home_assistant
                    group.create_task(
                        talk(desk, self._settings.mqtt, site, self._clock, announce=announce)
                    )

    def _numbered(self, names: list[str], number: int) -> Desk | None:
        return self._desks.get(names[number - 1]) if 0 < number <= len(names) else None

    def _shown(self, names: list[str]) -> Mapping[str, object]:
        """Return our settings by GivTCP's names; where the broker is, but not how to get in."""
        mqtt = self._settings.mqtt
        broker: Mapping[str, object] = {}
        if mqtt is not None:
            host, port = mqtt.address
            broker = {"MQTT_Address": host, "MQTT_Port": port, "MQTT_Topic": root_of(mqtt)}
        return {
            "Ohmstead": f"{self._site_name}: settings are kept in ohmstead.yaml",
            "TZ": str(self._timezone),
            "self_run": True,
            "Print_Raw_Registers": self._settings.raw,
            "MQTT_Output": mqtt is not None,
            **broker,
            **{f"inverterName_{number}": name for number, name in enumerate(names, start=1)},
        }
