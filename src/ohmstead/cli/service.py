"""Talks to the running service, if there is one, over its own API."""

from collections.abc import Mapping
from typing import Any, Final

import httpx2

from ohmstead.config.settings import Settings
from ohmstead.errors import OhmsteadError, RequestError

__all__ = ["ask_service"]

_PATIENCE_S: Final = 30.0
_ITSELF: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not bound
"""How a service is reached that listens on every address of one kind."""


def ask_service(
    settings: Settings,
    path: str,
    *,
    method: str = "GET",
    body: Mapping[str, Any] | None = None,
    patience_s: float = _PATIENCE_S,
) -> Any:  # noqa: ANN401 - JSON
    """Return the service's answer, or None if no service runs on the configured address.

    Raises ``RequestError`` with the service's own reason if it refuses.
    """
    web = settings.web
    if not web.enabled or web.port == 0:
        return None
    host = _ITSELF.get(web.host) or (f"[{web.host}]" if ":" in web.host else web.host)
    secret = web.token or web.password
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    try:
        answer = httpx2.request(
            method,
            f"http://{host}:{web.port}/api/v1/{path}",
            json=body,
            headers=headers,
            timeout=httpx2.Timeout(patience_s, connect=1.0),
        )
    except httpx2.ConnectError:
        return None
    except httpx2.HTTPError as exc:
        raise OhmsteadError(f"the service on {web.listen} does not answer: {exc!r}") from exc
    try:
        said = answer.json()
    except ValueError as exc:
        raise OhmsteadError(f"what listens on {web.listen} is not Ohmstead") from exc
    if answer.is_error:
        raise RequestError(said.get("detail", f"the service says {answer.status_code}"))
    return said
