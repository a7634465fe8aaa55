"""A batch: what all signals said in some minutes, as one piece for one row of the disk.

One row for many signals keeps writing at the end of the file. A row a sample, in order of
signals, would touch a page of every signal each time and wear an SD card twenty times faster.
"""

import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import TypeAlias

from ohmstead.history.codec import Unpacker, pack_wholes, restored, squeeze, stepped, steps

__all__ = ["Column", "pack_batch", "unpack_batch"]

Column: TypeAlias = list[tuple[int, float | None]]
"""The samples of one signal, as (moment in ms, value); a None begins a gap."""


def pack_batch(columns: Mapping[int, Sequence[tuple[int, float | None]]]) -> bytes:
    """Return the samples of some signals, by number, as one piece."""
    moments: list[int] = []
    numbers: list[int] = []
    ways = bytearray()
    for column in columns.values():
        moments += steps([at_ms * 2 + (value is None) for at_ms, value in column])
        how, kept = stepped(_filled(column))
        ways.append(how)
        numbers += kept
    count = len(columns)
    heads = struct.pack(f"<{2 * count}I", *columns, *map(len, columns.values()))
    return struct.pack("<I", count) + squeeze(
        (heads, bytes(ways), pack_wholes(moments), pack_wholes(numbers))
    )


def unpack_batch(piece: bytes, wanted: Collection[int] | None = None) -> dict[int, Column]:
    """Return the samples of the signals *wanted*, by number; None wants all."""
    (count,) = struct.unpack_from("<I", piece)
    unpacker = Unpacker(piece[4:])
    heads = struct.unpack(f"<{2 * count}I", unpacker.take(8 * count))
    ids, lengths = heads[:count], heads[count:]
    if wanted is not None and not any(number in wanted for number in ids):
        return {}
    ways = unpacker.take(count)
    edges = [0, *accumulate(lengths)]
    moments, numbers = unpacker.wholes(edges[-1]), unpacker.wholes(edges[-1])
    return {
        number: list(_column(moments[begin:end], restored(how, numbers[begin:end])))
        for number, how, (begin, end) in zip(ids, ways, pairwise(edges), strict=True)
        if wanted is None or number in wanted
    }


def _column(moments: Sequence[int], values: Sequence[float]) -> Iterator[tuple[int, float | None]]:
    for moment, value in zip(accumulate(moments), values, strict=True):
        yield moment >> 1, None if moment & 1 else value


def _filled(column: Sequence[tuple[int, float | None]]) -> list[float]:
    """Return the values with the one before in place of a gap, where a step costs no bytes."""
    values, last = [], 0.0
    for _, value in column:
        last = last if value is None else value
        values.append(last)
    return values
