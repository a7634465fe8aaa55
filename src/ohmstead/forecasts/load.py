"""What the house will use, from what it used: by kind of day and time of day. Pure.

Each quarter to come looks at the same time of the days gone by. Days of the same kind count
most, and the later the more. Where little is known it looks further round the clock, and a
typical house's day, drawn to this one's size, holds the rest of the weight.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Final, NamedTuple

from ohmstead.forecasts import quarters
from ohmstead.forecasts.days_off import DayOff
from ohmstead.forecasts.learned import quantile
from ohmstead.forecasts.quarters import Quarters, Told

__all__ = ["Habits", "habits", "typical", "without"]

_A_DAY: Final = 96
_SUNDAY: Final = 6
_SATURDAY: Final = 5
_HALF_LIFE: Final = 14.0
"""After this many days a day counts half."""
_SAME_WEEKDAY: Final = 1.0
_SAME_KIND: Final = 0.6
_OTHER_KIND: Final = 0.15
_APART: Final = 12 * 4
"""Quarters nearer than this are the same day's: what they say is not what usually is."""
_PRIOR_WEIGHT: Final = 0.3
_PRIOR_SPREAD: Final = (0.45, 0.7, 0.95, 1.2, 1.7)
_PRIOR_QUARTERS: Final = 24.0
"""How many measured quarters the yearly use is worth, for how big a house it is."""
_LEAST_WEIGHT: Final = 0.02
_HOURS_A_YEAR: Final = 8_766.0
_HOURLY: Final = (
    0.52, 0.46, 0.43, 0.42, 0.43, 0.50, 0.75, 1.05, 1.10, 1.00, 0.95, 0.98,
    1.08, 1.02, 0.95, 1.00, 1.25, 1.75, 1.95, 1.75, 1.55, 1.35, 1.05, 0.71,
)  # fmt: skip
"""A home's day: quiet at night, a little in the morning, most at dinner."""
_MEAN: Final = math.fsum(_HOURLY) / len(_HOURLY)


class _Seen(NamedTuple):
    quarter: int
    watts: float
    day: date
    weight: float
    """By its age alone."""


@dataclass(slots=True)
class Habits:
    """What is known of a house's use, ready to be asked."""

    zone: tzinfo
    day_off: DayOff
    level_w: float
    """What it uses on average."""
    reach: int
    """How many quarters round the clock are looked at to each side."""
    _by_time: Sequence[Sequence[_Seen]] = field(default_factory=lambda: [()] * _A_DAY)

    def expected(self, quarter: int) -> Told:
        """Return what *quarter* may be like, as if nothing were known of the hours beside it."""
        day, time = _local(quarter, self.zone)
        usual = self.level_w * typical(time)
        samples = [(usual * spread, _PRIOR_WEIGHT / len(_PRIOR_SPREAD)) for spread in _PRIOR_SPREAD]
        for away in range(-self.reach, self.reach + 1):
            near = math.exp(-2 * (away / (self.reach + 1)) ** 2)
            samples += [
                (seen.watts, weight)
                for seen in self._by_time[(time + away) % _A_DAY]
                if abs(seen.quarter - quarter) > _APART
                and (weight := near * seen.weight * self._alike(seen.day, day)) > _LEAST_WEIGHT
            ]
        total = math.fsum(weight for _, weight in samples)
        middle = math.fsum(watts * weight for watts, weight in samples) / total
        return Told(
            min(quantile(samples, 0.1), middle), middle, max(quantile(samples, 0.9), middle)
        )

    def _alike(self, one: date, other: date) -> float:
        first, second = self._weekday(one), self._weekday(other)
        if first == second:
            return _SAME_WEEKDAY
        return _SAME_KIND if (first >= _SATURDAY) == (second >= _SATURDAY) else _OTHER_KIND

    def _weekday(self, day: date) -> int:
        return _SUNDAY if self.day_off(day) else day.weekday()


def habits(
    used: Quarters, present: int, zone: tzinfo, day_off: DayOff, yearly_kwh: float
) -> Habits:
    """Return the habits that *used* shows before the quarter *present*.

    A house of which nothing is known is a typical one of *yearly_kwh*.
    """
    by_time: list[list[_Seen]] = [[] for _ in range(_A_DAY)]
    measured = shaped = weights = 0.0
    for quarter, watts in used.items():
        if quarter >= present:
            continue
        day, time = _local(quarter, zone)
        weight = math.pow(0.5, (present - quarter) / (_HALF_LIFE * _A_DAY))
        by_time[time].append(_Seen(quarter, watts, day, weight))
        measured += weight * watts
        shaped += weight * typical(time)
        weights += weight
    said_w = yearly_kwh * 1_000 / _HOURS_A_YEAR
    level = (measured + _PRIOR_QUARTERS * said_w) / (shaped + _PRIOR_QUARTERS)
    return Habits(
        zone=zone,
        day_off=day_off,
        level_w=level,
        reach=1 + round(5 / max(weights / _A_DAY, 1.0)),
        _by_time=by_time,
    )


def without(load: Quarters, others: Sequence[Quarters]) -> dict[int, float]:
    """Return *load* less what *others* (cars, heaters) took of it, never below nothing.

    Before another was first measured it was not there; where it fell silent later, nobody knows
    what the rest of the house used, and the quarter is left out.
    """
    since = [min(other, default=math.inf) for other in others]
    left: dict[int, float] = {}
    for quarter, watts in load.items():
        taken = 0.0
        for other, begin in zip(others, since, strict=True):
            if quarter >= begin:
                taken += max(other.get(quarter, math.nan), 0.0)
        if not math.isnan(taken):
            left[quarter] = max(watts - taken, 0.0)
    return left


def typical(time: int) -> float:
    """Return a typical house's use in the quarter *time* of its day; the day's mean is 1."""
    place = (time + 0.5) / 4 - 0.5
    left = math.floor(place)
    part = place - left
    return (_HOURLY[left % 24] * (1 - part) + _HOURLY[(left + 1) % 24] * part) / _MEAN


def _local(quarter: int, zone: tzinfo) -> tuple[date, int]:
    """Return the local day of *quarter*, and which quarter of the wall clock's day it is."""
    local = quarters.begin(quarter).astimezone(zone)
    return local.date(), local.hour * 4 + local.minute // 15
