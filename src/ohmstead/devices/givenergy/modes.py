"""What each battery mode means to this family: which settings, in which order.

Pure, so that it can be read and tested without an inverter. Whatever moves energy stands in one
of the inverter's own daily slots, which ends by itself: a dead controller leaves the house alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Final

from ohmstead.devices.givenergy.registers import Model
from ohmstead.errors import NotWritable
from ohmstead.model import BatteryCommand, BatteryMode, SettingChange, Value, daily_window

__all__ = ["Order", "Pairs", "Plant", "changes_for"]

Pairs = list[tuple[str, Value]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """The inverter as far as a translation needs to know it."""

    device: str
    model: Model
    rated_w: float
    battery_w: float
    """The most its battery side moves."""
    battery_wh: float
    timezone: tzinfo
    shown: Mapping[str, Value | None]
    """The settings it held when it was last asked; one that never answered is missing."""
    usual: Mapping[str, float]
    """The last value above zero of each rate, and the last reserve or floor below 100."""

    @property
    def commanded(self) -> bool:
        """Whether a single-phase model has a battery that charges by the clock."""
        model = self.model
        return model.has("charge_enabled") and bool(model.holdings["charge_enabled"].writable)

    def shows(self, point: str) -> bool:
        """Tell whether the setting *point* is there at all."""
        return self.shown.get(point) is not None

    def percent(self, power_w: float | None) -> int:
        """Return *power_w* in per cent of the rated power, rounded down, at least 1."""
        share = 1.0 if power_w is None else power_w / self.rated_w
        return max(min(int(100 * share), 100), 1)

    def hundredths(self, power_w: float | None) -> int:
        """Return *power_w* in hundredths of the capacity an hour: 50 is the most there is."""
        if power_w is None or power_w >= self.battery_w or not self.battery_wh:
            return _FULL_RATE
        least = 1 if power_w > 0 else 0
        return max(min(int(100 * power_w / self.battery_wh), _FULL_RATE), least)


def changes_for(command: BatteryCommand, now: datetime, plant: Plant) -> tuple[SettingChange, ...]:
    """Return the settings that make *command* happen, the one that switches it on last.

    Raises ``NotWritable`` for a command without a proper end, or one it has no means for.
    """
    if command.mode is not BatteryMode.SELF_USE:
        if command.until is None:
            raise NotWritable(f"{command.mode} needs an end: say until when")
        if command.until <= now:
            raise NotWritable(f"{command.mode} would have ended already")
    order = Order(command, now, plant)
    if plant.model.name == "ems":
        pairs = _ems(order)
    elif plant.model.has("forced_charge_enabled"):
        pairs = _three_phase(order)
    elif plant.commanded:
        pairs = _single_phase(order)
    else:
        raise NotWritable(f"{plant.device} has no battery that could be commanded")
    return tuple(
        SettingChange(device=plant.device, point=point, value=value) for point, value in pairs
    )


@dataclass(frozen=True, slots=True)
class Order:
    """A command, when it was given, and to what; with the settings that several modes share."""

    command: BatteryCommand
    now: datetime
    plant: Plant

    @property
    def mode(self) -> BatteryMode:
        """What the battery shall do."""
        return self.command.mode

    @property
    def caps_the_sun(self) -> bool:
        """Whether a held battery takes no more of the sun than the power told."""
        return self.mode is BatteryMode.HOLD and self.command.power_w is not None

    def slot(self, name: str) -> Pairs:
        """Return the slot from now to the command's end, in the order that never spans a day."""
        assert self.command.until is not None  # noqa: S101 - checked before anything else
        present = self.plant.shown.get(f"{name}_start"), self.plant.shown.get(f"{name}_end")
        start, end = daily_window(self.now, self.command.until, self.plant.timezone, present)
        return self.window(name, start, end)

    def window(self, name: str, start: time, end: time) -> Pairs:
        """Return the slot from *start* to *end*, in the order that never spans a day."""
        first, last = f"{name}_start", f"{name}_end"
        pairs: Pairs = [(first, start), (last, end)]
        closes = self.plant.shown.get(last)
        return pairs[::-1] if isinstance(closes, time) and start > closes else pairs

    def target(self) -> int:
        """Return where a charge ends."""
        soc_pct = self.command.soc_pct
        return _FULL if soc_pct is None else _within(soc_pct)

    def charge_target(self) -> Pairs:
        """Return the target; a full charge has none, or the last per cent would go to and fro."""
        target = self.target()
        pairs: Pairs = []
        if self.plant.shows("charge_slot_1_target_soc_pct"):
            pairs.append(("charge_slot_1_target_soc_pct", target))
        if target < _FULL:
            return [*pairs, ("charge_target_soc_pct", target), ("charge_target_enabled", True)]
        return [*pairs, ("charge_target_enabled", False)]

    def floor(self, level: str = "reserve_soc_pct") -> int:
        """Return where a discharge ends: as told, or where the owner has it end by *level*."""
        soc_pct = self.command.soc_pct
        if soc_pct is None:
            soc_pct = self.plant.usual.get(level, _LEAST)
        return _within(soc_pct)

    def pause(self, what: str) -> Pairs:
        """Forbid *what* until the command ends."""
        return [*self.slot("pause_slot"), ("pause_mode", what)]

    def unpaused(self) -> Pairs:
        """Forbid nothing, where the model knows pauses."""
        return [("pause_mode", "none")] if self.plant.shows("pause_mode") else []

    def emptied(self, name: str, numbers: range) -> Pairs:
        """Switch the owner's slots *numbers* off that are in use: ours alone shall run."""
        pairs: Pairs = []
        for n in numbers:
            first, last = f"{name}_slot_{n}_start", f"{name}_slot_{n}_end"
            if self.plant.shown.get(first) != self.plant.shown.get(last):
                pairs += [(first, _MIDNIGHT), (last, _MIDNIGHT)]
        return pairs

    def opened(self, *rates: str) -> Pairs:
        """Lift the rates that are shut; any other is the owner's."""
        return [
            (rate, min(self.plant.usual.get(rate, _FULL_RATE), _FULL_RATE))
            for rate in rates
            if self.plant.shown.get(rate) == 0
        ]

    def rate(self, which: str) -> Pairs:
        """Return the power of the command, in the unit of what this model heeds."""
        power_w = self.command.power_w
        if self.plant.model.by_rated and self.plant.shows(f"ac_{which}_rate_pct"):
            opened = self.opened(f"{which}_rate_pct")
            return [*opened, (f"ac_{which}_rate_pct", self.plant.percent(power_w))]
        return [(f"{which}_rate_pct", self.plant.hundredths(power_w))]

    def solar_first(self) -> Pairs:
        """Put the sun into the battery before it serves the house."""
        if not self.plant.shows("export_priority"):
            raise NotWritable(f"{self.plant.device} cannot put solar before the house")
        return [("export_priority", "battery")]

    def reserve(self, most: int) -> Pairs:
        """Lower a reserve that would keep the battery from discharging to *most*."""
        held = self.plant.shown.get("reserve_soc_pct")
        lower = isinstance(held, int | float) and held > most
        return [("reserve_soc_pct", most)] if lower else []

    def given_back(self, level: str) -> Pairs:
        """Lower a *level* of 100, which keeps the battery from discharging, to what it was."""
        if self.plant.shown.get(level) != _FULL:
            return []
        return [(level, _within(self.plant.usual.get(level, _LEAST)))]


