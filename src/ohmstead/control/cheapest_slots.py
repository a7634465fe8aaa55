"""Charge in the cheapest slots of the night, and keep the battery for the dear ones.

octolux's ``agile_cheap_slots`` rule. Prices are thought of in pence, as the rule was written,
and each number in it is the rule's own. With ``old_behaviour`` every result is the old program's;
without it, what the old rule got wrong is mended, and said so at the place.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from ohmstead.control.words import clock_time, price
from ohmstead.model import Advice, BatteryMode, PriceSlot, Room, SiteSnapshot

__all__ = ["CheapestSlots", "Verdict", "cheapest_slots", "judge"]

_EVENING: Final = 20
"""The night's candidates begin at this hour…"""
_MORNING: Final = 8
"""…and end with it."""
_REPLAN_HOUR: Final = 18
_KEEP_FOR: Final = timedelta(hours=23)
_ENOUGH_SLOTS: Final = 20
_UNKNOWN_SOC_PCT: Final = 10.0
_BATTERY_KWH: Final = 2.4
_BATTERY_KW: Final = 1.0
_MOST_KW: Final = 3.0
_DEAR_PENCE: Final = 15.0
_SOON: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CheapestSlots:
    """Fill the battery in the night's cheapest slots, and use it in the day's dearest."""

    required_soc_pct: float = 90.0
    """How full the battery should be in the morning."""
    emergency_soc_pct: float = 50.0
    """Below this it is charged before dear hours even by day."""
    cheap_per_kwh: float = 0.02
    """Any slot below this price is used to charge."""
    min_discharge_per_kwh: float = 0.03
    """Below this price the battery is kept."""
    batteries: int = 1
    """How many batteries of 2.4 kWh there are, each taking 1 kW, 3 kW in all."""
    capacity_kwh: float | None = None
    """The whole capacity, if the batteries are others."""
    charge_w: float | None = None
    """How fast they charge, if they are others."""
    least_confidence: float = 0.5
    """How sure a price must be that may not hold, such as a dispatch's; 0 believes them all."""
    old_behaviour: bool = False
    """Decide exactly as octolux did, its mistakes included."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("required_soc_pct", "emergency_soc_pct"):
            if not 0 <= getattr(self, name) <= 100:  # noqa: PLR2004 - per cent
                raise ValueError(f"{name} must be from 0 to 100")
        if self.batteries < 1:
            raise ValueError("batteries must be 1 or more")
        if not 0 <= self.least_confidence <= 1:
            raise ValueError("least_confidence must be from 0 to 1")
        for name in ("capacity_kwh", "charge_w"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rule says for one moment."""

    charge: bool
    discharge: bool
    plan: Mapping[datetime, float]
    """The chosen night slots with their pence, cheapest first, as they are kept."""
    planned_at: datetime | None
    why: str


def cheapest_slots(site: SiteSnapshot, room: Room, settings: CheapestSlots) -> Advice:
    """Return a charge, self-use or a hold, as the slots have it."""
    curve = site.prices.buy
    now_slot = curve.at(site.at) if curve else None
    if curve is None or now_slot is None:
        return Advice(
            reason="the import price is not known for now", blind=True, memory=site.memory
        )
    planned_at, plan = _recall(site.memory)
    if site.soc_pct is None and not settings.old_behaviour:
        # The old rule took an unknown battery for an empty one, and charged for nothing.
        return Advice(reason="the state of charge is not known", blind=True, memory=site.memory)
    # The rule counts half-hours; a tariff of a few long rows means the same by them.
    known = curve.half_hours(site.at)
    verdict = judge(settings, known, site.at, site.timezone, site.soc_pct, plan, planned_at)
    memory = _keep(verdict)
    at = f"at {price(now_slot.believed_per_kwh(_least(settings)), curve.currency)} "
    end = known[0].end
    if verdict.charge:
        modes, did = {BatteryMode.CHARGE}, f"the battery charges until {clock_time(site, end)}"
    elif verdict.discharge:
        modes, did = {BatteryMode.SELF_USE}, "the battery serves the house"
    else:
        modes, did = {BatteryMode.HOLD}, "the battery is kept for dearer hours"
    return Advice(
        reason=f"{at}{did}: {verdict.why}",
        room=Room(
            modes=frozenset(modes),
            charge_w=room.charge_w if settings.charge_w is None else settings.charge_w,
            until=None if verdict.discharge and not verdict.charge else end,
        ),
        memory=memory,
    )


