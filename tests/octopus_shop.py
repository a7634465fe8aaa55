"""Octopus with Intelligent Go for days: night rates, one car, and events as the test wants them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final, Literal

from houses import LONDON
from ohmstead.clock import Clock
from ohmstead.model import PriceSlot
from ohmstead.prices.octopus import OctopusSettings, OctopusSource
from ohmstead.prices.octopus_graphql_simulator import OctopusGraphqlSimulator
from ohmstead.prices.octopus_simulator import OctopusSimulator

__all__ = ["DAY_PER_KWH", "NIGHT_PER_KWH", "Shop", "a_shop"]

NIGHT_PER_KWH: Final = 0.07
DAY_PER_KWH: Final = 0.27
_TARIFF: Final = "E-1R-INTELLI-VAR-24-10-29-C"
_SOLD: Final = "E-1R-OUTGOING-FIX-12M-19-05-13-C"


class Shop:
    """The server, and the sources that ask it."""

    def __init__(self, graphql: OctopusGraphqlSimulator, port: int, folder: Path) -> None:
        """Sell on *port*; prices are kept in *folder*."""
        self.graphql = graphql
        self._url = f"http://127.0.0.1:{port}"
        self._folder = folder

    def source(self, direction: Literal["import", "export"] = "import") -> OctopusSource:
        """Return the owner's source of prices."""
        settings = OctopusSettings(
            tariff=_TARIFF if direction == "import" else _SOLD,
            account=OctopusGraphqlSimulator.ACCOUNT,
            api_key="sk_live_simulated",
            intelligent=direction == "import",
            events=True,
            url=self._url,
            sessions_url=self._url,
        )
        return OctopusSource(settings, direction=direction, timezone=LONDON, cache_dir=self._folder)


@asynccontextmanager
async def a_shop(clock: Clock, folder: Path, *, sold_per_kwh: float = 0.15) -> AsyncIterator[Shop]:
    """Sell and buy, from two days ago for a week."""
    first = datetime.combine(clock.now().astimezone(LONDON).date(), time(), LONDON)
    rates = [slot for day in range(-2, 4) for slot in _day(first + timedelta(days=day))]
    sold = [PriceSlot(start=rates[0].start, end=rates[-1].end, per_kwh=sold_per_kwh)]
    octopus = OctopusSimulator(clock, {_TARIFF: rates, _SOLD: sold})
    async with octopus.serve() as port:
        yield Shop(octopus.graphql, port, folder)


def _day(midnight: datetime) -> list[PriceSlot]:
    """Return the tariff from half past eleven of the day before on."""
    night = midnight - timedelta(minutes=30)
    morning, evening = midnight.replace(hour=5, minute=30), midnight.replace(hour=23, minute=30)
    return [
        PriceSlot(start=night, end=morning, per_kwh=NIGHT_PER_KWH),
        PriceSlot(start=morning, end=evening, per_kwh=DAY_PER_KWH),
    ]
