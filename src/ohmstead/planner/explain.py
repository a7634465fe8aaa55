"""Why every slot of a plan is as it is: what for, at what price, and how clear the choice was."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from ohmstead.model import BatteryMode
from ohmstead.planner.bounds import bounds_of
from ohmstead.planner.explain_beside import words_beside
from ohmstead.planner.flows import even
from ohmstead.planner.house import WH_PER_KWH, House, house_of
from ohmstead.planner.plan import Plan, PlannedSlot
from ohmstead.planner.problem import Problem
from ohmstead.planner.slot import curves_of

__all__ = ["Alternative", "Reason", "reasons"]

Floats = npt.NDArray[np.float64]

SAME_KWH = 1e-6
SAME_W = 1.0
KW = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """What else the battery could do in a slot."""

    mode: BatteryMode
    extra: float
    """What it would cost more over the whole plan, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a slot is as it is."""

    text: str
    next_best: Alternative | None
    """The cheapest of the other behaviours; None where there is nothing else to do."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A span in which the battery is emptied, or filled."""

    first: int
    per_kwh: float
    """What each kWh spares, earns or costs there, on average."""
    sold: bool


def reasons(
    problem: Problem,
    plan: Plan,
    *,
    when: Callable[[float], str] = lambda hours: f"in {hours:g} h",
    money: Callable[[float], str] = lambda amount: f"{amount:.3f}",
    by: Callable[[float], str] | None = None,
) -> tuple[Reason, ...]:
    """Return a reason for every slot; *when* names a time so many hours ahead, *by* one to end."""
    watts = [
        slot.car_w + sum(slot.loads_w) - sum(other.battery_w for other in slot.beside)
        for slot in plan.slots
    ]
    hours = np.array([slot.hours for slot in plan.slots])
    house = house_of(problem, np.array(watts) * hours / WH_PER_KWH)
    starts = list(accumulate((slot.hours for slot in problem.slots), initial=0.0))
    others = _alternatives(problem, house, plan)
    words = _Words(problem, plan, starts, when, money)
    beside = words_beside(problem, plan, by or when, money)
    found = []
    for index, other in enumerate(others):
        text = words.sentence(index)
        if other is not None:
            dearer = money(other.extra) != money(0.0)
            more = f"at least {money(other.extra)} more" if dearer else "the same"
            text += f"; {_verb(other.mode)} instead would cost {more}"
        text += f"; {beside[index]}" if beside[index] else ""
        found.append(Reason(text=text, next_best=other))
    return tuple(found)


def _verb(mode: BatteryMode) -> str:
    verbs = {
        BatteryMode.CHARGE: "charging",
        BatteryMode.DISCHARGE: "discharging",
        BatteryMode.HOLD: "holding",
        BatteryMode.SELF_USE: "storing spare sun and serving the house",
        BatteryMode.EXPORT_SOLAR: "selling spare sun",
    }
    return verbs[mode]


# ---- what else could be done -------------------------------------------------------------


def _alternatives(problem: Problem, house: House, plan: Plan) -> list[Alternative | None]:
    """Return the next best behaviour of every slot.

    Beside the slot's own cost a different energy at its end counts with what one more kWh is
    worth there, or one less: never more than the true loss, because worth only falls.
    """
    bounds = bounds_of(problem, house)
    served = _change(house, even(house) - house.pv)
    wanted = (
        (BatteryMode.CHARGE, _change(house, -house.charge)),
        (BatteryMode.SELF_USE, served),
        (BatteryMode.HOLD, np.maximum(served, -house.standby)),
        (BatteryMode.EXPORT_SOLAR, np.minimum(served, -house.standby)),
        (BatteryMode.DISCHARGE, _change(house, house.discharge)),
    )
    rows = [(mode, changes.tolist()) for mode, changes in wanted]
    before = [problem.battery.energy_kwh, *(slot.stored_kwh for slot in plan.slots)]
    found = []
    for index, (xs, ys) in enumerate(curves_of(house).points()):
        slot, energy = plan.slots[index], before[index]
        change = slot.stored_kwh - energy
        low = max(bounds.lows[index + 1] - energy, xs[0])
        high = min(bounds.highs[index + 1] - energy, xs[-1])
        cost = float(np.interp(change, xs, ys))
        best: Alternative | None = None
        for mode, changes in rows:
            if mode is slot.mode:
                continue
            other = min(max(changes[index], low), high)
            more = other - change
            if abs(more) > SAME_KWH:
                extra = float(np.interp(other, xs, ys)) - cost
                extra -= more * (slot.worth_per_kwh if more > 0 else slot.lack_per_kwh)
                if best is None or extra < best.extra:
                    best = Alternative(mode=mode, extra=max(extra, 0.0))
        found.append(best)
    return found


def _change(house: House, bus: Floats) -> Floats:
    stored: Floats = np.where(bus < 0, -bus * house.stored, -bus / house.delivered)
    return stored - house.standby


