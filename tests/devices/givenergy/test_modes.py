"""What each battery mode writes on each kind of model, and in which order."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import TypeAlias
from zoneinfo import ZoneInfo

import pytest

from ohmstead.devices.givenergy.modes import Plant, changes_for
from ohmstead.devices.givenergy.registers import MODELS
from ohmstead.devices.givenergy.simulator_inverter import SimulatedInverter
from ohmstead.errors import NotWritable
from ohmstead.model import BatteryCommand, BatteryMode, SettingChange, Value
from ohmstead.simulation import House, HouseSettings

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 1, 15, 23, 40, 20, tzinfo=UTC)
UNTIL = datetime(2026, 1, 16, 5, 30, tzinfo=UTC)
SINGLE = ("hybrid_gen1", "hybrid_gen2", "hybrid_gen3", "ac_coupled", "all_in_one", "gateway")
TEN = ("hybrid_gen3", "all_in_one", "gateway")
CAN = (*SINGLE, "hybrid_3ph", "ems")

Pairs: TypeAlias = list[tuple[str, Value]]


def factory(model: str) -> dict[str, Value | None]:
    """Return the settings an inverter comes with, as far as *model* has them."""
    house = House(HouseSettings(), NOW, LONDON)
    inverter = SimulatedInverter(house, LONDON, model=model, batteries=1, seed=0)
    words = {
        address: inverter.holdings.read(address, 1)[0]
        for addresses in inverter.image.holding_ranges
        for address in addresses
    }
    return dict(MODELS[model].holdings.decode(words).values)


FACTORY = {model: factory(model) for model in (*CAN, "pv_only")}


def a_plant(
    model: str,
    shown: Mapping[str, Value | None] | None = None,
    usual: Mapping[str, float] | None = None,
) -> Plant:
    return Plant(
        device="giv",
        model=MODELS[model],
        rated_w=3_600,
        battery_w=2_600,
        battery_wh=9_500,
        timezone=LONDON,
        shown=FACTORY[model] | dict(shown or {}),
        usual=usual or {},
    )


def written(
    mode: BatteryMode, plant: Plant, power_w: float | None = None, soc_pct: float | None = None
) -> Pairs:
    until = None if mode is BatteryMode.SELF_USE else UNTIL
    command = BatteryCommand(mode=mode, power_w=power_w, soc_pct=soc_pct, until=until)
    changes = changes_for(command, NOW, plant)
    assert {change.device for change in changes} <= {"giv"}
    return [(change.point, change.value) for change in changes]


def slot(name: str) -> Pairs:
    """Return the slot of the command; its end first, for it begins later than midnight."""
    return [(f"{name}_end", time(5, 30)), (f"{name}_start", time(23, 39))]


QUIET: Pairs = [("charge_enabled", False), ("discharge_enabled", False)]
ECO: Pairs = [("eco_mode_enabled", True)]
UNPAUSED: Pairs = [("pause_mode", "none")]
TARGET: Pairs = [("charge_target_soc_pct", 80), ("charge_target_enabled", True)]
SLOT_TARGET: Pairs = [("charge_slot_1_target_soc_pct", 80)]
SLOT_FLOOR: Pairs = [("discharge_slot_1_floor_soc_pct", 30)]
EXPORT: Pairs = [
    *slot("discharge_slot_1"),
    ("eco_mode_enabled", False),
    ("discharge_enabled", True),
]
CALM: Pairs = [
    ("forced_charge_enabled", False),
    ("ac_charge_enabled", False),
    ("forced_discharge_enabled", False),
]


@pytest.mark.parametrize(
    ("model", "pairs"),
    [
        ("hybrid_gen1", [*TARGET, ("charge_rate_pct", 18)]),
        ("hybrid_gen2", [*UNPAUSED, *TARGET, ("charge_rate_pct", 18)]),
        ("hybrid_gen3", [*UNPAUSED, *SLOT_TARGET, *TARGET, ("charge_rate_pct", 18)]),
        ("ac_coupled", [*UNPAUSED, *TARGET, ("ac_charge_rate_pct", 50)]),
        ("all_in_one", [*UNPAUSED, *SLOT_TARGET, *TARGET, ("ac_charge_rate_pct", 50)]),
        ("gateway", [*UNPAUSED, *SLOT_TARGET, *TARGET, ("charge_rate_pct", 18)]),
    ],
)
def test_a_charge(model: str, pairs: Pairs) -> None:
    assert written(BatteryMode.CHARGE, a_plant(model), 1_800, 80) == [
        ("discharge_enabled", False),
        *pairs,
        *slot("charge_slot_1"),
        ("charge_enabled", True),
    ]


@pytest.mark.parametrize(
    ("model", "pairs"),
    [
        ("hybrid_gen1", [("reserve_soc_pct", 30), ("discharge_rate_pct", 18)]),
        ("hybrid_gen2", [*UNPAUSED, ("reserve_soc_pct", 30), ("discharge_rate_pct", 18)]),
        ("hybrid_gen3", [*UNPAUSED, *SLOT_FLOOR, ("discharge_rate_pct", 18)]),
        ("ac_coupled", [*UNPAUSED, ("reserve_soc_pct", 30), ("ac_discharge_rate_pct", 50)]),
        ("all_in_one", [*UNPAUSED, *SLOT_FLOOR, ("ac_discharge_rate_pct", 50)]),
        ("gateway", [*UNPAUSED, *SLOT_FLOOR, ("discharge_rate_pct", 18)]),
    ],
)
def test_a_discharge(model: str, pairs: Pairs) -> None:
    assert written(BatteryMode.DISCHARGE, a_plant(model), 1_800, 30) == [
        ("charge_enabled", False),
        *pairs,
        *EXPORT,
    ]


@pytest.mark.parametrize(
    ("mode", "paused", "rates"),
    [
        (BatteryMode.HOLD, "discharge", ["discharge_rate_pct"]),
        (BatteryMode.EXPORT_SOLAR, "charge", ["charge_rate_pct"]),
        (BatteryMode.IDLE, "both", ["charge_rate_pct", "discharge_rate_pct"]),
    ],
)
def test_a_pause_is_a_slot_where_there_is_one_and_else_a_shut_rate(
    mode: BatteryMode, paused: str, rates: list[str]
) -> None:
    assert written(mode, a_plant("hybrid_gen1")) == [*QUIET, *ECO, *((rate, 0) for rate in rates)]
    for model in sorted(set(SINGLE) - {"hybrid_gen1"}):
        pairs = [*QUIET, *ECO, *slot("pause_slot"), ("pause_mode", paused)]
        assert written(mode, a_plant(model)) == pairs


@pytest.mark.parametrize("model", SINGLE)
@pytest.mark.parametrize(("power_w", "rate"), [(0, 0), (1_000, 10), (2_600, 50)])
def test_a_hold_takes_no_more_of_the_sun_than_told(model: str, power_w: float, rate: int) -> None:
    pairs = dict(written(BatteryMode.HOLD, a_plant(model), power_w))
    if MODELS[model].by_rated:
        share = max(int(100 * power_w / 3_600), 1)
        assert pairs["ac_charge_rate_pct"] == share
    else:
        assert pairs["charge_rate_pct"] == rate
    if model == "hybrid_gen1":
        assert pairs["discharge_rate_pct"] == 0
    else:
        assert pairs["pause_mode"] == "discharge"


@pytest.mark.parametrize("model", SINGLE)
def test_self_use_switches_all_off_and_eco_on(model: str) -> None:
    unpaused = [] if model == "hybrid_gen1" else UNPAUSED
    assert written(BatteryMode.SELF_USE, a_plant(model)) == [*QUIET, *unpaused, *ECO]


@pytest.mark.parametrize("model", SINGLE)
def test_the_sun_goes_into_the_battery_first_where_that_can_be_said(model: str) -> None:
    if model == "hybrid_gen1":
        with pytest.raises(NotWritable, match="cannot put solar before the house"):
            written(BatteryMode.CHARGE_SOLAR, a_plant(model))
        return
    pairs = [*QUIET, *UNPAUSED, *ECO, ("export_priority", "battery")]
    assert written(BatteryMode.CHARGE_SOLAR, a_plant(model)) == pairs


@pytest.mark.parametrize(
    ("mode", "pairs"),
    [
        (BatteryMode.SELF_USE, [*CALM, *ECO]),
        (
            BatteryMode.CHARGE,
            [
                ("forced_discharge_enabled", False),
                ("charge_target_soc_pct", 80),
                ("ac_charge_rate_pct", 50),
                *slot("charge_slot_1"),
                ("ac_charge_enabled", True),
                ("forced_charge_enabled", True),
            ],
        ),
        (
            BatteryMode.DISCHARGE,
            [
                ("forced_charge_enabled", False),
                ("ac_charge_enabled", False),
                ("discharge_floor_soc_pct", 80),
                ("ac_discharge_rate_pct", 50),
                *slot("discharge_slot_1"),
                ("eco_mode_enabled", False),
                ("forced_discharge_enabled", True),
            ],
        ),
        (BatteryMode.HOLD, [*CALM, *ECO, ("discharge_floor_soc_pct", 100)]),
    ],
)
def test_a_three_phase_model_has_switches_of_its_own(mode: BatteryMode, pairs: Pairs) -> None:
    assert written(mode, a_plant("hybrid_3ph"), 1_800, 80) == pairs


@pytest.mark.parametrize(
    ("mode", "pairs"),
    [
        (BatteryMode.SELF_USE, []),
        (
            BatteryMode.CHARGE,
            [
                ("charge_slot_1_target_soc_pct", 80),
                *slot("charge_slot_1"),
                ("plant_control_enabled", True),
            ],
        ),
        (
            BatteryMode.DISCHARGE,
            [
                ("export_slot_1_floor_soc_pct", 80),
                *slot("export_slot_1"),
                ("plant_control_enabled", True),
            ],
        ),
    ],
)
def test_an_ems_has_slots_for_all_its_inverters(mode: BatteryMode, pairs: Pairs) -> None:
    assert written(mode, a_plant("ems"), 1_800, 80) == pairs


def test_an_ems_runs_no_slot_but_the_one_of_the_command() -> None:
    slots: dict[str, Value | None] = {
        f"{name}_slot_{n}_{end}": time(hour)
        for name in ("charge", "export")
        for n in (1, 2, 3)
        for end, hour in (("start", 4 * n), ("end", 4 * n + 2))
    }
    emptied = {name: time(0) for name in slots}
    plant = a_plant("ems", slots)
    assert dict(written(BatteryMode.SELF_USE, plant)) == emptied
    charge = dict(written(BatteryMode.CHARGE, plant))
    assert {name: charge[name] for name in emptied if name.startswith("export")}.items() <= (
        emptied.items()
    )
    discharge = dict(written(BatteryMode.DISCHARGE, plant))
    ours = {"export_slot_1_start", "export_slot_1_end"}
    assert {name: discharge[name] for name in emptied if name not in ours} == {
        name: time(0) for name in emptied if name not in ours
    }


@pytest.mark.parametrize(
    ("model", "mode"),
    [
        *(("pv_only", mode) for mode in BatteryMode),
        *(("hybrid_3ph", mode) for mode in (
            BatteryMode.IDLE, BatteryMode.EXPORT_SOLAR, BatteryMode.CHARGE_SOLAR)),
        *(("ems", mode) for mode in (
            BatteryMode.IDLE, BatteryMode.EXPORT_SOLAR, BatteryMode.CHARGE_SOLAR,
            BatteryMode.HOLD)),
    ],
)  # fmt: skip
def test_what_a_model_has_no_means_for_is_refused(model: str, mode: BatteryMode) -> None:
    with pytest.raises(NotWritable, match="giv"):
        written(mode, a_plant(model))


# ---- what was there before -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("present", "order"),
    [
        pytest.param(("00:00", "00:00"), "es", id="off"),
        pytest.param(("02:00", "04:00"), "es", id="begins later than the old end"),
        pytest.param(("10:00", "23:50"), "se", id="begins before the old end"),
        pytest.param((None, None), "se", id="not known"),
    ],
)
def test_a_slot_never_spans_the_day_while_it_is_written(
    present: tuple[str | None, str | None], order: str
) -> None:
    both = ["charge_slot_1_start", "charge_slot_1_end"]
    ends = [None if text is None else time.fromisoformat(text) for text in present]
    plant = a_plant("hybrid_gen1", dict(zip(both, ends, strict=True)))
    points = [point for point, _ in written(BatteryMode.CHARGE, plant) if "slot_1" in point]
    assert points == (both if order == "se" else both[::-1])


@pytest.mark.parametrize("model", [*SINGLE, "hybrid_3ph"])
def test_the_owners_other_discharge_slots_are_emptied(model: str) -> None:
    last = 10 if model in TEN else 2
    slots: dict[str, Value | None] = {
        f"discharge_slot_{last}_start": time(16),
        f"discharge_slot_{last}_end": time(19),
    }
    pairs = written(BatteryMode.DISCHARGE, a_plant(model, slots))
    assert [pair for pair in pairs if pair[0] in slots] == [(name, time(0)) for name in slots]
    assert [n for n, (point, _) in enumerate(pairs) if point in slots] < [
        n for n, (point, _) in enumerate(pairs) if point == "discharge_slot_1_end"
    ]


@pytest.mark.parametrize("model", TEN)
@pytest.mark.parametrize(("held", "lowered"), [(50, True), (30, False), (4, False)])
def test_a_reserve_above_the_floor_is_lowered_to_it(
    model: str, held: int, *, lowered: bool
) -> None:
    plant = a_plant(model, {"reserve_soc_pct": held})
    assert (("reserve_soc_pct", 30) in written(BatteryMode.DISCHARGE, plant, None, 30)) is lowered


@pytest.mark.parametrize("model", SINGLE)
def test_self_use_gives_a_reserve_of_100_back(model: str) -> None:
    full: dict[str, Value | None] = {"reserve_soc_pct": 100}
    assert written(BatteryMode.SELF_USE, a_plant(model, full, {"reserve_soc_pct": 25}))[-1] == (
        "reserve_soc_pct", 25,
    )  # fmt: skip
    assert written(BatteryMode.SELF_USE, a_plant(model, full))[-1] == ("reserve_soc_pct", 4)
    shown = written(BatteryMode.SELF_USE, a_plant(model, {"reserve_soc_pct": 9}))
    assert "reserve_soc_pct" not in dict(shown)


def test_self_use_gives_a_three_phase_floor_of_100_back() -> None:
    full: dict[str, Value | None] = {"discharge_floor_soc_pct": 100}
    usual = {"discharge_floor_soc_pct": 12}
    assert written(BatteryMode.SELF_USE, a_plant("hybrid_3ph", full, usual))[-1] == (
        "discharge_floor_soc_pct", 12,
    )  # fmt: skip
    assert written(BatteryMode.SELF_USE, a_plant("hybrid_3ph", full))[-1] == (
        "discharge_floor_soc_pct", 4,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "rates"),
    [
        (BatteryMode.SELF_USE, {"charge_rate_pct": 50, "discharge_rate_pct": 33}),
        (BatteryMode.CHARGE_SOLAR, {"charge_rate_pct": 50, "discharge_rate_pct": 33}),
        (BatteryMode.HOLD, {"charge_rate_pct": 50, "discharge_rate_pct": 33}),
        (BatteryMode.EXPORT_SOLAR, {"charge_rate_pct": 50, "discharge_rate_pct": 33}),
        (BatteryMode.IDLE, {}),
    ],
)
def test_rates_that_are_shut_are_opened_to_where_they_were(
    mode: BatteryMode, rates: dict[str, int]
) -> None:
    shut = {"charge_rate_pct": 0, "discharge_rate_pct": 0}
    plant = a_plant("ac_coupled", shut, {"discharge_rate_pct": 33})
    pairs = written(mode, plant)
    assert {point: value for point, value in pairs if point.endswith("charge_rate_pct")} == rates


@pytest.mark.parametrize("way", ["charge", "discharge"])
def test_a_shut_rate_is_opened_where_another_one_tells_the_power(way: str) -> None:
    plant = a_plant("all_in_one", {f"{way}_rate_pct": 0})
    pairs = written(BatteryMode(way), plant, 900)
    assert pairs.index((f"{way}_rate_pct", 50)) < pairs.index((f"ac_{way}_rate_pct", 25))


# ---- numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("power_w", "rate"), [(None, 50), (2_600, 50), (9_999, 50), (0, 0), (1, 1), (950, 10)]
)
def test_power_in_hundredths_of_the_capacity(power_w: float | None, rate: int) -> None:
    pairs = written(BatteryMode.CHARGE, a_plant("hybrid_gen2"), power_w)
    assert dict(pairs)["charge_rate_pct"] == rate


@pytest.mark.parametrize(
    ("power_w", "rate"), [(None, 100), (3_600, 100), (9_999, 100), (0, 1), (900, 25), (935, 25)]
)
def test_power_in_hundredths_of_what_is_rated(power_w: float | None, rate: int) -> None:
    pairs = written(BatteryMode.DISCHARGE, a_plant("all_in_one"), power_w)
    assert dict(pairs)["ac_discharge_rate_pct"] == rate


@pytest.mark.parametrize("soc_pct", [None, 100, 101])
def test_a_full_charge_has_no_target(soc_pct: float | None) -> None:
    pairs = dict(written(BatteryMode.CHARGE, a_plant("hybrid_gen2"), None, soc_pct))
    assert pairs["charge_target_enabled"] is False
    assert "charge_target_soc_pct" not in pairs


def test_a_discharge_without_a_floor_ends_where_the_owner_has_it_end() -> None:
    plant = a_plant("hybrid_gen2", usual={"reserve_soc_pct": 22})
    assert dict(written(BatteryMode.DISCHARGE, plant))["reserve_soc_pct"] == 22
    plant = a_plant("hybrid_gen2")
    assert dict(written(BatteryMode.DISCHARGE, plant))["reserve_soc_pct"] == 4
    plant = a_plant("hybrid_3ph", usual={"discharge_floor_soc_pct": 15})
    assert dict(written(BatteryMode.DISCHARGE, plant))["discharge_floor_soc_pct"] == 15


SWITCHES = {
    "charge_enabled", "discharge_enabled", "forced_charge_enabled", "forced_discharge_enabled",
    "plant_control_enabled",
}  # fmt: skip


@pytest.mark.parametrize("model", CAN)
@pytest.mark.parametrize("mode", [BatteryMode.CHARGE, BatteryMode.DISCHARGE])
def test_the_switch_comes_last(mode: BatteryMode, model: str) -> None:
    *before, (last, on) = written(mode, a_plant(model))
    assert (last in SWITCHES, on) == (True, True)
    assert not [point for point, value in before if point in SWITCHES and value]


@pytest.mark.parametrize("mode", sorted(set(BatteryMode) - {BatteryMode.SELF_USE}))
def test_all_but_self_use_need_an_end_to_come(mode: BatteryMode) -> None:
    plant = a_plant("hybrid_gen2")
    with pytest.raises(NotWritable, match="until when"):
        changes_for(BatteryCommand(mode=mode), NOW, plant)
    with pytest.raises(NotWritable, match="ended already"):
        changes_for(BatteryCommand(mode=mode, until=NOW), NOW, plant)


ODD: dict[str, Value | None] = {
    "reserve_soc_pct": 100,
    "discharge_floor_soc_pct": 100,
    "charge_rate_pct": 0,
    "discharge_rate_pct": 0,
}


@pytest.mark.parametrize("odd", [False, True], ids=["as from the factory", "odd"])
@pytest.mark.parametrize("soc_pct", [None, 0, 4, 55.5, 100, 120])
@pytest.mark.parametrize("power_w", [None, 0, 1, 1_234.5, 99_999])
def test_nothing_is_written_that_its_point_does_not_take(
    power_w: float | None, soc_pct: float | None, *, odd: bool
) -> None:
    usual = {"reserve_soc_pct": 0, "discharge_floor_soc_pct": 1, "charge_rate_pct": 77}
    for model in CAN:
        shown = {name: value for name, value in ODD.items() if odd and name in FACTORY[model]}
        plant = a_plant(model, shown, usual if odd else {})
        for mode in BatteryMode:
            try:
                pairs = written(mode, plant, power_w, soc_pct)
            except NotWritable:
                continue
            for point, value in pairs:
                row = plant.model.holdings[point]
                assert row.point.check(value) == value
                assert not row.opt_in


def test_a_command_that_goes_on_writes_nothing_new() -> None:
    command = BatteryCommand(mode=BatteryMode.CHARGE, soc_pct=80, until=UNTIL)
    first = changes_for(command, NOW, a_plant("hybrid_gen3"))
    shown = {change.point: change.value for change in first}
    later = changes_for(command, NOW.replace(minute=59), a_plant("hybrid_gen3", shown))
    assert {change.point: change.value for change in later} == shown
    assert all(isinstance(change, SettingChange) for change in later)
