"""A car beside the battery: which energy it takes when, without taking the battery's place.

The car is a second store that only fills. With the battery's flow given, what the car takes
costs a piecewise-linear function of its energy in each slot, and the same engine that plans
the battery fills the car exactly; with the car given, the battery is planned exactly beside a
higher load. The two are repeated from several starts until nothing is gained. The bound prices
the car's energy instead of counting it (its dual), which nothing can beat.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import inf

import numpy as np
import numpy.typing as npt

from ohmstead.planner.bounds import Limits
from ohmstead.planner.car_nodes import Way, joint_start
from ohmstead.planner.convex import Bounds, valleys, worth_at
from ohmstead.planner.house import WH_PER_KWH, House, house_of, settle
from ohmstead.planner.problem import Car, Problem
from ohmstead.planner.slot import curve, curves_of, curves_through, hull, lowest
from ohmstead.planner.solve import Answer, Task, best, knots_of, solved, task_of

__all__ = ["Shared", "best_with_car"]

Floats = npt.NDArray[np.float64]
Points = list[tuple[list[float], list[float]]]

NEVER_KWH = 1e6
SHORT = 0.5
"""What a kWh that the car lacks counts for, as a share of what breaking the fuse does."""
ROUNDS = 6
DUAL_STEPS = 24
GAINED = 1e-7
APART_KWH = 1e-6
"""How near to a power that the car cannot take a knot may lie."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The best found for battery and car together."""

    task: Task
    """With the car's energy beside the load."""
    answer: Answer
    car: Floats
    """What the car takes in each slot, kWh."""

    def cost(self, car: Car) -> float:
        """Return what it costs, with what the car lacks."""
        lacks = max(car.energy_kwh - float(self.car.sum()), 0.0)
        return self.answer.cost + lacks * self.task.house.steep * SHORT


def best_with_car(problem: Problem) -> Shared:
    """Return the cheapest plan of the battery and the car."""
    car = problem.car
    assert car is not None  # noqa: S101 - asked for problems with a car only
    alone = task_of(problem)
    ways = _ways(problem, car, alone)
    bound, priced = _bound(car, alone, ways)
    found: Shared | None = None
    for start in _starts(problem, car, alone, priced, ways):
        tried = _improved(problem, car, start)
        if found is None or tried.cost(car) < found.cost(car) - GAINED:
            found = tried
    assert found is not None  # noqa: S101 - there is more than one start
    return replace(found, answer=replace(found.answer, cost=found.cost(car), bound=bound))


def _starts(
    problem: Problem, car: Car, alone: Task, priced: Task, ways: Sequence[Way]
) -> Iterable[Floats]:
    """Return what the car might take: beside the best plan, by its price, on a common grid.

    One start knows no fuse: the battery then feeds what the fuse would not let through.
    """
    yield _filled(problem, car, best(alone).changes)
    yield _filled(problem, car, solved(priced).changes)
    free = replace(
        problem,
        import_max_w=inf,
        slots=tuple(replace(slot, import_max_w=inf) for slot in problem.slots),
    )
    yield _filled(free, car, best(alone).changes)  # and let the battery save the fuse
    lows, highs = alone.bounds.lows, alone.bounds.highs
    energies = (min(lows), max(highs), alone.energy)
    lack = alone.house.steep * SHORT
    changes, taken = joint_start(ways, energies, car.energy_kwh, knots_of(alone.end), lack)
    yield _filled(problem, car, changes)
    if all(_takes(problem, car, index, kwh) for index, kwh in enumerate(taken)):
        yield np.array(taken)


def _takes(problem: Problem, car: Car, index: int, kwh: float) -> bool:
    """Return whether the car can take so much in a slot."""
    spans = _spans(problem, car, index)
    return any(low - APART_KWH <= kwh <= high + APART_KWH for low, high in spans)


def _ways(problem: Problem, car: Car, alone: Task) -> list[Way]:
    """Return the choices of the car at which a cost can bend."""
    house = alone.house
    idle = np.zeros_like(house.load)
    fullest = house_of(problem, _levels(problem, car, house, [])[-1])
    buses = [idle, -house.charge, house.discharge, fullest.discharge]
    if problem.inverter is not None:
        hours = np.array([slot.hours for slot in problem.slots]) / WH_PER_KWH
        buses.append(problem.inverter.out_max_w * hours / house.out - house.pv)
    found = []
    for level in _levels(problem, car, house, buses):
        curves = curves_of(house_of(problem, level))
        found.append(Way(level.tolist(), curves, curves.points()))
    return found


def _improved(problem: Problem, car: Car, taken: Floats) -> Shared:
    """Plan the battery and the car in turn, each beside the other, until nothing is gained."""
    task = task_of(problem, taken)
    found = Shared(task, best(task), taken)
    for _ in range(ROUNDS):
        taken = _filled(problem, car, found.answer.changes)
        task = task_of(problem, taken)
        tried = Shared(task, best(task), taken)
        if tried.cost(car) > found.cost(car) - GAINED:
            break
        found = tried
    return found


# ---- the car, with the battery given -----------------------------------------------------


