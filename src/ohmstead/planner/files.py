"""Read the two published formats of planning problems, and write answers in their own signs.

``refopt-problem/1`` gives mean powers in kW and prices per kWh; its battery is counted at the
bus. ``home-battery-case/1`` gives energies a step and prices in pence; its battery is counted
at its own terminals, and its sun is turned down only where a limit forces it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import cast

from ohmstead.errors import ProblemError
from ohmstead.planner.problem import (
    Amount,
    Battery,
    Beside,
    Car,
    Inverter,
    Load,
    Problem,
    Run,
    Slot,
    Taper,
)

__all__ = ["Case", "read_case"]

W_PER_KW = 1000.0

Document = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A problem out of a file, and what turns its answer into the file's own numbers."""

    name: str
    format: str
    problem: Problem
    terminals_in: float = 1.0
    """Taken by the battery's terminals for each kWh that the bus gives."""
    terminals_out: float = 1.0
    """Given by the battery's terminals for each kWh that reaches the bus."""

    def battery(self, bus_kwh: float, hours: float) -> float:
        """Return what the file calls ``battery``, above 0 when it discharges."""
        if self.format == "refopt-problem/1":
            return bus_kwh / hours
        return bus_kwh * (self.terminals_in if bus_kwh < 0 else self.terminals_out)

    def flow(self, kwh: float, hours: float) -> float:
        """Return what the file calls a flow: kW, or kWh a step."""
        return kwh / hours if self.format == "refopt-problem/1" else kwh


def read_case(document: Document) -> Case:
    """Return the problem that *document* describes, whichever of the two formats it has."""
    kind = document.get("schema", document.get("format"))
    try:
        if kind == "refopt-problem/1":
            return _read_refopt(document)
        if kind == "home-battery-case/1":
            return _read_home(document)
    except (KeyError, TypeError, ValueError, IndexError) as exc:
        raise ProblemError(f"{kind}: {type(exc).__name__} {exc}") from exc
    raise ProblemError(f"neither refopt-problem/1 nor home-battery-case/1 but {kind!r}")


# ---- refopt-problem/1 --------------------------------------------------------------------


def _read_refopt(document: Document) -> Case:
    series, grid = _part(document, "series"), _part(document, "grid")
    hours = _number(document, "slot_minutes") / 60.0
    names = ("import_price", "export_price", "load_kw", "pv_kw")
    slots = tuple(
        Slot(
            hours=hours,
            import_per_kwh=buy,
            export_per_kwh=sell,
            load_kwh=load * hours,
            pv_kwh=pv * hours,
        )
        for buy, sell, load, pv in zip(*(_numbers(series, name) for name in names), strict=True)
    )
    block = document.get("inverter")
    demand = document.get("demand_charge")
    battery = _part(document, "battery")
    terminal = _part(battery, "terminal")
    if terminal["mode"] != "equal":
        raise ProblemError(f"terminal mode {terminal['mode']!r} is not known")
    return Case(
        name=str(document["name"]),
        format="refopt-problem/1",
        problem=Problem(
            slots=slots,
            battery=_refopt_battery(battery),
            inverter=_refopt_inverter(cast("Document", block)) if block else None,
            import_max_w=_number(grid, "import_max_kw") * W_PER_KW,
            export_max_w=_number(grid, "export_max_kw") * W_PER_KW,
            curtail=bool(document["curtailment_allowed"]),
            end_kwh=_number(terminal, "energy_kwh"),
            car=_refopt_car(document.get("ev")),
            peak_per_kw=_number(cast("Document", demand), "price_per_kw") if demand else 0.0,
            loads=tuple(_load(load) for load in _list(document, "flexible_loads")),
            beside=tuple(_beside(other) for other in _list(document, "more_batteries")),
            switch_cost=_number(document, "switch_cost") if "switch_cost" in document else 0.0,
        ),
    )


def _refopt_battery(battery: Document) -> Battery:
    return Battery(
        capacity_kwh=_number(battery, "e_max"),
        energy_kwh=_number(battery, "e_init"),
        reserve_kwh=_number(battery, "e_min"),
        charge_max_w=_number(battery, "charge_max_kw") * W_PER_KW,
        discharge_max_w=_number(battery, "discharge_max_kw") * W_PER_KW,
        charge_efficiency=_number(battery, "eta_charge"),
        discharge_efficiency=_number(battery, "eta_discharge"),
        wear_per_kwh=_number(battery, "cycle_cost_per_kwh"),
    )


def _refopt_inverter(block: Document) -> Inverter:
    return Inverter(
        out_max_w=_number(block, "ac_out_max_kw") * W_PER_KW,
        in_max_w=_number(block, "ac_in_max_kw") * W_PER_KW,
        out_efficiency=_number(block, "eta_dc_ac"),
        in_efficiency=_number(block, "eta_ac_dc"),
    )


def _refopt_car(car: object) -> Car | None:
    if not car:
        return None
    values = cast("Document", car)
    return Car(
        energy_kwh=_number(values, "energy_kwh"),
        first_slot=int(_number(values, "first_slot")),
        last_slot=int(_number(values, "last_slot")),
        min_w=_number(values, "min_kw") * W_PER_KW,
        max_w=_number(values, "max_kw") * W_PER_KW,
    )


