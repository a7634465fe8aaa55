"""What an event is: the one form in which people, webhooks and topics are told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

__all__ = ["Detail", "Event", "EventKind", "EventLimits", "payload_of"]

Detail: TypeAlias = str | float | None


class EventKind(StrEnum):
    """What can happen."""

    DEVICE_LOST = "device_lost"
    DEVICE_BACK = "device_back"
    BATTERY_LOW = "battery_low"
    PRICE_BELOW = "price_below"
    DECISION_CHANGED = "decision_changed"
    WRITE_FAILED = "write_failed"
    STALE_PRICES = "stale_prices"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLimits:
    """When something is worth telling."""

    lost_after_s: float = 180.0
    """How long a device must be silent or in trouble."""
    back_after_s: float = 30.0
    """How long it must be well again."""
    settle_s: float = 60.0
    """How long anything else must last: a spike, or a decision taken back, is no event."""
    battery_low_pct: float | None = 10.0
    """A battery below this is low; None tells of none."""
    battery_recovered_pct: float = 5.0
    """So much above that it is low no more."""
    price_below_per_kwh: float | None = None
    """An import price below this is told; None tells of none."""
    prices_ahead_s: float = 3_600.0
    """Prices that are not known this far ahead are stale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, in a sentence, and in numbers for a program."""

    kind: EventKind
    at: datetime
    text: str
    device: str | None = None
    """None where it concerns the house."""
    data: Mapping[str, Detail] = field(default_factory=dict)


def payload_of(event: Event, site_name: str) -> dict[str, object]:
    """Return *event* as it goes out as JSON, the same for every door."""
    return {
        "event": str(event.kind),
        "site": site_name,
        "device": event.device,
        "at": event.at.isoformat(),
        "text": event.text,
        "data": dict(event.data),
    }
