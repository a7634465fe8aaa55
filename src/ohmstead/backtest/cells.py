"""The battery's physics, one step at a time: what a mode makes of the load and the sun.

The same physics as the planner's model, settled exactly, so that what a replay costs and what
the bound says are of one house. Energies are kWh in a step, ``bus`` is above 0 when the battery
discharges, counted where the planner counts it.
"""

from datetime import timedelta
from math import inf
from typing import Final, NamedTuple

from ohmstead.backtest.world import Plant
from ohmstead.model import BatteryCommand, BatteryMode

__all__ = ["Cells", "Flow", "Order", "order_of"]

_SELF_USE: Final = BatteryMode.SELF_USE
_CHARGE_SOLAR: Final = BatteryMode.CHARGE_SOLAR
_DISCHARGE: Final = BatteryMode.DISCHARGE
_FILLS: Final = frozenset({BatteryMode.CHARGE, _CHARGE_SOLAR})
_FOLLOWS: Final = {
    # how far the battery follows what the house lacks, from below 0 (spare sun) to above
    _SELF_USE: (-inf, inf),
    BatteryMode.HOLD: (-inf, 0.0),
    BatteryMode.EXPORT_SOLAR: (0.0, inf),
    BatteryMode.IDLE: (0.0, 0.0),
}


class Flow(NamedTuple):
    """What one step did."""

    bus: float
    grid: float
    """Above 0 when it is imported."""
    curtailed: float


class Order(NamedTuple):
    """A command in the units of a step."""

    mode: BatteryMode
    power: float
    """At most so much in a step."""
    goal: float
    """Where a charge or a discharge ends, in kWh stored."""


class Cells:
    """One battery on its way through time."""

    __slots__ = (
        "_capacity", "_charge", "_delivered", "_discharge", "_export", "_hybrid", "_import",
        "_inverter", "_reserve", "_standby", "_taken", "stored",
    )  # fmt: skip

    def __init__(self, plant: Plant, step: timedelta) -> None:
        """Begin as *plant* does, in steps of *step*."""
        per_step = step / timedelta(hours=1) / 1_000
        self.stored = plant.start_kwh
        self._capacity = plant.capacity_kwh
        self._reserve = plant.reserve_kwh
        self._charge = plant.charge_w * per_step
        self._discharge = plant.discharge_w * per_step
        self._taken = plant.charge_efficiency
        self._delivered = plant.discharge_efficiency
        self._standby = plant.standby_w * per_step
        self._import = plant.import_max_w * per_step
        self._export = plant.export_max_w * per_step
        self._hybrid = plant.inverter_w is not None
        self._inverter = inf if plant.inverter_w is None else plant.inverter_w * per_step

    def live(self, order: Order, load: float, pv: float) -> Flow:
        """Let a step go by under *order*, and return what has flown."""
        high = load + self._export
        if self._hybrid:
            high = min(high, self._inverter)
        before = max(self.stored - self._standby, 0.0)
        bus = self._wish(order, load - pv, pv, before)
        if bus > 0:
            most = (before - self._reserve) * self._delivered
            bus = max(min(bus, self._discharge, high - pv, most), 0.0)
            self.stored = before - bus / self._delivered
        elif bus < 0:
            room = (self._capacity - before) / self._taken
            low = min(load - self._import - pv, 0.0)  # the house goes before the battery
            bus = min(max(bus, -self._charge, -room, -self._inverter - pv, low), 0.0)
            self.stored = before - bus * self._taken
        else:
            self.stored = before
        through = min(bus + pv, high)
        return Flow(bus, load - through, bus + pv - through)

    def _wish(self, order: Order, need: float, pv: float, before: float) -> float:
        """Return what the mode makes of a house that needs so much beside its sun."""
        if order.mode is _DISCHARGE:
            return min(order.power, max((before - order.goal) * self._delivered, 0.0))
        if order.mode in _FILLS:
            left = max((order.goal - before) / self._taken, 0.0)
            asked = min(order.power, left)
            return -min(asked, pv) if order.mode is _CHARGE_SOLAR else min(-asked, need)
        low, high = _FOLLOWS[order.mode]
        return min(max(need, low), high)


def order_of(command: BatteryCommand | None, plant: Plant, step: timedelta) -> Order:
    """Return *command* in the units of a step; no command is the inverter's normal mode."""
    if command is None or command.mode is _SELF_USE:
        return Order(_SELF_USE, inf, plant.capacity_kwh)
    per_step = step / timedelta(hours=1) / 1_000
    power = inf if command.power_w is None else command.power_w * per_step
    empties = command.mode is _DISCHARGE
    usual = plant.reserve_pct if empties else 100.0
    goal = usual if command.soc_pct is None else command.soc_pct
    return Order(command.mode, power, plant.capacity_kwh * goal / 100)
