"""The tables of the family: which model it is, what its words mean, one word on two models."""

import json
import re
from datetime import datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.devices.givenergy.inputs import MEASURED
from ohmstead.devices.givenergy.plants import EMS_INPUTS, GATEWAY_V1, GATEWAY_V2
from ohmstead.devices.givenergy.registers import (
    MODELS,
    TABLES,
    UNKNOWN,
    Batteries,
    Model,
    model_of,
    tables_for,
    unit_table,
)
from ohmstead.devices.givenergy.texts import DEVICE_TYPES, RATED_W
from ohmstead.devices.givenergy.three_phase import THREE_PHASE_INPUTS
from ohmstead.devices.givenergy.units import BMS, METER_PRODUCT, PACK, PACK_CONTROL
from ohmstead.model import Category, Value
from ohmstead.registers import Register, RegisterTable

WORDS = {
    name: vector.get("words", [])
    for name, vector in json.loads((Path(__file__).parent / "vectors.json").read_text())[
        "vectors"
    ].items()
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)


def numbered(first: int, words: list[int]) -> dict[int, int]:
    return dict(enumerate(words, start=first))


# ---- which model it is ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device_type", "firmware", "name"),
    [
        *((kind, firmware, "hybrid_gen1") for kind in (0x2001, 0x2003) for firmware in (
            99, 100, 191, 212, 299, 400, 449, 499, 500, 700, 799, 1000,
        )),
        *((0x2002, firmware, "hybrid_gen2") for firmware in (800, 899, 900, 909, 920, 999)),
        *((0x2001, firmware, "hybrid_gen3_two_slots") for firmware in (300, 301, 302)),
        *((0x2001, firmware, "hybrid_gen3") for firmware in (303, 310, 399)),
    ],
)  # fmt: skip
def test_a_hybrid_of_the_first_types_is_told_by_its_firmware(
    device_type: int, firmware: int, name: str
) -> None:
    assert named(device_type, firmware) == name


BY_TYPE = {
    0x21: "polar",
    0x22: "hybrid_gen3_plus",
    0x23: "pv_only",
    0x24: "polar",
    0x25: "polar",
    0x30: "ac_coupled",
    0x40: "hybrid_3ph",
    0x41: "commercial",
    0x50: "ems",
    0x51: "ems",
    0x60: "ac_3ph",
    0x70: "gateway",
    0x80: "all_in_one",
    0x81: "hybrid_hv_gen3",
    0x82: "all_in_one_hybrid",
    0x83: "hybrid_gen4",
}


@pytest.mark.parametrize("firmware", [0, 282, 303, 449, 620, 920, 1036])
@pytest.mark.parametrize("device_type", sorted({*DEVICE_TYPES, 0x5001, 0x5101}), ids=hex)
def test_every_other_type_is_told_by_its_first_two_digits(device_type: int, firmware: int) -> None:
    expected = BY_TYPE.get(device_type >> 8)
    if expected is not None:
        assert named(device_type, firmware) == expected
    else:
        assert named(device_type, firmware).startswith("hybrid_gen")


@pytest.mark.parametrize("device_type", [0, 0x0020, 0x1F01, 0x2601, 0x3101, 0x8401, 0xFFFF])
def test_a_type_nobody_knows_is_no_model(device_type: int) -> None:
    assert model_of(device_type, 920) is None


def test_a_type_has_a_name_and_its_power_is_that_of_the_name() -> None:
    assert DEVICE_TYPES.keys() - RATED_W.keys() == {0x7002}
    for device_type, title in DEVICE_TYPES.items():
        said = re.search(r"([\d.]+) kW$", title)
        if said:
            assert RATED_W[device_type] == round(float(said[1]) * 1000), title


@pytest.mark.parametrize(
    ("name", "batteries", "battery_v"),
    [
        ("hybrid_gen1", Batteries.PACKS, 51.2),
        ("hybrid_gen3", Batteries.PACKS, 51.2),
        ("ac_coupled", Batteries.PACKS, 51.2),
        ("all_in_one", Batteries.STACKS, 307.0),
        ("hybrid_3ph", Batteries.STACKS, 76.8),
        ("ac_3ph", Batteries.STACKS, 76.8),
        ("hybrid_hv_gen3", Batteries.STACKS, 76.8),
        ("ems", Batteries.NONE, None),
        ("pv_only", Batteries.NONE, None),
    ],
)
def test_a_model_knows_what_hangs_behind_it(
    name: str, batteries: Batteries, battery_v: float | None
) -> None:
    assert MODELS[name].batteries is batteries
    if battery_v is not None:
        assert MODELS[name].battery_v == battery_v


