"""What the firmware makes of its settings: pure, and asked in every step of the house.

Priority, as the vendor's settings pages have it: AC charge over AC first over forced discharge;
charge priority only moves solar power about.
"""

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

from ohmstead.devices.luxpower.registers import Model
from ohmstead.registers import RegisterBank

__all__ = ["Moment", "Orders", "orders_of", "wish", "within"]

Slots: TypeAlias = tuple[tuple[int, int], ...]
"""Start and end in minutes of the local day; equal ones are off."""

_DAY: Final = 24 * 60
_NEVER_STOP: Final = 101
_DARK_W: Final = 20
"""Charge priority concerns the sun: with none, the battery serves the house as ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One of the things it does by the clock."""

    enabled: bool
    slots: Slots
    power_w: float = 0.0
    soc_pct: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The settings that move power, in watts and minutes."""

    running: bool
    charge_w: float
    """The most it may charge with."""
    discharge_w: float
    cutoff_pct: float
    charge_last: bool
    feed_in: bool
    feed_in_w: float
    """The most a hybrid may feed in."""
    ac_charge: Job
    ac_first: Job
    charge_priority: Job
    forced_discharge: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the firmware sees."""

    minute: int
    """Of its own local day."""
    soc_pct: float
    pv_w: float
    load_w: float


def orders_of(
    bank: RegisterBank, model: Model, rated_w: float, max_charge_w: float, max_discharge_w: float
) -> Orders:
    """Return what the words in *bank* order."""

    def power(name: str) -> float:
        if model.in_watts:
            return bank.number(f"{name}_power_w")
        return bank.number(f"{name}_power_pct") / 100 * rated_w

    def job(name: str, soc: str) -> Job:
        return Job(
            enabled=bool(bank.value(f"{name}_enabled")),
            slots=_slots(bank, name),
            power_w=power(name),
            soc_pct=bank.number(f"{name}_{soc}"),
        )

    return Orders(
        running=bool(bank.value("running")),
        charge_w=bank.number("charge_rate_pct") / 100 * max_charge_w,
        discharge_w=bank.number("discharge_rate_pct") / 100 * max_discharge_w,
        cutoff_pct=bank.number("discharge_cutoff_soc_pct"),
        charge_last=bool(bank.value("charge_last_enabled")),
        feed_in=bool(bank.value("feed_in_enabled")),
        feed_in_w=bank.number("feed_in_limit_w") if model.in_watts else math.inf,
        ac_charge=job("ac_charge", "soc_limit_pct"),
        ac_first=Job(enabled=True, slots=_slots(bank, "ac_first")),
        charge_priority=job("charge_priority", "soc_limit_pct"),
        forced_discharge=job("forced_discharge", "soc_floor_pct"),
    )


def wish(orders: Orders, now: Moment) -> float:
    """Return the battery power the firmware wants, above zero discharging."""
    if not orders.running:
        return 0.0
    wanted = _wanted(orders, now)
    if wanted > 0:
        return min(wanted, orders.discharge_w) if now.soc_pct > orders.cutoff_pct else 0.0
    return max(wanted, -orders.charge_w)


def within(minute: int, slots: Slots) -> bool:
    """Tell whether *minute* lies in one of *slots*; an end belongs to it no more.

    >>> within(5, ((23 * 60, 6),)), within(6, ((23 * 60, 6),)), within(0, ((0, 0),))
    (True, False, False)
    """
    return any((minute - start) % _DAY < (end - start) % _DAY for start, end in slots)


def _wanted(orders: Orders, now: Moment) -> float:
    missing = now.load_w - now.pv_w
    spare = max(-missing, 0.0)
    if _on(orders.ac_charge, now):
        job = orders.ac_charge
        more = now.soc_pct < job.soc_pct or job.soc_pct >= _NEVER_STOP
        # Full enough, it keeps what it has until the slot is over. No document says so.
        return -max(job.power_w, spare) if more else -spare
    if _on(orders.ac_first, now):
        return -spare
    job = orders.forced_discharge
    if _on(job, now) and now.soc_pct > job.soc_pct:
        return job.power_w if orders.feed_in else min(job.power_w, max(missing, 0.0))
    job = orders.charge_priority
    if _on(job, now) and now.soc_pct < job.soc_pct and now.pv_w > _DARK_W:
        return -max(min(now.pv_w, job.power_w), spare)
    return 0.0 if orders.charge_last and spare else missing


def _on(job: Job, now: Moment) -> bool:
    return job.enabled and within(now.minute, job.slots)


def _slots(bank: RegisterBank, name: str) -> Slots:
    return tuple(
        (_minute(bank, f"{name}_slot_{n}_start"), _minute(bank, f"{name}_slot_{n}_end"))
        for n in range(1, 4)
    )


def _minute(bank: RegisterBank, name: str) -> int:
    (word,) = bank.read(bank.table[name].address, 1)
    return (word & 0xFF) * 60 + (word >> 8)
