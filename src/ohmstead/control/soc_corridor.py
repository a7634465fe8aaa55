"""Keep the state of charge within a corridor, another one at every time of the day.

Its lower edge is a reserve, say for the dear hours of the evening; its upper edge leaves room,
say for the sun of the afternoon.
"""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from ohmstead.control.hours import part_of_day, plain
from ohmstead.control.words import clock_time
from ohmstead.model import Advice, BatteryMode, Room, SiteSnapshot

__all__ = ["Corridor", "SocCorridor", "soc_corridor"]

_SLACK_PCT: Final = 2.0
_FULL_PCT: Final = 100.0
_ALL: Final = frozenset(BatteryMode)
_EMPTYING: Final = frozenset(
    {BatteryMode.SELF_USE, BatteryMode.DISCHARGE, BatteryMode.EXPORT_SOLAR}
)
_LEAVING: Final = frozenset({BatteryMode.DISCHARGE, BatteryMode.EXPORT_SOLAR})
"""In these no sun goes into the battery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """The edges for a part of the local day; it may cross midnight."""

    start: time
    """When it begins, on the wall clock."""
    end: time
    """When it ends; the same time as *start* is a whole day."""
    min_soc_pct: float = 0.0
    """At this or below, the battery is not discharged."""
    max_soc_pct: float = 100.0
    """Above this, sun is exported rather than stored."""

    def __post_init__(self) -> None:
        """Refuse a corridor without room."""
        if not 0 <= self.min_soc_pct < self.max_soc_pct <= _FULL_PCT:
            raise ValueError("min_soc_pct must be below max_soc_pct, both from 0 to 100")
        plain(start=self.start, end=self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class SocCorridor:
    """Corridors by local time, with hysteresis."""

    parts: tuple[Corridor, ...]
    """Where two overlap, the earlier one in the list counts."""
    band_pct: float = 5.0
    """So far above the upper edge an export begins, so far below it storing begins again."""
    export: bool = True
    """Whether the battery is emptied into the grid down to the upper edge."""
    power_w: float | None = None
    """How fast; the inverter's most if not said."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not self.parts:
            raise ValueError("parts must name at least one part of the day")
        if self.band_pct <= 0:
            raise ValueError("band_pct must be above 0")
        if self.power_w is not None and self.power_w <= 0:
            raise ValueError("power_w must be above 0")


def soc_corridor(site: SiteSnapshot, room: Room, settings: SocCorridor) -> Advice:
    """Return the room that keeps the battery within the corridor of this time."""
    found = _now(site, settings)
    if found is None:
        return Advice(reason="no corridor is set for this time", blind=True)
    corridor, end = found
    if site.soc_pct is None:
        return Advice(reason="the state of charge is not known for now", blind=True)
    slack = _SLACK_PCT if "low" in site.memory else 0.0
    low = corridor.min_soc_pct > 0 and site.soc_pct <= corridor.min_soc_pct + slack
    upper = _upper(site, site.soc_pct, corridor, settings)
    until = clock_time(site, end)
    modes, discharge_w, floor_pct = _ALL, room.discharge_w, corridor.min_soc_pct
    if low:
        modes, upper = _ALL - _EMPTYING, "low"
        said = f"until {until} the battery keeps {corridor.min_soc_pct:.0f} %"
    elif upper == "export":
        modes, floor_pct = frozenset({BatteryMode.DISCHARGE}), corridor.max_soc_pct
        discharge_w = discharge_w if settings.power_w is None else settings.power_w
        said = f"until {until} what is above {corridor.max_soc_pct:.0f} % is exported"
    elif upper == "shut":
        modes = _LEAVING
        said = f"until {until} the battery is not filled above {corridor.max_soc_pct:.0f} %"
    else:
        said = f"the battery is within its corridor until {until}"
        return Advice(
            reason=said, room=Room(floor_pct=floor_pct), blind=True, memory={upper: "yes"}
        )
    return Advice(
        reason=said,
        room=Room(modes=modes, discharge_w=discharge_w, floor_pct=floor_pct, until=end),
        memory={upper: "yes"},
    )


def _now(site: SiteSnapshot, settings: SocCorridor) -> tuple[Corridor, datetime] | None:
    """Return the corridor of this time, and when it ends."""
    for corridor in settings.parts:
        part = part_of_day(site.at, site.timezone, corridor.start, corridor.end)
        if part is not None:
            return corridor, part[1]
    return None


def _upper(site: SiteSnapshot, soc_pct: float, corridor: Corridor, settings: SocCorridor) -> str:
    """Return what the upper edge asks for: an export, nothing stored, or that storing goes on."""
    edge = corridor.max_soc_pct
    if edge >= _FULL_PCT:
        return "open"
    exports = settings.export and (
        soc_pct >= edge + settings.band_pct or ("export" in site.memory and soc_pct > edge)
    )
    if exports:
        return "export"
    stores = soc_pct < edge - settings.band_pct or ("open" in site.memory and soc_pct < edge)
    return "open" if stores else "shut"
