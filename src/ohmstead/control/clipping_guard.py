"""Put into the battery what the inverter or the grid connection cannot take of the sun.

It needs nothing but the last reading: no plan, no forecast, no network. The first method,
``rising_power``, lets in no more than what would be lost, by the battery's charge power; the
second, ``grid_first``, sends the sun out until it exceeds the limit, and then lets the battery
take all that is spare.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, Literal

from ohmstead.control.hours import part_of_day, plain
from ohmstead.control.words import clock_time
from ohmstead.model import Advice, BatteryMode, Room, SiteSnapshot

__all__ = ["ClippingGuard", "clipping_guard"]

_FULL_PCT: Final = 99.5
_SLACK_PCT: Final = 2.0
_CUT_SHARE: Final = 0.01
"""So near the limit, the sun is cut off and may be far more than what is seen of it."""
_TIGHT_SHARE: Final = 0.04
"""So near it, what is let in is hardly enough: meters differ by so much."""
_MOST_W: Final = 5_000.0
"""What few batteries of a house exceed."""
_SPARE_STEPS: Final = 2
_PEAK_S: Final = 900.0
"""How long the sun's peak is remembered: beside the next cloud it is about as strong."""
_CALM_S: Final = 900.0
"""So long after the sun was near the limit, the battery goes back to what it did before."""
_AHEAD_S: Final = 15.0
"""The edge of a cloud passes in seconds, so its end is acted on as it begins."""
_STALE_S: Final = 60.0
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
    near_w: float = 300.0
    """It begins so far below the limit, and ends there."""
    step_w: float = 300.0
    """Powers are rounded up to whole steps: fewer writes, and some to spare."""
    keep_s: float = 300.0
    """How long it stays open behind a cloud while the battery is empty; the fuller, the shorter."""
    keep_free_pct: float = 30.0
    """How much of the battery is kept free for it: beyond that the sun is exported."""
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
    if _lulled(site, memory, settings):
        at = clock_time(site, datetime.fromisoformat(memory["at"]))
        shut = Room(modes=frozenset({BatteryMode.HOLD}), charge_w=0.0)
        return Advice(
            reason=f"the sun was near the limit at {at}, so the battery waits for its return",
            room=Room(modes=_LEAVES) if settings.method == "grid_first" else shut,
            memory=memory,
        )
    if "at" in memory:
        least = min(w for w in (settings.limit_w, settings.export_limit_w) if w is not None)
        left_w = charge_w - excess_w
        if _CUT_SHARE * least <= left_w < _TIGHT_SHARE * least:
            memory["peak_w"] = f"{max(excess_w, 0.0) + settings.step_w:.0f}"
            memory["peak_at"] = site.at.isoformat()
        return _caught(site, settings, memory, cut=left_w < max(_CUT_SHARE * least, 1.0))
    return _kept_free(site, settings, memory)


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
    """Return what to be reminded of: the sun now, its peak of late, when it was near the limit."""
    old, now = site.memory, site.at
    memory = {"seen_at": now.isoformat(), "seen_w": f"{excess_w:.0f}"}
    if old.get("seen_w") == memory["seen_w"]:
        # Most likely the same reading, in another turn: from then on the next one has risen.
        memory["seen_at"] = old["seen_at"]
    coming_w = excess_w + _rise_w(site, excess_w)
    near = coming_w > -settings.near_w
    kept_s = _since_s(old, "at", now)
    if near or (kept_s is not None and kept_s < _CALM_S):
        memory["at"] = now.isoformat() if near else old["at"]
    peak_s = _since_s(old, "peak_at", now)
    if peak_s is None or peak_s >= _PEAK_S or excess_w >= float(old["peak_w"]):
        return memory | {"peak_at": now.isoformat(), "peak_w": f"{max(excess_w, 0.0):.0f}"}
    return memory | {"peak_at": old["peak_at"], "peak_w": old["peak_w"]}


def _lulled(site: SiteSnapshot, memory: Mapping[str, str], settings: ClippingGuard) -> bool:
    """Tell whether the sun is behind a cloud for so long that nothing need be let in."""
    away_s = _since_s(memory, "at", site.at)
    free_share = 1 - (site.soc_pct or 0.0) / 100
    # The less is free, the less of it is given to what the grid would have taken.
    return away_s is not None and away_s > settings.keep_s * free_share**2


def _rise_w(site: SiteSnapshot, excess_w: float) -> float:
    """Return how much more the sun will be when we look again, if it goes on to rise so."""
    passed_s = _since_s(site.memory, "seen_at", site.at)
    if not passed_s or passed_s > _STALE_S:
        return 0.0
    rise_w = max(excess_w - float(site.memory["seen_w"]), 0.0)
    return rise_w * max(_AHEAD_S / passed_s, 1.0)


def _since_s(memory: Mapping[str, str], key: str, now: datetime) -> float | None:
    """Return how long ago that was; None if never, or if the clock was put back since."""
    if key not in memory:
        return None
    seconds = (now - datetime.fromisoformat(memory[key])).total_seconds()
    return seconds if seconds >= 0 else None


def _caught(
    site: SiteSnapshot, settings: ClippingGuard, memory: dict[str, str], *, cut: bool
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
    if cut:
        # How much more there is shows only once it is let in.
        return Advice(
            reason=f"{why}, so the battery takes all it can",
            room=Room(modes=frozenset({BatteryMode.HOLD}), charge_w=_most_w(site, settings)),
            memory=memory,
        )
    steps = math.floor(float(memory["peak_w"]) / settings.step_w) + _SPARE_STEPS
    power_w = steps * settings.step_w
    return Advice(
        reason=f"{why}, so the battery takes up to {power_w:.0f} W of it",
        room=Room(modes=frozenset({BatteryMode.HOLD}), charge_w=power_w),
        memory=memory,
    )


def _most_w(site: SiteSnapshot, settings: ClippingGuard) -> float:
    """Return the most that need be let in: said in watts, as every other power of ours."""
    if site.battery is not None and site.battery.max_charge_w is not None:
        return site.battery.max_charge_w
    return max(settings.limit_w or 0.0, settings.export_limit_w or 0.0, _MOST_W)


def _kept_free(site: SiteSnapshot, settings: ClippingGuard, memory: dict[str, str]) -> Advice:
    """Return the room in which the sun is exported, once there is no more than enough space."""
    part = part_of_day(site.at, site.timezone, settings.free_from, settings.free_until)
    keeps = "free" in site.memory
    most_pct = 100 - settings.keep_free_pct - (_SLACK_PCT if keeps else 0.0)
    if part is None or settings.keep_free_pct == 0 or (site.soc_pct or 0.0) < most_pct:
        return Advice(reason="the sun is below the limit", blind=True, memory=memory)
    return Advice(
        reason=f"until {clock_time(site, part[1])} the sun is exported, so that "
        f"{settings.keep_free_pct:.0f} % of the battery stay free for what exceeds the limit",
        room=Room(modes=_LEAVES, until=part[1]),
        memory=memory | {"free": "yes"},
    )
