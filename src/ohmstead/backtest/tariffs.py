"""Tariffs over a span of time, and what of them was known at each moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from ohmstead.backtest.world import HALF_HOUR, World
from ohmstead.errors import ProblemError
from ohmstead.model import PriceCurve, Prices, PriceSlot
from ohmstead.simulation.chance import chance
from ohmstead.simulation.days import agile_prices

__all__ = ["TARIFFS", "Bands", "Known", "Tariff", "agile", "banded", "tariff_named"]

_TOLD_AT: Final = time(16)
"""Half-hourly prices of the next day come out in the afternoon…"""
_TOLD_UNTIL: Final = time(23)
"""…up to this hour of it, all on the wall clock."""
_LASTING_DAYS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What each half-hour from ``start`` on costs and pays, in the currency's main unit."""

    name: str
    start: datetime
    buy: Sequence[float]
    sell: Sequence[float]
    day_ahead: bool = False
    """Whether prices come out a day ahead; otherwise they are known as long as anyone asks."""
    currency: str = "GBP"

    def __post_init__(self) -> None:
        """Refuse prices that do not cover the same time."""
        if len(self.buy) != len(self.sell):
            raise ProblemError(f"{self.name}: import and export must cover the same time")

    def known_until(self, now: datetime, zone: tzinfo) -> datetime:
        """Return up to when prices were known at *now*."""
        local = now.astimezone(zone)
        if not self.day_ahead:
            last = local.date() + timedelta(days=_LASTING_DAYS)
            return datetime.combine(last, time(), zone).astimezone(UTC)
        last = local.date() + timedelta(days=local.time() >= _TOLD_AT)
        return datetime.combine(last, _TOLD_UNTIL, zone).astimezone(UTC)


@dataclass(slots=True)
class Known:
    """The prices of *tariff* as they were known, moment by moment."""

    tariff: Tariff
    zone: tzinfo
    _until: datetime | None = None
    _prices: Prices = field(default_factory=Prices)
    _asked: date | None = None

    def at(self, now: datetime) -> Prices:
        """Return the prices that were known at *now*: of the present half-hour, and later ones."""
        until = self.tariff.known_until(now, self.zone)
        first = (now - self.tariff.start) // HALF_HOUR
        last = min((until - self.tariff.start) // HALF_HOUR, len(self.tariff.buy))
        if until != self._until or self._asked != now.date():
            self._until, self._asked = until, now.date()
            self._prices = Prices(
                buy=self._curve(self.tariff.buy, first, last),
                sell=self._curve(self.tariff.sell, first, last),
            )
        return self._prices

    def _curve(self, prices: Sequence[float], first: int, last: int) -> PriceCurve:
        start = self.tariff.start
        return PriceCurve(
            slots=tuple(
                PriceSlot(
                    start=start + n * HALF_HOUR,
                    end=start + (n + 1) * HALF_HOUR,
                    per_kwh=float(prices[n]),
                )
                for n in range(max(first, 0), last)
            ),
            currency=self.tariff.currency,
            source=self.tariff.name,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Prices by the wall clock: each holds from its time until the next."""

    buy: tuple[tuple[time, float], ...]
    sell: tuple[tuple[time, float], ...]


def banded(name: str, bands: Bands, start: datetime, zone: tzinfo, halves: int) -> Tariff:
    """Return a tariff whose prices follow the wall clock."""
    clocks = [(start + n * HALF_HOUR).astimezone(zone).time() for n in range(halves)]
    return Tariff(
        name=name,
        start=start,
        buy=tuple(_band(bands.buy, clock) for clock in clocks),
        sell=tuple(_band(bands.sell, clock) for clock in clocks),
    )


def agile(start: datetime, zone: tzinfo, halves: int, seed: int = 0) -> Tariff:
    """Return half-hourly prices like Agile's, and an export like Agile Outgoing's.

    Days differ: the wholesale price wanders from one to the next and is higher in winter, and
    on windy days nights and noons are cheap, now and then below nothing.
    """
    first = start.astimezone(zone).date()
    last = (start + halves * HALF_HOUR).astimezone(zone).date()
    buy: dict[datetime, float] = {}
    sell: dict[datetime, float] = {}
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        mean, wind = _market(day, seed)
        for export, found in ((False, buy), (True, sell)):
            prices = agile_prices(
                day, zone, days=1, mean_per_kwh=mean, wind_share=wind, seed=seed, export=export
            )
            found.update(prices)
    moments = [start + n * HALF_HOUR for n in range(halves)]
    return Tariff(
        name="agile",
        start=start,
        buy=tuple(buy[moment] for moment in moments),
        sell=tuple(sell[moment] for moment in moments),
        day_ahead=True,
    )


def tariff_named(name: str, world: World, seed: int = 0) -> Tariff:
    """Return the built-in tariff called *name* over *world* and three days more."""
    halves = world.halves + _LASTING_DAYS * 48
    if name == "agile":
        return agile(world.start, world.zone, halves, seed)
    if name not in _BANDS:
        raise ProblemError(f"no tariff called {name}; there is {', '.join(TARIFFS)}")
    return banded(name, _BANDS[name], world.start, world.zone, halves)


# ---- how it is done -----------------------------------------------------------------------

_MEMORY: Final = 0.7
_WINDY: Final = 0.35


def _market(day: date, seed: int) -> tuple[float, float]:
    """Return the day's mean wholesale price, and how windy it is."""
    number, drift = day.toordinal(), 0.0
    for back in range(6, -1, -1):  # a week's memory, whatever day is asked for first
        drift = _MEMORY * drift + chance("market", seed, number - back).gauss(0.0, 0.09)
    season = 0.078 if day.month in {11, 12, 1, 2} else 0.068
    drawn = chance("wind", seed, number).random()
    wind = 0.3 + 0.9 * drawn if drawn > 1 - _WINDY else 0.25 * drawn
    return season * max(1.0 + drift, 0.4), wind


def _band(bands: Sequence[tuple[time, float]], clock: time) -> float:
    """Return the price that holds at *clock*; before the first band the last one does."""
    for (begins, price), (ends, _) in pairwise(bands):
        if begins <= clock < ends:
            return price
    return bands[-1][1]


_FLAT_EXPORT: Final = ((time(), 0.15),)
_BANDS: Final = {
    # shaped like the tariffs they are named for, rounded
    "go": Bands(
        buy=((time(0, 30), 0.085), (time(5, 30), 0.285)),
        sell=_FLAT_EXPORT,
    ),
    "intelligent_go": Bands(
        buy=((time(5, 30), 0.285), (time(23, 30), 0.07)),
        sell=_FLAT_EXPORT,
    ),
    "flux": Bands(
        buy=((time(2), 0.165), (time(5), 0.275), (time(16), 0.385), (time(19), 0.275)),
        sell=((time(2), 0.045), (time(5), 0.15), (time(16), 0.265), (time(19), 0.15)),
    ),
    "flat": Bands(buy=((time(), 0.245),), sell=_FLAT_EXPORT),
}

TARIFFS: Final = ("agile", *_BANDS)
"""The names of the built-in tariffs."""
