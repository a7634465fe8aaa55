"""GivTCP's surface: its REST routes on its port, its topics on a broker, for flows that exist."""

import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import tzinfo
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ohmstead.clock import Clock
from ohmstead.http_server import listening
from ohmstead.outputs.givtcp_controls import names
from ohmstead.outputs.givtcp_desk import Desk
from ohmstead.outputs.givtcp_mqtt import talk
from ohmstead.outputs.givtcp_tree import serial_of
from ohmstead.outputs.mqtt_settings import EMBEDDED, MqttSettings
from ohmstead.ports import SitePort

__all__ = ["GivtcpOutput", "GivtcpSettings"]

log = logging.getLogger(__name__)

_PORT: Final = 6345
_MOST_BODY: Final = 65_536


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
    rates: Literal["watts", "percent"] = "watts"
    """What setChargeRate and setDischargeRate count in: per cent was version 1."""
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
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Who may ask."""
        return tuple(ip_network(network) for network in (*self.allow, "127.0.0.0/8", "::1/128"))


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
        del site_name, data_dir
        self._settings = settings
        self._timezone = timezone
        self._clock = clock
        self._desks: dict[str, Desk] = {}

    async def run(self, site: SitePort) -> None:
        """Serve for ever; raises ``ConfigError`` if a port cannot be had."""
        ticks = site.ticks()
        devices = tuple(site.devices)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            if self._settings.rest:
                for number, name in enumerate(devices):
                    port = self._settings.port + number
                    app = self._app(name)
                    await stack.enter_async_context(listening(app, self._settings.host, port))
                    log.info("GivTCP's routes for %s are on port %d", name, port)
            async for tick in ticks:
                for name, device in tick.snapshot.devices.items():
                    known = device.reading is not None and serial_of(device.reading)
                    if known and name not in self._desks:
                        self._desks[name] = desk = self._desk(name, site)
                        if self._settings.mqtt is not None:
                            group.create_task(
                                talk(desk, self._settings.mqtt, site, self._clock, self._timezone)
                            )

    def _desk(self, name: str, site: SitePort) -> Desk:
        return Desk(
            name,
            site,
            self._clock,
            self._timezone,
            rates_in_pct=self._settings.rates == "percent",
            raw=self._settings.raw,
        )

    # ---- REST -----------------------------------------------------------------------

    def _app(self, device: str) -> Starlette:
        async def read(request: Request) -> Response:
            return self._refused(request) or self._read(device)

        async def full(request: Request) -> Response:
            refused = self._refused(request)
            if refused:
                return refused
            desk = self._desks.get(device)
            tree = desk.tree() if desk else None
            return _json([tree] if tree else [])

        async def control(request: Request) -> Response:
            refused = self._refused(request)
            return refused or await self._control(device, request)

        reads = [Route(f"/{name}", read, methods=["GET"]) for name in _READS]
        return Starlette(
            routes=[
                *reads,
                Route("/fullCache", full, methods=["GET"]),
                Route("/getEVCCache", _no_charger, methods=["GET"]),
                Route("/{name}", control, methods=["GET", "POST"]),
            ]
        )

    def _read(self, device: str) -> Response:
        desk = self._desks.get(device)
        tree = desk.tree() if desk else None
        return _json({"result": _NOT_YET} if tree is None else tree)

    async def _control(self, device: str, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in names() and not any(sign.isdigit() for sign in name):
            return PlainTextResponse(f"GivTCP has no route {name}\n", 404)
        if request.method == "GET" and name not in _PRESSED_BY_GET:
            return PlainTextResponse(f"{name} takes a POST\n", 405)
        body = await request.body()
        if len(body) > _MOST_BODY:
            return _json({"result": f"{name} failed: the body is too long"})
        desk = self._desks.get(device)
        if desk is None:
            return _json({"result": f"{name} failed: {device} does not answer yet"})
        return _json({"result": await desk.control(name, body.decode("utf-8", "replace"))})

    def _refused(self, request: Request) -> Response | None:
        """Return a refusal for an asker who is in none of the networks allowed."""
        try:
            asker = ip_address(request.client.host if request.client else "")
        except ValueError:
            return PlainTextResponse("who asks?\n", 403)
        if any(asker in network for network in self._settings.networks):
            return None
        return PlainTextResponse("this network is not in givtcp.allow\n", 403)


_READS: Final = ("runAll", "readData", "getData", "getCache")
_PRESSED_BY_GET: Final = frozenset({"reboot", "syncDateTime"})
_NOT_YET: Final = "There is no data yet: the inverter has not answered. Try again in a moment."


async def _no_charger(request: Request) -> Response:
    del request
    return _json({"result": "There is no GivEnergy car charger here."})


def _json(content: Mapping[str, object] | list[object] | object) -> Response:
    return Response(
        json.dumps(content, indent=4, sort_keys=True) + "\n", media_type="application/json"
    )
