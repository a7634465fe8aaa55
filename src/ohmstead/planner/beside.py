"""Everything that is planned beside the first battery: cars, loads, runs, further batteries.

Each is planned in turn, exactly beside all the others, from several starts until nothing is
gained; a run is also tried at other times with the battery planned anew, and a store together
with the battery where a limit binds both (``corridor``). The bound pays them all by prices
(``dual``); a few starts of runs alone are tried one by one instead, which proves the best.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import inf, prod

import numpy as np

from ohmstead.planner.car_nodes import Way, joint_start
from ohmstead.planner.corridor import Corridor
from ohmstead.planner.dual import Dual, marginal_prices
from ohmstead.planner.house import Floats, house_of
from ohmstead.planner.problem import Amount, Problem
from ohmstead.planner.self_use import self_use
from ohmstead.planner.slot import curve, curves_of, hull
from ohmstead.planner.convex import valleys, worth_at
from ohmstead.planner.solve import Answer, Task, best, knots_of, task_of
from ohmstead.planner.stores import SHORT, RunStarts, Store, Unit, unit_of

__all__ = ["best_beside", "taken_beside"]

ROUNDS = 8
GAINED = 1e-7
CLOSE = 1e-6
"""A gap so small, in dearest prices, needs no further search."""
MOST_STARTS = 100
"""So many starts of runs, together, are tried one by one."""
LOOKED_AT = 6
"""So many other starts of a run are planned in full."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A common plan."""

    taken: tuple[Floats, ...]
    """What each unit takes, kWh a slot."""
    task: Task
    """Of the first battery, beside them."""
    answer: Answer
    cost: float


def best_beside(problem: Problem) -> tuple[Task, Answer]:
    """Return the cheapest plan of everything, certified; its task says what each unit takes."""
    search = _Search(problem)
    found = search.best()
    bound = min(search.bound(found), found.cost)
    return (
        replace(found.task, taken=found.taken),
        replace(found.answer, cost=found.cost, bound=bound),
    )


def taken_beside(problem: Problem) -> Floats | None:
    """Return what everything beside the first battery takes together in its best plan."""
    if not (problem.every_load or problem.beside):
        return None
    return _sum(best_beside(problem)[0].taken)


def _sum(taken: Sequence[Floats]) -> Floats:
    total: Floats = np.sum(taken, axis=0)
    return total


