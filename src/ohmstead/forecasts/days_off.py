"""Which days a house spends as it does its Sundays. Pure, but for one optional library.

The United Kingdom's bank holidays are reckoned here; every other country's come from the
``holidays`` library, which is too heavy to load for everybody.
"""

from collections.abc import Callable, Collection
from datetime import date, timedelta
from functools import cache
from importlib.util import find_spec
from typing import Final, TypeAlias

__all__ = ["DayOff", "check_country", "days_off", "easter"]

DayOff: TypeAlias = Callable[[date], bool]

_MONDAY: Final = 0
_SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)
_UK: Final = ("GB-ENG", "GB-WLS", "GB-SCT", "GB-NIR")
_LETTERS: Final = 2


def check_country(country: str) -> None:
    """Raise ``ValueError`` with the remedy if nobody knows the holidays of *country*."""
    if country == "none" or country in _UK:
        return
    code, _, part = country.partition("-")
    if code == "GB":
        raise ValueError(f"there is {', '.join(_UK)}, or none")
    if not (len(code) == _LETTERS and code.isupper() and code.isalpha()):
        raise ValueError("holidays is a country's two letters, like DE or DE-BY, or none")
    if find_spec("holidays") is None:
        raise ValueError(
            f"the holidays of {country} need a library: pip install 'ohmstead[forecast]', "
            "or write `holidays: none`"
        )
    import holidays

    parts = holidays.list_supported_countries().get(code)
    if parts is None or (part and part not in parts):
        raise ValueError(f"nobody knows the holidays of {country}; write `holidays: none`")


def days_off(country: str, more: Collection[date] = ()) -> DayOff:
    """Return what tells the public holidays of *country* (``none``: no such days), and *more*."""
    extra = frozenset(more)
    if country == "none":
        return extra.__contains__
    if country in _UK:
        return lambda day: day in extra or day in _british(day.year, country)
    import holidays

    code, _, part = country.partition("-")
    known = holidays.country_holidays(code, subdiv=part or None)
    return lambda day: day in extra or day in known


def easter(year: int) -> date:
    """Return Easter Sunday, by the rule of Meeus, Jones and Butcher."""
    century, of_century = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (8 * century + 13) // 25 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (year % 19 + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


@cache
def _british(year: int, country: str) -> frozenset[date]:
    sunday = easter(year)
    found = {sunday - 2 * _DAY, _monday(year, 5, 1), _monday(year, 5, -1)}
    fixed = [date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)]
    if country == "GB-SCT":
        fixed.insert(1, date(year, 1, 2))
        fixed.append(date(year, 11, 30))
        found.add(_monday(year, 8, 1))
    else:
        found |= {sunday + _DAY, _monday(year, 8, -1)}
    if country == "GB-NIR":
        fixed += [date(year, 3, 17), date(year, 7, 12)]
    # One that falls on a weekend is made up for on the next day that is none already.
    weekend = {day for day in fixed if day.weekday() >= _SATURDAY}
    found |= set(fixed)
    for day in sorted(weekend):
        other = day
        while other.weekday() >= _SATURDAY or other in found:
            other += _DAY
        found.add(other)
    return frozenset(found)


def _monday(year: int, month: int, number: int) -> date:
    """Return the *number*th Monday of a month; -1 is the last."""
    if number < 0:
        last = date(year, month, 31)
        return last - (last.weekday() - _MONDAY) % 7 * _DAY
    first = date(year, month, 1)
    return first + ((_MONDAY - first.weekday()) % 7 + 7 * (number - 1)) * _DAY
