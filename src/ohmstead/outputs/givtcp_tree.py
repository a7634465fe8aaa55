"""What GivTCP calls its cache: one tree of a device's values, under the names its users know.

The spelling is GivTCP's, "Invertor" included; its grid power counts up when exporting. Keys and
formulas of version 3, with the places of versions 1 and 2 beside them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, tzinfo
from typing import Final, Literal, TypeAlias

from ohmstead import __version__
from ohmstead.model import Reading, Value
from ohmstead.outputs.givtcp_batteries import batteries, meters, packs
from ohmstead.outputs.givtcp_energies import CUTOFF, RESERVE, energy_tree, power_tree
from ohmstead.outputs.givtcp_plants import is_ems, kind_of, plant_branches
from ohmstead.outputs.givtcp_values import Names, Tree, Values, numbered, picked, slot_ends, titled

__all__ = ["TEMPORARY", "Facts", "Generation", "percent_of", "serial_of", "tree_of"]

Generation: TypeAlias = Literal[1, 2, 3]
"""Which of GivTCP's three versions is spoken."""

TEMPORARY: Final = ("Force_Charge", "Force_Export", "Temp_Pause_Charge", "Temp_Pause_Discharge")
_SERIAL: Final = ("serial", "inverter_serial", "serial_number")
_FULL_RATE: Final = 50
_FULL: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the tree says besides the device's own values."""

    now: datetime
    """On the wall clock of the house."""
    forced: Mapping[str, float] = field(default_factory=dict)
    """Minutes left of each temporary action that runs: ``Force_Charge`` and the like."""
    import_per_kwh: float | None = None
    export_per_kwh: float | None = None
    cheapest_per_kwh: float | None = None
    dearest_per_kwh: float | None = None
    writes: int = 0
    """How many settings were written, while real-time control spared the memory or not."""
    safe_writes: int = 0
    timeouts: int = 0
    """How often the device fell silent."""
    raw: bool = True
    """Whether every value is shown once more under its own name."""
    version: Generation = 3


def serial_of(reading: Reading) -> str | None:
    """Return the device's serial number, or None if it has not told one."""
    found = next((v for key in _SERIAL if (v := reading.values.get(key))), None)
    return str(found) if found else None


def percent_of(rate: float) -> int:
    """Return a rate in hundredths of the capacity an hour in the per cent of version 1.

    >>> percent_of(50), percent_of(10)
    (100, 30)
    """
    return _FULL if rate >= _FULL_RATE else min(round(rate * 3), _FULL)


def tree_of(reading: Reading, facts: Facts) -> Tree:
    """Return the whole tree of one inverter."""
    values = Values(reading)
    serial = serial_of(reading) or reading.device
    more = plant_branches(values)
    details = _details(values, serial, facts.now.tzinfo) | _branch(more, "Details")
    stats = _stats(reading, facts)
    tree: Tree = {
        "Power": _merged(power_tree(reading, facts.now), _branch(more, "Power")),
        "Energy": _merged(energy_tree(reading), _branch(more, "Energy")) | _rates(facts),
        serial: details,
        "Invertor_Details": details,
        "Timeslots": _timeslots(values) | _branch(more, "Timeslots"),
        "Control": _control(values, facts) | _branch(more, "Control"),
        "Battery_Details": batteries(values, nested=facts.version > 2),  # noqa: PLR2004 - version 3
        "Inverters": _branch(more, "Inverters"),
        "Meter_Details": meters(values) | _branch(more, "Meter_Details"),
        "Stats": stats,
        # Where versions 1 and 2 have them.
        **{key: stats[key] for key in ("Last_Updated_Time", "status", "Time_Since_Last_Update")},
    }
    if facts.raw:
        tree["raw"] = _raw(values, serial, facts)
    return {key: branch for key, branch in tree.items() if branch != {}}


def _branch(tree: Tree, key: str) -> Tree:
    found = tree.get(key)
    return found if isinstance(found, dict) else {}


def _merged(tree: Tree, more: Tree) -> Tree:
    """Return *tree* with the leaves of *more* in its branches."""
    return {key: _branch(tree, key) | _branch(more, key) for key in (*tree, *more)}


def _stats(reading: Reading, facts: Facts) -> Tree:
    age_s = max((facts.now - reading.at).total_seconds(), 0.0)
    spoken = {1: "1.0.0", 2: "2.2.0", 3: "3.0.4"}[facts.version]
    return {
        "Last_Updated_Time": reading.at.astimezone(facts.now.tzinfo).isoformat(),
        "Time_Since_Last_Update": round(age_s, 1),
        "status": "online",
        # Its first figure tells others which keys and routes they may expect.
        "GivTCP_Version": f"{spoken} (Ohmstead {__version__})",
        "Write_Count": facts.writes,
        "Safe_Write_Count": facts.safe_writes,
        "Timeout_Error": facts.timeouts,
    }


