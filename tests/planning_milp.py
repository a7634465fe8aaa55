"""The oracle: the same physics as a mixed-integer linear programme, solved by HiGHS.

Written from the meaning of a problem, not from the planner's code: bus, inverter, meter and
store as balances, one binary for each direction that must not be taken both ways.
"""

from dataclasses import dataclass
from math import inf, isfinite

import highspy

from ohmstead.planner.problem import Amount, Battery, Beside, Problem, Run

__all__ = ["Solved", "milp", "milp_objective"]

BIG = 1e3
SHORT = 0.5
"""What a kWh that a car lacks counts for, in steep prices."""


def milp_objective(problem: Problem, steep: float) -> float:
    """Return the cheapest objective, soft wishes priced at *steep* a kWh; it must be proven."""
    solved = milp(problem, steep)
    assert solved.proven
    return solved.objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """What HiGHS found, and how long it took without the building of its model."""

    objective: float
    proven: bool
    took_s: float


def milp(problem: Problem, steep: float, limit_s: float = inf) -> Solved:
    """Return the cheapest objective that HiGHS finds within *limit_s*."""
    model = _Model(limit_s)
    model.peak = model.column(BIG, problem.peak_per_kw)
    taken: list[dict[int, float]] = [{} for _ in problem.slots]
    for load in problem.every_load:
        _load(model, problem, load, taken, steep)
    others = [_other(model, problem, other, taken) for other in problem.beside]
    flows = [
        _flows(model, problem, index, taken[index], steep) for index in range(len(problem.slots))
    ]
    first = Beside(battery=problem.battery, end_worth=problem.end_worth, end_kwh=problem.end_kwh)
    wishes = [(slot.low_kwh, slot.high_kwh) for slot in problem.slots]
    _store(model, first, flows, wishes, steep)
    for other, own in zip(problem.beside, others, strict=True):
        _store(model, other, own, None, steep)
    return model.solve()


def _store(
    model: "_Model",
    other: Beside,
    flows: list[tuple[int, int]],
    wishes: list[tuple[float, float]] | None,
    steep: float,
) -> None:
    """Add what a battery holds, by its flows in and out."""
    battery = other.battery
    energy = battery.energy_kwh
    floor, top = min(battery.reserve_kwh, energy), max(battery.capacity_kwh, energy)
    store: int | None = None
    for index, (charge, discharge) in enumerate(flows):
        after = model.column(top, lower=floor)
        kept = {
            after: 1.0,
            charge: -battery.charge_efficiency,
            discharge: 1.0 / battery.discharge_efficiency,
        }
        before = energy if store is None else 0.0
        model.row(kept | ({} if store is None else {store: -1.0}), before, before)
        store = after
        if wishes is not None:
            _wish(model, *wishes[index], after, steep)
    assert store is not None
    if other.end_kwh is not None:
        _wish(model, other.end_kwh, other.end_kwh, store, steep)
    _worth(model, other.end_worth, store)


def _other(
    model: "_Model", problem: Problem, other: Beside, taken: list[dict[int, float]]
) -> list[tuple[int, int]]:
    """Add the flows of a further battery, and what it takes in each slot."""
    battery: Battery = other.battery
    flows = []
    for index, slot in enumerate(problem.slots):
        kwh = slot.hours / 1000.0
        most_in, most_out = battery.charge_max_w * kwh, battery.discharge_max_w * kwh
        charge, discharge = model.column(most_in), model.column(most_out, battery.wear_per_kwh)
        model.either(charge, most_in, discharge, most_out)
        taken[index] |= {charge: 1.0, discharge: -1.0}
        flows.append((charge, discharge))
    return flows


def _load(
    model: "_Model",
    problem: Problem,
    load: Amount | Run,
    taken: list[dict[int, float]],
    steep: float,
) -> None:
    """Add a flexible load."""
    if isinstance(load, Run):
        _run(model, problem, load, taken)
        return
    own: dict[int, float] = {}
    for index in range(load.first_slot, load.last_slot + 1):
        column = _amount(model, load, problem.slots[index].hours / 1000.0)
        own[column] = 1.0
        taken[index][column] = 1.0
    short = model.column(BIG, steep * SHORT)
    model.row(own | {short: 1.0}, load.energy_kwh, BIG)
    model.row(own, 0.0, load.top_kwh)


