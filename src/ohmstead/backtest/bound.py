"""The perfect-foresight bound: no strategy could have cost less, whatever it had known.

Solved from the last days to the first: what the battery is worth at the beginning of one span
is what the end of the span before is worth. So a year is one problem, not days joined by
guesses.
"""

from typing import Final

from ohmstead.backtest.left import as_worths, before, worth, worths_at_end
from ohmstead.backtest.replay import Outcome
from ohmstead.backtest.strategies import BOUND
from ohmstead.backtest.tariffs import Tariff
from ohmstead.backtest.world import World
from ohmstead.planner.convex import worth_at

__all__ = ["bound"]

_SPAN_H: Final = 48


def bound(world: World, tariff: Tariff, *, span_h: int = _SPAN_H) -> Outcome:
    """Return the least that *world* could have cost on *tariff*, *span_h* hours at a time."""
    start_kwh = world.plant.start_kwh
    worths = worths_at_end(world, tariff)
    began = worth(worths, start_kwh)
    constant, cost = 0.0, 0.0
    for first in reversed(range(world.begin, world.end, span_h * 2)):
        valley = before(world, tariff, (first, min(first + span_h * 2, world.end)), worths)
        cost = worth_at(valley, start_kwh) + constant
        worths, more = as_worths(valley)
        constant += more
    return Outcome(
        house=world.name,
        tariff=tariff.name,
        strategy=BOUND,
        days=world.days,
        cost=cost + began,
        first_kwh=start_kwh,
        last_kwh=start_kwh,
    )
