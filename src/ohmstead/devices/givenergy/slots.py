"""Times as this firmware has them: "unset" put right before a table reads it, clocks that go on."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from ohmstead.model import Value
from ohmstead.registers import HHMM, RegisterTable

__all__ = ["pair_of", "ticked", "tidied"]


def tidied(words: Mapping[int, int], table: RegisterTable) -> Mapping[int, int]:
    """Return *words* with unset slots as 00:00 to 00:00, and the clock's year in two digits.

    Firmware says "unset" with 60 or other minutes that do not exist; 2400 is the end of a day.
    Old software wrote the whole year.
    """
    changed: dict[int, int] = {}
    for first, last in _slots(table):
        ends = [words.get(first), words.get(last)]
        tidy = [0 if word == _DAY_END else word for word in ends]
        if any(word is not None and not _is_time(word) for word in tidy):
            tidy = [None if word is None else 0 for word in tidy]
        changed |= {
            address: word
            for address, word, old in zip((first, last), tidy, ends, strict=True)
            if word is not None and word != old
        }
    if words.get(_YEAR, 0) >= _CENTURY and "clock" in table:
        changed[_YEAR] = words[_YEAR] - _CENTURY
    return {**words, **changed} if changed else words


def pair_of(name: str) -> str | None:
    """Return the other end of the slot whose one end is called *name*; None if it is none.

    >>> pair_of("charge_slot_1_start"), pair_of("charge_enabled")
    ('charge_slot_1_end', None)
    """
    for one, other in (("_start", "_end"), ("_end", "_start")):
        if "slot" in name and name.endswith(one):
            return name.removesuffix(one) + other
    return None


def ticked(shown: Value | None, wanted: Value) -> bool:
    """Tell whether *shown* is a clock that was set to *wanted* and has gone on since."""
    return (
        isinstance(shown, datetime)
        and isinstance(wanted, datetime)
        and timedelta(0) <= shown - wanted <= _TICKS
    )


_TICKS: Final = timedelta(seconds=15)
_YEAR: Final = 35
_CENTURY: Final = 2_000
_DAY_END: Final = 2_400


@cache
def _slots_of(names: tuple[tuple[str, int], ...]) -> tuple[tuple[int, int], ...]:
    addresses = dict(names)
    return tuple(
        (address, addresses[other])
        for name, address in names
        if name.endswith("_start") and (other := pair_of(name)) in addresses
    )


def _slots(table: RegisterTable) -> tuple[tuple[int, int], ...]:
    return _slots_of(tuple((row.name, row.address) for row in table if row.word is HHMM))


def _is_time(word: int) -> bool:
    return word // 100 < 24 and word % 100 < 60  # noqa: PLR2004 - hours and minutes
