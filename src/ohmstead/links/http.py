"""JSON over HTTP: one page at a time, with a limit on every wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2
import stamina

from ohmstead import __version__

__all__ = ["HttpPatience", "Page", "get_json"]

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


async def get_json(
    url: str,
    *,
    parameters: Mapping[str, str] | None = None,
    user: str | None = None,
    patience: HttpPatience | None = None,
) -> Page:
    """Get one page; silence and a server's own trouble are tried again, all else is returned.

    *user* is sent as the name of HTTP basic authentication, with no password.
    """
    patience = patience or HttpPatience()
    page = Page(status=0)
    try:
        async for attempt in stamina.retry_context(
            on=httpx2.HTTPError,
            attempts=patience.attempts,
            timeout=None,
            wait_initial=patience.pause_s,
        ):
            with attempt:
                page = _page(await _get(url, parameters, user, patience))
    except httpx2.HTTPStatusError as exc:
        return _page(exc.response)
    except httpx2.HTTPError as exc:
        return Page(status=0, trouble=str(exc) or type(exc).__name__)
    except httpx2.InvalidURL as exc:
        return Page(status=400, trouble=f"{url}: {exc}")
    return page


async def _get(
    url: str, parameters: Mapping[str, str] | None, user: str | None, patience: HttpPatience
) -> httpx2.Response:
    auth = httpx2.BasicAuth(user, "") if user else None
    async with httpx2.AsyncClient(
        timeout=patience.timeout_s, headers={"User-Agent": _AGENT}, follow_redirects=True
    ) as client:
        answer = await client.get(url, params=parameters, auth=auth)
    if answer.status_code >= _SERVER_TROUBLE:
        answer.raise_for_status()
    return answer


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
