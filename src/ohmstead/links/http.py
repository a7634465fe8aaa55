"""JSON over HTTP: one page at a time, with a limit on every wait."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Final

import httpx2
import stamina

from ohmstead import __version__
from ohmstead.errors import OhmsteadError

__all__ = ["HttpPatience", "Page", "get_json", "post_json"]

_AGENT: Final = f"ohmstead/{__version__} (home-energy controller)"
_SERVER_TROUBLE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPatience:
    """How long we wait for a page, and how often we ask again."""

    timeout_s: float = 20.0
    attempts: int = 3
    pause_s: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What came back; *status* is 0 when nothing did."""

    status: int
    body: Any = None
    """The decoded JSON; None where the body is none."""
    trouble: str = ""
    """Why there is no answer, or the beginning of one that is not JSON."""
    retry_after_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """What stood above the answer, the names in small letters."""


async def get_json(
    url: str,
    *,
    parameters: Mapping[str, str] | None = None,
    user: str | None = None,
    bearer: str | None = None,
    digest: tuple[str, str] | None = None,
    patience: HttpPatience | None = None,
) -> Page:
    """Get one page; silence and a server's own trouble are tried again, all else is returned.

    *user* is sent as the name of HTTP basic authentication, with no password; *bearer* as a
    token; *digest* is a name and a password for HTTP digest authentication. The last two are
    shown to nobody the server might send us on to.
    """
    patience = patience or HttpPatience()
    auth: httpx2.Auth | None = httpx2.BasicAuth(user, "") if user else None
    if digest is not None:
        auth = httpx2.DigestAuth(*digest)

    async def ask() -> Page:
        secret = None if bearer is None else f"Bearer {bearer}"
        async with _client(patience, secret, stay=digest is not None) as client:
            return _sound(await client.get(url, params=parameters, auth=auth))

    return await _asked(ask, url, patience)


async def post_json(
    url: str,
    body: Mapping[str, Any],
    *,
    bearer: str | None = None,
    authorization: str | None = None,
    again: Callable[[Page], bool] | None = None,
    patience: HttpPatience | None = None,
) -> Page:
    """Send *body* and return the answer; sent once only, unless *again* is given.

    With *again* the question may be repeated without harm: it is after silence, after a
    server's own trouble, and after every answer of which *again* says so. *authorization* is
    sent as it is, where a server has a scheme of its own; *bearer* as a token.
    """
    patience = patience or HttpPatience()
    if again is None:
        patience = replace(patience, attempts=1)

    async def ask() -> Page:
        secret = authorization if bearer is None else f"Bearer {bearer}"
        async with _client(patience, secret, stay=True) as client:  # a body may hold a key
            page = _sound(await client.post(url, json=dict(body)))
        if again is not None and again(page):
            raise _AskAgainError(page)
        return page

    return await _asked(ask, url, patience)


class _AskAgainError(OhmsteadError):
    """An answer that does not settle the question; never leaves this module."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page


async def _asked(ask: Callable[[], Awaitable[Page]], url: str, patience: HttpPatience) -> Page:
    page = Page(status=0)
    try:
        async for attempt in stamina.retry_context(
            on=(httpx2.HTTPError, _AskAgainError),
            attempts=patience.attempts,
            timeout=None,
            wait_initial=patience.pause_s,
        ):
            with attempt:
                page = await ask()
    except httpx2.HTTPStatusError as exc:
        return _page(exc.response)
    except httpx2.HTTPError as exc:
        return Page(status=0, trouble=str(exc) or type(exc).__name__)
    except httpx2.InvalidURL as exc:
        return Page(status=400, trouble=f"{url}: {exc}")
    except _AskAgainError as exc:
        return exc.page
    return page


def _client(
    patience: HttpPatience, secret: str | None, *, stay: bool = False
) -> httpx2.AsyncClient:
    headers = {"User-Agent": _AGENT}
    if secret is not None:
        headers |= {
            "Authorization": secret,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
    return httpx2.AsyncClient(
        timeout=patience.timeout_s,
        headers=headers,
        follow_redirects=secret is None and not stay,
        verify=_trusted(),
    )


@cache
def _trusted() -> ssl.SSLContext:
    """Return whom we trust; to read the list takes longer than most answers, so it is kept."""
    return httpx2.create_ssl_context()


def _sound(answer: httpx2.Response) -> Page:
    if answer.status_code >= _SERVER_TROUBLE:
        answer.raise_for_status()
    return _page(answer)


def _page(answer: httpx2.Response) -> Page:
    try:
        body, trouble = answer.json(), ""
    except ValueError:
        body, trouble = None, answer.text[:200]
    return Page(
        status=answer.status_code,
        body=body,
        trouble=trouble,
        retry_after_s=_retry_after_s(answer.headers),
        headers=dict(answer.headers),
    )


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return what ``Retry-After`` asks for: seconds, or a date beside the answer's own."""
    asked = headers.get("Retry-After")
    if asked is None:
        return None
    try:
        return max(float(asked), 0.0)
    except ValueError:
        pass
    try:
        then, now = parsedate_to_datetime(asked), parsedate_to_datetime(headers.get("Date", ""))
        wait_s = (then - now).total_seconds()
    except (ValueError, TypeError):
        return None
    return max(wait_s, 0.0)
