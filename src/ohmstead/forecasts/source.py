"""What all web services of forecasts have in common: settings, and how trouble is put."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ohmstead.errors import ForecastBusy, ForecastError
from ohmstead.forecasts.panels import ArraySettings, Panels, check_horizon
from ohmstead.links.http import HttpPatience, Page

__all__ = ["PATIENCE", "UNREADABLE", "SolarSettings", "body_of", "moment_of", "point_of"]

PATIENCE: Final = HttpPatience(timeout_s=10, attempts=2)
"""A plan may be waiting for the answer, and there is always another forecast."""

UNREADABLE: Final = (
    AttributeError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    ValueError,
)
"""What reading JSON of another shape may raise."""

_OK: Final = 200
_TOO_MANY: Final = 429
_SERVER_TROUBLE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarSettings:
    """The panels, whoever says what the sky will do."""

    arrays: tuple[ArraySettings, ...]
    """Every field of panels of its own slope or bearing."""
    horizon: tuple[float, ...] = ()
    """Heights in degrees of what stands round the house, evenly spaced from north by east."""
    limit_w: float | None = None
    """What the inverters let through together."""
    measured: str = "site.pv_w"
    """The point whose history teaches how much the panels really make."""

    def __post_init__(self) -> None:
        """Refuse a house without panels."""
        if not self.arrays:
            raise ValueError("say at least one array, like `arrays: [{kwp: 4.2, azimuth: 180}]`")
        check_horizon(self.horizon)
        if self.limit_w is not None and self.limit_w <= 0:
            raise ValueError("limit_w is a number of watts above 0")
        point_of(self.measured)

    @property
    def panels(self) -> Panels:
        """The panels these settings describe."""
        return Panels(self.arrays, self.horizon, self.limit_w)


def point_of(name: str) -> tuple[str, str]:
    """Return the device and the point of ``device.point``, or raise ``ValueError``."""
    device, dot, point = name.partition(".")
    if not (device and dot and point):
        raise ValueError(f"{name!r} names no point; write device.point, like site.load_w")
    return device, point


def moment_of(text: str) -> datetime:
    """Return the moment *text* names with its zone, or raise ``ValueError``."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment.astimezone(UTC)


def body_of(page: Page, service: str, remedies: Mapping[int, str]) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of *page*, or raise the ``ForecastError`` that says what to do.

    *remedies* has a sentence for a status; one's own words of the service may stand in it as
    ``{said}``.
    """
    if page.status == _OK and page.body is not None:
        return page.body
    said = _said(page)
    if page.status == 0:
        raise ForecastError(f"{service} does not answer: {page.trouble}")
    if page.status == _OK:
        raise ForecastError(f"{service} sent something that is not JSON: {page.trouble}")
    if page.status in remedies:
        what = remedies[page.status].format(said=said)
    elif page.status >= _SERVER_TROUBLE:
        what = "is in trouble itself; nothing to do but wait"
    else:
        what = f"refuses the question: {said}"
    detail = f"{service} {what} ({page.status})"
    if page.status == _TOO_MANY:
        raise ForecastBusy(detail, page.retry_after_s)
    raise ForecastError(detail)


def _said(page: Page) -> str:
    """Return the service's own words, short."""
    body: Any = page.body
    found = page.trouble
    if isinstance(body, Mapping):
        for key in ("reason", "message", "text", "response_status", "error"):
            inner = body.get(key)
            if isinstance(inner, Mapping):
                inner = inner.get("text") or inner.get("message")
            if isinstance(inner, str) and inner:
                found = inner
                break
    return " ".join(found.split())[:160]
