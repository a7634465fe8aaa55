"""The inverter's own battery modes, by the names its app gives them: three settings as one."""

from collections.abc import Mapping
from typing import Final

from ohmstead.devices.givenergy.registers import Model
from ohmstead.model import Choice, Kind, Point, Value

__all__ = ["BATTERY_MODE", "mode_of", "mode_point", "settings_of"]

BATTERY_MODE: Final = "battery_mode"

_ECO: Final = "eco"
_ECO_PAUSED: Final = "eco paused"
_TIMED_DEMAND: Final = "timed demand"
_TIMED_EXPORT: Final = "timed export"
_EXPORT_PAUSED: Final = "export paused"
_FULL: Final = 100
_LEAST: Final = 4


def mode_point(model: Model) -> Mapping[str, Point]:
    """Return the point by its key; none where *model* has not got all three settings."""
    needed = ("eco_mode_enabled", "discharge_enabled", "reserve_soc_pct")
    if not all(model.has(name) and model.holdings[name].writable for name in needed):
        return {}
    names = (_ECO, _ECO_PAUSED, _TIMED_DEMAND, _TIMED_EXPORT)
    point = Point(
        key=BATTERY_MODE,
        label="Battery mode",
        kind=Kind.SETTING,
        writable=Choice(names),
        options=(*names, _EXPORT_PAUSED),
    )
    return {BATTERY_MODE: point}


def mode_of(values: Mapping[str, Value | None]) -> str | None:
    """Return the mode that the settings among *values* make; None while one is missing.

    >>> mode_of({"eco_mode_enabled": True, "discharge_enabled": True})
    'timed demand'
    """
    eco, by_slots = values.get("eco_mode_enabled"), values.get("discharge_enabled")
    if eco is None or by_slots is None:
        return None
    if by_slots:
        return _TIMED_DEMAND if eco else _TIMED_EXPORT
    if not eco:
        return _EXPORT_PAUSED
    return _ECO_PAUSED if values.get("reserve_soc_pct") == _FULL else _ECO


def settings_of(
    mode: Value, values: Mapping[str, Value | None], usual_reserve_pct: float | None
) -> tuple[tuple[str, Value], ...]:
    """Return the settings that make *mode*, the one that lets energy go last.

    A reserve of 100 is what "paused" means; in the other modes it would stop every discharge,
    so the owner's usual one comes back.
    """
    reserve: list[tuple[str, Value]] = []
    if mode == _ECO_PAUSED:
        reserve = [("reserve_soc_pct", _FULL)]
    elif values.get("reserve_soc_pct") == _FULL:
        reserve = [("reserve_soc_pct", _LEAST if usual_reserve_pct is None else usual_reserve_pct)]
    return (
        *reserve,
        ("eco_mode_enabled", mode != _TIMED_EXPORT),
        ("discharge_enabled", mode in {_TIMED_DEMAND, _TIMED_EXPORT}),
    )
