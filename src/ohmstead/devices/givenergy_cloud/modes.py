"""What each battery mode means here: which settings, in which order.

Pure. The inverter's own slots are its timers: a slot ends by itself, also when neither we nor
the cloud are there any more. A mode for which the inverter has no timer is refused: what
cannot be reached for hours must not need anybody to end it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Final, assert_never

from ohmstead.devices.givenergy_cloud.points import Setting
from ohmstead.errors import NotWritable
from ohmstead.model import (
    BatteryCommand,
    BatteryMode,
    Range,
    SettingChange,
    Value,
    coming_window,
    daily_window,
)

__all__ = ["Plant", "changes_ahead", "changes_for"]

_OTHER_SLOT: Final = re.compile(r"charge_slot_(?!1_)\d+_start")
_MIDNIGHT: Final = time(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """The inverter as far as a translation needs to know it."""

    device: str
    timezone: tzinfo
    settings: Mapping[str, Setting]
    """What the cloud lists for it."""
    shown: Mapping[str, Value | None]
    """What they held when they were last read."""


def changes_for(command: BatteryCommand, now: datetime, plant: Plant) -> tuple[SettingChange, ...]:
    """Return the settings that make *command* happen, the one that switches it on last.

    Raises ``NotWritable`` for a command without a proper end, or beyond this inverter.
    """
    if command.mode is not BatteryMode.SELF_USE:
        _check_end(command, now)
    return _changes(_pairs(command, now, plant), plant)


def changes_ahead(
    command: BatteryCommand, now: datetime, plant: Plant
) -> tuple[SettingChange, ...]:
    """Return the settings of the charge that *command* has ahead, the switch last; or none.

    Nothing of it may change what the battery does before. So no power is set, which would hold
    for the sun as well, and the owner's other charge slots are emptied, as the switch is for all.
    """
    ahead, others = command.ahead, _other_slots(plant)
    needed = ("charge_slot_1_start", "charge_slot_1_end", "charge_enabled")
    if ahead is None or others is None or not all(_there(point, plant) for point in needed):
        return ()
    held = plant.shown.get("charge_power_w")
    if ahead.most_w is not None and not (isinstance(held, int | float) and held <= ahead.most_w):
        return ()
    window = coming_window(now, ahead.start, ahead.until, plant.timezone)
    pairs = [
        *_targets(ahead.soc_pct, plant),
        *others,
        *_slot("charge_slot_1", *window, plant),
        ("charge_enabled", True),
    ]
    return _changes(pairs, plant)


def _changes(pairs: list[tuple[str, Value]], plant: Plant) -> tuple[SettingChange, ...]:
    return tuple(
        SettingChange(device=plant.device, point=point, value=value)
        for point, value in pairs
        if _there(point, plant)
    )


def _other_slots(plant: Plant) -> list[tuple[str, Value]] | None:
    """Return what empties the owner's other charge slots; None while one of them is not known."""
    pairs: list[tuple[str, Value]] = []
    for first in filter(_OTHER_SLOT.fullmatch, plant.settings):
        last = first.replace("_start", "_end")
        held = plant.shown.get(first), plant.shown.get(last)
        if None in held:
            return None
        if held[0] != held[1]:
            pairs += [(first, _MIDNIGHT), (last, _MIDNIGHT)]
    return pairs


def _pairs(command: BatteryCommand, now: datetime, plant: Plant) -> list[tuple[str, Value]]:
    match command.mode:
        case BatteryMode.SELF_USE:
            return [
                ("charge_enabled", False),
                ("discharge_enabled", False),
                ("pause_mode", "none"),
                ("eco_mode_enabled", True),
            ]
        case BatteryMode.CHARGE:
            return _charge(command, now, plant)
        case BatteryMode.DISCHARGE:
            return _discharge(command, now, plant)
        case BatteryMode.HOLD:
            return _paused("discharge", command, now, plant)
        case BatteryMode.EXPORT_SOLAR:
            return _paused("charge", command, now, plant)
        case BatteryMode.IDLE:
            return _paused("both", command, now, plant)
        case BatteryMode.CHARGE_SOLAR:
            raise NotWritable(
                f"{plant.device} has no setting that puts the battery before the house"
            )
        case _:
            assert_never(command.mode)


def _charge(command: BatteryCommand, now: datetime, plant: Plant) -> list[tuple[str, Value]]:
    _need(plant, "charge_slot_1_start", "charge_slot_1_end", "charge_enabled")
    return [
        ("discharge_enabled", False),
        ("pause_mode", "none"),
        ("eco_mode_enabled", True),
        *_power("charge_power_w", command, plant),
        *_targets(command.soc_pct, plant),
        *_window("charge_slot_1", command, now, plant),
        ("charge_enabled", True),
    ]


