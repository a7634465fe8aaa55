"""GivTCP's controls: its routes, its topics and their odd bodies, as what they mean to a device.

Three generations of it are understood at once: their names do not collide, and where the same
name meant different things, the version in ``Tuning`` decides. Sources: its README, its list of
routes, and what its users' flows send. Pure; ``givtcp_desk.py`` asks the site.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, TypeAlias

from ohmstead.errors import RequestError
from ohmstead.model import BatteryMode, Point, Range, Value
from ohmstead.outputs.givtcp_body import (
    Given,
    clock_of,
    given_of,
    moment_of,
    number_of,
    state_of,
    word_of,
)
from ohmstead.outputs.givtcp_energies import CUTOFF, RESERVE
from ohmstead.outputs.givtcp_tree import Generation

__all__ = ["FORCED", "Cancel", "Change", "Force", "Meant", "Tuning", "is_control", "meaning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Settings to write, in this order."""

    settings: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Force:
    """A temporary action, for so long."""

    action: str
    """``Force_Charge`` and the like."""
    duration_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The end of a temporary action."""

    action: str


Meant: TypeAlias = Change | Force | Cancel
Translate: TypeAlias = "Callable[[Given, Tuning], Meant]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What a translation depends on."""

    now: datetime
    """On the wall clock of the house."""
    values: Mapping[str, Value | None]
    """What the device shows."""
    points: Mapping[str, Point]
    """What there is on it."""
    version: Generation = 3
    usual_reserve_pct: float = 4
    """The reserve before it was set to 100, which is a pause."""

    def first(self, *names: str) -> str:
        """Return the first of *names* that the device has, or the first of all."""
        return next((name for name in names if name in self.points), names[0])

    def number(self, name: str) -> float | None:
        """Return the value of *name*, if it is a number."""
        value = self.values.get(name)
        return value if isinstance(value, int | float) else None


def meaning(control: str, body: str, tuning: Tuning) -> Meant:
    """Return what *body*, sent to *control*, means; raises ``RequestError`` if it means nothing."""
    given = given_of(body)
    if match := _NUMBERED.fullmatch(control):
        return _numbered(match[1], int(match[2]), given, tuning)
    translate = _CONTROLS.get(control)
    if translate is None:
        raise RequestError(f"there is no control {control[:60]}")
    return translate(given, tuning)


def is_control(name: str) -> bool:
    """Tell whether GivTCP has a control called *name*."""
    return name in _CONTROLS or _NUMBERED.fullmatch(name) is not None


_NUMBERED: Final = re.compile(
    r"(set(?:EMS)?(?:Charge|Discharge|Export)(?:Slot|Start|End|Target))([1-9]\d?)", re.ASCII
)


def _kept(settings: tuple[tuple[str, Value], ...], tuning: Tuning) -> Change:
    """Return *settings* as far as the device has them; raises if it has none.

    One that can only be read stays alone: whoever asks is told why.
    """
    there = tuple(pair for pair in settings if pair[0] in tuning.points)
    if not there:
        raise RequestError(f"this inverter has no setting {settings[0][0]}")
    writable = tuple(pair for pair in there if tuning.points[pair[0]].writable is not None)
    return Change(settings=writable or there[:1])


def _percent(given: Given, *keys: str, low: float = 4) -> float:
    """Return a level; GivTCP took anything, inverters take no less than 4."""
    return min(max(number_of(given, *keys), low), 100)


def _switched(*points: str) -> Translate:
    return lambda given, tuning: _kept(tuple((point, state_of(given)) for point in points), tuning)


def _level(*points: str, keys: tuple[str, ...], low: float = 4) -> Translate:
    return lambda given, tuning: _kept(
        ((tuning.first(*points), _percent(given, *keys, low=low)),), tuning
    )


def _watts(point: str, *keys: str) -> Translate:
    return lambda given, tuning: _kept(((point, max(number_of(given, *keys), 0)),), tuning)


def _pressed(point: str) -> Translate:
    return lambda _, tuning: _kept(((point, True),), tuning)


def _chosen(point: str, words: Mapping[str, str], *keys: str) -> Translate:
    def translate(given: Given, tuning: Tuning) -> Meant:
        word = word_of(given, *keys)
        if word not in words:
            raise RequestError(f"{word[:60]!r} is none of {', '.join(words)}")
        return _kept(((point, words[word]),), tuning)

    return translate


def _refused(why: str) -> Translate:
    def translate(given: Given, tuning: Tuning) -> Meant:
        del given, tuning
        raise RequestError(why)

    return translate


