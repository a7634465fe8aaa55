"""What GivEnergy firmware makes of its settings: pure, and asked in every step of the house.

Order of precedence: a pause forbids, a charge slot charges, a discharge slot empties, and what
is left is self-use. Sources: what owners' software relies on; see docs/devices/givenergy.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from ohmstead.devices.givenergy.registers import Model
from ohmstead.registers import RegisterBank

__all__ = ["Moment", "Orders", "Sizes", "orders_of", "wish", "within"]

Slots: TypeAlias = tuple[tuple[int, int, float], ...]
"""Start and end in minutes of the local day, and where to stop; equal ones are off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What the hardware can do, and how much it holds."""

    rated_w: float
    charge_w: float
    discharge_w: float
    capacity_wh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """The settings that move power, in watts and minutes."""

    charge_w: float
    discharge_w: float
    charge_slots: Slots = ()
    """Empty while charging by the clock is off."""
    discharge_slots: Slots = ()
    by_slots: bool = False
    """Whether it discharges in its slots only."""
    eco: bool = True
    """Whether it covers the house's own use; else it discharges at full power."""
    floor_pct: float = 4.0
    no_charge: tuple[int, int] | None = None
    """When it must not charge; equal ends are always."""
    no_discharge: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the firmware sees."""

    minute: int
    """Of its own local day."""
    soc_pct: float
    pv_w: float
    load_w: float


def orders_of(bank: RegisterBank, model: Model, sizes: Sizes) -> Orders:
    """Return what the words in *bank* order."""
    if model.name == "ems":
        return _ems(bank, sizes)
    if model.has("forced_charge_enabled"):
        return _three_phase(bank, sizes)
    return _single_phase(bank, model, sizes)


def wish(orders: Orders, now: Moment) -> float:
    """Return the battery power the firmware wants, above zero discharging."""
    wanted = _wanted(orders, now)
    if wanted < 0:
        barred = orders.no_charge is not None and _lies(now.minute, *orders.no_charge)
        return 0.0 if barred else max(wanted, -orders.charge_w)
    barred = orders.no_discharge is not None and _lies(now.minute, *orders.no_discharge)
    empty = now.soc_pct <= orders.floor_pct
    return 0.0 if barred or empty else min(wanted, orders.discharge_w)


def within(minute: int, slots: Slots) -> float | None:
    """Return where the slot around *minute* stops; None outside all of them.

    >>> within(5, ((23 * 60, 6, 80.0),)), within(6, ((23 * 60, 6, 80.0),)), within(0, ((0, 0, 1),))
    (80.0, None, None)
    """
    for start, end, stop in slots:
        if (minute - start) % _DAY < (end - start) % _DAY:
            return stop
    return None


_DAY: Final = 24 * 60
_FULL: Final = 100.0


def _wanted(orders: Orders, now: Moment) -> float:
    missing = now.load_w - now.pv_w
    spare = max(-missing, 0.0)
    target = within(now.minute, orders.charge_slots)
    if target is not None:
        # Full enough, it keeps what it has until the slot is over.
        return -max(orders.charge_w, spare) if now.soc_pct < target else -spare
    floor = within(now.minute, orders.discharge_slots)
    if floor is not None and now.soc_pct > floor:
        return missing if orders.eco else orders.discharge_w
    if orders.by_slots or not orders.eco:
        return -spare
    return missing


def _lies(minute: int, start: int, end: int) -> bool:
    return start == end or within(minute, ((start, end, 0.0),)) is not None


def _single_phase(bank: RegisterBank, model: Model, sizes: Sizes) -> Orders:
    ten = model.has("charge_slot_10_start")
    target = bank.number("charge_target_soc_pct") if bank.value("charge_target_enabled") else _FULL
    numbers = range(1, 11) if ten else range(1, 3)
    charge: list[tuple[int, int, float]] = []
    discharge: list[tuple[int, int, float]] = []
    for n in numbers:
        stop, floor = target, 0.0
        if ten:  # the lower of the two ends a charge
            stop = min(target, bank.number(f"charge_slot_{n}_target_soc_pct") or _FULL)
            floor = bank.number(f"discharge_slot_{n}_floor_soc_pct")
        charge.append((*_ends(bank, f"charge_slot_{n}"), stop))
        discharge.append((*_ends(bank, f"discharge_slot_{n}"), floor))
    no_charge, no_discharge = _pauses(bank, model)
    active = bank.number("active_power_pct") / 100
    return Orders(
        charge_w=_rate(bank, model, "charge", sizes.charge_w, sizes) * active,
        discharge_w=_rate(bank, model, "discharge", sizes.discharge_w, sizes) * active,
        charge_slots=tuple(charge) if bank.value("charge_enabled") else (),
        discharge_slots=tuple(discharge) if bank.value("discharge_enabled") else (),
        by_slots=bool(bank.value("discharge_enabled")),
        eco=bool(bank.value("eco_mode_enabled")),
        floor_pct=max(bank.number("reserve_soc_pct"), bank.number("cutoff_soc_pct")),
        no_charge=no_charge,
        no_discharge=no_discharge,
    )


def _three_phase(bank: RegisterBank, sizes: Sizes) -> Orders:
    target, floor = bank.number("charge_target_soc_pct"), bank.number("discharge_floor_soc_pct")
    charging = bank.value("forced_charge_enabled") and bank.value("ac_charge_enabled")
    emptying = bool(bank.value("forced_discharge_enabled"))
    return Orders(
        charge_w=min(bank.number("ac_charge_rate_pct") / 100 * sizes.rated_w, sizes.charge_w),
        discharge_w=min(
            bank.number("ac_discharge_rate_pct") / 100 * sizes.rated_w, sizes.discharge_w
        ),
        charge_slots=_numbered(bank, "charge", range(1, 3), target) if charging else (),
        discharge_slots=_numbered(bank, "discharge", range(1, 3), floor) if emptying else (),
        by_slots=emptying,
        eco=bool(bank.value("eco_mode_enabled")),
        floor_pct=max(floor, bank.number("cutoff_soc_pct")),
    )


def _ems(bank: RegisterBank, sizes: Sizes) -> Orders:
    on = bool(bank.value("plant_control_enabled"))

    def slots(name: str, what: str) -> Slots:
        found = [
            (*_ends(bank, f"{name}_slot_{n}"), bank.number(f"{name}_slot_{n}_{what}_soc_pct"))
            for n in range(1, 4)
        ]
        return tuple(found) if on else ()

    exporting = slots("export", "floor")
    return Orders(
        charge_w=sizes.charge_w,
        discharge_w=sizes.discharge_w,
        charge_slots=slots("charge", "target"),
        discharge_slots=exporting,
        by_slots=False,
        eco=not any(start != end for start, end, _ in exporting),
    )


def _numbered(bank: RegisterBank, name: str, numbers: Iterable[int], stop: float) -> Slots:
    return tuple((*_ends(bank, f"{name}_slot_{n}"), stop) for n in numbers)


def _pauses(
    bank: RegisterBank, model: Model
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    if not model.has("pause_mode"):
        return None, None
    mode, slot = bank.value("pause_mode"), _ends(bank, "pause_slot")
    return (
        slot if mode in {"charge", "both"} else None,
        slot if mode in {"discharge", "both"} else None,
    )


def _rate(bank: RegisterBank, model: Model, way: str, most_w: float, sizes: Sizes) -> float:
    hundredths = bank.number(f"{way}_rate_pct")
    watts = most_w if hundredths >= 50 else hundredths / 100 * sizes.capacity_wh  # noqa: PLR2004 - half the capacity an hour is "as much as it can"
    if model.by_rated and model.has(f"ac_{way}_rate_pct"):
        watts = min(watts, bank.number(f"ac_{way}_rate_pct") / 100 * sizes.rated_w)
    return min(watts, most_w)


def _ends(bank: RegisterBank, name: str) -> tuple[int, int]:
    words = [bank.read(bank.table[f"{name}_{end}"].address, 1)[0] for end in ("start", "end")]
    if any(word % 100 >= 60 for word in words):  # noqa: PLR2004 - no such minute: unset
        return 0, 0
    start, end = (word // 100 * 60 + word % 100 for word in words)
    return start, end
