"""What nothing can beat: everything planned beside the first battery paid by a price.

Take what loads and further batteries take out of the house's balance and let each slot have a
price for it instead. Then the first battery, every load and every further battery have plans
of their own, and whatever the prices, no common plan costs less than these together.
"""

from collections.abc import Sequence
from itertools import chain
from math import inf

import numpy as np

from ohmstead.compiled import listed
from ohmstead.planner.bends import exports_of, levels
from ohmstead.planner.convex import flat_of, valley_of
from ohmstead.planner.house import WH_PER_KWH, Floats, house_of
from ohmstead.planner.merge import flat_valleys, flat_walk, flat_worth
from ohmstead.planner.problem import Problem
from ohmstead.planner.slot import Curve, curve, curves_of
from ohmstead.planner.solve import Answer, Task
from ohmstead.planner.stores import Store
from ohmstead.planner.units import Unit

__all__ = ["Dual", "choices_of", "marginal_prices"]

STEPS = 48
LEVELS = 24
PATIENCE, SHORTER = 4, 0.7
CLOSE = 1e-9
TINY = 1e-12
SAME_KWH = 1e-7
NUDGE_KWH = 1e-4


class Dual:
    """The bound by prices, for one problem."""

    def __init__(self, alone: Task, units: Sequence[Unit]) -> None:
        """Lay out what the first battery may do beside anything the *units* may take."""
        self._alone, self._units = alone, units
        choices = choices_of(alone.problem, units)
        rows = [curves_of(house_of(alone.problem, choice)).points() for choice in choices]
        self._points = [
            _sorted(taken, [row[index] for row in rows])
            for index, taken in enumerate(choices.T.tolist())
        ]

    def at(self, prices: Floats) -> tuple[float, Floats]:
        """Return the bound at *prices*, and by how much each slot takes more than it may."""
        pieces, takes = [], []
        for (xs, ys, taken), price in zip(self._points, prices.tolist(), strict=True):
            piece, kept = _hull(xs, ys - price * taken, taken)
            pieces.append(piece)
            takes.append(kept)
        flat, end = flat_of(pieces), self._alone.flat_end
        possible, found = flat_valleys(flat, self._alone.bounds.walls, end)
        assert possible  # noqa: S101 - doing nothing is always possible
        total = flat_worth(found, 0, self._alone.energy)
        changes = listed(flat_walk(flat, found, self._alone.energy))
        over = np.zeros_like(prices)
        for index, (change, kept) in enumerate(zip(changes, takes, strict=True)):
            over[index] = -np.interp(change, *kept)
        for unit in self._units:
            cost, taken = unit.priced(prices)
            total += cost
            over += taken
        return total, over

    def raised(self, prices: Floats, reached: float, steps: int = STEPS) -> float:
        """Return the best bound found from *prices* on; *reached* is what a plan costs.

        Each step goes where the balance of the slots points, as far as the plan's cost would
        allow (Polyak), be it up or down; the steps get shorter while nothing is gained.
        """
        best, share, waited = -inf, 1.0, 0
        for _ in range(steps):
            value, over = self.at(prices)
            waited = 0 if value > best else waited + 1
            best = max(best, value)
            length = float(over @ over)
            if reached - best <= CLOSE * max(abs(reached), 1.0) or length < TINY:
                break
            if waited >= PATIENCE:
                share, waited = share * SHORTER, 0
            prices = prices + share * (reached - value) / length * over
        return best

    def level(self, low: float, high: float) -> tuple[float, Floats]:
        """Return the best bound with one price for all slots, and that price."""
        same = np.ones(len(self._points))

        def bound(price: float) -> float:
            return self.at(price * same)[0]

        ratio = (5**0.5 - 1) / 2
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        at_left, at_right = bound(left), bound(right)
        for _ in range(LEVELS):
            if at_left < at_right:
                low, left, at_left = left, right, at_right
                right = low + ratio * (high - low)
                at_right = bound(right)
            else:
                high, right, at_right = right, left, at_left
                left = high - ratio * (high - low)
                at_left = bound(left)
        value, price = max((at_left, left), (at_right, right))
        return value, price * same


