"""From registers to a reading: derived values, and the roles one inverter plays in the house."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ohmstead.devices.givenergy.registers import Batteries, Model
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

__all__ = ["DERIVED", "Facts", "derived_points", "reading_of"]

DERIVED: Final = {
    point.key: point
    for point in (
        Point(key="model", label="Model", kind=Kind.STATE, category=Category.DIAGNOSTIC),
        Point(key="firmware", label="Firmware", kind=Kind.STATE, category=Category.DIAGNOSTIC),
        Point(key="clock_drift_s", label="Clock drift", category=Category.DIAGNOSTIC),
        Point(
            key="frames_dropped",
            label="Damaged frames",
            kind=Kind.TOTAL,
            category=Category.DIAGNOSTIC,
        ),
        Point(
            key="pages_refused",
            label="Pages not believed",
            kind=Kind.TOTAL,
            category=Category.DIAGNOSTIC,
        ),
        Point(key="battery_w", label="Battery"),
        Point(key="grid_w", label="Grid"),
        Point(key="pv_w", label="PV"),
        Point(key="load_w", label="Load"),
        Point(key="battery_soc_pct", label="Battery SoC"),
        Point(key="battery_capacity_kwh", label="Battery capacity"),
        Point(key="battery_stored_kwh", label="Battery stored"),
        Point(key="battery_charge_total_kwh", label="Battery charge total", kind=Kind.TOTAL),
        Point(key="battery_discharge_total_kwh", label="Battery discharge total", kind=Kind.TOTAL),
        Point(key="pv_today_kwh", label="PV today", kind=Kind.TOTAL),
        Point(key="load_today_kwh", label="Load today", kind=Kind.TOTAL),
        Point(key="load_total_kwh", label="Load total", kind=Kind.TOTAL),
    )
}
"""What no register holds, or not on every model."""
_WITHOUT_BATTERY: Final = frozenset(key for key in DERIVED if key.startswith("battery_"))


def derived_points(model: Model) -> Mapping[str, Point]:
    """Return the points *model* has beside its registers."""
    bare = model.name == "pv_only"
    return {key: point for key, point in DERIVED.items() if not (bare and key in _WITHOUT_BATTERY)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a reading is made of besides registers."""

    device: str
    at: datetime
    model: Model
    battery_kwh: float | None
    battery_w: float | None
    """The most its battery side moves."""
    units_known: bool = True
    """Whether all that may hang behind it was looked for; before, a sum of its packs would jump."""
    clock_drift_s: float | None = None
    frames_dropped: int = 0
    pages_refused: int = 0


def reading_of(
    values: Mapping[str, Value | None], doubts: Mapping[str, str], facts: Facts
) -> Reading:
    """Return the reading that *values* by point make."""
    merged = {**values, **_derived(values, facts)}
    number = _Numbers(merged)
    battery = BatteryReading(
        soc_pct=number("battery_soc_pct"),
        power_w=number("battery_w"),
        capacity_kwh=facts.battery_kwh,
        max_charge_w=facts.battery_w,
        max_discharge_w=facts.battery_w,
    )
    return Reading(
        device=facts.device,
        at=facts.at,
        values=merged,
        doubts=doubts,
        battery=None if facts.model.name == "pv_only" else battery,
        grid=MeterReading(
            power_w=number("grid_w"),
            import_total_kwh=number("grid_import_total_kwh"),
            export_total_kwh=number("grid_export_total_kwh"),
        ),
        solar=SolarReading(power_w=number("pv_w"), total_kwh=number("pv_total_kwh")),
        load=LoadReading(power_w=number("load_w")),
    )


class _Numbers:
    """Values as numbers; what is none, or is missing, is None."""

    def __init__(self, values: Mapping[str, Value | None]) -> None:
        self._values = values

    def __call__(self, name: str) -> float | None:
        value = self._values.get(name)
        return value if isinstance(value, int | float) else None

    def __contains__(self, name: str) -> bool:
        """Tell whether there is such a value at all, though it may not be known just now."""
        return name in self._values

    def sum(self, *names: str) -> float | None:
        """Return the sum of those that there are; None where there is none, or one not known."""
        terms = [self(name) for name in names if name in self]
        known = [term for term in terms if term is not None]
        return round(sum(known), 6) if known and len(known) == len(terms) else None

    def less(self, plus: str, *minus: str) -> float | None:
        """Return the first less all others; None where one is missing."""
        known = [self(name) for name in (plus, *minus)]
        first, *others = (0.0 if value is None else value for value in known)
        return None if None in known else round(first - sum(others), 6)


