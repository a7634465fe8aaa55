"""What each battery mode means here: which settings, in which order.

Pure. The inverter's own slots are its timers: a slot ends by itself, also when neither we nor
the cloud are there any more. A mode for which the inverter has no timer is refused: what
cannot be reached for hours must not need anybody to end it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import assert_never

from ohmstead.devices.givenergy_cloud.points import Setting
from ohmstead.errors import NotWritable
from ohmstead.model import BatteryCommand, BatteryMode, Range, SettingChange, Value, daily_window

__all__ = ["Plant", "changes_for"]


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
    return tuple(
        SettingChange(device=plant.device, point=point, value=value)
        for point, value in _pairs(command, now, plant)
        if _there(point, plant)
    )


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
    target = 100.0 if command.soc_pct is None else command.soc_pct
    # Firmware with many slots obeys the slot's own target, older firmware the general one.
    targets = ("charge_slot_1_target_soc_pct", "charge_target_soc_pct")
    _need(plant, "charge_slot_1_start", "charge_slot_1_end", "charge_enabled")
    return [
        ("discharge_enabled", False),
        ("pause_mode", "none"),
        ("eco_mode_enabled", True),
        *_power("charge_power_w", command, plant),
        *((point, _clipped(point, target, plant)) for point in targets),
        ("charge_target_enabled", True),
        *_window("charge_slot_1", command, now, plant),
        ("charge_enabled", True),
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
    first, last = f"{slot}_start", f"{slot}_end"
    present = plant.shown.get(first), plant.shown.get(last)
    start, end = daily_window(now, command.until, plant.timezone, present)
    pairs: list[tuple[str, Value]] = [(first, start), (last, end)]
    # In the order in which the slot is never nearly a day long in between.
    return pairs[::-1] if isinstance(present[1], time) and start > present[1] else pairs


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
