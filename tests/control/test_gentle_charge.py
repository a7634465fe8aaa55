"""A night's charge is spread over all of the cheap time, and never begins before its hour."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from houses import a_device, a_reading, a_site
from ohmstead.control.gentle_charge import GentleCharge, gentle_charge
from ohmstead.model import Advice, BatteryMode, BatteryReading, Plan, PlanSlot, Room

HALF_PAST = datetime(2026, 1, 16, 0, 30, tzinfo=UTC)
MORNING = datetime(2026, 1, 16, 5, 30, tzinfo=UTC)
USUAL = GentleCharge(target_pct=80, capacity_kwh=10)
NEEDED = replace(USUAL, as_needed=True, target_pct=95)
MINUTE = timedelta(minutes=1)


def said(
    soc_pct: float | None,
    settings: GentleCharge = USUAL,
    *,
    at: datetime = HALF_PAST,
    memory: Mapping[str, str] | None = None,
    plan: Plan | None = None,
    capacity_kwh: float | None = None,
) -> Advice:
    battery = BatteryReading(soc_pct=soc_pct, capacity_kwh=capacity_kwh)
    site = replace(a_site(at=at), battery=battery, memory=memory or {}, plan=plan)
    return gentle_charge(site, Room(), settings)


def a_plan(
    *net_w: float, hours: float = 1, start: datetime = MORNING, made_at: datetime = HALF_PAST
) -> Plan:
    """Return a plan of a day that needs so much beside its sun, slot by slot."""
    step = timedelta(hours=hours)
    slots = tuple(
        PlanSlot(
            start=start + n * step, end=start + (n + 1) * step,
            mode=BatteryMode.SELF_USE, power_w=None, target_pct=0, battery_w=0, grid_w=0,
            pv_w=max(-watts, 0), load_w=max(watts, 0), soc_pct=50,
            import_per_kwh=0.1, export_per_kwh=0.1, cost=0, worth_per_kwh=0, reason="",
        )
        for n, watts in enumerate(net_w)
    )  # fmt: skip
    return Plan(made_at=made_at, slots=slots, cost=0, saved=0, gap=0)


@pytest.mark.parametrize(
    ("soc_pct", "power_w"),
    [
        pytest.param(30, 1_100, id="half a battery in five hours, and a tenth more"),
        pytest.param(0, 1_800, id="all of it"),
        pytest.param(70, 500, id="no slower than makes sense"),
        pytest.param(90, 500, id="full enough already"),
    ],
)
def test_the_power_is_the_least_that_is_enough(soc_pct: float, power_w: float) -> None:
    assert said(soc_pct).room == Room(
        modes=frozenset({BatteryMode.CHARGE}), charge_w=power_w, ceiling_pct=80, until=MORNING
    )


def test_it_says_why() -> None:
    assert said(30).reason == (
        "the battery charges to 80 % until 05:30 with 1100 W, as its owner wants"
    )


@pytest.mark.parametrize(
    ("at", "does"),
    [
        pytest.param("2026-01-15 22:59", None, id="in the evening it passes"),
        pytest.param("2026-01-15 23:00", "idle", id="then it rests"),
        pytest.param("2026-01-15 23:59", "idle", id="before midnight it does not charge"),
        pytest.param("2026-01-16 00:29", "idle", id="nor just after"),
        pytest.param("2026-01-16 00:30", "charge", id="then it does"),
        pytest.param("2026-01-16 05:29", "charge", id="to the end of the cheap time"),
        pytest.param("2026-01-16 05:30", None, id="and no longer"),
        pytest.param("2026-03-29 04:29", "charge", id="the clocks went forward: 05:29"),
        pytest.param("2026-03-29 04:30", None, id="05:30"),
        pytest.param("2026-10-24 22:00", "idle", id="the clocks will go back: 23:00"),
        pytest.param("2026-10-25 05:29", "charge", id="they did: 05:29"),
        pytest.param("2026-10-25 05:30", None, id="05:30 again"),
    ],
)
def test_a_night(at: str, does: str | None) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    room = said(30, replace(USUAL, idle_from=time(23)), at=moment).room
    assert room == (None if does is None else replace(room or Room(), modes=frozenset(
        {BatteryMode(does)})))  # fmt: skip


def test_before_it_the_battery_may_rest() -> None:
    late = HALF_PAST - 30 * MINUTE
    assert said(30, at=late).blind
    rests = said(30, replace(USUAL, idle_from=time(23, 30)), at=late)
    assert rests.room == Room(modes=frozenset({BatteryMode.IDLE}), until=HALF_PAST)
    assert rests.reason == "the battery rests until it charges from 00:30 on"


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param("2026-03-29 00:30", 4, id="the clocks go forward"),
        pytest.param("2026-10-24 23:30", 6, id="the clocks go back"),
    ],
)
def test_a_night_of_another_length_has_another_power(day: str, hours: float) -> None:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    room = said(30, replace(USUAL, margin_share=0), at=at).room
    assert room is not None
    assert room.charge_w == math.ceil(50 / hours) * 100


@pytest.mark.parametrize(
    ("socs_pct", "power_w"),
    [
        pytest.param([30, 35, 40], 1_100, id="one power all night"),
        pytest.param([30, 79, 79], 1_100, id="to the target"),
        pytest.param([30, 30, 30], 1_300, id="more, once it falls behind"),
    ],
)
def test_the_power_is_written_once(socs_pct: Sequence[float], power_w: float) -> None:
    memory: Mapping[str, str] = {}
    advice = Advice(reason="")
    for n, soc_pct in enumerate(socs_pct):
        advice = said(soc_pct, memory=memory, at=HALF_PAST + n * 30 * MINUTE)
        memory = advice.memory
    assert advice.room is not None
    assert advice.room.charge_w == power_w


def test_another_night_is_reckoned_anew() -> None:
    first = said(30)
    again = said(70, at=HALF_PAST + timedelta(days=1), memory=first.memory).room
    assert again is not None
    assert again.charge_w == 500


@pytest.mark.parametrize(
    ("net_w", "target_pct"),
    [
        pytest.param([500] * 19, 95, id="a dull day: as full as it may be"),
        pytest.param([300] * 19, 77, id="a quiet one: what it takes, above what is left over"),
        pytest.param([-1_000] * 19, 20, id="the sun does it all: the least"),
        pytest.param([500] * 4 + [-2_000] * 6 + [500] * 9, 40, id="the morning is to be bridged"),
        pytest.param([1_000] * 2 + [-1_000] + [1_000] * 3 + [0] * 13, 60,
                     id="the sun gives a part back"),
        pytest.param([-2_000] * 15 + [4_000] * 4, 80, id="the sun cannot store more than fits"),
    ],
)  # fmt: skip
def test_only_as_much_as_is_needed(net_w: Sequence[float], target_pct: float) -> None:
    room = said(30, NEEDED, plan=a_plan(*net_w)).room
    assert room is not None
    assert room.ceiling_pct == target_pct


def test_what_was_needed_at_first_is_not_reckoned_again() -> None:
    first = said(30, NEEDED, plan=a_plan(*[300] * 19))
    assert first.reason.endswith("as the day needs 5.7 kWh of it")
    later = said(40, NEEDED, plan=None, memory=first.memory, at=HALF_PAST + 60 * MINUTE)
    assert later.room is not None
    assert later.room.ceiling_pct == 77


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(None, id="there is no plan"),
        pytest.param(a_plan(*[300] * 19, made_at=HALF_PAST - 46 * MINUTE), id="an old one"),
        pytest.param(a_plan(*[300] * 12), id="one that does not reach the next night"),
        pytest.param(a_plan(300, start=MORNING - 60 * MINUTE), id="one that ends by then"),
    ],
)
def test_without_a_forecast_the_owners_target_counts(plan: Plan | None) -> None:
    advice = said(30, NEEDED, plan=plan)
    assert advice.room is not None
    assert advice.room.ceiling_pct == 95
    assert advice.reason.endswith("as nobody foretells the day")


def test_the_inverter_may_say_the_capacity_and_without_it_the_most_is_taken() -> None:
    unknown = GentleCharge(target_pct=80)
    assert said(30, unknown, capacity_kwh=10).room == said(30).room
    advice = said(30, unknown)
    assert advice.room is not None
    assert advice.room.charge_w == math.inf
    assert "as fast as it can" in advice.reason
    again = said(30, unknown, memory=advice.memory).room
    assert again == advice.room
    limited = said(30, replace(unknown, max_w=2_000)).room
    assert limited is not None
    assert limited.charge_w == 2_000
    assert said(30, replace(unknown, as_needed=True), plan=a_plan(*[300] * 19)).reason.endswith(
        "as nobody foretells the day"
    )


def test_no_battery_at_all_is_not_known() -> None:
    site = replace(a_site(at=HALF_PAST), battery=None)
    assert gentle_charge(site, Room(), GentleCharge()).blind


def test_without_knowing_how_full_it_is_it_passes_and_remembers() -> None:
    first = said(30)
    lost = said(None, memory=first.memory)
    assert lost.blind
    assert lost.memory == first.memory


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"target_pct": 101}, "target_pct"),
        ({"target_pct": 10}, "least_pct"),
        ({"margin_share": -1}, "margin_share"),
        ({"min_w": 0}, "min_w"),
        ({"max_w": 400}, "max_w"),
        ({"capacity_kwh": 0}, "capacity_kwh"),
        ({"start": time(tzinfo=UTC)}, "start is a local time"),
        ({"idle_from": time(tzinfo=UTC)}, "idle_from is a local time"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        GentleCharge(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "as_needed", "target_pct"),
    [
        pytest.param({"knob": 65}, False, 65, id="the inverter says it"),
        pytest.param({"knob": None}, False, 80, id="it is not known for now"),
        pytest.param({}, False, 80, id="the inverter has no such setting"),
        pytest.param({"knob": 65}, True, 65, id="as the most of what is needed"),
    ],
)
def test_an_inverters_setting_may_say_the_target(
    told: Mapping[str, float | None], as_needed: bool, target_pct: float
) -> None:
    settings = replace(USUAL, target_point="knob", as_needed=as_needed)
    device = a_device(a_reading(values=told))
    site = replace(a_site(at=HALF_PAST, soc_pct=30), devices={"inverter": device})
    room = gentle_charge(site, Room(), settings).room
    assert room is not None
    assert room.ceiling_pct == target_pct


def test_a_target_that_is_changed_in_the_night_is_heeded_at_once() -> None:
    settings = replace(USUAL, target_point="knob")
    memory: Mapping[str, str] = {}
    powers = []
    for pct in (60, 90, 40):
        device = a_device(a_reading(values={"knob": pct}))
        site = replace(a_site(at=HALF_PAST, soc_pct=30), devices={"inverter": device})
        advice = gentle_charge(replace(site, memory=memory), Room(), settings)
        memory = advice.memory
        assert advice.room is not None
        assert advice.room.ceiling_pct == pct
        powers.append(advice.room.charge_w)
    assert powers == [700, 1_400, 1_400]