def judge(
    settings: CheapestSlots,
    known: Sequence[PriceSlot],
    now: datetime,
    zone: tzinfo,
    soc_pct: float | None,
    plan: Mapping[datetime, float],
    planned_at: datetime | None,
) -> Verdict:
    """Return what the rule says at *now*, *known* being the slots from the current one on.

    The numbers of the steps are those of the rule's description.
    """
    soc = _UNKNOWN_SOC_PCT if soc_pct is None else soc_pct
    least = _least(settings)
    pence = {slot.start: round(slot.believed_per_kwh(least) * 100, 4) for slot in known}
    current = known[0].start
    # 3. Plan anew in the evening, or when the plan is old.
    stale = planned_at is None or now - planned_at > _KEEP_FOR
    # Where every hour costs the same, waiting for a cheaper one is of no use; the old rule waited.
    worthwhile = settings.old_behaviour or len(set(pence.values())) > 1
    enough = len(known) > _ENOUGH_SLOTS and worthwhile
    if (now.astimezone(zone).hour >= _REPLAN_HOUR or stale) and enough:
        plan, planned_at = _night(settings, pence, now, zone, soc), now
    chosen = dict(plan)
    # 4. Every slot cheap enough is used, full or not.
    cheap = settings.cheap_per_kwh * 100
    chosen |= {start: p for start, p in pence.items() if p < cheap}
    # 5. and 6. How dear a slot must be to be worth the battery.
    worth = _worth(settings, list(chosen.values()), soc)
    # 7. and 8.
    dear = {start for start, p in pence.items() if p > worth}
    charge, discharge = current in chosen, current in dear
    why = f"{len(chosen)} slots are chosen to charge, and the battery is worth {round(worth, 2):g}p"
    # 9. Emergency: low, and it gets dear soon.
    soon = [pence[slot.start] for slot in known[:_SOON]]
    if soc < settings.emergency_soc_pct and max(soon) > _DEAR_PENCE > pence[current]:
        charge, why = True, f"at {soc:.0f} % it must charge before it costs {max(soon):g}p"
    if charge and not settings.old_behaviour:
        discharge = False  # the old rule allowed both at once, and left it to the inverter
    return Verdict(charge=charge, discharge=discharge, plan=plan, planned_at=planned_at, why=why)


def _least(settings: CheapestSlots) -> float:
    """Return how sure a price must be; the old rule knew nothing of that."""
    return 0.0 if settings.old_behaviour else settings.least_confidence


def _night(
    settings: CheapestSlots,
    pence: Mapping[datetime, float],
    now: datetime,
    zone: tzinfo,
    soc: float,
) -> Mapping[datetime, float]:
    """Return the cheapest slots of the coming night that fill the battery, cheapest first."""
    rate_kw = min(_MOST_KW, _BATTERY_KW * settings.batteries)
    capacity_kwh = _BATTERY_KWH * settings.batteries
    if settings.charge_w is not None:
        rate_kw = settings.charge_w / 1000
    if settings.capacity_kwh is not None:
        capacity_kwh = settings.capacity_kwh
    energy_kwh = max(capacity_kwh * (settings.required_soc_pct - soc) / 100, 0.0)
    # Rounded before the ceiling, or 2.88 kWh at 2 kW could become one slot more.
    count = math.ceil(round(2 * energy_kwh / rate_kw, 9))
    candidates = [start for start in pence if _of_the_night(start, now, zone, settings)]
    ranked = sorted(candidates, key=lambda start: pence[start])
    return {start: pence[start] for start in ranked[:count]}


def _of_the_night(start: datetime, now: datetime, zone: tzinfo, settings: CheapestSlots) -> bool:
    local, here = start.astimezone(zone), now.astimezone(zone)
    if settings.old_behaviour:
        # It compared days of the month, and let the whole hour from 08:00 count as night.
        tonight = here.hour > _MORNING and local.day == here.day and local.hour >= _EVENING
        return tonight or local.hour <= _MORNING
    morning = here.replace(hour=_MORNING, minute=0, second=0, microsecond=0)
    if here >= morning:
        morning += timedelta(
            days=1
        )  # wall-clock arithmetic: tomorrow's 08:00, however long the night
    evening = morning.replace(hour=_EVENING) - timedelta(days=1)
    return evening.timestamp() <= start.timestamp() < morning.timestamp()


def _worth(settings: CheapestSlots, charged_at: Sequence[float], soc: float) -> float:
    """Return the pence above which the battery is used: what its energy cost, and a margin."""
    margins = ((30, 1.6), (40, 1.5), (50, 1.4), (60, 1.3), (80, 1.2))
    margin = next((factor for below, factor in margins if soc < below), 1.1)
    cost = settings.cheap_per_kwh * 100
    if charged_at:
        # The old rule took the slot inserted last, which need not be the dearest; and a price
        # below zero made the battery cheaper the emptier it was.
        cost = charged_at[-1] if settings.old_behaviour else max(*charged_at, 0.0)
    return round(max(cost * margin, settings.min_discharge_per_kwh * 100), 4)


def _recall(memory: Mapping[str, str]) -> tuple[datetime | None, Mapping[datetime, float]]:
    if "plan" not in memory:
        return None, {}
    kept = json.loads(memory["plan"])
    plan = {datetime.fromisoformat(start): float(pence) for start, pence in kept["slots"].items()}
    return datetime.fromisoformat(kept["at"]), plan


def _keep(verdict: Verdict) -> Mapping[str, str]:
    if verdict.planned_at is None:
        return {}
    slots = {start.isoformat(): pence for start, pence in verdict.plan.items()}
    return {"plan": json.dumps({"at": verdict.planned_at.isoformat(), "slots": slots})}
