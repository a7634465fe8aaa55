"""Charge while the price is low: octolux's "5p rule"."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ohmstead.control.words import clock_time, price
from ohmstead.model import Advice, BatteryMode, PriceCurve, Room, SiteSnapshot

__all__ = ["PriceThreshold", "price_threshold"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceThreshold:
    """Charge from the grid in every slot whose price is at or below the threshold."""

    at_most_per_kwh: float
    """Charge at this import price or less: 0.05 is 5 pence."""
    power_w: float | None = None
    """How fast to charge; the inverter's most if not said."""
    until_soc_pct: float = 100.0
    """Where to stop."""
    least_confidence: float = 0.5
    """How sure a price must be that may not hold, such as a dispatch's; 0 believes them all."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0 <= self.least_confidence <= 1:
            raise ValueError("least_confidence must be from 0 to 1")
        if self.power_w is not None and self.power_w <= 0:
            raise ValueError("power_w must be above 0")
        if not 0 < self.until_soc_pct <= 100:  # noqa: PLR2004 - per cent
            raise ValueError("until_soc_pct must be above 0 and at most 100")


def price_threshold(site: SiteSnapshot, room: Room, settings: PriceThreshold) -> Advice:
    """Return a charge to the end of the cheap slots, if this one is cheap."""
    curve = site.prices.buy
    slot = curve.at(site.at) if curve else None
    if curve is None or slot is None:
        return Advice(reason="the import price is not known for now", blind=True)
    present = slot.believed_per_kwh(settings.least_confidence)
    now, most = (price(value, curve.currency) for value in (present, settings.at_most_per_kwh))
    if present > settings.at_most_per_kwh:
        return Advice(reason=f"the price of {now} is above {most}, so the battery serves the house")
    end = max(_cheap_until(curve, slot.start, settings))
    return Advice(
        reason=f"the price of {now} is not above {most}, so the battery charges until "
        f"{clock_time(site, end)}",
        room=Room(
            modes=frozenset({BatteryMode.CHARGE}),
            charge_w=room.charge_w if settings.power_w is None else settings.power_w,
            ceiling_pct=settings.until_soc_pct,
            until=end,
        ),
    )


def _cheap_until(
    curve: PriceCurve, start: datetime, settings: PriceThreshold
) -> Iterator[datetime]:
    """Yield the ends of the cheap slots that follow one another from *start* on."""
    end = start
    for slot in curve.between(start, curve.slots[-1].end):
        per_kwh = slot.believed_per_kwh(settings.least_confidence)
        if slot.start != end or per_kwh > settings.at_most_per_kwh:
            return
        end = slot.end
        yield end
