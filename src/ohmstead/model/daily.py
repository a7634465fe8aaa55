"""Time slots of a device that knows only its own wall clock: the same every day."""

from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from ohmstead.model.point import Value

__all__ = ["daily_window"]

_ALL_DAY: Final = (time(0, 0), time(23, 59))
"""What stands for always; the minute missing is the device's."""
_DAY: Final = 24 * 60


def daily_window(
    now: datetime, until: datetime, timezone: tzinfo, present: tuple[Value | None, Value | None]
) -> tuple[time, time]:
    """Return the slot, in the house's local time, that holds *now* and ends at *until*.

    A *present* slot that does so already keeps its start, or it would be written anew every
    minute. A window over a change of the clock, or of a whole day, becomes all day long: then
    only the enabling bit ends it, and that is not by itself.
    """
    begin = now - timedelta(minutes=1)  # the inverter's clock may be a little behind
    long = until - begin >= timedelta(hours=23, minutes=58)
    start, end = begin.astimezone(timezone), until.astimezone(timezone)
    if long or start.utcoffset() != end.utcoffset():
        return _ALL_DAY
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
