"""GivEnergy's cloud API, version 1: from its answers to values, and from its codes to errors.

Pure. Every answer wraps what it carries in ``data``. Signs: the cloud counts a discharging
battery and exported power above zero; grid power is turned round here.
Source: the vendor's API documentation, version 1.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from ohmstead.devices.givenergy_cloud.points import Listed, Setting
from ohmstead.errors import (
    DeviceBusy,
    DeviceError,
    DeviceProtocolError,
    DeviceRefused,
    DeviceUnreachable,
)
from ohmstead.links.http import Page
from ohmstead.model import Choice, Range, Switch, TimeOfDay, Value

__all__ = [
    "CODES",
    "UNSETTLED",
    "Measured",
    "code_of",
    "data_of",
    "listed_of",
    "measured_of",
    "refusal_of",
    "sent",
    "shown_of",
    "totals_of",
    "trouble_of",
    "unsettled",
]

Path: TypeAlias = tuple[str, ...]

CODES: Final[Mapping[int, str]] = MappingProxyType(
    {
        -1: "the inverter did not answer in time",
        -2: "the inverter is not connected to the cloud",
        -3: "the cloud knows no such inverter or setting, or the API key may not touch it",
        -4: "the value was not accepted",
        -5: "the cloud's server failed",
        -6: "the cloud's link to the inverter gave no answer",
        -7: "the inverter is locked: somebody else has control of it for now",
    }
)
"""What a negative value in place of a setting's means."""
UNSETTLED: Final = frozenset({-1, -5, -6})
"""After these a write may have been carried out all the same, and a question may be repeated."""
_OFFLINE: Final = -2

_STATUS: Final = {"error": "fault", "updating": "updating firmware", "off_grid": "off-grid",
                  "on_grid": "on-grid"}  # fmt: skip
"""Where the cloud has another word than the inverter's own register."""

_SYSTEM: Final[Mapping[str, Path]] = MappingProxyType(
    {
        "battery_soc_pct": ("battery", "percent"),
        "battery_w": ("battery", "power"),
        "battery_c": ("battery", "temperature"),
        "grid_v": ("grid", "voltage"),
        "grid_hz": ("grid", "frequency"),
        "pv_w": ("solar", "power"),
        "load_w": ("consumption",),
        "inverter_w": ("inverter", "power"),
        "heatsink_c": ("inverter", "temperature"),
        "eps_w": ("inverter", "eps_power"),
    }
)
_METER: Final[Mapping[str, Path]] = MappingProxyType(
    {
        "pv": ("solar",),
        "load": ("consumption",),
        "grid_import": ("grid", "import"),
        "grid_export": ("grid", "export"),
        "battery_charge": ("battery", "charge"),
        "battery_discharge": ("battery", "discharge"),
        "ac_charge": ("ac_charge",),
    }
)
_PLAUSIBLE: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"pct": (0, 100), "w": (-50_000, 50_000), "v": (0, 2_000), "hz": (0, 70), "c": (-40, 100),
     "a": (-500, 500), "kwh": (0, 10_000_000)}
)  # fmt: skip
"""What a number with this unit can be at all; anything else is noise."""

