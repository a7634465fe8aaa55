"""What GivTCP calls its cache: one tree of a device's values, under the names its users know.

The spelling is GivTCP's, "Invertor" included; its grid power counts up when exporting. Keys and
formulas of version 3, with the places of versions 1 and 2 beside them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final, TypeAlias

from ohmstead import __version__
from ohmstead.model import BatteryReading, Reading, Value

__all__ = ["Facts", "Leaf", "Tree", "leaves", "power_tree", "serial_of", "tree_of"]

Leaf: TypeAlias = bool | float | str
Tree: TypeAlias = dict[str, "Tree | Leaf"]

_SERIAL: Final = ("serial", "inverter_serial", "serial_number")


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
    raw: bool = True
    """Whether every value is shown once more under its own name."""


def serial_of(reading: Reading) -> str | None:
    """Return the device's serial number, or None if it has not told one."""
    found = next((v for key in _SERIAL if (v := reading.values.get(key))), None)
    return str(found) if found else None


def tree_of(reading: Reading, facts: Facts) -> Tree:
    """Return the whole tree of one inverter."""
    values = _Values(reading)
    serial = serial_of(reading) or reading.device
    details = _details(values, serial, facts)
    age_s = max((facts.now - reading.at).total_seconds(), 0.0)
    tree: Tree = {
        "Power": power_tree(reading, facts.now),
        "Energy": {
            "Today": _energies(values, "today", "Today"),
            "Total": _energies(values, "total", "Total"),
            "Rates": _rates(facts),
        },
        serial: details,
        "Invertor_Details": details,
        "Timeslots": _timeslots(values),
        "Control": _control(values, facts),
        "Battery_Details": {"Battery_Stack_1": _batteries(values)},
        "Meter_Details": _meters(values),
        "Stats": {
            "Last_Updated_Time": reading.at.astimezone(facts.now.tzinfo).isoformat(),
            "Time_Since_Last_Update": round(age_s, 1),
            "status": "online",
            "GivTCP_Version": f"Ohmstead {__version__}",
        },
    }
    # Where versions 1 and 2 have them.
    stats = tree["Stats"]
    assert isinstance(stats, dict)  # noqa: S101 - as it was put there
    tree |= {key: stats[key] for key in ("Last_Updated_Time", "status", "Time_Since_Last_Update")}
    if facts.raw:
        tree["raw"] = {"invertor": _raw(values, serial)}
    return {key: branch for key, branch in tree.items() if branch != {}}


def power_tree(reading: Reading, now: datetime) -> Tree:
    """Return the branch ``Power``: powers, and where they come from and go to."""
    values = _Values(reading)
    powers: Tree = {
        key: value for key, names in _POWERS.items() if (value := values(*names)) is not None
    }
    pv_w = reading.solar.power_w if reading.solar else None
    grid_w = reading.grid.power_w if reading.grid else None
    battery_w = reading.battery.power_w if reading.battery else None
    load_w = reading.load.power_w if reading.load else None
    for key, power_w in (
        ("PV_Power", pv_w),
        ("Load_Power", load_w),
        ("Grid_Power", _turned(grid_w)),
        ("Import_Power", _above(grid_w)),
        ("Export_Power", _above(_turned(grid_w))),
        ("Battery_Power", battery_w),
        ("Charge_Power", _above(_turned(battery_w))),
        ("Discharge_Power", _above(battery_w)),
        ("AC_Charge_Power", _ac_charge_w(values)),
    ):
        if power_w is not None:
            powers[key] = power_w
    powers |= _level(reading.battery, values, now)
    if grid_w is None or load_w is None:
        return {"Power": powers}
    powers["Self_Consumption_Power"] = max(load_w - max(grid_w, 0.0), 0.0)
    return {"Power": powers, "Flows": _flows(pv_w or 0.0, load_w, grid_w, battery_w or 0.0)}


