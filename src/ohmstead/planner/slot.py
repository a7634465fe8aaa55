"""The exact cost of every slot as a piecewise-linear function of the battery's change of energy.

All slots at once: the knots are known in closed form, so the curves are exact. A curve bends
the wrong way (is not convex) only where prices are negative or export is dearer than import;
``runs`` cuts it into its convex pieces, ``hull`` gives the convex curve below it.
"""

from dataclasses import dataclass
from itertools import combinations, pairwise
from math import inf
from typing import cast

import numpy as np
import numpy.typing as npt

from ohmstead.compiled import COMPILED, Places, rows
from ohmstead.planner.flows import marks
from ohmstead.planner.house import House
from ohmstead.planner.loops import cost_lines
from ohmstead.planner.merge import Lines

__all__ = [
    "Curve",
    "Curves",
    "curve",
    "curves_of",
    "curves_through",
    "cut",
    "hull",
    "lowest",
    "runs",
    "tabled_curves",
]

Floats = npt.NDArray[np.float64]

Points = list[tuple[list[float], list[float]]]

SAME_KWH = 1e-10
SAME_SLOPE = 1e-9


@dataclass(frozen=True, slots=True)
class Curve:
    """A convex piecewise-linear function: where it begins, then slopes and widths."""

    low: float
    cost: float
    """At ``low``."""
    slopes: list[float]
    """In rising order."""
    widths: list[float]

    @property
    def high(self) -> float:
        """Return where it ends."""
        return self.low + sum(self.widths)


@dataclass(frozen=True, slots=True)
class Curves:
    """A curve for each slot: its knots in rising order, the last one repeated to fill the row."""

    xs: Floats
    ys: Floats
    counts: npt.NDArray[np.int64]

    def lines(self) -> Lines:
        """Return the knots as kernels want them."""
        counts = self.counts if COMPILED else self.counts.tolist()
        return Lines(rows(self.xs), rows(self.ys), cast("Places", counts))

    def line(self, slot: int) -> tuple[list[float], list[float]]:
        """Return one slot's knots as plain lists."""
        count = self.counts[slot]
        return self.xs[slot, :count].tolist(), self.ys[slot, :count].tolist()

    def points(self) -> list[tuple[list[float], list[float]]]:
        """Return every slot's knots as plain lists."""
        lines = zip(self.xs.tolist(), self.ys.tolist(), self.counts.tolist(), strict=True)
        return [(xs[:count], ys[:count]) for xs, ys, count in lines]


def curves_of(house: House) -> Curves:
    """Return the exact cost of every slot."""
    if COMPILED:
        return Curves(*cost_lines(house))
    return tabled_curves(house)


def tabled_curves(house: House) -> Curves:
    """Return the exact cost of every slot, reckoned as tables."""
    pv, width = house.pv, house.load.size
    turns = np.stack([*marks(house), house.most])
    bus = np.concatenate([-house.charge[None], house.discharge[None], turns - pv, turns[:1]]).T
    chooses = np.zeros(width, dtype=bool)
    if house.curtail:
        chooses = (np.minimum(house.buy, house.sell) < 0) & (pv > 0)
    bus = _within(bus, house)
    cost = _cost(house, slice(None), bus, turns, may_choose=False)
    if chooses.any():
        bus, cost = _with_choice(house, chooses, bus, cost, turns)
    change = np.where(bus < 0, -bus * house.stored, -bus / house.delivered)
    change -= house.standby[:, None]
    return _plain(change[:, ::-1], cost[:, ::-1], house.dearest)


def _within(bus: Floats, house: House) -> Floats:
    clipped = np.clip(bus, -house.charge[:, None], house.discharge[:, None])
    clipped.sort(axis=1)
    return clipped


def _cost(
    house: House,
    pick: slice | npt.NDArray[np.bool_],
    bus: Floats,
    turns: Floats,
    *,
    may_choose: bool,
) -> Floats:
    """Return the cost of the picked slots at every flow in *bus*."""
    pv, most = house.pv[pick, None], house.most[pick, None]
    high = np.minimum(bus + pv, most)
    cost = _metered(house, pick, high)
    if may_choose:
        low = np.maximum(bus, house.least[pick, None])
        cost = np.minimum(cost, np.where(low <= high, _metered(house, pick, low), cost))
        for mark in turns[:3, pick, None]:
            inside = (low <= mark) & (mark <= high)
            cost = np.minimum(cost, np.where(inside, _metered(house, pick, mark), cost))
    wear: Floats = cost + house.wear * np.maximum(bus, 0.0)
    return wear


