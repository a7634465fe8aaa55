"""Who is told: webhooks, and whatever Apprise can reach. No address ever leaves this module."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from http import HTTPStatus
from importlib.util import find_spec
from typing import Final, Protocol, TypeAlias
from urllib.parse import urlsplit

import httpx2

from ohmstead import __version__
from ohmstead.errors import ConfigError
from ohmstead.outputs.event import Event, EventKind, payload_of

__all__ = [
    "AppriseReceiver",
    "Away",
    "Delivered",
    "Delivery",
    "Receiver",
    "Undeliverable",
    "WebhookReceiver",
    "need_apprise",
]

_AGENT: Final = f"ohmstead/{__version__} (home-energy controller)"
_LATER: Final = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}
_SERVER_TROUBLE: Final = 500
_LONGEST_WAIT_S: Final = 3_600.0
_TELLTALES: Final = ("apprise", "urllib3", "requests", "oauthlib", "requests_oauthlib")
"""Loggers below Apprise that write down whole addresses, at the latest when debugging."""
_TONES: Final = {
    EventKind.WRITE_FAILED: "failure",
    EventKind.DEVICE_LOST: "warning",
    EventKind.BATTERY_LOW: "warning",
    EventKind.STALE_PRICES: "warning",
    EventKind.DEVICE_BACK: "success",
}
"""How grave an event is, in Apprise's words, the gravest first; others are ``info``."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Away:
    """The receiver cannot take it now; it may do so later."""

    why: str
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """The receiver will never take it."""

    why: str


Delivery: TypeAlias = Delivered | Away | Undeliverable


class Receiver(Protocol):
    """Somebody who is told."""

    @property
    def name(self) -> str:
        """What it is called in the log: never its address."""

    async def deliver(self, events: Sequence[Event]) -> Delivery:
        """Tell of *events*, once."""


class WebhookReceiver:
    """A program that gets each event as JSON."""

    def __init__(
        self, number: int, url: str, client: httpx2.AsyncClient, site_name: str, timeout_s: float
    ) -> None:
        """Post to *url*; in the log it is called by its *number*."""
        _hush(logging.WARNING, "httpx2")  # it writes down every address it calls
        self.name = f"webhook {number}"
        self._url = url
        self._client = client
        self._site_name = site_name
        self._timeout_s = timeout_s

    async def deliver(self, events: Sequence[Event]) -> Delivery:
        """Post each of *events*; what was posted before one failed is posted again."""
        for event in events:
            result = await self._post(event)
            if not isinstance(result, Delivered):
                return result
        return Delivered()

    async def _post(self, event: Event) -> Delivery:
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.post(
                    self._url,
                    json=payload_of(event, self._site_name),
                    headers={"User-Agent": _AGENT},
                    timeout=None,  # the whole is bounded, not each of its steps
                )
        except TimeoutError:
            return Away(f"no answer in {self._timeout_s:g} s")
        except httpx2.HTTPError as exc:
            return Away(self._without_secrets(exc))
        if answer.is_success:
            return Delivered()
        why = f"it answers {answer.status_code} {answer.reason_phrase}".rstrip()
        if answer.status_code in _LATER or answer.status_code >= _SERVER_TROUBLE:
            return Away(why, _retry_after_s(answer))
        return Undeliverable(why)

    def _without_secrets(self, exc: httpx2.HTTPError) -> str:
        """Return what went wrong, unless it repeats a part of the address."""
        url, said = urlsplit(self._url), str(exc)
        secrets = (url.path.strip("/"), url.query, url.username, url.password)
        if not said or any(secret and secret in said for secret in secrets):
            return type(exc).__name__
        return said


class AppriseReceiver:
    """A person, by one of the services that Apprise knows.

    Apprise blocks, and a service can hang in it for longer than we wait. So each has one thread
    of its own: a hanging one holds up itself alone, and no second message until it is free.
    """

    def __init__(
        self, number: int, url: str, site_name: str, timezone: tzinfo, timeout_s: float
    ) -> None:
        """Read *url*, in a thread if need be: that loads all of Apprise. Raises ``ConfigError``."""
        import apprise

        _hush(logging.CRITICAL + 1, *_TELLTALES)
        scheme = url.partition("://")[0].lower()
        self.name = f"url {number} ({scheme})"
        self._site_name = site_name
        self._timezone = timezone
        self._timeout_s = timeout_s
        # With a limit of its own Apprise would hand the work to threads that all share.
        asset = apprise.AppriseAsset(
            app_id="Ohmstead", app_desc="Ohmstead", app_url="", service_timeout=0
        )
        self._apprise = apprise.Apprise(asset=asset)
        if not self._apprise.add(url):
            raise ConfigError(
                f"notify: {self.name}: Apprise cannot read this address; its pages say how one for "
                "this service looks"
            )
        self._thread = ThreadPoolExecutor(1, f"notify-{number}")

    async def deliver(self, events: Sequence[Event]) -> Delivery:
        """Send one message that tells of all *events*."""
        title, body = self._message(events)
        kinds = {event.kind for event in events}
        tone = next((tone for kind, tone in _TONES.items() if kind in kinds), "info")
        send = partial(
            self._apprise.notify, body=body, title=title, notify_type=tone, body_format="text"
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                sent = await asyncio.get_running_loop().run_in_executor(self._thread, send)
        except TimeoutError:
            return Away(f"no answer in {self._timeout_s:g} s")
        # Apprise says no more than this without naming the address.
        return Delivered() if sent else Away("Apprise could not deliver the message")

    def close(self) -> None:
        """Let go of the thread, without waiting for a service that hangs."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _message(self, events: Sequence[Event]) -> tuple[str, str]:
        if len(events) == 1:
            return f"{self._site_name}: {_words(events[0])}", events[0].text
        lines = [f"{e.at.astimezone(self._timezone):%H:%M} {e.text}" for e in events]
        return f"{self._site_name}: {len(events)} events", "\n".join(lines)


def need_apprise() -> None:
    """Raise ``ConfigError`` if Apprise is not there; does not load it."""
    if find_spec("apprise") is None:
        raise ConfigError(
            "notify: urls need the library apprise, which is not installed; "
            "say pip install 'ohmstead[notify]', or use webhooks instead"
        )


def _hush(level: int, *names: str) -> None:
    """Keep addresses out of the log; what there is to say is in every ``Delivery``."""
    for name in names:
        logging.getLogger(name).setLevel(level)


def _words(event: Event) -> str:
    return str(event.kind).replace("_", " ")


def _retry_after_s(answer: httpx2.Response) -> float | None:
    """Return how long the receiver asks us to wait, where it says so in seconds."""
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT_S) if asked.isdecimal() else None
