"""What GivTCP's users send to a control: JSON, or bare text, as MQTT and older clients do."""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, time
from typing import Final, TypeAlias

from ohmstead.errors import RequestError

__all__ = [
    "Given",
    "clock_of",
    "field_of",
    "given_of",
    "moment_of",
    "number_of",
    "state_of",
    "word_of",
]

Given: TypeAlias = Mapping[str, object]
"""A body's fields; a bare value stands under the empty name."""

_PRINTED: Final = re.compile(r'\{\s*"(\w+)"\s*,\s*"([^"]*)"\s*\}')
"""The first README printed ``{"state","enable"}``, and people sent that."""
_ON: Final = frozenset({"enable", "enabled", "on", "true", "1"})
_OFF: Final = frozenset({"disable", "disabled", "off", "false", "0"})
_DIGITS: Final = re.compile(r"\d{1,4}|\d{6}", re.ASCII)
_COLONS: Final = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?", re.ASCII)
_MOMENTS: Final = ("%d/%m/%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


def given_of(body: str) -> Given:
    """Return the fields of *body*."""
    text = body.strip()
    if printed := _PRINTED.fullmatch(text):
        return {printed[1]: printed[2]}
    try:
        parsed = json.loads(text) if text else ""
    except (ValueError, RecursionError):
        parsed = text
    return parsed if isinstance(parsed, dict) else {"": parsed}


def field_of(given: Given, *keys: str) -> object:
    """Return the first of *keys* that says something, or the bare value."""
    for key in (*keys, ""):
        found = given.get(key)
        if found is not None and found != "":
            return found
    raise RequestError(f"say {' or '.join(keys)}")


def word_of(given: Given, *keys: str) -> str:
    """Return a word, in small letters."""
    return str(field_of(given, *keys)).strip().lower()


def number_of(given: Given, *keys: str) -> float:
    """Return a number."""
    found = field_of(given, *keys)
    try:
        number = float(str(found))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise RequestError(f"{_short(found)} is not a number")
    return number


def state_of(given: Given) -> bool:
    """Return whether something shall be on."""
    word = word_of(given, "state")
    if word in _ON | _OFF:
        return word in _ON
    raise RequestError(f"{_short(word)} is neither enable nor disable")


def clock_of(given: Given, *keys: str) -> time:
    """Return a time of day, whichever way it is written: 0130, 01:30, 01:30:00, 24:00."""
    found = str(field_of(given, *keys)).strip()
    if match := _COLONS.fullmatch(found):
        hour, minute = int(match[1]), int(match[2])
    elif _DIGITS.fullmatch(found):
        digits = found.zfill(4)
        hour, minute = int(digits[:2]), int(digits[2:4])
    else:
        hour, minute = -1, 0
    if (hour, minute) == (24, 0):  # the end of a day
        hour = 0
    if 0 <= hour < 24 and minute < 60:  # noqa: PLR2004 - a day
        return time(hour, minute)
    raise RequestError(f"{_short(found)} is not a time of day; write it as 16:30")


def moment_of(given: Given) -> datetime:
    """Return a moment on the device's own clock, which knows no zone."""
    text = str(field_of(given, "dateTime")).strip()
    for form in _MOMENTS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the device's clock has no zone
        except ValueError:
            continue
    raise RequestError(f"{_short(text)} is not a moment; write it as 31/12/2026 23:59:00")


def _short(said: object) -> str:
    text = repr(said)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_LONGEST: Final = 60