def _metered(house: House, pick: slice | npt.NDArray[np.bool_], through: Floats) -> Floats:
    given = np.where(through > 0, through * house.out, through / house.into)
    grid = house.load[pick, None] - given
    price = np.where(grid > 0, house.buy[pick, None], house.sell[pick, None])
    over = np.maximum(grid - house.imports[pick, None], 0.0)
    total: Floats = grid * price + over * house.steep
    return total


def _with_choice(
    house: House, chooses: npt.NDArray[np.bool_], bus: Floats, cost: Floats, turns: Floats
) -> tuple[Floats, Floats]:
    """Add the knots of the slots in which turning the sun down may pay.

    Between two neighbouring turns every way to use the sun costs a straight line: all of it,
    none of it, or just enough to reach a mark. The cheapest of three straight lines bends only
    where two of them cross.
    """
    pv = house.pv[chooses]
    own = np.concatenate([turns[:, chooses], turns[:, chooses] - pv, house.least[None, chooses]]).T
    own = np.concatenate([own, bus[chooses]], axis=1)
    own = np.clip(own, -house.charge[chooses, None], house.discharge[chooses, None])
    own.sort(axis=1)
    left, right = own[:, :-1], own[:, 1:]
    ways = _ways(house, chooses, own, turns)
    found = [own]
    for one, two in ((0, 1), (0, 2), (1, 2)):
        start = ways[one][0] - ways[two][0]
        stop = ways[one][1] - ways[two][1]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = start / (start - stop)
            crosses = (share > 0) & (share < 1)
            found.append(np.where(crosses, left + share * (right - left), left))
    knots = np.concatenate(found, axis=1)
    knots.sort(axis=1)
    wide = np.repeat(bus[:, -1:], knots.shape[1], axis=1)
    wide[:, : bus.shape[1]] = bus
    wide[chooses] = knots
    costs = np.repeat(cost[:, -1:], knots.shape[1], axis=1)
    costs[:, : bus.shape[1]] = cost
    costs[chooses] = _cost(house, chooses, knots, turns, may_choose=True)
    return wide, costs


def _ways(
    house: House, pick: npt.NDArray[np.bool_], own: Floats, turns: Floats
) -> list[tuple[Floats, Floats]]:
    """Return the three lines of each span at its two ends: all the sun, none, up to a mark."""
    pv, middle = house.pv[pick, None], (own[:, :-1] + own[:, 1:]) / 2
    every = _metered(house, pick, np.minimum(own + pv, house.most[pick, None]))
    least = house.least[pick, None]
    none = _metered(house, pick, np.maximum(own, least))
    upto = np.full(middle.shape, np.inf)
    for mark in turns[:3, pick, None]:
        inside = (np.maximum(middle, least) <= mark) & (mark <= middle + pv)
        inside &= mark <= house.most[pick, None]
        cost = _metered(house, pick, mark)
        upto = np.where(inside, np.minimum(upto, cost), upto)
    return [(every[:, :-1], every[:, 1:]), (none[:, :-1], none[:, 1:]), (upto, upto)]


