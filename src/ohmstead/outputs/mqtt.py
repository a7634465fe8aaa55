"""Tells a broker everything, and listens there for commands."""

import asyncio
from collections.abc import Awaitable
from datetime import tzinfo
from pathlib import Path

from ohmstead.clock import Clock
from ohmstead.errors import OutputError
from ohmstead.outputs.broker import broker_for
from ohmstead.outputs.event import payload_of
from ohmstead.outputs.events import Events
from ohmstead.outputs.home_assistant_discovery import Discovery
from ohmstead.outputs.mqtt_client import try_out
from ohmstead.outputs.mqtt_commands import Desk, Incoming
from ohmstead.outputs.mqtt_link import Link
from ohmstead.outputs.mqtt_payload import as_json
from ohmstead.outputs.mqtt_settings import EMBEDDED, MqttSettings
from ohmstead.outputs.mqtt_teller import Teller
from ohmstead.outputs.mqtt_topics import Topics
from ohmstead.ports import SitePort

__all__ = ["MqttOutput", "MqttSettings"]


class MqttOutput:
    """One broker."""

    def __init__(
        self,
        settings: MqttSettings,
        *,
        site_name: str,
        timezone: tzinfo,
        clock: Clock,
        data_dir: Path | None,
    ) -> None:
        """Be ready to tell the broker in *settings* of the site called *site_name*."""
        self._settings = settings
        self._topics = Topics(settings.topic, site_name)
        self._timezone = timezone
        self._clock = clock
        self._data_dir = data_dir

    async def run(self, site: SitePort) -> None:
        """Tell and listen for ever; raises ``OutputError`` when it cannot."""
        trouble: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                if self._settings.host == EMBEDDED:
                    broker = broker_for(self._settings, self._data_dir, self._clock)
                    open_ = asyncio.Event()
                    group.create_task(_run_broker(broker(open_.set)))
                    await open_.wait()
                await self._talk(site)
        except* OutputError as several:
            trouble = _first(several)
        if trouble is not None:
            raise OutputError(str(trouble)) from trouble

    async def check(self) -> str:
        """Return what can be said of the broker, or raise ``OutputError``."""
        if self._settings.host == EMBEDDED:
            broker_for(self._settings, self._data_dir, self._clock)
            return "there is a broker of our own to run"
        return await try_out(self._settings, f"{self._client_id}-check")

    @property
    def _client_id(self) -> str:
        asked = self._settings.client_id
        return asked or f"{self._settings.topic}-{self._topics.site_name}".replace("/", "-")

    async def _talk(self, site: SitePort) -> None:
        topics, settings = self._topics, self._settings
        discovery_settings = settings.discovery
        commands = list(topics.commands)
        if discovery_settings is not None:
            commands.append(f"{discovery_settings.prefix}/status")
        link = Link(settings, self._client_id, topics.availability, commands, self._clock)
        desk = Desk(
            site,
            topics,
            self._timezone,
            self._clock,
            lambda answer: link.answer(topics.result, answer),
        )
        discovery = None
        if discovery_settings is not None:
            discovery = Discovery(link, topics, discovery_settings, self._clock)
        teller = Teller(site, link, topics, desk, discovery)
        await teller.look_around()
        async with asyncio.TaskGroup() as group:
            group.create_task(link.run())
            group.create_task(_tell(site, teller))
            group.create_task(_tell_events(site, link, topics))
            group.create_task(self._obey(link, desk, teller, discovery))

    async def _obey(
        self, link: Link, desk: Desk, teller: Teller, discovery: Discovery | None
    ) -> None:
        """Carry out each message in a task of its own, begun in the order they came."""
        async with asyncio.TaskGroup() as group:
            while True:
                message = await link.incoming.get()
                if discovery is not None and message.topic == discovery.birth_topic:
                    group.create_task(discovery.born(message.payload))
                    continue
                group.create_task(_handle(desk, teller, message))


async def _run_broker(broker: Awaitable[None]) -> None:
    await broker


async def _tell(site: SitePort, teller: Teller) -> None:
    if site.last is not None:
        teller.tell(site.last)
    async for tick in site.ticks():
        teller.tell(tick)


async def _tell_events(site: SitePort, link: Link, topics: Topics) -> None:
    """Tell what happens, once each, not retained."""
    events = Events()
    async for tick in site.ticks():
        for event in events.see(tick):
            link.answer(topics.event, as_json(payload_of(event, topics.site_name)))


async def _handle(desk: Desk, teller: Teller, message: Incoming) -> None:
    await desk.handle(message)
    teller.tell_site()


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
