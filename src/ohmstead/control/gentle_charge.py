"""Charge overnight to a target, with the least power that is enough, over all of the cheap time."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final

from ohmstead.control.ahead import AT_MOST
from ohmstead.control.hours import following, part_of_day, plain
from ohmstead.control.words import clock_time
from ohmstead.model import Advice, Ahead, BatteryMode, Room, SiteSnapshot

__all__ = ["GentleCharge", "gentle_charge"]

_STEP_W: Final = 100.0
_AGAIN: Final = 1.15
"""So much more than it runs at must be needed before the power is written anew."""
_FULL_PCT: Final = 100.0
_OLD: Final = timedelta(minutes=45)
"""A plan older than that was made of things that hold no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GentleCharge:
    """Charge within one part of the night, never before it begins."""

    start: time = time(0, 30)
    """Not before, on the wall clock: after midnight, a day's counters hold all of the charge."""
    end: time = time(5, 30)
    """When it should be done."""
    target_pct: float = 100.0
    """How full the battery should be then."""
    target_point: str | None = None
    """An inverter's setting that says so instead, for owners who set it in the maker's app."""
    as_needed: bool = False
    """Charge only what the next day needs, as the plan foretells it; *target_pct* at most."""
    least_pct: float = 20.0
    """With *as_needed*, at least so full; and this is left over when the day ends."""
    idle_from: time | None = None
    """From then until it begins the battery neither charges nor discharges."""
    margin_share: float = 0.1
    """So much faster than reckoned: batteries take less when nearly full."""
    min_w: float = 500.0
    """No slower: an inverter wastes more of a small power."""
    max_w: float | None = None
    """No faster; the inverter's most if not said."""
    capacity_kwh: float | None = None
    """What the battery holds, if the inverter does not say."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not 0 <= self.least_pct <= self.target_pct <= _FULL_PCT:
            raise ValueError("least_pct must not be above target_pct, both from 0 to 100")
        if self.margin_share < 0:
            raise ValueError("margin_share must be 0 or more")
        if self.min_w <= 0 or (self.max_w is not None and self.max_w < self.min_w):
            raise ValueError("min_w must be above 0 and not above max_w")
        if self.capacity_kwh is not None and self.capacity_kwh <= 0:
            raise ValueError("capacity_kwh must be above 0")
        plain(start=self.start, end=self.end)
        if self.idle_from is not None:
            plain(idle_from=self.idle_from)


def gentle_charge(site: SiteSnapshot, room: Room, settings: GentleCharge) -> Advice:
    """Return a charge to the end of the night, or an idle battery before it."""
    part = part_of_day(site.at, site.timezone, settings.start, settings.end)
    if part is None:
        return _before(site, settings)
    if site.soc_pct is None:
        return Advice(
            reason="the state of charge is not known for now", blind=True, memory=site.memory
        )
    begun = part[0].isoformat()
    mine = site.memory if site.memory.get("begun") == begun else {}
    told_pct = _told_pct(site, settings)
    if told_pct is not None and not settings.as_needed:
        target_pct, why = told_pct, "as the inverter is told"
    elif "target_pct" in mine:
        target_pct, why = float(mine["target_pct"]), mine["why"]
    else:
        target_pct, why = _target(site, settings, part[1])
    power_w = _power_w(site, settings, target_pct - site.soc_pct, part[1])
    if "power_w" in mine and power_w <= float(mine["power_w"]) * _AGAIN:
        power_w = float(mine["power_w"])
    whole = math.isinf(power_w)
    speed = "as fast as it can" if whole else f"with {power_w:.0f} W"
    return Advice(
        reason=f"the battery charges to {target_pct:.0f} % until {clock_time(site, part[1])} "
        f"{speed}, {why}",
        room=Room(
            modes=frozenset({BatteryMode.CHARGE}),
            charge_w=room.charge_w if whole else power_w,
            ceiling_pct=target_pct,
            until=part[1],
        ),
        memory={
            "begun": begun, "target_pct": f"{target_pct:.1f}", "why": why,
            "power_w": f"{power_w:.0f}",
        },
    )  # fmt: skip


def _before(site: SiteSnapshot, settings: GentleCharge) -> Advice:
    """Return an idle battery in the time before the charge, if its owner wants that."""
    ahead = _tonight(site, settings)
    if settings.idle_from is not None:
        part = part_of_day(site.at, site.timezone, settings.idle_from, settings.start)
        if part is not None:
            return Advice(
                reason=f"the battery rests until it charges from {clock_time(site, part[1])} on",
                room=Room(modes=frozenset({BatteryMode.IDLE}), until=part[1]),
                ahead=ahead,
            )
    return Advice(reason="it is not the time to charge", blind=True, ahead=ahead)


def _tonight(site: SiteSnapshot, settings: GentleCharge) -> Ahead | None:
    """Return the charge to come, as it would be if it began with what is stored now."""
    start = following(site.at, site.timezone, settings.start)
    part = part_of_day(start, site.timezone, settings.start, settings.end)
    if site.soc_pct is None or part is None or start > site.at + AT_MOST:
        return None
    target_pct, _ = _target(site, settings, part[1])
    then = replace(site, at=start)
    power_w = _power_w(then, settings, target_pct - site.soc_pct, part[1])
    return Ahead(
        start=start,
        until=min(part[1], start + AT_MOST),
        power_w=None if math.isinf(power_w) else power_w,
        soc_pct=target_pct,
    )


def _target(site: SiteSnapshot, settings: GentleCharge, end: datetime) -> tuple[float, str]:
    """Return how full the battery should be at *end*, and why."""
    most_pct = _told_pct(site, settings) or settings.target_pct
    if not settings.as_needed:
        return most_pct, "as its owner wants"
    capacity_kwh = _capacity_kwh(site, settings)
    needed_kwh = None if capacity_kwh is None else _needed_kwh(site, settings, end, capacity_kwh)
    if capacity_kwh is None or needed_kwh is None:
        return most_pct, "as nobody foretells the day"
    wanted_pct = math.ceil(round(settings.least_pct + 100 * needed_kwh / capacity_kwh, 6))
    why = f"as the day needs {needed_kwh:.1f} kWh of it"
    return min(float(wanted_pct), most_pct), why


def _told_pct(site: SiteSnapshot, settings: GentleCharge) -> float | None:
    """Return what the owner's setting says; None if there is none, or it is not known for now."""
    readings = [device.reading for device in site.devices.values() if device.reading is not None]
    told = (reading.values.get(settings.target_point or "") for reading in readings)
    return next((float(pct) for pct in told if isinstance(pct, int | float)), None)