@every_model
def test_a_page_of_a_model_has_at_most_60_words_and_all_of_its_tables_are_read(
    model: Model,
) -> None:
    assert all(1 <= page.count <= 60 for page in model.pages)
    pages = [(page.function, page.first, page.first + page.count) for page in model.pages]
    assert len(set(pages)) == len(pages)
    for function, table in ((3, model.holdings), (4, model.inputs)):
        for row in table:
            assert any(
                kind == function and first <= row.address and row.addresses.stop <= stop
                for kind, first, stop in pages
            ), f"nothing reads {row.name}"


def test_what_has_not_said_what_it_is_can_be_told_nothing() -> None:
    assert [row.name for row in UNKNOWN.holdings if row.writable] == []
    assert {"device_type", "serial"} <= {row.name for row in UNKNOWN.holdings}


@every_model
def test_no_name_stands_for_two_registers_of_a_model(model: Model) -> None:
    names = [row.name for table in tables_for(model.name).values() for row in table]
    assert sorted(names) == sorted(set(names))


@every_model
def test_a_model_says_what_a_house_needs_to_know(model: Model) -> None:
    shown = {row.name for row in model.inputs}
    if model.name == "ems":
        assert {"battery_w", "grid_w", "load_w", "generation_w", "battery_remaining_wh"} <= shown
    elif model.name.startswith("gateway"):
        assert {"battery_w", "grid_w", "load_w", "pv_w", "aio_1_soc_pct"} <= shown
    elif model.inputs.rows == THREE_PHASE_INPUTS:
        assert {"battery_soc_pct", "battery_charge_w", "grid_import_w", "load_w"} <= shown
    else:
        assert {row.name for row in MEASURED} <= shown


def test_units_have_their_kind_and_number_before_their_names() -> None:
    table = unit_table("meter", 3)
    assert table.space == "meter_3"
    assert table["meter_3_power_w"].address == 71
    assert unit_table("battery_control").space == "battery_control"


def named(device_type: int, firmware: int) -> str:
    model = model_of(device_type, firmware)
    assert model is not None
    return model.name


# ---- what the words mean -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        (0, time(0, 0)),
        (1, time(0, 1)),
        (30, time(0, 30)),
        (430, time(4, 30)),
        (1630, time(16, 30)),
        (2359, time(23, 59)),
        (60, None),
        (99, None),
        (1299, None),
        (2360, None),
        (2400, None),
        (9999, None),
        (0xFFFF, None),
    ],
)
def test_a_slot_is_hours_and_minutes_and_everything_else_is_no_time(
    word: int, shown: time | None
) -> None:
    for table in (MODELS["all_in_one"].holdings, MODELS["hybrid_3ph"].holdings):
        for row in table:
            if re.search(r"_slot(_\d+)?_(start|end)$", row.name):
                decoded = table.decode({row.address: word})
                assert decoded.values == {row.name: shown}
                assert bool(decoded.doubts) == (shown is None)


@pytest.mark.parametrize(
    ("words", "clock"),
    [
        ([26, 7, 13, 23, 22, 19], datetime(2026, 7, 13, 23, 22, 19)),
        ([0, 13, 1, 0, 0, 0], None),
        ([0, 0, 0, 0, 0, 0], None),
        ([25, 2, 29, 0, 0, 0], None),
    ],
    ids=["a moment", "month 13 after new year", "never set", "no such day"],
)
def test_a_clock_that_shows_no_moment_is_nobodys_clock(
    words: list[int], clock: datetime | None
) -> None:
    assert MODELS["hybrid_gen2"].holdings.decode(numbered(35, words)).values["clock"] == clock


