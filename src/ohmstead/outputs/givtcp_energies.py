"""GivTCP's ``Power`` and ``Energy``: what flows, where to, and what it comes to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from ohmstead.model import BatteryReading, Reading
from ohmstead.outputs.givtcp_values import Names, Tree, Values, above, picked, turned

__all__ = ["CUTOFF", "RESERVE", "energy_tree", "power_tree"]

RESERVE: Final = ("reserve_soc_pct", "discharge_floor_soc_pct", "discharge_cutoff_soc_pct")
CUTOFF: Final = ("load_first_stop_soc_pct", "cutoff_soc_pct")
_TARGET: Final = ("charge_target_soc_pct", "ac_charge_soc_limit_pct")


def power_tree(reading: Reading, now: datetime, house_w: float | None = None) -> Tree:
    """Return ``Power``: powers, and where they come from and go to.

    *house_w* is what the whole house uses, for a device that measures the grid but not that.
    """
    values = Values(reading)
    powers = picked(values, _POWERS)
    pv_w = reading.solar.power_w if reading.solar else None
    grid_w = reading.grid.power_w if reading.grid else None
    battery_w = reading.battery.power_w if reading.battery else None
    load_w = reading.load.power_w if reading.load else None
    if load_w is None and grid_w is not None:
        load_w = house_w
    for key, power_w in (
        ("PV_Power", pv_w),
        ("Load_Power", load_w),
        ("Grid_Power", turned(grid_w)),
        ("Import_Power", above(grid_w)),
        ("Export_Power", above(turned(grid_w))),
        ("Battery_Power", battery_w),
        ("Charge_Power", above(turned(battery_w))),
        ("Discharge_Power", above(battery_w)),
        ("AC_Charge_Power", _ac_charge_w(values)),
    ):
        if power_w is not None:
            powers[key] = power_w
    powers |= _level(reading.battery, values, now)
    if grid_w is None or load_w is None:
        return {"Power": powers}
    powers["Self_Consumption_Power"] = max(load_w - max(grid_w, 0), 0)
    return {"Power": powers, "Flows": _flows(pv_w or 0, load_w, grid_w, battery_w or 0)}


def energy_tree(reading: Reading) -> Tree:
    """Return ``Energy`` without its rates: today and in all."""
    values = Values(reading)
    return {named: _energies(values, named) for named in ("Today", "Total")}


def _level(battery: BatteryReading | None, values: Values, now: datetime) -> Tree:
    if battery is None or battery.soc_pct is None:
        return {}
    found: Tree = {"SOC": battery.soc_pct}
    if battery.capacity_kwh is None:
        return found
    found["SOC_kWh"] = round(battery.soc_pct / 100 * battery.capacity_kwh, 2)
    if battery.power_w is None:
        return found
    for way, bound_pct, power_w, sign in (
        ("Discharge", values(*RESERVE), battery.power_w, 1),
        ("Charge", values(*_TARGET), -battery.power_w, -1),
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
    exported, imported = max(-grid_w, 0), max(grid_w, 0)
    charged, discharged = max(-battery_w, 0), max(battery_w, 0)
    to_house = max(min(pv_w, load_w), 0)
    to_battery = max(pv_w - to_house - exported, 0)
    served = max(discharged - exported, 0)
    return {
        "Solar_to_House": to_house,
        "Solar_to_Battery": to_battery,
        "Solar_to_Grid": max(pv_w - to_house - to_battery, 0),
        "Battery_to_House": served,
        "Battery_to_Grid": max(discharged - served, 0) if exported else 0,
        "Grid_to_Battery": max(charged - max(pv_w - load_w, 0), 0) if imported else 0,
        "Grid_to_House": max(imported - charged, 0) if imported else 0,
    }


def _energies(values: Values, named: str) -> Tree:
    when = named.lower()
    found: dict[str, float] = {}
    for key, name in _ENERGIES.items():
        value = values(f"{name}_{when}_kwh")
        if value is None and name == "pv":
            strings = [values(f"pv{n}_{when}_kwh") for n in (1, 2, 3)]
            known = [kwh for kwh in strings if kwh is not None]
            value = round(sum(known), 2) if known else None
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


def _ac_charge_w(values: Values) -> float | None:
    """Return what the inverter takes in; many say so by an output below zero."""
    said_w = values("ac_charge_w", "rectifier_w")
    return above(turned(values("inverter_w"))) if said_w is None else said_w


_POWERS: Final[Names] = {
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
"""GivTCP's key, and the points' names, both without their ending."""
