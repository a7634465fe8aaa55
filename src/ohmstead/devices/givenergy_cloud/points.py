"""What the cloud offers, under the keys the same inverter has when it is read by its adapter.

Settings have numbers that differ from model to model, so they are found by the name that the
cloud's own list gives them. Sources: the vendor's API documentation, version 1; settings
lists of generation 3 hybrids.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from ohmstead.model import Category, Choice, Point, Range, Switch, TimeOfDay, Writable
from ohmstead.registers import Register

__all__ = ["PAUSE", "POINTS", "Listed", "Setting", "everyday", "setting_of", "settings_of"]

_CONF: Final = Category.CONFIGURATION
_DIAG: Final = Category.DIAGNOSTIC
_SOC: Final = Range(4, 100)
_WATTS: Final = Range(0, 50_000)
"""The cloud's list says what the model takes; this is only the outermost bound."""

PAUSE: Final[Mapping[int, str]] = MappingProxyType(
    {0: "none", 1: "charge", 2: "discharge", 3: "both"}
)
_PRIORITY: Final[Mapping[int, str]] = MappingProxyType({0: "load", 1: "battery", 2: "grid"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A setting as the cloud lists it for one inverter."""

    id: int
    name: str
    rules: tuple[str, ...] = ()
    """What the cloud accepts: ``between:4,100``, ``in:0,1,2,3``, ``date_format:H:i``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting of ours: its number with the cloud, and the point it is."""

    id: int
    point: Point
    codes: Mapping[int, str] = field(default_factory=dict)
    """The cloud's number for each of a choice's names."""


def _point(key: str, writable: Writable | None = None, category: Category = Category.MAIN) -> Point:
    """Return a point whose label and kind are those of a register of the same name."""
    return Register(key, 0, writable=writable, category=category).point


_MAIN: Final = (
    *("battery_soc_pct", "battery_w", "battery_c", "grid_w", "grid_v", "grid_hz", "pv_w", "load_w"),
    *(f"pv{n}_{unit}" for n in (1, 2) for unit in ("v", "a", "w")),
    *("inverter_w", "heatsink_c", "eps_w"),
    *(
        f"{what}_{span}_kwh"
        for span in ("today", "total")
        for what in ("pv", "load", "grid_import", "grid_export", "ac_charge")
    ),
    *(
        f"battery_{way}_{span}_kwh"
        for span in ("today", "total")
        for way in ("charge", "discharge")
    ),
)

POINTS: Final[Mapping[str, Point]] = MappingProxyType(
    {
        "status": _point("status"),
        **{key: _point(key) for key in _MAIN},
        "data_age_s": Point(key="data_age_s", label="Age of the cloud's data", category=_DIAG),
    }
)
"""What is measured. Settings come on top, once the cloud has listed them."""

_SETTINGS: Final[Mapping[str, tuple[str, Writable]]] = MappingProxyType(
    {
        "Enable Eco Mode": ("eco_mode_enabled", Switch()),
        "AC Charge Enable": ("charge_enabled", Switch()),
        "Enable AC Charge Upper % Limit": ("charge_target_enabled", Switch()),
        "AC Charge Upper % Limit": ("charge_target_soc_pct", _SOC),
        "Enable DC Discharge": ("discharge_enabled", Switch()),
        "Battery Reserve % Limit": ("reserve_soc_pct", _SOC),
        "Battery Cutoff % Limit": ("cutoff_soc_pct", _SOC),
        # The adapter's registers count these in hundredths of the capacity an hour.
        "Battery Charge Power": ("charge_power_w", _WATTS),
        "Battery Discharge Power": ("discharge_power_w", _WATTS),
        "Inverter Charge Power Percentage": ("ac_charge_rate_pct", Range(1, 100)),
        "Inverter Discharge Power Percentage": ("ac_discharge_rate_pct", Range(1, 100)),
        "Inverter Max Output Active Power Percent": ("active_power_pct", Range(0, 100)),
        "Pause Battery": ("pause_mode", Choice(tuple(PAUSE.values()))),
        "Pause Battery Start Time": ("pause_slot_start", TimeOfDay()),
        "Pause Battery End Time": ("pause_slot_end", TimeOfDay()),
        "Export Power Priority": ("export_priority", Choice(tuple(_PRIORITY.values()))),
        "Enable EPS": ("eps_enabled", Switch()),
        "Real-Time Control": ("real_time_control_enabled", Switch()),
    }
)
_CODES: Final = {"pause_mode": PAUSE, "export_priority": _PRIORITY}
_SLOT: Final = re.compile(
    r"(AC Charge|DC Discharge) (\d+) (Start Time|End Time|Upper SOC % Limit|Lower SOC % Limit)"
)
_PARTS: Final[Mapping[tuple[str, str], tuple[str, Writable]]] = MappingProxyType(
    {
        ("AC Charge", "Start Time"): ("charge_slot_{}_start", TimeOfDay()),
        ("AC Charge", "End Time"): ("charge_slot_{}_end", TimeOfDay()),
        ("AC Charge", "Upper SOC % Limit"): ("charge_slot_{}_target_soc_pct", _SOC),
        ("DC Discharge", "Start Time"): ("discharge_slot_{}_start", TimeOfDay()),
        ("DC Discharge", "End Time"): ("discharge_slot_{}_end", TimeOfDay()),
        ("DC Discharge", "Lower SOC % Limit"): ("discharge_slot_{}_floor_soc_pct", _SOC),
    }
)


def settings_of(listed: Iterable[Listed]) -> Mapping[str, Setting]:
    """Return the settings among *listed* that are ours, by their key."""
    found = (setting_of(entry) for entry in listed)
    return {setting.point.key: setting for setting in found if setting}


def setting_of(listed: Listed) -> Setting | None:
    """Return the setting that *listed* is, or None if it is none of ours.

    >>> setting_of(Listed(id=64, name="AC Charge 1 Start Time")).point.key
    'charge_slot_1_start'
    """
    key, writable = _known(listed.name)
    if not key or writable is None:
        return None
    codes = _CODES.get(key, {})
    for rule in listed.rules:
        what, _, values = rule.partition(":")
        if what == "between" and isinstance(writable, Range):
            writable = _narrowed(writable, values)
        if what == "in" and codes:
            codes = _offered(codes, values)
            writable = Choice(tuple(codes.values()))
    return Setting(id=listed.id, point=_point(key, writable, _CONF), codes=codes)


def everyday(key: str) -> bool:
    """Tell whether a setting is one that people and programs change, not the third slot."""
    slot = re.search(r"_slot_(\d+)_", key)
    return slot is None or int(slot[1]) == 1


def _known(name: str) -> tuple[str, Writable | None]:
    if name in _SETTINGS:
        return _SETTINGS[name]
    found = _SLOT.fullmatch(name)
    part = _PARTS.get((found[1], found[3])) if found else None
    if found is None or part is None:
        return "", None
    return part[0].format(int(found[2])), part[1]


def _narrowed(bounds: Range, values: str) -> Range:
    """Return what both we and the cloud take; ours alone if the cloud's cannot be read."""
    try:
        low, high = (float(value) for value in values.split(","))
    except ValueError:
        return bounds
    low, high = max(low, bounds.low), min(high, bounds.high)
    return Range(low, high, bounds.step) if low < high else bounds


def _offered(codes: Mapping[int, str], values: str) -> Mapping[int, str]:
    wanted = {value.strip() for value in values.split(",")}
    return {code: name for code, name in codes.items() if str(code) in wanted} or codes