_OK: Final = frozenset({200, 201})
_NO_ANSWER, _NOT_ALLOWED, _UNPAID, _FORBIDDEN, _UNKNOWN = 0, 401, 402, 403, 404
_INVALID, _TOO_MANY, _SERVER = 422, 429, 500
_REFUSALS: Final[Mapping[int, str]] = MappingProxyType(
    {
        _NOT_ALLOWED: "the API key is not accepted; make a new one on the portal",
        _UNPAID: "the account may not use this part of the API",
        _FORBIDDEN: "the API key may not do this; it needs inverter data, and control to write",
        _UNKNOWN: "the account has no such inverter or setting; check `serial`",
        _INVALID: CODES[-4],
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the inverter last told the cloud, and when."""

    at: datetime
    values: Mapping[str, Value | None]


def trouble_of(device: str, page: Page) -> DeviceError | None:
    """Return what is wrong with *page* as an answer, or None if nothing is."""
    if page.status in _OK:
        return None
    if page.status == _NO_ANSWER:
        return DeviceUnreachable(device, f"no answer from GivEnergy's cloud: {page.trouble}")
    if page.status >= _SERVER:
        return DeviceUnreachable(device, f"GivEnergy's cloud is in trouble (HTTP {page.status})")
    if page.status == _TOO_MANY:
        wait = f"; it wants {page.retry_after_s:.0f} s of rest" if page.retry_after_s else ""
        return DeviceBusy(device, f"GivEnergy's cloud was asked too often{wait}")
    if page.status in _REFUSALS:
        said = f"{_REFUSALS[page.status]} (HTTP {page.status})"
        return DeviceRefused(device, said, page.status)
    return DeviceProtocolError(device, f"GivEnergy's cloud answered with HTTP {page.status}")


def data_of(device: str, page: Page) -> Any:  # noqa: ANN401 - JSON, taken apart by the caller
    """Return what *page* carries, or raise what is wrong with it."""
    trouble = trouble_of(device, page)
    if trouble is not None:
        raise trouble
    if not isinstance(page.body, Mapping) or page.body.get("data") is None:
        raise DeviceProtocolError(device, "GivEnergy's cloud sent something without data")
    return page.body["data"]


def measured_of(device: str, data: object) -> Measured:
    """Return what ``system-data/latest`` says."""
    at = _moment(_at(data, ("time",)))
    if at is None:
        raise DeviceProtocolError(device, "GivEnergy's cloud sent data without a time")
    values: dict[str, Value | None] = {
        key: _number(key, data, path) for key, path in _SYSTEM.items()
    }
    exported = _number("grid_w", data, ("grid", "power"))
    values["grid_w"] = None if exported is None else -exported + 0.0  # no negative zero
    arrays = _at(data, ("solar", "arrays"))
    for array in arrays if isinstance(arrays, Sequence) else ():
        number = _at(array, ("array",))
        if number in (1, 2):
            for unit, name in (("v", "voltage"), ("a", "current"), ("w", "power")):
                key = f"pv{number}_{unit}"
                values[key] = _number(key, array, (name,))
    status = _at(data, ("status",))
    word = status.lower() if isinstance(status, str) else None
    values["status"] = _STATUS.get(word, word) if word else None
    return Measured(at=at, values=values)


def totals_of(data: object) -> Mapping[str, Value | None]:
    """Return what ``meter-data/latest`` says; what it does not have is left out."""
    values = {
        key: _number(key, data, (span, *path))
        for span in ("today", "total")
        for key, path in ((f"{name}_{span}_kwh", path) for name, path in _METER.items())
    }
    return {key: value for key, value in values.items() if value is not None}


def listed_of(device: str, data: object) -> tuple[Listed, ...]:
    """Return the settings that the cloud lists; entries that are none are passed over."""
    if not isinstance(data, Sequence) or isinstance(data, str):
        raise DeviceProtocolError(device, "GivEnergy's cloud sent no list of settings")
    found = []
    for entry in data:
        number, name, rules = (_at(entry, (key,)) for key in ("id", "name", "validation_rules"))
        if isinstance(number, int) and isinstance(name, str):
            texts = rules if isinstance(rules, Sequence) and not isinstance(rules, str) else ()
            found.append(Listed(id=number, name=name, rules=tuple(str(text) for text in texts)))
    return tuple(found)


def code_of(page: Page) -> int | None:
    """Return the error code in the place of a setting's value, or None if there is none."""
    value = _at(page.body, ("data", "value")) if page.status in _OK else None
    return value if isinstance(value, int) and value < 0 else None


def unsettled(page: Page) -> bool:
    """Tell whether a question that was answered so should be asked again."""
    return code_of(page) in UNSETTLED


def refusal_of(device: str, setting: Setting, code: int) -> DeviceError:
    """Return the error that *code* stands for."""
    said = f"{setting.point.key}: {CODES.get(code, 'an unknown error')} (code {code})"
    if code in UNSETTLED or code == _OFFLINE:
        return DeviceUnreachable(device, said)
    return DeviceRefused(device, said, code)


def shown_of(device: str, setting: Setting, page: Page) -> Value | None:
    """Return the value of *setting* that the inverter was found to hold, or raise."""
    code = code_of(page)
    if code is not None:
        raise refusal_of(device, setting, code)
    data = data_of(device, page)
    return _held(setting, _at(data, ("value",)))


def sent(setting: Setting, value: Value) -> bool | int | str:
    """Return *value* as the cloud takes it."""
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return next(code for code, name in setting.codes.items() if name == value)
    assert isinstance(value, int | float)  # noqa: S101 - no setting of ours is a moment
    return round(value)


# ---- how it is done -----------------------------------------------------------------


def _held(setting: Setting, value: object) -> Value | None:
    """Return *value*, of whatever kind the cloud has it this time, as the point has it."""
    match setting.point.writable:
        case Switch():
            return bool(value) if isinstance(value, bool | int) else _switched(value)
        case TimeOfDay():
            return _time(value)
        case Choice():
            number = _whole(value)
            return None if number is None else setting.codes.get(int(number), str(value))
        case Range():
            return _whole(value)
        case _:
            return None


def _switched(value: object) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def _time(value: object) -> time | None:
    try:
        return time.fromisoformat(str(value)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        return None


def _whole(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _number(key: str, data: object, path: Path) -> float | None:
    value = _at(data, path)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    low, high = _PLAUSIBLE[key.rpartition("_")[2]]
    return value if low <= value <= high else None


def _at(data: object, path: Path) -> object:
    for key in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data
