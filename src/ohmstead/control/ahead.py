"""The charge to come, as it may be left in the inverter's own timers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ohmstead.model import Advice, Ahead, BatteryCommand, BatteryMode, Room, SiteSnapshot

__all__ = ["AT_MOST", "ahead_of"]

AT_MOST: Final = timedelta(hours=12)
"""How far ahead: a timer comes again every day, so the present must lie well outside it."""
_BESIDE: Final = frozenset(
    {BatteryMode.SELF_USE, BatteryMode.HOLD, BatteryMode.IDLE, BatteryMode.EXPORT_SOLAR}
)
"""The modes that leave a device's charge timers unused."""
_FULL_PCT: Final = 100.0


def ahead_of(site: SiteSnapshot, command: BatteryCommand, trail: Sequence[Advice]) -> Ahead | None:
    """Return the first charge that *trail* looks forward to, within what the others allow then."""
    if command.mode not in _BESIDE:
        return None
    number, ahead = next(
        ((n, advice.ahead) for n, advice in enumerate(trail) if advice.ahead), (0, None)
    )
    if ahead is None or not site.at < ahead.start <= site.at + AT_MOST:
        return None
    asked = any(
        isinstance(request.want, BatteryCommand) and request.active(ahead.start)
        for request in site.requests
    )
    if asked or any(_forbids(advice, ahead.start) for advice in trail[:number]):
        return None
    return _narrowed(ahead, trail)


def _forbids(advice: Advice, start: datetime) -> bool:
    """Tell whether *advice*, which is heard first, leaves no charge at *start*.

    Of one who has chosen another mode, without saying until when, nobody knows; so no.
    """
    room = advice.room
    if advice.overruled or room is None or BatteryMode.CHARGE in room.modes:
        return False
    return len(room.modes) == 1 if room.until is None else room.until > start


def _narrowed(ahead: Ahead, trail: Sequence[Advice]) -> Ahead | None:
    """Return *ahead* within the limits that hold when it starts."""
    room = Room()
    for advice in trail:
        own = advice.room
        if own is None or advice.overruled or len(own.modes) == 1:
            continue  # who has chosen a mode speaks of now
        if own.until is None or own.until > ahead.start:
            room &= own
    if room.charge_w <= 0:
        return None
    most_w = None if room.charge_w == Room().charge_w else room.charge_w
    most_pct = None if room.ceiling_pct >= _FULL_PCT else room.ceiling_pct
    return replace(
        ahead,
        power_w=_least(ahead.power_w, most_w),
        soc_pct=_least(ahead.soc_pct, most_pct),
        most_w=most_w,
        most_pct=most_pct,
    )


def _least(one: float | None, other: float | None) -> float | None:
    known = [value for value in (one, other) if value is not None]
    return min(known, default=None)
