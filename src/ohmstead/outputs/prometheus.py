"""Shows the house and the service to Prometheus, on a port of its own."""

import asyncio
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import (
    CONTENT_TYPE_PLAIN_0_0_4,
    choose_encoder,
    generate_latest,
)
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ohmstead.clock import Clock
from ohmstead.errors import JournalError
from ohmstead.http_server import listening
from ohmstead.model import JournalEntry
from ohmstead.outputs.prometheus_collect import HouseCollector
from ohmstead.outputs.prometheus_view import Tally, View
from ohmstead.ports import SitePort

__all__ = ["PrometheusOutput", "PrometheusSettings", "Queue"]

log = logging.getLogger(__name__)

_ENTRIES: Final = 500
"""How far back in the journal leases are looked for; more are never open at once."""
_SMALL_BYTES: Final = 1_000

_Encoder = Callable[[Collector], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSettings:
    """A page of metrics that Prometheus, VictoriaMetrics or Grafana Alloy can scrape."""

    listen: str = "127.0.0.1:9617"
    """Address and port of the page /metrics. It shows much and changes nothing."""
    token: str = field(default="", repr=False)
    """If set, whoever asks must send it as `Authorization: Bearer …`; keep it in secrets.yaml."""

    def __post_init__(self) -> None:
        """Refuse an address that cannot be."""
        host, port = self.host, self.listen.rpartition(":")[2]
        try:
            known = host == "localhost" or bool(ip_address(host))
        except ValueError:
            known = False
        if not known or not port.isdecimal() or int(port) >= 1 << 16:
            raise ValueError("listen is an address of this machine and a port, like 0.0.0.0:9617")

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on; 0 takes a free one."""
        return int(self.listen.rpartition(":")[2])


class Queue(Protocol):
    """An output with something that waits in it."""

    @property
    def waiting(self) -> int:
        """How much waits."""

    @property
    def dropped(self) -> int:
        """How much was lost for want of room."""


class PrometheusOutput:
    """Counts turns, and shows the last one to whoever asks."""

    def __init__(
        self,
        settings: PrometheusSettings,
        *,
        site_name: str,
        timezone: tzinfo,
        clock: Clock,
        data_dir: Path | None,
    ) -> None:
        """Be ready; nothing is kept."""
        del timezone, clock, data_dir  # a turn knows its time, in UTC; what was counted begins anew
        self._settings = settings
        self._site_name = site_name
        self._tally = Tally()
        self._queues: dict[str, Queue] = {}
        self._house = HouseCollector()
        self._registry = CollectorRegistry()
        self._registry.register(self._house)
        ProcessCollector(registry=self._registry)
        self._turn = asyncio.Lock()
        self.port: int | None = None
        """Where the page is, once it is there."""

    def watch(self, name: str, queue: Queue) -> None:
        """Show from now on what waits in *queue*, the output called *name*."""
        self._queues[name] = queue

    async def run(self, site: SitePort) -> None:
        """Show *site*, for ever. Raises ``ConfigError`` if the port cannot be had."""

        async def metrics(request: Request) -> Response:
            return await self._answer(request, site)

        app = Starlette(
            routes=[Route("/metrics", metrics), Route("/", _pointer)],
            middleware=[Middleware(GZipMiddleware, minimum_size=_SMALL_BYTES)],
        )
        async with listening(app, self._settings.host, self._settings.port) as port:
            self.port = port
            log.info("metrics are on http://%s:%d/metrics", self._settings.host, port)
            async for tick in site.ticks():
                self._tally.count(tick)

    async def _answer(self, request: Request, site: SitePort) -> Response:
        wanted, given = self._settings.token, request.headers.get("authorization", "")
        if wanted and not hmac.compare_digest(given.encode(), f"Bearer {wanted}".encode()):
            return PlainTextResponse(
                "send the token as Authorization: Bearer …\n",
                401,
                headers={"WWW-Authenticate": "Bearer"},
            )
        encode, content_type = _encoder(request.headers.get("accept", ""))
        # One at a time: a hundred scrapers shall not hold a hundred threads.
        async with self._turn:
            self._house.view = await self._view(site)
            # In a thread, so that the loop does not wait for thousands of lines of text.
            text = await asyncio.to_thread(encode, self._registry)
        return Response(text, headers={"Content-Type": content_type})

    async def _view(self, site: SitePort) -> View:
        leases: list[JournalEntry] | None
        try:
            leases = [entry for entry in await site.journal(limit=_ENTRIES) if entry.lease]
        except JournalError as exc:
            log.debug("metrics without leases: %s", exc)
            leases = None
        return View(
            site=self._site_name,
            tick=site.last,
            points={name: dict(device.points) for name, device in site.devices.items()},
            tally=self._tally.copy(),
            leases=leases,
            queues={name: (queue.waiting, queue.dropped) for name, queue in self._queues.items()},
        )


def _encoder(accept: str) -> tuple[_Encoder, str]:
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is none
        return generate_latest, CONTENT_TYPE_PLAIN_0_0_4


async def _pointer(request: Request) -> Response:
    del request
    return PlainTextResponse("The metrics are at /metrics.\n")
