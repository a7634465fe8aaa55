"""Following the plan: what its present slot says, for as long as it says so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from houses import NOON, a_site
from ohmstead.control.follow_plan import FollowPlan, Futures, follow_plan
from ohmstead.model import Advice, BatteryMode, Plan, PlanSlot, Room

HALF = timedelta(minutes=30)


def a_plan(
    *slots: tuple[BatteryMode, float | None, float], made_min: float = 0, first_min: float = 0
) -> Plan:
    """Return a plan of half-hours from noon on: mode, power, target."""
    start = NOON + timedelta(minutes=first_min)
    return Plan(
        made_at=NOON - timedelta(minutes=made_min),
        cost=1.0,
        saved=0.5,
        gap=0.0,
        slots=tuple(
            PlanSlot(
                start=start + n * HALF, end=start + (n + 1) * HALF, mode=mode, power_w=power_w,
                target_pct=target_pct, battery_w=0, grid_w=0, pv_w=0, load_w=0, soc_pct=50,
                import_per_kwh=0.07, export_per_kwh=0.15, cost=0, worth_per_kwh=0.2,
                reason="it pays",
            )
            for n, (mode, power_w, target_pct) in enumerate(slots)
        ),
    )  # fmt: skip


def advice(plan: Plan | None) -> Advice:
    return follow_plan(replace(a_site(), plan=plan), Room(), FollowPlan())


def test_a_charge_holds_for_its_whole_run_at_its_power_to_its_target() -> None:
    charge = BatteryMode.CHARGE, 1_500.0, 80.0
    said = advice(a_plan(charge, charge, (BatteryMode.SELF_USE, None, 10)))
    assert said.room == Room(
        modes=frozenset({BatteryMode.CHARGE}), charge_w=1_500, ceiling_pct=80, until=NOON + 2 * HALF
    )
    assert said.reason == "the plan until 14:00, at 7p: it pays"


def test_what_goes_on_goes_on_to_the_end_of_its_run() -> None:
    charges = [(BatteryMode.CHARGE, 1_500.0, soc) for soc in (40.0, 60.0, 80.0)]
    said = advice(a_plan(*charges, (BatteryMode.HOLD, 0, 80)))
    assert said.room is not None
    assert (said.room.ceiling_pct, said.room.until) == (80, NOON + 3 * HALF)
    empties = [(BatteryMode.DISCHARGE, 1_500.0, soc) for soc in (60.0, 40.0)]
    said = advice(a_plan(*empties, (BatteryMode.HOLD, 0, 40)))
    assert said.room is not None
    assert (said.room.floor_pct, said.room.until) == (40, NOON + 2 * HALF)


def test_a_discharge_has_a_floor_and_a_power() -> None:
    said = advice(a_plan((BatteryMode.DISCHARGE, 2_000, 30)))
    assert said.room == Room(
        modes=frozenset({BatteryMode.DISCHARGE}),
        discharge_w=2_000,
        floor_pct=30,
        until=NOON + HALF,
    )


def test_self_use_needs_no_end_and_no_power() -> None:
    said = advice(a_plan((BatteryMode.SELF_USE, None, 10)))
    assert said.room == Room(modes=frozenset({BatteryMode.SELF_USE}))


def test_no_timer_is_set_for_more_than_half_a_day() -> None:
    said = advice(a_plan(*[(BatteryMode.HOLD, 0.0, 50.0)] * 40))
    assert said.room is not None
    assert said.room.until == NOON + timedelta(hours=12)


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        pytest.param(None, "no plan yet", id="none"),
        pytest.param(a_plan((BatteryMode.CHARGE, None, 90), made_min=50), "too old", id="old"),
        pytest.param(a_plan((BatteryMode.CHARGE, None, 90), first_min=-60), "too old", id="over"),
        pytest.param(a_plan((BatteryMode.CHARGE, None, 90), first_min=30), "too old", id="later"),
        pytest.param(a_plan(), "too old", id="empty"),
    ],
)
def test_without_a_plan_for_now_it_is_blind(plan: Plan | None, why: str) -> None:
    said = advice(plan)
    assert said.blind
    assert said.room is None
    assert why in said.reason


def test_why_there_is_none_is_said() -> None:
    site = replace(a_site(), plan_trouble="the import price is not known for now")
    said = follow_plan(site, Room(), FollowPlan())
    assert said.blind
    assert said.reason == "there is no plan: the import price is not known for now"


def test_a_run_ends_where_the_mode_changes_or_a_slot_is_missing() -> None:
    plan = a_plan((BatteryMode.HOLD, 0, 50), (BatteryMode.HOLD, 0, 50), (BatteryMode.IDLE, 0, 50))
    assert plan.run_from(NOON) == NOON + 2 * HALF
    assert plan.run_from(NOON + 2 * HALF) == NOON + 3 * HALF
    assert plan.run_from(NOON - HALF) is None
    assert plan.age(NOON + HALF) == HALF


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("wear_per_kwh", -0.1),
        ("wear_per_kwh", float("inf")),
        ("worth_a_switch", -0.01),
        ("carbon_per_kg", -0.01),
        ("switch_cost", -0.01),
        ("worth_a_switch", float("inf")),
        ("min_soc_pct", 100),
        ("charge_efficiency", 0),
        ("discharge_efficiency", 1.1),
        ("capacity_kwh", 0),
        ("battery_w", -1),
        ("inverter_w", 0),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(key: str, value: float) -> None:
    given: dict[str, Any] = {key: value}
    with pytest.raises(ValueError, match=key):
        FollowPlan(**given)


@pytest.mark.parametrize(
    "shares",
    [
        pytest.param({"dull": -0.1}, id="below nothing"),
        pytest.param({"bright": float("inf")}, id="endless"),
        pytest.param({"middle": float("nan")}, id="no number"),
        pytest.param({"middle": 0}, id="no future at all"),
    ],
)
def test_futures_need_shares_that_mean_something(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="shares of futures"):
        Futures(**shares)


@pytest.mark.parametrize(
    ("mode", "does"),
    [
        (BatteryMode.SELF_USE, BatteryMode.HOLD),
        (BatteryMode.DISCHARGE, BatteryMode.HOLD),
        (BatteryMode.EXPORT_SOLAR, BatteryMode.IDLE),
        (BatteryMode.CHARGE, BatteryMode.CHARGE),
    ],
)
def test_the_plans_reserve_is_kept_though_the_inverters_own_be_lower(
    mode: BatteryMode, does: BatteryMode
) -> None:
    plan, memory, chosen = a_plan((mode, None, 10)), dict[str, str](), []
    for soc_pct in (13, 10, 11.5, 12.5):
        site = replace(a_site(soc_pct=soc_pct), plan=plan, memory=memory)
        said = follow_plan(site, Room(), FollowPlan(min_soc_pct=10))
        assert said.room is not None
        chosen.append(said.room.modes)
        memory = dict(said.memory)
    assert chosen == [{mode}, {does}, {does}, {mode}]


@pytest.mark.parametrize(("soc_pct", "min_soc_pct"), [(None, 10), (0, 0)])
def test_without_a_reserve_or_a_level_there_is_nothing_to_keep(
    soc_pct: float | None, min_soc_pct: float
) -> None:
    site = replace(a_site(soc_pct=soc_pct), plan=a_plan((BatteryMode.SELF_USE, None, 10)))
    said = follow_plan(site, Room(), FollowPlan(min_soc_pct=min_soc_pct))
    assert said.room == Room(modes=frozenset({BatteryMode.SELF_USE}))


def test_powers_are_whole_watts() -> None:
    said = advice(a_plan((BatteryMode.CHARGE, 3_599.999_999, 80)))
    assert said.room is not None
    assert said.room.charge_w == 3_600