def _derived(values: Mapping[str, Value | None], facts: Facts) -> dict[str, Value | None]:
    number = _Numbers(values)
    soc_pct = number("battery_soc_pct")
    if facts.model.name == "ems":
        soc_pct = _mean(_numbered(number, "inverter_{}_soc_pct", values))
    elif facts.model.name.startswith("gateway"):
        soc_pct = _mean(_numbered(number, "aio_{}_soc_pct", values))
    found: dict[str, Value | None] = {
        "model": facts.model.title,
        "firmware": _firmware(values),
        "clock_drift_s": facts.clock_drift_s,
        "frames_dropped": facts.frames_dropped,
        "pages_refused": facts.pages_refused,
        "battery_soc_pct": soc_pct,
        "battery_capacity_kwh": facts.battery_kwh,
        "battery_stored_kwh": _stored(soc_pct, facts.battery_kwh),
        **_powers(number),
        **_energies(number, facts),
    }
    points = derived_points(facts.model)
    return {key: value for key, value in found.items() if key in points}


def _powers(number: _Numbers) -> dict[str, Value | None]:
    """Return the four powers; three-phase models count each direction by itself."""
    found: dict[str, Value | None] = {name: number(name) for name in ("battery_w", "grid_w")}
    if number("battery_discharge_w") is not None:
        found["battery_w"] = number.less("battery_discharge_w", "battery_charge_w")
    if number("grid_import_w") is not None:
        found["grid_w"] = number.less("grid_import_w", "grid_export_w")
    found["pv_w"] = number("pv_w") if "pv_w" in number else number.sum("pv1_w", "pv2_w")
    if not any(name in number for name in ("pv_w", "pv1_w", "pv2_w")):
        found["pv_w"] = number("generation_w")
    found["load_w"] = number("load_w")
    return found


def _energies(number: _Numbers, facts: Facts) -> dict[str, Value | None]:
    """Return the energies no register holds; what the house used is reckoned as the app does."""
    found: dict[str, Value | None] = {}
    name = "pv_today_kwh"
    found[name] = number(name) if name in number else number.sum("pv1_today_kwh", "pv2_today_kwh")
    for when in ("today", "total"):
        name = f"load_{when}_kwh"
        found[name] = number(name) if name in number else _used(number, when, facts.model)
    for way in ("charge", "discharge"):
        name = f"battery_{way}_total_kwh"
        kind = "stack" if facts.model.batteries is Batteries.STACKS else "battery"
        units = number.sum(*(f"{kind}_{n}_{way}_total_kwh" for n in range(1, 7)))
        units = units if facts.units_known else None
        # Some inverters have the register, and count nothing in it.
        counts = name in number and (number(name) != 0 or units is None)
        found[name] = number(name) if counts else units
    return found


def _used(number: _Numbers, when: str, model: Model) -> float | None:
    """Return what the house used, where nobody counts it."""
    minus = [f"{name}_{when}_kwh" for name in ("grid_export", "ac_charge")]
    terms = [number.less(f"inverter_{when}_kwh", *minus), number(f"grid_import_{when}_kwh")]
    panels = [
        name
        for name in (f"pv_{when}_kwh", f"pv1_{when}_kwh", f"pv2_{when}_kwh")
        if name in number and model.by_rated
    ]
    if panels:  # an AC-coupled one's do not go through it
        terms.append(number.sum(*panels))
    known = [term for term in terms if term is not None]
    return round(max(sum(known), 0.0), 3) if len(known) == len(terms) else None


def _numbered(
    number: _Numbers, pattern: str, values: Mapping[str, Value | None]
) -> Iterable[float | None]:
    """Return the value of each of up to four that has told its serial number."""
    serial = pattern.replace("soc_pct", "serial")
    return [number(pattern.format(n)) for n in range(1, 5) if values.get(serial.format(n))]


def _mean(levels: Iterable[float | None]) -> float | None:
    known = [level for level in levels if level is not None]
    return round(sum(known) / len(known), 1) if known else None


def _stored(soc_pct: float | None, capacity_kwh: float | None) -> float | None:
    if soc_pct is None or capacity_kwh is None:
        return None
    return round(soc_pct / 100 * capacity_kwh, 2)


def _firmware(values: Mapping[str, Value | None]) -> str | None:
    dsp, arm = values.get("dsp_firmware"), values.get("arm_firmware")
    return None if dsp is None or arm is None else f"D0.{dsp}-A0.{arm}"
