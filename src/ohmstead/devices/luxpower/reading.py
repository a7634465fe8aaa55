"""From registers to a reading: derived values, and the roles one inverter plays in the house."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ohmstead.devices.luxpower.inputs import STATUS
from ohmstead.model import (
    BatteryReading,
    Category,
    Kind,
    LoadReading,
    MeterReading,
    Point,
    Reading,
    SolarReading,
    Value,
)

__all__ = ["DERIVED", "Facts", "reading_of"]

DERIVED: Final = {
    point.key: point
    for point in (
        Point(key="battery_w", label="Battery"),
        Point(key="grid_w", label="Grid"),
        Point(key="pv_w", label="PV"),
        Point(key="load_w", label="Load"),
        Point(key="pv_today_kwh", label="PV today", kind=Kind.TOTAL),
        Point(key="pv_total_kwh", label="PV total", kind=Kind.TOTAL),
        Point(key="clock_drift_s", label="Clock drift", category=Category.DIAGNOSTIC),
        Point(
            key="frames_dropped",
            label="Damaged frames",
            kind=Kind.TOTAL,
            category=Category.DIAGNOSTIC,
        ),
    )
}
"""What no register holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a reading is made of besides registers."""

    device: str
    at: datetime
    rated_w: float
    battery_kwh: float | None
    clock_drift_s: float | None = None
    frames_dropped: int = 0


def reading_of(
    values: Mapping[str, Value | None], doubts: Mapping[str, str], facts: Facts
) -> Reading:
    """Return the reading that *values* by register name make.

    >>> facts = Facts(device="x", at=datetime.max, rated_w=1, battery_kwh=None)
    >>> reading_of({"grid_import_w": 520, "grid_export_w": 0}, {}, facts).grid.power_w
    520
    """
    derived = {
        "battery_w": _less(values, "battery_discharge_w", "battery_charge_w"),
        "grid_w": _less(values, "grid_import_w", "grid_export_w"),
        "pv_w": _strings(values, "w"),
        "load_w": _load(values),
        "pv_today_kwh": _strings(values, "today_kwh"),
        "pv_total_kwh": _strings(values, "total_kwh"),
        "clock_drift_s": facts.clock_drift_s,
        "frames_dropped": facts.frames_dropped,
    }
    return Reading(
        device=facts.device,
        at=facts.at,
        values={**derived, **values},
        doubts=doubts,
        battery=BatteryReading(
            soc_pct=_number(values, "battery_soc_pct"),
            power_w=derived["battery_w"],
            capacity_kwh=facts.battery_kwh or _capacity(values),
            max_charge_w=facts.rated_w,
            max_discharge_w=facts.rated_w,
        ),
        grid=MeterReading(
            power_w=derived["grid_w"],
            import_total_kwh=_number(values, "grid_import_total_kwh"),
            export_total_kwh=_number(values, "grid_export_total_kwh"),
        ),
        solar=SolarReading(power_w=derived["pv_w"], total_kwh=derived["pv_total_kwh"]),
        load=LoadReading(power_w=derived["load_w"]),
    )


_PACK_V: Final = 51.2
"""16 lithium cells: what these inverters take."""
_AC_COUPLED: Final = 4
"""The device type of the ACS 3600."""
_OFF_GRID: Final = frozenset(STATUS[code] for code in (0x40, 0x60, 0x80, 0x88, 0xC0))


def _number(values: Mapping[str, Value | None], name: str) -> float | None:
    value = values.get(name)
    return value if isinstance(value, int | float) else None


def _less(values: Mapping[str, Value | None], plus: str, minus: str) -> float | None:
    one, other = _number(values, plus), _number(values, minus)
    return None if one is None or other is None else one - other


def _strings(values: Mapping[str, Value | None], what: str) -> float | None:
    """Return the sum over the PV strings; small models have three, others up to six."""
    parts = [_number(values, f"pv{n}_{what}") for n in range(1, 4)]
    more = [_number(values, f"pv{n}_{what}") for n in range(4, 7)]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return round(sum(known) + sum(part or 0 for part in more), 3)


def _load(values: Mapping[str, Value | None]) -> float | None:
    """Return what the house uses: what comes from grid and inverter, less what goes back.

    The vendor has no register for it on small models; lxp-bridge's users settled on this sum.
    """
    grid, inverter = (
        _less(values, "grid_import_w", "grid_export_w"),
        _less(values, "inverter_w", "rectifier_w"),
    )
    if grid is None or inverter is None:
        return None
    eps = _number(values, "eps_w") if values.get("status") in _OFF_GRID else 0
    # Behind an AC-coupled inverter the panels feed the house past it; a hybrid's are in its sum.
    pv = _strings(values, "w") if values.get("device_type") == _AC_COUPLED else 0
    return max(grid + inverter + (eps or 0) + (pv or 0), 0)


def _capacity(values: Mapping[str, Value | None]) -> float | None:
    ampere_hours = _number(values, "battery_capacity_ah")
    return round(ampere_hours * _PACK_V / 1000, 2) if ampere_hours else None
