"""Days as the house lives them: from midnight to midnight, 23, 24 or 25 hours long."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

__all__ = ["day_of", "day_span", "days_between", "moment"]


def moment(seconds: float) -> datetime:
    """Return the moment *seconds* after 1970 began, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def day_of(seconds: float, zone: tzinfo) -> date:
    """Return the local day in which a moment lies."""
    return datetime.fromtimestamp(seconds, zone).date()


def day_span(day: date, zone: tzinfo) -> tuple[int, int]:
    """Return when *day* begins and ends, in seconds since 1970."""
    begin = datetime.combine(day, time(), zone)
    end = datetime.combine(day + timedelta(days=1), time(), zone)
    return int(begin.timestamp()), int(end.timestamp())


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield all days from *first* to *last*, both included."""
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)
