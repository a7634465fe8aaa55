"""What holds energy beside the first battery: a load's amount, or a further battery.

A load that needs an amount is a store that only fills; a further battery is one that fills
and empties. What it takes from the house (``taken``, kWh a slot, below 0 when it gives) costs a
piecewise-linear function of its change of energy while all else is given, and the engine that
plans the first battery plans it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import inf

import numpy as np
import numpy.typing as npt

from ohmstead.compiled import listed, numbers
from ohmstead.planner.bends import levels, overfull
from ohmstead.planner.bounds import Limits, bounds_of, end_of, limits_of
from ohmstead.planner.convex import Bounds, flat_of
from ohmstead.planner.flexible import Amount
from ohmstead.planner.flows import settle, tabled_settle
from ohmstead.planner.house import SHORT, TINY_KWH, WH_PER_KWH, Floats, House, house_of
from ohmstead.planner.merge import flat_valleys, flat_walk, flat_worth
from ohmstead.planner.problem import Beside, Problem
from ohmstead.planner.slot import Curve, curve, curves_through, hull
from ohmstead.planner.solve import Task, knots_of, solved

__all__ = ["Store", "store_of_amount", "store_of_battery"]

APART_KWH = 1e-6
"""How near to a power that a load cannot take a knot may lie."""
MOST_TOTALS = 500
"""Of more sums of steps none is left out beforehand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What holds energy, and takes it from the house's AC."""

    low: Floats
    high: Floats
    bounds: Bounds
    end: Curve
    limits: Limits
    energy: float
    standby: Floats
    stored: float = 1.0
    delivered: float = 1.0
    wear: float = 0.0
    spans: list[list[tuple[float, float]]] | None = None
    """What it can take in each slot, where that is not all between ``low`` and ``high``."""
    steps: tuple[Floats, ...] = ()
    """All that it can take, where it has steps."""
    reach: float = inf
    """What it can hold at most by the powers that it can take."""
    floor: Floats | None = None
    """The least it takes when it takes anything."""

    def change(self, taken: Floats) -> Floats:
        """Return how its energy changes."""
        flow: Floats = np.where(taken > 0, taken * self.stored, taken / self.delivered)
        return flow - self.standby

    def taken(self, changes: Floats) -> Floats:
        """Return what it takes for these changes of its energy."""
        flow = changes + self.standby
        taken = np.where(flow > 0, flow / self.stored, flow * self.delivered)
        return np.where(np.abs(taken) > 2 * APART_KWH, taken, 0.0)

    def allows(self, taken: Floats) -> npt.NDArray[np.bool_]:
        """Return whether it can take so much in each slot."""
        inside = (taken >= self.low - TINY_KWH) & (taken <= self.high + TINY_KWH)
        if self.floor is not None:
            inside &= (taken <= TINY_KWH) | (taken >= self.floor - TINY_KWH)
        if self.steps:
            inside &= np.any([np.abs(taken - step) < TINY_KWH for step in self.steps], axis=0)
        return inside

    def own_cost(self, taken: Floats) -> float:
        """Return wear, what is left or lacking at the end, and wishes that are missed."""
        energies = list(accumulate(self.change(taken).tolist(), initial=self.energy))
        total = self.wear * float(np.maximum(-taken, 0.0).sum())
        for energy, soft in zip(energies, self.bounds.soft, strict=True):
            if soft is not None:
                missed = max(soft[0] - energy, 0.0) + max(energy - soft[1], 0.0)
                total += self.bounds.steep * missed
        return total + float(np.interp(energies[-1], *knots_of(self.end)))

    def choices(self, problem: Problem, house: House, buses: Sequence[Floats]) -> list[Floats]:
        """Return what it may take where a cost may bend while *buses* flow."""
        if self.steps:
            return list(self.steps)
        if self.floor is None:
            return levels(problem, self.low, self.high, house, buses)
        return [0.0 * self.floor, *levels(problem, self.floor, self.high, house, buses)[1:]]

    def filled(self, problem: Problem, others: Floats, changes: Sequence[float]) -> Floats:
        """Return its cheapest plan beside what *others* take and the first battery's *changes*."""
        house = house_of(problem, others)
        bus = settle(house, changes).bus
        rows = np.stack(self.choices(problem, house, [bus]))
        beside = house_of(problem, others + rows)
        flows = tabled_settle(beside, np.array(changes))
        costs = flows.cost + flows.broken + self.wear * np.maximum(-rows, 0.0)
        never = float(costs.max()) + house.steep * (1.0 + self.energy + self.bounds.highs[-1])
        costs = np.where(overfull(problem, beside), never, costs)
        points = []
        for index, (level, cost) in enumerate(zip(rows.T, costs.T, strict=True)):
            spans = self.spans[index] if self.spans else [(-inf, inf)]
            points.append(_with_gaps(level.tolist(), cost.tolist(), spans, never))
        return self._solved(problem, house, points)

    def _solved(
        self, problem: Problem, house: House, points: list[tuple[list[float], list[float]]]
    ) -> Floats:
        kept = []
        for index, (xs, ys) in enumerate(points):
            flows = np.array(xs)
            flows = np.where(flows > 0, flows * self.stored, flows / self.delivered)
            kept.append(((flows - self.standby[index]).tolist(), ys))
        curves = curves_through(kept)
        task = Task(problem, house, curves, self.bounds, self.end, self.limits, self.energy)
        return self.taken(np.array(solved(task).changes))

    def priced(self, prices: Floats) -> tuple[float, Floats]:
        """Return what it costs at least where each kWh has a price, and what it then takes."""
        rows = np.stack([self.low, np.zeros_like(self.low), self.high])
        changes = self.change(rows)
        costs = rows * prices + self.wear * np.maximum(-rows, 0.0)
        pieces = []
        for xs, ys in zip(changes.T.tolist(), costs.T.tolist(), strict=True):
            pieces.append(curve(*hull(*_distinct(xs, ys))))
        bounds = self.bounds
        if self.reach < bounds.highs[-1]:
            bounds = replace(bounds, highs=[self.reach] * len(bounds.highs))
        flat = flat_of(pieces)
        possible, found = flat_valleys(flat, bounds.walls, flat_of([self.end]))
        assert possible  # noqa: S101 - doing nothing is always possible
        walked = np.array(listed(flat_walk(flat, found, self.energy)))
        return flat_worth(found, 0, self.energy), self.taken(walked)