def _load(values: Document) -> Load:
    """Return a flexible load: our own addition to the format, like all below."""
    name, first = str(values.get("name", "")), int(_number(values, "first_slot"))
    last = int(_number(values, "last_slot"))
    if "profile" in values:
        parts = cast("Sequence[Sequence[float]]", values["profile"])
        profile = tuple((float(hours), float(kw) * W_PER_KW) for hours, kw in parts)
        return Run(profile=profile, first_slot=first, last_slot=last, name=name)
    steps = _numbers(values, "steps_kw") if "steps_kw" in values else []
    return Amount(
        energy_kwh=_number(values, "energy_kwh"),
        first_slot=first,
        last_slot=last,
        min_w=_number(values, "min_kw") * W_PER_KW if "min_kw" in values else 0.0,
        max_w=_number(values, "max_kw") * W_PER_KW if "max_kw" in values else max(steps) * W_PER_KW,
        steps_w=tuple(kw * W_PER_KW for kw in steps),
        most_kwh=_number(values, "most_kwh") if "most_kwh" in values else None,
        name=name,
    )


def _beside(values: Document) -> Beside:
    terminal = values.get("terminal")
    goal = _number(cast("Document", terminal), "energy_kwh") if terminal else None
    return Beside(battery=_refopt_battery(values), end_kwh=goal)


# ---- home-battery-case/1 -----------------------------------------------------------------


def _read_home(document: Document) -> Case:
    site = _part(document, "site")
    minutes, wide = _number(document, "step_min"), _number(document, "price_slot_min")
    steps = round(_number(document, "horizon_min") / minutes)
    buy, sell = _numbers(document, "import_price"), _numbers(document, "export_price")
    load, pv = _numbers(document, "load_kwh"), _numbers(document, "pv_kwh")
    hybrid = site["coupling"] == "hybrid"
    kept = 1.0 - _number(site, "loss_inverter")
    slots = tuple(
        Slot(
            hours=minutes / 60.0,
            import_per_kwh=buy[int(step * minutes // wide)],
            export_per_kwh=sell[int(step * minutes // wide)],
            load_kwh=load[step],
            pv_kwh=pv[step],
        )
        for step in range(steps)
    )
    worth = _number(document, "terminal_value_p_per_kwh")
    return Case(
        name=str(document["id"]),
        format="home-battery-case/1",
        problem=Problem(
            slots=slots,
            battery=_home_battery(site, _number(document, "soc0_kwh"), hybrid=hybrid, kept=kept),
            inverter=_home_inverter(site, kept) if hybrid else None,
            export_max_w=_number(site, "export_limit_kw") * W_PER_KW,
            curtail=False,
            end_worth=((_number(site, "battery_kwh"), worth),),
        ),
        terminals_in=1.0 if hybrid else kept,
        terminals_out=1.0 if hybrid else 1.0 / kept,
    )


def _home_battery(site: Document, energy: float, *, hybrid: bool, kept: float) -> Battery:
    """Return the battery; an AC-coupled one is counted on the house's side of its own inverter.

    Either direction stays below one capacity an hour, as in the published judge.
    """
    capacity = _number(site, "battery_kwh")
    taken, inverter = _number(site, "charge_kw"), _number(site, "inverter_kw")
    charge = min(max(taken, _number(site, "charge_dc_kw")) if hybrid else taken, capacity)
    discharge = min(_number(site, "discharge_kw"), capacity, inverter)
    if not hybrid:
        charge, discharge = min(charge / kept, inverter), discharge * kept
    return Battery(
        capacity_kwh=capacity,
        energy_kwh=energy,
        reserve_kwh=_number(site, "reserve_kwh"),
        charge_max_w=charge * W_PER_KW,
        discharge_max_w=discharge * W_PER_KW,
        charge_efficiency=(1.0 - _number(site, "loss_charge")) * (1.0 if hybrid else kept),
        discharge_efficiency=(1.0 - _number(site, "loss_discharge")) * (1.0 if hybrid else kept),
        charge_tapers=_tapers(site.get("charge_curve"), capacity),
        discharge_tapers=_tapers(site.get("discharge_curve"), capacity),
    )


def _home_inverter(site: Document, kept: float) -> Inverter:
    limit = _number(site, "inverter_kw") * W_PER_KW
    return Inverter(
        out_max_w=limit * kept,
        in_max_w=limit,
        out_efficiency=kept,
        in_efficiency=kept,
        dc_in_max_w=_number(site, "charge_kw") * W_PER_KW,
    )


def _tapers(curve: object, capacity: float) -> tuple[Taper, ...]:
    """Return a curve given by whole per cents (missing ones are 1) as steps of energy.

    The judge rounds to the nearest per cent, so a per cent begins half of one earlier.
    """
    if not curve:
        return ()
    given = {int(key): float(value) for key, value in cast("Mapping[str, float]", curve).items()}
    shares = [(per_cent, min(given.get(per_cent, 1.0), 1.0)) for per_cent in range(101)]
    runs = (next(run) for _, run in groupby(shares, key=lambda pair: pair[1]))
    steps = [((per_cent - 0.5) / 100.0 * capacity, share) for per_cent, share in runs]
    if steps[0][1] == 1.0:
        steps = steps[1:]
    return tuple(Taper(from_kwh=at, share=share) for at, share in steps)


# ---- fields ------------------------------------------------------------------------------


def _part(document: Document, key: str) -> Document:
    part = document[key]
    if not isinstance(part, Mapping):
        raise ProblemError(f"{key}: a mapping is expected")
    return part


def _list(document: Document, key: str) -> list[Document]:
    parts = document.get(key, [])
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        raise ProblemError(f"{key}: a list of mappings is expected")
    return parts


def _number(document: Document, key: str) -> float:
    value = document[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProblemError(f"{key}: a number is expected, not {value!r}")
    return float(value)


def _numbers(document: Document, key: str) -> list[float]:
    values = document[key]
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise ProblemError(f"{key}: a list of numbers is expected")
    return [float(value) for value in values]
