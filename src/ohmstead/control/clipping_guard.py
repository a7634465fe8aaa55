"""Put into the battery what the inverter or the grid connection cannot take of the sun.

It needs nothing but the last reading: no plan, no forecast, no network. The first method,
``rising_power``, lets in no more than what would be lost, by the battery's charge power; the
second, ``grid_first``, sends the sun out until it exceeds the limit, and then lets the battery
take all that is spare.
"""

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal

from ohmstead.control.hours import part_of_day, plain
from ohmstead.control.words import clock_time
from ohmstead.model import Advice, BatteryMode, Room, SiteSnapshot

__all__ = ["ClippingGuard", "clipping_guard"]

_FULL_PCT: Final = 99.5
_SLACK_PCT: Final = 2.0
_BLIND_SHARE: Final = 0.03
"""So near the limit, the sun may be more than what is seen of it."""
_TAKES: Final = frozenset(
    {BatteryMode.SELF_USE, BatteryMode.HOLD, BatteryMode.CHARGE, BatteryMode.CHARGE_SOLAR}
)
"""In these the battery takes the sun."""
_LEAVES: Final = frozenset({BatteryMode.EXPORT_SOLAR, BatteryMode.DISCHARGE})
"""In these it leaves it to the grid; without a wish to discharge, the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClippingGuard:
    """Lose no sun above the inverter's or the export limit, and keep room for it."""

    limit_w: float | None = None
    """What a hybrid inverter brings to the house and the grid; above it the sun is lost."""
    export_limit_w: float | None = None
    """What may be fed in; sun above it and the house's use is lost."""
    method: Literal["rising_power", "grid_first"] = "rising_power"
    """Let in what exceeds the limit, or send the sun out until it does and then let all in."""
    near_w: float = 500.0
    """It begins so far below the limit, and ends there."""
    step_w: float = 500.0
    """Powers are rounded up to whole steps: fewer writes, and some to spare."""
    keep_s: float = 600.0
    """How long it goes on after the sun has gone behind a cloud: it comes back as strong."""
    keep_free_pct: float = 30.0
    """How much of the battery is kept free for it: above that the sun is exported."""
    free_from: time = time(7)
    """From when on room is kept free, on the wall clock."""
    free_until: time = time(16)
    """Until when."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        limits = [w for w in (self.limit_w, self.export_limit_w) if w is not None]
        if not limits:
            raise ValueError("say limit_w, export_limit_w, or both")
        if not all(math.isfinite(w) and w >= 0 for w in limits) or self.limit_w == 0:
            raise ValueError("limit_w must be above 0, export_limit_w 0 or more")
        if self.near_w <= 0 or self.step_w <= 0:
            raise ValueError("near_w and step_w must be above 0")
        if self.keep_s < 0:
            raise ValueError("keep_s must be 0 or more")
        if not 0 <= self.keep_free_pct <= 100:  # noqa: PLR2004 - per cent
            raise ValueError("keep_free_pct must be from 0 to 100")
        plain(free_from=self.free_from, free_until=self.free_until)


def clipping_guard(site: SiteSnapshot, room: Room, settings: ClippingGuard) -> Advice:
    """Return the room that catches what would be lost now, or that keeps space for it."""
    del room
    excess_w = _excess_w(site, settings)
    if excess_w is None or site.soc_pct is None:
        return Advice(reason="sun, house or battery are not known for now", blind=True)
    if site.soc_pct >= _FULL_PCT:
        return Advice(reason="the battery is full and can take no more sun", blind=True)
    charge_w = max(-(site.battery_w or 0.0), 0.0)
    memory = _seen(site, excess_w, settings)
    if "at" in memory:
        least = min(w for w in (settings.limit_w, settings.export_limit_w) if w is not None)
        hidden = excess_w > charge_w - max(_BLIND_SHARE * least, 1.0)
        return _caught(site, settings, memory, hidden=hidden)
    return _kept_free(site, settings)


def _excess_w(site: SiteSnapshot, settings: ClippingGuard) -> float | None:
    """Return what the battery must take of the sun; below zero, so much is left to the limit."""
    if site.pv_w is None:
        return None
    excesses = []
    if settings.limit_w is not None:
        excesses.append(site.pv_w - settings.limit_w)
    if settings.export_limit_w is not None:
        if site.load_w is None:
            return None
        excesses.append(site.pv_w - site.load_w - settings.export_limit_w)
    return max(excesses)


def _seen(site: SiteSnapshot, excess_w: float, settings: ClippingGuard) -> dict[str, str]:
    """Return when the sun was last near the limit, and the most it exceeded it by of late."""
    old, now = site.memory, site.at
    keep = timedelta(seconds=settings.keep_s)
    last = datetime.fromisoformat(old["at"]) if "at" in old else None
    near = excess_w > -settings.near_w
    if not near and (last is None or not timedelta() <= now - last < keep):
        return {}
    peak_w, peak_at = excess_w, now
    if "peak_w" in old:
        old_w, old_at = float(old["peak_w"]), datetime.fromisoformat(old["peak_at"])
        fresh = timedelta() <= now - old_at < keep
        # Behind a cloud the sun says nothing of how strong it comes back.
        if not near or (fresh and old_w > excess_w):
            peak_w, peak_at = old_w, old_at
    at = now if near or last is None else last
    return {"at": at.isoformat(), "peak_w": f"{peak_w:.0f}", "peak_at": peak_at.isoformat()}


def _caught(
    site: SiteSnapshot, settings: ClippingGuard, memory: dict[str, str], *, hidden: bool
) -> Advice:
    """Return the room in which the battery takes what exceeds the limit."""
    at = datetime.fromisoformat(memory["at"])
    why = "the sun is near the limit"
    if at != site.at:
        why = f"the sun was near the limit at {clock_time(site, at)} and may come back"
    if settings.method == "grid_first":
        return Advice(
            reason=f"{why}, so the battery takes what is spare",
            room=Room(modes=_TAKES),
            memory=memory,
        )
    if hidden:
        # How much more there is shows only once it is let in.
        return Advice(
            reason=f"{why}, so the battery takes all it can",
            room=Room(modes=frozenset({BatteryMode.HOLD})),
            memory=memory,
        )
    steps = math.ceil((max(float(memory["peak_w"]), 0.0) + settings.near_w) / settings.step_w)
    power_w = steps * settings.step_w
    return Advice(
        reason=f"{why}, so the battery takes up to {power_w:.0f} W of it",
        room=Room(modes=frozenset({BatteryMode.HOLD}), charge_w=power_w),
        memory=memory,
    )


def _kept_free(site: SiteSnapshot, settings: ClippingGuard) -> Advice:
    """Return the room in which the sun is exported, once there is no more than enough space."""
    part = part_of_day(site.at, site.timezone, settings.free_from, settings.free_until)
    keeps = "free" in site.memory
    most_pct = 100 - settings.keep_free_pct - (_SLACK_PCT if keeps else 0.0)
    if part is None or settings.keep_free_pct == 0 or (site.soc_pct or 0.0) < most_pct:
        return Advice(reason="the sun is below the limit", blind=True)
    return Advice(
        reason=f"until {clock_time(site, part[1])} the sun is exported, so that "
        f"{settings.keep_free_pct:.0f} % of the battery stay free for what exceeds the limit",
        room=Room(modes=_LEAVES, until=part[1]),
        memory={"free": "yes"},
    )