def _distinct(xs: list[float], ys: list[float]) -> tuple[list[float], list[float]]:
    """Return a curve's points without the repeated ones."""
    kept = [place for place in range(len(xs)) if place == 0 or xs[place] > xs[place - 1]]
    return [xs[place] for place in kept], [ys[place] for place in kept]


def store_of_amount(problem: Problem, amount: Amount) -> Store:
    """Return a load that needs an amount, as a store that only fills."""
    slots = len(problem.slots)
    hours, unlimited = problem.columns[0] / WH_PER_KWH, [inf] * slots
    top = max(amount.top_kwh, APART_KWH)
    index = np.arange(slots)
    here = np.where((index >= amount.first_slot) & (index <= amount.last_slot), hours, 0.0)
    lack = house_of(problem).steep * SHORT
    needs = amount.energy_kwh
    knots = sorted({0.0, min(needs, top), top})
    most = max(amount.steps_w, default=amount.max_w)
    steps = tuple(power * here for power in sorted({0.0, *amount.steps_w}))
    apart = bool(amount.steps_w) or amount.min_w > 0
    return Store(
        low=np.zeros(slots),
        high=most * here,
        bounds=Bounds([0.0] * (slots + 1), [top] * (slots + 1), [None] * (slots + 1), 0.0),
        reach=_reachable(amount, hours),
        end=curve(knots, [lack * max(needs - x, 0.0) for x in knots]),
        limits=Limits(*map(numbers, ([-inf], [1.0], [1.0], unlimited, unlimited, [0.0] * slots))),
        energy=0.0,
        standby=np.zeros(slots),
        spans=[_spans(amount, span) for span in here.tolist()] if apart else None,
        steps=steps if amount.steps_w else (),
        floor=amount.min_w * here if amount.min_w > 0 else None,
    )


def _reachable(amount: Amount, hours: Floats) -> float:
    """Return the most, up to all it may take, that a load's powers can add up to."""
    top = amount.top_kwh + TINY_KWH
    within = hours[amount.first_slot : amount.last_slot + 1].tolist()
    if not amount.steps_w:
        least = min(within) * amount.min_w
        return amount.top_kwh if least <= top else 0.0
    totals = {0.0}
    for span in within:
        more = {round(total + power * span, 9) for total in totals for power in amount.steps_w}
        totals |= {total for total in more if total <= top}
        if len(totals) > MOST_TOTALS:
            return amount.top_kwh
    return min(max(totals) + TINY_KWH, amount.top_kwh)  # room for sums that are rounded


def _spans(amount: Amount, hours: float) -> list[tuple[float, float]]:
    """Return the energies that a load can take in a slot, as spans in rising order."""
    if hours <= 0:
        return [(0.0, 0.0)]
    if amount.steps_w:
        return [(power * hours, power * hours) for power in sorted({0.0, *amount.steps_w})]
    return [(0.0, 0.0), (amount.min_w * hours, amount.max_w * hours)]


def store_of_battery(problem: Problem, other: Beside) -> Store:
    """Return a further battery as a store."""
    alone = Problem(
        slots=problem.slots,
        battery=other.battery,
        end_worth=other.end_worth,
        end_kwh=other.end_kwh,
    )
    hours = problem.columns[0] / WH_PER_KWH
    house = house_of(alone)
    bounds = bounds_of(alone, house)
    return Store(
        low=-other.battery.discharge_max_w * hours,
        high=other.battery.charge_max_w * hours,
        bounds=bounds,
        end=end_of(alone, bounds),
        limits=limits_of(alone, house),
        energy=other.battery.energy_kwh,
        standby=house.standby,
        stored=house.stored,
        delivered=house.delivered,
        wear=house.wear,
    )


def _with_gaps(
    levels: list[float], costs: list[float], spans: list[tuple[float, float]], never: float
) -> tuple[list[float], list[float]]:
    """Return the cost of what is taken, out of reach between the *spans* that can be taken."""
    known = dict(zip(levels, costs, strict=True))
    xs: list[float] = []
    ys: list[float] = []
    for low, high in spans:
        inside = sorted(level for level in known if low <= level <= high)
        if xs:
            xs += [xs[-1] + APART_KWH, inside[0] - APART_KWH]
            ys += [never, never]
        for level in inside:
            if not xs or level > xs[-1] + APART_KWH / 2:
                xs.append(level)
                ys.append(known[level])
    return xs, ys