class _Search:
    """The search for one problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.what = (*problem.every_load, *problem.beside)
        self.units: list[Unit] = [unit_of(problem, what) for what in self.what]
        self.idle = np.zeros(len(problem.slots))
        self.alone = task_of(problem)

    def best(self) -> _Found:
        """Return the cheapest common plan of all starts."""
        found: _Found | None = None
        for taken in self._starts():
            tried = self._in_turn(self._found(taken))
            if found is None or tried.cost < found.cost - GAINED:
                found = tried
        assert found is not None  # noqa: S101 - there is more than one start
        return self._refined(found)

    def bound(self, found: _Found) -> float:
        """Return what no common plan can beat."""
        runs = [unit for unit in self.units if isinstance(unit, RunStarts)]
        if len(runs) == len(self.units) and prod(len(run.rows) for run in runs) <= MOST_STARTS:
            return min(
                self._relaxed(_sum(rows)) + self._own(rows)
                for rows in product(*(run.rows for run in runs))
            )
        dual, house = Dual(self.alone, self.units), self.alone.house
        value, prices = dual.level(-house.dearest, house.steep * SHORT)
        if len(self.units) == 1 and isinstance(self.what[0], Amount):
            return value
        value = max(value, dual.raised(prices, found.cost)[0])
        prices = marginal_prices(found.task, found.answer, _sum(found.taken))
        return max(value, dual.raised(prices, found.cost)[0])

    # ---- one common plan -----------------------------------------------------------------

    def _own(self, taken: Sequence[Floats]) -> float:
        return sum(unit.own_cost(kwh) for unit, kwh in zip(self.units, taken, strict=True))

    def _found(self, taken: Sequence[Floats]) -> _Found:
        task = task_of(self.problem, _sum(taken))
        answer = best(task)
        return _Found(tuple(taken), task, answer, answer.cost + self._own(taken))

    def _relaxed(self, total: Floats) -> float:
        """Return what the first battery costs at least beside *total*."""
        points = curves_of(house_of(self.problem, total)).points()
        pieces = [curve(*hull(xs, ys)) for xs, ys in points]
        found = valleys(pieces, self.alone.bounds, self.alone.end)
        assert found is not None  # noqa: S101 - doing nothing is always possible
        return worth_at(found[0], self.alone.energy)

    def _in_turn(self, found: _Found) -> _Found:
        """Plan each unit in turn, then the first battery, until nothing is gained."""
        for _ in range(ROUNDS):
            taken = self._each(self.problem, found.taken, found.answer.changes)
            tried = self._found(taken)
            if tried.cost > found.cost - GAINED:
                break
            found = tried
        return found

    def _each(
        self, problem: Problem, taken: Sequence[Floats], changes: Sequence[float]
    ) -> list[Floats]:
        """Return each unit planned beside all others, one after the other."""
        planned = list(taken)
        for place, unit in enumerate(self.units):
            others = _sum(planned) - planned[place]
            planned[place] = unit.filled(problem, others, changes)
        return planned

    # ---- starts --------------------------------------------------------------------------

    def _starts(self) -> Iterable[list[Floats]]:
        """Return first plans of all units.

        One start knows no fuse: the battery then feeds what the fuse would not let through.
        """
        nothing = [self.idle for _ in self.units]
        planned = best(self.alone).changes
        yield self._each(self.problem, nothing, planned)
        free = replace(
            self.problem,
            import_max_w=inf,
            slots=tuple(replace(slot, import_max_w=inf) for slot in self.problem.slots),
        )
        yield self._each(free, nothing, planned)
        alone = self.alone
        served = self_use(alone.house, alone.bounds, alone.limits, alone.energy)
        yield self._each(self.problem, nothing, served)
        yield self._jointly()

    def _jointly(self) -> list[Floats]:
        """Return plans found one after the other, each together with the first battery."""
        planned = [self.idle for _ in self.units]
        for place, unit in enumerate(self.units):
            others = _sum(planned) - planned[place]
            if isinstance(unit, RunStarts):
                planned[place] = self._best_row(unit, others)
            elif isinstance(unit, Store):
                planned[place] = self._with_battery(place, unit, others)
        return planned

    def _best_row(self, run: RunStarts, others: Floats) -> Floats:
        costs = [self._relaxed(others + row) for row in run.rows] + run.late
        row: Floats = run.rows[int(costs.argmin())]
        return row

    def _with_battery(self, place: int, store: Store, others: Floats) -> Floats:
        """Return a plan of *store* out of a coarse grid of it and the first battery."""
        problem, alone = self.problem, self.alone
        rows = Dual(alone, [store]).choices
        ways = []
        for row in rows:
            curves = curves_of(house_of(problem, others + row))
            ways.append(Way(row.tolist(), curves, curves.points()))
        lows, highs = alone.bounds.lows, alone.bounds.highs
        energies = (min(lows), max(highs), alone.energy)
        amount = self.what[place]
        needed = amount.energy_kwh if isinstance(amount, Amount) else 0.0
        lack = alone.house.steep * SHORT
        changes, _ = joint_start(ways, energies, needed, knots_of(alone.end), lack)
        return store.filled(problem, others, changes)

    # ---- refinement ----------------------------------------------------------------------

    def _refined(self, found: _Found) -> _Found:
        """Return a better plan by moving more than one at once."""
        for _ in range(ROUNDS):
            before = found.cost
            for place, unit in enumerate(self.units):
                if isinstance(unit, RunStarts):
                    found = self._moved(found, place, unit)
                elif isinstance(unit, Store) and not found.task.limits.taper:
                    found = self._together(found, place, unit)
            found = self._in_turn(found)
            if found.cost > before - GAINED:
                break
        return found

    def _moved(self, found: _Found, place: int, run: RunStarts) -> _Found:
        """Return the plan with a run at the start that is best with the battery planned anew."""
        others = _sum(found.taken) - found.taken[place]
        own = self._own(found.taken) - run.own_cost(found.taken[place])
        bounds = [self._relaxed(others + row) for row in run.rows] + run.late + own
        for start in np.argsort(bounds)[:LOOKED_AT]:
            if bounds[start] > found.cost - GAINED:
                break
            taken = list(found.taken)
            taken[place] = run.rows[start]
            tried = self._found(taken)
            if tried.cost < found.cost - GAINED:
                found = tried
        return found

    def _together(self, found: _Found, place: int, store: Store) -> _Found:
        """Return the plan with *store* and the first battery moved together."""
        taken = list(found.taken)
        others = _sum(taken) - taken[place]
        corridor = Corridor(found.task, store, others)
        first = np.array(found.answer.changes)
        _, moved = corridor.better(first, store.change(taken[place]))
        taken[place] = store.taken(moved)
        tried = self._found(taken)
        return tried if tried.cost < found.cost - GAINED else found
