"""What a kWh costs, slot by slot."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["PriceCurve", "PriceSlot", "Prices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSlot:
    """One price, from *start* to just before *end* (aware, UTC).

    ``per_kwh`` is in the currency's main unit (pounds, euros), tax included; below zero the
    supplier pays. An export price counts what the owner is paid.
    """

    start: datetime
    end: datetime
    per_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceCurve:
    """Prices in time order, without overlaps; gaps are times whose price nobody knows."""

    slots: tuple[PriceSlot, ...]
    currency: str = "GBP"
    source: str = ""
    """Where they came from, in words: ``octopus E-1R-AGILE-24-10-01-C``."""
    fetched_at: datetime | None = None
    """When the source last confirmed them; None for prices that need no source."""

    def __post_init__(self) -> None:
        """Refuse slots that are out of order or overlap: build with ``from_slots``."""
        for before, after in zip(self.slots, self.slots[1:], strict=False):
            if after.start < before.end:
                raise ValueError(f"price slots overlap at {after.start.isoformat()}")

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
        kept: list[PriceSlot] = []
        for slot in slots:
            kept = [piece for old in kept for piece in _without(old, slot)]
            if slot.start < slot.end:
                kept.append(slot)
        kept.sort(key=lambda slot: slot.start)
        return cls(slots=tuple(kept), currency=currency, source=source, fetched_at=fetched_at)

    def __iter__(self) -> Iterator[PriceSlot]:
        """Go through the slots in time order."""
        return iter(self.slots)

    def __len__(self) -> int:
        """How many slots are known."""
        return len(self.slots)

    def at(self, moment: datetime) -> PriceSlot | None:
        """Return the slot that *moment* lies in, or None where no price is known."""
        index = bisect_right(self.slots, moment, key=lambda slot: slot.start) - 1
        if index >= 0 and moment < self.slots[index].end:
            return self.slots[index]
        return None

    def between(self, start: datetime, end: datetime) -> tuple[PriceSlot, ...]:
        """Return the slots that overlap [start, end), whole."""
        return tuple(slot for slot in self.slots if slot.start < end and slot.end > start)

    def from_now(self, now: datetime) -> tuple[PriceSlot, ...]:
        """Return the slot *now* lies in and all later ones."""
        return tuple(slot for slot in self.slots if slot.end > now)

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


def _without(old: PriceSlot, new: PriceSlot) -> Iterator[PriceSlot]:
    """Yield what is left of *old* once *new* has taken its time."""
    if old.start < min(old.end, new.start):
        yield PriceSlot(start=old.start, end=min(old.end, new.start), per_kwh=old.per_kwh)
    if max(old.start, new.end) < old.end:
        yield PriceSlot(start=max(old.start, new.end), end=old.end, per_kwh=old.per_kwh)
