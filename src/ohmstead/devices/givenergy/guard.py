"""What stands between a dongle's odd answers and a graph: pages that cannot be true.

All of them come with a valid check sum. Sources: quirks collected by owners of several hundred
inverters, among them captures of every kind. Pure; whoever reads asks before it believes.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ohmstead.devices.givenergy.frames import INVERTER, Function
from ohmstead.devices.givenergy.units import PACK
from ohmstead.model import Value

__all__ = ["CounterGuard", "PackGuard", "empty_doubt", "is_serial", "page_doubt"]


def is_serial(text: object) -> bool:
    """Tell whether *text* is a serial number: ten letters and digits, none of them missing."""
    return isinstance(text, str) and re.fullmatch(r"[A-Z0-9]{10}", text.upper()) is not None


def page_doubt(
    place: tuple[int, Function], first: int, words: Sequence[int], before: Mapping[int, int]
) -> str | None:
    """Return why *words* from *first* on cannot be what *place* (address, function) holds.

    *before* are the words it was last heard to hold.
    """
    if len(words) >= _PAGE:
        hits = sum(words[n] in values for n, values in _PACKET.items())
        if hits > _HITS:
            return "a piece of the dongle's own network traffic"
        known = range(first, first + len(words))
        if not any(words) and any(before.get(address) for address in known):
            return "all zeros, where there were values before"
        if place == (INVERTER, Function.READ_HOLD):
            return _settings_doubt(first, words)
    if place == (INVERTER, Function.READ_INPUT) and first == 0 and len(words) >= _PAGE:
        if not any(words):
            return "all zeros"
        if not any(words[n] for n in _TOTALS) and any(before.get(n) for n in _TOTALS):
            return "no energy was ever counted, where there was some before"
    return None


class PackGuard:
    """Judges the pages of one battery pack by the ones before.

    A pack's page is put together by the inverter, and sometimes of pieces from different
    moments. Two signs of that refuse a page; one holds it back until the next says the same.
    The very first page is believed when a second agrees.
    """

    def __init__(self) -> None:
        """Begin without a page."""
        self._good: Mapping[str, Value | None] | None = None
        self._good_at = 0.0
        self._held: Mapping[str, Value | None] | None = None
        self._refused = 0
        """In how many polls, since a page was believed."""
        self._refused_at = -math.inf

    def doubt(self, first: int, words: Sequence[int], at: float) -> str | None:
        """Return why the page heard *at* cannot be believed, or None; remembers it if so."""
        values = PACK.decode(dict(enumerate(words, start=first))).values
        if not any(values.get(f"cell_{n:02}_v") for n in _CELLS) and values.get("capacity_ah"):
            return self._refuse("no cell voltages", at)
        healing = self._refused >= _HEAL_POLLS or at - self._good_at > _HEAL_S
        if self._refused < _HEAL_POLLS and not _adds_up(values):
            return self._refuse("its cells do not add up", at)
        if self._good is None or healing:
            # With nothing to compare with, a second page has to agree.
            held, self._held = self._held, values
            if held is None or _jumps(held, values):
                return "the first page of a pack waits for a second"
        elif self._refused or at - self._good_at <= _TRUST_S:
            jumps = _jumps(self._good, values)
            held, self._held = self._held, values
            if len(jumps) > 1 or (jumps and (held is None or _jumps(held, values))):
                return self._refuse(f"sudden change of {', '.join(sorted(jumps))}", at)
        self._good, self._good_at, self._held, self._refused = values, at, None, 0
        return None

    def _refuse(self, why: str, at: float) -> str:
        # A page that is refused is asked for again at once: all of that is one poll.
        if at - self._refused_at > _POLL_S:
            self._refused, self._refused_at = self._refused + 1, at
        return why


@dataclass(slots=True)
class CounterGuard:
    """Holds back counters that step back a little, as they do now and then."""

    _highest: dict[str, tuple[float, float]] = field(default_factory=dict)

    def doubts(self, values: Mapping[str, Value | None], at: float) -> Mapping[str, str]:
        """Return the counters among *values*, heard *at*, that are a step behind, and why."""
        found: dict[str, str] = {}
        for name, value in values.items():
            if not name.endswith("_kwh") or not isinstance(value, int | float):
                continue
            top, top_at = self._highest.get(name, (value, at))
            # A greater fall, or one that lasts, is a counter that began anew.
            if 0 < top - value <= _STEP_KWH and at - top_at < _STEP_S:
                found[name] = f"{value:g} is less than {top:g} a moment ago"
            else:
                self._highest[name] = (value, at)
        return found


def empty_doubt(
    values: Mapping[str, Value | None], usual: Mapping[str, float]
) -> Mapping[str, str]:
    """Doubt a battery that is empty all at once, unless its packs say so too.

    While it is calibrated it may well be.
    """
    if values.get("battery_soc_pct") != 0 or values.get("battery_calibration", "off") != "off":
        return {}
    shown = [values.get(name.format(n)) for n in range(1, 7) for name in _LEVELS]
    packs = [level for level in shown if isinstance(level, int | float)]
    before = usual.get("battery_soc_pct")
    if packs and max(packs) <= _EMPTY_PCT:
        return {}
    if before is not None and before <= _EMPTY_PCT:
        return {}
    after = "at first" if before is None else f"all at once, after {before:g} %"
    return {"battery_soc_pct": f"0 % {after}"}


_LEVELS: Final = ("battery_{}_soc_pct", "stack_{}_highest_soc_pct")
_EMPTY_PCT: Final = 5
_PAGE: Final = 60
_PACKET: Final[Mapping[int, tuple[int, ...]]] = {
    28: (0x4C32,), 30: (0xA119,), 31: (0x34EA,), 32: (0xE77F,), 33: (0xD475,), 35: (0x4500,),
    40: (0xE4F9, 0xB619), 41: (0xC0A8,), 43: (0xC0A8,), 46: (0xC5E9,), 50: (0x60EF, 0x503C),
    51: (0x8018,), 52: (0x43E0,), 53: (0xF6CE,), 56: (0x080A,), 58: (0xFCC1,), 59: (0x661E,),
}  # fmt: skip
"""An IPv4 header, 192.168, the flags and time stamps of TCP: seen where registers belong."""
_HITS: Final = 5
_SET_ANYWAY: Final = frozenset({60, 240, 300})
"""Pages of settings that are never all zero where they exist; some firmware answers for others."""
_TOTALS: Final = (6, 7, 11, 12, 21, 22, 27, 28, 32, 33, 45, 46)
_MOST_ADDRESS: Final = 247
"""A Modbus address; register 30 held more only in pages that were nonsense throughout."""

_CELLS: Final = range(1, 17)
_TRUST_S: Final = 300.0
"""A page older than this says nothing about what can be true now."""
_HEAL_S: Final = 900.0
_HEAL_POLLS: Final = 10
_POLL_S: Final = 5.0
_SUM_V: Final = 2.0
_JUMPS: Final[Mapping[str, float]] = {
    **{f"cell_{n:02}_v": 0.3 for n in _CELLS},
    **{f"cells_{4 * n + 1:02}_{4 * n + 4:02}_c": 5.0 for n in range(4)},
    "mosfet_c": 20.0,
    "cells_v": 1.6,
    "soc_pct": 10.0,
    "charge_total_kwh": 5.0,
    "discharge_total_kwh": 5.0,
    "out_v": 4.0,
    "capacity_ah": 15.0,
    "cell_count": 0.0,
    "firmware": 0.0,
}
"""What can change from one poll to the next, at most."""
_STEP_KWH: Final = 0.25
_STEP_S: Final = 600.0


def _settings_doubt(first: int, words: Sequence[int]) -> str | None:
    if first in _SET_ANYWAY:
        return None if any(words) else "all zeros"
    if first != 0:
        return None
    serial = b"".join(word.to_bytes(2, "big") for word in words[13:18])
    if not words[0] or not is_serial(serial.decode("latin-1")):
        return "no device type or serial number"
    if words[30] > _MOST_ADDRESS:
        return f"Modbus address {words[30]}"
    return None


def _adds_up(values: Mapping[str, Value | None]) -> bool:
    """Tell whether the voltage of all cells is the sum of theirs, as far as both are shown."""
    whole = values.get("cells_v")
    shown = [values.get(f"cell_{n:02}_v") for n in _CELLS]
    cells = [volts for volts in shown if isinstance(volts, int | float)]
    if not isinstance(whole, int | float) or len(cells) != values.get("cell_count"):
        return True
    return abs(sum(cells) - whole) <= _SUM_V


def _jumps(before: Mapping[str, Value | None], now: Mapping[str, Value | None]) -> set[str]:
    """Return what changed by more than it can; the serial number among it."""
    jumped = {
        name
        for name, most in _JUMPS.items()
        if isinstance(old := before.get(name), int | float)
        and isinstance(new := now.get(name), int | float)
        and abs(new - old) > most
    }
    vanished = {
        name for name in _JUMPS if name.endswith("_c") and before.get(name) and now.get(name) == 0
    }
    return jumped | vanished | ({"serial"} if before.get("serial") != now.get("serial") else set())
