"""When to ask Octopus: seldom, and just after prices are published. Pure."""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["after_failure", "after_success", "wanted_until"]

LONDON: Final = ZoneInfo("Europe/London")
"""Prices are published by the wall clock of London, wherever the house is."""
_DAY: Final = timedelta(days=1)
_DAY_ENDS: Final = time(23)
_PUBLISHED: Final = time(16)
_FIRST_TRY: Final = time(16, 5)
_LATE: Final = time(20)
_CORRECTIONS: Final = time(8)
_LONGEST_MIN: Final = 60


def wanted_until(now: datetime) -> datetime:
    """Return up to when prices should be known: 23:00 tonight, from 16:00 on 23:00 tomorrow."""
    local = now.astimezone(LONDON)
    day = local.date() + (_DAY if local.time() >= _PUBLISHED else timedelta())
    return datetime.combine(day, _DAY_ENDS, LONDON)


def after_success(now: datetime, known_until: datetime | None, jitter: float) -> datetime:
    """Return when to ask next after an answer; *jitter* (0 to 1) keeps houses apart.

    With all that can be known in hand: at the next 16:05 or 08:00. Still waiting for tomorrow's
    prices: every 5 to 10 minutes, from 20:00 on every hour.
    """
    local = now.astimezone(LONDON)
    if known_until is not None and known_until >= wanted_until(now):
        return min(_next(local, _FIRST_TRY), _next(local, _CORRECTIONS)) + jitter * timedelta(
            minutes=2
        )
    if local.time() >= _LATE or local.time() < _PUBLISHED:
        return now + timedelta(hours=1) + jitter * timedelta(minutes=5)
    first = datetime.combine(local.date(), _FIRST_TRY, LONDON)
    return max(now + timedelta(minutes=5 + 5 * jitter), first + jitter * timedelta(minutes=2))


def after_failure(
    now: datetime, failures: int, jitter: float, retry_after_s: float | None
) -> datetime:
    """Return when to try again after *failures* in a row: 1, 3, 6, 10 … 60 minutes."""
    minutes = min(failures * (failures + 1) / 2, _LONGEST_MIN)
    pause = timedelta(minutes=minutes * (1 + 0.2 * jitter))
    if retry_after_s is not None:
        pause = max(pause, timedelta(seconds=min(retry_after_s, _DAY.total_seconds())))
    return now + pause


def _next(local: datetime, at: time) -> datetime:
    moment = datetime.combine(local.date(), at, LONDON)
    return moment if moment > local else datetime.combine(local.date() + _DAY, at, LONDON)
