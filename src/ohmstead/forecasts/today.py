"""What today has taught already: by how much it runs above or below what was expected. Pure."""

import math
from collections.abc import Mapping
from typing import Final

from ohmstead.forecasts.quarters import Quarters

__all__ = ["drift", "fading"]

_RANGE: Final = (0.4, 2.5)


def drift(
    measured: Quarters,
    expected: Mapping[int, float],
    present: int,
    *,
    memory_h: float,
    inertia_w: float,
) -> float:
    """Return measured to expected over the last hours before the quarter *present*.

    The latest quarters count most; what lies *memory_h* back counts a third of them. With
    nothing measured, and as much as *inertia_w* of doubt weighs, the answer stays at 1. Midnight
    means nothing to it.
    """
    made = told = inertia_w * 4
    for back in range(1, round(memory_h * 12) + 1):
        quarter = present - back
        if quarter in measured and quarter in expected:
            weight = math.exp(-back / (memory_h * 4))
            made += weight * measured[quarter]
            told += weight * expected[quarter]
    least, most = _RANGE
    return min(max(made / told, least), most) if told > 0 else 1.0


def fading(ratio: float, quarters_ahead: float, lasting_h: float) -> float:
    """Return what is left of *ratio* so far ahead: a third of its logarithm after *lasting_h*."""
    return math.pow(ratio, math.exp(-max(quarters_ahead, 0.0) / (lasting_h * 4)))
