"""A plan answers what is meant for a moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ohmstead.model import BatteryMode, Plan, PlanSlot

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
HALF = timedelta(minutes=30)


def a_plan(*slots: tuple[BatteryMode, float], start_soc_pct: float | None = 40) -> Plan:
    """Return half-hours from noon on: mode, and what is stored at the end."""
    made = [
        PlanSlot(
            start=NOON + n * HALF, end=NOON + (n + 1) * HALF, mode=mode, power_w=None,
            target_pct=soc_pct, battery_w=0, grid_w=0, pv_w=0, load_w=0, soc_pct=soc_pct,
            import_per_kwh=0.1, export_per_kwh=0.1, cost=0, worth_per_kwh=0.1, reason="",
        )
        for n, (mode, soc_pct) in enumerate(slots)
    ]  # fmt: skip
    return Plan(
        made_at=NOON, slots=tuple(made), cost=0, saved=0, gap=0, start_soc_pct=start_soc_pct
    )


CHARGE, HOLD = BatteryMode.CHARGE, BatteryMode.HOLD
PLAN = a_plan((CHARGE, 60), (CHARGE, 70), (HOLD, 70))


@pytest.mark.parametrize(
    ("minutes", "soc_pct"),
    [(0, 40), (15, 50), (30, 60), (45, 65), (75, 70), (90, None), (-1, None)],
)
def test_what_should_be_stored_lies_between_the_ends_of_slots(
    minutes: float, soc_pct: float | None
) -> None:
    assert PLAN.soc_at(NOON + timedelta(minutes=minutes)) == soc_pct


def test_without_a_beginning_the_first_slot_has_no_level() -> None:
    plan = replace(PLAN, start_soc_pct=None)
    assert plan.soc_at(NOON) is None
    assert plan.soc_at(NOON + HALF) == 60


def test_a_run_ends_where_the_mode_changes_or_the_plan_has_a_gap() -> None:
    assert PLAN.last_of_run(NOON) == PLAN.slots[1]
    assert PLAN.run_from(NOON) == NOON + 2 * HALF
    assert PLAN.last_of_run(NOON + 2 * HALF) == PLAN.slots[2]
    assert PLAN.last_of_run(NOON - HALF) is None
    assert PLAN.run_from(NOON - HALF) is None
    late = replace(PLAN.slots[1], start=NOON + 2 * HALF, end=NOON + 3 * HALF)
    assert replace(PLAN, slots=(PLAN.slots[0], late)).run_from(NOON) == NOON + HALF


def test_a_load_is_on_from_when_until_when() -> None:
    watts = (1_800.0, 900.0, 0.0, 1_800.0)
    plan = a_plan(*[(HOLD, 50)] * 4)
    slots = [
        replace(slot, loads_w={"dishes": power_w, "heater": 0.0})
        for slot, power_w in zip(plan.slots, watts, strict=True)
    ]
    plan = replace(plan, slots=tuple(slots))
    assert plan.loads == ("dishes", "heater")
    assert plan.on_times("dishes") == (
        (NOON, NOON + 2 * HALF), (NOON + 3 * HALF, NOON + 4 * HALF),
    )  # fmt: skip
    assert plan.on_times("heater") == plan.on_times("nobody") == ()
    assert PLAN.loads == ()
