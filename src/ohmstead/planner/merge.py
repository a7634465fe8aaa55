"""The kernels of the convex dynamic programme: hulls, merging of slopes, and the walk.

Curves lie one behind the other in flat rows: the segments of curve ``k`` are those from
``firsts[k]`` to just before ``lasts[k]``.
"""

from bisect import bisect_left
from math import inf
from typing import NamedTuple

from ohmstead.compiled import Places, Row, Rows, compiled, packed

__all__ = [
    "LEVEL",
    "Flat",
    "Lines",
    "Walls",
    "chosen",
    "flat_hulls",
    "flat_valleys",
    "flat_walk",
    "flat_worth",
    "mirrored",
    "worths_at",
]

SAME = 1e-12
LEVEL = 1e-9
ROUNDING_KWH = 1e-9


class Flat(NamedTuple):
    """Convex piecewise-linear functions, one behind the other."""

    lows: Row
    costs: Row
    """At ``lows``."""
    firsts: Places
    lasts: Places
    slopes: Row
    widths: Row


class Lines(NamedTuple):
    """The knots of every slot's curve in rising order, as tables, and how many there are."""

    xs: Rows
    ys: Rows
    counts: Places


class Walls(NamedTuple):
    """What the battery can hold before each slot and after the last, and what it should."""

    lows: Row
    highs: Row
    soft_lows: Row
    """From which energy to which one it costs nothing; both infinite where nothing is wished."""
    soft_highs: Row
    steep: float
    """What each kWh outside costs."""


@compiled
def _joined(
    lows: list[float],
    costs: list[float],
    firsts: list[int],
    lasts: list[int],
    slopes: list[float],
    widths: list[float],
) -> Flat:
    return Flat(
        packed(lows), packed(costs), packed(firsts), packed(lasts), packed(slopes), packed(widths)
    )


@compiled
def flat_hulls(lines: Lines) -> tuple[Flat, Places]:
    """Return the highest convex curve below each, and which of them are bent the other way."""
    lows, costs, slopes, widths = [0.0][:0], [0.0][:0], [0.0][:0], [0.0][:0]
    firsts, lasts, bent = [0][:0], [0][:0], [0][:0]
    xs, ys, counts = lines
    for index in range(len(counts)):
        line_x, line_y, first = xs[index], ys[index], len(slopes)
        x, y = line_x[0], line_y[0]
        lows.append(x)
        costs.append(y)
        firsts.append(first)
        for knot in range(1, counts[index]):
            width = line_x[knot] - x
            slope = (line_y[knot] - y) / width
            x, y = line_x[knot], line_y[knot]
            while len(slopes) > first and slopes[-1] > slope:
                before = widths.pop()
                slope = (slope * width + slopes.pop() * before) / (width + before)
                width += before
            slopes.append(slope)
            widths.append(width)
        lasts.append(len(slopes))
        if len(slopes) - first < counts[index] - 1:
            bent.append(index)
    return _joined(lows, costs, firsts, lasts, slopes, widths), packed(bent)


@compiled
def chosen(lines: Lines, hulls: Flat, changes: Row) -> Flat:
    """Return the convex piece of every slot that its change is in."""
    lows, costs, slopes, widths = [0.0][:0], [0.0][:0], [0.0][:0], [0.0][:0]
    firsts, lasts = [0][:0], [0][:0]
    xs, ys, counts = lines
    for index in range(len(counts)):
        line_x, line_y, last = xs[index], ys[index], counts[index] - 1
        firsts.append(len(slopes))
        if hulls.lasts[index] - hulls.firsts[index] == last:
            lows.append(hulls.lows[index])
            costs.append(hulls.costs[index])
            slopes.extend(hulls.slopes[hulls.firsts[index] : hulls.lasts[index]])
            widths.extend(hulls.widths[hulls.firsts[index] : hulls.lasts[index]])
            lasts.append(len(slopes))
            continue
        begins, before, change = 0, -inf, changes[index] - ROUNDING_KWH
        for knot in range(1, last + 1):
            width = line_x[knot] - line_x[knot - 1]
            slope = (line_y[knot] - line_y[knot - 1]) / width
            if slope < before:
                if change <= line_x[knot - 1]:
                    break
                begins = knot - 1
                del slopes[firsts[index] :]
                del widths[firsts[index] :]
            before = slope
            slopes.append(slope)
            widths.append(width)
        lows.append(line_x[begins])
        costs.append(line_y[begins])
        lasts.append(len(slopes))
    return _joined(lows, costs, firsts, lasts, slopes, widths)


