"""A charge to come, in the inverter's own charge slot: what this family can leave there.

Nothing here may change what the battery does before the slot begins. So no power is set, which
would hold for the sun as well: such a charge runs as fast as the rates already allow.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from ohmstead.devices.givenergy.modes import Order, Pairs, Plant
from ohmstead.model import Ahead, BatteryCommand, BatteryMode, SettingChange, coming_window

__all__ = ["changes_ahead"]

_SHUTS_CHARGING: Final = frozenset({BatteryMode.EXPORT_SOLAR, BatteryMode.IDLE})


def changes_ahead(
    command: BatteryCommand, now: datetime, plant: Plant
) -> tuple[SettingChange, ...]:
    """Return the settings of the charge that *command* has ahead, the switch last; or none."""
    ahead = command.ahead
    if ahead is None or not _keeps(ahead.most_w, plant):
        return ()
    order = Order(replace(command, soc_pct=ahead.soc_pct), now, plant)
    if plant.model.name == "ems":
        pairs = _ems(order, ahead)
    elif plant.model.has("forced_charge_enabled"):
        pairs = _three_phase(order, ahead)
    elif command.mode in _SHUTS_CHARGING and not plant.shows("pause_mode"):
        pairs = []  # its charge rate stays shut until somebody opens it
    elif not plant.commanded:
        pairs = []
    else:
        pairs = [
            *order.charge_target(),
            *_alone(order, ahead),
            ("charge_enabled", True),
        ]
    return tuple(
        SettingChange(device=plant.device, point=point, value=value) for point, value in pairs
    )


def _keeps(most_w: float | None, plant: Plant) -> bool:
    """Tell whether a charge at the rates that the inverter holds stays within *most_w*."""
    if most_w is None or most_w >= plant.battery_w:
        return True
    if plant.model.by_rated and plant.shows("ac_charge_rate_pct"):
        held, most = plant.shown["ac_charge_rate_pct"], plant.percent(most_w)
    else:
        held, most = plant.shown.get("charge_rate_pct"), plant.hundredths(most_w)
    return isinstance(held, int | float) and held <= most


def _alone(order: Order, ahead: Ahead) -> Pairs:
    """Return charge slot 1, with the owner's others off: the switch is for all of them."""
    slot = coming_window(order.now, ahead.start, ahead.until, order.plant.timezone)
    ten = order.plant.shows("charge_slot_10_start")
    return [
        *order.emptied("charge", range(2, 11 if ten else 3)),
        *order.window("charge_slot_1", *slot),
    ]


def _three_phase(order: Order, ahead: Ahead) -> Pairs:
    """Return the slot and its switches. The level to stop at may hold for the sun, so it stays."""
    held = order.plant.shown.get("charge_target_soc_pct")
    most = 100.0 if ahead.most_pct is None else ahead.most_pct
    if not isinstance(held, int | float) or held > most or order.mode in _SHUTS_CHARGING:
        return []
    return [
        *_alone(order, ahead),
        ("ac_charge_enabled", True),
        ("forced_charge_enabled", True),
    ]


def _ems(order: Order, ahead: Ahead) -> Pairs:
    """Return the plant's slot, if the EMS is in control already: to switch it on is no trifle."""
    if order.plant.shown.get("plant_control_enabled") is not True:
        return []
    slot = coming_window(order.now, ahead.start, ahead.until, order.plant.timezone)
    target: Pairs = [("charge_slot_1_target_soc_pct", order.target())]
    return [*target, *order.window("charge_slot_1", *slot)]
