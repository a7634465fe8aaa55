"""Forecasts as they were known: of the load from days gone by, of the sun as it was foretold.

Nothing here looks past the half-hour that is asked about; what comes later can only enter
through what a weather service had said by then.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from ohmstead.backtest.world import HALF_HOUR, Floats, World, half_hours

__all__ = ["Foresight", "Halves"]

_AHEAD: Final = 74
"""Half-hours: a little further than a plan reaches."""
_BACK_DAYS: Final = 42
_A_DAY: Final = 48
_HALF_LIFE_DAYS: Final = 14.0
_OTHER_KIND: Final = 0.15
_SAME_KIND: Final = 0.6
_SATURDAY: Final = 5
_TYPICAL_W: Final = 350.0
_PRIOR: Final = 0.05
_LOOK: Final = 4
"""How many half-hours back today is compared with what was expected."""
_LOAD_DRIFT: Final = 0.35 * np.exp(-np.arange(_AHEAD) / 3.0)
"""How much of today's difference is believed, the half-hours to come."""
_SUN_DRIFT: Final = 0.6 * np.exp(-np.arange(_AHEAD) / 4.0)
_LEAST_SUN_W: Final = 80.0
_LOAD_SPREAD: Final = (0.72, 1.4)
_SUN_SPREAD: Final = (0.78, 1.37)
"""Between these shares of what was expected lie eight of ten: of the load half-hour by half-hour,
of the sun over the hours to come, whose errors last. Measured on houses of seeds 0 to 2."""


@dataclass(frozen=True, slots=True)
class Halves:
    """A forecast by the half-hour, one after another; nothing is expected after the last."""

    start: datetime
    watts: Floats
    """The means that are expected."""
    spread: tuple[float, float]
    """Which shares of them the low and the high forecast are."""
    source: str

    def energies(self, spans: Sequence[tuple[datetime, datetime]]) -> Floats:
        """Return the low, middle and high energy that is expected of each of *spans*."""
        kwh = self.watts / 2_000
        first, begun = divmod(spans[0][0] - self.start, HALF_HOUR)
        even = not begun and first >= 0 and first + len(spans) <= len(kwh)
        if even and spans[-1][1] - spans[0][0] == len(spans) * HALF_HOUR:
            middle = kwh[first : first + len(spans)]  # so plans ask, and much
        else:
            edges = np.array([(edge - self.start) / HALF_HOUR for span in spans for edge in span])
            halves = np.concatenate([[0.0], np.cumsum(kwh)])
            middle = np.diff(np.interp(edges, np.arange(len(halves)), halves))[::2]
        shares = np.array([self.spread[0], 1.0, self.spread[1]])
        found: Floats = middle[:, None] * shares
        return found


class Foresight:
    """What one world's forecasts said, half-hour by half-hour."""

    def __init__(self, world: World) -> None:
        """Foretell *world* as it goes by."""
        self._world = world
        self._load = half_hours(world.load_w, world.steps_each)
        self._sun = half_hours(world.pv_w, world.steps_each)
        self._hold = world.told_every // HALF_HOUR
        locals_ = [world.at(n).astimezone(world.zone) for n in range(world.halves + _AHEAD)]
        self._places = np.array([at.hour * 2 + at.minute // 30 for at in locals_])
        self._kinds = np.array([_kind(at.weekday()) for at in locals_])
        self._weekdays = np.array([at.weekday() for at in locals_])
        self._habits: tuple[int, Floats] = (-1, np.zeros(0))

    def load(self, half: int) -> Halves:
        """Return what the house was expected to use from *half* on, at its beginning."""
        usual = self._usual(half)
        expected = usual(half, half + _AHEAD)
        if half >= _LOOK:
            seen = self._load[half - _LOOK : half]
            away = float((seen - usual(half - _LOOK, half)).sum()) / _LOOK
            expected = expected + away * _LOAD_DRIFT
        expected = np.maximum(expected, 20.0)
        return self._forecast(half, expected, _LOAD_SPREAD, "the house's own past")

    def sun(self, half: int) -> Halves:
        """Return what the panels were expected to give from *half* on."""
        expected = self._told(half, half + _AHEAD)
        if half >= _LOOK:
            seen, told = self._sun[half - 2 : half], self._told(half - 2, half)
            if (said := float(told.sum())) > 2 * _LEAST_SUN_W:
                ratio = min(max(float(seen.sum()) / said, 0.3), 1.8)
                expected = expected * np.exp(math.log(ratio) * _SUN_DRIFT)
        return self._forecast(half, expected, _SUN_SPREAD, "the weather service as it spoke then")

    # ---- how it is done -------------------------------------------------------------------

    def _told(self, first: int, last: int) -> Floats:
        """Return what the newest issue at *first* says of [first, last), and nothing beyond it."""
        issue, since = divmod(max(first, 0), self._hold)
        told = self._world.told_w
        if not len(told):
            return np.zeros(last - first)
        row = told[min(issue, len(told) - 1)]
        found = row[since : since + last - first]
        return np.concatenate([found, np.zeros(last - first - len(found))])

    def _usual(self, half: int) -> "_Usual":
        """Return the house's habits as they were known at *half*; learnt anew once a day."""
        day = half // _A_DAY * _A_DAY
        if self._habits[0] != day:
            self._habits = (day, self._learn(day))
        return _Usual(self._habits[1], self._places, self._weekdays)

    def _learn(self, now: int) -> Floats:
        """Return the mean use by weekday and half-hour of the day, from before *now* alone."""
        first = max(now - _BACK_DAYS * _A_DAY, 0)
        watts, places = self._load[first:now], self._places[first:now]
        age = (now - np.arange(first, now)) / _A_DAY
        recent = np.exp2(-age / _HALF_LIFE_DAYS)
        level = float(np.average(watts, weights=recent)) if len(watts) else _TYPICAL_W
        found = np.empty((7, _A_DAY))
        for weekday in range(7):
            alike = np.where(self._kinds[first:now] == _kind(weekday), _SAME_KIND, _OTHER_KIND)
            weights = recent * np.where(self._weekdays[first:now] == weekday, 1.0, alike)
            total = np.bincount(places, weights * watts, _A_DAY) + _PRIOR * level
            found[weekday] = _smooth(total / (np.bincount(places, weights, _A_DAY) + _PRIOR))
        return found

    def _forecast(
        self, half: int, watts: Floats, spread: tuple[float, float], source: str
    ) -> Halves:
        return Halves(self._world.at(half), watts, spread, source)


class _Usual:
    def __init__(self, habits: Floats, places: Floats, weekdays: Floats) -> None:
        self._habits, self._places, self._weekdays = habits, places, weekdays

    def __call__(self, first: int, last: int) -> Floats:
        found: Floats = self._habits[self._weekdays[first:last], self._places[first:last]]
        return found


def _kind(weekday: int) -> int:
    """Return 0 for a working day, 1 for a Saturday, 2 for a Sunday."""
    return max(weekday - _SATURDAY + 1, 0)


def _smooth(day: Floats) -> Floats:
    """Return *day* with a little of the half-hours beside each: meals are not on the minute."""
    return 0.25 * np.roll(day, 1) + 0.5 * day + 0.25 * np.roll(day, -1)
