"""Powers and targets that only tremble are not written again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from houses import NOON
from ohmstead.model import BatteryMode, Plan, PlanSlot
from ohmstead.site.steady import steady

HALF = timedelta(minutes=30)
CHARGE, HOLD = BatteryMode.CHARGE, BatteryMode.HOLD


def a_plan(power_w: float | None, *targets: float, mode: BatteryMode = CHARGE) -> Plan:
    """Return a run of half-hours from noon on with these targets, and a hold after it."""
    modes = [mode] * len(targets) + [HOLD]
    slots = [
        PlanSlot(
            start=NOON + n * HALF, end=NOON + (n + 1) * HALF, mode=doing, power_w=power_w,
            target_pct=target_pct, battery_w=0, grid_w=0, pv_w=0, load_w=0, soc_pct=50,
            import_per_kwh=0.07, export_per_kwh=0.15, cost=0, worth_per_kwh=0.2, reason="",
        )
        for n, (doing, target_pct) in enumerate(zip(modes, [*targets, targets[-1]], strict=True))
    ]  # fmt: skip
    return Plan(made_at=NOON, slots=tuple(slots), cost=0, saved=0, gap=0)


OLD = a_plan(2_000, 60, 80)


@pytest.mark.parametrize(
    ("power_w", "said_w"), [(2_150, 2_000), (1_850, 2_000), (2_300, 2_300), (None, None)]
)
def test_a_power_that_is_nearly_the_same_stays(power_w: float | None, said_w: float | None) -> None:
    assert steady(a_plan(power_w, 60, 80), OLD).slots[0].power_w == said_w


@pytest.mark.parametrize(("target_pct", "said_pct"), [(81.5, 80), (78.5, 80), (83, 83)])
def test_a_target_that_is_nearly_the_same_stays(target_pct: float, said_pct: float) -> None:
    assert steady(a_plan(2_000, 60, target_pct), OLD).slots[1].target_pct == said_pct


def test_a_run_of_one_slot_keeps_both() -> None:
    new = steady(a_plan(2_100, 61), a_plan(2_000, 60))
    assert (new.slots[0].power_w, new.slots[0].target_pct) == (2_000, 60)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(a_plan(2_000, 60, 80, mode=BatteryMode.DISCHARGE), id="another mode"),
        pytest.param(replace(OLD, slots=OLD.slots[1:]), id="a plan of later"),
    ],
)
def test_what_is_something_else_is_left_as_it_is(other: Plan) -> None:
    new = a_plan(2_100, 60, 81)
    assert steady(new, other) == new


def test_a_run_that_ends_elsewhere_has_its_own_target() -> None:
    assert steady(a_plan(2_000, 60, 79, 81), OLD).slots[2].target_pct == 81
