"""What the sun will give or the house will take, slot by slot, with how sure that is."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

__all__ = ["Forecast", "ForecastSlot"]

_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSlot:
    """A mean power from *start* to just before *end* (aware, UTC)."""

    start: datetime
    end: datetime
    low_w: float
    """Nine times in ten it is more: the tenth percentile."""
    middle_w: float
    """What to expect."""
    high_w: float
    """Nine times in ten it is less: the ninetieth percentile."""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing, or that are out of order."""
        if not self.start < self.end:
            raise ValueError(f"a slot must end after it begins at {self.start.isoformat()}")
        powers = (self.low_w, self.middle_w, self.high_w)
        if not all(map(math.isfinite, powers)) or not self.low_w <= self.middle_w <= self.high_w:
            raise ValueError(f"low ≤ middle ≤ high does not hold at {self.start.isoformat()}")

    @property
    def hours(self) -> float:
        """How long it is."""
        return (self.end - self.start) / _HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Slots in time order, without overlaps; gaps are times of which nobody knows."""

    slots: tuple[ForecastSlot, ...]
    source: str = ""
    """Where it came from, in words, with what was done to it."""
    fetched_at: datetime | None = None
    """When the source last said so; None for what needs no source."""

    def __post_init__(self) -> None:
        """Refuse slots that are out of order or overlap."""
        for before, after in pairwise(self.slots):
            if after.start < before.end:
                raise ValueError(f"forecast slots overlap at {after.start.isoformat()}")

    def __iter__(self) -> Iterator[ForecastSlot]:
        """Go through the slots in time order."""
        return iter(self.slots)

    def __len__(self) -> int:
        """How many slots are known."""
        return len(self.slots)

    @property
    def ends(self) -> datetime | None:
        """The horizon: the moment up to which something is known, or None."""
        return self.slots[-1].end if self.slots else None

    def at(self, moment: datetime) -> ForecastSlot | None:
        """Return the slot that *moment* lies in, or None where nothing is known."""
        index = bisect_right(self.slots, moment, key=lambda slot: slot.start) - 1
        if index >= 0 and moment < self.slots[index].end:
            return self.slots[index]
        return None

    def between(self, start: datetime, end: datetime) -> "Forecast":
        """Return what is known of [start, end), cut to it."""
        return replace(self, slots=tuple(_cut(self._near(start, end), start, end)))

    def resampled(self, step: timedelta) -> "Forecast":
        """Return the same energy in slots that begin at whole multiples of *step*.

        Steps are counted from midnight UTC, so half-hours lie as prices do in every zone. A slot
        is shorter only where knowledge begins or ends within a step. Percentiles are averaged
        as they are, which holds for errors that last: it never promises too much.
        """
        if step <= timedelta():
            raise ValueError("a step must be longer than nothing")
        pieces: list[ForecastSlot] = []
        for slot in self.slots:
            pieces += _split(slot, step)
        joined: list[list[ForecastSlot]] = []
        for piece in pieces:
            last = joined[-1][-1] if joined else None
            if last and last.end == piece.start and _step_of(last, step) == _step_of(piece, step):
                joined[-1].append(piece)
            else:
                joined.append([piece])
        return replace(self, slots=tuple(_mean(group) for group in joined))

    def kwh(self, start: datetime, end: datetime) -> tuple[float, float, float]:
        """Return the low, middle and high energy that is known of [start, end)."""
        low = middle = high = 0.0
        for slot in _cut(self._near(start, end), start, end):
            low += slot.low_w * slot.hours / 1_000
            middle += slot.middle_w * slot.hours / 1_000
            high += slot.high_w * slot.hours / 1_000
        return low, middle, high

    def energies(
        self, spans: Sequence[tuple[datetime, datetime]]
    ) -> list[tuple[float, float, float]]:
        """Return ``kwh`` of each of *spans*."""
        return [self.kwh(start, end) for start, end in spans]

    def age(self, now: datetime) -> timedelta | None:
        """How long ago the source said so; None if it needs no source."""
        return None if self.fetched_at is None else now - self.fetched_at

    def _near(self, start: datetime, end: datetime) -> Sequence[ForecastSlot]:
        """Return the slots that may reach into [start, end): plans ask for every half-hour."""
        first = max(bisect_right(self.slots, start, key=_start_of) - 1, 0)
        return self.slots[first : bisect_left(self.slots, end, lo=first, key=_start_of)]


# ---- how it is done -----------------------------------------------------------------------


def _start_of(slot: ForecastSlot) -> datetime:
    return slot.start


def _cut(slots: Iterable[ForecastSlot], start: datetime, end: datetime) -> Iterator[ForecastSlot]:
    for slot in slots:
        if slot.start < end and slot.end > start:
            inside = start <= slot.start and slot.end <= end
            yield (
                slot
                if inside
                else replace(slot, start=max(slot.start, start), end=min(slot.end, end))
            )


def _split(slot: ForecastSlot, step: timedelta) -> list[ForecastSlot]:
    """Return *slot* in pieces that do not reach over a multiple of *step*."""
    pieces, start = list[ForecastSlot](), slot.start
    while start < slot.end:
        end = min(_EPOCH + ((start - _EPOCH) // step + 1) * step, slot.end)
        pieces.append(replace(slot, start=start, end=end))
        start = end
    return pieces


def _step_of(slot: ForecastSlot, step: timedelta) -> int:
    return (slot.start - _EPOCH) // step


def _mean(group: Sequence[ForecastSlot]) -> ForecastSlot:
    if len(group) == 1:
        return group[0]
    hours = sum(slot.hours for slot in group)
    low, middle, high = (
        math.fsum(powers) / hours
        for powers in zip(
            *((s.low_w * s.hours, s.middle_w * s.hours, s.high_w * s.hours) for s in group),
            strict=True,
        )
    )
    # Rounding may turn equals around by a hair.
    return ForecastSlot(
        start=group[0].start,
        end=group[-1].end,
        low_w=min(low, middle),
        middle_w=middle,
        high_w=max(middle, high),
    )