@pytest.mark.parametrize(
    ("address", "word", "name", "value"),
    [
        (30, 0xFFFE, "grid_w", 2),
        (30, 1500, "grid_w", -1500),
        (52, 443, "battery_w", 443),
        (52, 0xFC18, "battery_w", -1000),
        (51, 0xFCE0, "battery_a", -8.0),
        (16, 10370, "power_factor", 0.037),
        (41, 0xFFF6, "heatsink_c", -1.0),
        (41, 1001, "heatsink_c", None),
        (13, 4996, "grid_hz", 49.96),
        (13, 49960, "grid_hz", None),
        (59, 100, "battery_soc_pct", 100),
        (59, 101, "battery_soc_pct", None),
        (14, 5, "charge_status", "discharging"),
        (14, 4, "charge_status", "4"),
    ],
)
def test_a_measurement_has_our_sign_and_unit_or_is_noise(
    address: int, word: int, name: str, value: Value | None
) -> None:
    assert MODELS["hybrid_gen1"].inputs.decode({address: word}).values == {name: value}


def test_the_first_generation_counts_its_battery_elsewhere() -> None:
    words = {36: 47, 37: 55, 180: 37445, 181: 36532, 182: 61, 183: 59}
    first = MODELS["hybrid_gen1"].inputs.decode(words).values
    assert {name: first[name] for name in first if "other" not in name} == {
        "battery_charge_today_kwh": 5.9,
        "battery_discharge_today_kwh": 6.1,
        "battery_charge_total_kwh": 3653.2,
        "battery_discharge_total_kwh": 3744.5,
    }
    later = MODELS["hybrid_gen2"].inputs.decode(words).values
    assert (later["battery_charge_today_kwh"], later["battery_discharge_today_kwh"]) == (4.7, 5.5)


def test_a_page_with_plausible_cells_and_no_serial_number_is_a_pack_that_is_not_there() -> None:
    shown = PACK.decode(numbered(60, WORDS["V19"])).values
    assert shown["serial"] == ""
    assert (shown["cell_01_v"], shown["cell_09_v"], shown["cells_v"]) == (None, 3.33, None)


def test_a_temperature_probe_that_is_missing_measures_nothing() -> None:
    assert PACK.decode({76: 0xF556}).values == {"cells_01_04_c": None}


def test_packs_ask_for_currents_through_their_controller() -> None:
    assert PACK_CONTROL.decode({60: 1, 61: 2, 62: 80, 63: 100}).values == {
        "status_1": 1,
        "status_2": 2,
        "request_charge_a": 80,
        "request_discharge_a": 100,
    }


def test_a_stack_configuration_counts_stacks_modules_cells_and_sensors() -> None:
    assert BMS.decode(numbered(60, WORDS["V13"])).values == {
        "stack_count": 1,
        "module_count": 4,
        "cell_count": 96,
        "sensor_count": 48,
    }


def test_a_meter_says_who_made_it() -> None:
    assert METER_PRODUCT.decode(numbered(60, WORDS["V18"])).values == {
        "serial_number_word": 3521 << 16 | 18903,
        "factory": "EST",
        "type_number": 136,
        "hardware": 256,
        "firmware": 256,
        "bus_address": 1,
        "baud_rate": 9600,
    }


def test_an_ems_packs_the_states_of_eight_meters_and_four_inverters() -> None:
    table = RegisterTable("givenergy EMS", EMS_INPUTS, "input")
    shown = table.decode({2043: 0b10_00_01_00_10_01_00_01, 2045: 0b100_011_010_001}).values
    states = {0: "disabled", 1: "online", 2: "offline"}
    expected = [states[n] for n in (1, 0, 1, 2, 0, 1, 0, 2)]
    assert [shown[f"meter_{n}_status"] for n in range(1, 9)] == expected
    assert [shown[f"inverter_{n}_status"] for n in range(1, 5)] == [1, 2, 3, 4]


GATEWAY_TOTALS = {
    1641: "grid_import",
    1644: "pv",
    1647: "grid_export",
    1650: "aio_charge",
    1653: "aio_discharge",
    1656: "load",
    1706: "aio_1_charge",
    1709: "aio_2_charge",
    1712: "aio_3_charge",
    1751: "aio_1_discharge",
    1754: "aio_2_discharge",
    1757: "aio_3_discharge",
    1796: "battery_charge",
    1799: "battery_discharge",
}


@pytest.mark.parametrize("address", GATEWAY_TOTALS)
def test_a_later_gateway_swaps_the_words_of_every_total(address: int) -> None:
    name = f"{GATEWAY_TOTALS[address]}_total_kwh"
    assert GATEWAY_V1.decode({address: 1, address + 1: 2}).values == {name: 6553.8}
    assert GATEWAY_V2.decode({address: 2, address + 1: 1}).values == {name: 6553.8}


