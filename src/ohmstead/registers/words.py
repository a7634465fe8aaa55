"""How a raw value lies in 16-bit words. A word is 0 to 65535, addresses count words."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, Protocol, TypeAlias

from ohmstead.errors import NotWritable

__all__ = [
    "F16",
    "F32",
    "HHMM",
    "HOUR_MINUTE",
    "MINUTE_HOUR",
    "S8_HIGH",
    "S8_LOW",
    "S16",
    "S32",
    "S32_LOW_FIRST",
    "S64",
    "U8_HIGH",
    "U8_LOW",
    "U16",
    "U32",
    "U32_LOW_FIRST",
    "U64",
    "YES_NO",
    "YMDHMS",
    "YMDHMS_PACKED",
    "Ascii",
    "Bits",
    "Clock",
    "Float",
    "Integer",
    "Press",
    "Raw",
    "Time",
    "Truth",
    "Word",
    "bit",
]

Raw: TypeAlias = int | float | str | time | datetime | None
"""What lies in the words, before scale and names; None where the words hold no such value."""

FULL: Final = 0xFFFF


class Word(Protocol):
    """A way of packing one raw value."""

    @property
    def words(self) -> int:
        """How many words it takes."""

    @property
    def mask(self) -> int:
        """Which bits of each word it claims."""

    def unpack(self, words: Sequence[int]) -> Raw:
        """Return the raw value in *words*."""

    def pack(self, raw: Raw) -> tuple[int, ...]:
        """Return the words that hold *raw*, or raise ``NotWritable``."""


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number, high word first unless said otherwise."""

    words: int = 1
    signed: bool = False
    low_first: bool = False

    @property
    def mask(self) -> int:
        """All bits."""
        return FULL

    def unpack(self, words: Sequence[int]) -> int:
        """Return the number."""
        number = 0
        for word in reversed(words) if self.low_first else words:
            number = number << 16 | word
        top = 16 * self.words
        return number - (1 << top) if self.signed and number >> (top - 1) else number

    def pack(self, raw: Raw) -> tuple[int, ...]:
        """Return the words of a whole number that fits."""
        top = 16 * self.words
        low, high = (-(1 << top - 1), (1 << top - 1) - 1) if self.signed else (0, (1 << top) - 1)
        if not isinstance(raw, int) or not low <= raw <= high:
            raise NotWritable(f"{raw!r} does not fit into {low} to {high}")
        words = tuple(raw >> shift & FULL for shift in range(0, top, 16))
        return words if self.low_first else words[::-1]


@dataclass(frozen=True, slots=True)
class Bits:
    """*count* neighbouring bits of one word, from bit *first* (0 is the lowest) upwards."""

    first: int
    count: int = 1
    signed: bool = False

    @property
    def words(self) -> int:
        """One word, shared with others."""
        return 1

    @property
    def mask(self) -> int:
        """Its own bits only."""
        return ((1 << self.count) - 1) << self.first

    def unpack(self, words: Sequence[int]) -> int:
        """Return the number in these bits."""
        number = words[0] >> self.first & ((1 << self.count) - 1)
        return number - (1 << self.count) if self.signed and number >> self.count - 1 else number

    def pack(self, raw: Raw) -> tuple[int, ...]:
        """Return the word with these bits set and all others clear."""
        low, high = (
            (-(1 << self.count - 1), (1 << self.count - 1) - 1)
            if self.signed
            else (0, (1 << self.count) - 1)
        )
        if not isinstance(raw, int) or not low <= raw <= high:
            raise NotWritable(f"{raw!r} does not fit into {self.count} bits")
        return ((raw << self.first) & self.mask,)


@dataclass(frozen=True, slots=True)
class Float:
    """An IEEE 754 number: half precision in one word, single in two (high word first)."""

    words: int = 1

    @property
    def mask(self) -> int:
        """All bits."""
        return FULL

    def unpack(self, words: Sequence[int]) -> float | None:
        """Return the number, or None for an infinity or not-a-number."""
        (number,) = struct.unpack(self._form, struct.pack(f">{self.words}H", *words))
        assert isinstance(number, float)  # noqa: S101 - what 'e' and 'f' unpack to
        return number if abs(number) < float("inf") else None

    def pack(self, raw: Raw) -> tuple[int, ...]:
        """Return the words of the nearest number that can be held."""
        if not isinstance(raw, int | float):
            raise NotWritable(f"{raw!r} is not a number")
        try:
            return struct.unpack(f">{self.words}H", struct.pack(self._form, raw))
        except OverflowError as exc:
            raise NotWritable(f"{raw!r} is too large for a {16 * self.words}-bit float") from exc

    @property
    def _form(self) -> str:
        return ">e" if self.words == 1 else ">f"


