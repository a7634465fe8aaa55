"""What energy is worth, by what it saves from a moment on if all to come were known.

The planner's own convex programme, slot by slot of the world. Where slots are not convex their
hull is taken: the cost to come may then be a little low, never too high.
"""

from datetime import timedelta
from typing import Final, TypeAlias

import numpy as np

from ohmstead.backtest.tariffs import Tariff
from ohmstead.backtest.world import World
from ohmstead.planner.convex import Valley, valleys
from ohmstead.planner.problem import Battery, Inverter, Problem, Slot
from ohmstead.planner.slot import curve, hull
from ohmstead.planner.solve import task_of

__all__ = ["Worths", "as_worths", "before", "worth", "worths_at_end"]

Worths: TypeAlias = tuple[tuple[float, float], ...]
"""So many kWh of this worth each, the dearest first."""
_CHEAP: Final = 0.15
"""The share of the cheapest half-hours that says what it costs to fill a battery."""


def worths_at_end(world: World, tariff: Tariff) -> Worths:
    """Return what the energy left is worth when the replay is over.

    It is what it saves over the world's tail, and beyond that what it costs to store anew.
    """
    plant = world.plant
    cheap = float(np.quantile(np.asarray(tariff.buy[world.begin : world.end]), _CHEAP))
    worths: Worths = ((plant.capacity_kwh, max(cheap, 0.0) / plant.charge_efficiency),)
    if world.tail == 0:
        return worths
    return as_worths(before(world, tariff, (world.end, world.halves), worths))[0]


def worth(worths: Worths, kwh: float) -> float:
    """Return what *kwh* are worth."""
    total = 0.0
    for width, per_kwh in worths:
        total += min(kwh, width) * per_kwh
        kwh -= min(kwh, width)
    return total


def before(world: World, tariff: Tariff, span: tuple[int, int], worths: Worths) -> Valley:
    """Return the cost of the half-hours *span*, by what is stored when it begins."""
    task = task_of(_problem(world, tariff, span, worths))
    pieces = [curve(*hull(xs, ys)) for xs, ys in task.points]
    found = valleys(pieces, task.bounds, task.end)
    assert found is not None  # noqa: S101 - doing nothing is always possible
    return found[0]


def as_worths(valley: Valley) -> tuple[Worths, float]:
    """Return a cost to come as the worth of what is stored, and what is to be added to it."""
    slopes, widths = valley.slopes, valley.widths
    if not slopes:
        return (), valley.cost
    worths = [(valley.low, -slopes[0]), *zip(widths, (-slope for slope in slopes), strict=True)]
    return tuple(worths), valley.cost - valley.low * slopes[0]


def _problem(
    world: World,
    tariff: Tariff,
    span: tuple[int, int],
    worths: Worths,
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
        for half in range(*span)
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
