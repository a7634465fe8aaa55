"""InfluxDB's line protocol: ``measurement,tag=value field=1.0 1782043200000000000``."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

__all__ = ["FieldValue", "Line", "Precision", "encode"]

FieldValue: TypeAlias = bool | int | float | str
"""What a field can hold; an int is written as an integer, with an ``i``."""

Precision: TypeAlias = Literal["ns", "us", "ms", "s"]
"""What one unit of a timestamp is."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PER_MICROSECOND: Final[Mapping[Precision, tuple[int, int]]] = {
    "ns": (1_000, 1),
    "us": (1, 1),
    "ms": (1, 1_000),
    "s": (1, 1_000_000),
}
_INTEGERS: Final = 1 << 63
_IN_MEASUREMENT: Final = str.maketrans({",": r"\,", " ": r"\ "})
_IN_NAME: Final = str.maketrans({",": r"\,", " ": r"\ ", "=": r"\="})
_PLAIN: Final = str.maketrans({"\\": "/", '"': "'"})
_IN_TEXT: Final = str.maketrans({'"': r"\"", "\\": r"\\"})
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One point in time of one measurement."""

    measurement: str
    fields: Mapping[str, FieldValue]
    at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)


def encode(lines: Iterable[Line], precision: Precision = "ns") -> list[str]:
    """Return *lines* as text, each without its line break; one without a field is left out.

    Line breaks and other control characters become a space. In names a backslash becomes a
    slash: at the end of a name it would escape what follows, and servers disagree on whether
    two of them mean one. They disagree on a quote in a name too, so it becomes an apostrophe.
    Numbers that are not finite and empty tags are left out, as the
    protocol has no way to write them.
    """
    texts = (_encoded(line, precision) for line in lines)
    return [text for text in texts if text is not None]


def _encoded(line: Line, precision: Precision) -> str | None:
    written = [
        f"{key}={value}"
        for name, given in line.fields.items()
        if (key := _name(name)) and (value := _value(given)) is not None
    ]
    measurement = _measurement(line.measurement)
    if not written or not measurement:
        return None
    # Sorted tags spare the server the sorting.
    tags = "".join(
        f",{key}={value}"
        for name, given in sorted(line.tags.items())
        if (key := _name(name)) and (value := _name(given))
    )
    return f"{measurement}{tags} {','.join(written)} {_timestamp(line.at, precision)}"


def _measurement(name: str) -> str:
    # A line that begins with # is a comment, and the protocol has no escape for it.
    plain = _plain(name)
    return ("_" + plain[1:] if plain.startswith("#") else plain).translate(_IN_MEASUREMENT)


def _name(name: str) -> str:
    return _plain(name).translate(_IN_NAME)


def _plain(name: str) -> str:
    return _BREAKS.sub(" ", name).strip().translate(_PLAIN)


def _value(value: FieldValue) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case int() if -_INTEGERS <= value < _INTEGERS:
            return f"{value}i"
        case int() | float():
            return repr(float(value)) if math.isfinite(value) else None
        case _:
            return f'"{_BREAKS.sub(" ", value).translate(_IN_TEXT)}"'


def _timestamp(at: datetime, precision: Precision) -> int:
    times, by = _PER_MICROSECOND[precision]
    return (at - _EPOCH) // timedelta(microseconds=1) * times // by
