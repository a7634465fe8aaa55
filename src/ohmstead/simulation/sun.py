"""Where the sun stands, and what solar panels make of it under a changing sky.

Sun: the Astronomical Almanac's low-precision formulas, as given by Michalsky (1988), good to
0.01°. Clear sky: Meinel's direct beam over Kasten and Young's air mass (1989), a tenth of it
again as diffuse light. Clouds: smooth noise whose character changes from day to day.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, Literal, TypeAlias

from ohmstead.simulation.chance import chance

__all__ = ["PvArray", "Sky", "Weather", "array_w", "sun_position"]

Weather: TypeAlias = Literal["clear", "mixed", "overcast"]

_DAYS_KEPT: Final = 8
_KNOT_S: Final = 240
"""Clouds change within minutes, not seconds."""
_CHARACTER: Final[dict[str, tuple[float, float]]] = {
    # what share of the beam gets through on average, and how far it swings
    "clear": (0.97, 0.04),
    "mixed": (0.55, 0.65),
    "overcast": (0.10, 0.14),
}
_ENGLISH_YEAR: Final[tuple[tuple[Weather, float], ...]] = (
    ("clear", 0.25),
    ("mixed", 0.7),
    ("overcast", 1.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PvArray:
    """One field of solar panels."""

    kwp: float
    tilt: float = 35.0
    """Degrees from level."""
    azimuth: float = 180.0
    """Degrees from north by east: 180 faces south."""
    yield_share: float = 0.86
    """What is left after heat, dirt, cables and the inverter."""


def sun_position(second: float, latitude: float, longitude: float) -> tuple[float, float]:
    """Return the sun's elevation, and its azimuth from north by east, in degrees.

    *second* counts from 1970 in UTC; east is positive.
    """
    days = second / 86_400 - 10_957.5  # since noon of 1 January 2000
    mean_longitude = 280.460 + 0.9856474 * days
    anomaly = math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(
        mean_longitude + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    tilt = math.radians(23.439 - 0.0000004 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    sidereal = math.radians(280.46062 + 360.98564737 * days + longitude)
    hour, north = sidereal - ascension, math.radians(latitude)
    height = math.asin(
        math.sin(north) * math.sin(declination)
        + math.cos(north) * math.cos(declination) * math.cos(hour)
    )
    bearing = math.atan2(
        -math.sin(hour),
        math.tan(declination) * math.cos(north) - math.sin(north) * math.cos(hour),
    )
    return math.degrees(height), math.degrees(bearing) % 360


def array_w(array: PvArray, height: float, bearing: float, beam_share: float = 1.0) -> float:
    """Return what *array* makes with the sun there and *beam_share* of its beam let through."""
    if height <= 0:
        return 0.0
    mass = 1 / (math.sin(math.radians(height)) + 0.50572 * math.pow(height + 6.07995, -1.6364))
    clear = 1_353 * math.pow(0.7, math.pow(mass, 0.678))
    beam = clear * beam_share
    # What clouds take from the beam they scatter; about a quarter of it still comes down.
    level = math.sin(math.radians(height))
    diffuse = 0.10 * clear + 0.25 * clear * (1 - beam_share) * level
    slope = math.radians(array.tilt)
    towards = math.cos(slope) * level + math.sin(slope) * math.cos(math.radians(height)) * math.cos(
        math.radians(bearing - array.azimuth)
    )
    ground = 0.2 * (beam * level + diffuse) * (1 - math.cos(slope)) / 2
    plane = beam * max(towards, 0.0) + diffuse * (1 + math.cos(slope)) / 2 + ground
    return array.kwp * plane * array.yield_share


class Sky:
    """The weather over the house: the same for the same seed, at whatever moment it is asked."""

    def __init__(self, seed: int, weather: Weather | None = None) -> None:
        """Draw each day's character from *seed*, unless *weather* fixes it for all days."""
        self._seed = seed
        self._weather = weather
        self._days: dict[int, tuple[float, ...]] = {}

    def character(self, day: date) -> Weather:
        """Return what kind of day it is."""
        if self._weather is not None:
            return self._weather
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
        return self._drawn(int(midnight // 86_400))

    def beam_share(self, second: float) -> float:
        """Return what share of the sun's beam gets through at *second*, smoothly over time."""
        place, within = divmod(second, _KNOT_S)
        before, after = self._knot(int(place)), self._knot(int(place) + 1)
        part = within / _KNOT_S
        return before + (after - before) * part * part * (3 - 2 * part)

    def _knot(self, number: int) -> float:
        day, place = divmod(number, 86_400 // _KNOT_S)
        knots = self._days.get(day)
        if knots is None:
            if len(self._days) >= _DAYS_KEPT:
                self._days.clear()
            knots = self._days[day] = self._draw_day(day)
        return knots[place]

    def _drawn(self, day: int) -> Weather:
        drawn = chance("character", self._seed, day).random()
        return next(kind for kind, upto in _ENGLISH_YEAR if drawn < upto)

    def _draw_day(self, day: int) -> tuple[float, ...]:
        random = chance("clouds", self._seed, day)
        mean, swing = _CHARACTER[self._weather or self._drawn(day)]
        # Noise with a memory of about half an hour, so that clouds come and go in banks.
        shares, drift = [], random.gauss(0, 0.5)
        for _ in range(86_400 // _KNOT_S):
            drift = 0.87 * drift + 0.49 * random.gauss(0, 0.5)
            shares.append(min(max(mean + swing * drift, 0.02), 1.0))
        return tuple(shares)