def _plain(xs: Floats, ys: Floats, dearest: float) -> Curves:
    """Drop the knots that are none: repeated ones, and those on a straight line."""
    steps = np.diff(xs, axis=1)
    keep = np.concatenate([np.ones((xs.shape[0], 1), dtype=bool), steps > SAME_KWH], axis=1)
    xs, ys, counts = _packed(xs, ys, keep)
    steps = np.diff(xs, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.where(steps > 0, np.diff(ys, axis=1) / steps, np.inf)
        bends = np.abs(np.diff(slopes, axis=1)) > SAME_SLOPE * dearest
    last = np.arange(xs.shape[1])[None] == counts[:, None] - 1
    keep = np.zeros(xs.shape, dtype=bool)
    keep[:, 0] = True
    keep[:, 1:-1] = bends & (np.arange(1, xs.shape[1] - 1)[None] < counts[:, None])
    keep |= last
    return Curves(*_packed(xs, ys, keep))


def _packed(
    xs: Floats, ys: Floats, keep: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    counts = keep.sum(axis=1)
    order = np.argsort(~keep, axis=1, kind="stable")[:, : int(counts.max())]
    fill = np.minimum(np.arange(order.shape[1])[None], counts[:, None] - 1)
    order = np.take_along_axis(order, fill, axis=1)
    return np.take_along_axis(xs, order, axis=1), np.take_along_axis(ys, order, axis=1), counts


def curves_through(points: Points) -> Curves:
    """Return the curves through lists of knots."""
    most = max(len(xs) for xs, _ in points)
    xs = np.array([row + row[-1:] * (most - len(row)) for row, _ in points])
    ys = np.array([row + row[-1:] * (most - len(row)) for _, row in points])
    return Curves(xs, ys, np.array([len(row) for row, _ in points]))


def lowest(points: Points) -> tuple[list[float], list[float]]:
    """Return the knots of the lowest of several curves; beyond its ends a curve is not counted."""
    knots = np.unique(np.concatenate([xs for xs, _ in points]))
    knots = knots[np.concatenate([[True], np.diff(knots) > SAME_KWH])]
    at_knots = np.stack([_inside(knots, xs, ys) for xs, ys in points])
    extra = []
    for one, two in combinations(at_knots, 2):
        with np.errstate(invalid="ignore"):
            ahead = one - two
            finite = np.isfinite(ahead[:-1]) & np.isfinite(ahead[1:])
            cross = np.flatnonzero(finite & (ahead[:-1] * ahead[1:] < 0))
        share = ahead[cross] / (ahead[cross] - ahead[cross + 1])
        extra.append(knots[cross] + share * (knots[cross + 1] - knots[cross]))
    every = np.unique(np.concatenate([knots, *extra]))
    every = every[np.concatenate([[True], np.diff(every) > SAME_KWH])]
    costs = [_inside(every, xs, ys) for xs, ys in points]
    return every.tolist(), np.min(costs, axis=0).tolist()


def _inside(at: Floats, xs: list[float], ys: list[float]) -> Floats:
    inside = (at >= xs[0] - SAME_KWH) & (at <= xs[-1] + SAME_KWH)
    return np.where(inside, np.interp(at, xs, ys), inf)


def curve(xs: list[float], ys: list[float]) -> Curve:
    """Return the curve through these points, which must be convex but for rounding."""
    slopes: list[float] = []
    widths: list[float] = []
    for (x, y), (next_x, next_y) in pairwise(zip(xs, ys, strict=True)):
        width, slope = next_x - x, (next_y - y) / (next_x - x)
        while slopes and slopes[-1] > slope:
            before = widths.pop()
            slope = (slope * width + slopes.pop() * before) / (width + before)
            width += before
        slopes.append(slope)
        widths.append(width)
    return Curve(xs[0], ys[0], slopes, widths)


def cut(
    xs: list[float], ys: list[float], low: float, high: float
) -> tuple[list[float], list[float]]:
    """Return the part of a curve between *low* and *high*."""
    if low <= xs[0] and high >= xs[-1]:
        return xs, ys
    low, high = min(max(low, xs[0]), xs[-1]), max(min(high, xs[-1]), xs[0])
    kept = [x for x in xs if low + SAME_KWH < x < high - SAME_KWH]
    ends = [low, high] if high - low > SAME_KWH else [low]
    new = [ends[0], *kept, *ends[1:]]
    return new, np.interp(new, xs, ys).tolist()


def runs(xs: list[float], ys: list[float]) -> list[tuple[int, int]]:
    """Return the convex pieces of a curve, as first and last knot."""
    found, first = [], 0
    before = -inf
    for knot in range(1, len(xs)):
        slope = (ys[knot] - ys[knot - 1]) / (xs[knot] - xs[knot - 1])
        if slope < before:
            found.append((first, knot - 1))
            first = knot - 1
        before = slope
    found.append((first, len(xs) - 1))
    return found


def hull(xs: list[float], ys: list[float]) -> tuple[list[float], list[float]]:
    """Return the knots of the highest convex curve that is nowhere above this one."""
    kept_xs, kept_ys = [xs[0]], [ys[0]]
    for x, y in zip(xs[1:], ys[1:], strict=True):
        while len(kept_xs) > 1:
            rise = (kept_ys[-1] - kept_ys[-2]) * (x - kept_xs[-1])
            if rise <= (y - kept_ys[-1]) * (kept_xs[-1] - kept_xs[-2]):
                break
            kept_xs.pop()
            kept_ys.pop()
        kept_xs.append(x)
        kept_ys.append(y)
    return kept_xs, kept_ys
