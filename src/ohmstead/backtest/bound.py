"""The perfect-foresight bound: no strategy could have cost less, whatever it had known.

The planner's own convex programme, slot by slot of the world, from the last days to the first:
what the battery is worth at the beginning of one span is what the end of the span before is
worth. So a year is solved as one problem, not as days joined by guesses. Where slots are not
convex their hull is taken: the bound may then be a little low, never too high.
"""

from datetime import timedelta
from typing import Final

from ohmstead.backtest.replay import Outcome, end_worth
from ohmstead.backtest.strategies import BOUND
from ohmstead.backtest.tariffs import Tariff
from ohmstead.backtest.world import World
from ohmstead.planner.convex import Valley, valleys, worth_at
from ohmstead.planner.problem import Battery, Inverter, Problem, Slot
from ohmstead.planner.slot import curve, hull
from ohmstead.planner.solve import task_of

__all__ = ["bound"]

_SPAN_H: Final = 48


def bound(world: World, tariff: Tariff, *, span_h: int = _SPAN_H) -> Outcome:
    """Return the least that *world* could have cost on *tariff*, *span_h* hours at a time."""
    plant, per_kwh = world.plant, end_worth(tariff, world)
    worths: tuple[tuple[float, float], ...] = ((plant.capacity_kwh, per_kwh),)
    constant, cost = 0.0, 0.0
    halves = list(range(world.begin, world.end, span_h * 2))
    for first in reversed(halves):
        last = min(first + span_h * 2, world.end)
        before = _before(_problem(world, tariff, first, last, worths))
        cost = worth_at(before, plant.start_kwh) + constant
        worths, more = _as_worth(before)
        constant += more
    net = cost + plant.start_kwh * per_kwh
    return Outcome(
        house=world.name,
        tariff=tariff.name,
        strategy=BOUND,
        days=world.days,
        cost=net,
        first_kwh=plant.start_kwh,
        last_kwh=plant.start_kwh,
        end_per_kwh=per_kwh,
    )


def _before(problem: Problem) -> Valley:
    """Return what is to come costs, by what is stored before the first slot."""
    task = task_of(problem)
    pieces = [curve(*hull(xs, ys)) for xs, ys in task.points]
    found = valleys(pieces, task.bounds, task.end)
    assert found is not None  # noqa: S101 - doing nothing is always possible
    return found[0]


def _as_worth(valley: Valley) -> tuple[tuple[tuple[float, float], ...], float]:
    """Return a cost to come as the worth of what is stored, and what is to be added to it."""
    slopes, widths = valley.slopes, valley.widths
    if not slopes:
        return (), valley.cost
    worths = [(valley.low, -slopes[0]), *zip(widths, (-slope for slope in slopes), strict=True)]
    return tuple(worths), valley.cost - valley.low * slopes[0]


def _problem(
    world: World,
    tariff: Tariff,
    first: int,
    last: int,
    worths: tuple[tuple[float, float], ...],
) -> Problem:
    each = world.steps_each
    hours = world.step / timedelta(hours=1)
    load = (world.load_w * hours / 1_000).tolist()
    pv = (world.pv_w * hours / 1_000).tolist()
    slots = tuple(
        Slot(
            hours=hours,
            import_per_kwh=float(tariff.buy[half]),
            export_per_kwh=float(tariff.sell[half]),
            load_kwh=load[step],
            pv_kwh=pv[step],
        )
        for half in range(first, last)
        for step in range(half * each, half * each + each)
    )
    plant = world.plant
    return Problem(
        slots=slots,
        battery=Battery(
            capacity_kwh=plant.capacity_kwh,
            energy_kwh=max(plant.start_kwh, plant.reserve_kwh),
            charge_max_w=plant.charge_w,
            discharge_max_w=plant.discharge_w,
            reserve_kwh=plant.reserve_kwh,
            charge_efficiency=plant.charge_efficiency,
            discharge_efficiency=plant.discharge_efficiency,
        ),
        inverter=None
        if plant.inverter_w is None
        else Inverter(out_max_w=plant.inverter_w, in_max_w=plant.inverter_w),
        import_max_w=plant.import_max_w,
        export_max_w=plant.export_max_w,
        curtail=False,
        end_worth=worths,
    )