# ---- words -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Words:
    """Turns slots into sentences."""

    problem: Problem
    plan: Plan
    starts: Sequence[float]
    when: Callable[[float], str]
    money: Callable[[float], str]

    def sentence(self, index: int) -> str:
        """Return what the slot does and why."""
        slot = self.plan.slots[index]
        tell = {
            BatteryMode.CHARGE: self._charge,
            BatteryMode.DISCHARGE: self._discharge,
            BatteryMode.HOLD: self._hold,
            BatteryMode.EXPORT_SOLAR: self._export_solar,
            BatteryMode.IDLE: self._turn_down,
        }.get(slot.mode, self._self_use)
        return tell(index, slot)

    def _charge(self, index: int, slot: PlannedSlot) -> str:
        price = self.money(self.problem.slots[index].import_per_kwh)
        power = f"{-slot.battery_w / KW:.1f} kW"
        text = f"charge at {power} to {slot.soc_pct:.0f} %, {price} a kWh now"
        return f"{text}: {self._later(index, slot)}"

    def _discharge(self, index: int, slot: PlannedSlot) -> str:
        price = self.money(self.problem.slots[index].export_per_kwh)
        power = f"{slot.battery_w / KW:.1f} kW"
        text = f"discharge at {power} to {slot.soc_pct:.0f} %, {price} a kWh sold"
        refill = self._next(index, charging=True)
        worth = f"kept, a kWh would save only {self._kept(slot.worth_per_kwh)}"
        if refill is None:
            return f"{text}: {worth}"
        again = f"it is filled again {self.when(self.starts[refill.first])}"
        return f"{text}: {worth}, and {again} at {self.money(refill.per_kwh)}"

    def _hold(self, index: int, slot: PlannedSlot) -> str:
        price = self.money(self.problem.slots[index].import_per_kwh)
        if slot.battery_w < -SAME_W:
            return f"spare sun is stored, and nothing taken out: {self._later(index, slot)}"
        return f"hold, the grid serves the house at {price} a kWh: {self._later(index, slot)}"

    def _export_solar(self, index: int, slot: PlannedSlot) -> str:
        price = self.money(self.problem.slots[index].export_per_kwh)
        worth = self._stored(slot.worth_per_kwh)
        return f"spare sun is sold at {price} a kWh: stored, it would save only {worth}"

    def _turn_down(self, index: int, slot: PlannedSlot) -> str:
        price = self.problem.slots[index].export_per_kwh
        worth = self._stored(slot.worth_per_kwh)
        return f"the sun is turned down: a kWh sold brings {self.money(price)}, stored {worth}"

    def _self_use(self, index: int, slot: PlannedSlot) -> str:
        coming, worth = self.problem.slots[index], self._kept(slot.lack_per_kwh)
        if slot.battery_w > SAME_W:
            price = self.money(coming.import_per_kwh)
            return f"the battery serves the house and spares {price} a kWh: kept, it saves {worth}"
        if slot.battery_w < -SAME_W:
            price = self.money(coming.export_per_kwh)
            return f"spare sun is stored, not sold at {price} a kWh: {self._later(index, slot)}"
        if slot.soc_pct > 100.0 - SAME_KWH and coming.pv_kwh > coming.load_kwh:
            return "the battery is full: spare sun is sold"
        if slot.grid_w > SAME_W:
            return "the battery is at its reserve: the grid serves the house"
        return "the sun serves the house"

    def _stored(self, worth_per_kwh: float) -> str:
        """Return what a kWh of sun is worth if it is stored: some is lost on the way in."""
        return self.money(worth_per_kwh * self.problem.battery.charge_efficiency)

    def _kept(self, worth_per_kwh: float) -> str:
        """Return what a kWh that could come out is worth if it is kept: more of it is stored."""
        return self.money(worth_per_kwh / self.problem.battery.discharge_efficiency)

    def _later(self, index: int, slot: PlannedSlot) -> str:
        """Return what energy kept over this slot is for."""
        use = self._next(index, charging=False)
        if use is None and self.problem.end_kwh is not None:
            return "it is wanted at the end of the plan"
        # The last one stored, not the next: that may find no room.
        worth = f"a kWh in the battery is worth {self.money(slot.lack_per_kwh)}"
        if use is None:
            return f"{worth}, at the end of the plan"
        does = "is sold" if use.sold else "serves the house"
        at = self.when(self.starts[use.first])
        return f"{worth}, it {does} {at} at {self.money(use.per_kwh)}"

    def _next(self, index: int, *, charging: bool) -> _Use | None:
        """Return the next span in which the battery is filled, or emptied."""
        sign = -1.0 if charging else 1.0
        first, energy, value, sold = -1, 0.0, 0.0, 0.0
        for later in range(index + 1, len(self.plan.slots)):
            slot = self.plan.slots[later]
            flow = sign * slot.battery_w * slot.hours
            if flow > SAME_W * slot.hours:
                if first < 0:
                    first = later
                out = slot.grid_w < -SAME_W
                coming = self.problem.slots[later]
                energy += flow
                value += flow * (coming.export_per_kwh if out else coming.import_per_kwh)
                sold += flow if out else 0.0
            elif first >= 0:
                break
        if first < 0:
            return None
        return _Use(first, value / energy, sold > energy / 2)
