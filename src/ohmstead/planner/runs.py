"""A run: it starts in one of its slots and goes through, so it has only so many plans."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from ohmstead.planner.bends import overfull
from ohmstead.planner.flexible import Run
from ohmstead.planner.flows import tabled_settle
from ohmstead.planner.house import FAR_KWH, SHORT, TINY_KWH, WH_PER_KWH, Floats, house_of
from ohmstead.planner.problem import Problem

__all__ = ["RunStarts", "starts_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarts:
    """What a run takes, one row for each slot in which it may start."""

    rows: Floats
    late: Floats
    """What each start costs for being done too late."""

    @property
    def low(self) -> Floats:
        """Return the least it can take in each slot."""
        least: Floats = self.rows.min(axis=0)
        return least

    @property
    def high(self) -> Floats:
        """Return the most it can take in each slot."""
        most: Floats = self.rows.max(axis=0)
        return most

    def own_cost(self, taken: Floats) -> float:
        """Return what being late counts for."""
        return float(self.late[int(np.abs(self.rows - taken).sum(axis=1).argmin())])

    def filled(self, problem: Problem, others: Floats, changes: Sequence[float]) -> Floats:
        """Return its cheapest plan beside what *others* take and the first battery's *changes*."""
        beside = house_of(problem, others + self.rows)
        flows = tabled_settle(beside, np.array(changes))
        costs = (flows.cost + flows.broken).sum(axis=1) + self.late
        costs += overfull(problem, beside).sum(axis=1) * beside.steep * FAR_KWH
        row: Floats = self.rows[int(costs.argmin())]
        return row

    def priced(self, prices: Floats) -> tuple[float, Floats]:
        """Return what it costs at least where each kWh has a price, and what it then takes."""
        costs = self.rows @ prices + self.late
        place = int(costs.argmin())
        return float(costs[place]), self.rows[place]


def starts_of(problem: Problem, run: Run) -> RunStarts:
    """Return every start that is done in time, or the earliest where none is."""
    edges = np.array(list(accumulate((slot.hours for slot in problem.slots), initial=0.0)))
    hours = list(accumulate((part for part, _ in run.profile), initial=0.0))
    kwh = list(accumulate((part * watts / WH_PER_KWH for part, watts in run.profile), initial=0.0))
    starts = edges[run.first_slot : run.last_slot + 1]
    done = starts + run.hours <= edges[run.last_slot + 1] + TINY_KWH
    if not done.any():
        done[0] = True
    rows = np.stack([np.diff(np.interp(edges - start, hours, kwh)) for start in starts[done]])
    lacking = kwh[-1] - rows[:, : run.last_slot + 1].sum(axis=1)
    late = np.where(lacking > TINY_KWH, lacking, 0.0) * house_of(problem).steep * SHORT
    return RunStarts(rows=rows, late=late)
