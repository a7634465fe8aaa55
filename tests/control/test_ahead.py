"""The charge to come: who looks forward to it, and who keeps it out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from houses import NOON, a_site
from ohmstead.control.decide import decide
from ohmstead.control.follow_plan import FollowPlan, follow_plan
from ohmstead.control.gentle_charge import GentleCharge, gentle_charge
from ohmstead.model import (
    Advice,
    Ahead,
    BatteryCommand,
    BatteryMode,
    BatteryReading,
    Plan,
    PlanSlot,
    Request,
    Room,
    SettingChange,
    SiteSnapshot,
)

HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)
SELF_USE, HOLD, CHARGE = BatteryMode.SELF_USE, BatteryMode.HOLD, BatteryMode.CHARGE
ALL = frozenset(BatteryMode)
NIGHT = Ahead(start=NOON + 2 * HOUR, until=NOON + 5 * HOUR, power_w=3_000, soc_pct=90)
SERVES = Room(modes=frozenset({SELF_USE}))


def says(
    room: Room | None = None, ahead: Ahead | None = None, *, blind: bool = False
) -> Callable[[SiteSnapshot, Room], Advice]:
    return lambda site, left: Advice(reason="so", room=room, ahead=ahead, blind=blind)  # noqa: ARG005 - the port's names


def ahead(
    *strategies: Callable[[SiteSnapshot, Room], Advice], site: SiteSnapshot | None = None
) -> Ahead | None:
    decision = decide(site or a_site(), [(f"s{n}", s) for n, s in enumerate(strategies)])
    return decision.command.ahead if decision.command else None


@pytest.mark.parametrize("mode", BatteryMode)
def test_only_modes_that_need_no_charge_timer_look_forward(mode: BatteryMode) -> None:
    room = Room(modes=frozenset({mode}), until=NOON + HOUR)
    beside = {SELF_USE, HOLD, BatteryMode.IDLE, BatteryMode.EXPORT_SOLAR}
    assert ahead(says(room, NIGHT)) == (NIGHT if mode in beside else None)


@pytest.mark.parametrize(
    "start",
    [pytest.param(NOON, id="now"), pytest.param(NOON + 13 * HOUR, id="more than half a day off")],
)
def test_what_begins_now_or_much_later_is_not_set(start: datetime) -> None:
    assert ahead(says(SERVES, replace(NIGHT, start=start))) is None


def test_the_first_to_look_forward_is_heard_though_blind_or_overruled() -> None:
    later = replace(NIGHT, soc_pct=50)
    hold = Room(modes=frozenset({HOLD}), until=NOON + HOUR)
    assert ahead(says(hold), says(SERVES, NIGHT), says(None, later)) == NIGHT
    assert ahead(says(None, NIGHT, blind=True), says(SERVES)) == NIGHT


@pytest.mark.parametrize(
    ("room", "kept"),
    [
        pytest.param(Room(modes=frozenset({HOLD})), False, id="another mode, for who knows how"),
        pytest.param(Room(modes=frozenset({HOLD}), until=NIGHT.start), True, id="until then"),
        pytest.param(Room(modes=frozenset({HOLD}), until=NIGHT.until), False, id="beyond then"),
        pytest.param(Room(modes=ALL - {CHARGE}), True, id="full for now"),
        pytest.param(Room(modes=ALL - {CHARGE}, until=NIGHT.until), False, id="no charge then"),
        pytest.param(Room(modes=ALL - {SELF_USE}), True, id="a charge is left"),
    ],
)
def test_whoever_is_heard_first_can_keep_it_out(room: Room, kept: bool) -> None:
    assert (ahead(says(room), says(None, NIGHT)) is not None) is kept
    assert ahead(says(None, NIGHT), says(room)) is not None


def test_one_who_was_overruled_forbids_nothing() -> None:
    rest = Room(modes=frozenset({HOLD}), until=NOON + HOUR)
    assert ahead(says(rest), says(SERVES), says(None, NIGHT)) == NIGHT


def test_limits_narrow_it() -> None:
    fuse = Room(charge_w=2_000, ceiling_pct=80)
    assert ahead(says(fuse), says(SERVES, NIGHT)) == replace(
        NIGHT, power_w=2_000, soc_pct=80, most_w=2_000, most_pct=80
    )
    free = replace(NIGHT, power_w=None, soc_pct=None)
    assert ahead(says(SERVES, free), says(fuse)) == replace(
        free, power_w=2_000, soc_pct=80, most_w=2_000, most_pct=80
    )
    assert ahead(says(replace(fuse, until=NOON + HOUR)), says(SERVES, NIGHT)) == NIGHT
    assert ahead(says(Room(charge_w=0)), says(SERVES, NIGHT)) is None


def test_a_person_who_asks_for_that_time_is_heard() -> None:
    def asked(until: datetime | None, want: BatteryCommand | SettingChange) -> Ahead | None:
        request = Request(id="1", asked_by="web", made_at=NOON, want=want, until=until)
        site = replace(a_site(), requests=(request,))
        return ahead(says(SERVES, NIGHT), site=site)

    hold = BatteryCommand(mode=HOLD, until=NOON + HOUR)
    assert asked(NOON + HOUR, hold) == NIGHT
    assert asked(NOON + 3 * HOUR, hold) is None
    assert asked(None, hold) is None
    assert asked(None, SettingChange(device="inverter", point="clock", value=1)) == NIGHT


# ---- who looks forward ---------------------------------------------------------------------


def a_plan(*slots: tuple[BatteryMode, float | None, float]) -> Plan:
    return Plan(
        made_at=NOON, cost=0, saved=0, gap=0,
        slots=tuple(
            PlanSlot(
                start=NOON + n * HALF, end=NOON + (n + 1) * HALF, mode=mode, power_w=power_w,
                target_pct=target_pct, battery_w=0, grid_w=0, pv_w=0, load_w=0, soc_pct=50,
                import_per_kwh=0.07, export_per_kwh=0.15, cost=0, worth_per_kwh=0.2, reason="",
            )
            for n, (mode, power_w, target_pct) in enumerate(slots)
        ),
    )  # fmt: skip


USE = (SELF_USE, None, 10.0)


@pytest.mark.parametrize(
    ("slots", "coming"),
    [
        pytest.param([USE, USE], None, id="no charge"),
        pytest.param([(CHARGE, 1_000, 60), USE], None, id="only now"),
        pytest.param([USE] * 25 + [(CHARGE, 1_000, 60)], None, id="too far off"),
        pytest.param(
            [USE, (CHARGE, 1_000, 60), (CHARGE, 2_000, 101), USE, (CHARGE, 3_000, 90)],
            Ahead(start=NOON + HALF, until=NOON + 3 * HALF, power_w=2_000, soc_pct=100),
            id="the next run, at its most",
        ),
        pytest.param(
            [USE, (CHARGE, 1_000, 60), (CHARGE, None, 50)],
            Ahead(start=NOON + HALF, until=NOON + 3 * HALF, soc_pct=60),
            id="as fast as it can",
        ),
        pytest.param(
            [USE] + [(CHARGE, 1_000, 60)] * 30,
            Ahead(start=NOON + HALF, until=NOON + HALF + 12 * HOUR, power_w=1_000, soc_pct=60),
            id="a long one",
        ),
    ],
)
def test_a_plan_looks_forward_to_its_next_charge(
    slots: list[tuple[BatteryMode, float | None, float]], coming: Ahead | None
) -> None:
    site = replace(a_site(), plan=a_plan(*slots))
    assert follow_plan(site, Room(), FollowPlan()).ahead == coming


def test_a_gentle_charge_looks_forward_to_its_night() -> None:
    settings = GentleCharge(start=time(23), end=time(4), target_pct=80, capacity_kwh=10)
    midnight = NOON.replace(hour=22)  # in summer the clock on the wall shows one more
    coming = Ahead(start=midnight, until=midnight + 5 * HOUR, power_w=700, soc_pct=80)
    site = a_site(at=midnight - HOUR)
    assert gentle_charge(site, Room(), settings).ahead == coming
    resting = replace(settings, idle_from=time(22))
    assert gentle_charge(site, Room(), resting).ahead == coming
    assert gentle_charge(a_site(at=midnight - HOUR, soc_pct=None), Room(), settings).ahead is None
    assert gentle_charge(a_site(at=midnight - 13 * HOUR), Room(), settings).ahead is None
    assert gentle_charge(a_site(at=midnight), Room(), settings).ahead is None
    sizeless = replace(site, battery=BatteryReading(soc_pct=50))
    said = gentle_charge(sizeless, Room(), replace(settings, capacity_kwh=None))
    assert said.ahead == replace(coming, power_w=None)
