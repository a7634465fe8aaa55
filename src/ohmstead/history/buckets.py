"""What is left of the samples of a stretch of time: count, min, mean, max, last, energies."""

import math
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ohmstead.history.codec import Unpacker, pack, pack_wholes, squeeze, steps

__all__ = ["FIVE_S", "HOUR_S", "Bucket", "Row", "merged", "pack_rows", "regrouped", "unpack_rows"]

FIVE_S = 300
HOUR_S = 3_600
_HEAD = struct.Struct("<IHI")
"""Signal, how many steps, how many bytes."""
_DIGITS = 6
"""Means keep this many digits, by the largest of their column."""


@dataclass(slots=True)
class Bucket:
    """A signal in one stretch of time; grows while samples come."""

    low: float
    high: float
    last: float
    count: int = 0
    """How many samples were recorded in it."""
    covered_s: float = 0.0
    """For how long the value was known."""
    area: float = 0.0
    """Value times seconds, over the time it was known."""
    up: float = 0.0
    """Of a power: kWh above zero. Of a total: by how much it grew, in its own unit."""
    down: float = 0.0
    """Of a power: kWh below zero, as a number ≥ 0."""

    @property
    def mean(self) -> float:
        """The mean over the time in which the value was known."""
        return self.area / self.covered_s if self.covered_s > 0 else self.last

    def take(self, value: float) -> None:
        """Let the signal have *value*."""
        if value < self.low:
            self.low = value
        elif value > self.high:
            self.high = value
        self.last = value


Row: TypeAlias = dict[int, Bucket]
"""The buckets of one signal by their start, in seconds since 1970."""


def merged(buckets: Iterable[Bucket]) -> Bucket:
    """Return several buckets of one signal, at least one, in time order, as one."""
    first, *others = buckets
    whole = Bucket(
        first.low, first.high, first.last,
        first.count, first.covered_s, first.area, first.up, first.down,
    )  # fmt: skip
    for part in others:
        whole.low = min(whole.low, part.low)
        whole.high = max(whole.high, part.high)
        whole.last = part.last
        whole.count += part.count
        whole.covered_s += part.covered_s
        whole.area += part.area
        whole.up += part.up
        whole.down += part.down
    return whole


def regrouped(row: Row, origin_s: int, step_s: int) -> Row:
    """Return *row* in wider steps of *step_s*, counted from *origin_s*."""
    groups: dict[int, list[Bucket]] = {}
    for start in sorted(row):
        wider = origin_s + (start - origin_s) // step_s * step_s
        groups.setdefault(wider, []).append(row[start])
    return {start: merged(parts) for start, parts in groups.items()}


def pack_rows(rows: Mapping[int, Row]) -> bytes:
    """Return the rows of some signals, by number, as one piece."""
    return squeeze(_section(number, row) for number, row in rows.items() if row)


def unpack_rows(piece: bytes, wanted: Collection[int] | None = None) -> dict[int, Row]:
    """Return what ``pack_rows`` was given, of the signals *wanted*; means have six digits."""
    unpacker = Unpacker(piece)
    rows: dict[int, Row] = {}
    while unpacker.left:
        number, count, size = _HEAD.unpack(unpacker.take(_HEAD.size))
        if wanted is None or number in wanted:
            rows[number] = _row(unpacker, count)
        else:
            unpacker.take(size)
    return rows


def _section(number: int, row: Row) -> bytes:
    starts = sorted(row)
    buckets = [row[start] for start in starts]
    columns = (
        pack_wholes(steps(starts)),
        pack([b.low for b in buckets]),
        pack([b.high for b in buckets]),
        pack([b.last for b in buckets]),
        pack([b.count for b in buckets]),
        pack([round(b.covered_s, 3) for b in buckets]),
        pack(_rounded([b.mean for b in buckets])),
        pack([round(b.up, 6) for b in buckets]),
        pack([round(b.down, 6) for b in buckets]),
    )
    body = b"".join(columns)
    return _HEAD.pack(number, len(starts), len(body)) + body


def _row(unpacker: Unpacker, count: int) -> Row:
    starts, at = [], 0
    for step in unpacker.wholes(count):
        at += step
        starts.append(at)
    columns = [unpacker.numbers(count) for _ in range(8)]
    return {
        start: Bucket(low, high, last, int(samples), covered_s, mean * covered_s, up, down)
        for start, low, high, last, samples, covered_s, mean, up, down in zip(
            starts, *columns, strict=True
        )
    }


def _rounded(means: Sequence[float]) -> list[float]:
    largest = max(map(abs, means))
    decimals = _DIGITS - math.ceil(math.log10(largest)) if largest > 0 else 0
    return [round(mean, min(max(decimals, 0), _DIGITS)) for mean in means]
