"""Do what the plan says for now, and set the inverter's own timers for as long as it says so."""

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ohmstead.control.loads import FlexibleLoad
from ohmstead.control.words import clock_time, price
from ohmstead.model import Advice, BatteryMode, Room, SiteSnapshot

__all__ = ["FollowPlan", "Futures", "follow_plan"]

_LONGEST: Final = timedelta(hours=12)
_SLACK_PCT: Final = 2.0
"""How far the battery must recover before the reserve no longer binds."""
_AT_RESERVE: Final = {
    BatteryMode.SELF_USE: BatteryMode.HOLD,
    BatteryMode.DISCHARGE: BatteryMode.HOLD,
    BatteryMode.EXPORT_SOLAR: BatteryMode.IDLE,
}
"""What becomes of a mode at the reserve: the same, but for what leaves the battery."""
_CHARGES: Final = frozenset({BatteryMode.CHARGE, BatteryMode.CHARGE_SOLAR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Futures:
    """How likely each way is in which the coming hours may turn out, beside the others."""

    dull: float = 0.0
    """Little sun and much load: nine times in ten it is better."""
    middle: float = 1.0
    """What to expect."""
    bright: float = 0.0
    """Much sun and little load: nine times in ten it is worse."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        shares = (self.dull, self.middle, self.bright)
        if not all(0 <= share < math.inf for share in shares) or not sum(shares):
            raise ValueError("the shares of futures must not be below 0, nor all of them 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowPlan:
    """How the plan is made that is followed."""

    wear_per_kwh: float = 0.0
    """What each kWh out of the battery costs it, in the currency's main unit."""
    min_soc_pct: float = 10.0
    """The plan never goes below this."""
    charge_efficiency: float = 0.95
    """How much of what is drawn is stored."""
    discharge_efficiency: float = 0.95
    """How much of what is taken out arrives."""
    capacity_kwh: float | None = None
    """What the battery holds, if the inverter does not say."""
    battery_w: float | None = None
    """What the battery can do, if the inverter does not say."""
    inverter_w: float | None = None
    """For a hybrid, what its one inverter brings to the house; sun and battery share it."""
    export: bool = True
    """Whether the battery may feed the grid where that pays."""
    futures: Futures = Futures(dull=0.3, middle=0.4, bright=0.3)
    """What the first step of the plan must suit; the middle alone is a plan with one future.

    Swanson's rule: of the tenth, fiftieth and ninetieth percentile they make the mean and spread.
    """
    worth_a_switch: float = 0.02
    """What a new plan must save over the one in force to do anything else, in money."""
    switch_cost: float = 0.0
    """What each change of the battery's mode counts for, in money; 0 is nothing."""
    loads: tuple[FlexibleLoad, ...] = ()
    """What may run earlier or later."""
    carbon_per_kg: float = 0.0
    """What a kilogram of CO2 counts for beside the price, in money; needs a carbon forecast."""
    curtail: bool = False
    """Whether the sun may be turned down where feeding in costs money; no driver does it yet."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.wear_per_kwh < 0 or not math.isfinite(self.wear_per_kwh):
            raise ValueError("wear_per_kwh must not be below 0")
        for name in ("worth_a_switch", "switch_cost", "carbon_per_kg"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must not be below 0")
        if not 0 <= self.min_soc_pct < 100:  # noqa: PLR2004 - per cent
            raise ValueError("min_soc_pct must be from 0 to 99")
        for name in ("charge_efficiency", "discharge_efficiency"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} is above 0 and at most 1")
        for name in ("capacity_kwh", "battery_w", "inverter_w"):
            given = getattr(self, name)
            if given is not None and given <= 0:
                raise ValueError(f"{name} must be above 0")
        names = [load.name for load in self.loads]
        if len(set(names)) < len(names):
            raise ValueError("loads must have names of their own")


def follow_plan(site: SiteSnapshot, room: Room, settings: FollowPlan) -> Advice:
    """Return the mode of the plan's present slot, until the plan changes its mind."""
    del room
    plan = site.plan
    if plan is None:
        why = f"there is no plan: {site.plan_trouble}" if site.plan_trouble else None
        return Advice(reason=why or "there is no plan yet", blind=True)
    slot, last = plan.at(site.at), plan.last_of_run(site.at)
    if not plan.holds(site.at) or slot is None or last is None:
        return Advice(reason="the plan is too old to be followed", blind=True)
    kept = _kept(site, settings, slot.mode)
    if kept is not None:
        return kept
    # Where the run ends, not the half-hour: so it goes on if we are not there to say so.
    end, target_pct = min(last.end, site.at + _LONGEST), last.target_pct
    until = None if slot.mode is BatteryMode.SELF_USE else end
    # In whole watts: a hair less than the inverter's most would be another setting of it.
    power_w = math.inf if slot.power_w is None else round(slot.power_w)
    charges, empties = slot.mode in _CHARGES, slot.mode is BatteryMode.DISCHARGE
    now = price(slot.import_per_kwh, plan.currency)
    return Advice(
        reason=f"the plan until {clock_time(site, end)}, at {now}: {slot.reason}",
        room=Room(
            modes=frozenset({slot.mode}),
            charge_w=power_w if charges else math.inf,
            discharge_w=power_w if empties else math.inf,
            ceiling_pct=min(target_pct, 100.0) if charges else 100.0,
            floor_pct=max(target_pct, 0.0) if empties else 0.0,
            until=until,
        ),
        ahead=plan.next_charge(site.at, _LONGEST),
    )


def _kept(site: SiteSnapshot, settings: FollowPlan, mode: BatteryMode) -> Advice | None:
    """Return a hold at the plan's reserve, which the inverter's own may lie below."""
    slack = _SLACK_PCT if "low" in site.memory else 0.0
    if mode not in _AT_RESERVE or not settings.min_soc_pct or site.soc_pct is None:
        return None
    if site.soc_pct > settings.min_soc_pct + slack:
        return None
    return Advice(
        reason=f"the battery keeps the plan's reserve of {settings.min_soc_pct:.0f} %",
        room=Room(modes=frozenset({_AT_RESERVE[mode]})),
        memory={"low": "yes"},
    )
