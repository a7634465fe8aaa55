"""The house itself as points, so that it is told and commanded like a device."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ohmstead.model import BatteryMode, Button, Category, Choice, Kind, Point, Range

__all__ = ["AUTOMATIC", "SITE_POINTS"]

AUTOMATIC: Final = "automatic"
"""What the mode is called while nobody asked for another."""

_MODES: Final = tuple(str(mode) for mode in BatteryMode)

SITE_POINTS: Final[Mapping[str, Point]] = MappingProxyType(
    {
        point.key: point
        for point in (
            Point(key="grid_w", label="Grid"),
            Point(key="pv_w", label="PV"),
            Point(key="load_w", label="Load"),
            Point(key="battery_w", label="Battery"),
            Point(key="soc_pct", label="Battery SoC"),
            Point(key="import_total_kwh", label="Grid import total", kind=Kind.TOTAL),
            Point(key="export_total_kwh", label="Grid export total", kind=Kind.TOTAL),
            Point(key="pv_total_kwh", label="PV total", kind=Kind.TOTAL),
            Point(key="import_per_kwh", label="Import price"),
            Point(key="import_next_per_kwh", label="Import price next"),
            Point(key="export_per_kwh", label="Export price"),
            Point(key="export_next_per_kwh", label="Export price next"),
            Point(key="decision", label="Decision", kind=Kind.STATE),
            Point(key="command", label="Command", kind=Kind.STATE, options=_MODES),
            Point(key="reason", label="Reason", kind=Kind.STATE),
            Point(key="strategy", label="Strategy", kind=Kind.STATE, category=Category.DIAGNOSTIC),
            Point(
                key="mode",
                label="Mode",
                kind=Kind.SETTING,
                writable=Choice((AUTOMATIC, *_MODES)),
                options=(AUTOMATIC, *_MODES),
            ),
            Point(
                key="duration_min",
                label="Duration",
                kind=Kind.SETTING,
                writable=Range(5, 24 * 60, 5),
            ),
            Point(key="force_charge", label="Force charge", writable=Button()),
            Point(key="force_discharge", label="Force discharge", writable=Button()),
            Point(key="cancel", label="Cancel requests", writable=Button()),
        )
    }
)
"""All there is to say of the house, and what it can be told."""
