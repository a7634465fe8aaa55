"""Do what somebody asked for, for as long as they asked."""

from dataclasses import dataclass

from ohmstead.control.words import clock_time
from ohmstead.model import Advice, BatteryCommand, BatteryMode, Request, Room, SiteSnapshot

__all__ = ["Requests", "requests"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """There is nothing to set: requests are heeded within the limits before them."""


def requests(site: SiteSnapshot, room: Room, settings: Requests) -> Advice:
    """Return the latest request that holds; earlier ones wait until it ends."""
    del room, settings
    wanted = [
        (request, request.want)
        for request in site.requests
        if isinstance(request.want, BatteryCommand) and request.active(site.at)
    ]
    if not wanted:
        return Advice(reason="nobody asks for anything", blind=True)
    request, want = max(wanted, key=lambda pair: pair[0].made_at)
    return Advice(reason=_reason(site, request, want), room=_room(request, want))


def _room(request: Request, want: BatteryCommand) -> Room:
    room = Room(modes=frozenset({want.mode}), until=request.until)
    if want.mode in {BatteryMode.CHARGE, BatteryMode.CHARGE_SOLAR}:
        limits = Room(
            charge_w=room.charge_w if want.power_w is None else want.power_w,
            ceiling_pct=room.ceiling_pct if want.soc_pct is None else want.soc_pct,
        )
    else:
        limits = Room(
            discharge_w=room.discharge_w if want.power_w is None else want.power_w,
            floor_pct=room.floor_pct if want.soc_pct is None else want.soc_pct,
        )
    return room & limits


def _reason(site: SiteSnapshot, request: Request, want: BatteryCommand) -> str:
    end = f" until {clock_time(site, request.until)}" if request.until else ""
    why = f": {request.why}" if request.why else ""
    return f"{request.asked_by} asked for {want.mode.replace('_', ' ')}{end}{why}"