def _targets(soc_pct: float | None, plant: Plant) -> list[tuple[str, Value]]:
    """Return where a charge ends, for firmware that obeys the slot's own target and for older."""
    target = 100.0 if soc_pct is None else soc_pct
    points = ("charge_slot_1_target_soc_pct", "charge_target_soc_pct")
    return [
        *((point, _clipped(point, target, plant)) for point in points),
        ("charge_target_enabled", True),
    ]


def _discharge(command: BatteryCommand, now: datetime, plant: Plant) -> list[tuple[str, Value]]:
    slots = ("discharge_slot_1_start", "discharge_slot_1_end")
    _need(plant, *slots, "discharge_enabled", "eco_mode_enabled")
    pairs: list[tuple[str, Value]] = [
        ("charge_enabled", False),
        ("pause_mode", "none"),
        *_power("discharge_power_w", command, plant),
    ]
    if command.soc_pct is not None:
        pairs += _floor(command.soc_pct, plant)
    return [
        *pairs,
        *_window("discharge_slot_1", command, now, plant),
        # With it on, a discharge covers the house and no more.
        ("eco_mode_enabled", False),
        ("discharge_enabled", True),
    ]


def _floor(wanted: float, plant: Plant) -> list[tuple[str, Value]]:
    """Return where a discharge ends: the slot's own floor, and a reserve that lets it get there."""
    own, reserve = "discharge_slot_1_floor_soc_pct", "reserve_soc_pct"
    if not _there(own, plant):
        # Firmware with two slots has no other floor than the reserve.
        _need(plant, reserve)
        return [(reserve, _clipped(reserve, wanted, plant))]
    floor, held = _clipped(own, wanted, plant), plant.shown.get(reserve)
    lower = isinstance(held, int | float) and held > floor
    return [(own, floor), *([(reserve, floor)] if lower else [])]


def _paused(
    what: str, command: BatteryCommand, now: datetime, plant: Plant
) -> list[tuple[str, Value]]:
    _need(plant, "pause_mode", "pause_slot_start", "pause_slot_end")
    return [
        ("charge_enabled", False),
        ("discharge_enabled", False),
        ("eco_mode_enabled", True),
        *_window("pause_slot", command, now, plant),
        ("pause_mode", what),
    ]


def _window(
    slot: str, command: BatteryCommand, now: datetime, plant: Plant
) -> list[tuple[str, Value]]:
    assert command.until is not None  # noqa: S101 - checked before the mode was looked at
    present = plant.shown.get(f"{slot}_start"), plant.shown.get(f"{slot}_end")
    return _slot(slot, *daily_window(now, command.until, plant.timezone, present), plant)


def _slot(slot: str, start: time, end: time, plant: Plant) -> list[tuple[str, Value]]:
    """Return a slot in the order in which it is never nearly a day long in between."""
    pairs: list[tuple[str, Value]] = [(f"{slot}_start", start), (f"{slot}_end", end)]
    ended = plant.shown.get(f"{slot}_end")
    return pairs[::-1] if isinstance(ended, time) and start > ended else pairs


def _power(point: str, command: BatteryCommand, plant: Plant) -> list[tuple[str, Value]]:
    bounds = _range(point, plant)
    if bounds is None:
        return []
    return [
        (point, bounds.high if command.power_w is None else _clipped(point, command.power_w, plant))
    ]


def _clipped(point: str, wanted: float, plant: Plant) -> float:
    """Return *wanted* in whole steps within what *point* takes."""
    bounds = _range(point, plant)
    if bounds is None:
        return wanted
    return min(max(round(wanted / bounds.step) * bounds.step, bounds.low), bounds.high)


def _range(point: str, plant: Plant) -> Range | None:
    setting = plant.settings.get(point)
    writable = setting.point.writable if setting else None
    return writable if isinstance(writable, Range) else None


def _there(point: str, plant: Plant) -> bool:
    return point in plant.settings


def _need(plant: Plant, *points: str) -> None:
    missing = [point for point in points if not _there(point, plant)]
    if missing:
        raise NotWritable(
            f"{plant.device} has no {', '.join(missing)} in the cloud, which this mode needs"
        )


def _check_end(command: BatteryCommand, now: datetime) -> None:
    if command.until is None:
        raise NotWritable(f"{command.mode} needs an end: say until when")
    if command.until <= now:
        raise NotWritable(f"{command.mode} would have ended already")