def _needed_kwh(
    site: SiteSnapshot, settings: GentleCharge, end: datetime, capacity_kwh: float
) -> float | None:
    """Return the most that the house will have taken on balance between two nights."""
    plan, next_night = site.plan, following(end, site.timezone, settings.start)
    if plan is None or plan.age(site.at) > _OLD:
        return None
    slots = [slot for slot in plan.slots if slot.end > end and slot.start < next_night]
    if not slots or slots[-1].end < next_night:
        return None
    taken_kwh = most_kwh = 0.0
    for slot in slots:
        hours = (min(slot.end, next_night) - max(slot.start, end)) / timedelta(hours=1)
        # What the sun spares is stored for the evening, as far as there is room.
        taken_kwh = max(taken_kwh + (slot.load_w - slot.pv_w) * hours / 1_000, -capacity_kwh)
        most_kwh = max(most_kwh, taken_kwh)
    return most_kwh


def _power_w(
    site: SiteSnapshot, settings: GentleCharge, missing_pct: float, end: datetime
) -> float:
    """Return the least power that is enough, in whole steps."""
    most_w = math.inf if settings.max_w is None else settings.max_w
    capacity_kwh = _capacity_kwh(site, settings)
    if capacity_kwh is None:
        return most_w
    hours = (end - site.at) / timedelta(hours=1)
    needed_w = 10 * capacity_kwh * max(missing_pct, 0.0) / hours * (1 + settings.margin_share)
    steps = math.ceil(round(needed_w / _STEP_W, 6))
    return min(max(steps * _STEP_W, settings.min_w), most_w)


def _capacity_kwh(site: SiteSnapshot, settings: GentleCharge) -> float | None:
    return settings.capacity_kwh or (site.battery.capacity_kwh if site.battery else None)
