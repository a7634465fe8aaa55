"""Where the sun stands, and what reaches the ground under a cloudless sky. Pure.

Position: the Astronomical Almanac's low-precision formulas, as given by Michalsky (1988), with
Sæmundsson's refraction (1986). Clear sky: Ineichen and Perez (2002), air mass by Kasten and Young
(1989). The tests hold all of it against pvlib.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

__all__ = ["Light", "Place", "Sun", "clear_light", "sun_at"]

_SOLAR_CONSTANT_W: Final = 1_366.1
_J2000_S: Final = 946_728_000
"""Noon of 1 January 2000 in seconds since 1970."""
_DAY_S: Final = 86_400
_TURBIDITY: Final = (2.8, 3.4)
"""Linke's turbidity of temperate lowlands in midwinter and in midsummer."""
_LOWEST_HEIGHT: Final = 0.5
"""Below this the disc of the sun is half set, and formulas for air mass end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the house stands."""

    latitude: float
    longitude: float
    altitude_m: float = 50.0


@dataclass(frozen=True, slots=True)
class Sun:
    """The sun as seen from a place."""

    height: float
    """Degrees above the horizon, refraction included."""
    azimuth: float
    """Degrees from north by east."""
    extra_w: float
    """W/m² across the beam before it meets the air; more in January than in July."""

    @property
    def up(self) -> float:
        """The sine of its height, zero once it has set."""
        return max(math.sin(math.radians(self.height)), 0.0)


@dataclass(frozen=True, slots=True)
class Light:
    """W/m²: on level ground, across the beam, and from the whole sky on level ground."""

    global_w: float
    beam_w: float
    diffuse_w: float


_DARK: Final = Light(0.0, 0.0, 0.0)


def sun_at(moment: datetime, place: Place) -> Sun:
    """Return where the sun stands at *moment* (aware) over *place*."""
    days = (moment.timestamp() - _J2000_S) / _DAY_S
    anomaly = math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(
        280.460 + 0.9856474 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    tilt = math.radians(23.439 - 0.0000004 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(tilt) * math.sin(ecliptic))
    sidereal = math.radians(280.46062 + 360.98564737 * days + place.longitude)
    hour, north = sidereal - ascension, math.radians(place.latitude)
    sine = math.sin(north) * math.sin(declination) + math.cos(north) * math.cos(
        declination
    ) * math.cos(hour)
    height = math.degrees(math.asin(max(-1.0, min(1.0, sine))))
    azimuth = math.atan2(
        -math.sin(hour) * math.cos(declination),
        math.sin(declination) * math.cos(north)
        - math.cos(declination) * math.sin(north) * math.cos(hour),
    )
    # 1.0167 AU in July, 0.9833 in January: the square of it, to a thousandth
    distance = 1.00014 - 0.01671 * math.cos(anomaly) - 0.00014 * math.cos(2 * anomaly)
    return Sun(
        height + _refraction(height),
        math.degrees(azimuth) % 360,
        _SOLAR_CONSTANT_W / distance**2,
    )


def clear_light(sun: Sun, moment: datetime, place: Place) -> Light:
    """Return the light of a cloudless sky with the *sun* there."""
    if sun.height < _LOWEST_HEIGHT:
        return _DARK
    altitude = place.altitude_m
    mass = 1 / (sun.up + 0.50572 * math.pow(sun.height + 6.07995, -1.6364))
    mass *= math.exp(-altitude / 8_435)  # thinner air higher up
    turbidity = _turbidity(moment, place)
    near, far = math.exp(-altitude / 8_000), math.exp(-altitude / 1_250)
    strength = 5.09e-5 * altitude + 0.868
    fading = 3.92e-5 * altitude + 0.0387
    level = strength * sun.extra_w * sun.up
    level *= math.exp(-fading * mass * (near + far * (turbidity - 1)))
    beam = 0.664 + 0.163 / near
    beam *= sun.extra_w * math.exp(-0.09 * mass * (turbidity - 1))
    # The beam may never be more than what is left once a tenth or so has been scattered.
    most = level * (1 - (0.1 - 0.2 * math.exp(-turbidity)) / (0.1 + 0.882 / near)) / sun.up
    beam = max(min(beam, most), 0.0)
    return Light(level, beam, max(level - beam * sun.up, 0.0))


def _refraction(height: float) -> float:
    """Return by how many degrees the air lifts the sun (Sæmundsson)."""
    if height < -1:
        return 0.0
    return 1.02 / 60 / math.tan(math.radians(height + 10.3 / (height + 5.11)))


def _turbidity(moment: datetime, place: Place) -> float:
    """Return how hazy a clear sky is: clearer in winter, by the hemisphere."""
    season = math.cos(2 * math.pi * (moment.timetuple().tm_yday - 15) / 365.25)
    if place.latitude < 0:
        season = -season
    winter, summer = _TURBIDITY
    return (winter + summer) / 2 + (winter - summer) / 2 * season
