"""The guard lets in what the inverter or the connection cannot take, and keeps room for it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial

import pytest

from houses import NOON, a_site
from ohmstead.control.clipping_guard import ClippingGuard, clipping_guard
from ohmstead.control.decide import decide
from ohmstead.control.rule import Action, Do, Rule, rule
from ohmstead.model import Advice, BatteryMode, BatteryReading, Room, SiteSnapshot

HOLD, EXPORT = BatteryMode.HOLD, BatteryMode.EXPORT_SOLAR
GUARD = ClippingGuard(limit_w=5_000)
FIRST = ClippingGuard(limit_w=5_000, method="grid_first")


def a_house(
    pv_w: float | None,
    *,
    after_s: float = 0,
    charging_w: float | None = 0,
    soc_pct: float | None = 50,
    load_w: float | None = 400,
    at: datetime = NOON,
    memory: Mapping[str, str] | None = None,
) -> SiteSnapshot:
    site = a_site(at=at + timedelta(seconds=after_s), soc_pct=soc_pct, pv_w=pv_w, load_w=load_w)
    power_w = None if charging_w is None else -charging_w
    battery = None if soc_pct is None else BatteryReading(soc_pct=soc_pct, power_w=power_w)
    return replace(site, battery=battery, memory=memory or {})


def guarded(*looks: tuple[float, float], settings: ClippingGuard = GUARD) -> Advice:
    """Return what is said at the last of *looks*, each a second and the sun's power."""
    memory: Mapping[str, str] = {}
    advice = Advice(reason="")
    for after_s, pv_w in looks:
        # What is seen above the limit went in, and more could.
        charging_w = max(pv_w - 5_000, 0) + 2_000
        house = a_house(pv_w, after_s=after_s, charging_w=charging_w, memory=memory)
        advice = clipping_guard(house, Room(), settings)
        memory = advice.memory
    return advice


@pytest.mark.parametrize(
    ("looks", "power_w"),
    [
        pytest.param([(0, 4_600)], None, id="below the limit by more than a little"),
        pytest.param([(0, 4_750)], 600, id="near it, it opens"),
        pytest.param([(0, 5_400)], 900, id="and lets in what exceeds it, with some to spare"),
        pytest.param([(0, 6_400)], 1_800, id="the more, the more"),
        pytest.param([(0, 6_400), (10, 5_100)], 1_800, id="the peak counts"),
        pytest.param([(0, 6_400), (899, 5_100)], 1_800, id="for a quarter of an hour"),
        pytest.param([(0, 6_400), (900, 5_100)], 600, id="and no longer"),
        pytest.param([(0, 6_400), (60, 1_000)], 1_800, id="a cloud shuts nothing at once"),
        pytest.param([(0, 6_400), (80, 1_000)], 0, id="but after a while"),
        pytest.param([(0, 6_400), (80, 1_000), (90, 3_900)], 1_800, id="its edge opens again"),
        pytest.param([(0, 6_400), (80, 1_000), (85, 2_500)], 1_800, id="and so at once"),
        pytest.param([(0, 6_400), (80, 1_000), (90, 2_400)], 0, id="a slow rise is no edge"),
        pytest.param([(0, 6_400), (80, 1_000), (200, 4_600)], 0, id="nor is one long ago"),
        pytest.param([(0, 6_400), (899, 1_000)], 0, id="it waits for a quarter of an hour"),
        pytest.param([(0, 6_400), (900, 1_000)], None, id="then it lets others decide"),
        pytest.param([(0, 3_000), (9, 3_000), (10, 3_400)], None, id="a reading twice is one look"),
        pytest.param([(0, 6_400), (-60, 1_000)], None, id="so it does when the clock goes back"),
    ],
)  # fmt: skip
def test_rising_power(looks: list[tuple[float, float]], power_w: float | None) -> None:
    advice = guarded(*looks)
    if power_w is None:
        assert advice.room is None
        assert advice.blind
    else:
        assert advice.room == Room(modes=frozenset({HOLD}), charge_w=power_w)