# ---- charging and discharging -----------------------------------------------------------


def _charge_target_state(given: Given, tuning: Tuning) -> Meant:
    return _charge_target_on(tuning) if state_of(given) else _charge_target_off(given, tuning)


def _charge_target_on(tuning: Tuning) -> Meant:
    return _kept((("charge_target_enabled", True),), tuning)


def _charge_target_off(given: Given, tuning: Tuning) -> Meant:
    """Charge full; the route was printed with any state, and means one thing."""
    del given
    return _kept((("charge_target_enabled", False), ("charge_target_soc_pct", 100)), tuning)


def _discharge_schedule(given: Given, tuning: Tuning) -> Meant:
    point = tuning.first("forced_discharge_enabled", "discharge_enabled")
    return _kept(((point, state_of(given)),), tuning)


def _enable_discharge(given: Given, tuning: Tuning) -> Meant:
    """Pause or resume every discharge at once, by the reserve."""
    reserve_pct = tuning.usual_reserve_pct if state_of(given) else 100
    return _kept(((tuning.first(*RESERVE), reserve_pct),), tuning)


def _target(given: Given, tuning: Tuning) -> Meant:
    return _kept(_target_pairs(_percent(given, "chargeToPercent"), tuning), tuning)


def _target_pairs(soc_pct: float, tuning: Tuning) -> tuple[tuple[str, Value], ...]:
    """Return the target, and in versions 1 and 2 the switch that makes it count."""
    target = ("charge_target_soc_pct", soc_pct)
    if tuning.version > 2:  # noqa: PLR2004 - version 3
        return (target,)
    return (target, ("charge_target_enabled", soc_pct < 100))  # noqa: PLR2004 - full


def _rate(way: str) -> Translate:
    # The first README printed the two keys the wrong way round; either is taken.
    keys = (f"{way}Rate", "chargeRate", "dischargeRate")

    def translate(given: Given, tuning: Tuning) -> Meant:
        rate = max(number_of(given, *keys), 0)
        if tuning.version == 1:
            return _kept(((f"{way}_rate_pct", 50 if rate >= 100 else int(rate / 3)),), tuning)  # noqa: PLR2004 - per cent
        point = tuning.points.get(f"{way}_power_w")
        if point is not None and isinstance(point.writable, Range):
            rate = min(max(rate, point.writable.low), point.writable.high)
        return _kept(((f"{way}_power_w", rate),), tuning)

    return translate


def _rate_ac(way: str) -> Translate:
    keys = (f"{way}Rate", "chargeRate", "dischargeRate")
    return _level(f"ac_{way}_rate_pct", keys=keys, low=1)


def _reserve(given: Given, tuning: Tuning) -> Meant:
    """Set the reserve; version 1 set the cut-off by the same name and a key of its own."""
    keys = ("reservePercent", "dischargeToPercent")
    old = "dischargeToPercent" in given or ("" in given and tuning.version == 1)
    point = tuning.first(*(CUTOFF if old else RESERVE))
    return _kept(((point, _percent(given, *keys)),), tuning)


def _mode(given: Given, tuning: Tuning) -> Meant:
    word = word_of(given, "mode", "state")
    found = _MODES.get(word)
    if found is None:
        raise RequestError(
            f"{word[:60]!r} is none of Eco, Eco (Paused), Timed Demand, Timed Export"
        )
    settings: list[tuple[str, Value]] = []
    if word == "2":  # with the night slot that the maker's old app had
        settings += _window("discharge_slot_1", time(16), time(7), tuning)
    if "battery_mode" in tuning.points:
        return _kept((*settings, ("battery_mode", found)), tuning)
    # Three-phase models have the same switches, and another reserve.
    if found == "eco paused":
        settings.append((tuning.first(*RESERVE), 100))
    by_slots = found in {"timed demand", "timed export"}
    settings.append(("eco_mode_enabled", found != "timed export"))
    settings += [("discharge_enabled", by_slots), ("forced_discharge_enabled", by_slots)]
    return _kept(tuple(settings), tuning)


def _forced(action: str) -> Translate:
    def translate(given: Given, tuning: Tuning) -> Meant:
        del tuning
        if word_of(given, "duration") in {"cancel", "normal", "0", "0.0"}:
            return Cancel(action=action)
        minutes = number_of(given, "duration")
        if not 0 < minutes <= _WEEK_MIN:
            raise RequestError(f"{minutes:g} minutes is not from 1 minute to a week")
        return Force(action=action, duration_min=minutes)

    return translate


