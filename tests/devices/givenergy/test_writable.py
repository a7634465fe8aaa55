"""What may be written at all: the list of what is known to be safe, by address, for each model.

A register beyond it can brick an inverter, wipe its totals or break the law; so this list is
written down here once more, and the tables must say the same.
"""

from collections.abc import Mapping
from datetime import datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmstead.devices.givenergy.registers import MODELS, TABLES, UNKNOWN, Model, tables_for
from ohmstead.errors import NotWritable
from ohmstead.model import Button, Choice, Instant, Range, Switch, TimeOfDay, Value, Writable
from ohmstead.registers import Register, RegisterTable

YES_NO, CLOCK, HHMM, PRESS = Switch(), Instant(), TimeOfDay(), Button()
SOC, PERCENT, RATE, AC_RATE = Range(4, 100), Range(0, 100), Range(0, 50), Range(1, 100)
Safe = Writable | frozenset[int]
"""What is safe at an address; a set holds the only numbers that are."""


def at(safe: Safe, *addresses: int) -> dict[int, Safe]:
    return dict.fromkeys(addresses, safe)


EVERYDAY: dict[int, Safe] = {
    **at(YES_NO, 20, 27, 59, 166),
    **at(frozenset({0, 1, 3}), 29),
    **at(CLOCK, *range(35, 41)),
    **at(PERCENT, 50),
    **at(RATE, 111, 112),
    **at(SOC, 114),
    **at(PRESS, 163),
}
ONE_PHASE = EVERYDAY | {
    **at(HHMM, 44, 45, 56, 57, 94, 95),
    **at(YES_NO, 96),
    **at(SOC, 110, 116),
}
PARALLEL = at(YES_NO, 199)
OLD_SECOND_SLOT = at(HHMM, 31, 32)
TEN_SLOTS: dict[int, Safe] = {
    **at(SOC, *range(242, 270, 3), *range(272, 300, 3)),
    **at(HHMM, *(n for n in range(243, 269) if n % 3 != 2)),
    **at(HHMM, *(n for n in range(276, 299) if n % 3 != 2)),
}
PAUSE: dict[int, Safe] = {**at(frozenset({0, 1, 2, 3}), 318), **at(HHMM, 319, 320)}
AC_BLOCK: dict[int, Safe] = {**at(frozenset({0, 1, 2}), 311), **at(YES_NO, 317)}
PORT = PAUSE | AC_BLOCK | at(AC_RATE, 313, 314)
THREE_PHASE = EVERYDAY | {
    **at(SOC, 1078, 1109, 1111),
    **at(AC_RATE, 1108, 1110),
    **at(YES_NO, 1112, 1122, 1123),
    **at(HHMM, *range(1113, 1117), *range(1118, 1122)),
}
EMS: dict[int, Safe] = {
    **at(CLOCK, *range(35, 41)),
    **at(YES_NO, 2040),
    **at(HHMM, *(n for n in range(2044, 2071) if n % 3 != 0)),
    **at(SOC, *range(2046, 2062, 3)),
    **at(PERCENT, *range(2064, 2071, 3)),
    **at(Range(0, 65_000), 2071),
}
TWO = ONE_PHASE | PARALLEL | OLD_SECOND_SLOT
TEN = ONE_PHASE | PARALLEL | TEN_SLOTS | PORT
BY_MODEL: Mapping[str, dict[int, Safe]] = {
    "hybrid_gen1": TWO,
    "hybrid_gen2": TWO | PORT,
    "hybrid_gen3_two_slots": TWO | PORT,
    "hybrid_gen3": TEN,
    "hybrid_gen3_plus": TEN,
    "hybrid_gen4": TEN,
    "hybrid_hv_gen3": TEN,
    "polar": TWO,
    "pv_only": at(CLOCK, *range(35, 41)),
    "ac_coupled": TWO | PORT,
    "all_in_one": TEN,
    "all_in_one_hybrid": THREE_PHASE | PAUSE | AC_BLOCK,
    "hybrid_3ph": THREE_PHASE,
    "ac_3ph": THREE_PHASE | PAUSE | AC_BLOCK,
    "commercial": THREE_PHASE,
    "ems": EMS,
    "gateway": ONE_PHASE | TEN_SLOTS | PORT,
    "gateway_v1": ONE_PHASE | TEN_SLOTS | PORT,
}

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
WRITABLE = {
    (row.name, row.address): (model.holdings, row)
    for model in MODELS.values()
    for row in model.holdings
    if row.writable is not None
}
"""Every register that can be written on any model, once."""
every_writable = pytest.mark.parametrize(
    ("table", "row"), WRITABLE.values(), ids=[f"{name}-{address}" for name, address in WRITABLE]
)