def choices_of(problem: Problem, units: Sequence[Unit], others: Floats | None = None) -> Floats:
    """Return what all *units* may take beside *others*, by slot, where a cost may bend."""
    plain = house_of(problem, others)
    room = plain.load + exports_of(problem)
    low = np.maximum(sum((unit.low for unit in units), 0.0 * room), -room)
    high = np.maximum(sum((unit.high for unit in units), 0.0 * room), low)
    least, most = (
        house_of(problem, end if others is None else others + end) for end in (low, high)
    )
    buses = [0.0 * room, -least.charge, least.discharge, least.least, most.discharge]
    if problem.inverter is not None:
        hours = problem.columns[0] / WH_PER_KWH
        buses.append(problem.inverter.out_max_w * hours / plain.out - plain.pv)
    only = units[0]
    if len(units) == 1 and isinstance(only, Store) and (only.steps or only.floor is not None):
        return np.stack(only.choices(problem, plain, buses))
    found = levels(problem, low, high, plain, buses)
    found[0] = np.clip(found[0], low, high)
    return np.stack(found)


def _sorted(
    taken: Sequence[float], rows: Sequence[tuple[list[float], list[float]]]
) -> tuple[Floats, Floats, Floats]:
    """Return all points of the different *rows* of a slot, by their change of energy."""
    options = {round(kwh, 9): (kwh, row) for kwh, row in zip(taken, rows, strict=True)}
    xs = np.array(list(chain.from_iterable(row[0] for _, row in options.values())))
    ys = np.array(list(chain.from_iterable(row[1] for _, row in options.values())))
    kwh = np.array(list(chain.from_iterable([v] * len(row[0]) for v, row in options.values())))
    order = np.argsort(xs, kind="stable")
    return xs[order], ys[order], kwh[order]


def _hull(xs: Floats, ys: Floats, taken: Floats) -> tuple[Curve, tuple[list[float], list[float]]]:
    """Return the convex curve below all points, and what is taken at its knots."""
    kept: list[tuple[float, float, float]] = []
    for x, y, kwh in zip(xs.tolist(), ys.tolist(), taken.tolist(), strict=True):
        if kept and x <= kept[-1][0] + SAME_KWH:
            if y >= kept[-1][1]:
                continue
            x = kept.pop()[0]  # noqa: PLW2901 - both are one knot, at the lower cost
        while len(kept) > 1:
            (x0, y0, _), (x1, y1, _) = kept[-2:]
            if (y1 - y0) * (x - x1) <= (y - y1) * (x1 - x0):
                break
            kept.pop()
        kept.append((x, y, kwh))
    first, costs, takes = zip(*kept, strict=True)
    return curve(list(first), list(costs)), (list(first), list(takes))


def marginal_prices(task: Task, answer: Answer, taken: Floats) -> Floats:
    """Return what one more kWh taken in each slot would cost, the first battery giving way.

    Halfway between one more and one less, where these differ.
    """
    both = []
    for nudge in (-NUDGE_KWH, NUDGE_KWH):
        curves = curves_of(house_of(task.problem, taken + nudge)).points()
        energy, costs = task.energy, []
        for index, ((xs, ys), change) in enumerate(zip(curves, answer.changes, strict=True)):
            valley = valley_of(answer.after, index + 1)
            knots = valley.knots()
            worth = np.cumsum([0.0, *(np.array(valley.slopes) * np.array(valley.widths))])
            tried = np.concatenate([xs, np.array(knots) - energy, [change]])
            tried = tried[(tried >= xs[0]) & (tried <= xs[-1])]
            total = np.interp(tried, xs, ys)
            total += np.interp(tried + energy, knots, worth, left=np.inf, right=np.inf)
            costs.append(float(total.min()))
            energy += change
        both.append(np.array(costs))
    known = np.isfinite(both[0]) & np.isfinite(both[1])
    less, more = (np.where(known, cost, 0.0) for cost in both)
    prices: Floats = (more - less) / (2 * NUDGE_KWH)
    return prices
