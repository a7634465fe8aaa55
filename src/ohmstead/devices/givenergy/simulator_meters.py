"""What a simulated inverter measures, by the names of its input registers."""

import math
from collections.abc import Mapping
from typing import Final

from ohmstead.devices.givenergy.registers import Model
from ohmstead.model import Value
from ohmstead.simulation import Energies, House

__all__ = ["energies", "mains", "measured"]

_IDLE_W: Final = 20.0


def mains(house: House, second: float) -> tuple[float, float]:
    """Return volts and hertz of the grid, which wander slowly and sag under load."""
    volts = 240.5 + 2.5 * math.sin(second / 1_700) - 0.0006 * house.grid_w
    return volts, 50 + 0.03 * math.sin(second / 47)


def measured(house: House, model: Model, soc_pct: float, second: float) -> Mapping[str, Value]:
    """Return all but energies, *second* seconds after the start."""
    if model.name == "ems":
        return _ems(house, soc_pct)
    if model.name.startswith("gateway"):
        return _gateway(house, soc_pct, second)
    if "battery_charge_w" in model.inputs:
        return _three_phase(house, soc_pct, second)
    return _single_phase(house, model, soc_pct, second)


def energies(count: Energies, when: str, model: Model, *, hybrid: bool) -> dict[str, float]:
    """Return *count* by the names of the ``today`` or ``total`` registers that *model* has."""
    from_sun = max(count.charged_kwh - count.ac_charged_kwh, 0.0)
    if hybrid:
        given = max(count.pv_kwh + count.discharged_kwh - from_sun, 0)
        drawn = count.ac_charged_kwh
    else:
        given, drawn = count.discharged_kwh, count.charged_kwh
    found = {
        "pv": count.pv_kwh,
        "pv1": 0.55 * count.pv_kwh,
        "pv2": 0.45 * count.pv_kwh,
        "grid_import": count.import_kwh,
        "grid_export": count.export_kwh,
        "inverter": given,
        "ac_charge": drawn,
        "load": count.load_kwh,
        "battery_charge": count.charged_kwh,
        "battery_discharge": count.discharged_kwh,
        "aio_charge": count.charged_kwh,
        "aio_discharge": count.discharged_kwh,
        "aio_1_charge": count.charged_kwh,
        "aio_1_discharge": count.discharged_kwh,
    }
    named = {f"{name}_{when}_kwh": value for name, value in found.items()}
    return {name: value for name, value in named.items() if name in model.inputs}


def _single_phase(house: House, model: Model, soc_pct: float, second: float) -> Mapping[str, Value]:
    battery, (volts, hertz) = house.battery, mains(house, second)
    hybrid = house.settings.hybrid
    ac_w = house.battery_w + (house.pv_w if hybrid else 0)
    pack_v = battery.voltage_v / battery.settings.cells * round(model.battery_v / 3.2)
    warm_c = house.ambient_c + 8 + 0.004 * abs(ac_w)
    values: dict[str, Value] = {
        "status": "normal" if house.grid_up else "warning",
        "pv1_v": 330.0 if house.pv_w > 0 else 0.0,
        "pv2_v": 318.0 if house.pv_w > 0 else 10.8,
        "pv1_w": 0.55 * house.pv_w,
        "pv2_w": 0.45 * house.pv_w,
        "pv1_a": 0.55 * house.pv_w / 330,
        "pv2_a": 0.45 * house.pv_w / 318,
        "positive_bus_v": 428.1,
        "grid_v": volts if house.grid_up else 0,
        "grid_hz": hertz,
        "inverter_a": abs(ac_w) / volts,
        "inverter_w": round(ac_w),
        # What the clamp sees and what goes to the house add up to what the inverter gives.
        "grid_w": round(house.grid_w),
        "load_w": round(house.load_w) if not hybrid else max(round(ac_w) + round(house.grid_w), 0),
        "grid_va": abs(house.grid_w),
        "charge_status": _charging(house),
        "eps_v": volts,
        "eps_hz": hertz,
        "battery_v": min(pack_v, 600),
        "battery_a": max(min(battery.cell_w / pack_v, 300), -300),
        "battery_w": round(battery.cell_w),
        "heatsink_c": warm_c,
        "charger_c": warm_c + 2,
        "battery_c": battery.temperature_c,
        "charger_warnings": "",
        "grid_port_a": abs(ac_w) / volts,
        "battery_soc_pct": soc_pct,
        "battery_throughput_kwh": 7_397.7 + house.totals.charged_kwh + house.totals.discharged_kwh,
        "runtime_h": 11_243 + int(second / 3_600),
        "system_mode": 1,
    }
    if "generation_w" in model.inputs:
        values["generation_w"] = round(house.pv_w)
    return values


