"""What a person asks of the battery, before it is a request: the same words at every door."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from ohmstead.errors import RequestError
from ohmstead.model.command import BatteryCommand, BatteryMode
from ohmstead.model.request import Request

__all__ = ["LONGEST", "Wish", "ending"]

LONGEST: Final = timedelta(days=7)
"""How long a request can hold."""
_FULL_PCT: Final = 100
_LONGEST_WHY: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A mode of the battery, for a time."""

    mode: BatteryMode
    minutes: float | None = None
    """For how long, from now."""
    until: datetime | None = None
    """Or until when, with a zone."""
    power_w: float | None = None
    soc_pct: float | None = None
    why: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        longest_min = LONGEST / timedelta(minutes=1)
        if self.minutes is not None and not 0 < self.minutes <= longest_min:
            raise ValueError(f"minutes is more than 0 and at most {longest_min:.0f}")
        if self.power_w is not None and not 0 <= self.power_w < math.inf:
            raise ValueError("power_w is 0 or more; the mode says the direction")
        if self.soc_pct is not None and not 0 <= self.soc_pct <= _FULL_PCT:
            raise ValueError("soc_pct is from 0 to 100")
        if len(self.why) > _LONGEST_WHY:
            raise ValueError(f"why is at most {_LONGEST_WHY} characters long")

    def request(self, request_id: str, asked_by: str, now: datetime) -> Request:
        """Return the request this is when *asked_by* makes it *now*; raises ``RequestError``."""
        until = ending(self.minutes, self.until, now)
        return Request(
            id=request_id,
            asked_by=asked_by,
            made_at=now,
            want=BatteryCommand(
                mode=self.mode,
                power_w=self.power_w,
                soc_pct=self.soc_pct,
                until=None if self.mode is BatteryMode.SELF_USE else until,
            ),
            until=until,
            why=self.why,
        )


def ending(minutes: float | None, until: datetime | None, now: datetime) -> datetime:
    """Return when a request ends that is made *now*; raises ``RequestError``.

    An end that is past is returned as it is: the inbox refuses it.
    """
    if (minutes is None) == (until is None):
        raise RequestError("say either minutes or until")
    if minutes is not None:
        return now + timedelta(minutes=minutes)
    if until is None or until.tzinfo is None:
        raise RequestError("until needs a zone, like 2026-11-21T18:00Z")
    if until - now > LONGEST:
        raise RequestError(f"until is more than {LONGEST.days} days ahead; say an earlier moment")
    # The first days of the calendar have no UTC in some zones.
    return until if until <= now else until.astimezone(UTC)
