"""The house and its service as Prometheus metrics, from one moment's view of them."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from ohmstead import __version__
from ohmstead.model import BatteryMode, PriceCurve, SiteSnapshot
from ohmstead.outputs.prometheus_points import point_families
from ohmstead.outputs.prometheus_view import TICK_BOUNDS_S, View

__all__ = ["HouseCollector"]


class HouseCollector(Collector):
    """Makes metrics of the view it was last given."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.view: View | None = None

    def collect(self) -> Iterator[Family]:
        """Yield every family of metrics, each once; the service's own first."""
        view = self.view
        if view is None:
            return
        families = list(_service(view))
        if view.tick is not None:
            families += _house(view.site, view.tick.snapshot)
            families += _devices(view.site, view.tick.snapshot)
            families += point_families(view, {family.name for family in families})
        yield from (family for family in families if family.samples)


# ---- the service ------------------------------------------------------------------------


def _service(view: View) -> Iterator[Family]:
    tally, site = view.tally, view.site
    yield _gauge("build_info", "The version that runs", ("version",), [((__version__,), 1.0)])
    ticks = HistogramMetricFamily(
        "ohmstead_tick_duration_seconds",
        "How long a turn of the loop took, waiting for devices included",
        labels=["site"],
    )
    buckets = [(str(bound), float(tally.ticks_within[bound])) for bound in TICK_BOUNDS_S]
    ticks.add_metric([site], [*buckets, ("+Inf", float(tally.ticks))], tally.ticks_took_s)
    yield ticks
    yield _counter("ticks", "Turns of the loop", ("site",), [((site,), tally.ticks)])
    if view.tick is not None:
        at = view.tick.snapshot.at.timestamp()
        label = "When the last turn was taken"
        yield _gauge("last_tick_timestamp_seconds", label, ("site",), [((site,), at)])
    yield _counter(
        "command_results",
        "How commands ended; unchanged is: the device already did so",
        ("site", "device", "result"),
        [((site, *key), count) for key, count in sorted(tally.results.items())],
    )
    yield _counter(
        "writes",
        "Values sent to a device",
        ("site", "device"),
        [((site, device), count) for device, count in sorted(tally.writes.items())],
    )
    if view.leases is not None:
        held = Counter(entry.device for entry in view.leases)
        devices = {*held, *(view.tick.snapshot.devices if view.tick else ())}
        yield _gauge(
            "leases",
            "Settings on loan from the owner, to be given back",
            ("site", "device"),
            [((site, device), held[device]) for device in sorted(devices)],
        )
    waiting = [((site, name), queue[0]) for name, queue in view.queues.items()]
    dropped = [((site, name), queue[1]) for name, queue in view.queues.items()]
    labels = ("site", "output")
    yield _gauge("output_waiting", "What waits to be sent by an output", labels, waiting)
    yield _counter("output_dropped", "What an output lost for want of room", labels, dropped)


# ---- the house --------------------------------------------------------------------------


def _house(site: str, snapshot: SiteSnapshot) -> Iterator[Family]:
    soc_pct = snapshot.soc_pct
    for name, label, value in (
        ("grid_watts", "Grid power, above zero importing", snapshot.grid_w),
        ("pv_watts", "Solar power", snapshot.pv_w),
        ("load_watts", "What the house uses", snapshot.load_w),
        ("battery_watts", "Battery power, above zero discharging", snapshot.battery_w),
        ("battery_ratio", "How full the battery is", None if soc_pct is None else soc_pct / 100),
    ):
        yield _gauge(f"site_{name}", label, ("site",), [((site,), value)])
    yield _gauge(
        "site_mode",
        "What the battery was last told to do; none is: left to itself",
        ("site", "mode"),
        [
            ((site, mode), float(mode == (snapshot.mode or "none")))
            for mode in ("none", *BatteryMode)
        ],
    )
    requests = len(snapshot.requests)
    yield _gauge("site_requests", "Requests that hold now", ("site",), [((site,), requests)])
    curves = {"import": snapshot.prices.buy, "export": snapshot.prices.sell}
    known = [(name, curve) for name, curve in curves.items() if curve is not None]
    yield from _prices(site, snapshot.at, known)


def _prices(site: str, now: datetime, curves: Iterable[tuple[str, PriceCurve]]) -> Iterator[Family]:
    labels = ("site", "direction")
    price = GaugeMetricFamily(
        "ohmstead_price_per_kilowatt_hour",
        "What a kWh costs now, in the currency's main unit",
        labels=[*labels, "currency"],
    )
    age = _gauge("price_age_seconds", "Since when prices were last confirmed", labels, [])
    ahead = _gauge("price_horizon_seconds", "How far ahead prices are known", labels, [])
    for name, curve in curves:
        if (slot := curve.at(now)) is not None:
            price.add_metric([site, name, curve.currency], slot.per_kwh)
        if (aged := curve.age(now)) is not None:
            age.add_metric([site, name], aged.total_seconds())
        if curve.ends is not None:
            ahead.add_metric([site, name], max((curve.ends - now).total_seconds(), 0.0))
    yield from (price, age, ahead)


# ---- its devices ------------------------------------------------------------------------


def _devices(site: str, snapshot: SiteSnapshot) -> Iterator[Family]:
    labels = ("site", "device", "family")
    devices = [((site, d.name, d.family), d) for d in snapshot.devices.values()]
    yield _gauge(
        "device_up",
        "Whether a device answers",
        labels,
        [(key, float(d.reading is not None and d.trouble is None)) for key, d in devices],
    )
    yield _gauge(
        "device_last_seen_timestamp_seconds",
        "When a device last answered",
        labels,
        [(key, d.last_seen.timestamp() if d.last_seen else None) for key, d in devices],
    )


def _gauge(
    name: str,
    label: str,
    labels: Sequence[str],
    values: Iterable[tuple[tuple[str, ...], float | None]],
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"ohmstead_{name}", label, labels=labels)
    for key, value in values:
        if value is not None and math.isfinite(value):
            family.add_metric(key, value)
    return family


def _counter(
    name: str, label: str, labels: Sequence[str], values: Iterable[tuple[tuple[str, ...], float]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"ohmstead_{name}", label, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family