@pytest.mark.parametrize(
    ("looks", "takes"),
    [
        pytest.param([(0, 4_600)], None, id="below the limit"),
        pytest.param([(0, 4_800)], True, id="near it, the battery takes what is spare"),
        pytest.param([(0, 4_800), (60, 1_000)], True, id="for some time behind a cloud"),
        pytest.param([(0, 4_800), (80, 1_000)], False, id="then the sun goes out again"),
    ],
)
def test_grid_first(looks: list[tuple[float, float]], takes: bool | None) -> None:
    room = guarded(*looks, settings=FIRST).room
    if takes is None:
        assert room is None
    else:
        assert room is not None
        assert (BatteryMode.SELF_USE in room.modes) is takes
        assert (EXPORT in room.modes) is not takes


def test_sun_that_is_cut_off_shows_how_much_there_is_once_all_is_let_in() -> None:
    cut = clipping_guard(a_house(5_000, charging_w=0), Room(), GUARD)
    assert cut.room == Room(modes=frozenset({HOLD}), charge_w=5_000)
    assert cut.reason.endswith("so the battery takes all it can")
    seen = clipping_guard(
        a_house(6_300, charging_w=3_000, after_s=10, memory=cut.memory), Room(), GUARD
    )
    assert seen.room == Room(modes=frozenset({HOLD}), charge_w=1_800)


def test_where_it_gets_tight_it_lets_in_a_step_more_and_stays_there() -> None:
    tight = clipping_guard(a_house(6_050, charging_w=1_200), Room(), GUARD)
    assert tight.room == Room(modes=frozenset({HOLD}), charge_w=1_800)
    after = clipping_guard(
        a_house(6_050, charging_w=1_800, after_s=10, memory=tight.memory), Room(), GUARD
    )
    assert after.room == tight.room


@pytest.mark.parametrize(
    ("limits", "pv_w", "load_w", "caught"),
    [
        pytest.param({"export_limit_w": 3_680}, 4_200, 400, True, id="above what may be fed in"),
        pytest.param({"export_limit_w": 3_680}, 4_200, 2_000, False, id="the house takes it"),
        pytest.param({"export_limit_w": 0}, 2_000, 400, True, id="nothing may be fed in"),
        pytest.param({"export_limit_w": 3_680, "limit_w": 5_000}, 5_200, 3_000, True,
                     id="the inverter's limit binds first"),
    ],
)  # fmt: skip
def test_the_connections_limit_counts_too(
    limits: dict[str, float], pv_w: float, load_w: float, caught: bool
) -> None:
    house = a_house(pv_w, load_w=load_w)
    advice = clipping_guard(house, Room(), ClippingGuard(**limits))  # type: ignore[arg-type]
    assert (advice.room is not None) is caught


@pytest.mark.parametrize(
    ("house", "settings"),
    [
        pytest.param(a_house(None), GUARD, id="the sun"),
        pytest.param(a_house(6_000, soc_pct=None), GUARD, id="the battery"),
        pytest.param(a_house(6_000, load_w=None), ClippingGuard(export_limit_w=3_680), id="load"),
    ],
)
def test_without_knowing_it_passes(house: SiteSnapshot, settings: ClippingGuard) -> None:
    assert clipping_guard(house, Room(), settings).blind


def test_a_battery_whose_power_nobody_tells_is_let_in_all() -> None:
    advice = clipping_guard(a_house(6_000, charging_w=None), Room(), GUARD)
    assert advice.room == Room(modes=frozenset({HOLD}), charge_w=5_000)


def test_all_that_the_battery_can_take_is_as_much_as_it_says() -> None:
    battery = BatteryReading(soc_pct=50, power_w=0, max_charge_w=3_600)
    advice = clipping_guard(replace(a_house(5_000), battery=battery), Room(), GUARD)
    assert advice.room == Room(modes=frozenset({HOLD}), charge_w=3_600)


def test_a_full_battery_takes_no_more() -> None:
    assert clipping_guard(a_house(6_000, soc_pct=99.5), Room(), GUARD).blind


