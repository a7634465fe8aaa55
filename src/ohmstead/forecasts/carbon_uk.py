"""Great Britain's carbon intensity: what a kWh from the grid weighs, as a second price.

https://carbon-intensity.github.io/api-definitions: no key; half-hours two days ahead, in grams
of CO2 a kWh, for the country or for one of its regions.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ohmstead.errors import ForecastError, PriceSourceError
from ohmstead.forecasts import quarters
from ohmstead.forecasts.kept import Keeper
from ohmstead.forecasts.quarters import QUARTER, Told, spread_out
from ohmstead.forecasts.source import PATIENCE, UNREADABLE, body_of, moment_of
from ohmstead.links.http import HttpPatience, get_json
from ohmstead.model import ForecastSlot, PriceCurve, PriceSlot

__all__ = ["CarbonUkSettings", "CarbonUkSource", "CarbonUkTeller", "carbon_uk"]

_REMEDIES: Final = {
    400: "refuses the question: {said}; check postcode or region",
    404: "finds nothing there; check postcode or region",
    429: "asks us to slow down",
}
_BACK: Final = timedelta(hours=2)
_REGIONS: Final = 17
_GRAMS: Final = 1_000.0
_HEAVIEST_G: Final = 2_000.0
"""The dirtiest coal makes half of this."""
_LONGEST: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class CarbonUkSettings:
    """The whole country, or a part of it."""

    postcode: str | None = None
    """The first half of the postcode: RG10. The region is then found by itself."""
    region: int | None = None
    """Or the number of the region, 1 to 17."""
    url: str = "https://api.carbonintensity.org.uk"
    """Where the server is."""

    def __post_init__(self) -> None:
        """Refuse what names no region."""
        if self.postcode is not None and self.region is not None:
            raise ValueError("say a postcode or a region, not both")
        if self.postcode is not None and not (self.postcode.isascii() and self.postcode.isalnum()):
            raise ValueError("postcode is its first half alone, like RG10")
        if self.region is not None and not 1 <= self.region <= _REGIONS:
            raise ValueError(f"region is a number from 1 to {_REGIONS}")


class CarbonUkTeller:
    """Asks for two days ahead; its numbers are grams a kWh."""

    name = "Carbon Intensity"
    every = timedelta(minutes=30)
    calls = 1
    calls_a_day = None

    def __init__(self, settings: CarbonUkSettings, patience: HttpPatience | None = None) -> None:
        """Ask as *settings* say."""
        self._settings = settings
        self._patience = patience or PATIENCE

    async def fetch(self, now: datetime) -> Mapping[int, Told]:
        """Return the grams of CO2 a kWh, two days ahead."""
        settings = self._settings
        start = f"{now.astimezone(UTC) - _BACK:%Y-%m-%dT%H:%MZ}"
        path = f"intensity/{start}/fw48h"
        if settings.postcode is not None:
            path = f"regional/{path}/postcode/{settings.postcode}"
        elif settings.region is not None:
            path = f"regional/{path}/regionid/{settings.region}"
        page = await get_json(f"{settings.url}/{path}", patience=self._patience)
        return spread_out(_slots(body_of(page, self.name, _REMEDIES)))


class CarbonUkSource:
    """A price source whose currency is the kilogram of CO2."""

    def __init__(self, keeper: Keeper) -> None:
        """Hand out what *keeper* keeps."""
        self._keeper = keeper

    async def curve(self, now: datetime) -> PriceCurve:
        """Return the half-hours known, asking for more if that is due."""
        await self._keeper.refresh(now)
        kept = self._keeper.kept
        present = quarters.of(now)
        slots = [
            PriceSlot(
                start=quarters.begin(quarter),
                end=quarters.begin(quarter) + QUARTER,
                per_kwh=told.middle_w / _GRAMS,
            )
            for quarter, told in sorted(kept.told.items())
            if quarter >= present - 2
        ]
        curve = PriceCurve(
            slots=tuple(_pairs(slots)),
            currency="kgCO2",
            source="carbon_uk",
            fetched_at=kept.fetched_at,
        )
        if not curve.from_now(now):
            raise PriceSourceError(kept.trouble or "Carbon Intensity says nothing of now")
        return curve

    def next_due(self, now: datetime) -> datetime:
        """Return when more may be known."""
        return self._keeper.next_due(now)


def carbon_uk(
    settings: CarbonUkSettings, *, cache_dir: Path | None, patience: HttpPatience | None = None
) -> CarbonUkSource:
    """Return the carbon of Great Britain's grid as a price source."""
    path = cache_dir / "carbon-uk.json" if cache_dir else None
    return CarbonUkSource(Keeper(CarbonUkTeller(settings, patience), path))


def _pairs(quarters_known: list[PriceSlot]) -> list[PriceSlot]:
    """Return neighbours of the same weight as one slot, within the half-hour."""
    joined: list[PriceSlot] = []
    for slot in quarters_known:
        last = joined[-1] if joined else None
        if (
            last
            and last.end == slot.start
            and last.per_kwh == slot.per_kwh
            and slot.start.minute % 30
        ):
            joined[-1] = PriceSlot(start=last.start, end=slot.end, per_kwh=slot.per_kwh)
        else:
            joined.append(slot)
    return joined


def _slots(body: Any) -> list[ForecastSlot]:  # noqa: ANN401 - JSON
    try:
        rows = body["data"]
        if isinstance(rows, Mapping):  # of one region
            rows = rows["data"]
        slots = sorted((_slot(row) for row in rows), key=lambda slot: slot.start)
    except UNREADABLE as exc:
        raise ForecastError(f"Carbon Intensity sent a page that cannot be read: {exc}") from exc
    apart = [slots[0]] if slots else []
    for slot in slots[1:]:
        if slot.start >= apart[-1].end:
            apart.append(slot)
    return apart


def _slot(row: Mapping[str, Any]) -> ForecastSlot:
    start, end = (moment_of(row[name]) for name in ("from", "to"))
    grams = float(row["intensity"]["forecast"])
    if not math.isfinite(grams) or not 0 <= grams <= _HEAVIEST_G or end - start > _LONGEST:
        raise ValueError(f"{grams} g from {start.isoformat()}")
    return ForecastSlot(start=start, end=end, low_w=grams, middle_w=grams, high_w=grams)
