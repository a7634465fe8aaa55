"""What cars will draw: in the half-hours they charge in now, and in those they are promised. Pure.

A battery whose meter sees the car would empty into it, so in these half-hours it is not
discharged. Where it does not see the car it serves the house alone, and what is fed in goes
into the car. So say the strategy ``car`` and the plan alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ohmstead.model import ChargerReading, PriceSlot, SiteSnapshot

__all__ = ["CarDraw", "car_inside_w", "cars_expected", "charges"]

_FROM_W: Final = 1_000.0
"""From this power on a car counts as charging; what it sips when full does not matter."""
_USUAL_W: Final = 7_000.0
"""What a car takes that has not said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarDraw:
    """What cars are expected to take in one half-hour, on average; untrue if none is there."""

    inside_w: float = 0.0
    outside_w: float = 0.0
    is_inside: bool = False
    """Whether one charges that the battery's meter sees, how much ever it takes."""
    is_outside: bool = False

    def __bool__(self) -> bool:
        """Tell whether any charges."""
        return self.is_inside or self.is_outside


_NO_CAR: Final = CarDraw()


def charges(charger: ChargerReading) -> bool:
    """Tell whether a car charges now."""
    if charger.power_w is None:
        return charger.charging is True
    return charger.power_w >= _FROM_W


def car_inside_w(site: SiteSnapshot) -> float:
    """Return what goes now into cars that the battery's meter sees."""
    return sum(c.power_w or 0.0 for c in site.chargers if c.inside_meter)


def cars_expected(site: SiteSnapshot, spans: Sequence[PriceSlot]) -> list[CarDraw]:
    """Return what cars will draw in each of *spans*, the first of which is the present one.

    One that charges goes on to the end of the half-hour, and through the dispatches that follow.
    One that is plugged in charges in its dispatches, as likely as they are.
    """
    found = [_NO_CAR] * len(spans)
    for charger in site.chargers:
        goes_on = charges(charger)
        for number, span in enumerate(spans):
            goes_on = goes_on and (number == 0 or span.kind == "dispatch")
            if goes_on:
                found[number] = _with(found[number], charger, 1.0)
            elif span.kind == "dispatch" and (charger.plugged or charges(charger)):
                found[number] = _with(found[number], charger, span.confidence)
    return found


def _with(draw: CarDraw, charger: ChargerReading, share: float) -> CarDraw:
    now_w = charger.power_w or 0.0
    power_w = share * (now_w if now_w >= _FROM_W else _USUAL_W)
    inside = charger.inside_meter
    return CarDraw(
        inside_w=draw.inside_w + (power_w if inside else 0.0),
        outside_w=draw.outside_w + (0.0 if inside else power_w),
        is_inside=draw.is_inside or inside,
        is_outside=draw.is_outside or not inside,
    )
