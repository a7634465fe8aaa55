"""What each battery mode means to this family: which settings, in which order.

Pure, so that it can be read and tested without an inverter. The inverter knows time slots of
its own local clock; a slot ends by itself, so a dead controller leaves the house alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, tzinfo
from typing import Final, assert_never

from ohmstead.devices.luxpower.registers import Model
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

_SWITCHES: Final = ("ac_charge_enabled", "forced_discharge_enabled", "charge_priority_enabled")
_SLOTTED: Final = {
    BatteryMode.CHARGE: ("ac_charge", "soc_limit_pct"),
    BatteryMode.CHARGE_SOLAR: ("charge_priority", "soc_limit_pct"),
    BatteryMode.DISCHARGE: ("forced_discharge", "soc_floor_pct"),
}
_SHUTS_CHARGING: Final = frozenset({BatteryMode.EXPORT_SOLAR, BatteryMode.IDLE})
_MIDNIGHT: Final = time(0, 0)
_RATES: Final = ("charge_rate_pct", "discharge_rate_pct")
_FLOOR_PCT: Final = 10.0
"""The inverter's own default for where a discharge ends."""
_FULL_PCT: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """The inverter as far as a translation needs to know it."""

    device: str
    model: Model
    rated_w: float
    timezone: tzinfo
    shown: Mapping[str, Value | None]
    """The settings it held when it was last asked."""
    usual: Mapping[str, float]
    """The last rate above zero that each rate was seen at."""


def changes_for(command: BatteryCommand, now: datetime, plant: Plant) -> tuple[SettingChange, ...]:
    """Return the settings that make *command* happen, the one that switches it on last.

    Raises ``NotWritable`` for a command without a proper end.
    """
    if command.mode is not BatteryMode.SELF_USE:
        _check_end(command, now)
    pairs = _pairs(command, now, plant)
    return tuple(
        SettingChange(device=plant.device, point=point, value=value) for point, value in pairs
    )


def changes_ahead(
    command: BatteryCommand, now: datetime, plant: Plant
) -> tuple[SettingChange, ...]:
    """Return the settings of the charge that *command* has ahead, the switch last; or none.

    AC charging has a power and a limit of its own, so the sun is stored as before. Where the
    charge rate itself is shut until somebody lifts it, no timer can charge.
    """
    ahead = command.ahead
    if ahead is None or command.mode in _SHUTS_CHARGING:
        return ()
    start, end = coming_window(now, ahead.start, ahead.until, plant.timezone)
    charge = replace(command, mode=BatteryMode.CHARGE, soc_pct=ahead.soc_pct)
    slot: list[tuple[str, Value]] = [
        ("ac_charge_slot_1_start", start),
        ("ac_charge_slot_1_end", end),
    ]
    closes = plant.shown.get("ac_charge_slot_1_end")
    pairs = [
        _power("ac_charge", ahead.power_w, plant),
        _soc("ac_charge_soc_limit_pct", charge, plant),
        *_emptied("ac_charge", plant),
        # In the order that never spans a day.
        *(slot[::-1] if isinstance(closes, time) and start > closes else slot),
        ("ac_charge_enabled", True),
    ]
    return tuple(
        SettingChange(device=plant.device, point=point, value=value) for point, value in pairs
    )


def _emptied(name: str, plant: Plant) -> list[tuple[str, Value]]:
    """Switch the owner's other slots off that are in use: the switch is for all of them."""
    pairs: list[tuple[str, Value]] = []
    for n in (2, 3):
        first, last = f"{name}_slot_{n}_start", f"{name}_slot_{n}_end"
        if plant.shown.get(first) != plant.shown.get(last):
            pairs += [(first, _MIDNIGHT), (last, _MIDNIGHT)]
    return pairs


def _pairs(command: BatteryCommand, now: datetime, plant: Plant) -> list[tuple[str, Value]]:
    match command.mode:
        case BatteryMode.CHARGE | BatteryMode.CHARGE_SOLAR | BatteryMode.DISCHARGE as mode:
            return _slotted(command, now, plant, *_SLOTTED[mode])
        case BatteryMode.SELF_USE:
            return [*_off(), *_open(plant, *_RATES)]
        # These three have no slot of their own: the rates stay until somebody lifts them.
        case BatteryMode.HOLD:
            return [*_off(), *_open(plant, "charge_rate_pct"), ("discharge_rate_pct", 0)]
        case BatteryMode.EXPORT_SOLAR:
            return [*_off(), *_open(plant, "discharge_rate_pct"), ("charge_rate_pct", 0)]
        case BatteryMode.IDLE:
            return [*_off(), ("charge_rate_pct", 0), ("discharge_rate_pct", 0)]
        case _:
            assert_never(command.mode)


def _slotted(
    command: BatteryCommand, now: datetime, plant: Plant, name: str, soc: str
) -> list[tuple[str, Value]]:
    assert command.until is not None  # noqa: S101 - checked before the mode was looked at
    first, last = f"{name}_slot_1_start", f"{name}_slot_1_end"
    present = plant.shown.get(first), plant.shown.get(last)
    start, end = daily_window(now, command.until, plant.timezone, present)
    needed = "discharge_rate_pct" if command.mode is BatteryMode.DISCHARGE else "charge_rate_pct"
    return [
        *_off(but=f"{name}_enabled"),
        *_open(plant, needed),
        _power(name, command.power_w, plant),
        _soc(f"{name}_{soc}", command, plant),
        (first, start),
        (last, end),
        (f"{name}_enabled", True),
    ]


def _off(but: str = "") -> list[tuple[str, Value]]:
    return [(switch, False) for switch in _SWITCHES if switch != but]


def _open(plant: Plant, *rates: str) -> list[tuple[str, Value]]:
    """Lift the rates that are shut; any other is the owner's."""
    return [
        (rate, plant.usual.get(rate, _FULL_PCT)) for rate in rates if plant.shown.get(rate) == 0
    ]


def _power(name: str, power_w: float | None, plant: Plant) -> tuple[str, Value]:
    power_w = plant.rated_w if power_w is None else power_w
    if plant.model.in_watts:
        point, wanted = f"{name}_power_w", power_w
    else:
        point, wanted = f"{name}_power_pct", power_w / plant.rated_w * 100
    return point, _clipped(point, wanted, plant, least=power_w > 0)


def _soc(point: str, command: BatteryCommand, plant: Plant) -> tuple[str, Value]:
    wanted = command.soc_pct
    if wanted is None and command.mode is BatteryMode.DISCHARGE:
        floor = plant.shown.get("discharge_cutoff_soc_pct")
        wanted = floor if isinstance(floor, int | float) else _FLOOR_PCT
    # 101 would mean "never stop", which nobody asks for with a percentage.
    return point, _clipped(point, min(_FULL_PCT if wanted is None else wanted, 100), plant)


def _clipped(point: str, wanted: float, plant: Plant, *, least: bool = False) -> float:
    """Return *wanted* in whole steps within what *point* takes, above zero for *least*."""
    bounds = plant.model.holdings[point].writable
    assert isinstance(bounds, Range)  # noqa: S101 - a test goes through all of them
    steps = max(round(wanted / bounds.step), int(least))
    return min(max(steps * bounds.step, bounds.low), bounds.high)


def _check_end(command: BatteryCommand, now: datetime) -> None:
    if command.until is None:
        raise NotWritable(f"{command.mode} needs an end: say until when")
    if command.until <= now:
        raise NotWritable(f"{command.mode} would have ended already")
