"""Among plans of equal cost, the gentle one: the same energy, slower, over the whole window.

Filling a battery from the grid in three hours of a six-hour cheap night costs what filling it
in six does. Of equal plans the exact engine returns a corner: full power, late. Here the
energy of neighbouring slots whose price is one and the same is spread evenly over their time, but
not thinner than a tenth of full power.
Serving the house is never spread: there the battery follows the load.
"""

from math import inf

from ohmstead.compiled import Row, compiled, listed, numbers, packed, row
from ohmstead.planner.convex import Bounds
from ohmstead.planner.flows import even
from ohmstead.planner.house import Floats, House
from ohmstead.planner.merge import Flat, Walls

__all__ = ["gentle"]

LEAST_SHARE = 0.1
"""Of full power: what is spread is not spread thinner than this."""
SAME_KWH = 1e-9


def gentle(
    house: House, bounds: Bounds, hours: Floats, pieces: Flat, changes: list[float]
) -> list[float]:
    """Return changes that cost the same, spread over the slots that cost the same."""
    found, same = numbers(changes), 1e-9 * house.dearest
    # the change at which the meter stands still, or nothing for a hybrid's losses
    flow = house.pv - even(house)
    served = row(flow * house.stored * (flow > 0) + flow / house.delivered * (flow <= 0))
    lost, lasting = row(house.standby), row(hours)
    for up in (True, False):
        full = house.charge * house.stored if up else house.discharge / house.delivered
        least = row(LEAST_SHARE * full)
        spans = (served, lost, least, lasting)
        found = _gentler(pieces, bounds.walls, spans, same, up, found)
    return listed(found)


@compiled
def _gentler(
    pieces: Flat,
    walls: Walls,
    spans: tuple[Row, Row, Row, Row],
    same: float,
    up: bool,  # noqa: FBT001 - kernels know no keywords
    changes: Row,
) -> Row:
    """Spread what is charged, or what is discharged."""
    found, (served, lost, least, hours) = list(changes), spans
    slopes, lows, highs = [0.0][:0], [0.0][:0], [0.0][:0]
    for index in range(len(found)):
        slope, low, high = _room(pieces, index, found[index], served[index] - lost[index], up)
        slopes.append(slope)
        lows.append(low)
        highs.append(high)
    first = 0
    while first < len(found):
        last = first + 1
        while last < len(found) and lows[first] <= highs[first]:
            # those that can share their energy with the first one
            if not lows[last] <= highs[last] or abs(slopes[last] - slopes[first]) > same:
                break
            if walls.soft_lows[last] > -inf or walls.soft_highs[last] < inf:
                break
            if walls.lows[last] != walls.lows[first] or walls.highs[last] != walls.highs[first]:
                break
            last += 1
        if last - first > 1:
            begin = _gathered(found, lows, highs, least, first, last, up)
            _spread(found, lows, highs, hours, begin, last)
        first = last
    return packed(found)


@compiled
def _room(
    pieces: Flat,
    index: int,
    change: float,
    served: float,
    up: bool,  # noqa: FBT001 - kernels know no keywords
) -> tuple[float, float, float]:
    """Return the slope, begin and end of the segment that *change* is on.

    Only if it moves energy over the meter; otherwise the begin is after the end. Charging is on
    the last segment it uses, or before the first one it could use.
    """
    slope, begin, end, low = 0.0, inf, -inf, pieces.lows[index]
    for segment in range(pieces.firsts[index], pieces.lasts[index]):
        width = pieces.widths[segment]
        high = low + width
        if low - SAME_KWH <= change <= high + SAME_KWH and width > SAME_KWH:
            if up:
                over, used = low >= max(served, 0.0) - SAME_KWH, change > low + SAME_KWH
            else:
                over, used = high <= min(served, 0.0) + SAME_KWH, change < high - SAME_KWH
            if over and (used or begin > end):
                slope, begin, end = pieces.slopes[segment], low, high
        low = high
    return slope, begin, end


@compiled
def _gathered(
    changes: list[float],
    lows: list[float],
    highs: list[float],
    least: Row,
    first: int,
    last: int,
    up: bool,  # noqa: FBT001 - likewise
) -> int:
    """Leave out the first slots of a run while its energy is too little to be shared by all.

    An inverter does a trickle badly, and an hour at some power is one action, not six. Return
    the first slot that is not left out.
    """
    over, wanted, room = 0.0, 0.0, 0.0
    for index in range(first, last):
        over += changes[index] - (lows[index] if up else highs[index])
        wanted += least[index]
        room += highs[index] - lows[index]
    over = abs(over)
    if over < SAME_KWH:
        return first
    while first < last - 1 and over < wanted:
        room -= highs[first] - lows[first]
        if room < over:
            break
        base = lows[first] if up else highs[first]
        wanted -= least[first]
        changes[first + 1] += changes[first] - base
        changes[first] = base
        first += 1
    return first


@compiled
def _spread(
    changes: list[float], lows: list[float], highs: list[float], hours: Row, first: int, last: int
) -> None:
    """Give every slot of a run the same power, as far as its room allows."""
    total = 0.0
    for index in range(first, last):
        total += changes[index]
    free = list(range(first, last))
    while len(free) > 0:
        time = 0.0
        for index in free:
            time += hours[index]
        level, tight, above = total / time, 0, 0.0
        for index in free:
            kept = min(max(level * hours[index], lows[index]), highs[index])
            if kept != level * hours[index]:
                tight += 1
                above += kept - level * hours[index]
        done = tight == 0 or abs(above) < SAME_KWH
        rest = free[:0]
        for index in free:
            kept = min(max(level * hours[index], lows[index]), highs[index])
            if done:
                changes[index] = kept
            # Those cut off on the side that has too much stay where they are cut off.
            elif kept != level * hours[index] and (kept > level * hours[index]) == (above > 0):
                changes[index] = kept
                total -= kept
            else:
                rest.append(index)
        free = rest
