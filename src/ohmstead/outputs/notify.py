"""Tells people and programs of events: messages through Apprise, JSON to webhooks."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

import httpx2

from ohmstead.clock import Clock
from ohmstead.json_file import read_json, write_json
from ohmstead.model import Tick
from ohmstead.outputs.events import Events
from ohmstead.outputs.notify_mailbox import Mailbox
from ohmstead.outputs.notify_receivers import AppriseReceiver, WebhookReceiver, need_apprise
from ohmstead.outputs.notify_settings import NotifySettings
from ohmstead.ports import SitePort

__all__ = ["NotifyOutput", "NotifySettings"]

log = logging.getLogger(__name__)

_TWICE: Final = "things may be told twice"


class NotifyOutput:
    """Everybody in one entry of the configuration."""

    def __init__(
        self,
        settings: NotifySettings,
        *,
        site_name: str,
        timezone: tzinfo,
        clock: Clock,
        data_dir: Path | None,
    ) -> None:
        """Be ready; raises ``ConfigError`` if Apprise is needed and not there.

        What has been told is kept in *data_dir*, so that a restart does not tell it again.
        """
        if settings.urls:
            need_apprise()
        self._settings = settings
        self._site_name = site_name
        self._timezone = timezone
        self._clock = clock
        self._told = data_dir / "told.json" if data_dir else None
        self._mailboxes: list[Mailbox] = []

    @property
    def waiting(self) -> int:
        """How many events have yet to be told, counted for each receiver."""
        return sum(len(mailbox) for mailbox in self._mailboxes)

    @property
    def dropped(self) -> int:
        """How many were lost, because a receiver was away for too long or refused them."""
        return sum(mailbox.dropped for mailbox in self._mailboxes)

    async def run(self, site: SitePort) -> None:
        """Tell of what happens at *site*, for ever."""
        ticks = site.ticks()
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(httpx2.AsyncClient())
            self._mailboxes = [
                *self._programs(client),
                *[mailbox async for mailbox in self._people(stack)],
            ]
            async with asyncio.TaskGroup() as group:
                for mailbox in self._mailboxes:
                    group.create_task(mailbox.run())
                await self._listen(ticks)

    async def check(self) -> str:
        """Return whom we would tell, or raise ``ConfigError``; nobody is disturbed for it."""
        async with AsyncExitStack() as stack:
            people = [mailbox.name async for mailbox in self._people(stack)]
        programs = [f"webhook {n}" for n, _ in enumerate(self._settings.webhooks, 1)]
        return f"{', '.join([*people, *programs])} can be read; nothing was sent"

    # ---- how it is done -------------------------------------------------------------

    def _programs(self, client: httpx2.AsyncClient) -> Iterator[Mailbox]:
        settings = self._settings
        for number, url in enumerate(settings.webhooks, 1):
            receiver = WebhookReceiver(number, url, client, self._site_name, settings.timeout_s)
            yield Mailbox(receiver, settings, self._clock, None)

    async def _people(self, stack: AsyncExitStack) -> AsyncIterator[Mailbox]:
        settings, zone = self._settings, self._timezone
        for number, url in enumerate(settings.urls, 1):
            receiver = await asyncio.to_thread(
                AppriseReceiver, number, url, self._site_name, zone, settings.timeout_s
            )
            stack.callback(receiver.close)
            yield Mailbox(receiver, settings, self._clock, zone)

    async def _listen(self, ticks: AsyncIterator[Tick]) -> None:
        kept = frozenset(await asyncio.to_thread(self._load))
        events = Events(self._settings.limits, kept)
        async for tick in ticks:
            for event in events.see(tick):
                if event.kind in self._settings.events:
                    for mailbox in self._mailboxes:
                        mailbox.put(event)
            if events.standing != kept:
                kept = events.standing
                await asyncio.to_thread(self._save, sorted(kept))

    def _load(self) -> list[str]:
        """Return what an earlier run has told of; nothing if that cannot be read."""
        return read_json(self._told, _keys, _TWICE) or []

    def _save(self, standing: Sequence[str]) -> None:
        write_json(self._told, standing, _TWICE)


def _keys(document: Any) -> list[str]:  # noqa: ANN401 - JSON
    if not isinstance(document, list):
        raise TypeError("it is no list")
    return [str(key) for key in document]
