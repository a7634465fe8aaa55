"""What ``slot`` and ``nodes`` reckon with whole tables, once more in loops.

Tables are what numpy is fast with, loops are what a compiler is fast with: at these places no one
source suits both. A test proves each pair equal to the last digit.
"""

from math import floor, inf
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from ohmstead.compiled import compiled
from ohmstead.planner.house import STEEP, House

__all__ = ["TINY", "cost_lines", "node_costs", "node_walk", "settle_lines"]

Floats = npt.NDArray[np.float64]
Tables: TypeAlias = tuple[Floats, Floats, npt.NDArray[np.int64]]
"""The knots of every slot, as ``Lines`` has them in compiled code."""
Singles = npt.NDArray[np.float32]
Turns: TypeAlias = tuple[float, float, float, float]

SAME_KWH = 1e-10
SAME_SLOPE = 1e-9
NEVER = 1e12
ALMOST, BARELY = 1.0 - 1e-9, 1e-9
TINY = 1e-12
"""Of the dearest price: by less nothing is cheaper."""
MARKS = 3
BENDS, OWN_BENDS, MOST_BENDS = 7, 16, 61
"""How many knots a slot can have: with all the sun, and where some may be turned down."""


class _One(NamedTuple):
    """One slot of a house: plain numbers, as handing on arrays takes longer than reckoning."""

    buy: float
    sell: float
    load: float
    pv: float
    charge: float
    discharge: float
    imports: float
    least: float
    most: float
    out: float
    into: float
    steep: float
    wear: float


@compiled
def _slot(house: House, slot: int) -> _One:
    return _One(
        house.buy[slot],
        house.sell[slot],
        house.load[slot],
        house.pv[slot],
        house.charge[slot],
        house.discharge[slot],
        house.imports[slot],
        house.least[slot],
        house.most[slot],
        house.out,
        house.into,
        house.steep,
        house.wear,
    )


@compiled
def _turns(one: _One) -> tuple[float, float, float]:
    """Return the ``through`` of a still inverter, of a still meter, and of the import limit."""
    full = one.load - one.imports
    full = full / one.out if full > 0 else full * one.into
    return 0.0, one.load / one.out if one.load > 0 else one.load * one.into, full


