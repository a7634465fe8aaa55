"""Where lines are written, and what a server answers: the write APIs of InfluxDB 1 and 2.

VictoriaMetrics, Telegraf, QuestDB and InfluxDB 3 speak one or both of them.
"""

import asyncio
import gzip
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

import httpx2

from ohmstead import __version__

__all__ = ["Away", "InfluxSettings", "Refused", "Taken", "WriteApi", "WriteResult"]

_AGENT: Final = f"ohmstead/{__version__} (home-energy controller)"
_BAD_LINES: Final = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""These blame the lines: one is bad, or they are too many. Any other refusal (a wrong token, a
bucket that is not there, too many requests) blames us or the server, and the same lines will do
once that is mended."""
_LONGEST_WAIT_S: Final = 3_600.0
_SENTENCE: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxSettings:
    """A time-series database that takes line protocol: InfluxDB, VictoriaMetrics, Telegraf."""

    url: str
    """Where it is, like http://127.0.0.1:8086 (InfluxDB) or http://127.0.0.1:8428
    (VictoriaMetrics)."""
    bucket: str = ""
    """The bucket of InfluxDB 2 or 3. With it the v2 API is used, without it the v1 API."""
    org: str = ""
    """The organisation of InfluxDB 2."""
    token: str = field(default="", repr=False)
    """The token of InfluxDB 2 or 3, with the right to write; keep it in secrets.yaml."""
    database: str = ""
    """The database of InfluxDB 1. VictoriaMetrics needs neither this nor a bucket."""
    retention_policy: str = ""
    """The retention policy of InfluxDB 1, if not the database's own."""
    username: str = ""
    """For a server that asks for a name and a password."""
    password: str = field(default="", repr=False)
    """Belongs to username; keep it in secrets.yaml."""
    naming: Literal["ohmstead", "givtcp", "ranch"] = "ohmstead"
    """Names of measurements and fields: ours, those GivTCP wrote, or those of an off-grid power
    room (power_room_totals, solar_charger_1)."""
    text: bool = True
    """Write words too (states, modes, times); VictoriaMetrics can hold numbers only."""
    gzip: bool = True
    """Compress what is sent."""
    every_s: float = 10.0
    """How often to send what has come in."""
    batch_lines: int = 5_000
    """The most lines sent at once."""
    timeout_s: float = 10.0
    """How long to wait for an answer."""
    spool_mb: int = 200
    """How many megabytes may wait on the disk while the server is away; then the oldest go."""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        url = urlsplit(self.url)
        if url.scheme not in {"http", "https"} or not url.hostname or not _has_port(url):
            raise ValueError("url is the server's address, like http://127.0.0.1:8086")
        if url.username or url.password or url.query:
            raise ValueError("url is the bare address; names, passwords and databases have keys")
        if self.bucket and self.database:
            raise ValueError("bucket is for InfluxDB 2 and database for InfluxDB 1: give one")
        if self.bucket and self.retention_policy:
            raise ValueError("retention_policy is for InfluxDB 1; in InfluxDB 2 a bucket has one")
        if self.token and self.username:
            raise ValueError("give a token or a username, not both")
        for name in ("every_s", "batch_lines", "timeout_s", "spool_mb"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above zero")


@dataclass(frozen=True, slots=True)
class Taken:
    """The server has the lines."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server will not have these lines; it may have taken the good ones among them."""

    why: str


@dataclass(frozen=True, slots=True)
class Away:
    """The server cannot take lines now; the same lines may do later."""

    why: str
    retry_after_s: float | None = None


WriteResult = Taken | Refused | Away


class WriteApi:
    """One server's write endpoint."""

    def __init__(self, settings: InfluxSettings, client: httpx2.AsyncClient) -> None:
        """Send through *client*."""
        self._settings = settings
        self._client = client
        self._headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": _AGENT}
        if settings.gzip:
            self._headers["Content-Encoding"] = "gzip"
        if settings.token:
            self._headers["Authorization"] = f"Token {settings.token}"
        # Not as parameters u and p, as v1 would also have it: those end up in logs.
        self._auth = (
            httpx2.BasicAuth(settings.username, settings.password)
            if settings.username
            else httpx2.USE_CLIENT_DEFAULT
        )
        self._url = settings.url.rstrip("/") + ("/api/v2/write" if settings.bucket else "/write")
        # Nanoseconds are the default of every server, also of those that know no precision.
        asked = {"precision": "ns"}
        asked |= {"org": settings.org, "bucket": settings.bucket, "db": settings.database}
        asked |= {"rp": settings.retention_policy}
        self._parameters = {name: value for name, value in asked.items() if value}

    async def write(self, lines: bytes) -> WriteResult:
        """Send *lines*, compressed with gzip as they are kept, once."""
        body = lines if self._settings.gzip else gzip.decompress(lines)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                answer = await self._client.post(
                    self._url,
                    params=self._parameters,
                    headers=self._headers,
                    content=body,
                    auth=self._auth,
                    timeout=None,  # the whole is bounded, not each of its steps
                )
        except TimeoutError:
            return Away(f"no answer in {self._settings.timeout_s:g} s")
        except httpx2.HTTPError as exc:
            return Away(str(exc) or type(exc).__name__)
        if answer.is_success:
            return Taken()
        why = f"{answer.status_code} {_sentence(answer)}"
        if answer.status_code in _BAD_LINES:
            return Refused(why)
        return Away(why, _retry_after_s(answer))


def _sentence(answer: httpx2.Response) -> str:
    """Return what the server says is wrong, in one line."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    said = (body.get("error") or body.get("message")) if isinstance(body, dict) else None
    words = " ".join(str(said or answer.text).split())[:_SENTENCE]
    return words or answer.reason_phrase


def _retry_after_s(answer: httpx2.Response) -> float | None:
    """Return how long the server asks us to wait; in seconds is how databases say it."""
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_WAIT_S) if asked.isdecimal() else None


def _has_port(url: SplitResult) -> bool:
    """Tell whether the port of *url*, if it names one, is a port."""
    try:
        return url.port != 0
    except ValueError:
        return False