def _run(model: "_Model", problem: Problem, run: Run, taken: list[dict[int, float]]) -> None:
    """Add one choice for each start that is done in time; there must be one."""
    starts: dict[int, float] = {}
    edges = [sum(slot.hours for slot in problem.slots[:n]) for n in range(len(problem.slots) + 1)]
    for first in range(run.first_slot, run.last_slot + 1):
        if edges[first] + run.hours > edges[run.last_slot + 1] + 1e-9:
            continue
        chosen = model.column(1.0, whole=True)
        starts[chosen] = 1.0
        begins = edges[first]
        for hours, power in run.profile:
            for index in range(len(problem.slots)):
                inside = min(begins + hours, edges[index + 1]) - max(begins, edges[index])
                if inside > 0:
                    now = taken[index].get(chosen, 0.0)
                    taken[index][chosen] = now + inside * power / 1000.0
            begins += hours
    assert starts
    model.row(starts, 1.0, 1.0)


def _flows(
    model: "_Model", problem: Problem, index: int, taken: dict[int, float], steep: float
) -> tuple[int, int]:
    """Add one slot's bus, inverter and meter; return charge and discharge at the bus."""
    slot, battery, inverter = problem.slots[index], problem.battery, problem.inverter
    kwh = slot.hours / 1000.0
    most_in = min(battery.charge_max_w, slot.charge_max_w) * kwh
    most_out = min(battery.discharge_max_w, slot.discharge_max_w) * kwh
    charge, discharge = model.column(most_in), model.column(most_out, battery.wear_per_kwh)
    down = model.column(slot.pv_kwh)
    model.either(charge, most_in, discharge, most_out)
    house = _meter(model, problem, index, steep) | {what: -kwh for what, kwh in taken.items()}
    exports = min(problem.export_max_w * kwh, slot.export_max_w * kwh, BIG)
    model.row(taken, -slot.load_kwh - exports, BIG)
    passed = {discharge: 1.0, charge: -1.0, down: -1.0}
    room = BIG
    if inverter is None:
        model.row(passed | house, slot.load_kwh - slot.pv_kwh, slot.load_kwh - slot.pv_kwh)
    else:
        room = inverter.out_max_w * kwh / inverter.out_efficiency
        drawn = min(inverter.in_max_w * kwh * inverter.in_efficiency, inverter.dc_in_max_w * kwh)
        out, into = model.column(room), model.column(min(drawn, BIG))
        model.either(out, room, into, min(drawn, BIG))
        model.row(passed | {out: -1.0, into: 1.0}, -slot.pv_kwh, -slot.pv_kwh)
        bus = {out: inverter.out_efficiency, into: -1.0 / inverter.in_efficiency}
        model.row(bus | house, slot.load_kwh, slot.load_kwh)
    if not problem.curtail:
        _only_where_forced(model, problem, index, (charge, discharge, down), taken, room)
    return charge, discharge


def _meter(model: "_Model", problem: Problem, index: int, steep: float) -> dict[int, float]:
    """Add import, export, and import above the limit; only one way at a time."""
    slot = problem.slots[index]
    kwh = slot.hours / 1000.0
    exports = min(problem.export_max_w * kwh, slot.export_max_w * kwh, BIG)
    imports = min(problem.import_max_w * kwh, slot.import_max_w * kwh, BIG)
    buy = model.column(imports, slot.import_per_kwh)
    sell = model.column(exports, -slot.export_per_kwh)
    over = model.column(BIG, slot.import_per_kwh + steep)
    on = model.either(sell, exports, buy, BIG)
    model.row({over: 1.0, on: BIG}, -BIG, BIG)
    per_hour = 1.0 / slot.hours
    model.row({model.peak: 1.0, buy: -per_hour, over: -per_hour}, -problem.peak_paid_kw, BIG)
    return {buy: 1.0, over: 1.0, sell: -1.0}


