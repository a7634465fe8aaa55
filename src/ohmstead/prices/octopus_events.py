"""What Octopus says of its events: saving sessions that pay, hours of free electricity. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

__all__ = ["Event", "campaign_events_of", "import_mpan_of", "saving_sessions_of"]

_POINTS_PER_POUND: Final = 800
_LONGEST: Final = timedelta(hours=24)
_UNTOLD: Final = 0.7
"""How sure an event is of which Octopus does not say whether the house takes part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A time in which a kWh is worth something else than the tariff says."""

    start: datetime
    end: datetime
    reward_per_kwh: float | None = None
    """What each kWh not used, or fed in, earns; None if Octopus did not say."""
    confidence: float = 1.0


def saving_sessions_of(data: Mapping[str, Any]) -> tuple[Event, ...]:
    """Return the saving sessions that the account has joined; nobody is paid for the others.

    One without points is not one that pays: hours of free electricity are listed here, too.
    """
    sessions = data.get("savingSessions")
    if not isinstance(sessions, dict):
        return ()
    account = sessions.get("account")
    joined = _rows(account.get("joinedEvents") if isinstance(account, dict) else None)
    ids = {str(row.get("eventId")) for row in joined}
    found = []
    for row in _rows(sessions.get("events")):
        points = _number(row.get("rewardPerKwhInOctoPoints"))
        times = _times(row)
        if str(row.get("id")) in ids and points and times:
            start, end = times
            reward = points / _POINTS_PER_POUND
            found.append(Event(start=start, end=end, reward_per_kwh=reward))
    return tuple(sorted(found, key=lambda event: event.start))


def campaign_events_of(data: Mapping[str, Any]) -> tuple[Event, ...]:
    """Return the events of one campaign, without those the house takes no part in."""
    events = data.get("customerFlexibilityCampaignEvents")
    found = []
    for edge in _rows(events.get("edges") if isinstance(events, dict) else None):
        node = edge.get("node")
        times = _times(node) if isinstance(node, dict) else None
        part = node.get("isEventParticipant") if isinstance(node, dict) else None
        if times and part is not False:
            start, end = times
            found.append(Event(start=start, end=end, confidence=1.0 if part else _UNTOLD))
    return tuple(sorted(found, key=lambda event: event.start))


def import_mpan_of(data: Mapping[str, Any]) -> str | None:
    """Return the number of the account's import meter point, or None if it has none."""
    account = data.get("account")
    for agreement in _rows(
        account.get("electricityAgreements") if isinstance(account, dict) else None
    ):
        point = agreement.get("meterPoint")
        if isinstance(point, dict) and point.get("mpan") and point.get("direction") != "EXPORT":
            return str(point["mpan"])
    return None


# ---- how it is done -----------------------------------------------------------------


def _rows(given: object) -> Sequence[Mapping[str, Any]]:
    return [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []


def _times(row: Mapping[str, Any]) -> tuple[datetime, datetime] | None:
    start, end = _moments(row)
    if start is None or end is None or not start < end <= start + _LONGEST:
        return None
    return start, end


def _moments(row: Mapping[str, Any]) -> Iterator[datetime | None]:
    for name in ("startAt", "endAt"):
        try:
            moment = datetime.fromisoformat(row[name])
        except (KeyError, TypeError, ValueError):
            yield None
        else:
            yield None if moment.tzinfo is None else moment.astimezone(UTC)


def _number(given: object) -> float:
    try:
        return float(given) if isinstance(given, int | float | str) else 0.0
    except ValueError:
        return 0.0