# ---- slots ------------------------------------------------------------------------------


def _window(slot: str, start: time, end: time, tuning: Tuning) -> list[tuple[str, Value]]:
    """Return both ends of a slot, in the order that makes no huge one for a moment."""
    pairs: list[tuple[str, Value]] = [(f"{slot}_start", start), (f"{slot}_end", end)]
    old_end = tuning.values.get(f"{slot}_end")
    return pairs[::-1] if isinstance(old_end, time) and start > old_end else pairs


def _slot(given: Given, tuning: Tuning, way: str, number: int) -> Meant:
    start, end = clock_of(given, "start"), clock_of(given, "finish", "end")
    pairs = _window(f"{way}_slot_{number}", start, end, tuning)
    if f"{way}_slot_{number}_start" not in tuning.points:
        raise RequestError(f"this inverter has no {way} slot {number}")
    if way == "charge" and "chargeToPercent" in given:
        pairs += _slot_target(number, _percent(given, "chargeToPercent"), tuning)
    if way == "discharge" and "dischargeToPercent" in given:
        old = CUTOFF if tuning.version == 1 else RESERVE
        point = tuning.first(f"discharge_slot_{number}_floor_soc_pct", *old)
        pairs.append((point, _percent(given, "dischargeToPercent")))
    return _kept(tuple(pairs), tuning)


def _slot_target(number: int, soc_pct: float, tuning: Tuning) -> list[tuple[str, Value]]:
    """Return what ends a charge in a slot: its own target, and the common one above it.

    The lower of the two counts. The common one is of the first slot; another slot may only lift
    it, or it would end the first slot's charge early.
    """
    own, common = f"charge_slot_{number}_target_soc_pct", tuning.number("charge_target_soc_pct")
    pairs: list[tuple[str, Value]] = [(own, soc_pct)] if own in tuning.points else []
    if not pairs or number == 1 or (common is not None and common < soc_pct):
        pairs += _target_pairs(soc_pct, tuning)
    return pairs


def _any_slot(way: str) -> Translate:
    return lambda given, tuning: _slot(given, tuning, way, int(number_of(given, "slot")))


def _slot_level(way: str, what: str, low: float, *keys: str) -> Translate:
    def translate(given: Given, tuning: Tuning) -> Meant:
        number = int(number_of(given, "slot")) if "slot" in given else 1
        point = f"{way}_slot_{number}_{what}_soc_pct"
        return _kept(((point, _percent(given, *keys, low=low)),), tuning)

    return translate


def _numbered(control: str, number: int, given: Given, tuning: Tuning) -> Meant:
    """Return what a control with a number in its name means: ``setChargeStart3``."""
    if "EMS" in control and "plant_control_enabled" not in tuning.points:
        raise RequestError("this inverter is no EMS")
    plain = control.replace("EMS", "")
    way = "charge" if "setCharge" in plain else "discharge" if "Discharge" in plain else "export"
    if control.endswith("Slot"):
        return _slot(given, tuning, way, number)
    if control.endswith("Target"):
        what, low = ("target", 4) if way == "charge" else ("floor", 0 if way == "export" else 4)
        keys = ("chargeToPercent", "dischargeToPercent", "exportToPercent")
        level = _percent(given, *keys, low=low)
        return _kept(((f"{way}_slot_{number}_{what}_soc_pct", level),), tuning)
    end = "start" if control.endswith("Start") else "end"
    return _kept(
        ((f"{way}_slot_{number}_{end}", clock_of(given, "start", "finish", "end")),), tuning
    )


def _pause_slot(given: Given, tuning: Tuning) -> Meant:
    start, end = clock_of(given, "start"), clock_of(given, "finish", "end")
    return _kept(tuple(_window("pause_slot", start, end, tuning)), tuning)


def _pause_end(end: str) -> Translate:
    return lambda given, tuning: _kept(
        ((f"pause_slot_{end}", clock_of(given, "start", "finish", "end")),), tuning
    )


# ---- the clock --------------------------------------------------------------------------


def _date_time(given: Given, tuning: Tuning) -> Meant:
    return _kept((("clock", moment_of(given)),), tuning)


def _sync(given: Given, tuning: Tuning) -> Meant:
    del given
    return _kept((("clock", tuning.now.replace(tzinfo=None, microsecond=0)),), tuning)


