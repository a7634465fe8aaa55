"""One turn of the loop as topics and their payloads. Pure: the same turn, the same messages."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from ohmstead.model import (
    BatteryCommand,
    BatteryMode,
    DeviceSnapshot,
    PriceCurve,
    Reading,
    SiteSnapshot,
    Tick,
    Value,
)
from ohmstead.outputs.describe import name_of
from ohmstead.outputs.mqtt_payload import as_json, as_text, plain
from ohmstead.outputs.mqtt_site import AUTOMATIC
from ohmstead.outputs.mqtt_topics import SITE, Topics

__all__ = ["OFFLINE", "ONLINE", "device_state", "loads_state", "site_state", "site_values"]

ONLINE: Final = "online"
OFFLINE: Final = "offline"
_FIXED: Final = timedelta(days=1)
_LONGEST_STATE: Final = 255
"""Home Assistant keeps no longer ones."""


def device_state(topics: Topics, device: DeviceSnapshot, timezone: tzinfo) -> dict[str, str]:
    """Return what is to be told of one device, by topic."""
    values = device.reading.values if device.reading else {}
    snapshot: dict[str, object] = {key: plain(v, timezone) for key, v in values.items()}
    messages = {topics.point(device.name, k): as_text(v, timezone) for k, v in values.items()}
    messages[topics.device(device.name)] = as_json(snapshot)
    messages[topics.device_availability(device.name)] = ONLINE if device.reading else OFFLINE
    return messages


def site_state(topics: Topics, tick: Tick, settings: Mapping[str, Value]) -> dict[str, str]:
    """Return what is to be told of the house, by topic; *settings* are this output's own."""
    zone = tick.snapshot.timezone
    values = {**site_values(tick), **settings}
    messages = {topics.point(SITE, key): as_text(value, zone) for key, value in values.items()}
    messages[topics.device(SITE)] = as_json({k: plain(v, zone) for k, v in values.items()})
    return messages


def loads_state(topics: Topics, site: SiteSnapshot) -> dict[str, str]:
    """Return whether the plan wants each load on now; unknown where it is too old to be followed.

    Nobody may switch by a plan that is not kept: its relay would stay on.
    """
    plan = site.plan
    now = plan.at(site.at) if plan is not None and plan.holds(site.at) else None
    names = () if plan is None else plan.loads
    return {
        topics.plan(name): "" if now is None else as_text(now.runs(name), site.timezone)
        for name in names
    }


def site_values(tick: Tick) -> dict[str, Value | None]:
    """Return the house in single values, by key."""
    site, decision = tick.snapshot, tick.decision
    buy, sell = site.prices.buy, site.prices.sell
    readings = _all_readings(site)
    return {
        "grid_w": site.grid_w,
        "pv_w": site.pv_w,
        "load_w": site.load_w,
        "battery_w": site.battery_w,
        "soc_pct": site.soc_pct,
        "import_total_kwh": _first(r.grid.import_total_kwh for r in readings if r.grid),
        "export_total_kwh": _first(r.grid.export_total_kwh for r in readings if r.grid),
        "pv_total_kwh": _sum(r.solar.total_kwh for r in readings if r.solar),
        "import_per_kwh": _price(buy, site.at),
        "import_next_per_kwh": _next_price(buy, site.at),
        "export_per_kwh": _price(sell, site.at),
        "export_next_per_kwh": _next_price(sell, site.at),
        "decision": name_of(decision.command) if decision.command else "left to itself",
        "command": str(decision.command.mode) if decision.command else str(BatteryMode.SELF_USE),
        "reason": decision.reason[:_LONGEST_STATE],
        "strategy": decision.strategy,
        "mode": _asked_mode(site),
    }


def _asked_mode(site: SiteSnapshot) -> str:
    """Return the mode that people asked for; the newest request is the one that is heeded."""
    asked = [r for r in site.requests if r.active(site.at) and isinstance(r.want, BatteryCommand)]
    newest = max(asked, key=lambda request: request.made_at, default=None)
    if newest is None or not isinstance(newest.want, BatteryCommand):
        return AUTOMATIC
    return str(newest.want.mode)


def _all_readings(site: SiteSnapshot) -> Sequence[Reading]:
    """Return every device's reading; none at all while one is silent.

    A total of fewer devices would be smaller, and whoever counts by it would take that for a
    meter that began anew.
    """
    readings = [device.reading for device in site.devices.values()]
    return [r for r in readings if r is not None] if None not in readings else []


def _price(curve: PriceCurve | None, now: datetime) -> float | None:
    slot = curve.at(now) if curve else None
    return slot.per_kwh if slot else None


def _next_price(curve: PriceCurve | None, now: datetime) -> float | None:
    slot = curve.at(now) if curve else None
    if slot is None:
        return None
    # A price that holds for more than a day is a fixed one: the next is the same.
    return slot.per_kwh if slot.end - now > _FIXED else _price(curve, slot.end)


def _first(values: Iterable[float | None]) -> float | None:
    """Return what the first meter counted: two of one connection would count it twice."""
    return next(iter(values), None)


def _sum(values: Iterable[float | None]) -> float | None:
    given = list(values)
    known = [value for value in given if value is not None]
    return sum(known) if known and len(known) == len(given) else None
