"""Sell in the evening what the night's charge brings back cheaper: gently, down to a floor."""

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from ohmstead.control.hours import part_of_day, plain
from ohmstead.control.words import clock_time, price
from ohmstead.model import Advice, BatteryMode, Room, SiteSnapshot

__all__ = ["EveningExport", "evening_export"]

_STEP_W: Final = 100.0
_AGAIN: Final = 1.25
"""So much more than it runs at must be needed before the power is written anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EveningExport:
    """Export what is above the floor, spread over the time there is."""

    start: time = time(20)
    """Not before, on the wall clock."""
    end: time = time(22, 30)
    """Not after."""
    floor_pct: float = 8.0
    """Where it ends."""
    least_pct: float = 4.0
    """With less than so much above the floor it does not begin."""
    min_w: float = 1_000.0
    """No slower: an inverter wastes more of a small power."""
    max_w: float = 2_000.0
    """No faster."""
    capacity_kwh: float | None = None
    """What the battery holds, if the inverter does not say."""
    at_least_per_kwh: float | None = None
    """Only while exporting pays so much: 0.15 is 15 pence."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0 <= self.floor_pct < 100 or not 0 <= self.least_pct < 100:  # noqa: PLR2004 - per cent
            raise ValueError("floor_pct and least_pct must be from 0 to 99")
        if not 0 < self.min_w <= self.max_w < math.inf:
            raise ValueError("min_w must be above 0 and not above max_w")
        if self.capacity_kwh is not None and self.capacity_kwh <= 0:
            raise ValueError("capacity_kwh must be above 0")
        plain(start=self.start, end=self.end)


def evening_export(site: SiteSnapshot, room: Room, settings: EveningExport) -> Advice:
    """Return a discharge to the end of the evening, if there is something to sell and it pays."""
    del room
    part = part_of_day(site.at, site.timezone, settings.start, settings.end)
    if part is None:
        return Advice(reason="it is not the time to export", blind=True)
    if site.soc_pct is None:
        return Advice(reason="the state of charge is not known for now", blind=True)
    poor = _poor(site, settings)
    if poor is not None:
        return poor
    begun = part[0].isoformat()
    mine = site.memory.get("begun") == begun
    ended = mine and "power_w" not in site.memory
    above_pct = site.soc_pct - settings.floor_pct
    if ended or above_pct <= 0 or (not mine and above_pct < settings.least_pct):
        return Advice(
            reason=f"there is nothing to export above {settings.floor_pct:.0f} %",
            blind=True,
            memory={"begun": begun},
        )
    power_w = _power_w(site, settings, above_pct, part[1])
    if mine and power_w <= float(site.memory["power_w"]) * _AGAIN:
        power_w = float(site.memory["power_w"])
    return Advice(
        reason=f"what is above {settings.floor_pct:.0f} % is exported with {power_w:.0f} W "
        f"until {clock_time(site, part[1])}",
        room=Room(
            modes=frozenset({BatteryMode.DISCHARGE}),
            discharge_w=power_w,
            floor_pct=settings.floor_pct,
            until=part[1],
        ),
        memory={"begun": begun, "power_w": f"{power_w:.0f}"},
    )


def _poor(site: SiteSnapshot, settings: EveningExport) -> Advice | None:
    """Return why it does not pay, or None if it does."""
    if settings.at_least_per_kwh is None:
        return None
    curve = site.prices.sell
    slot = curve.at(site.at) if curve else None
    if curve is None or slot is None:
        return Advice(
            reason="the export price is not known for now", blind=True, memory=site.memory
        )
    if slot.per_kwh >= settings.at_least_per_kwh:
        return None
    paid, least = (
        price(value, curve.currency) for value in (slot.per_kwh, settings.at_least_per_kwh)
    )
    return Advice(
        reason=f"exporting pays {paid}, which is less than {least}", blind=True, memory=site.memory
    )


def _power_w(site: SiteSnapshot, settings: EveningExport, above_pct: float, end: datetime) -> float:
    """Return the power that brings the battery to the floor by *end*, in whole steps."""
    known = site.battery.capacity_kwh if site.battery else None
    capacity_kwh = settings.capacity_kwh or known
    if capacity_kwh is None:
        return settings.max_w
    hours = (end - site.at) / timedelta(hours=1)
    needed_w = 10 * capacity_kwh * above_pct / hours  # a hundredth, and watts of kilowatts
    steps = math.ceil(round(needed_w / _STEP_W, 6))
    return min(max(steps * _STEP_W, settings.min_w), settings.max_w)
