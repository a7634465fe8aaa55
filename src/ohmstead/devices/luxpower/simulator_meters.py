"""What a simulated inverter measures, by the names of its input registers."""

import math
from collections.abc import Mapping
from typing import Final

from ohmstead.devices.luxpower.registers import Model
from ohmstead.model import Value
from ohmstead.simulation import Energies, House

__all__ = ["energies", "measured", "status"]

_IDLE_W: Final = 20.0
"""Less than this is nothing to speak of."""
_NOMINAL_PACK_V: Final = 51.2
_CHARGE_V: Final = 56.0


def measured(house: House, model: Model, second: float) -> Mapping[str, Value]:
    """Return all but energies and state of charge, *second* seconds after the start."""
    battery = house.battery
    # Mains: a slow wander, and less voltage while much is drawn.
    volts = 240.5 + 2.5 * math.sin(second / 1_700) - 0.0006 * house.grid_w
    hertz = 50 + 0.03 * math.sin(second / 47) if house.grid_up else 50.0
    ac_w = _ac_w(house)
    warm_c = house.ambient_c + 8 + 0.004 * abs(ac_w)
    lowest_v, highest_v = battery.cell_voltages_v
    coldest_c, warmest_c = battery.cell_temperatures_c
    values: dict[str, Value] = {
        "status": status(house),
        "battery_v": battery.voltage_v,
        "battery_charge_w": max(-battery.cell_w, 0),
        "battery_discharge_w": max(battery.cell_w, 0),
        "grid_v": volts if house.grid_up else 0,
        "grid_hz": hertz if house.grid_up else 0,
        "inverter_w": max(ac_w, 0),
        "rectifier_w": max(-ac_w, 0),
        "inverter_a": abs(ac_w) / volts,
        "eps_v": volts,
        "eps_hz": hertz,
        "eps_w": 0 if house.grid_up else house.load_w,
        "eps_va": 0 if house.grid_up else house.load_w,
        "grid_export_w": max(-house.grid_w, 0),
        "grid_import_w": max(house.grid_w, 0),
        "warnings": "" if house.grid_up else "no grid",
        "inside_c": round(warm_c),
        "radiator_1_c": round(warm_c - 3),
        "radiator_2_c": round(warm_c - 2),
        "battery_c": round(battery.temperature_c),
        "bms_charge_limit_a": battery.max_charge_w / battery.voltage_v,
        "bms_discharge_limit_a": battery.max_discharge_w / battery.voltage_v,
        "bms_charge_v": _CHARGE_V,
        "battery_state": "active" if abs(house.battery_w) > _IDLE_W else "standby",
        "battery_count": battery.settings.packs,
        "battery_capacity_ah": 1_000 * battery.capacity_kwh / _NOMINAL_PACK_V,
        "battery_a": battery.current_a,
        "cell_max_v": highest_v,
        "cell_min_v": lowest_v,
        "cell_max_c": warmest_c,
        "cell_min_c": coldest_c,
        "battery_cycles": int(battery.cycles),
        "battery_at_inverter_v": battery.voltage_v - 0.1,
        **_strings(house),
    }
    if model.in_watts:
        values |= {"on_grid_load_w": house.load_w, "reported_load_w": house.load_w}
    return values


def energies(count: Energies, when: str, *, hybrid: bool, model: Model) -> dict[str, float]:
    """Return *count* by the names of the ``today`` or ``total`` registers."""
    from_sun = count.charged_kwh - count.ac_charged_kwh
    if hybrid:
        drawn = count.ac_charged_kwh
        given = max(count.pv_kwh + count.discharged_kwh - from_sun, 0)
    else:
        drawn, given = count.charged_kwh, count.discharged_kwh
    one, other = _split(count.pv_kwh, hybrid=hybrid)
    found = {
        "pv1": one,
        "pv2": other,
        "inverter": given,
        "ac_charge": drawn,
        "battery_charge": count.charged_kwh,
        "battery_discharge": count.discharged_kwh,
        "grid_export": count.export_kwh,
        "grid_import": count.import_kwh,
    }
    if model.in_watts:
        found["load"] = count.load_kwh
    return {f"{name}_{when}_kwh": value for name, value in found.items()}


def status(house: House) -> str:
    """Return the word for what it is doing; hybrids know more of them."""
    sun = house.settings.hybrid and house.pv_w > _IDLE_W
    charging, discharging = house.battery_w < -_IDLE_W, house.battery_w > _IDLE_W
    if not house.grid_up:
        words = _OFF_GRID
    elif house.settings.hybrid and charging and house.pv_w >= -house.battery_w:
        return "PV charge" if house.grid_w >= 0 else "PV charge and on grid"
    else:
        words = _ON_GRID
    return words[(-1 if charging else int(discharging)), sun]


_ON_GRID: Final = {
    (-1, False): "AC charge",
    (-1, True): "PV and AC charge",
    (0, False): "standby",
    (0, True): "PV on grid",
    (1, False): "battery on grid",
    (1, True): "PV and battery on grid",
}
_OFF_GRID: Final = {
    (-1, False): "off grid and battery charge",
    (-1, True): "PV charge off grid",
    (0, False): "standby",
    (0, True): "PV off grid",
    (1, False): "battery off grid",
    (1, True): "PV and battery off grid",
}
"""By whether it charges (-1) or discharges (1), and whether there is sun."""


def _ac_w(house: House) -> float:
    """Return what goes from the inverter to the house; a hybrid's panels hang behind it."""
    return house.battery_w + (house.pv_w if house.settings.hybrid else 0)


def _strings(house: House) -> dict[str, Value]:
    one, other = _split(house.pv_w, hybrid=house.settings.hybrid)
    values: dict[str, Value] = {"pv1_w": one, "pv2_w": other}
    if house.settings.hybrid:
        lit = house.pv_w > 0
        values |= {"pv1_v": 330.0 if lit else 0, "pv2_v": 318.0 if lit else 0}
    return values


def _split(amount: float, *, hybrid: bool) -> tuple[float, float]:
    """Return the two strings' parts; an AC-coupled model has one clamp around all panels."""
    return (0.55 * amount, 0.45 * amount) if hybrid else (amount, 0.0)
