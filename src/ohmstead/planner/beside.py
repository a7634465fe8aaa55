"""Everything that is planned beside the first battery: cars, loads, runs, further batteries.

Each is planned in turn, exactly beside all the others, from several starts until nothing is
gained; a run is also tried at other times with the battery planned anew, and a store together
with the battery where a limit binds both (``corridor``). The bound pays them all by prices
(``dual``); a few starts of runs alone are tried one by one instead, which proves the best.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, islice, product
from math import inf, prod

import numpy as np

from ohmstead.planner.corridor import Corridor
from ohmstead.planner.dual import Dual, choices_of, marginal_prices
from ohmstead.planner.house import SHORT, Floats, house_of
from ohmstead.planner.joint_nodes import Second, Way, joint_start
from ohmstead.planner.merge import flat_hulls, flat_valleys, flat_worth
from ohmstead.planner.problem import Amount, Problem
from ohmstead.planner.runs import RunStarts
from ohmstead.planner.slot import curves_of
from ohmstead.planner.solve import Answer, Task, best, knots_of, task_of
from ohmstead.planner.stores import Store
from ohmstead.planner.units import Unit, unit_of

__all__ = ["best_beside", "look_beside", "taken_beside", "task_beside"]

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
        _complete(found.task, found.taken, search.own(found.taken)),
        replace(found.answer, cost=found.cost, bound=bound),
    )


def look_beside(problem: Problem) -> tuple[Task, Answer]:
    """Return a good plan of everything, soon and with no bound."""
    search = _Search(problem)
    found = search.first()
    return (
        _complete(found.task, found.taken, search.own(found.taken)),
        replace(found.answer, cost=found.cost, bound=-inf),
    )


def taken_beside(problem: Problem) -> tuple[Floats, ...]:
    """Return what everything beside the first battery takes in its best plan."""
    if not (problem.every_load or problem.beside):
        return ()
    return best_beside(problem)[0].taken


def task_beside(problem: Problem, taken: tuple[Floats, ...]) -> Task:
    """Return the first battery's task where everything beside it takes *taken*."""
    if not taken:
        return task_of(problem)
    search = _Search(problem)
    return _complete(task_of(problem, _sum(taken)), taken, search.own(taken))


