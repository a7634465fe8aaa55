"""GivTCP's controls: its routes, its topics and their odd bodies, as what they mean to a device.

Three generations of it are understood at once; their names do not collide. Sources: its README,
its list of routes, and what its users' flows send. Pure; ``givtcp.py`` asks the site.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, TypeAlias

from ohmstead.errors import RequestError
from ohmstead.model import BatteryMode, Value

__all__ = ["Cancel", "Change", "Force", "Meant", "Tuning", "meaning", "names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Settings to write, in this order."""

    settings: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Force:
    """A temporary action, for so long."""

    action: str
    """``Force_Charge`` and the like."""
    mode: BatteryMode
    duration_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The end of a temporary action."""

    action: str


Meant: TypeAlias = Change | Force | Cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a translation depends on."""

    now: datetime
    """On the wall clock of the house."""
    values: Mapping[str, Value | None]
    """What the device shows."""
    points: frozenset[str]
    """What can be written to it."""
    rates_in_pct: bool = False
    """Whether rates are per cent, as in version 1; else watts."""


def meaning(control: str, body: str, tuning: Tuning) -> Meant:
    """Return what *body*, sent to *control*, means; raises ``RequestError`` if it means nothing.

    *body* is JSON, or bare text, as MQTT and older clients send it.
    """
    given = _given(body)
    match = re.fullmatch(
        r"(set(?:EMS)?(?:Charge|Discharge|Export)(?:Slot|Start|End|Target))(\d+)", control
    )
    if match:
        name, number = match.group(1), int(match.group(2))
        return _numbered(name, number, given, tuning)
    translate = _CONTROLS.get(_ALIASES.get(control, control))
    if translate is None:
        raise RequestError(f"there is no control {control}")
    return translate(given, tuning)


def names() -> frozenset[str]:
    """Return every control without a number in its name."""
    return frozenset(_CONTROLS) | frozenset(_ALIASES)


Given: TypeAlias = Mapping[str, object]
"""A body's fields; a bare value stands under the empty name."""

_ALIASES: Final = {
    "enableDishargeSchedule": "enableDischargeSchedule",
    "rebootInvertor": "rebootInverter",
    "reboot": "rebootInverter",
}


def _given(body: str) -> Given:
    try:
        parsed = json.loads(body) if body.strip() else ""
    except ValueError:
        parsed = body.strip()
    if isinstance(parsed, dict):
        return parsed
    return {"": parsed}


def _field(given: Given, *keys: str) -> object:
    """Return the first of *keys* that is there, or the bare value."""
    for key in (*keys, ""):
        if key in given and given[key] not in {None, ""}:
            return given[key]
    raise RequestError(f"say {' or '.join(keys)}")


def _number(given: Given, *keys: str) -> float:
    found = _field(given, *keys)
    try:
        return float(str(found))
    except ValueError:
        raise RequestError(f"{found!r} is not a number") from None


def _state(given: Given) -> bool:
    word = str(_field(given, "state")).strip().lower()
    if word in {"enable", "on", "true", "1"}:
        return True
    if word in {"disable", "off", "false", "0"}:
        return False
    raise RequestError(f"{word!r} is neither enable nor disable")


def _clock(given: Given, *keys: str) -> time:
    """Return a time of day, whichever way it is written: 0130, 01:30, 01:30:00."""
    found = str(_field(given, *keys)).strip()
    digits = found.replace(":", "")
    if digits.isdecimal() and 3 <= len(digits) <= 6:  # noqa: PLR2004 - 130 to 013000
        digits = digits.zfill(4)
        hour, minute = int(digits[:2]), int(digits[2:4])
        if hour < 24 and minute < 60:  # noqa: PLR2004 - a day
            return time(hour, minute)
    raise RequestError(f"{found!r} is not a time of day; write it as 16:30")


