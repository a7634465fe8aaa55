"""What a point is called in Prometheus: base units, ``_total`` for what counts up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ohmstead.model import Kind, Point

__all__ = ["Metric", "metric_of"]

_BASE_UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "_w": ("watts", 1),
    "_va": ("volt_amperes", 1),
    "_var": ("volt_amperes_reactive", 1),
    "_wh": ("joules", 3_600),
    "_kwh": ("joules", 3_600_000),
    "_v": ("volts", 1),
    "_mv": ("volts", 0.001),
    "_a": ("amperes", 1),
    "_ma": ("amperes", 0.001),
    "_ah": ("coulombs", 3_600),
    "_hz": ("hertz", 1),
    "_c": ("celsius", 1),
    "_pct": ("ratio", 0.01),
    "_per_kwh": ("per_kilowatt_hour", 1),
    "_s": ("seconds", 1),
    "_min": ("seconds", 60),
    "_h": ("seconds", 3_600),
    "_days": ("seconds", 86_400),
    "_kwp": ("watts_peak", 1_000),
    "_dbm": ("dbm", 1),
    "_rpm": ("hertz", 1 / 60),
    "_ohm": ("ohms", 1),
}
"""A key's ending, the base unit, and how many of it make one. A price stays per kWh, as it is on
every bill; a decibel is no multiple of anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One point as a metric."""

    name: str
    """Without ``_total``, which the client adds to counters."""
    help: str
    counts: bool = False
    """True for what counts up."""
    factor: float = 1.0
    """What a value is multiplied by."""


def metric_of(point: Point) -> Metric:
    """Return what *point* is called.

    >>> metric_of(Point(key="battery_soc_pct", label="Charge")).name
    'ohmstead_battery_soc_ratio'
    """
    counts = point.kind is Kind.TOTAL
    base, unit, factor = _split(point.key)
    if counts:
        base = base.removesuffix("_total")
    name = re.sub(r"\W", "_", "_".join(filter(None, ("ohmstead", base, unit))))
    said = f"{point.label} ({unit.replace('_', ' ')})" if unit else point.label
    return Metric(name=name, help=said or point.key, counts=counts, factor=factor)


def _split(key: str) -> tuple[str, str, float]:
    for ending in ("_per_kwh", "_" + key.rpartition("_")[2]):
        if key.endswith(ending) and ending in _BASE_UNITS:
            unit, factor = _BASE_UNITS[ending]
            return key.removesuffix(ending), unit, factor
    return key, "", 1.0