@compiled
def _cut_left(slopes: list[float], widths: list[float], excess: float) -> float:
    """Take *excess* off the left end; return by how much the cost there rises."""
    rise, done = 0.0, 0
    while done < len(widths) and widths[done] <= excess:
        excess -= widths[done]
        rise += slopes[done] * widths[done]
        done += 1
    del slopes[:done]
    del widths[:done]
    if len(widths) > 0:
        widths[0] -= excess
        rise += slopes[0] * excess
    return rise


@compiled
def _cut_right(slopes: list[float], widths: list[float], excess: float) -> None:
    while len(widths) > 0 and widths[-1] <= excess:
        excess -= widths.pop()
        slopes.pop()
    if len(widths) > 0:
        widths[-1] -= excess


@compiled
def _soften(
    slopes: list[float], widths: list[float], low: float, soft: tuple[float, float], steep: float
) -> float:
    """Add the cost of being outside *soft*; return what it is at the left end."""
    at, place = low, 0
    while place < len(slopes):
        stop = at + widths[place]
        for mark in soft:
            if at < mark < stop:
                stop = mark
        rest = at + widths[place] - stop
        if rest > 0:
            slopes.insert(place + 1, slopes[place])
            widths.insert(place + 1, rest)
            widths[place] = stop - at
        middle = (at + stop) / 2
        if middle < soft[0]:
            slopes[place] -= steep
        elif middle > soft[1]:
            slopes[place] += steep
        at = stop
        place += 1
    return steep * (max(soft[0] - low, 0.0) + max(low - soft[1], 0.0))


@compiled
def _slide(
    curves: Flat, index: int, slopes: list[float], widths: list[float]
) -> tuple[float, float]:
    """Merge the segments of a curve in; return where it ends, and its cost there."""
    low, cost = curves.lows[index], curves.costs[index]
    for segment in range(curves.firsts[index], curves.lasts[index]):
        slope, width = -curves.slopes[segment], curves.widths[segment]
        low += width
        cost -= slope * width
        place = bisect_left(slopes, slope - SAME, 0, len(slopes))
        if place < len(slopes) and slopes[place] - slope < SAME:
            widths[place] += width
        else:
            slopes.insert(place, slope)
            widths.insert(place, width)
    return low, cost


@compiled
def flat_valleys(curves: Flat, walls: Walls, end: Flat) -> tuple[bool, Flat]:
    """Return the cost to come before each slot and after the last, and whether there is a way."""
    slopes, widths = list(end.slopes), list(end.widths)
    low, cost = end.lows[0], end.costs[0]
    high = low
    for width in widths:
        high += width
    lows, costs, all_slopes, all_widths = [0.0][:0], [0.0][:0], [0.0][:0], [0.0][:0]
    firsts, lasts, count, possible = [0][:0], [0][:0], len(curves.lows), True
    for index in range(count, -1, -1):
        if index < count:
            shift, rise = _slide(curves, index, slopes, widths)
            low -= shift
            high -= curves.lows[index]
            cost += rise
        floor, ceiling = walls.lows[index], walls.highs[index]
        if low > ceiling + ROUNDING_KWH or high < floor - ROUNDING_KWH:
            possible = False
            break
        if low < floor:
            cost += _cut_left(slopes, widths, floor - low)
            low = floor
        if high > ceiling:
            _cut_right(slopes, widths, high - ceiling)
            high = ceiling
        if walls.soft_lows[index] > -inf or walls.soft_highs[index] < inf:
            soft = (walls.soft_lows[index], walls.soft_highs[index])
            cost += _soften(slopes, widths, low, soft, walls.steep)
        lows.append(low)
        costs.append(cost)
        firsts.append(len(all_slopes))
        all_slopes.extend(slopes)
        all_widths.extend(widths)
        lasts.append(len(all_slopes))
    for rows in (lows, costs):
        rows.reverse()
    for places in (firsts, lasts):
        places.reverse()
    return possible, _joined(lows, costs, firsts, lasts, all_slopes, all_widths)