def _switched(point: str, *more: tuple[str, Value]) -> Callable[[Given, Tuning], Meant]:
    def translate(given: Given, tuning: Tuning) -> Meant:
        on = _state(given)
        extra = () if on else more
        return _kept(((point, on), *extra), tuning)

    return translate


def _set(point: str, *keys: str, low: float = 0) -> Callable[[Given, Tuning], Meant]:
    def translate(given: Given, tuning: Tuning) -> Meant:
        return _kept(((point, max(_number(given, *keys), low)),), tuning)

    return translate


def _kept(settings: tuple[tuple[str, Value], ...], tuning: Tuning) -> Change:
    """Return *settings* as far as the device has them; raises if it has none."""
    there = tuple(pair for pair in settings if pair[0] in tuning.points)
    if not there:
        raise RequestError(f"this inverter has no setting {settings[0][0]}")
    return Change(settings=there)


def _first_of(tuning: Tuning, *points: str) -> str:
    return next((point for point in points if point in tuning.points), points[0])


def _charge_schedule(given: Given, tuning: Tuning) -> Meant:
    on = _state(given)
    pairs = (("charge_enabled", on), ("ac_charge_enabled", on), ("forced_charge_enabled", on))
    return _kept(pairs, tuning)


def _discharge_schedule(given: Given, tuning: Tuning) -> Meant:
    on = _state(given)
    if "forced_discharge_enabled" in tuning.points:
        return _kept((("forced_discharge_enabled", on),), tuning)
    return _kept((("discharge_enabled", on),), tuning)


def _enable_discharge(given: Given, tuning: Tuning) -> Meant:
    """Pause or resume every discharge at once, by the reserve."""
    return _kept((("reserve_soc_pct", 4 if _state(given) else 100),), tuning)


def _target(given: Given, tuning: Tuning) -> Meant:
    soc_pct = max(_number(given, "chargeToPercent"), 4)
    return _kept((("charge_target_soc_pct", soc_pct),), tuning)


def _rate(way: str) -> Callable[[Given, Tuning], Meant]:
    def translate(given: Given, tuning: Tuning) -> Meant:
        # The first README printed the two keys the wrong way round; either is taken.
        rate = _number(given, f"{way}Rate", "chargeRate", "dischargeRate")
        if tuning.rates_in_pct:
            return _kept(((f"{way}_rate_pct", 50 if rate >= 100 else int(rate / 3)),), tuning)  # noqa: PLR2004 - per cent
        return _kept(((f"{way}_power_w", rate),), tuning)

    return translate


def _rate_ac(way: str) -> Callable[[Given, Tuning], Meant]:
    return _set(f"ac_{way}_rate_pct", f"{way}Rate", "chargeRate", "dischargeRate", low=1)


def _slot(given: Given, tuning: Tuning, way: str, number: int) -> Meant:
    start, end = _clock(given, "start"), _clock(given, "finish", "end")
    pairs: list[tuple[str, Value]] = [
        (f"{way}_slot_{number}_start", start),
        (f"{way}_slot_{number}_end", end),
    ]
    if way == "charge" and "chargeToPercent" in given:
        soc_pct = max(_number(given, "chargeToPercent"), 4)
        pairs += [(f"charge_slot_{number}_target_soc_pct", soc_pct)]
        pairs += [("charge_target_soc_pct", soc_pct)]
    if way == "discharge" and "dischargeToPercent" in given:
        soc_pct = max(_number(given, "dischargeToPercent"), 4)
        floor = f"discharge_slot_{number}_floor_soc_pct"
        pairs.append((floor if floor in tuning.points else "reserve_soc_pct", soc_pct))
    return _kept(tuple(pairs), tuning)


def _any_slot(way: str) -> Callable[[Given, Tuning], Meant]:
    return lambda given, tuning: _slot(given, tuning, way, int(_number(given, "slot")))


