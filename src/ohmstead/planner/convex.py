"""The exact dynamic programme for convex slots: merging slopes, no grid.

What the energy in the battery is worth is a convex piecewise-linear function. Going back one
slot slides the slot's own segments into it in the order of their slopes, then cuts off what
the battery cannot hold. So every value is exact, and the forward walk reads the best change
of energy off the slopes. How that is reckoned stands in ``merge``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import inf

from ohmstead.compiled import numbers, places
from ohmstead.planner.merge import Flat, Walls, flat_valleys
from ohmstead.planner.slot import Curve

__all__ = ["Bounds", "Valley", "flat_of", "valley_of", "valleys", "worth_at"]


@dataclass(frozen=True, slots=True)
class Valley:
    """A convex piecewise-linear function of stored energy: the cost still to come."""

    low: float
    cost: float
    """At ``low``."""
    slopes: list[float]
    widths: list[float]

    def knots(self) -> list[float]:
        """Return where the segments begin, and the end of the last one."""
        return list(accumulate(self.widths, initial=self.low))

    def costs(self) -> list[float]:
        """Return the cost at each of them."""
        rises = (slope * width for slope, width in zip(self.slopes, self.widths, strict=True))
        return list(accumulate(rises, initial=self.cost))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the battery can hold before each slot and after the last, and what it should."""

    lows: Sequence[float]
    highs: Sequence[float]
    soft: Sequence[tuple[float, float] | None]
    """From which energy to which one it costs nothing; None where nothing is wished."""
    steep: float
    """What each kWh outside costs."""
    walls: Walls = field(init=False, repr=False, compare=False)
    """The same, as kernels want it."""

    def __post_init__(self) -> None:
        """Write it down for the kernels."""
        lows, highs = [-inf] * len(self.soft), [inf] * len(self.soft)
        for index, wished in enumerate(self.soft):
            if wished is not None:
                lows[index], highs[index] = wished
        walls = Walls(
            numbers(self.lows), numbers(self.highs), numbers(lows), numbers(highs), self.steep
        )
        object.__setattr__(self, "walls", walls)


def flat_of(curves: Sequence[Curve]) -> Flat:
    """Return *curves* one behind the other."""
    ends = list(accumulate((len(curve.slopes) for curve in curves), initial=0))
    return Flat(
        numbers([curve.low for curve in curves]),
        numbers([curve.cost for curve in curves]),
        places(ends[:-1]),
        places(ends[1:]),
        numbers([slope for curve in curves for slope in curve.slopes]),
        numbers([width for curve in curves for width in curve.widths]),
    )


def valleys(curves: Sequence[Curve], bounds: Bounds, end: Curve) -> list[Valley] | None:
    """Return the cost to come before each slot and after the last, or None if there is no way."""
    possible, found = flat_valleys(flat_of(curves), bounds.walls, flat_of([end]))
    return [valley_of(found, index) for index in range(len(curves) + 1)] if possible else None


def valley_of(found: Flat, index: int) -> Valley:
    """Return one of many."""
    span = slice(found.firsts[index], found.lasts[index])
    slopes, widths = list(found.slopes[span]), list(found.widths[span])
    return Valley(found.lows[index], found.costs[index], slopes, widths)


def worth_at(valley: Valley, energy: float) -> float:
    """Return the cost to come with *energy* in the battery."""
    cost, left = valley.cost, energy - valley.low
    for slope, width in zip(valley.slopes, valley.widths, strict=True):
        if left <= width:
            return cost + slope * left
        cost += slope * width
        left -= width
    return cost
