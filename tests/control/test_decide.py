"""The decision: strategies narrow one room, in order, and the reason is true."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from houses import NOON, a_price_curve, a_site
from ohmstead.control.decide import decide, lapse
from ohmstead.model import Advice, BatteryMode, Decision, Room, SettingChange, SiteSnapshot

CHARGE = frozenset({BatteryMode.CHARGE})
DISCHARGE = frozenset({BatteryMode.DISCHARGE})
CHANGE = SettingChange(device="inverter", point="clock", value=NOON.replace(tzinfo=None))


def says(
    reason: str, room: Room | None = None, *, blind: bool = False, **more: object
) -> Callable[[SiteSnapshot, Room], Advice]:
    def strategy(site: SiteSnapshot, left: Room) -> Advice:
        del site, left
        return Advice(reason=reason, room=room, blind=blind, **more)  # type: ignore[arg-type]

    return strategy


def decided(*strategies: Callable[[SiteSnapshot, Room], Advice]) -> Decision:
    return decide(a_site(), [(f"s{n}", s) for n, s in enumerate(strategies, start=1)])


def test_the_first_to_choose_a_mode_has_its_way() -> None:
    decision = decided(
        says("cheap", Room(modes=CHARGE, charge_w=3_000)), says("dear", Room(modes=DISCHARGE))
    )
    assert decision.command is not None
    assert (decision.command.mode, decision.command.power_w) == (BatteryMode.CHARGE, 3_000)
    assert (decision.reason, decision.strategy) == ("cheap", "s1")
    assert [advice.overruled for advice in decision.trail] == [False, True]


def test_later_ones_may_still_narrow() -> None:
    decision = decided(
        says("cheap", Room(modes=CHARGE, charge_w=3_000, until=NOON + timedelta(hours=2))),
        says("gently", Room(charge_w=1_000, ceiling_pct=80, until=NOON + timedelta(hours=1))),
    )
    assert decision.command is not None
    assert decision.command.power_w == 1_000
    assert decision.command.soc_pct == 80
    assert decision.command.until == NOON + timedelta(hours=1)
    assert decision.reason == "cheap"


def test_when_all_pass_the_battery_serves_the_house_and_the_last_says_why() -> None:
    decision = decided(says("not cheap"), says("not dear"), says("no idea", blind=True))
    assert decision.command is not None
    assert decision.command.mode is BatteryMode.SELF_USE
    assert decision.command.until is None
    assert (decision.reason, decision.strategy) == ("not dear", "s2")


def test_when_all_are_blind_the_inverter_is_left_to_itself() -> None:
    decision = decided(says("no price", blind=True), says("no level", blind=True))
    assert decision.command is None
    assert decision.reason == "no level"
    assert decided().reason == "no strategy is configured"


def test_where_self_use_is_forbidden_the_battery_is_held() -> None:
    keep = Room(modes=frozenset(BatteryMode) - {BatteryMode.SELF_USE, BatteryMode.DISCHARGE})
    decision = decided(says("the battery is low", keep), says("not cheap"))
    assert decision.command is not None
    assert decision.command.mode is BatteryMode.HOLD
    assert decision.command.power_w is None
    assert decision.reason == "the battery is low"


def test_a_hold_takes_as_much_of_the_sun_as_may_be_charged() -> None:
    hold = Room(modes=frozenset({BatteryMode.HOLD}), charge_w=600, discharge_w=1_000)
    decision = decided(says("the sun is near the limit", hold))
    assert decision.command is not None
    assert decision.command.power_w == 600


def test_the_sun_is_exported_sooner_than_the_battery() -> None:
    out = Room(modes=frozenset({BatteryMode.DISCHARGE, BatteryMode.EXPORT_SOLAR}))
    decision = decided(says("room is kept free", out))
    assert decision.command is not None
    assert decision.command.mode is BatteryMode.EXPORT_SOLAR


def test_a_room_that_only_narrows_powers_does_not_explain_the_mode() -> None:
    decision = decided(says("at most 2 kW", Room(charge_w=2_000)))
    assert decision.command is not None
    assert decision.reason == "at most 2 kW"


def test_one_that_leaves_no_room_is_overruled() -> None:
    decision = decided(
        says("floor", Room(floor_pct=50)),
        says("ceiling", Room(ceiling_pct=40)),
        says("negative", Room(charge_w=-1)),
    )
    assert [advice.overruled for advice in decision.trail] == [False, True, True]


def test_changes_are_collected_but_not_from_one_overruled() -> None:
    nowhere = Room(modes=frozenset())
    decision = decided(
        says("clock", changes=(CHANGE,), blind=True), says("no", nowhere, changes=(CHANGE, CHANGE))
    )
    assert decision.changes == (CHANGE,)
    assert decision.command is None


def test_each_strategy_has_its_own_memory() -> None:
    def counts(site: SiteSnapshot, left: Room) -> Advice:
        del left
        return Advice(reason="counting", memory={"n": site.memory.get("n", "") + "|"})

    def sees(site: SiteSnapshot, left: Room) -> Advice:
        del left
        return Advice(reason=f"sees {dict(site.memory)}")

    site, decision = a_site(), decided()
    for _ in range(3):
        remembered = SiteSnapshot(at=site.at, memory=decision.memory)
        decision = decide(remembered, [("rule", counts), ("rule", counts), ("look", sees)])
    assert decision.memory == {"1:rule/n": "|||", "2:rule/n": "|||"}
    assert decision.trail[-1].reason == "sees {}"


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
def test_a_command_without_an_end_lapses_at_a_half_hour(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    end = lapse(now)
    assert timedelta(minutes=15) <= end - now < timedelta(minutes=45)
    assert (end.minute % 30, end.second, end.microsecond) == (0, 0, 0)


rooms = st.builds(
    Room,
    modes=st.frozensets(st.sampled_from(BatteryMode), min_size=1),
    charge_w=st.floats(-100, 10_000) | st.just(math.inf),
    discharge_w=st.floats(-100, 10_000) | st.just(math.inf),
    floor_pct=st.floats(0, 100),
    ceiling_pct=st.floats(0, 100),
    until=st.none() | st.sampled_from([NOON + timedelta(minutes=m) for m in (10, 30, 60)]),
)
advices = st.builds(Advice, reason=st.text(min_size=1), room=st.none() | rooms, blind=st.booleans())


@given(st.lists(advices, max_size=6))
def test_no_chain_of_strategies_widens_the_room(chain: list[Advice]) -> None:
    decision = decide(a_site(), [("s", says(a.reason, a.room, blind=a.blind)) for a in chain])
    heeded = [a.room for a in decision.trail if a.room is not None and not a.overruled]
    if decision.command is None:
        return
    command = decision.command
    for room in heeded:
        assert command.mode in room.modes
        if command.mode in {BatteryMode.CHARGE, BatteryMode.CHARGE_SOLAR}:
            assert command.power_w is None or command.power_w <= room.charge_w
            assert command.soc_pct is not None
            assert command.soc_pct <= room.ceiling_pct
        elif command.mode is not BatteryMode.SELF_USE:
            holds = command.mode is BatteryMode.HOLD
            most_w = room.charge_w if holds else room.discharge_w
            assert command.power_w is None or command.power_w <= most_w
            assert command.until is not None
            assert room.until is None or command.until <= room.until
    assert command.power_w is None or 0 <= command.power_w < math.inf


@given(st.lists(advices, max_size=6))
def test_the_same_house_gets_the_same_decision(chain: list[Advice]) -> None:
    strategies = [("s", says(a.reason, a.room, blind=a.blind)) for a in chain]
    site = a_site(buy=a_price_curve(0.1))
    assert decide(site, strategies) == decide(site, strategies)


@given(rooms, rooms)
def test_the_intersection_of_rooms_lies_within_both(one: Room, other: Room) -> None:
    both = one & other
    assert both.within(one)
    assert both.within(other)
