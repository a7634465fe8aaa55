"""What the people in the house use: a daily shape, and the appliances on top of it."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from ohmstead.simulation.chance import chance

__all__ = ["HouseLoad", "LoadSettings"]

_WORKDAY: Final = (
    0.55, 0.5, 0.45, 0.45, 0.45, 0.55, 0.9, 1.35, 1.2, 0.85, 0.75, 0.75,
    0.85, 0.8, 0.75, 0.85, 1.15, 1.6, 1.9, 1.95, 1.85, 1.6, 1.2, 0.8,
)  # fmt: skip
_WEEKEND: Final = (
    0.65, 0.55, 0.5, 0.45, 0.45, 0.45, 0.6, 0.85, 1.2, 1.4, 1.35, 1.3,
    1.35, 1.25, 1.15, 1.15, 1.25, 1.5, 1.75, 1.8, 1.75, 1.55, 1.25, 0.9,
)  # fmt: skip
_SATURDAY: Final = 5
_KNOT_S: Final = 900
_PLANS_KEPT: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSettings:
    """How much a household uses."""

    base_w: float = 290.0
    """The mean of everything but the appliances below, over a year."""
    winter_share: float = 0.25
    """How much more of that in midwinter, and less in midsummer."""
    appliances: bool = True
    """Whether there are a fridge, kettle, oven, washing machine and dishwasher."""


class HouseLoad:
    """The same load for the same seed, at whatever moment it is asked."""

    def __init__(self, settings: LoadSettings, timezone: tzinfo, seed: int) -> None:
        """Live by the wall clock of *timezone*."""
        self._settings = settings
        self._timezone = timezone
        self._seed = seed
        self._knots: dict[int, float] = {}
        self._plans: dict[int, tuple[list[float], list[float]]] = {}

    def watts(self, second: float) -> float:
        """Return the load at *second*, which counts from 1970 in UTC."""
        place, within = divmod(second, _KNOT_S)
        before, after = self._knot(int(place)), self._knot(int(place) + 1)
        smooth = before + (after - before) * within / _KNOT_S
        if not self._settings.appliances:
            return smooth
        # Keyed by the day in UTC, so that asking needs no zone; a plan reaches over its edges.
        day = int(second // 86_400)
        plan = self._plans.get(day)
        if plan is None:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[day] = self._plan(day)
        return smooth + plan[1][bisect_right(plan[0], second)]

    def _knot(self, number: int) -> float:
        value = self._knots.get(number)
        if value is None:
            if len(self._knots) > 86_400 // _KNOT_S * 8:
                self._knots.clear()
            value = self._knots[number] = self._smooth(number)
        return value

    def _smooth(self, number: int) -> float:
        local = datetime.fromtimestamp(number * _KNOT_S, UTC).astimezone(self._timezone)
        shape = _WEEKEND if local.weekday() >= _SATURDAY else _WORKDAY
        part = local.minute / 60
        hour = shape[local.hour] * (1 - part) + shape[(local.hour + 1) % 24] * part
        season = math.cos(2 * math.pi * (local.timetuple().tm_yday - 15) / 365)
        wobble = chance("load", self._seed, number).uniform(0.85, 1.15)
        return self._settings.base_w * hour * wobble * (1 + self._settings.winter_share * season)

    def _plan(self, day: int) -> tuple[list[float], list[float]]:
        """Return when the sum of all appliances changes around a UTC *day*, and to what."""
        first = datetime.fromtimestamp(day * 86_400, UTC).astimezone(self._timezone).date()
        changes: dict[float, float] = {}
        for local_day in (first - timedelta(days=1), first, first + timedelta(days=1)):
            for start, length, watts in self._uses(local_day):
                changes[start] = changes.get(start, 0.0) + watts
                changes[start + length] = changes.get(start + length, 0.0) - watts
        moments = sorted(changes)
        sums = [0.0]
        for moment in moments:
            sums.append(max(round(sums[-1] + changes[moment], 3), 0.0))
        return moments, sums

    def _uses(self, day: date) -> Iterator[tuple[float, float, float]]:
        """Yield start, length in seconds and power of each use that begins on a local *day*."""
        random = chance("uses", self._seed, day.toordinal())
        weekend = day.weekday() >= _SATURDAY
        midnight = self._second(day, 0)
        length = self._second(day + timedelta(days=1), 0) - midnight
        at = midnight + random.uniform(0, 1_500)
        while at < midnight + length - 900:  # the fridge: about 15 minutes in 40
            running = random.uniform(750, 1_050)
            yield at, min(running, midnight + length - at), 95.0
            at += running + random.uniform(1_200, 1_800)
        for hour in (8.2, 10.5, 13.0, 15.5, 20.0) if weekend else (6.9, 7.4, 17.4, 19.9):
            yield (
                self._second(day, hour + random.uniform(-0.5, 0.5)),
                random.uniform(120, 230),
                2_200.0,
            )
        start = self._second(day, (17.0 if weekend else 17.8) + random.uniform(-0.6, 0.6))
        for number in range(random.randint(5, 9)):  # the oven: its thermostat
            yield start + number * 400, 400.0 if number == 0 else 190.0, 2_100.0
        if random.random() < (0.75 if weekend else 0.35):
            start = self._second(day, random.uniform(9, 14) if weekend else random.uniform(18, 20))
            yield start + 300, 1_150.0, 2_000.0  # the washing machine: heat, turn, spin
            yield start + 1_450, 3_200.0, 140.0
            yield start + 4_650, 650.0, 420.0
        if random.random() < (0.7 if weekend else 0.55):
            start = self._second(day, random.uniform(20, 21.5))
            for wait, heat in ((200, 900), (3_300, 800)):  # the dishwasher heats twice
                yield start + wait, float(heat), 1_900.0

    def _second(self, day: date, hour: float) -> float:
        minutes = int(hour * 60)
        local = datetime.combine(day, time(minutes // 60, minutes % 60), self._timezone)
        return local.timestamp()