def leaves(tree: Tree, path: str = "") -> Iterable[tuple[str, Leaf]]:
    """Yield every value of *tree* with its path, as topics have it."""
    for key, branch in tree.items():
        place = f"{path}/{key}" if path else key
        if isinstance(branch, dict):
            yield from leaves(branch, place)
        else:
            yield place, branch


_POWERS: Final[Mapping[str, tuple[str, ...]]] = {
    "PV_Power_String_1": ("pv1_w",),
    "PV_Power_String_2": ("pv2_w",),
    "PV_Voltage_String_1": ("pv1_v",),
    "PV_Voltage_String_2": ("pv2_v",),
    "PV_Current_String_1": ("pv1_a",),
    "PV_Current_String_2": ("pv2_a",),
    "Grid_Voltage": ("grid_v",),
    "Grid_Current": ("grid_port_a", "grid_a"),
    "Grid_Frequency": ("grid_hz",),
    "Inverter_Output_Frequency": ("inverter_hz", "eps_hz"),
    "EPS_Power": ("eps_w",),
    "Invertor_Power": ("inverter_w",),
    "Battery_Voltage": ("battery_v",),
    "Battery_Current": ("battery_a",),
    "Combined_Generation_Power": ("generation_w",),
}
"""GivTCP's key, and the points it may be found in."""

_ENERGIES: Final[Mapping[str, str]] = {
    "PV_Energy": "pv",
    "Import_Energy": "grid_import",
    "Export_Energy": "grid_export",
    "AC_Charge_Energy": "ac_charge",
    "Invertor_Energy": "inverter",
    "Load_Energy": "load",
    "Battery_Charge_Energy": "battery_charge",
    "Battery_Discharge_Energy": "battery_discharge",
}
_RESERVE: Final = ("reserve_soc_pct", "discharge_cutoff_soc_pct")
_TARGET: Final = ("charge_target_soc_pct", "ac_charge_soc_limit_pct")
_MODES: Final = {
    "eco": "Eco",
    "eco paused": "Eco (Paused)",
    "timed demand": "Timed Demand",
    "timed export": "Timed Export",
    "export paused": "Export (Paused)",
}
_PAUSES: Final = {
    "none": "Disabled",
    "charge": "PauseCharge",
    "discharge": "PauseDischarge",
    "both": "PauseBoth",
}
_CALIBRATION: Final = {"off": "Off", "discharge": "Start", "charge": "Charge Only"}
_WORDS: Final = {
    "Mode": ("battery_mode", _MODES),
    "Battery_pause_mode": ("pause_mode", _PAUSES),
    "Battery_Calibration": ("battery_calibration", _CALIBRATION),
    "Local_control_mode": (
        "export_priority",
        {"load": "Load", "battery": "Battery", "grid": "Grid"},
    ),
}
_PRESSED: Final = ("Sync_Time", "Reboot_Invertor", "Reboot_Addon")
_TEMPORARY: Final = ("Force_Charge", "Force_Export", "Temp_Pause_Charge", "Temp_Pause_Discharge")
_SWITCHES: Final = {
    "Eco_Mode": "eco_mode_enabled",
    "Enable_Charge_Schedule": "charge_enabled",
    "Enable_Discharge_Schedule": "discharge_enabled",
    "Enable_Charge_Target": "charge_target_enabled",
    "Real_Time_Control": "real_time_control_enabled",
    "Force_Charge_Enable": "forced_charge_enabled",
    "Force_Discharge_Enable": "forced_discharge_enabled",
    "Force_AC_Charge_Enable": "ac_charge_enabled",
    "Plant_Control": "plant_control_enabled",
}
_NUMBERS: Final = {
    "Target_SOC": ("charge_target_soc_pct",),
    "Battery_Power_Reserve": ("reserve_soc_pct", "discharge_floor_soc_pct"),
    "Battery_Power_Cutoff": ("cutoff_soc_pct", "load_first_stop_soc_pct"),
    "Battery_Charge_Rate": ("charge_power_w",),
    "Battery_Discharge_Rate": ("discharge_power_w",),
    "Battery_Charge_Rate_AC": ("ac_charge_rate_pct",),
    "Battery_Discharge_Rate_AC": ("ac_discharge_rate_pct",),
    "Active_Power_Rate": ("active_power_pct",),
}