def _numbered(name: str, number: int, given: Given, tuning: Tuning) -> Meant:
    """Return what a control with a number in its name means: ``setChargeStart3``."""
    plain = name.replace("EMS", "")
    way = "charge" if "setCharge" in plain else "discharge" if "Discharge" in plain else "export"
    if name.endswith("Slot"):
        return _slot(given, tuning, way, number)
    if name.endswith("Target"):
        what = "target" if way == "charge" else "floor"
        soc_pct = _number(given, "chargeToPercent", "dischargeToPercent", "exportToPercent")
        low = 0 if way == "export" else 4
        return _kept(((f"{way}_slot_{number}_{what}_soc_pct", max(soc_pct, low)),), tuning)
    end = "start" if name.endswith("Start") else "end"
    at = _clock(given, "start", "finish", "end")
    return _kept(((f"{way}_slot_{number}_{end}", at),), tuning)


def _discharge_target(given: Given, tuning: Tuning) -> Meant:
    soc_pct = max(_number(given, "dischargeToPercent", "exportToPercent"), 4)
    number = int(_number(given, "slot")) if "slot" in given else 1
    return _kept(((f"discharge_slot_{number}_floor_soc_pct", soc_pct),), tuning)


def _export_target(given: Given, tuning: Tuning) -> Meant:
    number = int(_number(given, "slot")) if "slot" in given else 1
    soc_pct = _number(given, "exportToPercent")
    return _kept(((f"export_slot_{number}_floor_soc_pct", soc_pct),), tuning)


def _pause_slot(given: Given, tuning: Tuning) -> Meant:
    start, end = _clock(given, "start"), _clock(given, "finish", "end")
    return _kept((("pause_slot_start", start), ("pause_slot_end", end)), tuning)


def _chosen(point: str, words: Mapping[str, str], *keys: str) -> Callable[[Given, Tuning], Meant]:
    def translate(given: Given, tuning: Tuning) -> Meant:
        word = str(_field(given, *keys)).strip()
        found = words.get(word.lower())
        if found is None:
            raise RequestError(f"{word!r} is none of {', '.join(words)}")
        return _kept(((point, found),), tuning)

    return translate


def _mode(given: Given, tuning: Tuning) -> Meant:
    word = str(_field(given, "mode", "state")).strip().lower()
    found = _MODES.get(word)
    if found is None:
        raise RequestError(f"{word!r} is none of Eco, Eco (Paused), Timed Demand, Timed Export")
    settings: list[tuple[str, Value]] = []
    if word == "2":  # with the night slot the maker's old app had
        slot = ("discharge_slot_1_start", time(16)), ("discharge_slot_1_end", time(7))
        settings += slot
    return _kept((*settings, ("battery_mode", found)), tuning)


def _moment(given: Given, tuning: Tuning) -> Meant:
    text = str(_field(given, "dateTime")).strip()
    for form in ("%d/%m/%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"):
        try:
            return _kept((("clock", datetime.strptime(text, form)),), tuning)  # noqa: DTZ007 - the device's clock has no zone
        except ValueError:
            continue
    raise RequestError(f"{text!r} is not a moment; write it as 31/12/2026 23:59:00")


def _sync(given: Given, tuning: Tuning) -> Meant:
    del given
    return _kept((("clock", tuning.now.replace(tzinfo=None, microsecond=0)),), tuning)


def _pressed(point: str) -> Callable[[Given, Tuning], Meant]:
    return lambda _, tuning: _kept(((point, True),), tuning)


def _forced(action: str, mode: BatteryMode) -> Callable[[Given, Tuning], Meant]:
    def translate(given: Given, tuning: Tuning) -> Meant:
        del tuning
        word = str(_field(given, "duration")).strip().lower()
        if word in {"cancel", "normal", "0", "0.0"}:
            return Cancel(action=action)
        minutes = _number(given, "duration")
        if not 0 < minutes <= 7 * 24 * 60:
            raise RequestError(f"{minutes:g} minutes is not from 1 minute to a week")
        return Force(action=action, mode=mode, duration_min=minutes)

    return translate


