"""One price, always."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

from ohmstead.model import PriceCurve, PriceSlot

__all__ = ["FixedSettings", "FixedSource"]

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedSettings:
    """The same price at every hour."""

    price_per_kwh: float
    """What a kWh costs, in the currency's main unit: 0.15 is 15 pence."""
    currency: str = "GBP"

    def __post_init__(self) -> None:
        """Refuse what is no price."""
        if not math.isfinite(self.price_per_kwh):
            raise ValueError("price_per_kwh must be a number")


class FixedSource:
    """Gives yesterday, today and two days more at one price."""

    def __init__(
        self, settings: FixedSettings, *, direction: str, timezone: tzinfo, cache_dir: Path | None
    ) -> None:
        """Need nothing but the price; the rest is what every source is given."""
        del timezone, cache_dir
        self._settings = settings
        self._direction = direction

    async def curve(self, now: datetime) -> PriceCurve:
        """Return one long slot around *now*."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        slot = PriceSlot(
            start=midnight - _DAY, end=midnight + 3 * _DAY, per_kwh=self._settings.price_per_kwh
        )
        return PriceCurve(
            slots=(slot,), currency=self._settings.currency, source=f"fixed {self._direction} price"
        )

    def next_due(self, now: datetime) -> datetime:
        """Ask again in a day: the slot has to move on."""
        return now + _DAY
