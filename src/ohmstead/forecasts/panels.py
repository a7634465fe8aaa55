"""What panels make of the light: each array by its slope, shade, heat and inverter. Pure.

Light on the slope: Hay and Davies (1980), the bright ring round the sun going with the beam.
Losses at slanting light: ASHRAE's one-number curve. Heat of the cells: Faiman (2008). The tests
hold all of it against pvlib.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ohmstead.forecasts.sun import Light, Sun

__all__ = [
    "Air",
    "ArraySettings",
    "Panels",
    "beam_and_diffuse",
    "check_horizon",
    "on_slope",
]

_ALBEDO: Final = 0.2
"""How much of the light grass and streets throw back."""
_SLANT_LOSS: Final = 0.05
_PER_DEGREE: Final = -0.0035
"""How power falls with each degree of the cells above 25 °C; crystalline silicon."""
_COOLING: Final = (25.0, 6.84)
"""Faiman's W/m²K: in still air, and for each m/s of wind."""
_RATED_C: Final = 25.0
_RATED_W: Final = 1_000.0
_LOW_SUN: Final = math.sin(math.radians(0.5))
_DIFFUSE_SLANT: Final = 0.95
"""What passes the glass of light that comes from all of the sky."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArraySettings:
    """One field of solar panels."""

    kwp: float
    """Its rated power, as the panels' labels add up."""
    tilt: float = 35.0
    """Degrees from level."""
    azimuth: float = 180.0
    """Where it faces, in degrees from north by east: 90 is east, 180 south, 270 west."""
    loss_pct: float = 14.0
    """What dirt, cables, mismatch and the inverter take."""
    horizon: tuple[float, ...] = ()
    """What stands before the sun, for this array alone; see the horizon of the house."""
    resource: str | None = None
    """The array's resource id at Solcast."""

    def __post_init__(self) -> None:
        """Refuse what no roof has."""
        if not 0 < self.kwp < math.inf:
            raise ValueError("kwp is a number of kilowatts above 0")
        if not 0 <= self.tilt <= 90:  # noqa: PLR2004 - upright
            raise ValueError("tilt is from 0 (level) to 90 (upright)")
        if not 0 <= self.azimuth <= 360:  # noqa: PLR2004 - full circle
            raise ValueError("azimuth is from 0 to 360, by north, east, south and west")
        if not 0 <= self.loss_pct < 100:  # noqa: PLR2004 - all of it
            raise ValueError("loss_pct is from 0 to less than 100")
        check_horizon(self.horizon)


def check_horizon(horizon: Sequence[float]) -> None:
    """Refuse with ``ValueError`` what is no line of heights round the compass."""
    if any(not 0 <= height <= 90 for height in horizon):  # noqa: PLR2004 - straight up
        raise ValueError("horizon is a list of heights from 0 to 90 degrees, from north by east")


@dataclass(frozen=True, slots=True)
class Air:
    """What cools the panels."""

    celsius: float = 12.0
    wind_ms: float = 2.0


@dataclass(slots=True)
class Panels:
    """All arrays of a house."""

    arrays: Sequence[ArraySettings]
    horizon: Sequence[float] = ()
    """Heights in degrees, evenly spaced from north by east; empty is an open field."""
    limit_w: float | None = None
    """What the inverter lets through."""
    _skies: list[float] = field(init=False)

    def __post_init__(self) -> None:
        """Reckon once how much sky each array sees."""
        self._skies = [_open_sky(self._line(array)) for array in self.arrays]

    @property
    def most_w(self) -> float:
        """What can never be passed: the inverter's limit, or all panels in their best moment."""
        rated = 1_000 * sum(array.kwp for array in self.arrays)
        return rated if self.limit_w is None else min(rated, self.limit_w)

    def power_w(self, sun: Sun, light: Light, air: Air) -> float:
        """Return what they make with the *sun* there in this *light* and *air*."""
        if light.global_w <= 0:
            return 0.0
        total = sum(
            _array_w(array, sun, self._seen(array, sky, sun, light), air)
            for array, sky in zip(self.arrays, self._skies, strict=True)
        )
        return min(total, self.most_w)

    def _line(self, array: ArraySettings) -> Sequence[float]:
        return array.horizon or self.horizon

    def _seen(self, array: ArraySettings, sky: float, sun: Sun, light: Light) -> Light:
        """Return the light that reaches *array* past whatever stands round it."""
        line = self._line(array)
        if not line:
            return light
        beam = 0.0 if sun.height < _height_at(line, sun.azimuth) else light.beam_w
        diffuse = light.diffuse_w * sky
        return Light(beam * sun.up + diffuse, beam, diffuse)


def on_slope(sun: Sun, light: Light, tilt: float, azimuth: float) -> tuple[float, float, float]:
    """Return W/m² on a slope: the beam with its ring, the sky and the ground; and the slant.

    The third number is the cosine of the angle at which the beam falls in.
    """
    slope = math.radians(tilt)
    height = math.radians(sun.height)
    slant = math.cos(slope) * math.sin(height) + math.sin(slope) * math.cos(height) * math.cos(
        math.radians(sun.azimuth - azimuth)
    )
    slant = max(slant, 0.0)
    clear = min(light.beam_w / sun.extra_w, 1.0)
    # Near the horizon the ring would be divided by nothing.
    ring = light.diffuse_w * clear * slant / max(sun.up, 0.01745)
    sky = light.diffuse_w * (1 - clear) * (1 + math.cos(slope)) / 2
    ground = light.global_w * _ALBEDO * (1 - math.cos(slope)) / 2
    return light.beam_w * slant + ring, sky + ground, slant


def beam_and_diffuse(global_w: float, diffuse_w: float, sun: Sun) -> Light:
    """Return the light of a forecast's *global_w* and *diffuse_w*, never a beam above the sun's."""
    global_w = max(global_w, 0.0)
    diffuse_w = min(max(diffuse_w, 0.0), global_w)
    if sun.up < _LOW_SUN:
        return Light(global_w, 0.0, global_w)
    beam = min((global_w - diffuse_w) / sun.up, 0.85 * sun.extra_w)
    return Light(global_w, beam, global_w - beam * sun.up)


# ---- how it is done -----------------------------------------------------------------------


def _array_w(array: ArraySettings, sun: Sun, light: Light, air: Air) -> float:
    beam, rest, slant = on_slope(sun, light, array.tilt, array.azimuth)
    passing = max(1 - _SLANT_LOSS * (1 / slant - 1), 0.0) if slant > 0 else 0.0
    reaching = beam * passing + rest * _DIFFUSE_SLANT
    still, windy = _COOLING
    cells = air.celsius + (beam + rest) / (still + windy * max(air.wind_ms, 0.0))
    heat = 1 + _PER_DEGREE * (cells - _RATED_C)
    watts = array.kwp * 1_000 * reaching / _RATED_W * heat * (1 - array.loss_pct / 100)
    return max(watts, 0.0)


def _height_at(line: Sequence[float], azimuth: float) -> float:
    """Return how high the horizon stands at *azimuth*, straight between the given heights."""
    place = azimuth % 360 / 360 * len(line)
    left = min(int(place), len(line) - 1)
    right = (left + 1) % len(line)
    return line[left] + (line[right] - line[left]) * (place - left)


def _open_sky(line: Iterable[float]) -> float:
    """Return what part of an even sky's light comes in over the horizon."""
    heights = list(line)
    if not heights:
        return 1.0
    return sum(math.cos(math.radians(height)) ** 2 for height in heights) / len(heights)
