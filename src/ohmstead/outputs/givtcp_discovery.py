"""GivTCP's own entities for Home Assistant: the topics, ids and names its users' automations know.

They stand beside those of the output ``mqtt``, which are made of points and say more; these are
for houses whose dashboards and automations name GivTCP's. Pure.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from ohmstead.outputs.givtcp_values import Leaf

__all__ = ["announcements"]

Config: TypeAlias = dict[str, object]

_PREFIX: Final = "GivTCP"
_NESTED: Final = ("Battery_Details", "Inverters", "Meter_Details")
_HIDDEN: Final = frozenset({"Invertor_Details", "raw"})
"""What stands in the tree twice, or is no entity; one ``status`` is that of ``Stats``."""
_DEEP: Final = 2


def announcements(
    leaves: Iterable[tuple[str, Leaf]], serial: str, root: str, model: str, most_w: float
) -> Mapping[str, str]:
    """Return the discovery messages for *leaves* of the tree, by topic.

    *root* is where the topics begin, *most_w* the most the battery does.
    """
    found: dict[str, str] = {}
    for path, _ in leaves:
        parts = path.split("/")
        if len(parts) < _DEEP or parts[0] in _HIDDEN or path == f"{serial}/status":
            continue
        item, group = parts[-1], parts[0]
        component, config = _described(item, most_w)
        name = f"{serial}_{parts[-2]}_{item}" if group in _NESTED else f"{serial}_{item}"
        function = _function(item)
        if function is not None:
            config["command_topic"] = f"{root}/control/{serial}/{function}"
        config |= {
            "stat_t": f"{root}/{serial}/{path}",
            "avty_t": f"{root}/{serial}/Stats/status",
            "pl_avail": "online",
            "pl_not_avail": "offline",
            "name": item.replace("_", " "),
            "unique_id": f"{_PREFIX}_{name}",
            "default_entity_id": f"{component}.{_PREFIX}_{name}".lower(),
            "device": _device(parts, serial, model),
        }
        found[f"homeassistant/{component}/GivEnergy/{name}/config"] = json.dumps(config)
    return found


def _device(parts: list[str], serial: str, model: str) -> Config:
    if parts[0] == "Battery_Details" and len(parts) > 3:  # noqa: PLR2004 - a pack in a stack
        name = f"{_PREFIX} {parts[-2]}"
        return {"identifiers": name, "name": name, "manufacturer": "GivEnergy"}
    return {
        "identifiers": f"{serial}_{parts[0]}",
        "name": f"{_PREFIX} {parts[0].replace('_', ' ')}",
        "manufacturer": "GivEnergy",
        "model": model,
    }


def _function(item: str) -> str | None:
    """Return the control that sets *item*."""
    if item in _FUNCTIONS:
        return _FUNCTIONS[item]
    for pattern, function in _NUMBERED:
        if match := re.fullmatch(pattern, item):
            return function.format(*(part.title() for part in match.groups()))
    return None


def _described(item: str, most_w: float) -> tuple[str, Config]:
    """Return which component shows *item*, and how."""
    function = _function(item)
    if function is None:
        return "sensor", _sensor(item)
    if item in _BUTTONS:
        return "button", {"device_class": "restart", "payload_press": "restart"}
    if item in _OPTIONS:
        return "select", {"options": list(_OPTIONS[item])}
    if "_time_slot" in item:
        return "select", {"options": list(_MINUTES)}
    if re.search(r"SOC|Reserve|Cutoff|Rate|Num|Limit", item):
        return "number", _number(item, most_w)
    return "switch", {"payload_on": "enable", "payload_off": "disable"}


def _number(item: str, most_w: float) -> Config:
    low, high, unit = next(
        (bounds for part, bounds in _BOUNDS.items() if part in item), (0, most_w, "W")
    )
    return {"min": low, "max": high, "mode": "slider", "unit_of_measurement": unit}


def _sensor(item: str) -> Config:
    for pattern, config in _SENSORS:
        if re.search(pattern, item):
            return dict(config)
    return {}


_FUNCTIONS: Final[Mapping[str, str]] = {
    "Real_Time_Control": "enableRTC",
    "Enable_Charge_Schedule": "enableChargeSchedule",
    "Enable_Charge_Target": "enableChargeTarget",
    "Enable_Discharge_Schedule": "enableDischargeSchedule",
    "Enable_Discharge": "enableDischarge",
    "Eco_Mode": "setEcoMode",
    "Force_Charge_Enable": "setForceCharge",
    "Force_Discharge_Enable": "setForceDischarge",
    "Force_AC_Charge_Enable": "setACCharge",
    "Plant_Control": "setEmsPlant",
    "Sync_Time": "syncDateTime",
    "Reboot_Invertor": "rebootInverter",
    "Target_SOC": "setChargeTarget",
    "Battery_Power_Reserve": "setBatteryReserve",
    "Battery_Power_Cutoff": "setBatteryCutoff",
    "Battery_Charge_Rate": "setChargeRate",
    "Battery_Discharge_Rate": "setDischargeRate",
    "Battery_Charge_Rate_AC": "setChargeRateAC",
    "Battery_Discharge_Rate_AC": "setDischargeRateAC",
    "Active_Power_Rate": "setActivePowerRate",
    "Mode": "setBatteryMode",
    "Battery_pause_mode": "setBatteryPauseMode",
    "Battery_Calibration": "setBatteryCalibration",
    "Local_control_mode": "setLocalControlMode",
    "EMS_Discharge_Target_SOC_1": "setEMSDischargeTarget",
    "Export_Power_Limit": "setExportLimit",
    "Battery_pause_start_time_slot": "setPauseStart",
    "Battery_pause_end_time_slot": "setPauseEnd",
    **{
        f"{item}{ending}": function
        for item, function in (
            ("Force_Charge", "forceCharge"),
            ("Force_Export", "forceExport"),
            ("Temp_Pause_Charge", "tempPauseCharge"),
            ("Temp_Pause_Discharge", "tempPauseDischarge"),
        )
        for ending in ("", "_Num")
    },
}
_NUMBERED: Final = (
    (r"(Charge|Discharge|Export)_Target_SOC_(\d+)", "set{}Target{}"),
    (r"EMS_(Charge|Discharge)_Target_SOC_(\d+)", "setEMS{}Target{}"),
    (r"(Charge|Discharge|Export)_(start|end)_time_slot_(\d+)", "set{}{}{}"),
    (r"EMS_(Charge|Discharge)_(start|end)_time_slot_(\d+)", "setEMS{}{}{}"),
)
_BUTTONS: Final = frozenset({"Sync_Time", "Reboot_Invertor"})
_TIMERS: Final = (
    *("Normal", "Running", "Cancel", "2", "5", "10"),
    *(str(minutes) for minutes in range(15, 181, 15)),
)
_OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Mode": (
        *("Eco", "Eco (Paused)", "Timed Demand", "Timed Export", "Unknown"),
        "Export (Paused)",
    ),
    "Battery_pause_mode": ("Disabled", "PauseCharge", "PauseDischarge", "PauseBoth"),
    "Battery_Calibration": ("Off", "Start", "Charge Only", "Running"),
    "Local_control_mode": ("Load", "Battery", "Grid"),
    **dict.fromkeys(
        ("Force_Charge", "Force_Export", "Temp_Pause_Charge", "Temp_Pause_Discharge"), _TIMERS
    ),
}
_MINUTES: Final = tuple(f"{minute // 60:02}:{minute % 60:02}:00" for minute in range(24 * 60))
_BOUNDS: Final[Mapping[str, tuple[float, float, str]]] = {
    "Export_Target": (0, 100, "%"),
    "SOC": (4, 100, "%"),
    "Reserve": (4, 100, "%"),
    "Cutoff": (4, 100, "%"),
    "_Num": (0, 240, "min"),
    "Rate_AC": (1, 100, "%"),
    "Active": (0, 100, "%"),
    "Export_Power": (0, 65_000, "W"),
}


def _measured(kind: str, unit: str) -> Config:
    return {"device_class": kind, "unit_of_measurement": unit, "state_class": "measurement"}


_MONEY: Final[Config] = {"icon": "mdi:currency-gbp", "unit_of_measurement": "GBP/kWh"}
_SENSORS: Final[tuple[tuple[str, Config], ...]] = (
    (r"(Serial_Number|Firmware|Version|Type|[Ss]tatus|State|Mode|Software|Count|Number)", {}),
    (r"Time_Since", {"unit_of_measurement": "s"}),
    (r"Time_Remaining", {"unit_of_measurement": "min"}),
    (r"(Completion|Updated|Invertor)_Time", {"device_class": "timestamp"}),
    (r"(Current|Day|Night|Export)_Rate$", _MONEY),
    (r"Power_Factor", {}),
    (r"(SOC_kWh|Capacity_kWh)", {"unit_of_measurement": "kWh", "state_class": "measurement"}),
    (r"SOC", _measured("battery", "%")),
    (
        r"(Energy|Throughput).*kWh",
        {"device_class": "energy", "unit_of_measurement": "kWh", "state_class": "total_increasing"},
    ),
    (r"Capacity|Capcity", {"unit_of_measurement": "Ah"}),
    (r"Battery_Wh", {"unit_of_measurement": "Wh"}),
    (r"(Power|_to_|Invertor_Max|Export_Limit)", _measured("power", "W")),
    (r"Voltage", _measured("voltage", "V")),
    (r"Current", _measured("current", "A")),
    (r"Temperature", _measured("temperature", "°C")),
    (r"Frequency", _measured("frequency", "Hz")),
)
