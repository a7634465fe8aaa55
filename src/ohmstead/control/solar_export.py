"""By day, in the months of much sun, sell it at once: the night charges cheaper than it pays."""

from dataclasses import dataclass
from datetime import time
from typing import Final

from ohmstead.control.hours import part_of_day, plain
from ohmstead.control.words import clock_time, price
from ohmstead.model import Advice, BatteryMode, Room, SiteSnapshot

__all__ = ["SolarExport", "solar_export"]

_BAND_PCT: Final = 5.0
_MONTHS: Final = range(1, 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarExport:
    """Export the sun first; the battery serves the house and is charged at night."""

    months: tuple[int, ...] = (4, 5, 6, 7, 8, 9)
    """In these months: 1 is January."""
    start: time = time(5, 30)
    """From then on, on the wall clock: the day begins when the cheap time ends."""
    end: time = time(20)
    """Until then."""
    min_soc_pct: float = 15.0
    """At this or below the battery stores spare sun."""
    at_least_per_kwh: float | None = None
    """Only while exporting pays so much: 0.15 is 15 pence."""
    cheap_per_kwh: float | None = None
    """Not while importing costs this or less: in a late dispatch for the car the night goes on."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not self.months or not set(self.months) <= set(_MONTHS):
            raise ValueError("months are numbers from 1 to 12")
        if not 0 <= self.min_soc_pct < 100:  # noqa: PLR2004 - per cent
            raise ValueError("min_soc_pct must be from 0 to 99")
        plain(start=self.start, end=self.end)


def solar_export(site: SiteSnapshot, room: Room, settings: SolarExport) -> Advice:
    """Return the sun's export to the end of the day, while there is enough for the house."""
    del room
    part = part_of_day(site.at, site.timezone, settings.start, settings.end)
    if part is None or site.local.month not in settings.months:
        return Advice(reason="it is not the time to export the sun", blind=True)
    if site.soc_pct is None:
        return Advice(reason="the state of charge is not known for now", blind=True)
    unfit = _unfit(site, settings)
    if unfit is not None:
        return Advice(reason=unfit, blind=True, memory=site.memory)
    band = _BAND_PCT if "low" in site.memory else 0.0
    if site.soc_pct <= settings.min_soc_pct + band:
        return Advice(
            reason=f"at {site.soc_pct:.0f} % the battery stores spare sun",
            blind=True,
            memory={"low": "yes"},
        )
    return Advice(
        reason=f"until {clock_time(site, part[1])} the sun is exported, and the battery serves "
        "the house",
        room=Room(
            # A discharge does that too, and others may wish one.
            modes=frozenset({BatteryMode.EXPORT_SOLAR, BatteryMode.DISCHARGE}),
            until=part[1],
        ),
    )


def _unfit(site: SiteSnapshot, settings: SolarExport) -> str | None:
    """Return why the prices are against it, or None if they are not."""
    buy, sell = site.prices.buy, site.prices.sell
    if settings.cheap_per_kwh is not None:
        slot = buy.at(site.at) if buy else None
        if buy is None or slot is None:
            return "the import price is not known for now"
        if slot.per_kwh <= settings.cheap_per_kwh:
            return f"importing costs {price(slot.per_kwh, buy.currency)}, so the night goes on"
    if settings.at_least_per_kwh is not None:
        slot = sell.at(site.at) if sell else None
        if sell is None or slot is None:
            return "the export price is not known for now"
        if slot.per_kwh < settings.at_least_per_kwh:
            least = price(settings.at_least_per_kwh, sell.currency)
            return f"exporting pays {price(slot.per_kwh, sell.currency)}, less than {least}"
    return None