def _filled(problem: Problem, car: Car, changes: Sequence[float]) -> Floats:
    """Return the cheapest energies for the car, the battery's *changes* given."""
    house = house_of(problem)
    flows = settle(house, changes)
    taken = _levels(problem, car, house, [flows.bus])
    settled = [settle(house_of(problem, level), changes) for level in taken]
    costs = np.stack([flow.cost + flow.broken for flow in settled]).T
    never = float(costs.max()) + house.steep * (1.0 + car.energy_kwh)
    points = []
    for index, (level, cost) in enumerate(zip(np.stack(taken).T, costs, strict=True)):
        spans = _spans(problem, car, index)
        points.append(_with_gaps(level.tolist(), cost.tolist(), spans, never))
    slots, short = len(points), house.steep * SHORT
    store = Task(
        problem,
        house,
        curves_through(points),
        Bounds([0.0] * (slots + 1), [car.energy_kwh] * (slots + 1), [None] * (slots + 1), 0.0),
        curve([0.0, max(car.energy_kwh, APART_KWH)], [short * car.energy_kwh, 0.0]),
        Limits([-inf], [1.0], [1.0], [inf] * slots, [inf] * slots, [0.0] * slots),
        0.0,
    )
    wanted = np.maximum(np.array(solved(store).changes), 0.0)
    return np.where(wanted > 2 * APART_KWH, wanted, 0.0)


def _spans(problem: Problem, car: Car, index: int) -> list[tuple[float, float]]:
    """Return the energies that the car can take in a slot, as spans in rising order."""
    if not car.first_slot <= index <= car.last_slot:
        return [(0.0, 0.0)]
    per_slot = problem.slots[index].hours / WH_PER_KWH
    if car.steps_w:
        return [(power * per_slot, power * per_slot) for power in sorted({0.0, *car.steps_w})]
    lowest, highest = car.min_w * per_slot, car.max_w * per_slot
    return [(0.0, highest)] if lowest <= 0 else [(0.0, 0.0), (lowest, highest)]


def _with_gaps(
    levels: list[float], costs: list[float], spans: list[tuple[float, float]], never: float
) -> tuple[list[float], list[float]]:
    """Return the cost of the car's energy, out of reach between the *spans* it can take."""
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


def _levels(problem: Problem, car: Car, house: House, buses: Sequence[Floats]) -> list[Floats]:
    """Return energies of the car, by slot, at which a cost may bend while *buses* flow.

    They are what it can take at least and at most, and what brings the meter to a standstill
    or to one of its limits: with all the sun, or with none.
    """
    hours = np.array([slot.hours for slot in problem.slots]) / WH_PER_KWH
    index = np.arange(hours.size)
    here = np.where((index >= car.first_slot) & (index <= car.last_slot), hours, 0.0)
    if car.steps_w:
        return [power * here for power in sorted({0.0, *car.steps_w})]
    room = problem.inverter.out_max_w * hours / house.out if problem.inverter else inf
    exports = house.most * house.out - house.load
    bends = []
    for bus in buses:
        for through in (np.minimum(bus + house.pv, room), bus):
            given = np.where(through > 0, through * house.out, through / house.into)
            even = given - house.load
            bends += [even, even - exports, even + np.minimum(house.imports, NEVER_KWH)]
    lowest, highest = car.min_w * here, car.max_w * here
    return [0.0 * here, lowest, highest, *(np.clip(bend, lowest, highest) for bend in bends)]


# ---- the car, by a price -----------------------------------------------------------------


def _bound(car: Car, alone: Task, ways: Sequence[Way]) -> tuple[float, Task]:
    """Return what nothing can beat, and the battery's task beside a car that pays its price."""

    def priced(price: float, *, exactly: bool) -> Points:
        found = list(alone.points)
        for index in range(car.first_slot, car.last_slot + 1):
            options = {way.taken[index]: way.points[index] for way in ways}
            rows = [(xs, [y - price * v for y in ys]) for v, (xs, ys) in options.items()]
            found[index] = lowest(rows) if exactly else _under(rows)
        return found

    def bound(price: float) -> float:
        pieces = [curve(*hull(xs, ys)) for xs, ys in priced(price, exactly=False)]
        relaxed = valleys(pieces, alone.bounds, alone.end)
        assert relaxed is not None  # noqa: S101 - doing nothing is always possible
        return worth_at(relaxed[0], alone.energy) + price * car.energy_kwh

    price, value = _highest(bound, -alone.house.dearest, alone.house.steep * SHORT)
    points = priced(price, exactly=True)
    return value, replace(alone, curves=curves_through(points))


def _under(rows: Points) -> tuple[list[float], list[float]]:
    """Return points whose hull is that of all *rows*."""
    every = sorted(
        zip(*(chain.from_iterable(part) for part in zip(*rows, strict=True)), strict=True)
    )
    xs: list[float] = []
    ys: list[float] = []
    for x, y in every:
        if not xs or x > xs[-1] + APART_KWH / 10:
            xs.append(x)
            ys.append(y)
        else:
            ys[-1] = min(ys[-1], y)
    return xs, ys


def _highest(of: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Return where a concave function is highest, and how high."""
    ratio = (5**0.5 - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = of(left), of(right)
    for _ in range(DUAL_STEPS):
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = of(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = of(left)
    return max((left, at_left), (right, at_right), key=lambda pair: pair[1])
