"""What ``slot`` and ``nodes`` reckon with whole tables, once more in loops.

Tables are what numpy is fast with, loops are what a compiler is fast with: at these places no one
source suits both. A test proves each pair equal to the last digit.
"""

from math import floor, inf

import numpy as np
import numpy.typing as npt

from ohmstead.compiled import compiled
from ohmstead.planner.house import STEEP, House
from ohmstead.planner.merge import Lines

__all__ = ["cost_lines", "node_costs", "node_walk"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

SAME_KWH = 1e-10
SAME_SLOPE = 1e-9
NEVER = 1e12
ALMOST, TINY = 1.0 - 1e-9, 1e-9
MARKS = 3
BENDS, MOST_BENDS = 7, 61
"""How many knots a slot can have: with all the sun, and where some may be turned down."""


@compiled
def _metered(house: House, slot: int, through: float) -> float:
    given = through * house.out if through > 0 else through / house.into
    grid = house.load[slot] - given
    price = house.buy[slot] if grid > 0 else house.sell[slot]
    return grid * price + max(grid - house.imports[slot], 0.0) * house.steep


@compiled
def _cost(house: House, slot: int, bus: float, turns: Floats, choose: bool) -> float:  # noqa: FBT001 - kernels know no keywords
    high = min(bus + house.pv[slot], house.most[slot])
    cost = _metered(house, slot, high)
    if choose:
        low = max(bus, house.least[slot])
        if low <= high:
            cost = min(cost, _metered(house, slot, low))
        for mark in turns[:MARKS]:
            if low <= mark <= high:
                cost = min(cost, _metered(house, slot, mark))
    return cost + house.wear * max(bus, 0.0)


@compiled
def _clipped(house: House, slot: int, bus: float) -> float:
    return min(max(bus, -house.charge[slot]), house.discharge[slot])


@compiled
def _turned_down(house: House, slot: int, turns: Floats, bus: Floats) -> Floats:
    """Return the knots of a slot in which turning the sun down may pay."""
    pv, least, most = house.pv[slot], house.least[slot], house.most[slot]
    own = np.empty(2 * turns.size + 1 + bus.size)
    for number in range(turns.size):
        own[number] = _clipped(house, slot, turns[number])
        own[turns.size + number] = _clipped(house, slot, turns[number] - pv)
    own[2 * turns.size] = _clipped(house, slot, least)
    own[2 * turns.size + 1 :] = bus
    own.sort()
    count = own.size - 1
    knots = np.empty(own.size + 3 * count)
    knots[: own.size] = own
    for number in range(count):
        left, right = own[number], own[number + 1]
        middle, upto = (left + right) / 2, inf
        for mark in turns[:MARKS]:
            if max(middle, least) <= mark <= middle + pv and mark <= most:
                upto = min(upto, _metered(house, slot, mark))
        begins = (
            _metered(house, slot, min(left + pv, most)),
            _metered(house, slot, max(left, least)),
            upto,
        )
        ends = (
            _metered(house, slot, min(right + pv, most)),
            _metered(house, slot, max(right, least)),
            upto,
        )
        place = own.size + number
        for one, two in ((0, 1), (0, 2), (1, 2)):
            start, stop = begins[one] - begins[two], ends[one] - ends[two]
            knots[place] = left
            if start != stop and -inf < start < inf and -inf < stop < inf:
                share = start / (start - stop)
                if 0 < share < 1:
                    knots[place] = left + share * (right - left)
            place += count
    knots.sort()
    return knots


@compiled
def _plain(xs: Floats, ys: Floats, same_slope: float) -> int:
    """Drop the knots that are none, repeated ones and those on a straight line; return how many stay."""
    count, before = 1, xs[0]
    for knot in range(1, xs.size):
        x = xs[knot]
        if x - before > SAME_KWH:
            xs[count], ys[count] = x, ys[knot]
            count += 1
        before = x
    kept, slope = 1, 0.0
    for knot in range(1, count):
        at_x, at_y = xs[knot], ys[knot]
        if knot == count - 1:
            xs[kept], ys[kept] = at_x, at_y
            kept += 1
            break
        if knot == 1:
            slope = (at_y - ys[0]) / (at_x - xs[0])
        next_slope = (ys[knot + 1] - at_y) / (xs[knot + 1] - at_x)
        if abs(next_slope - slope) > same_slope:
            xs[kept], ys[kept] = at_x, at_y
            kept += 1
        slope = next_slope
    return kept


@compiled
def cost_lines(
    house: House, marks: tuple[Floats, Floats, Floats]
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Return the exact cost of every slot, as ``slot.curves_of`` does."""
    width = house.load.size
    xs, ys = np.empty((width, MOST_BENDS)), np.empty((width, MOST_BENDS))
    counts = np.empty(width, np.int64)
    turns, few = np.empty(MARKS + 1), np.empty(BENDS)
    for slot in range(width):
        pv = house.pv[slot]
        turns[0], turns[1], turns[2] = marks[0][slot], marks[1][slot], marks[2][slot]
        turns[3] = house.most[slot]
        few[0], few[1] = -house.charge[slot], house.discharge[slot]
        for number in range(MARKS + 1):
            few[2 + number] = turns[number] - pv
        few[6] = turns[0]
        for number in range(BENDS):
            few[number] = _clipped(house, slot, few[number])
        few.sort()
        choose = house.curtail and min(house.buy[slot], house.sell[slot]) < 0 and pv > 0
        bus = _turned_down(house, slot, turns, few) if choose else few
        size = bus.size
        for number in range(size):
            at = bus[size - 1 - number]
            change = -at * house.stored if at < 0 else -at / house.delivered
            xs[slot, number] = change - house.standby[slot]
            ys[slot, number] = _cost(house, slot, at, turns, choose)
        counts[slot] = _plain(xs[slot, :size], ys[slot, :size], SAME_SLOPE * house.steep / STEEP)
    most = counts.max()
    all_xs, all_ys = np.empty((width, most)), np.empty((width, most))
    for slot in range(width):
        for knot in range(most):
            place = min(knot, counts[slot] - 1)
            all_xs[slot, knot], all_ys[slot, knot] = xs[slot, place], ys[slot, place]
    return all_xs, all_ys, counts


@compiled
def _between(x: float, xs: Floats, ys: Floats, count: int) -> float:
    """Return the height of a line at *x*; beyond its ends it is out of reach."""
    if not xs[0] <= x <= xs[count - 1]:
        return NEVER
    low, high = 0, count - 1
    while high - low > 1:
        middle = (low + high) // 2
        if xs[middle] <= x:
            low = middle
        else:
            high = middle
    if x == xs[high]:
        return ys[high]
    if x == xs[low]:
        return ys[low]
    return (ys[high] - ys[low]) / (xs[high] - xs[low]) * (x - xs[low]) + ys[low]


@compiled
def node_costs(lines: Lines, step: float, end: Floats, missed: Floats) -> Floats:
    """Return the cost to come by slot and node, as ``nodes.sweep`` does.

    *missed* is what it costs to be at a node before a slot; it may have no rows.
    """
    xs, ys, counts = lines
    slots, count = len(counts), end.size
    farthest, nearest = -inf, inf
    for slot in range(slots):
        nearest, farthest = min(nearest, xs[slot][0]), max(farthest, xs[slot][counts[slot] - 1])
    least = max(floor(nearest / step), 1 - count)
    most = min(-floor(-farthest / step) + 1, count - 1)
    width, before = most - least + 1, max(-least, 0)
    never = np.float32(NEVER)
    after = np.full(count + before + max(width + least, 0), never)
    best = np.empty(count, np.float32)
    costs = np.empty((slots + 1, count))
    for node in range(count):
        after[before + node] = end[node]
        costs[slots, node] = np.float32(end[node])
    for slot in range(slots - 1, -1, -1):
        line_x, line_y, knots = xs[slot], ys[slot], counts[slot]
        best[:] = never
        for move in range(width):
            rise = np.float32(_between((least + move) * step, line_x, line_y, knots))
            if rise < never:
                shifted = after[before + least + move : before + least + move + count]
                for node in range(count):
                    cost = shifted[node] + rise
                    best[node] = min(best[node], cost)
        for knot in range(knots):
            place = line_x[knot] / step - least
            move = int(floor(place))
            if 0 <= move < width - 1:
                share, rise = np.float32(place - move), np.float32(line_y[knot])
                rest = np.float32(1.0) - share
                shifted = after[before + least + move : before + least + move + count + 1]
                for node in range(count):
                    cost = shifted[node] * rest + shifted[node + 1] * share + rise
                    best[node] = min(best[node], cost)
        for node in range(count):
            if slot < len(missed):
                best[node] = best[node] + missed[slot, node]
            after[before + node] = min(best[node], never)
            costs[slot, node] = after[before + node]
    return costs


@compiled
def node_walk(lines: Lines, nodes: Floats, low: float, step: float, costs: Floats, energy: float) -> list[float]:
    """Return the change of energy of every slot by the swept costs, as ``nodes.trace`` does."""
    xs, ys, counts = lines
    count, high, changes = nodes.size, nodes[-1], [0.0][:0]
    for slot in range(len(counts)):
        line_x, line_y, knots, after = xs[slot], ys[slot], counts[slot], costs[slot + 1]
        first = max(int((energy + line_x[0] - low) / step + ALMOST), 0)
        last = min(max(int((energy + line_x[knots - 1] - low) / step + TINY) + 1, 0), count)
        least, change = inf, 0.0
        for number in range(max(last - first, 0) + knots):
            within = number < last - first
            tried = nodes[first + number] - energy if within else line_x[number - max(last - first, 0)]
            cost = _between(tried + energy, nodes, after, count)
            cost += _between(tried, line_x, line_y, knots)
            if cost < least:
                least, change = cost, tried
        change = min(max(change, low - energy), high - energy)
        energy += change
        changes.append(change)
    return changes
