"""Columns of numbers as few bytes: exact, and quick without a numeric library.

Readings are short decimals (2304.5 W), so a column is kept as whole numbers of its last decimal,
each less the one before it. The bytes are then laid out plane by plane (all first bytes, all
second bytes, …), which leaves long runs of zeros for zlib.
"""

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import sub

from ohmstead.errors import HistoryError

__all__ = ["Unpacker", "pack", "pack_wholes", "restored", "squeeze", "stepped", "steps"]

_MOST_DECIMALS = 6
_MOST_WHOLE = 2**53
"""Up to here a float counts every whole number."""
_AS_FLOATS = 255
_ALL_ONE = 254
"""All values are the same one."""
_ONE = struct.Struct("<d")
_SIZE = 8


def stepped(values: Sequence[float]) -> tuple[int, list[int]]:
    """Return how *values* are kept and the whole numbers that stand for them."""
    for decimals in range(_MOST_DECIMALS + 1):
        wholes = _as_wholes(values, 10**decimals)
        if wholes is not None:
            return decimals, steps(wholes)
    return _AS_FLOATS, array("q", array("d", values).tobytes()).tolist()


def restored(how: int, kept: Sequence[int]) -> list[float]:
    """Return the values that ``stepped`` was given."""
    if how == _AS_FLOATS:
        return array("d", array("q", kept).tobytes()).tolist()
    if how == 0:
        return [float(whole) for whole in accumulate(kept)]
    scale = 10**how
    return [whole / scale for whole in accumulate(kept)]


def steps(wholes: Sequence[int]) -> list[int]:
    """Return each of *wholes* less the one before it."""
    return [*wholes[:1], *map(sub, wholes[1:], wholes)]


def pack(values: Sequence[float]) -> bytes:
    """Return *values* as bytes, so that an ``Unpacker`` gives exactly them back."""
    if values and values.count(values[0]) == len(values):
        return bytes((_ALL_ONE,)) + _ONE.pack(values[0])
    how, kept = stepped(values)
    return bytes((how,)) + pack_wholes(kept)


def pack_wholes(wholes: Sequence[int]) -> bytes:
    """Return whole numbers, small ones if possible, as bytes."""
    column = array("q", wholes)
    if sys.byteorder == "big":
        column.byteswap()
    raw = column.tobytes()
    return b"".join(raw[plane::_SIZE] for plane in range(_SIZE))


def squeeze(parts: Iterable[bytes]) -> bytes:
    """Return *parts* as one compressed piece."""
    return zlib.compress(b"".join(parts), 6)


class Unpacker:
    """Reads back, in the same order, what was packed."""

    def __init__(self, squeezed: bytes) -> None:
        """Begin with the first column of *squeezed*, or raise ``HistoryError``."""
        try:
            self._data = zlib.decompress(squeezed)
        except zlib.error as exc:
            raise HistoryError(f"a piece of the history is damaged: {exc}") from exc
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next *count* bytes as they are."""
        piece = self._data[self._at : self._at + count]
        if len(piece) < count:
            raise HistoryError("a piece of the history is cut short")
        self._at += count
        return piece

    @property
    def left(self) -> int:
        """How many bytes are still to be read."""
        return len(self._data) - self._at

    def numbers(self, count: int) -> list[float]:
        """Return the next column that ``pack`` wrote, which holds *count* numbers."""
        (how,) = self.take(1)
        if how == _ALL_ONE:
            return [_ONE.unpack(self.take(_SIZE))[0]] * count
        return restored(how, self.wholes(count))

    def wholes(self, count: int) -> list[int]:
        """Return the next column that ``pack_wholes`` wrote, which holds *count* of them."""
        planes = self.take(count * _SIZE)
        raw = bytearray(len(planes))
        for plane in range(_SIZE):
            raw[plane::_SIZE] = planes[plane * count : (plane + 1) * count]
        column = array("q")
        column.frombytes(raw)
        if sys.byteorder == "big":
            column.byteswap()
        return column.tolist()


def _as_wholes(values: Sequence[float], scale: int) -> list[int] | None:
    """Return *values* times *scale*, or None unless each can be had back exactly."""
    wholes = []
    for value in values:
        scaled = value * scale
        if not -_MOST_WHOLE < scaled < _MOST_WHOLE:
            return None
        whole = round(scaled)
        if whole / scale != value:
            return None
        wholes.append(whole)
    return wholes