def _complete(task: Task, taken: tuple[Floats, ...], own: float) -> Task:
    """Return *task* with what is beside it, whose *own* cost counts at its end."""
    return replace(task, taken=taken, end=replace(task.end, cost=task.end.cost + own))


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
        for least, rows in self._combined or ():
            if least > found.cost - GAINED:
                break
            tried = self._found(rows)
            found = tried if tried.cost < found.cost - GAINED else found
        return self._refined(found)

    def first(self) -> _Found:
        """Return the better of the first two starts, planned in turn."""
        tried = [self._in_turn(self._found(taken)) for taken in islice(self._starts(), 2)]
        return min(tried, key=lambda found: found.cost)

    def bound(self, found: _Found) -> float:
        """Return what no common plan can beat."""
        if self._combined is not None:
            return self._combined[0][0]
        dual, house = Dual(self.alone, self.units), self.alone.house
        value, prices = dual.level(-house.dearest, house.steep * SHORT)
        if len(self.units) == 1 and isinstance(self.what[0], Amount):
            return value
        marginal = marginal_prices(found.task, found.answer, _sum(found.taken))
        first = dual.at(marginal)[0]
        start = marginal if first > value else prices
        return max(value, first, dual.raised(start, found.cost))

    @cached_property
    def _combined(self) -> list[tuple[float, tuple[Floats, ...]]] | None:
        """Return what runs cost at least with each start of all, the cheapest first.

        None where there are other units than runs, or too many starts.
        """
        runs = [unit for unit in self.units if isinstance(unit, RunStarts)]
        if len(runs) < len(self.units) or prod(len(run.rows) for run in runs) > MOST_STARTS:
            return None
        every = product(*(run.rows for run in runs))
        found = [(self._relaxed(_sum(rows)) + self.own(rows), rows) for rows in every]
        return sorted(found, key=lambda pair: pair[0])

    # ---- one common plan -----------------------------------------------------------------

    def own(self, taken: Sequence[Floats]) -> float:
        """Return what the units' plans cost beside the house's bill."""
        return sum(unit.own_cost(kwh) for unit, kwh in zip(self.units, taken, strict=True))

    def _found(self, taken: Sequence[Floats]) -> _Found:
        task = task_of(self.problem, _sum(taken))
        answer = best(task)
        return _Found(tuple(taken), task, answer, answer.cost + self.own(taken))

    def _relaxed(self, total: Floats) -> float:
        """Return what the first battery costs at least beside *total*."""
        hulls, _ = flat_hulls(curves_of(house_of(self.problem, total)).lines())
        end = self.alone.flat_end
        possible, found = flat_valleys(hulls, self.alone.bounds.walls, end)
        assert possible  # noqa: S101 - doing nothing is always possible
        return flat_worth(found, 0, self.alone.energy)

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
            slots=tuple(slot._replace(import_max_w=inf) for slot in self.problem.slots),
        )
        yield self._each(free, nothing, planned)
        alone = self.alone
        served, _ = alone.idle
        yield self._each(self.problem, nothing, served)
        yield from self._jointly()

    def _jointly(self) -> Iterable[list[Floats]]:
        """Return plans found one after the other, each together with the first battery.

        Once as the coarse grid has them, where that can be, once made exact beside its battery.
        """
        for exact in (True, False):
            planned = [self.idle for _ in self.units]
            for place, unit in enumerate(self.units):
                others = _sum(planned) - planned[place]
                if isinstance(unit, RunStarts):
                    planned[place] = self._best_row(unit, others)
                elif isinstance(unit, Store):
                    changes, taken = self._with_battery(unit, others)
                    if exact or not unit.allows(taken).all():
                        taken = unit.filled(self.problem, others, changes)
                    planned[place] = taken
            yield planned

    def _best_row(self, run: RunStarts, others: Floats) -> Floats:
        costs = [self._relaxed(others + row) for row in run.rows] + run.late
        row: Floats = run.rows[int(costs.argmin())]
        return row

    def _with_battery(self, store: Store, others: Floats) -> tuple[list[float], Floats]:
        """Return the first battery's and *store*'s plan out of a coarse grid of both."""
        ways = []
        for row in choices_of(self.problem, [store], others):
            curves = curves_of(house_of(self.problem, others + row))
            if store.wear > 0:
                worn = store.wear * np.maximum(-row, 0.0)
                curves = replace(curves, ys=curves.ys + worn[:, None])
            ways.append(Way(store.change(row).tolist(), curves, curves.points()))
        alone, bounds = self.alone, self.alone.bounds
        energies = (min(bounds.lows), max(bounds.highs), alone.energy)
        held = store.bounds
        second = Second(min(held.lows), max(held.highs), store.energy, knots_of(store.end))
        changes, moves = joint_start(ways, energies, knots_of(alone.end), second)
        return changes, store.taken(np.array(moves))

    # ---- refinement ----------------------------------------------------------------------

    def _refined(self, found: _Found) -> _Found:
        """Return a better plan by moving more than one at once."""
        stores = [place for place, unit in enumerate(self.units) if isinstance(unit, Store)]
        for _ in range(ROUNDS):
            before = found.cost
            for place, unit in enumerate(self.units):
                if isinstance(unit, RunStarts):
                    found = self._moved(found, place, unit)
            if not found.task.limits.taper:
                for places in (*combinations(stores, 1), *combinations(stores, 2)):
                    found = self._together(found, places)
            found = self._in_turn(found)
            if found.cost > before - GAINED:
                break
        return found

    def _moved(self, found: _Found, place: int, run: RunStarts) -> _Found:
        """Return the plan with a run at the start that is best with the battery planned anew."""
        others = _sum(found.taken) - found.taken[place]
        own = self.own(found.taken) - run.own_cost(found.taken[place])
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

    def _together(self, found: _Found, places: tuple[int, ...]) -> _Found:
        """Return the plan with one store and the first battery, or two stores, moved together."""
        taken, stores = list(found.taken), []
        for place in places:
            unit = self.units[place]
            assert isinstance(unit, Store)  # noqa: S101 - only these are asked for
            stores.append(unit)
        planned = [store.change(taken[place]) for store, place in zip(stores, places, strict=True)]
        others = _sum(taken) - _sum([taken[place] for place in places])
        corridor = Corridor(found.task, tuple(stores), others, np.array(found.answer.changes))
        moved = corridor.better(planned[-1], planned[0] if len(planned) > 1 else None)
        for store, place, changes in zip(stores, places, moved[-len(places) :], strict=True):
            taken[place] = store.taken(changes)
        tried = self._found(taken)
        return tried if tried.cost < found.cost - GAINED else found