@pytest.mark.parametrize(
    ("table", "places"),
    [(GATEWAY_V1, [1841, 1846, 1851]), (GATEWAY_V2, [1841, 1848, 1855])],
    ids=["up to GA000009", "later"],
)
def test_a_later_gateway_moves_two_serial_numbers(table: RegisterTable, places: list[int]) -> None:
    assert [table[f"aio_{n}_serial"].address for n in (1, 2, 3)] == places
    assert table.space == "input"


@pytest.mark.parametrize(
    ("address", "word", "name", "value"),
    [
        (1604, 2, "work_mode", "on-grid"),
        (1616, 0xFF00, "grid_w", 256),
        (1702, 0xFC18, "battery_w", 1000),
        (1816, 0xFC18, "aio_1_w", 1000),
        (1803, 55, "aio_3_soc_pct", 55),
    ],
)
def test_a_gateway_speaks_for_its_all_in_ones(
    address: int, word: int, name: str, value: Value
) -> None:
    for table in (GATEWAY_V1, GATEWAY_V2):
        assert table.decode({address: word}).values == {name: value}


# ---- three phases --------------------------------------------------------------------------

THREE_PHASE = {
    1078: ("load_first_stop_soc_pct", 20, 20),
    1108: ("ac_discharge_rate_pct", 75, 75),
    1109: ("discharge_floor_soc_pct", 4, 4),
    1110: ("ac_charge_rate_pct", 1, 1),
    1111: ("charge_target_soc_pct", 95, 95),
    1112: ("ac_charge_enabled", 1, True),
    1113: ("charge_slot_1_start", 30, time(0, 30)),
    1114: ("charge_slot_1_end", 430, time(4, 30)),
    1115: ("charge_slot_2_start", 1300, time(13, 0)),
    1116: ("charge_slot_2_end", 1559, time(15, 59)),
    1118: ("discharge_slot_1_start", 1600, time(16, 0)),
    1119: ("discharge_slot_1_end", 1900, time(19, 0)),
    1120: ("discharge_slot_2_start", 2300, time(23, 0)),
    1121: ("discharge_slot_2_end", 60, None),
    1122: ("forced_discharge_enabled", 0, False),
    1123: ("forced_charge_enabled", 1, True),
}


@pytest.mark.parametrize("name", ["hybrid_3ph", "ac_3ph", "all_in_one_hybrid", "commercial"])
def test_three_phases_are_controlled_by_registers_of_their_own(name: str) -> None:
    table = MODELS[name].holdings
    for address, (row, word, value) in THREE_PHASE.items():
        assert table.decode({address: word}).values == {row: value}
        assert table[row].writable is not None


@pytest.mark.parametrize(
    ("address", "words", "name", "value"),
    [
        (1069, [0xFFFF, 0xFF9C], "inverter_w", -10.0),
        (1079, [0, 12345], "grid_import_w", 1234.5),
        (1083, [0xFFFB], "grid_phase_1_w", 5),
        (1132, [55], "battery_soc_pct", 55),
        (1136, [1, 0], "battery_discharge_w", 6553.6),
        (1140, [0xFF9C], "battery_a", -1.0),
        (1394, [0, 36532], "battery_charge_total_kwh", 3653.2),
        (1412, [0, 122], "pv_today_kwh", 12.2),
    ],
)
def test_three_phases_are_measured_by_registers_of_their_own(
    address: int, words: list[int], name: str, value: Value
) -> None:
    shown = MODELS["hybrid_3ph"].inputs.decode(numbered(address, words)).values
    assert shown[name] == value


# ---- any words -----------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.family}-{table.space}")
@given(word=st.integers(0, 0xFFFF))
def test_any_word_anywhere_means_something_or_nothing_and_never_raises(
    table: RegisterTable, word: int
) -> None:
    addresses = {address for row in table for address in row.addresses}
    decoded = table.decode(dict.fromkeys(addresses, word))
    assert decoded.values.keys() == {row.name for row in table}
    assert decoded.doubts.keys() == {
        name for name, value in decoded.values.items() if value is None
    }


@every_model
def test_what_can_be_set_is_configuration(model: Model) -> None:
    rows: list[Register] = [row for row in model.holdings if row.writable]
    assert [row.name for row in rows if row.category is not Category.CONFIGURATION] == []
