"""What a weather service would have said: the truth, blurred and wrong as services are.

A stand-in where no forecasts were recorded. It knows whether a morning is bright, not which
minute a cloud comes; it is wrong by a share that grows with the hours ahead, in the same
direction for hours on end, and never above what the brightest days around gave.
"""

from typing import Final

import numpy as np

from ohmstead.backtest.world import Floats

__all__ = ["foretell", "perfect"]

_ROW: Final = 96
"""Half-hours an issue reaches."""
_A_DAY: Final = 48
_BLUR: Final = 2
"""Half-hours to each side that a service cannot tell apart."""
_AT_ONCE: Final = 0.18
_A_DAY_ON: Final = 0.30
"""How wrong it is on average, now and a day ahead, as a share."""
_LASTS: Final = 0.93
"""How much of an error is still there a half-hour on."""
_AROUND: Final = 10
"""Days to each side whose brightest says what a clear sky gives."""


def foretell(sun_w: Floats, hold: int, seed: int, *, wrong: float = 1.0) -> Floats:
    """Return issues for *sun_w*, the truth by the half-hour: a row every *hold* of them.

    *wrong* scales the errors: 0 leaves the blur alone.
    """
    clear = _clear(sun_w)
    share = np.divide(sun_w, clear, out=np.zeros_like(sun_w), where=clear > 1.0)
    share, clear = (
        np.concatenate([row, np.zeros(_ROW)]) for row in (_blurred(share, clear), clear)
    )
    random = np.random.default_rng(seed)
    ahead = np.arange(_ROW)
    size = wrong * (_AT_ONCE + (_A_DAY_ON - _AT_ONCE) * np.minimum(ahead / _A_DAY, 1.5))
    rows = []
    for first in range(0, len(sun_w), hold):
        noise = random.standard_normal(_ROW)
        drift = np.empty(_ROW)
        drift[0] = noise[0]
        for n in range(1, _ROW):
            drift[n] = _LASTS * drift[n - 1] + (1 - _LASTS**2) ** 0.5 * noise[n]
        told = share[first : first + _ROW] * np.exp(size * drift - size**2 / 2)
        rows.append(np.minimum(told, 1.0) * clear[first : first + _ROW])
    return np.array(rows)


def perfect(sun_w: Floats, hold: int) -> Floats:
    """Return issues that are right, for bounds and for tests."""
    padded = np.concatenate([sun_w, np.zeros(_ROW)])
    return np.array([padded[first : first + _ROW] for first in range(0, len(sun_w), hold)])


def _clear(sun_w: Floats) -> Floats:
    """Return the brightest of the days around, at the same time of day."""
    days = -(-len(sun_w) // _A_DAY)
    table = np.zeros((days, _A_DAY))
    table.ravel()[: len(sun_w)] = sun_w
    found = np.array(
        [table[max(day - _AROUND, 0) : day + _AROUND + 1].max(axis=0) for day in range(days)]
    )
    flat: Floats = found.ravel()[: len(sun_w)]
    return flat


def _blurred(share: Floats, clear: Floats) -> Floats:
    """Return the mean share around each half-hour, dark ones not counted."""
    kernel = np.ones(2 * _BLUR + 1)
    light = (clear > 1.0).astype(float)
    total = np.convolve(share * light, kernel, "same")
    count = np.convolve(light, kernel, "same")
    found: Floats = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    return found