def _amount(model: "_Model", load: Amount, kwh: float) -> int:
    """Add what a load takes in one slot; *kwh* is that of 1 W."""
    taken = model.column(BIG)
    if load.steps_w:
        steps = {model.column(1.0, whole=True): power * kwh for power in load.steps_w}
        model.row(dict.fromkeys(steps, 1.0), 0.0, 1.0)
        model.row({taken: -1.0} | steps, 0.0, 0.0)
    else:
        on = model.column(1.0, whole=True)
        model.row({taken: 1.0, on: -load.max_w * kwh}, -BIG, 0.0)
        model.row({taken: 1.0, on: -load.min_w * kwh}, 0.0, BIG)
    return taken


def _only_where_forced(
    model: "_Model",
    problem: Problem,
    index: int,
    columns: tuple[int, int, int],
    taken: dict[int, float],
    room: float,
) -> None:
    """Let the sun be turned down only where what passes on is at its limit."""
    charge, discharge, down = columns
    slot, inverter = problem.slots[index], problem.inverter
    share = inverter.out_efficiency if inverter else 1.0
    exports = min(problem.export_max_w, slot.export_max_w, BIG * 1000) * slot.hours / 1000.0
    if inverter is not None and room < BIG:
        model.row({discharge: 1.0}, 0.0, max(room - slot.pv_kwh, 0.0))
    at_room, at_cap = (model.column(1.0, whole=True) for _ in range(2))
    model.row({down: 1.0, at_room: -BIG, at_cap: -BIG}, -2 * BIG, 0.0)
    passed = {discharge: 1.0, charge: -1.0, down: -1.0}
    model.row(passed | {at_room: -2 * BIG}, room - 2 * BIG - slot.pv_kwh, BIG)
    cap = (slot.load_kwh + exports) / share
    more = {what: -kwh / share for what, kwh in taken.items()}
    model.row(passed | {at_cap: -2 * BIG} | more, cap - 2 * BIG - slot.pv_kwh, BIG)


def _wish(model: "_Model", low: float, high: float, store: int, steep: float) -> None:
    if low > 0:
        model.row({store: 1.0, model.column(BIG, steep): 1.0}, low, BIG)
    if isfinite(high):
        model.row({store: 1.0, model.column(BIG, steep): -1.0}, -BIG, high)


def _worth(model: "_Model", end_worth: tuple[tuple[float, float], ...], store: int) -> None:
    parts = {model.column(width, -per_kwh): -1.0 for width, per_kwh in end_worth}
    if parts:
        model.row(parts | {store: 1.0}, 0.0, BIG)


class _Model:
    """A mixed-integer model, column by column and row by row."""

    def __init__(self, limit_s: float) -> None:
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for key, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", 0.0)):
            self._highs.setOptionValue(key, value)
        self._highs.setOptionValue("mip_abs_gap", 1e-9)
        self._highs.setOptionValue("mip_feasibility_tolerance", 1e-9)
        self._highs.setOptionValue("time_limit", limit_s)
        self._columns = 0
        self.peak = 0

    def column(
        self, upper: float, cost: float = 0.0, *, lower: float = 0.0, whole: bool = False
    ) -> int:
        """Add a variable and return its number."""
        number = self._columns
        self._highs.addVar(lower, upper)
        self._highs.changeColCost(number, cost)
        if whole:
            self._highs.changeColIntegrality(number, highspy.HighsVarType.kInteger)
        self._columns += 1
        return number

    def either(self, one: int, most: float, other: int, other_most: float) -> int:
        """Let only one of two variables be above 0; return what is 1 for the first."""
        which = self.column(1.0, whole=True)
        self.row({one: 1.0, which: -most}, -BIG * 2, 0.0)
        self.row({other: 1.0, which: other_most}, -BIG * 2, other_most)
        return which

    def row(self, terms: dict[int, float], lower: float, upper: float) -> None:
        """Add a constraint."""
        if terms:
            self._highs.addRow(lower, upper, len(terms), list(terms), list(terms.values()))

    def solve(self) -> Solved:
        """Return the lowest cost."""
        self._highs.run()
        return Solved(
            objective=float(self._highs.getInfo().objective_function_value),
            proven=self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal,
            took_s=float(self._highs.getRunTime()),
        )