@compiled
def flat_worth(found: Flat, index: int, energy: float) -> float:
    """Return the cost to come before slot *index* with *energy* in the battery."""
    cost, left = found.costs[index], energy - found.lows[index]
    for segment in range(found.firsts[index], found.lasts[index]):
        slope, width = found.slopes[segment], found.widths[segment]
        if left <= width:
            return cost + slope * left
        cost += slope * width
        left -= width
    return cost


@compiled
def flat_walk(curves: Flat, found: Flat, energy: float) -> Row:
    """Return the best change of energy of every slot, beginning with *energy*.

    Where several cost the same, the smallest: rather discharge early and charge late.
    """
    changes = [0.0][:0]
    for index in range(len(curves.lows)):
        # From the least change up, as long as the slot's slope is less than what comes is worth.
        first, last = found.firsts[index + 1], found.lasts[index + 1] - 1
        segment = first - 1
        right = found.lows[index + 1] - energy
        lowest, change = right, curves.lows[index]
        for part in range(curves.firsts[index], curves.lasts[index]):
            wanted, goal = -curves.slopes[part] - LEVEL, change + curves.widths[part]
            if segment >= first and found.slopes[segment] >= wanted:
                break
            while segment < last and found.slopes[segment + 1] < wanted and right < goal:
                segment += 1
                right += found.widths[segment]
            if right < goal:
                change = max(change, right)
                break
            change = goal
        while segment < last and right < change:
            segment += 1
            right += found.widths[segment]
        change = max(min(change, right), lowest)
        changes.append(change)
        energy += change
    return packed(changes)


@compiled
def mirrored(curves: Flat, count: int) -> Flat:
    """Return the first *count* curves turned left to right, the last one first."""
    lows, costs, slopes, widths = [0.0][:0], [0.0][:0], [0.0][:0], [0.0][:0]
    firsts, lasts = [0][:0], [0][:0]
    for index in range(count - 1, -1, -1):
        low, cost = curves.lows[index], curves.costs[index]
        firsts.append(len(slopes))
        for segment in range(curves.lasts[index] - 1, curves.firsts[index] - 1, -1):
            slope, width = curves.slopes[segment], curves.widths[segment]
            low += width
            cost += slope * width
            slopes.append(-slope)
            widths.append(width)
        lasts.append(len(slopes))
        lows.append(-low)
        costs.append(cost)
    return _joined(lows, costs, firsts, lasts, slopes, widths)


@compiled
def worths_at(found: Flat, energies: Row, same: float) -> tuple[Row, Row]:
    """Return what one kWh more would save after each slot, and what one less would cost.

    *energies* are those before each slot and after the last; two closer than *same* are one.
    """
    worths, lacks = [0.0][:0], [0.0][:0]
    for index in range(1, len(energies)):
        first, last = found.firsts[index], found.lasts[index]
        if first == last:
            worths.append(0.0)
            lacks.append(0.0)
            continue
        left, at = first, found.lows[index] + found.widths[first]
        while left < last - 1 and at < energies[index] - same:
            left += 1
            at += found.widths[left]
        right = left
        while right < last - 1 and at <= energies[index] + same:
            right += 1
            at += found.widths[right]
        worths.append(-found.slopes[right])
        lacks.append(-found.slopes[left])
    return packed(worths), packed(lacks)
