"""What is left in the inverter's timers for a charge to come, and where nothing can be."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TypeAlias

import pytest

from ohmstead.devices.givenergy.ahead import changes_ahead
from ohmstead.devices.givenergy.modes import Plant
from ohmstead.devices.givenergy.registers import MODELS
from ohmstead.devices.givenergy.simulator_inverter import SimulatedInverter
from ohmstead.devices.givenergy.simulator_rules import Moment, Sizes, orders_of, wish
from ohmstead.model import Ahead, BatteryCommand, BatteryMode, Value
from ohmstead.simulation import House, HouseSettings

from houses import LONDON  # isort: skip

NOW = datetime(2026, 1, 15, 23, 40, 20, tzinfo=UTC)
NIGHT = Ahead(
    start=datetime(2026, 1, 16, 2, tzinfo=UTC),
    until=datetime(2026, 1, 16, 5, tzinfo=UTC),
    power_w=1_500,
    soc_pct=80,
)
BESIDE = (
    BatteryMode.SELF_USE, BatteryMode.HOLD, BatteryMode.IDLE, BatteryMode.EXPORT_SOLAR,
)  # fmt: skip
SIZES = Sizes(rated_w=3_600, charge_w=2_600, discharge_w=2_600, capacity_wh=9_500)
Pairs: TypeAlias = list[tuple[str, Value]]
SLOT: Pairs = [("charge_slot_1_start", time(2)), ("charge_slot_1_end", time(5))]
TARGET: Pairs = [("charge_target_soc_pct", 80), ("charge_target_enabled", True)]
OWN: Pairs = [("charge_slot_1_target_soc_pct", 80)]
ON: Pairs = [("charge_enabled", True)]


def an_inverter(model: str) -> SimulatedInverter:
    house = House(HouseSettings(), NOW, LONDON)
    return SimulatedInverter(house, LONDON, model=model, batteries=1, seed=0)


def a_plant(
    inverter: SimulatedInverter, model: str, shown: Mapping[str, Value | None] | None = None
) -> Plant:
    words = {
        address: inverter.holdings.read(address, 1)[0]
        for addresses in inverter.image.holding_ranges
        for address in addresses
    }
    return Plant(
        device="giv", model=MODELS[model], rated_w=3_600, battery_w=2_600, battery_wh=9_500,
        timezone=LONDON, usual={},
        shown=dict(MODELS[model].holdings.decode(words).values) | dict(shown or {}),
    )  # fmt: skip


def ahead(
    model: str,
    mode: BatteryMode = BatteryMode.SELF_USE,
    coming: Ahead | None = NIGHT,
    shown: Mapping[str, Value | None] | None = None,
) -> Pairs:
    until = None if mode is BatteryMode.SELF_USE else NOW + timedelta(minutes=30)
    command = BatteryCommand(mode=mode, until=until, ahead=coming)
    changes = changes_ahead(command, NOW, a_plant(an_inverter(model), model, shown))
    return [(change.point, change.value) for change in changes]


@pytest.mark.parametrize(
    ("model", "pairs"),
    [
        ("hybrid_gen1", [*TARGET, *SLOT, *ON]),
        ("hybrid_gen2", [*TARGET, *SLOT, *ON]),
        ("hybrid_gen3", [*OWN, *TARGET, *SLOT, *ON]),
        ("ac_coupled", [*TARGET, *SLOT, *ON]),
        ("all_in_one", [*OWN, *TARGET, *SLOT, *ON]),
        ("gateway", [*OWN, *TARGET, *SLOT, *ON]),
        ("hybrid_3ph", [*SLOT, ("ac_charge_enabled", True), ("forced_charge_enabled", True)]),
        ("ems", [*OWN, *SLOT]),
        ("pv_only", []),
    ],
)
def test_a_slot_without_a_power(model: str, pairs: Pairs) -> None:
    unused: dict[str, Value | None] = {}
    if model != "pv_only":
        unused = {"charge_slot_1_start": time(5), "charge_slot_1_end": time(5)}
    assert ahead(model, shown=unused) == pairs
    assert ahead(model, coming=None) == []


def test_the_owners_other_slots_go_off_and_no_slot_spans_a_day_meanwhile() -> None:
    shown = {
        "charge_slot_1_start": time(23, 50), "charge_slot_1_end": time(1),
        "charge_slot_2_start": time(13), "charge_slot_2_end": time(15),
    }  # fmt: skip
    off = [("charge_slot_2_start", time(0)), ("charge_slot_2_end", time(0))]
    assert ahead("hybrid_gen2", shown=shown) == [*TARGET, *off, *SLOT[::-1], *ON]


@pytest.mark.parametrize("mode", [BatteryMode.EXPORT_SOLAR, BatteryMode.IDLE])
def test_a_charge_rate_that_stays_shut_leaves_nothing_to_set(mode: BatteryMode) -> None:
    assert ahead("hybrid_gen1", mode) == []
    assert ahead("hybrid_3ph", mode) == []
    assert ahead("hybrid_gen2", mode) != []
    assert ahead("hybrid_gen1", BatteryMode.HOLD) != []


@pytest.mark.parametrize(
    ("model", "shown", "most_w", "can"),
    [
        pytest.param("hybrid_gen2", {}, 2_600, True, id="a limit of no matter"),
        pytest.param("hybrid_gen2", {}, 1_500, False, id="a limit below its rate"),
        pytest.param("hybrid_gen2", {"charge_rate_pct": 15}, 1_500, True, id="a rate below it"),
        pytest.param("ac_coupled", {}, 1_500, False, id="of the rated power"),
        pytest.param("ac_coupled", {"ac_charge_rate_pct": 41}, 1_500, True, id="within it"),
    ],
)
def test_the_owners_limit_is_kept_or_nothing_is_set(
    model: str, shown: Mapping[str, Value], most_w: float, can: bool
) -> None:
    assert bool(ahead(model, coming=replace(NIGHT, most_w=most_w), shown=shown)) is can


def test_three_phases_stop_where_their_owner_has_it() -> None:
    limited = replace(NIGHT, most_pct=90)
    assert ahead("hybrid_3ph", coming=limited) == []
    assert ahead("hybrid_3ph", coming=limited, shown={"charge_target_soc_pct": 90}) != []
    assert ahead("hybrid_3ph", shown={"charge_target_soc_pct": None}) == []


def test_an_ems_that_is_not_in_control_stays_so() -> None:
    assert ahead("ems", shown={"plant_control_enabled": False}) == []


@pytest.mark.parametrize("pv_w", [0, 1_000, 4_000])
@pytest.mark.parametrize("soc_pct", [10, 79, 95])
@pytest.mark.parametrize("model", ["hybrid_gen1", "hybrid_gen3", "ac_coupled", "hybrid_3ph"])
def test_the_firmware_does_the_same_as_without_it_until_it_begins(
    model: str, soc_pct: float, pv_w: float
) -> None:
    inverter = an_inverter(model)
    plant = a_plant(inverter, model)
    command = BatteryCommand(mode=BatteryMode.SELF_USE, ahead=NIGHT)

    def at(hour: float) -> float:
        moment = Moment(minute=round(60 * hour), soc_pct=soc_pct, pv_w=pv_w, load_w=600)
        return wish(orders_of(inverter.holdings, MODELS[model], SIZES), moment)

    hours = (23.67, 0, 1.98, 5, 12, 20)
    before = [at(hour) for hour in hours]
    for change in changes_ahead(command, NOW, plant):
        inverter.holdings.show(**{change.point: change.value})
    assert [at(hour) for hour in hours] == before
    if soc_pct < 80:
        assert at(2) == at(4.98) < -1_000
