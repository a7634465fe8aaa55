"""What a zappi tells, and what may be changed on it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ohmstead.model import Category, Choice, Kind, Point, Range, TimeOfDay

__all__ = ["CTS", "MODES", "PLUGS", "POINTS", "STATES"]

CTS: Final = range(1, 7)
"""The current clamps it may have, its own and those of harvis."""
MODES: Final[Mapping[int, str]] = MappingProxyType({1: "fast", 2: "eco", 3: "eco+", 4: "stop"})
STATES: Final[Mapping[int, str]] = MappingProxyType(
    {1: "paused", 3: "charging", 4: "boosting", 5: "complete"}
)
PLUGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "A": "unplugged",
        "B1": "connected",
        "B2": "waiting for the car",
        "C1": "ready",
        "C2": "charging",
        "F": "fault",
    }
)
_STATE, _SETTING, _TOTAL = Kind.STATE, Kind.SETTING, Kind.TOTAL
_DIAG, _CONF = Category.DIAGNOSTIC, Category.CONFIGURATION
_MODES: Final = Choice(tuple(MODES.values()))

POINTS: Final[Mapping[str, Point]] = MappingProxyType(
    {
        point.key: point
        for point in (
            Point(key="power_w", label="Car charging power"),
            Point(key="session_kwh", label="Energy of this session", kind=_TOTAL),
            Point(key="plug", label="Plug", kind=_STATE, options=tuple(PLUGS.values())),
            Point(key="status", label="Status", kind=_STATE, options=tuple(STATES.values())),
            Point(key="mode", label="Mode", kind=_SETTING, writable=_MODES),
            Point(key="boost_kwh", label="Boost", kind=_SETTING, writable=Range(0, 99)),
            Point(key="smart_boost_kwh", label="Smart boost", kind=_SETTING, writable=Range(0, 99)),
            Point(key="smart_boost_ready", label="Smart boost ready by", kind=_SETTING,
                  writable=TimeOfDay()),
            Point(key="min_green_pct", label="Least share of green energy", kind=_SETTING,
                  category=_CONF, writable=Range(1, 100)),
            Point(key="grid_w", label="Grid power at the zappi's clamp"),
            Point(key="pv_w", label="Generation at the zappi's clamp"),
            *(Point(key=f"ct{n}_w", label=f"Clamp {n}", category=_DIAG) for n in CTS),
            *(Point(key=f"ct{n}", label=f"What clamp {n} measures", kind=_STATE, category=_DIAG)
              for n in CTS),
            Point(key="supply_v", label="Supply voltage", category=_DIAG),
            Point(key="supply_hz", label="Supply frequency", category=_DIAG),
            Point(key="locked", label="Locked", kind=_STATE, category=_DIAG, on_off=True),
            Point(key="data_age_s", label="Age of the data", category=_DIAG),
        )
    }
)  # fmt: skip
"""Boosts: writing 0 ends one. A smart boost goes by both its points, and begins with either."""