@dataclass(frozen=True, slots=True)
class Ascii:
    """Text, two characters a word, padded with zeros or spaces; zeros may stand before it too."""

    words: int
    low_first: bool = False

    @property
    def mask(self) -> int:
        """All bits."""
        return FULL

    def unpack(self, words: Sequence[int]) -> str | None:
        """Return the text, or None where the bytes are not printable ASCII."""
        order = "<" if self.low_first else ">"
        octets = struct.pack(f"{order}{len(words)}H", *words).rstrip(b"\0 \xff").lstrip(b"\0")
        text = octets.decode("ascii", errors="replace")
        return text if text.isascii() and text.isprintable() else None

    def pack(self, raw: Raw) -> tuple[int, ...]:
        """Return the words of *raw*, padded with zeros."""
        if not isinstance(raw, str) or not raw.isascii() or len(raw) > 2 * self.words:
            raise NotWritable(f"{raw!r} is not ASCII text of at most {2 * self.words} characters")
        order = "<" if self.low_first else ">"
        return struct.unpack(f"{order}{self.words}H", raw.encode().ljust(2 * self.words, b"\0"))


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day in one word: decimal hhmm, or an hour byte and a minute byte."""

    hour_byte: int | None
    """Which byte holds the hour: 0 the low one, 1 the high one, None for decimal hhmm."""

    @property
    def words(self) -> int:
        """One word."""
        return 1

    @property
    def mask(self) -> int:
        """All bits."""
        return FULL

    def unpack(self, words: Sequence[int]) -> time | None:
        """Return the time, or None where the word holds none (25:00, 60 used as "unset")."""
        if self.hour_byte is None:
            hour, minute = divmod(words[0], 100)
        else:
            high, low = divmod(words[0], 256)
            hour, minute = (high, low) if self.hour_byte else (low, high)
        return time(hour, minute) if hour < 24 and minute < 60 else None  # noqa: PLR2004 - a day

    def pack(self, raw: Raw) -> tuple[int, ...]:
        """Return the word of a time of day."""
        if not isinstance(raw, time):
            raise NotWritable(f"{raw!r} is not a time of day")
        if self.hour_byte is None:
            return (raw.hour * 100 + raw.minute,)
        high, low = (raw.hour, raw.minute) if self.hour_byte else (raw.minute, raw.hour)
        return (high << 8 | low,)


@dataclass(frozen=True, slots=True)
class Clock:
    """A date and time of this century: year, month, day, hour, minute, second.

    One a word in six words, or two a word in three, the earlier one in the low byte.
    """

    words: int = 6

    @property
    def mask(self) -> int:
        """All bits."""
        return FULL

    def unpack(self, words: Sequence[int]) -> datetime | None:
        """Return the naive local moment, or None where the words hold none."""
        pairs = [byte for word in words for byte in (word & 0xFF, word >> 8)]
        year, month, day, hour, minute, second = words if self.words == _PARTS else pairs
        try:
            moment = datetime(2000 + year, month, day, hour, minute, second)  # noqa: DTZ001 - naive: a device's local clock
        except ValueError:
            return None
        return moment if moment.year in _THIS_CENTURY else None

    def pack(self, raw: Raw) -> tuple[int, ...]:
        """Return the words of a naive local moment."""
        if not isinstance(raw, datetime) or raw.year not in _THIS_CENTURY:
            raise NotWritable(f"{raw!r} is not a moment of this century")
        parts = (raw.year - 2000, raw.month, raw.day, raw.hour, raw.minute, raw.second)
        if self.words == _PARTS:
            return parts
        return tuple(low | high << 8 for low, high in zip(parts[::2], parts[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class Truth:
    """A whole word for yes or no: anything but zero is yes."""

    @property
    def words(self) -> int:
        """One word."""
        return 1

    @property
    def mask(self) -> int:
        """All bits."""
        return FULL

    def unpack(self, words: Sequence[int]) -> bool:
        """Tell whether it is yes."""
        return words[0] != 0

    def pack(self, raw: Raw) -> tuple[int, ...]:
        """Return one for yes, zero for no."""
        if not isinstance(raw, int):
            raise NotWritable(f"{raw!r} is neither yes nor no")
        return (int(raw != 0),)


@dataclass(frozen=True, slots=True)
class Press:
    """A word that does something when just this *code* is written to it."""

    code: int

    @property
    def words(self) -> int:
        """One word."""
        return 1

    @property
    def mask(self) -> int:
        """All bits."""
        return FULL

    def unpack(self, words: Sequence[int]) -> bool:
        """Tell whether it is being pressed."""
        return words[0] == self.code

    def pack(self, raw: Raw) -> tuple[int, ...]:
        """Return the code; not to press it cannot be written."""
        if not raw:
            raise NotWritable("a button can only be pressed")
        return (self.code,)


_PARTS: Final = 6
_THIS_CENTURY: Final = range(2000, 2100)


def bit(number: int) -> Bits:
    """Return the single bit *number* of a word, 0 being the lowest."""
    return Bits(number)


YES_NO: Final = Truth()
U16: Final = Integer()
S16: Final = Integer(signed=True)
U32: Final = Integer(2)
S32: Final = Integer(2, signed=True)
U32_LOW_FIRST: Final = Integer(2, low_first=True)
S32_LOW_FIRST: Final = Integer(2, signed=True, low_first=True)
U64: Final = Integer(4)
S64: Final = Integer(4, signed=True)
U8_LOW: Final = Bits(0, 8)
U8_HIGH: Final = Bits(8, 8)
S8_LOW: Final = Bits(0, 8, signed=True)
S8_HIGH: Final = Bits(8, 8, signed=True)
F16: Final = Float()
F32: Final = Float(2)
HHMM: Final = Time(hour_byte=None)
HOUR_MINUTE: Final = Time(hour_byte=0)
"""Hour in the low byte, minute in the high one."""
MINUTE_HOUR: Final = Time(hour_byte=1)
YMDHMS: Final = Clock()
YMDHMS_PACKED: Final = Clock(3)
