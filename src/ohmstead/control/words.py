"""How strategies put prices, times and powers into their sentences."""

from datetime import datetime

from ohmstead.model import SiteSnapshot

__all__ = ["clock_time", "price"]

_MINOR = {"GBP": "p", "EUR": "ct", "AUD": "c", "USD": "c"}


def price(per_kwh: float, currency: str = "GBP") -> str:
    """Return a price as its owner says it.

    >>> price(0.0501), price(-0.021), price(1.23, "SEK")
    ('5.01p', '-2.1p', '1.23 SEK')
    """
    if currency in _MINOR:
        return f"{round(per_kwh * 100, 2):g}{_MINOR[currency]}"
    return f"{round(per_kwh, 4):g} {currency}"


def clock_time(site: SiteSnapshot, moment: datetime) -> str:
    """Return *moment* on the wall clock of the house, with the day if it is not today's."""
    local = moment.astimezone(site.timezone)
    return f"{local:%H:%M}" if local.date() == site.local.date() else f"{local:%a %H:%M}"