def _rates(facts: Facts) -> Tree:
    now = facts.import_per_kwh
    if now is None:
        return {}
    found: Tree = {"Current_Rate": now}
    if facts.export_per_kwh is not None:
        found["Export_Rate"] = facts.export_per_kwh
    low, high = facts.cheapest_per_kwh, facts.dearest_per_kwh
    if low is not None and high is not None:
        found |= {"Night_Rate": low, "Day_Rate": high}
        found["Current_Rate_Type"] = "Night" if now - low < high - now else "Day"
    return {"Rates": found}


def _details(values: Values, serial: str, timezone: tzinfo | None) -> Tree:
    clock, version = values.get("clock"), values("modbus_version_number")
    battery = values.reading.battery
    most_w = round(battery.max_charge_w) if battery and battery.max_charge_w else None
    shown = {
        "Invertor_Time": (
            clock.replace(tzinfo=clock.tzinfo or timezone).isoformat()
            if isinstance(clock, datetime)
            else None
        ),
        "Battery_Type": titled(values.get("battery_type")),
        "Battery_Capacity_kWh": battery.capacity_kwh if battery else None,
        "Invertor_Serial_Number": serial,
        "Modbus_Version": None if version is None else f"{version / 100:.2f}",
        "Invertor_Firmware": values.text("firmware"),
        "Meter_Type": titled(values.get("meter_type")),
        "Invertor_Type": kind_of(values.get("model")),
        "Invertor_Max_Inv_Rate": _rated_w(values.get("device_type")),
        "Invertor_Max_Bat_Rate": most_w,
        "Invertor_Max_Rate": most_w,
        "Invertor_Temperature": values("heatsink_c", "inverter_c"),
        "Export_Limit": values("grid_port_limit_w", "export_limit_w"),
        "Battery_Calibration_Status": titled(values.get("battery_calibration")),
        "status": values.text("status"),
    }
    return {key: value for key, value in shown.items() if value is not None}


def _rated_w(device_type: Value | None) -> int | None:
    """Return what the maker's name of a type says about its power.

    >>> _rated_w("GEN1/2/3 3.6 kW")
    3600
    """
    match = re.search(r"([\d.]+) kW$", str(device_type))
    return round(1000 * float(match.group(1))) if match else None


def _timeslots(values: Values) -> Tree:
    if is_ems(values):
        return {}
    found = slot_ends(values, "Charge", "charge", range(1, 11))
    found |= slot_ends(values, "Discharge", "discharge", range(1, 11))
    for end in ("start", "end"):
        at = values.get(f"pause_slot_{end}")
        if isinstance(at, time):
            found[f"Battery_pause_{end}_time_slot"] = at.isoformat("seconds")
    return found


def _control(values: Values, facts: Facts) -> Tree:
    found = _switched(values) | picked(values, _NUMBERS)
    if not is_ems(values):
        found |= picked(values, _TARGETS)
    if facts.version == 1:
        found |= _as_in_version_1(values)
    if values.reading.battery is None:
        return found | dict.fromkeys(_PRESSED, "disable")
    reserve, soc = values(*RESERVE), values("battery_soc_pct")
    if reserve is not None and soc is not None:
        found["Enable_Discharge"] = "enable" if reserve <= soc else "disable"
    for key in TEMPORARY:
        minutes = facts.forced.get(key, 0.0)
        found[key] = "Running" if minutes > 0 else "Normal"
        found[f"{key}_Num"] = round(minutes)
    return found | dict.fromkeys(_PRESSED, "disable")


def _switched(values: Values) -> Tree:
    """Return what is on or off, and what is one of several words."""
    found: Tree = {}
    for key, name in _SWITCHES.items():
        value = values.get(name)
        if isinstance(value, bool):
            found[key] = "enable" if value else "disable"
    for key, (name, words) in _WORDS.items():
        word = words.get(str(values.get(name)))
        if word:
            found[key] = word
    eco, by_slots = values.get("eco_mode_enabled"), values.get("discharge_enabled")
    if "Mode" not in found and isinstance(eco, bool) and isinstance(by_slots, bool):
        found["Mode"] = _MODE_OF[eco, by_slots]
    # A three-phase model charges and discharges by slots under a switch of another name.
    for key, other in _ALSO.items():
        if other in found:
            found[key] = found[other]
    return found


def _as_in_version_1(values: Values) -> Tree:
    """Return what version 1 had another meaning for: rates in per cent, and the cut-off."""
    found = picked(values, {"Battery_Power_Reserve": CUTOFF})
    for way in ("Charge", "Discharge"):
        rate = values(f"{way.lower()}_rate_pct")
        if rate is not None:
            found[f"Battery_{way}_Rate"] = percent_of(rate)
    return found