def _floor(given: Given, tuning: Tuning) -> Meant:
    point = _first_of(tuning, "reserve_soc_pct", "discharge_floor_soc_pct")
    if "dischargeToPercent" in given:  # version 1 set the cut-off by this key
        point = _first_of(tuning, "cutoff_soc_pct", point)
    soc_pct = _number(given, "reservePercent", "dischargeToPercent")
    return _kept(((point, max(soc_pct, 4)),), tuning)


_MODES: Final = {
    "1": "eco",
    "2": "timed demand",
    "3": "timed demand",
    "4": "timed export",
    "eco": "eco",
    "eco (paused)": "eco paused",
    "timed demand": "timed demand",
    "timed export": "timed export",
}
_PAUSES: Final = {
    "disabled": "none",
    "pausecharge": "charge",
    "pausedischarge": "discharge",
    "pauseboth": "both",
}
_CONTROLS: Final[Mapping[str, Callable[[Given, Tuning], Meant]]] = {
    "enableChargeTarget": _switched("charge_target_enabled", ("charge_target_soc_pct", 100)),
    "disableChargeTarget": lambda _, tuning: _kept((("charge_target_enabled", False),), tuning),
    "enableChargeSchedule": _charge_schedule,
    "enableDischargeSchedule": _discharge_schedule,
    "enableDischarge": _enable_discharge,
    "enableRTC": _switched("real_time_control_enabled"),
    "setChargeTarget": _target,
    "setDischargeTarget": _discharge_target,
    "setExportTarget": _export_target,
    "setBatteryReserve": _floor,
    "setShallowCharge": _floor,
    "setBatteryCutoff": _set("cutoff_soc_pct", "dischargeToPercent", low=4),
    "setChargeRate": _rate("charge"),
    "setDischargeRate": _rate("discharge"),
    "setChargeRateAC": _rate_ac("charge"),
    "setDischargeRateAC": _rate_ac("discharge"),
    "setActivePowerRate": _set("active_power_pct", "activePowerRate", "rate"),
    "setChargeSlot": _any_slot("charge"),
    "setDischargeSlot": _any_slot("discharge"),
    "setExportSlot": _any_slot("export"),
    "setPauseSlot": _pause_slot,
    "setPauseStart": lambda given, tuning: _kept(
        (("pause_slot_start", _clock(given, "start")),), tuning
    ),
    "setPauseEnd": lambda given, tuning: _kept(
        (("pause_slot_end", _clock(given, "finish", "end")),), tuning
    ),
    "setBatteryPauseMode": _chosen("pause_mode", _PAUSES, "state"),
    "setBatteryMode": _mode,
    "setEcoMode": _switched("eco_mode_enabled"),
    "setBatteryCalibration": _chosen(
        "battery_calibration",
        {"off": "off", "start": "discharge", "charge only": "charge"},
        "state",
    ),
    "setLocalControlMode": _chosen(
        "export_priority", {"load": "load", "battery": "battery", "grid": "grid"}, "state"
    ),
    "setDateTime": _moment,
    "syncDateTime": _sync,
    "rebootInverter": _pressed("restart"),
    "setExportLimit": _set("export_limit_w", "limit", "power"),
    "setEmsPlant": _switched("plant_control_enabled"),
    "setForceCharge": _switched("forced_charge_enabled"),
    "setForceDischarge": _switched("forced_discharge_enabled"),
    "setACCharge": _switched("ac_charge_enabled"),
    "forceCharge": _forced("Force_Charge", BatteryMode.CHARGE),
    "forceExport": _forced("Force_Export", BatteryMode.DISCHARGE),
    "tempPauseCharge": _forced("Temp_Pause_Charge", BatteryMode.EXPORT_SOLAR),
    "tempPauseDischarge": _forced("Temp_Pause_Discharge", BatteryMode.HOLD),
}
