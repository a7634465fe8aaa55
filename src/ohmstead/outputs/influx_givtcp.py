"""The names GivTCP writes: the serial number as measurement, one tag, everything in lower case.

The fields are the keys of its ``Power.Power``, ``Power.Flows``, ``Energy.Today`` and
``Energy.Total``. Its signs differ from ours: its grid power counts up when exporting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ohmstead.model import Reading, SiteSnapshot
from ohmstead.outputs.influx_naming import News, number
from ohmstead.outputs.line_protocol import FieldValue, Line

__all__ = ["givtcp_lines"]

_SERIAL: Final = ("serial", "inverter_serial", "serial_number")

_BY_POINT: Final[Mapping[str, tuple[str, ...]]] = {
    "pv_power_string_1": ("pv1_w",),
    "pv_power_string_2": ("pv2_w",),
    "pv_voltage_string_1": ("pv1_v",),
    "pv_voltage_string_2": ("pv2_v",),
    "pv_current_string_1": ("pv1_a",),
    "pv_current_string_2": ("pv2_a",),
    "grid_voltage": ("grid_v",),
    "grid_current": ("grid_port_a", "grid_a"),
    "grid_frequency": ("grid_hz",),
    "inverter_output_frequency": ("inverter_hz", "eps_hz"),
    "eps_power": ("eps_w",),
    "invertor_power": ("inverter_w",),
    "battery_voltage": ("battery_v",),
    "battery_current": ("battery_a",),
    "combined_generation_power": ("generation_w",),
}
"""GivTCP's key, and the points it may be found in."""

_ENERGIES: Final[Mapping[str, str]] = {
    "pv_energy": "pv",
    "import_energy": "grid_import",
    "export_energy": "grid_export",
    "ac_charge_energy": "ac_charge",
    "invertor_energy": "inverter",
    "load_energy": "load",
    "battery_charge_energy": "battery_charge",
    "battery_discharge_energy": "battery_discharge",
}
"""GivTCP's key, and the points' names, both without their ending."""

_RESERVE: Final = ("reserve_soc_pct", "discharge_cutoff_soc_pct")
_TARGET: Final = ("charge_target_soc_pct", "ac_charge_soc_limit_pct")
_CHARGES_FROM_GRID: Final = ("ac_charge_w", "rectifier_w")


def givtcp_lines(news: News) -> list[Line]:
    """Return one line for each inverter that has said something new."""
    lines = []
    for device, reading in news.fresh:
        serial = next((v for key in _SERIAL if (v := reading.values.get(key))), device.name)
        fields: dict[str, float | str | None] = {
            **{name: number(reading.values, *keys) for name, keys in _BY_POINT.items()},
            **_powers(reading, news.snapshot),
            **_battery(reading, news.snapshot),
            **_energies(reading, "today"),
            **_energies(reading, "total"),
        }
        known: dict[str, FieldValue] = {
            name: value if isinstance(value, str) else float(value)
            for name, value in fields.items()
            if value is not None
        }
        lines.append(
            Line(
                measurement=str(serial), tags={"tagKey": "GivReal"}, fields=known, at=reading.at
            )
        )  # fmt: skip
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
    """What flows, each way for itself, never below zero."""

    pv_w: float
    load_w: float
    import_w: float
    export_w: float
    charge_w: float
    discharge_w: float


def _powers(reading: Reading, snapshot: SiteSnapshot) -> dict[str, float | str | None]:
    pv_w = reading.solar.power_w if reading.solar else None
    grid_w = reading.grid.power_w if reading.grid else None
    battery_w = reading.battery.power_w if reading.battery else None
    load_w = reading.load.power_w if reading.load else None
    if load_w is None and grid_w is not None:
        load_w = snapshot.load_w
    powers: dict[str, float | str | None] = {
        "pv_power": pv_w,
        "load_power": load_w,
        "grid_power": _turned(grid_w),
        "import_power": _above(grid_w),
        "export_power": _above(_turned(grid_w)),
        "battery_power": battery_w,
        "charge_power": _above(_turned(battery_w)),
        "discharge_power": _above(battery_w),
        "ac_charge_power": _ac_charge_w(reading),
    }
    if grid_w is None or load_w is None:
        return powers
    flow = _Flow(
        pv_w=pv_w or 0.0,
        load_w=load_w,
        import_w=max(grid_w, 0.0),
        export_w=max(-grid_w, 0.0),
        charge_w=max(-(battery_w or 0.0), 0.0),
        discharge_w=max(battery_w or 0.0, 0.0),
    )
    return powers | {"self_consumption_power": max(load_w - flow.import_w, 0.0)} | _flows(flow)