@compiled
def settle_lines(house: House, changes: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return the fields of ``Flows``, as ``flows.settle`` does."""
    width = changes.size
    buses, grids, curtailed = np.empty(width), np.empty(width), np.empty(width)
    costs, broken = np.empty(width), np.empty(width)
    for slot in range(width):
        one, flow = _slot(house, slot), changes[slot] + house.standby[slot]
        bus = -flow / house.stored if flow > 0 else -flow * house.delivered
        low, high = max(bus, one.least), min(bus + one.pv, one.most)
        through, cost = high, _metered(one, high)
        if house.curtail:
            for knot in (low, *_turns(one)):
                tried = min(max(knot, low), high)
                other = _metered(one, tried)
                if other < cost - TINY * house.steep / STEEP:
                    through, cost = tried, other
        given = through * one.out if through > 0 else through / one.into
        grid = one.load - given
        over = max(grid - one.imports, 0.0) * one.steep
        buses[slot], grids[slot] = bus, grid
        curtailed[slot] = max(bus + one.pv - through, 0.0)
        costs[slot] = _metered(one, through) + one.wear * max(bus, 0.0) - over
        broken[slot] = over
    return buses, grids, curtailed, costs, broken


@compiled
def _metered(one: _One, through: float) -> float:
    given = through * one.out if through > 0 else through / one.into
    grid = one.load - given
    price = one.buy if grid > 0 else one.sell
    return grid * price + max(grid - one.imports, 0.0) * one.steep


@compiled
def _cost(one: _One, bus: float, turns: Turns, choose: bool) -> float:  # noqa: FBT001 - kernels know no keywords
    high = min(bus + one.pv, one.most)
    cost = _metered(one, high)
    if choose:
        low = max(bus, one.least)
        if low <= high:
            cost = min(cost, _metered(one, low))
        for mark in turns[:MARKS]:
            if low <= mark <= high:
                cost = min(cost, _metered(one, mark))
    return cost + one.wear * max(bus, 0.0)


@compiled
def _clipped(one: _One, bus: float) -> float:
    return min(max(bus, -one.charge), one.discharge)


@compiled
def _sort(values: Floats) -> None:
    """Sort a few numbers where they stand: so few that nothing cleverer is as quick."""
    for place in range(1, values.size):
        value, before = values[place], place - 1
        while before >= 0 and values[before] > value:
            values[before + 1] = values[before]
            before -= 1
        values[before + 1] = value


@compiled
def _turned_down(one: _One, turns: Turns, bus: Floats) -> Floats:
    """Return the knots of a slot in which turning the sun down may pay."""
    own = np.empty(OWN_BENDS)
    for number in range(MARKS + 1):
        own[number] = _clipped(one, turns[number])
        own[MARKS + 1 + number] = _clipped(one, turns[number] - one.pv)
    own[2 * MARKS + 2] = _clipped(one, one.least)
    own[2 * MARKS + 3 :] = bus
    _sort(own)
    count = own.size - 1
    knots = np.empty(own.size + 3 * count)
    knots[: own.size] = own
    for number in range(count):
        left, right = own[number], own[number + 1]
        middle, upto = (left + right) / 2, inf
        for mark in turns[:MARKS]:
            if max(middle, one.least) <= mark <= middle + one.pv and mark <= one.most:
                upto = min(upto, _metered(one, mark))
        every, none = (
            _metered(one, min(left + one.pv, one.most)),
            _metered(one, max(left, one.least)),
        )
        begins = (every, none, upto)
        every, none = (
            _metered(one, min(right + one.pv, one.most)),
            _metered(one, max(right, one.least)),
        )
        ends = (every, none, upto)
        place = own.size + number
        for first, second in ((0, 1), (0, 2), (1, 2)):
            start, stop = begins[first] - begins[second], ends[first] - ends[second]
            knots[place] = left
            if start != stop and -inf < start < inf and -inf < stop < inf:
                share = start / (start - stop)
                if 0 < share < 1:
                    knots[place] = left + share * (right - left)
            place += count
    _sort(knots)
    return knots


@compiled
def _plain(xs: Floats, ys: Floats, same_slope: float) -> int:
    """Drop repeated knots and those on a straight line; return how many stay."""
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
def cost_lines(house: House) -> Tables:
    """Return the exact cost of every slot, as ``slot.curves_of`` does."""
    width = house.load.size
    xs, ys = np.empty((width, MOST_BENDS)), np.empty((width, MOST_BENDS))
    counts = np.empty(width, np.int64)
    few = np.empty(BENDS)
    for slot in range(width):
        one = _slot(house, slot)
        still, even, full = _turns(one)
        turns = (still, even, full, one.most)
        few[0], few[1] = -one.charge, one.discharge
        for number in range(MARKS + 1):
            few[2 + number] = turns[number] - one.pv
        few[6] = turns[0]
        for number in range(BENDS):
            few[number] = _clipped(one, few[number])
        _sort(few)
        choose = house.curtail and min(one.buy, one.sell) < 0 and one.pv > 0
        bus = _turned_down(one, turns, few) if choose else few
        size = bus.size
        for number in range(size):
            at = bus[size - 1 - number]
            change = -at * house.stored if at < 0 else -at / house.delivered
            xs[slot, number] = change - house.standby[slot]
            ys[slot, number] = _cost(one, at, turns, choose)
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
        return float(ys[high])
    if x == xs[low]:
        return float(ys[low])
    return float((ys[high] - ys[low]) / (xs[high] - xs[low]) * (x - xs[low]) + ys[low])


@compiled
def _below(x: float) -> int:
    return int(floor(x))  # noqa: RUF046 - compiled, floor gives no whole number


@compiled
def node_costs(lines: Tables, step: float, end: Floats, missed: Floats) -> Floats:
    """Return the cost to come by slot and node, as ``nodes.sweep`` does.

    *missed* is what it costs to be at a node before a slot; it may have no rows.
    """
    xs, ys, counts = lines
    slots, count = len(counts), end.size
    farthest, nearest = -inf, inf
    for slot in range(slots):
        nearest, farthest = min(nearest, xs[slot][0]), max(farthest, xs[slot][counts[slot] - 1])
    least = max(_below(nearest / step), 1 - count)
    most = min(1 - _below(-farthest / step), count - 1)
    width, before = most - least + 1, max(-least, 0)
    never = np.float32(NEVER)
    after = np.full(count + before + max(width + least, 0), never)
    best = np.empty(count, np.float32)
    costs = np.empty((slots + 1, count))
    for node in range(count):
        after[before + node] = end[node]
        costs[slots, node] = np.float32(end[node])
    room, rises = after[before + least :], np.empty(width, np.float32)
    for slot in range(slots - 1, -1, -1):
        line_x, line_y, knots = xs[slot], ys[slot], counts[slot]
        best[:] = never
        first, last = _rises(line_x[:knots], line_y[:knots], least, step, rises)
        for move in range(first, last):
            rise, moved = rises[move], room[move : move + count]
            for node in range(count):
                best[node] = min(best[node], moved[node] + rise)
        for knot in range(knots):
            place = line_x[knot] / step - least
            _try_knot(best, room, place, width, np.float32(line_y[knot]))
        if slot < len(missed):
            for node in range(count):
                best[node] = best[node] + missed[slot, node]
        here, kept = after[before : before + count], costs[slot]
        for node in range(count):
            here[node] = min(best[node], never)
            kept[node] = here[node]
    return costs


@compiled
def _rises(xs: Floats, ys: Floats, least: int, step: float, rises: Singles) -> tuple[int, int]:
    """Write down what each move costs; return the first that is within reach, and the end."""
    first, last, part, end = 0, 0, 0, xs.size - 1
    for move in range(rises.size):
        x = (least + move) * step
        if x < xs[0]:
            first = last = move + 1
            continue
        if x > xs[end]:
            break
        while part < end and xs[part + 1] <= x:
            part += 1
        height = ys[part]
        if x != xs[part]:
            slope = (ys[part + 1] - ys[part]) / (xs[part + 1] - xs[part])
            height = slope * (x - xs[part]) + ys[part]
        rises[move] = np.float32(height)
        last = move + 1
    return first, last


@compiled
def _try_knot(best: Singles, room: Singles, place: float, width: int, rise: np.float32) -> None:
    """Lower *best* to what comes of a move that ends between two nodes."""
    move = _below(place)
    if not 0 <= move < width - 1:
        return
    share = np.float32(place - move)
    rest = np.float32(1.0) - share
    moved = room[move : move + best.size + 1]
    for node in range(best.size):
        cost = moved[node] * rest + moved[node + 1] * share + rise
        best[node] = min(best[node], cost)


@compiled
def node_walk(
    lines: Tables, nodes: Floats, low: float, step: float, costs: Floats, energy: float
) -> list[float]:
    """Return the change of energy of every slot by the swept costs, as ``nodes.trace`` does."""
    xs, ys, counts = lines
    count, high, changes = nodes.size, nodes[-1], [0.0][:0]
    for slot in range(len(counts)):
        line_x, line_y, knots, after = xs[slot], ys[slot], counts[slot], costs[slot + 1]
        first = max(int((energy + line_x[0] - low) / step + ALMOST), 0)
        last = min(max(int((energy + line_x[knots - 1] - low) / step + BARELY) + 1, 0), count)
        least, change = inf, 0.0
        for node in range(first, last):
            tried = nodes[node] - energy
            cost = after[node] + _between(tried, line_x, line_y, knots)
            if cost < least:
                least, change = cost, tried
        for knot in range(knots):
            tried = line_x[knot]
            cost = _between(tried + energy, nodes, after, count)
            cost += _between(tried, line_x, line_y, knots)
            if cost < least:
                least, change = cost, tried
        change = min(max(change, low - energy), high - energy)
        energy += change
        changes.append(change)
    return changes