def _raw(values: Values, serial: str, facts: Facts) -> Tree:
    """Return every value by its own name, and those names that others look for here."""
    found: Tree = {}
    for name, value in values.items():
        if isinstance(value, datetime | time):
            found[name] = value.isoformat()
        elif value is not None:
            found[name] = value
    found |= {"serial_number": serial, "firmware_version": found.get("firmware", "")}
    kind, battery = kind_of(values.get("model")), values.reading.battery
    if kind is not None:
        found["model"] = kind
    amp_hours = values("battery_capacity_ah")
    if facts.version > 2 and battery and battery.capacity_kwh is not None:  # noqa: PLR2004 - version 3
        found["battery_nominal_capacity"] = battery.capacity_kwh
    elif amp_hours is not None:
        found["battery_nominal_capacity"] = amp_hours
    found |= picked(values, _RAW_TARGETS)
    tree: Tree = {"invertor": found}
    low, meter = packs(values), meters(values)
    return tree | ({"batteries": low} if low else {}) | ({"meters": meter} if meter else {})


_MODES: Final = {
    "eco": "Eco",
    "eco paused": "Eco (Paused)",
    "timed demand": "Timed Demand",
    "timed export": "Timed Export",
    "export paused": "Export (Paused)",
}
_MODE_OF: Final = {
    (True, False): "Eco",
    (True, True): "Timed Demand",
    (False, True): "Timed Export",
    (False, False): "Export (Paused)",
}
"""What eco mode and discharging by slots make of a model that has no word for it."""
_PAUSES: Final = {
    "none": "Disabled",
    "charge": "PauseCharge",
    "discharge": "PauseDischarge",
    "both": "PauseBoth",
}
_CALIBRATION: Final = {
    "off": "Off",
    "discharge": "Start",
    "charge": "Charge Only",
    **dict.fromkeys(
        ("set lower limit", "set upper limit", "balance", "set full capacity", "finish"), "Running"
    ),
}
_WORDS: Final = {
    "Mode": ("battery_mode", _MODES),
    "Battery_pause_mode": ("pause_mode", _PAUSES),
    "Battery_Calibration": ("battery_calibration", _CALIBRATION),
    "Local_control_mode": (
        "export_priority",
        {"load": "Load", "battery": "Battery", "grid": "Grid"},
    ),
    "PV_input_mode": ("pv_input_mode", {"independent": "Independent", "one by two": "1x2"}),
}
_PRESSED: Final = ("Sync_Time", "Reboot_Invertor", "Reboot_Addon")
_SWITCHES: Final = {
    "Eco_Mode": "eco_mode_enabled",
    "Battery_Power_Mode": "eco_mode_enabled",
    "Enable_Charge_Schedule": "charge_enabled",
    "Enable_Discharge_Schedule": "discharge_enabled",
    "Enable_Charge_Target": "charge_target_enabled",
    "Real_Time_Control": "real_time_control_enabled",
    "Force_Charge_Enable": "forced_charge_enabled",
    "Force_Discharge_Enable": "forced_discharge_enabled",
    "Force_AC_Charge_Enable": "ac_charge_enabled",
    "Plant_Control": "plant_control_enabled",
}
_ALSO: Final = {
    "Enable_Charge_Schedule": "Force_Charge_Enable",
    "Enable_Discharge_Schedule": "Force_Discharge_Enable",
}
_NUMBERS: Final[Names] = {
    "Target_SOC": ("charge_target_soc_pct",),
    "Battery_Power_Reserve": RESERVE,
    "Battery_Power_Cutoff": CUTOFF,
    "Battery_Charge_Rate": ("charge_power_w",),
    "Battery_Discharge_Rate": ("discharge_power_w",),
    "Battery_Charge_Rate_AC": ("ac_charge_rate_pct",),
    "Battery_Discharge_Rate_AC": ("ac_discharge_rate_pct",),
    "Active_Power_Rate": ("active_power_pct",),
}
_RAW_TARGETS: Final[Names] = {
    **numbered("charge_target_soc_{}", "charge_slot_{}_target_soc_pct", range(1, 11)),
    **numbered("discharge_target_soc_{}", "discharge_slot_{}_floor_soc_pct", range(1, 11)),
}
_TARGETS: Final[Names] = {
    **numbered("Charge_Target_SOC_{}", "charge_slot_{}_target_soc_pct", range(1, 11)),
    **numbered("Discharge_Target_SOC_{}", "discharge_slot_{}_floor_soc_pct", range(1, 11)),
}
