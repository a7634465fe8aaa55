"""Time slots of a device that knows only its own wall clock: the same every day."""

from datetime import datetime, time, timedelta, tzinfo
from datetime import timezone as FixedZone  # noqa: N812 - a class, whatever its spelling
from typing import Final

from ohmstead.model.point import Value

__all__ = ["coming_window", "daily_window"]

_LONGEST: Final = timedelta(hours=23, minutes=58)
_CUT: Final = timedelta(hours=23)
_DAY: Final = 24 * 60


def coming_window(
    now: datetime, start: datetime, until: datetime, timezone: tzinfo
) -> tuple[time, time]:
    """Return the slot of a window that is still to come, in the local time that holds *now*.

    Both lie within a day from *now*, so that a slot of every day does not hold *now*.
    """
    here = FixedZone(now.astimezone(timezone).utcoffset() or timedelta())
    opens, closes = (moment.astimezone(here) for moment in (start, until))
    return time(opens.hour, opens.minute), time(closes.hour, closes.minute)


def daily_window(
    now: datetime, until: datetime, timezone: tzinfo, present: tuple[Value | None, Value | None]
) -> tuple[time, time]:
    """Return the slot, in the house's local time, that holds *now* and ends at *until*.

    A *present* slot that does so already keeps its start, or it would be written anew every
    minute. The device's clock does not change by itself where the house's does, so the slot is
    in the time that holds now: whoever sets the clock has the slot written anew. One of a day
    or more is cut to less than a day, and written anew every hour: it must end by itself.
    """
    here = FixedZone(now.astimezone(timezone).utcoffset() or timedelta())
    begin = now - timedelta(minutes=1)  # the inverter's clock may be a little behind
    start, end = begin.astimezone(here), until.astimezone(here)
    if until - begin >= _LONGEST:
        end = now.astimezone(here).replace(minute=0, second=0, microsecond=0) + _CUT
    if end.second or end.microsecond:
        end += timedelta(minutes=1)
    closes = time(end.hour, end.minute)
    opens, closed = present
    off = opens in {closes, closed}
    if isinstance(opens, time) and not off and _within(now, timezone, opens, closes):
        return opens, closes
    return time(start.hour, start.minute), closes


def _within(now: datetime, timezone: tzinfo, opens: time, closes: time) -> bool:
    """Tell whether *now* lies in the slot, which may cross midnight."""
    local = now.astimezone(timezone)
    passed, length = (
        (minute - (60 * opens.hour + opens.minute)) % _DAY
        for minute in (60 * local.hour + local.minute, 60 * closes.hour + closes.minute)
    )
    return passed < length
