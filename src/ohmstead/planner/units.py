"""What is planned beside the first battery, each exactly beside all the rest."""

from collections.abc import Sequence
from typing import Protocol

from ohmstead.planner.flexible import Amount, Run
from ohmstead.planner.house import Floats
from ohmstead.planner.problem import Beside, Problem
from ohmstead.planner.runs import starts_of
from ohmstead.planner.stores import store_of_amount, store_of_battery

__all__ = ["Unit", "unit_of"]


class Unit(Protocol):
    """One of the loads, or one of the batteries beside the first."""

    @property
    def low(self) -> Floats:
        """Return the least it can take in each slot."""

    @property
    def high(self) -> Floats:
        """Return the most it can take in each slot."""

    def own_cost(self, taken: Floats) -> float:
        """Return what its plan costs beside the house's bill."""

    def filled(self, problem: Problem, others: Floats, changes: Sequence[float]) -> Floats:
        """Return its cheapest plan beside what *others* take and the first battery's *changes*."""

    def priced(self, prices: Floats) -> tuple[float, Floats]:
        """Return what it costs at least where each kWh has a price, and what it then takes."""


def unit_of(problem: Problem, what: Amount | Run | Beside) -> Unit:
    """Return *what* made ready to be planned."""
    if isinstance(what, Run):
        return starts_of(problem, what)
    if isinstance(what, Amount):
        return store_of_amount(problem, what)
    return store_of_battery(problem, what)
