"""What a kWh costs, slot by slot."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final

__all__ = ["PriceCurve", "PriceSlot", "Prices"]

_HALF_HOUR: Final = timedelta(minutes=30)
_FAR: Final = timedelta(hours=48)
"""How far ahead half-hours are told apart: a price that always holds has no end of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSlot:
    """One price, from *start* to just before *end* (aware, UTC).

    ``per_kwh`` is in the currency's main unit (pounds, euros), tax included; below zero the
    supplier pays. An export price counts what the owner is paid.
    """

    start: datetime
    end: datetime
    per_kwh: float
    kind: str = ""
    """What makes it other than the tariff's own price: ``dispatch``, ``saving_session``, …"""
    confidence: float = 1.0
    """How sure it is that the price will hold, 0 to 1; a planned dispatch may be withdrawn."""
    usual_per_kwh: float | None = None
    """What it costs if the price does not hold; None if nobody knows."""

    @property
    def expected_per_kwh(self) -> float:
        """What to reckon with: the price and the usual one, as likely as they are."""
        if self.usual_per_kwh is None:
            return self.per_kwh
        return self.confidence * self.per_kwh + (1 - self.confidence) * self.usual_per_kwh

    def believed_per_kwh(self, least_confidence: float) -> float:
        """Return the price where it is so sure at least, else the usual one if that is known."""
        if self.confidence >= least_confidence or self.usual_per_kwh is None:
            return self.per_kwh
        return self.usual_per_kwh


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCurve:
    """Prices in time order, without overlaps; gaps are times whose price nobody knows."""

    slots: tuple[PriceSlot, ...]
    currency: str = "GBP"
    source: str = ""
    """Where they came from, in words: ``octopus E-1R-AGILE-24-10-01-C``."""
    fetched_at: datetime | None = None
    """When the source last confirmed them; None for prices that need no source."""
    _even: bool = field(init=False, repr=False, compare=False)
    """Whether all slots are half-hours as they are."""

    def __post_init__(self) -> None:
        """Refuse slots that are out of order or overlap: build with ``from_slots``."""
        for before, after in pairwise(self.slots):
            if after.start < before.end:
                raise ValueError(f"price slots overlap at {after.start.isoformat()}")
        object.__setattr__(self, "_even", all(map(_is_half_hour, self.slots)))

    @classmethod
    def from_slots(
        cls,
        slots: Iterable[PriceSlot],
        *,
        currency: str = "GBP",
        source: str = "",
        fetched_at: datetime | None = None,
    ) -> "PriceCurve":
        """Build a curve from slots in any order; where two overlap, the one given later wins."""
        kept = _uppermost([slot for slot in slots if slot.start < slot.end])
        return cls(slots=tuple(kept), currency=currency, source=source, fetched_at=fetched_at)

    def __iter__(self) -> Iterator[PriceSlot]:
        """Go through the slots in time order."""
        return iter(self.slots)

    def __len__(self) -> int:
        """How many slots are known."""
        return len(self.slots)

    def at(self, moment: datetime) -> PriceSlot | None:
        """Return the slot that *moment* lies in, or None where no price is known."""
        index = bisect_right(self.slots, moment, key=_start_of) - 1
        if index >= 0 and moment < self.slots[index].end:
            return self.slots[index]
        return None

    def at_each(self, moments: Sequence[datetime]) -> list[PriceSlot | None]:
        """Return ``at`` of each of *moments*, which are in time order."""
        found, coming = list[PriceSlot | None](), iter(self.slots)
        slot = next(coming, None)
        for moment in moments:
            while slot is not None and slot.end <= moment:
                slot = next(coming, None)
            found.append(slot if slot is not None and slot.start <= moment else None)
        return found

    def between(self, start: datetime, end: datetime) -> tuple[PriceSlot, ...]:
        """Return the slots that overlap [start, end), whole."""
        first = bisect_right(self.slots, start, key=_end_of)
        return self.slots[first : bisect_left(self.slots, end, lo=first, key=_start_of)]

    def from_now(self, now: datetime) -> tuple[PriceSlot, ...]:
        """Return the slot *now* lies in and all later ones."""
        return self.slots[bisect_right(self.slots, now, key=_end_of) :]

    def half_hours(self, now: datetime) -> tuple[PriceSlot, ...]:
        """Return the prices from *now* on, 48 hours far, no slot reaching over an hour or its half.

        The first is the one that *now* lies in; slots that are shorter already stay as they are.
        """
        far, begin = now + _FAR, _half_hour(now)
        if self._even:
            return self.between(now, far)
        pieces = list[PriceSlot]()
        for slot in self.between(now, far):
            if slot.start >= begin and _is_half_hour(slot):
                pieces.append(slot)
                continue
            start = max(slot.start, begin)
            while start < min(slot.end, far):
                end = min(_half_hour(start) + _HALF_HOUR, slot.end)
                whole = start == slot.start and end == slot.end
                pieces.append(slot if whole else replace(slot, start=start, end=end))
                start = end
        return tuple(pieces)

    @property
    def ends(self) -> datetime | None:
        """The moment up to which prices are known, or None when none are."""
        return self.slots[-1].end if self.slots else None

    def age(self, now: datetime) -> timedelta | None:
        """How long ago the source confirmed these prices; None if they need no source."""
        return None if self.fetched_at is None else now - self.fetched_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What buying and selling a kWh costs; None where the owner configured no source."""

    buy: PriceCurve | None = None
    sell: PriceCurve | None = None


def _start_of(slot: PriceSlot) -> datetime:
    return slot.start


def _end_of(slot: PriceSlot) -> datetime:
    return slot.end


def _is_half_hour(slot: PriceSlot) -> bool:
    """Tell whether *slot* needs no cutting, at a glance; others may not need it, either."""
    start = slot.start
    whole = start.minute % 30 == 0 and start.second == 0 and start.microsecond == 0
    return whole and start.tzinfo is UTC and slot.end - start == _HALF_HOUR


def _half_hour(moment: datetime) -> datetime:
    """Return when the half-hour that *moment* lies in began, in UTC."""
    utc = moment.astimezone(UTC)
    return utc.replace(minute=utc.minute // 30 * 30, second=0, microsecond=0)


def _uppermost(slots: Sequence[PriceSlot]) -> list[PriceSlot]:
    """Return what is seen of *slots* from above, the first lying at the bottom, in time order."""
    starting = sorted(range(len(slots)), key=lambda n: slots[n].start)
    edges = sorted({edge for slot in slots for edge in (slot.start, slot.end)})
    begun, lying, seen, last = 0, list[int](), list[PriceSlot](), -1
    for left, right in pairwise(edges):
        while begun < len(starting) and slots[starting[begun]].start <= left:
            heappush(lying, -starting[begun])
            begun += 1
        while lying and slots[-lying[0]].end <= left:
            heappop(lying)
        top = -lying[0] if lying else -1
        if top >= 0 and top == last and seen[-1].end == left:
            seen[-1] = replace(seen[-1], end=right)
        elif top >= 0:
            seen.append(replace(slots[top], start=left, end=right))
        last = top
    return seen
