"""Runs the strategies in the owner's order and makes one decision of what they say."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from ohmstead.control.ahead import ahead_of
from ohmstead.model import Advice, BatteryCommand, BatteryMode, Decision, Room, SiteSnapshot

__all__ = ["Strategy", "decide", "lapse"]

Strategy: TypeAlias = Callable[[SiteSnapshot, Room], Advice]

_PREFERRED: Final = (
    BatteryMode.SELF_USE,
    BatteryMode.HOLD,
    BatteryMode.IDLE,
    BatteryMode.EXPORT_SOLAR,
)
"""What the battery does when nobody chose: the inverter's normal mode, or the nearest left."""
_CHARGES: Final = frozenset({BatteryMode.CHARGE, BatteryMode.CHARGE_SOLAR})
_LEAST: Final = timedelta(minutes=15)
_HALF_HOUR: Final = timedelta(minutes=30)


def decide(site: SiteSnapshot, strategies: Sequence[tuple[str, Strategy]]) -> Decision:
    """Return what the house shall do now, and the sentence that explains it.

    Each strategy sees the room that is left and its own memory. Its room is intersected with
    what is left, so it can narrow but not widen; one that leaves nothing is overruled.
    """
    left, trail = Room(), list[Advice]()
    memory: dict[str, str] = {}
    for number, (name, strategy) in enumerate(strategies, start=1):
        prefix = f"{number}:{name}/"
        own = _own(site.memory, prefix)
        advice = strategy(site if own == site.memory else replace(site, memory=own), left)
        room = left if advice.room is None else left & advice.room
        overruled = not _possible(room)
        if not overruled:
            left = room
        trail.append(replace(advice, strategy=name, overruled=overruled))
        memory |= {prefix + key: value for key, value in advice.memory.items()}
    command = _command(site.at, left, trail)
    if command is not None and (ahead := ahead_of(site, command, trail)) is not None:
        command = replace(command, ahead=ahead)
    speaker = _speaker(command, trail)
    return Decision(
        at=site.at,
        command=command,
        reason=speaker.reason,
        strategy=speaker.strategy,
        changes=tuple(c for advice in trail if not advice.overruled for c in advice.changes),
        trail=tuple(trail),
        memory=memory,
    )


def lapse(now: datetime) -> datetime:
    """Return when a command without an end of its own lapses: a half-hour, 15 to 45 min ahead.

    Half-hours keep rewrites of a device's timer rare, and a dead controller's command short.
    """
    ahead = now + _LEAST
    return now + ((datetime.min.replace(tzinfo=now.tzinfo) - ahead) % _HALF_HOUR) + _LEAST


def _own(memory: Mapping[str, str], prefix: str) -> Mapping[str, str]:
    return {k.removeprefix(prefix): v for k, v in memory.items() if k.startswith(prefix)}


def _possible(room: Room) -> bool:
    return (
        bool(room.modes)
        and room.floor_pct <= room.ceiling_pct
        and min(room.charge_w, room.discharge_w) >= 0
    )


def _command(now: datetime, room: Room, trail: Sequence[Advice]) -> BatteryCommand | None:
    if all(advice.blind or advice.overruled for advice in trail):
        return None
    mode = _choice(room.modes)
    if mode is BatteryMode.SELF_USE:
        return BatteryCommand(mode=mode)
    power_w, soc_pct = room.discharge_w, room.floor_pct
    if mode in _CHARGES:
        power_w, soc_pct = room.charge_w, room.ceiling_pct
    elif mode is BatteryMode.HOLD:
        power_w = room.charge_w
    return BatteryCommand(
        mode=mode,
        power_w=None if math.isinf(power_w) else power_w,
        soc_pct=soc_pct,
        until=room.until or lapse(now),
    )


def _choice(modes: frozenset[BatteryMode]) -> BatteryMode:
    return next((mode for mode in _PREFERRED if mode in modes), min(modes))


def _speaker(command: BatteryCommand | None, trail: Sequence[Advice]) -> Advice:
    """Return the advice that explains *command*: whoever brought its mode about, or passed last."""
    nobody = Advice(reason="no strategy is configured", strategy="nobody")
    if command is None:
        return next((advice for advice in reversed(trail) if advice.blind), nobody)
    heard = [advice for advice in trail if not advice.overruled and not advice.blind]
    left = frozenset(BatteryMode)
    for advice in heard:
        if advice.room is None:
            continue
        before, left = _choice(left), left & advice.room.modes
        if _choice(left) is command.mode and (before is not command.mode or len(left) == 1):
            return advice
    return next((a for a in reversed(heard) if a.room is None), heard[-1])