class _Values:
    """A reading's values, by the first of several names that has one."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._values = reading.values

    def __call__(self, *names: str) -> float | None:
        for name in names:
            value = self._values.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return value
        return None

    def get(self, name: str) -> Value | None:
        """Return the value of *name* as it is."""
        return self._values.get(name)

    def items(self) -> Iterable[tuple[str, Value | None]]:
        """Return all of them."""
        return self._values.items()


def _level(battery: BatteryReading | None, values: _Values, now: datetime) -> Tree:
    if battery is None or battery.soc_pct is None:
        return {}
    found: Tree = {"SOC": battery.soc_pct}
    if battery.capacity_kwh is None:
        return found
    found["SOC_kWh"] = round(battery.soc_pct / 100 * battery.capacity_kwh, 2)
    for way, bound_pct, power_w, sign in (
        ("Discharge", values(*_RESERVE), battery.power_w or 0.0, 1),
        ("Charge", values(*_TARGET), -(battery.power_w or 0.0), -1),
    ):
        if bound_pct is None:
            continue
        left_kwh = max(sign * (battery.soc_pct - bound_pct) / 100 * battery.capacity_kwh, 0.0)
        minutes = int(left_kwh / (power_w / 1000) * 60) if power_w > 0 else 0
        found[f"{way}_Time_Remaining"] = minutes
        found[f"{way}_Completion_Time"] = (now + timedelta(minutes=minutes)).isoformat()
    return found


def _flows(pv_w: float, load_w: float, grid_w: float, battery_w: float) -> Tree:
    """Return the flows as GivTCP reckons them.

    The formulas are approximations and do not balance when the battery and the sun feed the
    grid at once; they are kept as they are, so that old and new data compare.
    """
    exported, imported = max(-grid_w, 0.0), max(grid_w, 0.0)
    charged, discharged = max(-battery_w, 0.0), max(battery_w, 0.0)
    to_house = max(min(pv_w, load_w), 0.0)
    to_battery = max(pv_w - to_house - exported, 0.0)
    served = max(discharged - exported, 0.0)
    return {
        "Solar_to_House": to_house,
        "Solar_to_Battery": to_battery,
        "Solar_to_Grid": max(pv_w - to_house - to_battery, 0.0),
        "Battery_to_House": served,
        "Battery_to_Grid": max(discharged - served, 0.0) if exported else 0.0,
        "Grid_to_Battery": max(charged - max(pv_w - load_w, 0.0), 0.0) if imported else 0.0,
        "Grid_to_House": max(imported - charged, 0.0) if imported else 0.0,
    }


def _energies(values: _Values, when: str, named: str) -> Tree:
    found: dict[str, float] = {}
    for key, name in _ENERGIES.items():
        value = values(f"{name}_{when}_kwh")
        if value is not None:
            found[f"{key}_{named}_kWh"] = value
    charged, discharged = (
        found.get(f"Battery_{way}_Energy_{named}_kWh") for way in ("Charge", "Discharge")
    )
    if charged is not None and discharged is not None:
        found[f"Battery_Throughput_{named}_kWh"] = round(charged + discharged, 2)
    sun, sent = found.get(f"PV_Energy_{named}_kWh"), found.get(f"Export_Energy_{named}_kWh")
    if sun is not None and sent is not None:
        found[f"Self_Consumption_Energy_{named}_kWh"] = round(max(sun - sent, 0.0), 2)
    return dict(found)


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
    return found


def _details(values: _Values, serial: str, facts: Facts) -> Tree:
    clock, version = values.get("clock"), values("modbus_version_number")
    battery = values.reading.battery
    shown: dict[str, Leaf | None] = {
        "Invertor_Time": clock.isoformat() if isinstance(clock, datetime) else None,
        "Battery_Type": _titled(values.get("battery_type")),
        "Battery_Capacity_kWh": battery.capacity_kwh if battery else None,
        "Invertor_Serial_Number": serial,
        "Modbus_Version": None if version is None else f"{version / 100:.2f}",
        "Invertor_Firmware": _text(values.get("firmware")),
        "Meter_Type": _text(values.get("meter_type")),
        "Invertor_Type": _text(values.get("model")),
        "Invertor_Max_Bat_Rate": battery.max_charge_w if battery else None,
        "Invertor_Max_Rate": battery.max_charge_w if battery else None,
        "Invertor_Temperature": values("heatsink_c", "inverter_c"),
        "Export_Limit": values("grid_port_limit_w", "export_limit_w"),
        "Battery_Calibration_Status": _titled(values.get("battery_calibration")),
        "status": _text(values.get("status")),
    }
    del facts
    return {key: value for key, value in shown.items() if value is not None}


def _timeslots(values: _Values) -> Tree:
    found: Tree = {}
    for way in ("Charge", "Discharge"):
        for n in range(1, 11):
            for end in ("start", "end"):
                at = values.get(f"{way.lower()}_slot_{n}_{end}")
                if isinstance(at, time):
                    found[f"{way}_{end}_time_slot_{n}"] = at.isoformat("seconds")
    for n in range(1, 4):
        for end in ("start", "end"):
            at = values.get(f"export_slot_{n}_{end}")
            if isinstance(at, time):
                found[f"Export_{end}_time_slot_{n}"] = at.isoformat("seconds")
    for end in ("start", "end"):
        at = values.get(f"pause_slot_{end}")
        if isinstance(at, time):
            found[f"Battery_pause_{end}_time_slot"] = at.isoformat("seconds")
    return found


def _control(values: _Values, facts: Facts) -> Tree:
    found: Tree = {}
    for key, name in _SWITCHES.items():
        value = values.get(name)
        if isinstance(value, bool):
            found[key] = "enable" if value else "disable"
    for key, names in _NUMBERS.items():
        number = values(*names)
        if number is not None:
            found[key] = number
    for key, (name, words) in _WORDS.items():
        word = words.get(str(values.get(name)))
        if word:
            found[key] = word
    found |= _targets(values)
    reserve, soc = values(*_RESERVE), values("battery_soc_pct")
    if reserve is not None and soc is not None:
        found["Enable_Discharge"] = "enable" if reserve <= soc else "disable"
    for key in _TEMPORARY:
        minutes = facts.forced.get(key, 0.0)
        found[key] = "Running" if minutes > 0 else "Normal"
        found[f"{key}_Num"] = round(minutes)
    return found | dict.fromkeys(_PRESSED, "disable")


def _targets(values: _Values) -> Tree:
    found: Tree = {}
    for n in range(1, 11):
        for way, name in (("Charge", "target"), ("Discharge", "floor")):
            number = values(f"{way.lower()}_slot_{n}_{name}_soc_pct")
            if number is not None:
                found[f"{way}_Target_SOC_{n}"] = number
    return found


def _batteries(values: _Values) -> Tree:
    found: Tree = {}
    for n in range(1, 7):
        pack = _pack(values, f"battery_{n}_", 16)
        serial = values.get(f"battery_{n}_serial")
        if serial:
            found[str(serial)] = {"Battery_Serial_Number": str(serial), **pack}
    for n in range(1, 7):
        serial = values.get(f"module_{n}_serial")
        if serial:
            found[str(serial)] = {
                "Battery_Serial_Number": str(serial),
                **_cells(values, f"module_{n}_", 24),
            }
    for key, name in (
        ("Stack_Power", "stack_1_power_w"),
        ("Stack_Current", "stack_1_current_a"),
        ("Stack_Voltage", "stack_1_battery_v"),
        ("Stack_Load_Voltage", "stack_1_load_v"),
        ("Stack_SOH", "stack_1_soh_pct"),
        ("Stack_SOC_High", "stack_1_highest_soc_pct"),
        ("Stack_SOC_Low", "stack_1_lowest_soc_pct"),
        ("Stack_Cycles", "stack_1_cycles_factor"),
        ("Stack_Charge_Energy_Today_kWh", "stack_1_charge_today_kwh"),
        ("Stack_Discharge_Energy_Today_kWh", "stack_1_discharge_today_kwh"),
        ("Stack_Charge_Energy_Total_kWh", "stack_1_charge_total_kwh"),
        ("Stack_Discharge_Energy_Total_kWh", "stack_1_discharge_total_kwh"),
    ):
        number = values(name)
        if number is not None:
            found[key] = number
    high, low = values("stack_1_highest_soc_pct"), values("stack_1_lowest_soc_pct")
    if high is not None and low is not None:
        found["Stack_SOC_Difference"] = high - low
    return found


def _pack(values: _Values, prefix: str, cells: int) -> Tree:
    found: Tree = {}
    for key, name in (
        ("Battery_SOC", "soc_pct"),
        ("Battery_Capacity", "capacity_ah"),
        ("Battery_Design_Capacity", "design_capacity_ah"),
        ("Battery_Remaining_Capacity", "remaining_ah"),
        ("Battery_Firmware_Version", "firmware"),
        ("Battery_Cells", "cell_count"),
        ("Battery_Cycles", "cycles"),
        ("Battery_Temperature", "mosfet_c"),
        ("Battery_Voltage", "cells_v"),
    ):
        number = values(prefix + name)
        if number is not None:
            found[key] = number
    for n in range(4):
        warm = values(f"{prefix}cells_{4 * n + 1:02}_{4 * n + 4:02}_c")
        if warm is not None:
            found[f"Battery_Cell_{n + 1}_Temperature"] = warm
    return found | _cells(values, prefix, cells)


def _cells(values: _Values, prefix: str, count: int) -> Tree:
    numbers = {n: values(f"{prefix}cell_{n:02}_v") for n in range(1, count + 1)}
    return {f"Battery_Cell_{n}_Voltage": volts for n, volts in numbers.items() if volts is not None}


def _meters(values: _Values) -> Tree:
    found: Tree = {}
    for n in range(1, 9):
        meter: Tree = {}
        for phase in (1, 2, 3):
            for key, name, sign in (
                ("Voltage", "v", 1),
                ("Current", "a", 1),
                ("Power", "w", -1),
                ("Power_Factor", "power_factor", 1),
            ):
                number = values(f"meter_{n}_phase_{phase}_{name}")
                if number is not None:
                    meter[f"Phase_{phase}_{key}"] = sign * number
        for key, name in (
            ("Frequency", "frequency_hz"),
            ("Import_Energy_kWh", "import_total_kwh"),
            ("Export_Energy_kWh", "export_total_kwh"),
        ):
            number = values(f"meter_{n}_{name}")
            if number is not None:
                meter[key] = number
        if meter:
            found[f"Meter_ID_{n}"] = meter
    return found


def _raw(values: _Values, serial: str) -> Tree:
    """Return every value by its own name, and those names that others look for here."""
    found: Tree = {}
    for name, value in values.items():
        if isinstance(value, datetime | time):
            found[name] = value.isoformat()
        elif value is not None:
            found[name] = value
    found |= {"serial_number": serial, "firmware_version": found.get("firmware", "")}
    for n in range(1, 11):
        floor = values(f"discharge_slot_{n}_floor_soc_pct")
        if floor is not None:
            found[f"discharge_target_soc_{n}"] = floor
    return found


def _ac_charge_w(values: _Values) -> float | None:
    """Return what the inverter takes in; many say so by an output below zero."""
    said_w = values("ac_charge_w", "rectifier_w")
    return _above(_turned(values("inverter_w"))) if said_w is None else said_w


def _turned(power_w: float | None) -> float | None:
    return None if power_w is None else 0.0 - power_w  # no minus zero


def _above(power_w: float | None) -> float | None:
    return None if power_w is None else max(power_w, 0.0)


def _titled(value: Value | None) -> str | None:
    return None if value is None else str(value).capitalize()


def _text(value: Value | None) -> str | None:
    return None if value is None else str(value)
