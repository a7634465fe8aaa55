"""Values as MQTT carries them: plain text a topic, JSON a device."""

import json
from collections.abc import Mapping
from datetime import datetime, time, tzinfo

from ohmstead.model import Instant, Point, Value

__all__ = ["as_json", "as_text", "local_instant", "plain"]


def as_text(value: Value | None, timezone: tzinfo) -> str:
    """Return *value* as the payload of its own topic; empty when nobody measured it.

    An empty payload also takes the retained message away, so that nobody who comes later
    mistakes an old value for a new one. A text that is empty, like a list of faults, is
    ``none``.
    """
    if value is None:
        return ""
    shown = plain(value, timezone)
    match shown:
        case bool():
            return "on" if shown else "off"
        case "":
            return "none"
        case str():
            return shown
        case _:
            return repr(shown)


def as_json(values: Mapping[str, object]) -> str:
    """Return a snapshot."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def plain(value: Value | None, timezone: tzinfo) -> bool | float | str | None:
    """Return *value* as JSON has it: a time as HH:MM, a moment with its offset from UTC.

    A whole number is written as one; binary noise beyond the sixth decimal is left out.
    """
    match value:
        case bool() | int() | str() | None:
            return value
        case datetime():
            zoned = value if value.tzinfo else value.replace(tzinfo=timezone)
            return zoned.isoformat(timespec="seconds")
        case time():
            return f"{value:%H:%M}"
        case _:
            rounded = round(value, 6)
            return int(rounded) if rounded.is_integer() else rounded


def local_instant(point: Point, text: str, timezone: tzinfo) -> str:
    """Return *text* as the device's own clock would have it, where *point* is a moment.

    We publish moments with their offset; what comes back with one is taken to the zone.
    """
    if not isinstance(point.writable, Instant):
        return text
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return text  # the point itself will say what is wrong with it
    if moment.tzinfo is None:
        return text
    try:
        return moment.astimezone(timezone).replace(tzinfo=None).isoformat()
    except OverflowError:
        return text
