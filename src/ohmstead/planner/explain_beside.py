"""Why loads run when they do, and what the further batteries are told, in words."""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

from ohmstead.model import BatteryMode
from ohmstead.planner.house import WH_PER_KWH
from ohmstead.planner.plan import Plan
from ohmstead.planner.problem import Load, Problem, Run

__all__ = ["words_beside"]

SAME_W = 1.0
KW = 1000.0
SHORT_KWH = 0.01


def words_beside(
    problem: Problem,
    plan: Plan,
    when: Callable[[float], str],
    money: Callable[[float], str],
) -> list[str]:
    """Return for every slot what its loads and further batteries do, empty where nothing."""
    edges = list(accumulate((slot.hours for slot in problem.slots), initial=0.0))
    found: list[list[str]] = [[] for _ in plan.slots]
    for place, load in enumerate(problem.loads):
        watts = [slot.loads_w[place] for slot in plan.slots]
        for index, text in _load_words(problem, plan, load, watts, edges, when, money):
            found[index].append(text)
    for index, slot in enumerate(plan.slots):
        for number, other in enumerate(slot.beside, start=2):
            if other.mode is not BatteryMode.HOLD:
                kw = abs(other.battery_w) / KW
                verb = f"{other.mode.value}s at {kw:.1f} kW to {other.soc_pct:.0f} %"
                found[index].append(f"battery {number} {verb}")
    return ["; ".join(texts) for texts in found]


def _load_words(
    problem: Problem,
    plan: Plan,
    load: Load,
    watts: Sequence[float],
    edges: Sequence[float],
    when: Callable[[float], str],
    money: Callable[[float], str],
) -> list[tuple[int, str]]:
    name = load.name or "a load"
    on = [index for index, power in enumerate(watts) if power > SAME_W]
    kwh = [power * slot.hours / WH_PER_KWH for power, slot in zip(watts, plan.slots, strict=True)]
    if isinstance(load, Run):
        at_once = _cost(problem, plan, _shifted(load, edges))
        saves = f"{money(_cost(problem, plan, kwh))} instead of {money(at_once)} at once"
        begins = f"{name} starts, done {when(edges[on[-1] + 1])}: {saves}" if on else ""
        return [(index, begins if index == on[0] else f"{name} runs") for index in on]
    total, by = sum(kwh), when(edges[load.last_slot + 1])
    needs = f"{load.energy_kwh:.1f} kWh are needed {by}"
    if total < load.energy_kwh - SHORT_KWH:
        needs = f"only {total:.1f} of its {load.energy_kwh:.1f} kWh can be had {by}"
    return [
        (index, f"{name} takes {watts[index] / KW:.1f} kW at {price} a kWh: {needs}")
        for index in on
        for price in (money(_price(problem, plan, index)),)
    ]


def _price(problem: Problem, plan: Plan, index: int) -> float:
    """Return what a kWh costs here: what is paid for it, or what it is not sold for."""
    slot = problem.slots[index]
    return slot.import_per_kwh if plan.slots[index].grid_w > -SAME_W else slot.export_per_kwh


def _cost(problem: Problem, plan: Plan, kwh: Sequence[float]) -> float:
    return sum(taken * _price(problem, plan, index) for index, taken in enumerate(kwh) if taken > 0)


def _shifted(run: Run, edges: Sequence[float]) -> list[float]:
    """Return what the run would take in each slot if it began as early as it may."""
    begins = list(accumulate((hours for hours, _ in run.profile), initial=edges[run.first_slot]))
    found = []
    for start, stop in pairwise(edges):
        parts = zip(pairwise(begins), run.profile, strict=True)
        inside = (
            (max(min(end, stop) - max(at, start), 0.0), watts) for (at, end), (_, watts) in parts
        )
        found.append(sum(hours * watts for hours, watts in inside) / WH_PER_KWH)
    return found
