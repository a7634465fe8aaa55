"""Whether the service does its work, and what is amiss although it does."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from ohmstead.model import SiteSnapshot
from ohmstead.ports import ForecastSources, SitePort
from ohmstead.web.schema import HealthView

__all__ = ["health_of"]

_STALE: Final = timedelta(minutes=3)
"""The loop turns at least once a minute; after three it hangs."""


def health_of(
    site: SitePort, forecasts: ForecastSources, now: datetime, version: str
) -> HealthView:
    """Return how the service is: what keeps it from its work, and what does not.

    A plan that cannot be made anew is a note while the last one still tells what to do.
    """
    last = site.last
    if last is None:
        return HealthView(
            ok=False, reasons=["there was no turn yet"], notes=[], last_tick=None, version=version
        )
    seen, reasons, notes = last.snapshot, list[str](), list(_notes(forecasts))
    if now - seen.at > _STALE:
        reasons.append(f"the last turn was at {seen.at:%Y-%m-%d %H:%M:%S} UTC")
    reasons += [d.trouble for d in seen.devices.values() if d.trouble is not None]
    if seen.plan_trouble is not None:
        (notes if _holds(seen) else reasons).append(f"no new plan: {seen.plan_trouble}")
    return HealthView(
        ok=not reasons, reasons=reasons, notes=notes, last_tick=seen.at, version=version
    )


def _holds(seen: SiteSnapshot) -> bool:
    plan = seen.plan
    return plan is not None and plan.holds(seen.at)


def _notes(forecasts: ForecastSources) -> Iterator[str]:
    for source in (forecasts.solar, forecasts.load):
        if source is not None and source.trouble is not None:
            yield source.trouble
