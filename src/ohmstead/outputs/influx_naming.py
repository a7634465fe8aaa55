"""What lines of the database are called: our own names, and what every naming is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from ohmstead.model import DeviceSnapshot, Point, Reading, SiteSnapshot, Value
from ohmstead.outputs.line_protocol import FieldValue, Line

__all__ = ["News", "as_fields", "number", "ohmstead_lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The house at one moment, and what is new in it."""

    site: str
    snapshot: SiteSnapshot
    points: Mapping[str, Mapping[str, Point]]
    """The points of every device, by its name and their key."""
    fresh: Sequence[tuple[DeviceSnapshot, Reading]]
    """The devices that have said something new; never empty."""


def ohmstead_lines(news: News) -> list[Line]:
    """Return one line a device, named for its family, and one named ``ohmstead`` for the house."""
    snapshot = news.snapshot
    prices = {
        f"price_{name}_per_kwh": slot.per_kwh
        for name, curve in (("import", snapshot.prices.buy), ("export", snapshot.prices.sell))
        if curve is not None and (slot := curve.at(snapshot.at)) is not None
    }
    house = {
        "grid_w": snapshot.grid_w,
        "pv_w": snapshot.pv_w,
        "load_w": snapshot.load_w,
        "battery_w": snapshot.battery_w,
        "battery_soc_pct": snapshot.soc_pct,
        "mode": snapshot.mode,
        **prices,
    }
    devices = [
        Line(
            measurement=device.family,
            tags={"site": news.site, "device": device.name},
            fields=as_fields(reading.values),
            at=reading.at,
        )
        for device, reading in news.fresh
    ]
    tags = {"site": news.site}
    return [
        *devices,
        Line(measurement="ohmstead", tags=tags, fields=as_fields(house), at=snapshot.at),
    ]


def as_fields(values: Mapping[str, Value | None]) -> dict[str, FieldValue]:
    """Return *values* as fields whose type never changes, without what nobody measured.

    A database refuses a field that was a number and becomes text, or an integer that becomes a
    float. So ``name`` is always a float (on is 1, off is 0), and words go to ``name_text``.
    """
    fields: dict[str, FieldValue] = {}
    for name, value in values.items():
        match value:
            case None:
                continue
            case int() | float():
                fields[name] = float(value)
            case time() | datetime():
                fields[f"{name}_text"] = value.isoformat()
            case _:
                fields[f"{name}_text"] = str(value)
    return fields


def number(values: Mapping[str, Value | None], *keys: str) -> float | None:
    """Return the first of *keys* that is a number, or None."""
    for key in keys:
        value = values.get(key)
        if isinstance(value, int | float):
            return float(value)
    return None
