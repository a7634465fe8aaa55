"""What devices say, as families of metrics."""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TypeAlias

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from ohmstead.model import DeviceSnapshot, Point, Value
from ohmstead.outputs.prometheus_names import Metric, metric_of
from ohmstead.outputs.prometheus_view import View

__all__ = ["point_families"]

_Family: TypeAlias = GaugeMetricFamily | CounterMetricFamily
_Sort: TypeAlias = tuple[bool, int]
"""Whether a family counts up, and how many labels it has: one family cannot be two sorts."""


def point_families(view: View, taken: Collection[str]) -> Sequence[_Family]:
    """Return all that devices say, under names that are not *taken*.

    What is silent is left out, not frozen.
    """
    points = _Points(view.site, taken)
    snapshot = view.tick.snapshot if view.tick else None
    for device in snapshot.devices.values() if snapshot else ():
        if device.reading is not None:
            known = view.points.get(device.name, {})
            for key, value in device.reading.values.items():
                points.add(device, known.get(key) or Point(key=key, label=key), value)
    return [family for _, family in points.families.values()]


class _Points:
    """Sorts values into families."""

    def __init__(self, site: str, taken: Collection[str]) -> None:
        self._site = site
        self._taken = taken
        self.families: dict[str, tuple[_Sort, _Family]] = {}
        self._seen: set[tuple[str, tuple[str, ...]]] = set()

    def add(self, device: DeviceSnapshot, point: Point, value: Value | None) -> None:
        metric = metric_of(point)
        who = (self._site, device.name, device.family)
        if isinstance(value, int | float):
            self._put(metric, who, metric.value(value))
        elif isinstance(value, str) and point.options:
            name = metric.name if metric.name.endswith("_state") else f"{metric.name}_state"
            metric = replace(metric, counts=False, name=name)
            held = {value, *value.split(", ")}  # flags are names joined by a comma
            for option in point.options:
                self._put(metric, (*who, option), float(option in held))

    def _put(self, metric: Metric, labels: tuple[str, ...], value: float) -> None:
        """Add one sample, unless it is no number or a point of the same device has its place."""
        if not math.isfinite(value):
            return
        family = self._family(metric, labels)
        if (family.name, labels) not in self._seen:
            self._seen.add((family.name, labels))
            family.add_metric(labels, value)

    def _family(self, metric: Metric, labels: Sequence[str]) -> _Family:
        """Return the family called so; one that is taken by another sort gets another name.

        What counts up in one device may only be measured in another.
        """
        name, sort = metric.name, (metric.counts, len(labels))
        known = self.families.get(name)
        if name in self._taken or (known and known[0] != sort):
            name = f"{name}_{'counted' if metric.counts else 'value'}_{len(labels)}"
            known = self.families.get(name)
        if known is None:
            make = CounterMetricFamily if metric.counts else GaugeMetricFamily
            words = ["site", "device", "family", "state"][: len(labels)]
            known = self.families[name] = (sort, make(name, metric.help, labels=words))
        return known[1]