def _ac_charge_w(reading: Reading) -> float | None:
    """Return what the inverter takes in; many say so by an output below zero."""
    said_w = number(reading.values, *_CHARGES_FROM_GRID)
    return _above(_turned(number(reading.values, "inverter_w"))) if said_w is None else said_w


def _flows(flow: _Flow) -> dict[str, float]:
    """Return where power comes from and goes to, as GivTCP reckons it.

    The formulas are approximations and do not balance when the battery and the sun feed the
    grid at once; they are kept as they are, so that old and new data compare.
    """
    to_house = max(min(flow.pv_w, flow.load_w), 0.0)
    to_battery = max(flow.pv_w - to_house - flow.export_w, 0.0)
    battery_to_house = max(flow.discharge_w - flow.export_w, 0.0)
    imports, exports = flow.import_w > 0, flow.export_w > 0
    return {
        "solar_to_house": to_house,
        "solar_to_battery": to_battery,
        "solar_to_grid": max(flow.pv_w - to_house - to_battery, 0.0),
        "battery_to_house": battery_to_house,
        "battery_to_grid": max(flow.discharge_w - battery_to_house, 0.0) if exports else 0.0,
        "grid_to_battery": (
            max(flow.charge_w - max(flow.pv_w - flow.load_w, 0.0), 0.0) if imports else 0.0
        ),
        "grid_to_house": max(flow.import_w - flow.charge_w, 0.0) if imports else 0.0,
    }


def _battery(reading: Reading, snapshot: SiteSnapshot) -> dict[str, float | str | None]:
    battery = reading.battery
    if battery is None or battery.soc_pct is None:
        return {}
    known: dict[str, float | str | None] = {"soc": battery.soc_pct}
    if battery.capacity_kwh is None:
        return known
    known["soc_kwh"] = round(battery.soc_pct / 100 * battery.capacity_kwh, 2)
    if battery.power_w is None:
        return known
    now = reading.at.astimezone(snapshot.timezone)
    for name, bound_pct, power_w, sign in (
        ("discharge", number(reading.values, *_RESERVE), battery.power_w, 1),
        ("charge", number(reading.values, *_TARGET), -battery.power_w, -1),
    ):
        if bound_pct is not None:
            left_kwh = max(sign * (battery.soc_pct - bound_pct) / 100 * battery.capacity_kwh, 0.0)
            known |= _remaining(name, left_kwh, power_w, now)
    return known


def _remaining(name: str, left_kwh: float, power_w: float, now: datetime) -> dict[str, float | str]:
    minutes = int(left_kwh / (power_w / 1_000) * 60) if power_w > 0 else 0
    return {
        f"{name}_time_remaining": float(minutes),
        f"{name}_completion_time": (now + timedelta(minutes=minutes)).isoformat(),
    }


def _energies(reading: Reading, span: str) -> dict[str, float | str | None]:
    energies = {name: _energy(reading, point, span) for name, point in _ENERGIES.items()}
    charged, discharged = energies["battery_charge_energy"], energies["battery_discharge_energy"]
    solar, exported = energies["pv_energy"], energies["export_energy"]
    if charged is not None and discharged is not None:
        energies["battery_throughput"] = round(charged + discharged, 2)
    if solar is not None and exported is not None:
        energies["self_consumption_energy"] = round(max(solar - exported, 0.0), 2)
    return {f"{name}_{span}_kwh": value for name, value in energies.items()}


def _energy(reading: Reading, point: str, span: str) -> float | None:
    whole = number(reading.values, f"{point}_{span}_kwh")
    if whole is not None or point != "pv":
        return whole
    strings = [number(reading.values, f"pv{n}_{span}_kwh") for n in (1, 2, 3)]
    known = [value for value in strings if value is not None]
    return round(sum(known), 2) if known else None


def _turned(power_w: float | None) -> float | None:
    # No minus zero: it reads oddly on a chart's axis.
    return None if power_w is None else 0.0 - power_w


def _above(power_w: float | None) -> float | None:
    return None if power_w is None else max(power_w, 0.0)
