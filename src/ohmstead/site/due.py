"""When a plan is to be made anew: what it was made of has changed, or comes out otherwise. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ohmstead.model import Plan, SiteSnapshot
from ohmstead.site.cars import car_inside_w, charges

__all__ = ["Made", "due", "made_for", "strays"]

_EVERY: Final = timedelta(minutes=5)
_DRIFT_PCT: Final = 4.0
"""So far the battery may be from the plan before a new one is made."""
_STRAY_W: Final = 500.0
_STRAY_SHARE: Final = 0.5
"""Load or sun strays when it is off by so much, and by this share of what was foretold."""
_STRAY_FOR: Final = timedelta(minutes=3)
"""A kettle is over by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a plan was made for; when it changes, the plan is worthless at once."""

    prices: tuple[object, ...]
    """Dispatches and events are in them."""
    cars: tuple[tuple[bool | None, bool, bool], ...]
    """Of every charger: is a car plugged in, does it charge, does the battery's meter see it?"""
    requests: tuple[object, ...]


def made_for(site: SiteSnapshot) -> Made:
    """Return what a plan for *site* is made for."""
    buy, sell = site.prices.buy, site.prices.sell
    return Made(
        prices=(buy.slots if buy else None, sell.slots if sell else None),
        cars=tuple((c.plugged, charges(c), c.inside_meter) for c in site.chargers),
        requests=tuple((request.id, request.until) for request in site.requests),
    )


def due(
    site: SiteSnapshot,
    plan: Plan,
    made: Made,
    forecasts_due: datetime | None,
    strays_since: datetime | None,
) -> str | None:
    """Return why *plan* is to be made anew, in words; None while it holds.

    *forecasts_due* is when a forecast may say something new, *strays_since* since when the
    house does not do what was foretold.
    """
    for why, was, now in zip(_CHANGES, _parts(made), _parts(made_for(site)), strict=True):
        if was != now:
            return why
    if plan.at(site.at) is None or not timedelta() <= plan.age(site.at) < _EVERY:
        return "five minutes have passed"
    if _drift_pct(site, plan) > _DRIFT_PCT:
        return "the battery is not where the plan has it"
    if forecasts_due is not None and plan.made_at < forecasts_due <= site.at:
        return "a new forecast may be there"
    if strays_since is not None and site.at - strays_since >= _STRAY_FOR:
        return "house or sun is not as foretold"
    return None


def _drift_pct(site: SiteSnapshot, plan: Plan) -> float:
    """Return how far the battery is from where *plan* has it now."""
    stored_pct = plan.soc_at(site.at)
    if stored_pct is None or site.soc_pct is None:
        return 0.0
    return abs(stored_pct - site.soc_pct)


_CHANGES: Final = ("the prices have changed", "a car came or went", "a request began or ended")


def _parts(made: Made) -> tuple[object, object, object]:
    return made.prices, made.cars, made.requests


def strays(site: SiteSnapshot, plan: Plan) -> bool:
    """Tell whether load or sun is far from what *plan* has for now; cars are not the house."""
    slot = plan.at(site.at)
    if slot is None:
        return False
    house_w = None if site.load_w is None else site.load_w - car_inside_w(site)
    return _far(house_w, slot.load_w - slot.car_w) or _far(site.pv_w, slot.pv_w)


def _far(measured_w: float | None, foretold_w: float) -> bool:
    if measured_w is None:
        return False
    return abs(measured_w - foretold_w) > max(_STRAY_W, _STRAY_SHARE * foretold_w)
