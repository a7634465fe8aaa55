"""What may run earlier or later, as the planner's question has it. Pure.

Nobody measures such a load. What it has had of today's hours is what the plans so far foresaw:
the one in force knows its own past slots, and what was taken before it was made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ohmstead.control.hours import parts_until
from ohmstead.control.loads import FlexibleLoad
from ohmstead.model import LoadTaken, Plan, PriceSlot, SiteSnapshot
from ohmstead.planner.flexible import Amount, Load, Run
from ohmstead.planner.plan import PlannedSlot

__all__ = ["LoadsAsked", "loads_asked"]

_DONE_KWH: Final = 0.01
"""What is left below this is nothing."""
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadsAsked:
    """The loads to plan, and the runs that are under way and cannot be moved any more."""

    loads: tuple[Load, ...]
    """One for each span of hours of each load."""
    names: tuple[str, ...]
    """Of all loads, whether there is anything to plan for them or not."""
    going_w: Sequence[Mapping[str, float]]
    """What runs under way take in each slot, on average; empty where there are none."""
    taken: tuple[LoadTaken, ...]

    def fixed_w(self, number: int) -> float:
        """Return what the runs under way take in a slot; ask only where there are some."""
        return sum(self.going_w[number].values())

    def watts(self, number: int, planned: PlannedSlot) -> dict[str, float]:
        """Return what each load takes in a slot, by its name."""
        going = self.going_w[number] if self.going_w else {}
        found = {name: going.get(name, 0.0) for name in self.names}
        for load, watts in zip(self.loads, planned.loads_w, strict=False):
            found[load.name] += watts
        return found


_NONE: Final = LoadsAsked(loads=(), names=(), going_w=(), taken=())


def loads_asked(
    loads: Sequence[FlexibleLoad],
    site: SiteSnapshot,
    spans: Sequence[PriceSlot],
    in_force: Plan | None,
) -> LoadsAsked:
    """Return what is to be planned of *loads* in *spans*, after what *in_force* foresaw."""
    if not loads:
        return _NONE
    asked, taken = list[Load](), list[LoadTaken]()
    going: list[dict[str, float]] = [{} for _ in spans]
    begins, horizon = spans[0].start, spans[-1].end
    for load in loads:
        for start, end in parts_until(begins, horizon, site.timezone, load.after, load.by):
            had = _taken(load, start, end, begins, in_force)
            if start <= begins:
                taken.append(had)
            if load.is_run and had.began is not None:
                _go_on(load, had.began, spans, going)
            elif (slots := _slots(spans, start, end)) is not None:
                made = _run(load, slots, spans) if load.is_run else _amount(load, slots, had, spans)
                asked += [] if made is None else [made]
    names = tuple(load.name for load in loads)
    going_w = tuple(going) if any(going) else ()
    return LoadsAsked(loads=tuple(asked), names=names, going_w=going_w, taken=tuple(taken))


def _taken(
    load: FlexibleLoad, start: datetime, end: datetime, now: datetime, plan: Plan | None
) -> LoadTaken:
    """Return what *load* has had of the hours from *start* to *end*, as *plan* foresaw it."""
    none = LoadTaken(name=load.name, by=end, kwh=0.0, began=None)
    if plan is None:
        return none
    known = (had for had in plan.taken if (had.name, had.by) == (load.name, end))
    before = next(known, none)
    kwh, began = before.kwh, before.began
    for slot in plan.slots:
        first, last = max(slot.start, start), min(slot.end, end, now)
        if first < last and slot.runs(load.name):
            kwh += slot.loads_w[load.name] / 1_000 * ((last - first) / _HOUR)
            began = began or first
    return LoadTaken(name=load.name, by=end, kwh=kwh, began=began)


def _slots(spans: Sequence[PriceSlot], start: datetime, end: datetime) -> tuple[int, int] | None:
    """Return the first and last of *spans* that lie within these hours; None if none does."""
    inside = [n for n, span in enumerate(spans) if start <= span.start and span.end <= end]
    return (inside[0], inside[-1]) if inside else None


def _run(load: FlexibleLoad, slots: tuple[int, int], spans: Sequence[PriceSlot]) -> Run | None:
    """Return a run to plan; None where it would not be done in time."""
    assert load.minutes is not None  # noqa: S101 - it is a run
    assert load.power_w is not None  # noqa: S101 - it is a run
    first, last = slots
    if spans[first].start + timedelta(minutes=load.minutes) > spans[last].end:
        return None
    profile = ((load.minutes / 60, load.power_w),)
    return Run(profile=profile, first_slot=first, last_slot=last, name=load.name)


def _amount(
    load: FlexibleLoad, slots: tuple[int, int], had: LoadTaken, spans: Sequence[PriceSlot]
) -> Amount | None:
    """Return what is left of an amount; None where nothing is."""
    assert load.kwh is not None  # noqa: S101 - it is an amount
    assert load.max_w is not None  # noqa: S101 - it is an amount
    left_kwh = load.kwh - had.kwh
    if left_kwh < _DONE_KWH:
        return None
    first, last = slots
    longest = max((span.end - span.start) / _HOUR for span in spans[first : last + 1])
    return Amount(
        energy_kwh=left_kwh,
        first_slot=first,
        last_slot=last,
        min_w=load.min_w,
        max_w=load.max_w,
        steps_w=(load.max_w,) if load.on_off else (),
        # A step more, or whole half-hours could never make the amount.
        most_kwh=left_kwh + load.max_w / 1_000 * longest if load.on_off else None,
        name=load.name,
    )


def _go_on(
    load: FlexibleLoad,
    began: datetime,
    spans: Sequence[PriceSlot],
    going: Sequence[dict[str, float]],
) -> None:
    """Add what is left of a run under way to what goes on in each of *spans*."""
    assert load.minutes is not None  # noqa: S101 - it is a run
    assert load.power_w is not None  # noqa: S101 - it is a run
    done = began + timedelta(minutes=load.minutes)
    for span, watts in zip(spans, going, strict=True):
        if span.start < done:
            share = (min(span.end, done) - span.start) / (span.end - span.start)
            watts[load.name] = watts.get(load.name, 0.0) + load.power_w * share
