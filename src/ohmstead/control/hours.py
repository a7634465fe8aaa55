"""Parts of the local day, as strategies speak of them; nights with a clock change included."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

__all__ = ["following", "part_of_day", "parts_until", "plain"]

_DAYS: Final = (0, 1, 2)


def part_of_day(
    now: datetime, zone: tzinfo, start: time, end: time
) -> tuple[datetime, datetime] | None:
    """Return when the part of the day that *now* lies in began and ends (UTC); None outside it.

    It may cross midnight; the same time twice is a whole day. A part that the clocks skip comes
    an hour later, one that comes twice is twice as long.
    """
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        begins = _moment(day, start, zone)
        ends = _last_moment(day + timedelta(days=int(end <= start)), end, zone)
        if begins <= now < ends:
            return begins, ends
    return None


def following(now: datetime, zone: tzinfo, at: time) -> datetime:
    """Return the first moment after *now* at which the wall clock shows *at* (UTC)."""
    today = now.astimezone(zone).date()
    moments = (_moment(today + timedelta(days=days), at, zone) for days in _DAYS)
    return next(moment for moment in moments if moment > now)


def parts_until(
    now: datetime, until: datetime, zone: tzinfo, start: time, end: time
) -> list[tuple[datetime, datetime]]:
    """Return the part of the day under way at *now*, and those that lie whole before *until*."""
    found, day = list[tuple[datetime, datetime]](), now.astimezone(zone).date() - timedelta(days=1)
    while (begins := _moment(day, start, zone)) < until:
        ends = _last_moment(day + timedelta(days=int(end <= start)), end, zone)
        if begins <= now < ends or now < begins < ends <= until:
            found.append((begins, ends))
        day += timedelta(days=1)
    return found


def plain(**times: time) -> None:
    """Refuse times with a zone: an owner's times are those of the wall clock."""
    for name, given in times.items():
        if given.tzinfo is not None:
            raise ValueError(f"{name} is a local time, without a zone")


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    """Return a wall-clock time in UTC: of two the first, of a skipped one what it would be."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def _last_moment(day: date, at: time, zone: tzinfo) -> datetime:
    """Return a wall-clock time in UTC, of two the last."""
    again = datetime.combine(day, at, zone).replace(fold=1).astimezone(UTC)
    return max(_moment(day, at, zone), again)
