"""What the simulated cloud lists for an inverter, and what the inverter makes of it."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from types import MappingProxyType
from typing import Final

from ohmstead.devices.givenergy_cloud.points import PAUSE, Listed, settings_of

__all__ = ["MODELS", "Moment", "Row", "accepted", "keyed", "wish"]

_DAY: Final = 24 * 60
_BOOL: Final = "boolean"
_ON, _OFF = True, False
_TIME: Final = "date_format:H:i"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A setting as the cloud lists it, and what it holds when the inverter is new."""

    id: int
    name: str
    rule: str
    value: bool | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the firmware sees."""

    minute: int
    """Of its own local day."""
    soc_pct: float
    pv_w: float
    load_w: float


def _row(number: int, name: str, rule: str, value: bool | int | str) -> Row:  # noqa: FBT001 - a value of any kind
    return Row(id=number, name=name, rule=rule, value=value)


# fmt: off
_COMMON: Final = (
    _row(17, "Enable AC Charge Upper % Limit", _BOOL, _OFF),
    _row(24, "Enable Eco Mode", _BOOL, _ON),
    _row(41, "DC Discharge 2 Start Time", _TIME, "00:00"),
    _row(42, "DC Discharge 2 End Time", _TIME, "00:00"),
    _row(47, "Inverter Max Output Active Power Percent", "between:0,100", 100),
    _row(53, "DC Discharge 1 Start Time", _TIME, "00:00"),
    _row(54, "DC Discharge 1 End Time", _TIME, "00:00"),
    _row(56, "Enable DC Discharge", _BOOL, _OFF),
    _row(64, "AC Charge 1 Start Time", _TIME, "00:00"),
    _row(65, "AC Charge 1 End Time", _TIME, "00:00"),
    _row(66, "AC Charge Enable", _BOOL, _OFF),
    _row(71, "Battery Reserve % Limit", "between:4,100", 4),
    _row(72, "Battery Charge Power", "between:0,3600", 3600),
    _row(73, "Battery Discharge Power", "between:0,3600", 3600),
    _row(75, "Battery Cutoff % Limit", "between:4,100", 4),
    _row(77, "AC Charge Upper % Limit", "between:0,100", 100),
    _row(83, "Restart Inverter", "exact:100", 0),
)
_GEN3: Final = (
    _row(96, "Pause Battery", "in:0,1,2,3", 0),
    _row(101, "AC Charge 1 Upper SOC % Limit", "between:0,100", 100),
    *(
        row
        for n in range(2, 11)
        for row in (
            _row(96 + 3 * n, f"AC Charge {n} Start Time", _TIME, "00:00"),
            _row(97 + 3 * n, f"AC Charge {n} End Time", _TIME, "00:00"),
            _row(98 + 3 * n, f"AC Charge {n} Upper SOC % Limit", "between:0,100", 100),
        )
    ),
    _row(129, "DC Discharge 1 Lower SOC % Limit", "between:4,100", 4),
    _row(130, "DC Discharge 2 Lower SOC % Limit", "between:4,100", 4),
    *(
        row
        for n in range(3, 11)
        for row in (
            _row(122 + 3 * n, f"DC Discharge {n} Start Time", _TIME, "00:00"),
            _row(123 + 3 * n, f"DC Discharge {n} End Time", _TIME, "00:00"),
            _row(124 + 3 * n, f"DC Discharge {n} Lower SOC % Limit", "between:4,100", 4),
        )
    ),
    _row(155, "Pause Battery Start Time", _TIME, "00:00"),
    _row(156, "Pause Battery End Time", _TIME, "00:00"),
    _row(267, "Inverter Charge Power Percentage", "between:1,100", 100),
    _row(268, "Inverter Discharge Power Percentage", "between:1,100", 100),
    _row(271, "Enable EPS", _BOOL, _OFF),
)
# fmt: on

MODELS: Final[Mapping[str, tuple[Row, ...]]] = MappingProxyType(
    {"hybrid_gen3": (*_COMMON, *_GEN3), "hybrid_gen1": _COMMON}
)
"""By model; generation 1 has neither a pause nor a target for each slot."""


def accepted(row: Row, value: object) -> bool | int | str | None:
    """Return *value* as the inverter keeps it, or None if the cloud's rule forbids it."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    what, _, limits = row.rule.partition(":")
    if what == _BOOL:
        return {"true": True, "1": True, "false": False, "0": False}.get(text)
    if what == "date_format":
        return text if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text) else None
    if not re.fullmatch(r"-?\d+", text):
        return None
    numbers = [int(part) for part in limits.split(",")]
    fits = numbers[0] <= int(text) <= numbers[1] if what == "between" else int(text) in numbers
    return int(text) if fits else None


def keyed(rows: Iterable[Row]) -> dict[str, int]:
    """Return the number of each setting that we have a key for."""
    settings = settings_of(Listed(id=row.id, name=row.name) for row in rows)
    return {key: setting.id for key, setting in settings.items()}


def wish(held: Mapping[str, bool | int | str], now: Moment) -> float:
    """Return the battery power the firmware wants, above zero discharging."""
    wanted = _wanted(held, now)
    if _within(now.minute, held, "pause_slot"):
        paused = PAUSE.get(int(held.get("pause_mode", 0)))
        if paused in {"charge", "both"}:
            wanted = max(wanted, 0.0)
        if paused in {"discharge", "both"}:
            wanted = min(wanted, 0.0)
    return min(max(wanted, -_number(held, "charge_power_w")), _number(held, "discharge_power_w"))


def _wanted(held: Mapping[str, bool | int | str], now: Moment) -> float:
    missing = now.load_w - now.pv_w
    spare = max(-missing, 0.0)
    # Charging from the grid goes before a timed discharge.
    if held["charge_enabled"] and (slot := _slot(held, "charge", now)):
        own = _number(held, f"charge_slot_{slot}_target_soc_pct")
        general = _number(held, "charge_target_soc_pct") if held["charge_target_enabled"] else 100.0
        target = general if math.isinf(own) else own
        return -math.inf if now.soc_pct < target else -spare
    if held["discharge_enabled"] and (slot := _slot(held, "discharge", now)):
        floor = _number(held, f"discharge_slot_{slot}_floor_soc_pct")
        floors = (0.0 if math.isinf(floor) else floor, _number(held, "reserve_soc_pct"))
        floor = max(*floors, _number(held, "cutoff_soc_pct"))
        if now.soc_pct <= floor:
            return -spare
        return missing if held["eco_mode_enabled"] else math.inf
    if not held["eco_mode_enabled"]:
        return 0.0
    return missing if missing < 0 or now.soc_pct > _number(held, "reserve_soc_pct") else 0.0


def _slot(held: Mapping[str, bool | int | str], way: str, now: Moment) -> int:
    """Return the number of the slot that holds now, or 0."""
    return next((n for n in range(1, 11) if _within(now.minute, held, f"{way}_slot_{n}")), 0)


def _within(minute: int, held: Mapping[str, bool | int | str], slot: str) -> bool:
    start, end = (
        time.fromisoformat(str(held.get(f"{slot}_{edge}", "00:00"))) for edge in ("start", "end")
    )
    begins, ends = (60 * edge.hour + edge.minute for edge in (start, end))
    return (minute - begins) % _DAY < (ends - begins) % _DAY


def _number(held: Mapping[str, bool | int | str], key: str) -> float:
    """Return a number the inverter holds; a limit that it does not have limits nothing."""
    return float(held.get(key, math.inf))
