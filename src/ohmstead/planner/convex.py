"""The exact dynamic programme for convex slots: merging slopes, no grid.

What the energy in the battery is worth is a convex piecewise-linear function. Going back one
slot slides the slot's own segments into it in the order of their slopes, then cuts off what
the battery cannot hold. So every value is exact, and the forward walk reads the best change
of energy off the slopes.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from ohmstead.planner.slot import Curve

__all__ = ["Bounds", "Valley", "valleys", "walk", "worth_at"]

SAME = 1e-12
LEVEL = 1e-9
ROUNDING_KWH = 1e-9


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


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the battery can hold before each slot and after the last, and what it should."""

    lows: Sequence[float]
    highs: Sequence[float]
    soft: Sequence[tuple[float, float] | None]
    """From which energy to which one it costs nothing; None where nothing is wished."""
    steep: float
    """What each kWh outside costs."""


def valleys(curves: Sequence[Curve], bounds: Bounds, end: Curve) -> list[Valley] | None:
    """Return the cost to come before each slot and after the last, or None if there is no way."""
    slopes, widths = list(end.slopes), list(end.widths)
    low, high, cost = end.low, end.high, end.cost
    found: list[Valley] = []
    for index in range(len(curves), -1, -1):
        if index < len(curves):
            curve = curves[index]
            low -= curve.high
            high -= curve.low
            cost += curve.cost
            for slope, width in zip(curve.slopes, curve.widths, strict=True):
                cost += slope * width
                _slide(slopes, widths, -slope, width)
        floor, ceiling = bounds.lows[index], bounds.highs[index]
        if low > ceiling + ROUNDING_KWH or high < floor - ROUNDING_KWH:
            return None
        if low < floor:
            cost += _cut_left(slopes, widths, floor - low)
            low = floor
        if high > ceiling:
            _cut_right(slopes, widths, high - ceiling)
            high = ceiling
        soft = bounds.soft[index]
        if soft is not None:
            cost += _soften(slopes, widths, low, soft, bounds.steep)
        found.append(Valley(low, cost, slopes.copy(), widths.copy()))
    found.reverse()
    return found


def _slide(slopes: list[float], widths: list[float], slope: float, width: float) -> None:
    place = bisect_left(slopes, slope - SAME)
    if place < len(slopes) and slopes[place] - slope < SAME:
        widths[place] += width
    else:
        slopes.insert(place, slope)
        widths.insert(place, width)


def _cut_left(slopes: list[float], widths: list[float], excess: float) -> float:
    """Take *excess* off the left end; return by how much the cost there rises."""
    rise, done = 0.0, 0
    while done < len(widths) and widths[done] <= excess:
        excess -= widths[done]
        rise += slopes[done] * widths[done]
        done += 1
    del slopes[:done], widths[:done]
    if widths:
        widths[0] -= excess
        rise += slopes[0] * excess
    return rise


def _cut_right(slopes: list[float], widths: list[float], excess: float) -> None:
    while widths and widths[-1] <= excess:
        excess -= widths.pop()
        slopes.pop()
    if widths:
        widths[-1] -= excess


def _soften(
    slopes: list[float], widths: list[float], low: float, soft: tuple[float, float], steep: float
) -> float:
    """Add the cost of being outside *soft*; return what it is at the left end."""
    new_slopes: list[float] = []
    new_widths: list[float] = []
    at = low
    for slope, width in zip(slopes, widths, strict=True):
        stop = at + width
        cuts = [at, *(mark for mark in soft if at < mark < stop), stop]
        for left, right in pairwise(cuts):
            middle = (left + right) / 2
            extra = -steep if middle < soft[0] else steep if middle > soft[1] else 0.0
            new_slopes.append(slope + extra)
            new_widths.append(right - left)
        at = stop
    slopes[:], widths[:] = new_slopes, new_widths
    return steep * (max(soft[0] - low, 0.0) + max(low - soft[1], 0.0))


def worth_at(valley: Valley, energy: float) -> float:
    """Return the cost to come with *energy* in the battery."""
    cost, left = valley.cost, energy - valley.low
    for slope, width in zip(valley.slopes, valley.widths, strict=True):
        if left <= width:
            return cost + slope * left
        cost += slope * width
        left -= width
    return cost


def walk(curves: Sequence[Curve], found: Sequence[Valley], energy: float) -> list[float]:
    """Return the best change of energy of every slot, beginning with *energy*.

    Where several cost the same, the smallest: rather discharge early and charge late.
    """
    changes = []
    for curve, after in zip(curves, found[1:], strict=True):
        knots = after.knots()
        least, most = after.low - energy, knots[-1] - energy
        change = curve.low
        for slope, width in zip(curve.slopes, curve.widths, strict=True):
            wanted = knots[bisect_left(after.slopes, -slope - LEVEL)] - energy
            if wanted <= change:
                break
            change = min(change + width, wanted)
            if change == wanted:
                break
        change = max(curve.low, min(max(change, least), most))
        changes.append(change)
        energy += change
    return changes