def _single_phase(order: Order) -> Pairs:
    plant = order.plant
    quiet: Pairs = [("charge_enabled", False), ("discharge_enabled", False)]
    normal: Pairs = [*quiet, *order.unpaused(), ("eco_mode_enabled", True)]
    match order.mode:
        case BatteryMode.SELF_USE:
            return [*normal, *order.opened(*_RATES), *order.given_back("reserve_soc_pct")]
        case BatteryMode.CHARGE:
            return [
                ("discharge_enabled", False),
                *order.unpaused(),
                *order.charge_target(),
                *order.rate("charge"),
                *order.slot("charge_slot_1"),
                ("charge_enabled", True),
            ]
        case BatteryMode.DISCHARGE:
            return [("charge_enabled", False), *order.unpaused(), *_exported(order)]
        case BatteryMode.CHARGE_SOLAR:
            return [*normal, *order.opened(*_RATES), *order.solar_first()]
        case mode if plant.shows("pause_mode"):
            opened = [] if mode is BatteryMode.IDLE else order.opened(*_RATES)
            if order.caps_the_sun:
                opened = [*order.opened("discharge_rate_pct"), *order.rate("charge")]
            return [*quiet, ("eco_mode_enabled", True), *opened, *order.pause(_PAUSED[mode])]
        case mode:
            # Without a pause slot the rates stay shut until somebody opens them.
            shut = _SHUT[mode]
            opened = order.opened(*(rate for rate in _RATES if rate not in shut))
            if order.caps_the_sun:
                opened = order.rate("charge")
            return [*normal, *opened, *((rate, 0) for rate in shut)]


