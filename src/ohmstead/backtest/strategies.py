"""The strategies that are compared: the control functions themselves, with settings that suit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

from ohmstead.backtest.scripts import ScriptHours, scripts_chain
from ohmstead.backtest.world import Plant
from ohmstead.control.cheapest_slots import CheapestSlots, cheapest_slots
from ohmstead.control.decide import Strategy
from ohmstead.control.follow_plan import FollowPlan, Futures, follow_plan
from ohmstead.control.price_threshold import PriceThreshold, price_threshold
from ohmstead.control.self_consumption import SelfConsumption, self_consumption
from ohmstead.errors import ProblemError

__all__ = ["BOUND", "NO_BATTERY", "STRATEGIES", "USUAL", "Chain", "Player", "player_of"]

Chain: TypeAlias = Sequence[tuple[str, Strategy]]

NO_BATTERY: Final = "no_battery"
"""The same house without one: what every saving is counted from."""
BOUND: Final = "perfect_foresight"
"""What nothing can beat: everything known from the beginning."""
_OCTOLUX_PER_KWH: Final = 0.05
_OWN_HOURS: Final = ScriptHours()


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A chain of strategies, and how plans are made if one of them follows a plan."""

    name: str
    chain: Chain
    planning: FollowPlan | None = None
    looks_ahead: bool = True
    """Whether a strategy looks at more of the plan than its present slot."""


def player_of(name: str, plant: Plant, hours: ScriptHours = _OWN_HOURS) -> Player:
    """Return the built-in strategy called *name* for *plant*, or raise ``ProblemError``.

    *hours* are those that the owner of ``scripts`` has set; his own, if not said.
    """
    made = _MADE.get(name)
    if made is None:
        raise ProblemError(f"no strategy called {name}; there is {', '.join(STRATEGIES)}")
    if name == "scripts":
        return _scripts(plant, hours)
    return made(plant)


def _self_use(plant: Plant) -> Player:
    return Player(name="self_use", chain=[_usual(plant)])


def _price_threshold(plant: Plant) -> Player:
    settings = PriceThreshold(at_most_per_kwh=_OCTOLUX_PER_KWH)
    chain: Chain = [("price_threshold", partial(price_threshold, settings=settings)), _usual(plant)]
    return Player(name="price_threshold", chain=chain)


def _cheapest_slots(plant: Plant) -> Player:
    settings = CheapestSlots(capacity_kwh=plant.capacity_kwh, charge_w=plant.charge_w)
    chain: Chain = [("cheapest_slots", partial(cheapest_slots, settings=settings)), _usual(plant)]
    return Player(name="cheapest_slots", chain=chain)


def _scripts(plant: Plant, hours: ScriptHours = _OWN_HOURS) -> Player:
    return Player(name="scripts", chain=[*scripts_chain(plant, hours), _usual(plant)])


def _planned_by(plant: Plant) -> FollowPlan:
    """Return the settings of a plan for *plant*."""
    return FollowPlan(
        min_soc_pct=plant.reserve_pct,
        charge_efficiency=plant.charge_efficiency,
        discharge_efficiency=plant.discharge_efficiency,
        inverter_w=plant.inverter_w,
    )


def _plan(plant: Plant) -> Player:
    return _following("plan", _planned_by(plant), plant)


def _plan_one_future(plant: Plant) -> Player:
    only = replace(_planned_by(plant), futures=Futures(dull=0.0, middle=1.0, bright=0.0))
    return _following("plan_one_future", only, plant)


def _following(name: str, settings: FollowPlan, plant: Plant) -> Player:
    chain: Chain = [("follow_plan", partial(follow_plan, settings=settings)), _usual(plant)]
    return Player(name=name, chain=chain, planning=settings, looks_ahead=False)


def _usual(plant: Plant) -> tuple[str, Strategy]:
    settings = SelfConsumption(reserve_pct=plant.reserve_pct)
    return "self_consumption", partial(self_consumption, settings=settings)


_MADE: Final[dict[str, Callable[[Plant], Player]]] = {
    "self_use": _self_use,
    "price_threshold": _price_threshold,
    "cheapest_slots": _cheapest_slots,
    "scripts": _scripts,
    "plan_one_future": _plan_one_future,
    "plan": _plan,
}

STRATEGIES: Final = (NO_BATTERY, *_MADE, BOUND)
"""All names, in the order in which tables show them."""

USUAL: Final = tuple(name for name in STRATEGIES if name != "plan_one_future")
"""Those that are played if nobody says which."""
