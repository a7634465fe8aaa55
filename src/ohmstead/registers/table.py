"""A register row and a table of them: the one description of a device's words."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from ohmstead.errors import NotWritable
from ohmstead.model import Category, Kind, Point, Range, Switch, Value, Writable, unit_of
from ohmstead.registers.words import U16, Bits, Integer, Raw, Word

__all__ = ["Decoded", "Register", "RegisterTable", "RegisterWrite", "claims"]


@dataclass(frozen=True, slots=True)
class Register:
    """One named value of a device.

    The name ends in its unit (``battery_w``, ``min_soc_pct``), already in the sign convention
    of ``ohmstead.model``; a vendor that counts the other way gets a negative scale.
    """

    name: str
    address: int
    word: Word = U16
    scale: float = 1.0
    """The value is the raw number times this, plus *offset*."""
    writable: Writable | None = None
    options: Mapping[int, str] | None = None
    """Names for raw numbers; a number without one is shown as the number."""
    flags: Mapping[int, str] | None = None
    """Names for single bits, 0 the lowest; the value lists those that are set."""
    plausible: Range | None = None
    """What the value can be at all; anything else is noise, and becomes None."""
    kind: Kind | None = None
    """Said only where it does not follow from the rest."""
    category: Category = Category.MAIN
    label: str = ""
    opt_in: bool = False
    """Writable only when the owner allowed configuration to be changed."""
    offset: float = 0.0
    aka: str = ""
    """The key under which other software knows it."""

    @property
    def addresses(self) -> range:
        """The words it lies in."""
        return range(self.address, self.address + self.word.words)

    @property
    def point(self) -> Point:
        """What everything outside the family sees of it."""
        return Point(
            key=self.name,
            label=self.label or _label(self.name),
            kind=self.kind or self._kind,
            category=self.category,
            writable=self.writable,
            options=tuple(self.options.values()) if self.options else (),
            on_off=(self._is_bit and not self.options) or isinstance(self.writable, Switch),
            opt_in=self.opt_in,
        )

    def decode(self, words: Mapping[int, int]) -> Value | None:
        """Return the value in *words* (by address), or None where they hold none."""
        raw = self.word.unpack([words[address] for address in self.addresses])
        if self.flags is not None and isinstance(raw, int):
            return ", ".join(name for n, name in self.flags.items() if raw >> n & 1)
        if self.options is not None and isinstance(raw, int):
            return self.options.get(raw, str(raw))
        if isinstance(self.writable, Switch) or self._is_bit:
            return bool(raw)
        if isinstance(raw, int | float):
            return _scaled(raw, self.scale, self.offset)
        return raw

    def encode(self, value: Value) -> tuple[int, ...]:
        """Return the words that hold *value*, which need not be writable."""
        raw: Raw
        if self.flags is not None:
            raw = self._set_bits(str(value), self.flags)
        elif self.options is not None and isinstance(value, str):
            raw = self._option(value)
        elif isinstance(value, bool):
            raw = int(value)
        elif isinstance(value, int | float):
            raw = self._unscaled(value)
        else:
            raw = value
        try:
            return self.word.pack(raw)
        except NotWritable as exc:
            raise NotWritable(f"{self.name}: {exc}") from exc

    @property
    def _is_bit(self) -> bool:
        return isinstance(self.word, Bits) and self.word.count == 1

    @property
    def _kind(self) -> Kind:
        if self.writable is not None:
            return Kind.SETTING
        if self.options or self.flags or self._is_bit:
            return Kind.STATE
        if self.name.endswith("_kwh") and not self.name.endswith("per_kwh"):
            return Kind.TOTAL
        return Kind.MEASUREMENT if unit_of(self.name) else Kind.STATE

    def _unscaled(self, value: float) -> int | float:
        if not math.isfinite(value):
            raise NotWritable(f"{self.name}: {value!r} is not a finite number")
        raw = (value - self.offset) / self.scale
        return round(raw) if isinstance(self.word, Integer | Bits) else raw

    def _set_bits(self, value: str, flags: Mapping[int, str]) -> int:
        names = {name.strip() for name in value.split(",") if name.strip()}
        for name in sorted(names - set(flags.values())):
            raise NotWritable(f"{self.name}: {name!r} is none of {', '.join(flags.values())}")
        return sum(1 << n for n, name in flags.items() if name in names)

    def _option(self, value: str) -> int:
        assert self.options is not None  # noqa: S101 - asked only where there are options
        for number, name in self.options.items():
            if name == value:
                return number
        if value.isdecimal():
            return int(value)
        raise NotWritable(f"{self.name}: {value!r} is none of {', '.join(self.options.values())}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterWrite:
    """Words for one register. Only the bits in *mask* may change; the rest must be kept."""

    register: Register
    words: tuple[int, ...]
    mask: int

    def over(self, present: tuple[int, ...]) -> tuple[int, ...]:
        """Return *present* with this write's bits in place."""
        return tuple(old & ~self.mask | new for old, new in zip(present, self.words, strict=True))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Values by register name; for a None among them, why."""

    values: Mapping[str, Value | None]
    doubts: Mapping[str, str]


@dataclass(frozen=True)
class RegisterTable:
    """All registers of one kind of device in one address space."""

    family: str
    rows: tuple[Register, ...]
    space: str = "holding"
    """Which of the device's address spaces: most have ``input`` and ``holding``."""
    _by_name: Mapping[str, Register] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the rows by name."""
        by_name = {row.name: row for row in self.rows}
        if len(by_name) != len(self.rows):
            raise ValueError(f"{self.family}: two registers share a name")
        object.__setattr__(self, "_by_name", by_name)

    def __iter__(self) -> Iterator[Register]:
        """Go through the rows as written."""
        return iter(self.rows)

    def __contains__(self, name: object) -> bool:
        """Tell whether a register is called *name*."""
        return name in self._by_name

    def __getitem__(self, name: str) -> Register:
        """Return the register called *name*."""
        return self._by_name[name]

    def replacing(self, *rows: Register) -> "RegisterTable":
        """Return this table with *rows* instead of whatever shares a bit with them."""
        taken = {claim for row in rows for claim in claims(row)}
        kept = [row for row in self.rows if not taken & set(claims(row))]
        merged = sorted(
            [*kept, *rows], key=lambda row: (row.address, row.word.mask & -row.word.mask)
        )
        return RegisterTable(self.family, tuple(merged), self.space)

    def prefixed(self, prefix: str, space: str) -> "RegisterTable":
        """Return this table for one of several alike: every name behind *prefix*."""
        rows = tuple(replace(row, name=prefix + row.name) for row in self.rows)
        return RegisterTable(self.family, rows, space)

    def decode(self, words: Mapping[int, int]) -> Decoded:
        """Return every value whose words are all in *words*; implausible ones as None."""
        values: dict[str, Value | None] = {}
        doubts: dict[str, str] = {}
        for row in self.rows:
            if any(address not in words for address in row.addresses):
                continue
            value = row.decode(words)
            if value is None:
                doubts[row.name] = f"the device shows no valid value ({_hex(row, words)})"
            elif row.plausible is not None and not _plausible(value, row.plausible):
                doubts[row.name] = (
                    f"{value} is not between {row.plausible.low:g} and {row.plausible.high:g}"
                )
                value = None
            values[row.name] = value
        return Decoded(values, doubts)

    def encode(self, **values: Value) -> tuple[RegisterWrite, ...]:
        """Return the writes for *values*, in the order given, each checked against its range.

        Raises ``NotWritable`` before anything can be sent.
        """
        writes = []
        for name, value in values.items():
            if name not in self:
                raise NotWritable(f"{self.family} has no setting {name}")
            row = self[name]
            words = row.encode(row.point.check(value))
            writes.append(RegisterWrite(register=row, words=words, mask=row.word.mask))
        return tuple(writes)

    def blocks(
        self, most: int = 125, *, gap: int = 8, boundary: int | None = None
    ) -> tuple[range, ...]:
        """Return the fewest address ranges that hold every register.

        At most *most* words each; a hole of up to *gap* words is read along. With *boundary*
        no block crosses a multiple of it, unless a single register does.
        """
        blocks: list[range] = []
        for row in sorted(self.rows, key=lambda row: row.address):
            span = row.addresses
            if blocks:
                start, stop = blocks[-1].start, max(blocks[-1].stop, span.stop)
                apart = boundary is not None and start // boundary != (stop - 1) // boundary
                if stop - start <= most and span.start - blocks[-1].stop <= gap and not apart:
                    blocks[-1] = range(start, stop)
                    continue
            blocks.append(span)
        return tuple(blocks)


def claims(row: Register) -> Iterable[tuple[int, int]]:
    """Yield every (address, bit) that *row* lies on."""
    for address in row.addresses:
        for number in range(16):
            if row.word.mask >> number & 1:
                yield address, number


def _label(name: str) -> str:
    words = name.split("_")
    if unit_of(name):
        words = words[: -2 if name.endswith("_per_kwh") else -1]
    text = " ".join(_SPELT.get(word, word) for word in words)
    return text[:1].upper() + text[1:]


_SPELT = {
    "ac": "AC", "bms": "BMS", "ct": "CT", "dc": "DC", "eps": "EPS", "pv": "PV", "soc": "SoC",
    "soh": "SoH", "id": "ID", "kw": "kW", "cpu": "CPU", "lcd": "LCD",
}  # fmt: skip


def _scaled(raw: float, scale: float, offset: float) -> float:
    if scale == 1 and not offset:
        return raw
    if scale == int(scale) and offset == int(offset):
        return raw * int(scale) + int(offset) if isinstance(raw, int) else raw * scale + offset
    # A scale of 0.1 shall give 50.6, not 50.6 and a trail of binary dust.
    return round(raw * scale + offset, 6)


def _plausible(value: Value, bounds: Range) -> bool:
    return bounds.low <= cast("float", value) <= bounds.high


def _hex(row: Register, words: Mapping[int, int]) -> str:
    return " ".join(f"{words[address]:04x}" for address in row.addresses)