def safe(row: Register) -> Safe | None:
    """Return what *row* may be written with, a choice by its numbers."""
    if isinstance(row.writable, Choice):
        assert row.options is not None
        return frozenset(n for n, name in row.options.items() if name in row.writable.options)
    return row.writable


def test_a_register_of_one_name_and_address_is_the_same_on_every_model() -> None:
    for model in MODELS.values():
        for row in model.holdings:
            if row.writable is not None:
                assert WRITABLE[row.name, row.address][1] == row


@every_model
def test_just_what_is_safe_can_be_written(model: Model) -> None:
    found = {
        address: safe(row)
        for row in model.holdings
        if row.writable is not None
        for address in row.addresses
    }
    assert found == BY_MODEL[model.name]


@every_model
def test_what_is_measured_and_what_hangs_behind_cannot_be_written(model: Model) -> None:
    for space, table in tables_for(model.name).items():
        if space != "holding":
            assert [row.name for row in table if row.writable is not None] == []


INSTALLERS = {
    *range(63, 84),
    *(101, 102, 115, 162, 174, 201),
    *(n for n in range(300, 352) if n not in {311, 313, 314, 317, 318, 319, 320}),
    *range(540, 574),
    *(1016, 1048, 1063, 1077, *range(1081, 1088), 1102, 1103, *range(1125, 1132)),
    *(5003, 5004),
}


@pytest.mark.parametrize("table", [*TABLES, UNKNOWN.holdings], ids=lambda table: table.family)
def test_what_only_an_installer_may_do_is_never_writable(table: RegisterTable) -> None:
    rows = [row for row in table if row.writable is not None]
    assert [row.name for row in rows if INSTALLERS & set(row.addresses)] == []


@every_model
def test_what_is_rarely_right_needs_the_owners_word(model: Model) -> None:
    opt_in = {row.address for row in model.holdings if row.writable and row.opt_in}
    assert opt_in == {29, 199} & BY_MODEL[model.name].keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("charge_rate_pct", 51),
        ("charge_rate_pct", -1),
        ("discharge_rate_pct", 100),
        ("reserve_soc_pct", 3),
        ("cutoff_soc_pct", 0),
        ("charge_target_soc_pct", 101),
        ("charge_slot_10_target_soc_pct", 3),
        ("discharge_slot_1_floor_soc_pct", 101),
        ("ac_charge_rate_pct", 0),
        ("ac_discharge_rate_pct", 101),
        ("active_power_pct", 101),
        ("battery_calibration", "discharge and charge"),
        ("battery_calibration", "finish"),
        ("pause_mode", "4"),
        ("export_priority", "3"),
        ("charge_slot_1_start", "24:00"),
        ("charge_slot_1_start", 2400),
        ("clock", "never"),
        ("restart", False),
        ("restart", 100),
        ("grid_low_trip_v", 200),
        ("import_limit_a", 80),
        ("charge_slot_2_old_start", time(0, 30)),
        ("smart_load_slot_1_start", time(0, 30)),
    ],
)
def test_what_is_out_of_range_never_becomes_words(name: str, value: Value) -> None:
    table = MODELS["hybrid_gen4"].holdings
    assert name in table
    with pytest.raises(NotWritable, match=name):
        table.encode(**{name: value})


@every_model
def test_a_restart_writes_100_and_nothing_else(model: Model) -> None:
    if not model.has("restart"):
        assert model.name in {"pv_only", "ems"}
        return
    for yes in (True, 1, "on"):
        (write,) = model.holdings.encode(restart=yes)
        assert (write.register.address, write.words) == (163, (100,))
    for no in (False, 0, "off"):
        with pytest.raises(NotWritable, match="restart"):
            model.holdings.encode(restart=no)


def test_a_clock_is_six_words_from_the_year_of_the_century_to_the_second() -> None:
    moment = datetime(2026, 11, 21, 17, 30, 5)
    (write,) = MODELS["hybrid_gen1"].holdings.encode(clock=moment)
    assert (write.register.address, write.words) == (35, (26, 11, 21, 17, 30, 5))


@every_writable
@settings(max_examples=20)
@given(data=st.data())
def test_what_is_written_is_what_is_then_shown(
    table: RegisterTable, row: Register, data: st.DataObject
) -> None:
    value = data.draw(values(row.writable))
    (write,) = table.encode(**{row.name: value})
    assert write.register == row
    assert row.decode(dict(zip(row.addresses, write.words, strict=True))) == value


def values(writable: Writable | None) -> st.SearchStrategy[Value]:
    """Return everything that may be written."""
    match writable:
        case Switch():
            return st.booleans()
        case Button():
            return st.just(True)
        case Choice(options):
            return st.sampled_from(options)
        case Range(low=low, high=high):
            return st.integers(int(low), int(high))
        case TimeOfDay():
            return st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
        case _:
            moments = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31))
            return moments.map(lambda moment: moment.replace(microsecond=0))