def test_the_fuller_the_battery_the_sooner_it_shuts_behind_a_cloud() -> None:
    first = clipping_guard(a_house(6_000, charging_w=3_600), Room(), GUARD)
    behind = partial(a_house, 1_000, after_s=60, memory=first.memory)
    powers = [
        room.charge_w
        for soc_pct in (10, 50, 80)
        if (room := clipping_guard(behind(soc_pct=soc_pct), Room(), GUARD).room)
    ]
    assert powers == [1_500, 1_500, 0]


@pytest.mark.parametrize(
    ("soc_pct", "local", "kept"),
    [
        pytest.param(69, time(10), False, id="there is room enough"),
        pytest.param(70, time(10), True, id="there is just enough"),
        pytest.param(90, time(6, 59), False, id="too early"),
        pytest.param(90, time(7), True, id="from seven"),
        pytest.param(90, time(16), False, id="until four"),
    ],
)
def test_room_is_kept_free(soc_pct: float, local: time, kept: bool) -> None:
    at = datetime(2026, 6, 21, local.hour, local.minute, tzinfo=UTC) - timedelta(hours=1)
    advice = clipping_guard(a_house(3_000, soc_pct=soc_pct, at=at), Room(), GUARD)
    assert (advice.room is not None) is kept
    if advice.room:
        assert advice.room.modes == {EXPORT, BatteryMode.DISCHARGE}
        assert advice.room.until == datetime(2026, 6, 21, 15, tzinfo=UTC)
        assert advice.reason == (
            "until 16:00 the sun is exported, so that 30 % of the battery stay free "
            "for what exceeds the limit"
        )


def test_keeping_free_has_slack() -> None:
    first = clipping_guard(a_house(3_000, soc_pct=70), Room(), GUARD)
    for soc_pct, kept in ((68, True), (67.9, False)):
        house = a_house(3_000, soc_pct=soc_pct, after_s=10, memory=first.memory)
        assert (clipping_guard(house, Room(), GUARD).room is not None) is kept


def test_it_can_do_without_room() -> None:
    settings = ClippingGuard(limit_w=5_000, keep_free_pct=0)
    assert clipping_guard(a_house(3_000, soc_pct=99), Room(), settings).blind


def test_where_room_is_kept_the_sun_goes_out_unless_a_discharge_is_wished() -> None:
    guard = ("clipping_guard", partial(clipping_guard, settings=GUARD))
    wish = Rule(when="true", do=Do(discharge=Action(until_soc=40)))
    house = a_house(3_000, soc_pct=80)
    for others, mode in (
        ([], EXPORT),
        ([("rule", partial(rule, settings=wish))], BatteryMode.DISCHARGE),
    ):
        decision = decide(house, [guard, *others])
        assert decision.command is not None
        assert decision.command.mode is mode


def test_it_says_what_it_does() -> None:
    assert guarded((0, 5_400)).reason == (
        "the sun is near the limit, so the battery takes up to 900 W of it"
    )
    assert guarded((0, 5_400), (60, 1_000)).reason == (
        "the sun was near the limit at 13:00 and may come back, "
        "so the battery takes up to 900 W of it"
    )
    assert guarded((0, 5_400), (90, 1_000)).reason == (
        "the sun was near the limit at 13:00, so the battery waits for its return"
    )
    assert guarded((0, 5_400), settings=FIRST).reason == (
        "the sun is near the limit, so the battery takes what is spare"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "say limit_w"),
        ({"limit_w": 0}, "limit_w must be above 0"),
        ({"limit_w": float("nan")}, "limit_w must be above 0"),
        ({"export_limit_w": -1}, "export_limit_w 0 or more"),
        ({"limit_w": 5_000, "near_w": 0}, "near_w"),
        ({"limit_w": 5_000, "step_w": 0}, "step_w"),
        ({"limit_w": 5_000, "keep_s": -1}, "keep_s"),
        ({"limit_w": 5_000, "keep_free_pct": 101}, "keep_free_pct"),
        ({"limit_w": 5_000, "free_until": time(16, tzinfo=UTC)}, "free_until is a local time"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ClippingGuard(**wrong)  # type: ignore[arg-type]