_WEEK_MIN: Final = 7 * 24 * 60
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
_CALIBRATIONS: Final = {"off": "off", "start": "discharge", "charge only": "charge"}
_PRIORITIES: Final = {"load": "load", "battery": "battery", "grid": "grid"}
_INPUTS: Final = {"independent": "independent", "1x2": "one by two"}
_NO_CHARGER: Final = _refused("there is no GivEnergy car charger here")
_NO_SWITCH: Final = _refused("prices come from `prices:` in ohmstead.yaml, which knows their hours")
_NO_RESTART: Final = _refused("Ohmstead is restarted by what started it, as a service or container")

FORCED: Final[Mapping[str, BatteryMode]] = {
    "Force_Charge": BatteryMode.CHARGE,
    "Force_Export": BatteryMode.DISCHARGE,
    "Temp_Pause_Charge": BatteryMode.EXPORT_SOLAR,
    "Temp_Pause_Discharge": BatteryMode.HOLD,
}
"""What each temporary action lets the battery do."""

_CONTROLS: Final[Mapping[str, Translate]] = {
    "enableChargeTarget": _charge_target_state,
    "disableChargeTarget": _charge_target_off,
    # Three-phase models need both of theirs.
    "enableChargeSchedule": _switched(
        "charge_enabled", "ac_charge_enabled", "forced_charge_enabled"
    ),
    "enableDischargeSchedule": _discharge_schedule,
    "enableDishargeSchedule": _discharge_schedule,
    "enableDischarge": _enable_discharge,
    "enableRTC": _switched("real_time_control_enabled"),
    "setChargeTarget": _target,
    "setDischargeTarget": _slot_level(
        "discharge", "floor", 4, "dischargeToPercent", "exportToPercent"
    ),
    "setExportTarget": _slot_level("export", "floor", 0, "exportToPercent"),
    "setBatteryReserve": _reserve,
    "setShallowCharge": _reserve,
    "setBatteryCutoff": _level(*CUTOFF, keys=("dischargeToPercent",)),
    "setChargeRate": _rate("charge"),
    "setDischargeRate": _rate("discharge"),
    "setChargeRateAC": _rate_ac("charge"),
    "setDischargeRateAC": _rate_ac("discharge"),
    "setActivePowerRate": _level("active_power_pct", keys=("activePowerRate", "rate"), low=0),
    "setChargeSlot": _any_slot("charge"),
    "setDischargeSlot": _any_slot("discharge"),
    "setExportSlot": _any_slot("export"),
    "setPauseSlot": _pause_slot,
    "setPauseStart": _pause_end("start"),
    "setPauseEnd": _pause_end("end"),
    "setBatteryPauseMode": _chosen("pause_mode", _PAUSES, "state"),
    "setBatteryMode": _mode,
    "setEcoMode": _switched("eco_mode_enabled"),
    "setBatteryCalibration": _chosen("battery_calibration", _CALIBRATIONS, "state"),
    "setLocalControlMode": _chosen("export_priority", _PRIORITIES, "state"),
    "setPVInputMode": _chosen("pv_input_mode", _INPUTS, "state"),
    "setDateTime": _date_time,
    "syncDateTime": _sync,
    "rebootInverter": _pressed("restart"),
    "rebootInvertor": _pressed("restart"),
    "reboot": _pressed("restart"),
    "setExportLimit": _watts("export_limit_w", "limit", "power", "exportLimit"),
    "setCarChargeBoost": _watts("car_charge_boost_w", "boost"),
    "setEMSDischargeTarget": lambda given, tuning: _numbered(
        "setEMSDischargeTarget", 1, given, tuning
    ),
    "setEmsPlant": _switched("plant_control_enabled"),
    "setForceCharge": _switched("forced_charge_enabled"),
    "setForceDischarge": _switched("forced_discharge_enabled"),
    "setACCharge": _switched("ac_charge_enabled"),
    "forceCharge": _forced("Force_Charge"),
    "forceExport": _forced("Force_Export"),
    "tempPauseCharge": _forced("Temp_Pause_Charge"),
    "tempPauseDischarge": _forced("Temp_Pause_Discharge"),
    "switchRate": _NO_SWITCH,
    "restart": _NO_RESTART,
    "rebootAddon": _NO_RESTART,
    **dict.fromkeys(
        (
            *("setImportCap", "setCurrentLimit", "setChargeControl", "setChargeMode"),
            *("setChargingMode", "setMaxSessionEnergy", "chargeMode", "controlCharge"),
            "setSystemTime",
        ),
        _NO_CHARGER,
    ),
}
