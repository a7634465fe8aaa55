"""Octopus Energy: by tariff code, or by account with the active agreement found by itself."""

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ohmstead.errors import PriceSourceBusy, PriceSourceError
from ohmstead.links.http import HttpPatience, Page, get_json
from ohmstead.model import PriceCurve, PriceSlot
from ohmstead.prices.cache import load_prices, save_prices
from ohmstead.prices.octopus_extras import OctopusExtras, Wanted
from ohmstead.prices.octopus_graphql import OctopusGraphql
from ohmstead.prices.octopus_tariff import (
    Agreement,
    PaymentMethod,
    Tariff,
    agreements_of,
    night_windows,
    rate_links,
    slots_of,
)
from ohmstead.prices.rhythm import after_failure, after_success

__all__ = ["OctopusSettings", "OctopusSource"]

_BACK: Final = timedelta(days=2)
_AHEAD: Final = timedelta(days=2)
_PRODUCT_KEPT: Final = timedelta(days=1)
_PAGE_SIZE: Final = 1500
_MOST_PAGES: Final = 20
_OK: Final = 200
_DAY_H: Final = 24
_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OctopusSettings:
    """A tariff code, or an account number with its API key."""

    tariff: str | None = None
    """The tariff code, as the bill has it: E-1R-AGILE-24-10-01-C."""
    account: str | None = None
    """The account number, A-XXXXXXXX; the tariff is then found by itself."""
    api_key: str | None = None
    """The account's API key; needed for nothing but the account."""
    payment_method: PaymentMethod = "DIRECT_DEBIT"
    """How you pay, where the price depends on it."""
    include_vat: bool = True
    """Count the tax in, as homes pay it."""
    url: str = "https://api.octopus.energy"
    """Where the server is."""
    intelligent: bool = False
    """Heed the dispatches of Intelligent Octopus Go: half-hours at the night rate."""
    events: bool = False
    """Heed the saving sessions that you joined, and hours of free electricity."""
    cheap_per_day_h: float | None = None
    """How many dispatched hours a day your contract makes cheap, from noon to noon."""
    session_per_kwh: float | None = None
    """What a saving session pays for a kWh, where Octopus does not say."""
    sessions_url: str = "https://api.backend.octopus.energy"
    """Where the server is that knows of saving sessions."""

    def __post_init__(self) -> None:
        """Refuse half an account, or neither way."""
        if self.tariff is not None:
            Tariff.parse(self.tariff)
        elif self.account is None:
            raise ValueError("say a tariff, or an account and its api_key")
        elif not self.api_key:
            raise ValueError("an account needs its api_key; write `api_key: !secret octopus`")
        if self.intelligent or self.events:
            if not (self.account and self.api_key):
                raise ValueError("dispatches and events need account and api_key beside the tariff")
            for url in (self.url, self.sessions_url):
                if not (url.startswith("https://") or urlsplit(url).hostname in _HERE):
                    raise ValueError(f"{url} must begin with https://: the key could be overheard")
        if self.cheap_per_day_h is not None and not 0 < self.cheap_per_day_h <= _DAY_H:
            raise ValueError("cheap_per_day_h is above 0 and at most 24")

    def __repr__(self) -> str:
        """Show no key and no account number."""
        return f"OctopusSettings(tariff={self.tariff!r}, url={self.url!r})"