def _three_phase(house: House, soc_pct: float, second: float) -> Mapping[str, Value]:
    volts, hertz = mains(house, second)
    battery = house.battery
    ac_w = house.battery_w + (house.pv_w if house.settings.hybrid else 0)
    pack_v = battery.voltage_v * 7.5
    thirds = {f"grid_phase_{n}_w": round(house.grid_w / 3) for n in (1, 2, 3)}
    return {
        **thirds,
        **{f"inverter_phase_{n}_w": round(ac_w / 3) for n in (1, 2, 3)},
        "pv1_w": 0.55 * house.pv_w,
        "pv2_w": 0.45 * house.pv_w,
        "pv1_v": 560.0 if house.pv_w > 0 else 0.0,
        "pv2_v": 540.0 if house.pv_w > 0 else 0.0,
        "grid_v": volts,
        "grid_phase_2_v": volts + 0.7,
        "grid_phase_3_v": volts - 0.4,
        "grid_hz": hertz,
        "inverter_w": ac_w,
        "status": "normal",
        "grid_import_w": max(house.grid_w, 0),
        "grid_export_w": max(-house.grid_w, 0),
        "load_w": house.load_w,
        "battery_discharge_w": max(battery.cell_w, 0),
        "battery_charge_w": max(-battery.cell_w, 0),
        "battery_v": pack_v,
        "battery_a": battery.cell_w / pack_v,
        "battery_soc_pct": soc_pct,
        "inverter_c": house.ambient_c + 10,
        "eps_hz": hertz,
    }


def _ems(house: House, soc_pct: float) -> Mapping[str, Value]:
    return {
        "status": "normal",
        "meter_count": 1,
        "meter_1_status": "online",
        "meter_1_w": round(house.grid_w),
        "inverter_count": 1,
        "inverter_1_status": 2,
        "inverter_1_w": round(house.battery_w + house.pv_w),
        "inverter_1_soc_pct": soc_pct,
        "inverter_1_c": house.ambient_c + 10,
        "inverter_1_serial": "CE2231G001",
        "load_w": max(round(house.load_w), 0),
        "generation_w": round(house.pv_w),
        "grid_w": round(house.grid_w),
        "battery_w": round(house.battery_w),
        "battery_remaining_wh": round(1000 * house.battery.stored_kwh),
    }


def _gateway(house: House, soc_pct: float, second: float) -> Mapping[str, Value]:
    volts, _ = mains(house, second)
    return {
        "work_mode": "on-grid" if house.grid_up else "off-grid",
        "grid_v": volts,
        "grid_a": house.grid_w / volts,
        "load_v": volts,
        "load_a": house.load_w / volts,
        "pv_a": house.pv_w / volts,
        "grid_w": round(house.grid_w),
        "pv_w": round(house.pv_w),
        "load_w": round(house.load_w),
        "grid_relay_v": volts,
        "inverter_relay_v": volts,
        "first_inverter_serial": "CH2414G001",
        "aio_count": 1,
        "aio_online_count": 1,
        "battery_w": round(house.battery_w),
        "aio_1_soc_pct": soc_pct,
        "aio_1_w": round(house.battery_w),
        "aio_1_serial": "CH2414G001",
    }


def _charging(house: House) -> str:
    if abs(house.battery_w) < _IDLE_W:
        return "idle"
    return "discharging" if house.battery_w > 0 else "charging"
