"""What a point is called in Prometheus: base units, ``_total`` for what counts up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ohmstead.model import Kind, Point

__all__ = ["Metric", "metric_of"]

_BASE_UNITS: Final[Mapping[str, tuple[str, int, int]]] = {
    "_w": ("watts", 1, 1),
    "_va": ("volt_amperes", 1, 1),
    "_var": ("volt_amperes_reactive", 1, 1),
    "_wh": ("joules", 3_600, 1),
    "_kwh": ("joules", 3_600_000, 1),
    "_v": ("volts", 1, 1),
    "_mv": ("volts", 1, 1_000),
    "_a": ("amperes", 1, 1),
    "_ma": ("amperes", 1, 1_000),
    "_ah": ("coulombs", 3_600, 1),
    "_hz": ("hertz", 1, 1),
    "_c": ("celsius", 1, 1),
    "_pct": ("ratio", 1, 100),
    "_per_kwh": ("per_kilowatt_hour", 1, 1),
    "_s": ("seconds", 1, 1),
    "_min": ("seconds", 60, 1),
    "_h": ("seconds", 3_600, 1),
    "_days": ("seconds", 86_400, 1),
    "_kwp": ("watts_peak", 1_000, 1),
    "_dbm": ("dbm", 1, 1),
    "_rpm": ("hertz", 1, 60),
    "_ohm": ("ohms", 1, 1),
}
"""A key's ending, the base unit, and what a value is multiplied with and divided by. A price stays
per kWh, as it is on every bill; a decibel is no multiple of anything."""

_RESERVED: Final = ("_total", "_count", "_sum", "_bucket", "_info")
"""Endings that say what sort of metric it is, so that a mere measurement may not have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One point as a metric."""

    name: str
    """Without ``_total``, which the client adds to counters."""
    help: str
    counts: bool = False
    """True for what counts up."""
    times: int = 1
    by: int = 1

    def value(self, number: float) -> float:
        """Return *number* in the metric's unit."""
        return number * self.times / self.by


def metric_of(point: Point) -> Metric:
    """Return what *point* is called.

    >>> metric_of(Point(key="battery_soc_pct", label="Charge")).name
    'ohmstead_battery_soc_ratio'
    """
    counts = point.kind is Kind.TOTAL
    base, unit, times, by = _split(point.key)
    if counts:
        base = base.removesuffix("_total")
    name = re.sub(r"\W", "_", "_".join(filter(None, ("ohmstead", base, unit))))
    if not counts and name.endswith(_RESERVED):
        name += "_now"
    said = f"{point.label} ({unit.replace('_', ' ')})" if unit else point.label
    return Metric(name=name, help=said or point.key, counts=counts, times=times, by=by)


def _split(key: str) -> tuple[str, str, int, int]:
    for ending in ("_per_kwh", "_" + key.rpartition("_")[2]):
        if key.endswith(ending) and ending in _BASE_UNITS:
            unit, times, by = _BASE_UNITS[ending]
            return key.removesuffix(ending), unit, times, by
    return key, "", 1, 1
