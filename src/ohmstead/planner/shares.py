"""What each load and each further battery does in a plan, and what they would do without one."""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from ohmstead.model import BatteryMode
from ohmstead.planner.flows import settle
from ohmstead.planner.house import WH_PER_KWH, Floats, House
from ohmstead.planner.plan import PlannedBattery
from ohmstead.planner.problem import Amount, Beside, Load, Problem
from ohmstead.planner.runs import RunStarts
from ohmstead.planner.solve import Task, task_of
from ohmstead.planner.stores import Store
from ohmstead.planner.units import unit_of

__all__ = ["Shares", "left_of", "others_unplanned", "shares_of", "unplanned"]

SAME_W = 1.0


@dataclass(frozen=True, slots=True)
class Shares:
    """What is beside the house's load and the first battery, slot by slot."""

    car_w: list[float]
    loads_w: list[tuple[float, ...]]
    beside: list[tuple[PlannedBattery, ...]]
    cost: list[float]
    """Wear of the further batteries."""
    left: float
    """What is left in them is worth."""


def shares_of(task: Task) -> Shares:
    """Return what each unit does in the plan of *task*."""
    problem, taken = task.problem, list(task.taken)
    slots = len(problem.slots)
    hours, load = problem.columns[0], problem.columns[3]
    to_w = WH_PER_KWH / hours
    if not taken:
        car = (task.house.load - load) * to_w
        return Shares(car.tolist(), [()] * slots, [()] * slots, [0.0] * slots, 0.0)
    car = taken.pop(0) * to_w if problem.car is not None else 0.0 * to_w
    loads = [taken.pop(0) * to_w for _ in problem.loads]
    cost, left, columns = 0.0 * to_w, 0.0, []
    for other, kwh in zip(problem.beside, taken, strict=True):
        stored = _stored(problem, other, kwh)
        columns.append(_told(other, (-kwh * to_w).tolist(), stored))
        cost += other.battery.wear_per_kwh * np.maximum(-kwh, 0.0)
        left += left_of(other.end_worth, stored[-1])
    watts = [tuple(row) for row in np.array(loads).reshape(len(loads), slots).T.tolist()]
    beside = [tuple(column[slot] for column in columns) for slot in range(slots)]
    return Shares(car.tolist(), watts, beside, cost.tolist(), left)


def left_of(end_worth: tuple[tuple[float, float], ...], energy: float) -> float:
    """Return what the energy left is worth."""
    total = 0.0
    for width, per_kwh in end_worth:
        total += min(energy, width) * per_kwh
        energy -= min(energy, width)
    return total


def _stored(problem: Problem, other: Beside, taken: Floats) -> list[float]:
    store = unit_of(problem, other)
    assert isinstance(store, Store)  # noqa: S101 - a battery is one
    return list(accumulate(store.change(taken).tolist(), initial=store.energy))[1:]


def _told(other: Beside, watts: list[float], stored: list[float]) -> list[PlannedBattery]:
    per_cent = 100.0 / other.battery.capacity_kwh
    return [
        PlannedBattery(mode=_mode(power), battery_w=power, stored_kwh=kwh, soc_pct=kwh * per_cent)
        for power, kwh in zip(watts, stored, strict=True)
    ]


def _mode(power_w: float) -> BatteryMode:
    if abs(power_w) < SAME_W:
        return BatteryMode.HOLD
    return BatteryMode.DISCHARGE if power_w > 0 else BatteryMode.CHARGE


# ---- without a plan -----------------------------------------------------------------------


def unplanned(problem: Problem) -> Task:
    """Return the house in which every load begins as soon as it may."""
    taken = [_at_once(problem, load) for load in problem.every_load]
    return task_of(problem, np.sum(taken, axis=0)) if taken else task_of(problem)


def _at_once(problem: Problem, load: Load) -> Floats:
    unit = unit_of(problem, load)
    if isinstance(unit, RunStarts):
        row: Floats = unit.rows[0]
        return row
    assert isinstance(unit, Store) and isinstance(load, Amount)  # noqa: S101, PT018 - it is one
    taken, lacks = np.zeros_like(unit.high), load.energy_kwh
    for index, most in enumerate(unit.high.tolist()):
        steps = sorted({float(step[index]) for step in unit.steps}) or [min(most, lacks)]
        least = unit.floor[index] if unit.floor is not None else 0.0
        fitting = [kwh for kwh in steps if least <= kwh <= lacks]
        taken[index] = fitting[-1] if fitting else 0.0
        lacks -= taken[index]
    return taken


def others_unplanned(
    problem: Problem, house: House, changes: list[float]
) -> tuple[list[Floats], float]:
    """Return what the further batteries take beside the first one's *changes*, and their cost.

    Each serves what those before it, serving the house, leave over.
    """
    taken: list[Floats] = []
    cost = 0.0
    grid = settle(house, changes).grid
    for other in problem.beside:
        store = unit_of(problem, other)
        assert isinstance(store, Store)  # noqa: S101 - a battery is one
        moves, energy = [], store.energy
        for index, over in enumerate(grid.tolist()):
            wanted = min(max(-over, float(store.low[index])), float(store.high[index]))
            change = float(store.change(np.full_like(grid, wanted))[index])
            least, most = store.limits.at(index, energy)
            least = max(least, store.bounds.lows[index + 1] - energy)
            most = min(most, store.bounds.highs[index + 1] - energy)
            change = min(max(change, least), most)
            moves.append(change)
            energy += change
        kwh = store.taken(np.array(moves))
        cost += other.battery.wear_per_kwh * float(np.maximum(-kwh, 0.0).sum())
        cost -= left_of(other.end_worth, energy)
        grid = grid + kwh
        taken.append(kwh)
    return taken, cost
