"""What the journal says of one write."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ohmstead.model.point import Value

__all__ = ["JournalEntry", "WriteState"]


class WriteState(StrEnum):
    """How a write ended."""

    SENT = "sent"
    """About to be sent, or sent without an answer: the device may hold either value."""
    CONFIRMED = "confirmed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One write: when, what, from which value to which, who asked, why, and how it ended."""

    id: int
    at: datetime
    device: str
    point: str
    old: Value | None
    new: Value
    asked_by: str
    why: str
    state: WriteState
    detail: str = ""
    lease: bool = False
    """True while the value must be undone when its command ends."""
    until: datetime | None = None
    """When the command it served lapses."""
