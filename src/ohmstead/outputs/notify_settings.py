"""What an owner says about being told: whom, of what, and when not."""

import re
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx2

from ohmstead.outputs.event import EventKind, EventLimits

__all__ = ["NotifySettings", "QuietHours"]

_APPRISE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_FULL_PCT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """When nobody is to be disturbed, on the clock of the house."""

    start: time
    """When they begin, like "22:00"."""
    end: time
    """When they end; before *start* if they cross midnight."""

    def __post_init__(self) -> None:
        """Refuse hours that never begin, and times with a zone."""
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("start and end are local times, without a zone")
        if self.start == self.end:
            raise ValueError("start and end are the same, so nothing would ever be told")

    def left(self, local: datetime) -> timedelta:
        """Return how long they go on at *local*; nothing outside them."""
        now = timedelta(
            hours=local.hour, minutes=local.minute, seconds=local.second + local.microsecond / 1e6
        )
        start, end, day = _of_day(self.start), _of_day(self.end), timedelta(days=1)
        gone, length = (now - start) % day, (end - start) % day
        return max(length - gone, timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """People and programs that are told of events."""

    urls: tuple[str, ...] = field(default=(), repr=False)
    """Whom to write to, as Apprise addresses, like tgram://… or mailto://…; they hold passwords,
    so keep them in secrets.yaml. Needs the extra `notify`."""
    webhooks: tuple[str, ...] = field(default=(), repr=False)
    """Addresses that get each event as JSON by POST, at once; keep them in secrets.yaml too if
    whoever knows them may use them."""
    events: tuple[EventKind, ...] = (
        EventKind.DEVICE_LOST,
        EventKind.DEVICE_BACK,
        EventKind.BATTERY_LOW,
        EventKind.PRICE_BELOW,
        EventKind.WRITE_FAILED,
        EventKind.STALE_PRICES,
    )
    """Of what to tell. All but decision_changed, which can be many a day, if not said."""
    quiet_hours: QuietHours | None = None
    """When messages wait, to come together in the morning; webhooks do not wait."""
    min_interval_s: float = 60.0
    """The least time between two messages; what happens in between comes in the next one."""
    lost_after_s: float = 180.0
    """How long a device must be silent or in trouble to be lost."""
    battery_low_pct: float | None = 10.0
    """A battery below this is low; null tells of none."""
    price_below_per_kwh: float | None = None
    """An import price below this is told, once for each cheap time."""
    timeout_s: float = 20.0
    """How long to wait for a receiver."""
    attempts: int = 8
    """How often to try; the pauses grow from pause_s to a quarter of an hour."""
    pause_s: float = 10.0
    """The first pause before a message is tried again."""

    def __post_init__(self) -> None:
        """Refuse what cannot work, without repeating an address: it is a secret."""
        if not self.urls and not self.webhooks:
            raise ValueError("say whom to tell: urls (Apprise addresses) or webhooks")
        if not self.events:
            raise ValueError("events is empty, so nothing would ever be told")
        if self.battery_low_pct is not None and not 0 <= self.battery_low_pct <= _FULL_PCT:
            raise ValueError("battery_low_pct is from 0 to 100")
        self._check_addresses()
        self._check_times()

    @property
    def limits(self) -> EventLimits:
        """When something is worth telling."""
        return EventLimits(
            lost_after_s=self.lost_after_s,
            battery_low_pct=self.battery_low_pct,
            price_below_per_kwh=self.price_below_per_kwh,
        )

    def _check_addresses(self) -> None:
        for number, url in enumerate(self.urls, 1):
            if not _APPRISE.fullmatch(url):
                raise ValueError(f"url {number} is no Apprise address, like tgram://…")
        for number, url in enumerate(self.webhooks, 1):
            if not _is_http(url):
                raise ValueError(f"webhook {number} is no address like https://…")

    def _check_times(self) -> None:
        for name in ("timeout_s", "attempts", "pause_s"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above zero")
        for name in ("min_interval_s", "lost_after_s"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is 0 or more")


def _of_day(moment: time) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)


def _is_http(url: str) -> bool:
    """Tell whether *url* is an address, by those who know and by the client that will use it."""
    try:
        port, parts = urlsplit(url).port, httpx2.URL(url)
    except (ValueError, httpx2.InvalidURL):
        return False
    return parts.scheme in {"http", "https"} and bool(parts.host) and port != 0 and " " not in url
