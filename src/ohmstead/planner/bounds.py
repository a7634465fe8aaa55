"""What the battery can hold at every moment, what it should, and what the end is worth."""

from bisect import bisect_right
from itertools import accumulate
from math import inf
from typing import NamedTuple

import numpy as np

from ohmstead.compiled import Row, numbers, row
from ohmstead.planner.convex import Bounds
from ohmstead.planner.house import WH_PER_KWH, House
from ohmstead.planner.problem import Problem, Taper
from ohmstead.planner.slot import Curve, curve

__all__ = ["Limits", "bounds_of", "end_of", "limits_of"]

BELOW = 1e-9


class Limits(NamedTuple):
    """How much the stored energy may change in each slot, by what is stored."""

    starts: Row
    """From these energies on, the shares below hold."""
    charge: Row
    discharge: Row
    up: Row
    """What each slot may add at full power."""
    down: Row
    standby: Row

    def cell(self, energy: float) -> int:
        """Return within which step *energy* lies."""
        return bisect_right(self.starts, energy) - 1

    def span(self, cell: int) -> tuple[float, float]:
        """Return from where to where the shares are those of *cell*."""
        last = cell + 1 == len(self.starts)
        return self.starts[cell], inf if last else self.starts[cell + 1] - BELOW

    def at(self, index: int, energy: float) -> tuple[float, float]:
        """Return the least and the most change of slot *index*, with *energy* stored."""
        cell, lost = self.cell(energy), self.standby[index]
        down, up = self.down[index] * self.discharge[cell], self.up[index] * self.charge[cell]
        return float(-down - lost), float(up - lost)

    @property
    def taper(self) -> bool:
        """Return whether they depend on what is stored."""
        return len(self.starts) > 1


def limits_of(problem: Problem, house: House) -> Limits:
    """Return how much the stored energy may change."""
    battery = problem.battery
    both = (*battery.charge_tapers, *battery.discharge_tapers)
    starts = sorted({-inf, *(taper.from_kwh for taper in both)})
    hours = problem.columns[0] / WH_PER_KWH
    return Limits(
        numbers(starts),
        numbers([_share(battery.charge_tapers, start) for start in starts]),
        numbers([_share(battery.discharge_tapers, start) for start in starts]),
        row(battery.charge_max_w * house.stored * hours),
        row(battery.discharge_max_w / house.delivered * hours),
        row(house.standby),
    )


def _share(tapers: tuple[Taper, ...], energy: float) -> float:
    return next((t.share for t in reversed(tapers) if t.from_kwh <= energy), 1.0)


def bounds_of(problem: Problem, house: House) -> Bounds:
    """Return what can be stored before each slot and after the last, and what should.

    A battery that is below its reserve may stay there. One that loses energy by standing idle
    may sink below it, but what that costs makes it be topped up.
    """
    battery = problem.battery
    lost = np.concatenate([[0.0], np.cumsum(house.standby)])
    floor = min(battery.reserve_kwh, battery.energy_kwh)
    lows = np.minimum(floor, battery.energy_kwh - lost).tolist()
    highs = [max(battery.capacity_kwh, battery.energy_kwh)] * len(lows)
    leaks = bool(lost[-1] > 0)
    wished = problem.columns[-2:]
    low = np.minimum(np.maximum(wished[0], floor if leaks else 0.0), battery.capacity_kwh)
    bent = (wished[0] > floor) | leaks | (wished[1] < battery.capacity_kwh)
    soft: list[tuple[float, float] | None] = [None] * len(lows)
    for index in np.flatnonzero(bent).tolist():
        soft[index + 1] = (float(low[index]), float(wished[1][index]))
    return Bounds(lows, highs, soft, house.steep)


def end_of(problem: Problem, bounds: Bounds) -> Curve:
    """Return what being left with an energy costs: below 0 what it is worth."""
    low, high = bounds.lows[-1], bounds.highs[-1]
    knots = {low, high}
    edges = list(accumulate((width for width, _ in problem.end_worth), initial=0.0))
    knots |= {edge for edge in edges if low < edge < high}
    goal = problem.end_kwh
    if goal is not None:
        goal = min(max(goal, low), high)
        knots.add(goal)
    xs = sorted(knots)
    ys = []
    for x in xs:
        cost = -_worth(problem.end_worth, x)
        ys.append(cost if goal is None else cost + bounds.steep * abs(x - goal))
    return curve(xs, ys)


def _worth(worths: tuple[tuple[float, float], ...], energy: float) -> float:
    """Return what *energy* is worth; below 0 it counts as the dearest, negative."""
    if energy < 0 and worths:
        return energy * worths[0][1]
    total = 0.0
    for width, per_kwh in worths:
        total += min(energy, width) * per_kwh
        energy -= min(energy, width)
    return total
