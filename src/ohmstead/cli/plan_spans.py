"""A plan in the words and pieces that the terminal and the pictures share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from ohmstead.control.words import price
from ohmstead.model import BatteryMode, Plan, PlanSlot

__all__ = [
    "MODES",
    "Span",
    "load_times",
    "money",
    "power",
    "price_range",
    "spans_of",
    "totals",
    "when",
]

MODES: Final = {
    BatteryMode.CHARGE: "charge",
    BatteryMode.DISCHARGE: "discharge",
    BatteryMode.HOLD: "hold",
    BatteryMode.SELF_USE: "self-use",
    BatteryMode.CHARGE_SOLAR: "solar first",
    BatteryMode.EXPORT_SOLAR: "export solar",
    BatteryMode.IDLE: "idle",
}
_SIGNS: Final = {"GBP": "£", "EUR": "€", "USD": "$", "AUD": "$"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Neighbouring slots of one mode; powers are their mean."""

    slots: tuple[PlanSlot, ...]
    from_pct: float | None
    """What was stored before it, where that is known."""

    @property
    def first(self) -> PlanSlot:
        """Return the slot it begins with."""
        return self.slots[0]

    @property
    def last(self) -> PlanSlot:
        """Return the slot it ends with."""
        return self.slots[-1]

    @property
    def stored(self) -> str:
        """Return what is stored before and after it; once, where that is the same."""
        until = f"{self.last.soc_pct:.0f} %"
        if self.from_pct is None or round(self.from_pct) == round(self.last.soc_pct):
            return until
        return f"{self.from_pct:.0f} → {until}"

    @property
    def battery_w(self) -> float:
        """Return the battery's mean power; above 0 it discharges."""
        hours = [(slot.end - slot.start) / timedelta(hours=1) for slot in self.slots]
        return sum(s.battery_w * h for s, h in zip(self.slots, hours, strict=True)) / sum(hours)

    @property
    def cost(self) -> float:
        """Return what it costs in all."""
        return sum(slot.cost for slot in self.slots)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return what its slots are for, each reason once; that of the busiest slot first."""
        busy = sorted(
            self.slots,
            key=lambda slot: -abs(slot.battery_w) * (slot.end - slot.start).total_seconds(),
        )
        return tuple(dict.fromkeys(slot.reason for slot in busy))


def spans_of(plan: Plan) -> tuple[Span, ...]:
    """Return the plan's slots, those of the same mode put together."""
    before: dict[datetime, float] = {b.start: a.soc_pct for a, b in pairwise(plan.slots)}
    if plan.start_soc_pct is not None:
        before[plan.slots[0].start] = plan.start_soc_pct
    groups = (tuple(group) for _, group in groupby(plan.slots, key=lambda slot: slot.mode))
    return tuple(Span(slots=group, from_pct=before.get(group[0].start)) for group in groups)


# ---- words ------------------------------------------------------------------------------


def money(amount: float, currency: str) -> str:
    """Return an amount as people write it.

    >>> money(1.084, "GBP"), money(-0.5, "EUR"), money(-0.001, "GBP"), money(3, "SEK")
    ('£1.08', '−€0.50', '£0.00', '3.00 SEK')
    """
    sign = "−" if round(amount, 2) < 0 else ""
    digits = f"{abs(amount):.2f}"
    if currency in _SIGNS:
        return f"{sign}{_SIGNS[currency]}{digits}"
    return f"{sign}{digits} {currency}"


def power(power_w: float) -> str:
    """Return a power without its sign.

    >>> power(-2613), power(310.4), power(0.2)
    ('2.6 kW', '310 W', '0 W')
    """
    size = abs(power_w)
    return f"{size / 1000:.1f} kW" if size >= 1_000 else f"{size:.0f} W"  # noqa: PLR2004 - kilo


def price_range(prices: Iterable[float], currency: str) -> str:
    """Return from which to which price, or the one price there is.

    >>> price_range([0.07, 0.3], "GBP"), price_range([0.15, 0.15], "GBP")
    ('7p–30p', '15p')
    """
    known = list(prices)
    low, high = price(min(known), currency), price(max(known), currency)
    return low if low == high else f"{low}–{high}"


def when(moment: datetime, zone: ZoneInfo, *, since: datetime | None = None) -> str:
    """Return the time on the wall clock, with the day unless it is that of *since*."""
    local = moment.astimezone(zone)
    if since is not None and local.date() == since.astimezone(zone).date():
        return f"{local:%H:%M}"
    return f"{local:%a %H:%M}"


def load_times(plan: Plan, zone: ZoneInfo) -> tuple[str, ...]:
    """Return when each load that may run earlier or later is to be on."""
    found = list[str]()
    for name in plan.loads:
        times = [
            f"{when(start, zone)}–{when(end, zone, since=start)}"
            for start, end in plan.on_times(name)
        ]
        found.append(f"{name}: {', '.join(times) or 'not on'}")
    return tuple(found)


def totals(plan: Plan) -> str:
    """Return what the plan costs, saves, and how far it may be from the best."""
    earns = round(plan.cost, 2) < 0
    cost = f"{'earns' if earns else 'costs'} {money(abs(plan.cost), plan.currency)}"
    saved, gap = money(plan.saved, plan.currency), money(plan.gap, plan.currency)
    best = "none costs less" if round(plan.gap, 2) <= 0 else f"at most {gap} dearer than the best"
    return f"{cost}; saves {saved} over a house that does not plan; {best}{_weighs(plan)}"


def _weighs(plan: Plan) -> str:
    """Return what the plan's power weighs, or spares others, if that is known."""
    if plan.carbon_kg is None:
        return ""
    spared = " spared" if round(plan.carbon_kg, 1) < 0 else ""
    return f"; {abs(plan.carbon_kg):.1f} kg of CO2{spared}"