class OctopusSource:
    """The prices of one tariff, kept on disk, asked for when new ones are due."""

    def __init__(
        self,
        settings: OctopusSettings,
        *,
        direction: str,
        timezone: tzinfo,
        cache_dir: Path | None,
        patience: HttpPatience | None = None,
    ) -> None:
        """Read what is kept for this tariff in *cache_dir*; nothing is asked yet."""
        del timezone  # Octopus' days are London's
        self._settings = settings
        self._export = direction == "export"
        self._patience = patience
        self._random = random.Random()  # noqa: S311 - unseeded: houses must not ask in step
        name = (settings.tariff or f"account-{direction}").lower()
        self._path = cache_dir / f"octopus-{name}.json" if cache_dir else None
        self._kept = load_prices(self._path)
        self._extras = _extras(settings, patience, self._random.random(), export=self._export)
        self._links: dict[str, tuple[datetime, Mapping[str, str]]] = {}

    async def curve(self, now: datetime) -> PriceCurve:
        """Return the prices known at *now*, asking for new ones if they are due.

        Raises ``PriceSourceError`` only if no price from *now* on is known at all.
        """
        if self._kept.due is None or now >= self._kept.due or not self._known(now):
            await self._refresh(now)
        curve = PriceCurve.from_slots(
            self._kept.slots.values(),
            source=f"octopus {self._settings.tariff or 'account'}",
            fetched_at=self._kept.fetched_at,
        )
        if not curve.from_now(now):
            raise PriceSourceError(self._kept.trouble or "Octopus has no price for now")
        if self._extras is not None:
            curve = await self._extras.laid_over(curve, now, export=self._export)
        return curve

    def next_due(self, now: datetime) -> datetime:
        """Return when new prices, dispatches or events may be there."""
        due = self._kept.due or now
        extra = self._extras.next_due(now) if self._extras is not None else None
        return max(due if extra is None else min(due, extra), now + timedelta(seconds=1))

    # ---- how it is done -------------------------------------------------------------

    def _known(self, now: datetime) -> bool:
        waiting = self._kept.failures > 0 and self._kept.due is not None and now < self._kept.due
        return waiting or any(slot.end > now for slot in self._kept.slots.values())

    async def _refresh(self, now: datetime) -> None:
        """Ask for everything around *now*; a failure leaves what is known as it is."""
        jitter = self._random.random()
        try:
            slots = await self._fetch(now - _BACK, now + _AHEAD, now)
        except PriceSourceError as exc:
            self._kept.failures += 1
            self._kept.trouble = str(exc)
            wait_s = exc.retry_after_s if isinstance(exc, PriceSourceBusy) else None
            self._kept.due = after_failure(now, self._kept.failures, jitter, wait_s)
        else:
            fetched = PriceCurve.from_slots(slots)
            # What was fetched last counts, so older slots give way where they overlap.
            merged = PriceCurve.from_slots([*self._kept.slots.values(), *fetched])
            self._kept.slots = {slot.start: slot for slot in merged}
            self._kept.drop_old(now)
            self._kept.failures, self._kept.trouble, self._kept.fetched_at = 0, "", now
            self._kept.due = after_success(now, merged.ends, jitter)
        await asyncio.to_thread(save_prices, self._path, self._kept)

    async def _fetch(self, start: datetime, end: datetime, now: datetime) -> list[PriceSlot]:
        slots: list[PriceSlot] = []
        for agreement in await self._agreements(start):
            begins = max(start, agreement.start)
            ends = end if agreement.end is None else min(end, agreement.end)
            if begins < ends:
                slots += await self._rates(agreement.tariff, begins, ends, now)
        if not slots:
            raise PriceSourceError("Octopus has no price for now")
        return slots

    async def _agreements(self, start: datetime) -> Sequence[Agreement]:
        if self._settings.tariff is not None:
            tariff = Tariff.parse(self._settings.tariff)
            return [Agreement(tariff=tariff, start=start, end=None)]
        body = await self._get(
            f"{self._settings.url}/v1/accounts/{self._settings.account}/",
            key=self._settings.api_key,
        )
        return agreements_of(body, export=self._export)

    async def _rates(
        self, tariff: Tariff, start: datetime, end: datetime, now: datetime
    ) -> list[PriceSlot]:
        links = await self._links_of(tariff, now)
        slots: list[PriceSlot] = []
        if not tariff.two_rates:
            return self._slots(await self._pages(links, "standard", start, end), start, end)
        slots += self._slots(await self._pages(links, "day", start, end), start, end)
        night = await self._pages(links, "night", start, end)
        for begins, ends in night_windows(start, end):
            slots += self._slots(night, begins, ends)
        return slots

    def _slots(self, rates: Iterable[Any], start: datetime, end: datetime) -> list[PriceSlot]:
        return slots_of(
            rates,
            start,
            end,
            payment=self._settings.payment_method,
            with_vat=self._settings.include_vat,
        )

    async def _links_of(self, tariff: Tariff, now: datetime) -> Mapping[str, str]:
        at, links = self._links.get(tariff.code, (None, {}))
        if at is None or now - at > _PRODUCT_KEPT:
            product = await self._get(f"{self._settings.url}/v1/products/{tariff.product}/")
            links = rate_links(product, tariff)
            self._links[tariff.code] = (now, links)
        return links

    async def _pages(
        self, links: Mapping[str, str], kind: str, start: datetime, end: datetime
    ) -> list[Any]:
        """Return all rates of one kind, following the pages to their end."""
        if kind not in links:
            raise PriceSourceError(f"the product names no {kind} rates")
        url: str | None = links[kind]
        parameters: Mapping[str, str] | None = {
            "period_from": _zulu(start),
            "period_to": _zulu(end),
            "page_size": str(_PAGE_SIZE),
        }
        rates: list[Any] = []
        for _ in range(_MOST_PAGES):
            if url is None:
                return rates
            body = await self._get(url, parameters)
            try:
                rates += body["results"]
                url, parameters = body["next"], None
            except (KeyError, TypeError) as exc:
                raise PriceSourceError(f"Octopus sent a page without {exc}") from exc
        raise PriceSourceError(f"Octopus sent more than {_MOST_PAGES} pages of rates")

    async def _get(
        self, url: str, parameters: Mapping[str, str] | None = None, key: str | None = None
    ) -> Any:  # noqa: ANN401 - JSON
        page = await get_json(url, parameters=parameters, user=key, patience=self._patience)
        if page.status == _OK and page.body is not None:
            return page.body
        raise _trouble(page)


