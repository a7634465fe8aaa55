"""What the house means to do in the hours to come, with the reason for each of them."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ohmstead.model.command import Ahead, BatteryMode

__all__ = ["LoadTaken", "Plan", "PlanSlot"]

_ON_W: Final = 1.0
_OLD: Final = timedelta(minutes=45)
"""A plan is made every few minutes; one so old was made of things that hold no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSlot:
    """One span of a plan (aware, UTC); powers are means, as forecast."""

    start: datetime
    end: datetime
    mode: BatteryMode
    power_w: float | None
    """How much the battery moves at most; None is as much as the house asks or the sun spares."""
    target_pct: float
    """Where it stops: what should be stored at the end."""
    battery_w: float
    grid_w: float
    pv_w: float
    load_w: float
    """Of the house, its cars and the loads below."""
    soc_pct: float
    """At the end, as forecast."""
    import_per_kwh: float
    export_per_kwh: float
    cost: float
    """Of energy and wear, in the currency's main unit."""
    worth_per_kwh: float
    """What one more kWh in the battery would save later."""
    reason: str
    car_w: float = 0.0
    """What of the load goes into cars."""
    loads_w: Mapping[str, float] = field(default_factory=dict)
    """What of the load goes into each load that may run earlier or later; 0 where it is off."""

    def runs(self, load: str) -> bool:
        """Tell whether the *load* of this name is to be on."""
        return self.loads_w.get(load, 0.0) >= _ON_W


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTaken:
    """What a load has had by the time a plan begins, if it ran as the plans before foresaw."""

    name: str
    by: datetime
    """When it must be done: so is told for which day it was."""
    kwh: float
    began: datetime | None
    """When it was first on; None while it has not been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Slots in time order, without gaps."""

    made_at: datetime
    slots: tuple[PlanSlot, ...]
    cost: float
    """Of all slots, what is left in the battery not counted."""
    saved: float
    """What it saves over a house that does not plan, what is left in the battery counted."""
    gap: float
    """It costs at most so much more than the best there is: proven."""
    made_of: str = ""
    """Which prices and forecasts it was made of, in words."""
    currency: str = "GBP"
    start_soc_pct: float | None = None
    """What is stored when the first slot begins."""
    carbon_kg: float | None = None
    """What the power drawn weighs in CO2, less what is fed in; None if nobody knows."""
    taken: tuple[LoadTaken, ...] = ()
    """What its loads have had before its first slot, where their hours have begun."""

    @property
    def loads(self) -> tuple[str, ...]:
        """Return the names of the loads that may run earlier or later."""
        return tuple(self.slots[0].loads_w)

    def at(self, moment: datetime) -> PlanSlot | None:
        """Return the slot that *moment* lies in, or None where nothing is planned."""
        number = bisect_right(self.slots, moment, key=lambda slot: slot.start) - 1
        if number >= 0 and moment < self.slots[number].end:
            return self.slots[number]
        return None

    def on_times(self, load: str) -> tuple[tuple[datetime, datetime], ...]:
        """Return from when until when the *load* of this name is to be on."""
        found = list[tuple[datetime, datetime]]()
        for slot in self.slots:
            if not slot.runs(load):
                continue
            if found and found[-1][1] == slot.start:
                found[-1] = (found[-1][0], slot.end)
            else:
                found.append((slot.start, slot.end))
        return tuple(found)

    def soc_at(self, moment: datetime) -> float | None:
        """Return what should be stored at *moment*, or None where nothing is planned."""
        now = self.at(moment)
        if now is None:
            return None
        number = self.slots.index(now)
        before = self.slots[number - 1].soc_pct if number else self.start_soc_pct
        if before is None:
            return None
        share = (moment - now.start) / (now.end - now.start)
        return before + share * (now.soc_pct - before)

    def run_from(self, moment: datetime) -> datetime | None:
        """Return when what is planned at *moment* changes, or None where nothing is planned."""
        last = self.last_of_run(moment)
        return None if last is None else last.end

    def last_of_run(self, moment: datetime) -> PlanSlot | None:
        """Return the last of the slots that go on as is planned at *moment*; None if nothing is."""
        last = self.at(moment)
        if last is None:
            return None
        for slot in self.slots[self.slots.index(last) + 1 :]:
            if slot.mode is not last.mode or slot.start != last.end:
                break
            last = slot
        return last

    def next_charge(self, moment: datetime, within: timedelta) -> Ahead | None:
        """Return the first charge that begins after *moment* and *within* that time.

        Adjacent slots of it are one: the highest power and the highest target of them all, so
        that it is not too little.
        """
        first = next(
            (
                slot
                for slot in self.slots
                if moment < slot.start <= moment + within and slot.mode is BatteryMode.CHARGE
            ),
            None,
        )
        if first is None:
            return None
        until = min(self.run_from(first.start) or first.end, first.start + within)
        run = [slot for slot in self.slots if first.start <= slot.start < until]
        powers = [slot.power_w for slot in run if slot.power_w is not None]
        return Ahead(
            start=first.start,
            until=until,
            power_w=max(powers) if len(powers) == len(run) else None,
            soc_pct=min(max(slot.target_pct for slot in run), 100.0),
        )

    def age(self, now: datetime) -> timedelta:
        """Return how long ago it was made."""
        return now - self.made_at

    def holds(self, now: datetime) -> bool:
        """Tell whether it may still be followed: it is fresh, and says what to do now."""
        return self.age(now) <= _OLD and self.at(now) is not None