def _exported(order: Order) -> Pairs:
    """Return a discharge at the power told, into the grid if the house does not take it."""
    floor = order.floor()
    ten = order.plant.shows("discharge_slot_1_floor_soc_pct")
    # On two-slot firmware the reserve is the only floor there is.
    floors: Pairs = (
        [("discharge_slot_1_floor_soc_pct", floor), *order.reserve(floor)]
        if ten
        else [("reserve_soc_pct", floor)]
    )
    return [
        *floors,
        *order.rate("discharge"),
        *order.emptied("discharge", range(2, 11 if ten else 3)),
        *order.slot("discharge_slot_1"),
        ("eco_mode_enabled", False),
        ("discharge_enabled", True),
    ]


def _three_phase(order: Order) -> Pairs:
    plant = order.plant
    no_charge: Pairs = [("forced_charge_enabled", False), ("ac_charge_enabled", False)]
    no_discharge: Pairs = [("forced_discharge_enabled", False)]
    normal: Pairs = [*no_charge, *no_discharge, *order.unpaused(), ("eco_mode_enabled", True)]
    match order.mode:
        case BatteryMode.SELF_USE:
            return [*normal, *order.given_back("discharge_floor_soc_pct")]
        case BatteryMode.CHARGE:
            return [
                *no_discharge,
                *order.unpaused(),
                ("charge_target_soc_pct", order.target()),
                *order.rate("charge"),
                *order.slot("charge_slot_1"),
                ("ac_charge_enabled", True),
                ("forced_charge_enabled", True),
            ]
        case BatteryMode.DISCHARGE:
            return [
                *no_charge,
                *order.unpaused(),
                ("discharge_floor_soc_pct", order.floor("discharge_floor_soc_pct")),
                *order.rate("discharge"),
                *order.emptied("discharge", range(2, 3)),
                *order.slot("discharge_slot_1"),
                ("eco_mode_enabled", False),
                ("forced_discharge_enabled", True),
            ]
        case BatteryMode.CHARGE_SOLAR:
            return [*normal, *order.solar_first()]
        case mode if plant.shows("pause_mode"):
            quiet: Pairs = [*no_charge, *no_discharge, ("eco_mode_enabled", True)]
            return [*quiet, *order.pause(_PAUSED[mode])]
        case BatteryMode.HOLD:
            return [*normal, ("discharge_floor_soc_pct", _FULL)]
        case mode:
            raise NotWritable(f"{plant.device} has no setting for {mode}")


def _ems(order: Order) -> Pairs:
    plant = order.plant
    control: Pairs = [("plant_control_enabled", True)]
    match order.mode:
        case BatteryMode.SELF_USE:
            return [*order.emptied("charge", _THREE), *order.emptied("export", _THREE)]
        case BatteryMode.CHARGE:
            return [
                *order.emptied("export", _THREE),
                ("charge_slot_1_target_soc_pct", order.target()),
                *order.slot("charge_slot_1"),
                *control,
            ]
        case BatteryMode.DISCHARGE:
            return [
                *order.emptied("charge", _THREE),
                *order.emptied("export", range(2, 4)),
                ("export_slot_1_floor_soc_pct", order.floor()),
                *order.slot("export_slot_1"),
                *control,
            ]
        case _:
            raise NotWritable(f"{plant.device}: an EMS has no setting for {order.mode}")


_RATES: Final = ("charge_rate_pct", "discharge_rate_pct")
_PAUSED: Final = {
    BatteryMode.HOLD: "discharge",
    BatteryMode.EXPORT_SOLAR: "charge",
    BatteryMode.IDLE: "both",
}
_SHUT: Final = {
    BatteryMode.HOLD: ("discharge_rate_pct",),
    BatteryMode.EXPORT_SOLAR: ("charge_rate_pct",),
    BatteryMode.IDLE: _RATES,
}
_FULL_RATE: Final = 50
_FULL: Final = 100
_LEAST: Final = 4
"""What every model keeps in the battery, whatever it is told."""
_MIDNIGHT: Final = time(0, 0)
_THREE: Final = range(1, 4)


def _within(soc_pct: float) -> int:
    return max(min(round(soc_pct), _FULL), _LEAST)
