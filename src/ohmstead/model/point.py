"""A point: one named value of a device, described once, for everything that shows it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from ohmstead.errors import NotWritable

__all__ = [
    "UNITS",
    "Button",
    "Category",
    "Choice",
    "Instant",
    "Kind",
    "Point",
    "Range",
    "Switch",
    "Text",
    "TimeOfDay",
    "Value",
    "Writable",
    "shown",
    "unit_of",
]

Value: TypeAlias = bool | int | float | str | time | datetime
"""What a point can hold. Flags are one string, names joined by ", "; a local wall-clock moment
of a device is a naive ``datetime``, a time of day a ``time``."""

UNITS: Mapping[str, str] = MappingProxyType(
    {
        "_w": "W",
        "_va": "VA",
        "_var": "var",
        "_wh": "Wh",
        "_kwh": "kWh",
        "_v": "V",
        "_mv": "mV",
        "_a": "A",
        "_ma": "mA",
        "_ah": "Ah",
        "_hz": "Hz",
        "_c": "°C",
        "_pct": "%",
        "_per_kwh": "/kWh",
        "_s": "s",
        "_min": "min",
        "_h": "h",
        "_days": "d",
        "_kwp": "kWp",
        "_dbm": "dBm",
        "_rpm": "rpm",
        "_ohm": "Ω",
    }
)
"""A name's last word, and the unit it says."""


def shown(value: Value | None) -> str:
    """Return *value* as a person reads it.

    >>> shown(90.0), shown(True), shown(time(23, 30)), shown(None)
    ('90', 'on', '23:30', '–')
    """
    match value:
        case None:
            return "–"
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case time():
            return f"{value:%H:%M}"
        case _:
            return str(value)


def unit_of(name: str) -> str | None:
    """Return the unit that the last word of *name* says, or None for a bare number or text.

    >>> unit_of("battery_w"), unit_of("price_per_kwh"), unit_of("status")
    ('W', '/kWh', None)
    """
    for suffix in ("_per_kwh", "_" + name.rpartition("_")[2]):
        if name.endswith(suffix) and suffix in UNITS:
            return UNITS[suffix]
    return None


class Kind(StrEnum):
    """What sort of value a point is."""

    MEASUREMENT = "measurement"
    TOTAL = "total"
    """Counts up; a fall means that the device began to count again (midnight, a new meter)."""
    STATE = "state"
    SETTING = "setting"


class Category(StrEnum):
    """Who looks at a point."""

    MAIN = "main"
    DIAGNOSTIC = "diagnostic"
    CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from *low* to *high*, both included, in steps."""

    low: float
    high: float
    step: float = 1

    def check(self, value: Value) -> Value:
        """Return *value* as a number inside the range, or raise ``NotWritable``."""
        number = _number(value)
        if not self.low <= number <= self.high:
            raise NotWritable(f"{value} is outside {self.low:g} to {self.high:g}")
        return number


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few names."""

    options: tuple[str, ...]

    def check(self, value: Value) -> Value:
        """Return *value* if it is one of the options, or raise ``NotWritable``."""
        if value not in self.options:
            raise NotWritable(f"{value!r} is none of {', '.join(self.options)}")
        return value


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    def check(self, value: Value) -> Value:
        """Return *value* as a bool, or raise ``NotWritable``."""
        word = value.strip().lower() if isinstance(value, str) else value
        for answer, words in ((True, _ON), (False, _OFF)):
            if word in words:
                return answer
        raise NotWritable(f"{value!r} is neither on nor off")


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """A local time, to the minute."""

    def check(self, value: Value) -> Value:
        """Return *value* as a ``time``; text is taken as HH:MM. Raise ``NotWritable`` if not."""
        if isinstance(value, str):
            try:
                value = time.fromisoformat(value.strip())
            except ValueError as exc:
                raise NotWritable(f"{value!r} is not a time of day; write it as 23:30") from exc
        if not isinstance(value, time):
            raise NotWritable(f"{value!r} is not a time of day; write it as 23:30")
        return value.replace(second=0, microsecond=0, tzinfo=None)


@dataclass(frozen=True, slots=True)
class Instant:
    """A date and time on the device's own, local clock."""

    def check(self, value: Value) -> Value:
        """Return *value* as a naive local ``datetime``, or raise ``NotWritable``."""
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value.strip())
            except ValueError as exc:
                raise NotWritable(
                    f"{value!r} is not a date and time; write it as 2026-11-21T17:30:00"
                ) from exc
        if not isinstance(value, datetime) or value.tzinfo is not None:
            raise NotWritable(f"{value!r} is not a local date and time without a zone")
        return value.replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Text:
    """Up to *length* printable characters of ASCII."""

    length: int

    def check(self, value: Value) -> Value:
        """Return *value* if it fits, or raise ``NotWritable``."""
        short = isinstance(value, str) and len(value) <= self.length
        if not (short and str(value).isascii() and str(value).isprintable()):
            raise NotWritable(f"{value!r} is not text of at most {self.length} ASCII characters")
        return value


@dataclass(frozen=True, slots=True)
class Button:
    """Something that happens when pressed: restart, calibrate. Written as true only."""

    def check(self, value: Value) -> Value:
        """Return True, or raise ``NotWritable``."""
        if Switch().check(value) is not True:
            raise NotWritable("a button can only be pressed: write true")
        return True


Writable: TypeAlias = Range | Choice | Switch | TimeOfDay | Instant | Text | Button
"""What may be written to a point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One named value of a device.

    Topics, entities, metrics, the REST schema, the settings page and the docs are generated
    from points, so a family is described once.
    """

    key: str
    label: str
    kind: Kind = Kind.MEASUREMENT
    category: Category = Category.MAIN
    writable: Writable | None = None
    options: tuple[str, ...] = ()
    """The names a state can take, when they are known."""
    on_off: bool = False
    """It is on or off, whether or not it may be written."""
    opt_in: bool = False
    """Writable only when the owner allowed configuration to be changed on this device."""

    @property
    def unit(self) -> str | None:
        """The unit, as the key's last word says it."""
        return unit_of(self.key)

    def check(self, value: Value) -> Value:
        """Return *value* in the type this point takes, or raise ``NotWritable`` saying why."""
        if self.writable is None:
            remedy = (
                ": it configures the plant, which needs `allow_configuration: true` on the device"
                if self.opt_in
                else ""
            )
            raise NotWritable(f"{self.key} can only be read{remedy}")
        try:
            return self.writable.check(value)
        except NotWritable as exc:
            raise NotWritable(f"{self.key}: {exc}") from exc


_ON = (True, 1, "on", "true", "yes", "y", "t", "1")
_OFF = (False, 0, "off", "false", "no", "n", "f", "0")


def _number(value: Value) -> float:
    if isinstance(value, bool | time | datetime):
        raise NotWritable(f"{value!r} is not a number")
    try:
        number = float(value)
    except (ValueError, OverflowError) as exc:
        raise NotWritable(f"{value!r} is not a number") from exc
    if not math.isfinite(number):
        raise NotWritable(f"{value!r} is not a finite number")
    return number