def _extras(
    settings: OctopusSettings, patience: HttpPatience | None, jitter: float, *, export: bool
) -> OctopusExtras | None:
    """Return what watches dispatches and events; None if the owner wants neither."""
    asked = settings.events or (settings.intelligent and not export)
    if not (asked and settings.account and settings.api_key):
        return None
    wanted = Wanted(
        intelligent=settings.intelligent and not export,  # the car draws, and sells nothing
        events=settings.events,
        sessions_url=settings.sessions_url,
        cheap_per_day_h=settings.cheap_per_day_h,
        session_per_kwh=settings.session_per_kwh,
    )
    client = OctopusGraphql(settings.api_key, settings.url, patience)
    return OctopusExtras(client, settings.account, wanted, jitter)


def _zulu(moment: datetime) -> str:
    """Write a moment so that no server can read it as another zone's, or a + as a space."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


_TROUBLES: Final = {
    0: "Octopus does not answer: {trouble}",
    200: "Octopus sent something that is not JSON: {trouble}",
    400: "Octopus refuses the question (400): {body}",
    401: "Octopus does not know the API key (401); check api_key",
    403: "Octopus blocks us for a while (403)",
    404: "Octopus knows no such product, tariff or account (404)",
    429: "Octopus asks us to slow down (429)",
}
_BUSY: Final = frozenset({403, 429})
"""403 is a page of the network before the server: too many questions, not a wrong key."""


def _trouble(page: Page) -> PriceSourceError:
    text = _TROUBLES.get(page.status, "Octopus is in trouble ({status})")
    said = text.format(trouble=page.trouble, body=page.body, status=page.status)
    if page.status in _BUSY:
        return PriceSourceBusy(said, page.retry_after_s)
    return PriceSourceError(said)
