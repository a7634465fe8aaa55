"""PVOutput's API: statuses one by one or in batches, within the hour's allowance.

Source: PVOutput's API specification, r2: 60 requests an hour (300 for donors), 30 statuses in a
batch (100 for donors), none older than 14 days (90 for donors).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx2

from ohmstead import __version__
from ohmstead.outputs.pvoutput_day import Day
from ohmstead.outputs.pvoutput_status import Status

__all__ = ["Answer", "Away", "PvoutputApi", "PvoutputSettings", "Refused", "Taken"]

_AGENT: Final = f"ohmstead/{__version__} (home-energy controller)"
_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_SENTENCE: Final = 200
_HOUR_S: Final = 3_600.0
_RESERVE: Final = 3
"""Requests of the hour that are left to whoever else uses the key."""
_ACCOUNT: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class PvoutputSettings:
    """A system on PVOutput."""

    api_key: str = field(repr=False)
    """The API key of your account's settings page, not read-only; write `!secret NAME`."""
    system_id: str
    """The number of the system, on the same page, in quotes."""
    interval_min: int = 5
    """How often PVOutput shall have a status, as it is set there: 5, 10 or 15 minutes."""
    consumption: bool = True
    """Tell what the house uses, too."""
    daily: bool = True
    """Tell after midnight what the whole day gave, and what of it was fed in."""
    donor: bool = False
    """You donated: more in a batch, more requests, an older backlog."""
    url: str = "https://pvoutput.org"
    """Where the server is."""
    timeout_s: float = 20.0
    """How long to wait for an answer."""

    def __post_init__(self) -> None:
        """Refuse what cannot work, or would send the key over the net unprotected."""
        if not (self.api_key.isascii() and self.api_key.isalnum()):
            raise ValueError("api_key is letters and digits; write `api_key: !secret NAME`")
        if not (self.system_id.isascii() and self.system_id.isdigit()):
            raise ValueError('system_id is a number in quotes: "12345"')
        if self.interval_min not in {5, 10, 15}:
            raise ValueError("interval_min is 5, 10 or 15, as it is set on PVOutput")
        parts = urlsplit(self.url)
        if not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)):
            raise ValueError("url begins with https://, or the key could be overheard")
        if self.timeout_s <= 0:
            raise ValueError("timeout_s must be above zero")

    @property
    def batch(self) -> int:
        """How many statuses may go at once."""
        return 100 if self.donor else 30

    @property
    def oldest(self) -> timedelta:
        """What is older than this PVOutput will not have."""
        return timedelta(days=90 if self.donor else 14)


@dataclass(frozen=True, slots=True)
class Taken:
    """PVOutput has them."""

    text: str = ""
    rest_s: float = 0.0
    """How long to send nothing, as the hour's allowance is used up."""


@dataclass(frozen=True, slots=True)
class Refused:
    """PVOutput will not have these statuses."""

    why: str


@dataclass(frozen=True, slots=True)
class Away:
    """PVOutput cannot take any now; the same ones may do later."""

    why: str
    rest_s: float = 0.0


Answer = Taken | Refused | Away


class PvoutputApi:
    """One system's routes."""

    def __init__(
        self, settings: PvoutputSettings, client: httpx2.AsyncClient, zone: tzinfo
    ) -> None:
        """Send through *client*, times by the clock of *zone*."""
        self._settings = settings
        self._client = client
        self._zone = zone
        self._headers = {
            "User-Agent": _AGENT,
            "X-Pvoutput-Apikey": settings.api_key,
            "X-Pvoutput-SystemId": settings.system_id,
            "X-Rate-Limit": "1",
        }

    async def send(self, statuses: Sequence[Status], now_s: float) -> Answer:
        """Send *statuses*, once; *now_s* is the time in seconds since 1970."""
        rows = [status.fields(self._zone) for status in statuses]
        if len(rows) == 1:
            names = ("d", "t", "v2", "v4")
            data = {n: value for n, value in zip(names, rows[0], strict=True) if value}
            return await self._post("addstatus", data, now_s)
        joined = ";".join(f"{d},{t},,{pv},,{load}" for d, t, pv, load in rows)
        return await self._post("addbatchstatus", {"data": joined}, now_s)

    async def send_day(self, day: Day, now_s: float) -> Answer:
        """Send what one whole day gave, once."""
        return await self._post("addoutput", day.fields(), now_s)

    async def system(self, now_s: float) -> Answer:
        """Ask what PVOutput knows of the system: a row whose first word is its name."""
        return await self._post("getsystem", {}, now_s)

    # ---- how it is done -------------------------------------------------------------

    async def _post(self, what: str, data: Mapping[str, str], now_s: float) -> Answer:
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                answer = await self._client.post(
                    f"{self._settings.url}/service/r2/{what}.jsp",
                    headers=self._headers,
                    data=dict(data),
                    timeout=None,  # the whole is bounded, not each of its steps
                )
        except TimeoutError:
            return Away(f"no answer in {self._settings.timeout_s:g} s")
        except httpx2.HTTPError as exc:
            return Away(self._plain(str(exc)) or type(exc).__name__)
        said = self._plain(answer.text)
        if answer.is_success:
            return Taken(said, _rest_s(answer.headers, now_s))
        if answer.status_code == HTTPStatus.BAD_REQUEST:
            return Refused(said)
        rest_s = _rest_s(answer.headers, now_s)
        if answer.status_code in _ACCOUNT and not rest_s:
            # A wrong key, or the allowance without its headers: an hour mends the second.
            rest_s = _HOUR_S
        return Away(said or f"HTTP {answer.status_code}", rest_s)

    def _plain(self, text: str) -> str:
        return " ".join(text.replace(self._settings.api_key, "…").split())[:_SENTENCE]


def _rest_s(headers: Mapping[str, str], now_s: float) -> float:
    """Return how long the hour's allowance asks for rest; 0 while enough is left."""
    left, reset = headers.get("X-Rate-Limit-Remaining", ""), headers.get("X-Rate-Limit-Reset", "")
    if not (left.lstrip("-").isdecimal() and reset.isdecimal()) or int(left) > _RESERVE:
        return 0.0
    return min(max(int(reset) - now_s, 0.0), _HOUR_S) + 1
