"""Rows and tables: words in, values out, and back; which words to ask for."""

import math
from collections.abc import Mapping
from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.errors import NotWritable
from ohmstead.model import Category, Choice, Kind, Range, Switch, Text, TimeOfDay, Value
from ohmstead.registers import (
    F16,
    HHMM,
    S16,
    U8_HIGH,
    U8_LOW,
    U16,
    U32,
    Ascii,
    Bits,
    Register,
    RegisterTable,
    Word,
    bit,
    claims,
)

STATES = {0: "standby", 4: "charging"}
FAULTS = {0: "too hot", 3: "no grid"}

TABLE = RegisterTable(
    "acme",
    (
        Register("status", 0, options=STATES),
        Register("faults", 1, flags=FAULTS),
        Register("battery_w", 2, S16, scale=-1),
        Register("battery_v", 3, scale=0.1, plausible=Range(40, 60)),
        Register("pv_total_kwh", 4, U32, scale=0.1),
        Register("off_at", 6, HHMM, writable=TimeOfDay()),
        Register("boost", 7, bit(0), writable=Switch(), opt_in=True),
        Register("grid_lost", 7, bit(1)),
        Register("min_soc_pct", 8, U8_LOW, writable=Range(10, 90)),
        Register("max_soc_pct", 8, U8_HIGH, writable=Range(10, 100)),
        Register("speed", 9, options={0: "slow", 1: "fast"}, writable=Choice(("slow", "fast"))),
        Register("site_name", 10, Ascii(2), writable=Text(4)),
        Register("warm_c", 12, F16),
        Register("battery_c", 13, offset=-40),
    ),
)
WORDS = {0: 4, 1: 0b1001, 2: 0xFFFF, 3: 506, 4: 1, 5: 0, 6: 2330, 7: 0b11, 8: 0x5A14} | {
    9: 1, 10: 0x5375, 11: 0x6E00, 12: 0x3C00, 13: 65,
}  # fmt: skip


def test_a_table_says_what_its_words_mean() -> None:
    decoded = TABLE.decode(WORDS)
    assert decoded.doubts == {}
    assert decoded.values == {
        "status": "charging",
        "faults": "too hot, no grid",
        "battery_w": 1,
        "battery_v": 50.6,
        "pv_total_kwh": 6553.6,
        "off_at": time(23, 30),
        "boost": True,
        "grid_lost": True,
        "min_soc_pct": 20,
        "max_soc_pct": 90,
        "speed": "fast",
        "site_name": "Sun",
        "warm_c": 1.0,
        "battery_c": 25,
    }


def test_only_registers_whose_words_are_all_there_are_decoded() -> None:
    assert TABLE.decode({0: 0, 4: 0}).values == {"status": "standby"}


@pytest.mark.parametrize(
    ("words", "name", "doubt"),
    [
        ({3: 700}, "battery_v", "70.0 is not between 40 and 60"),
        ({6: 9999}, "off_at", "the device shows no valid value (270f)"),
        ({10: 0xFF00, 11: 0x4142}, "site_name", "the device shows no valid value (ff00 4142)"),
    ],
    ids=["implausible", "no time", "no text"],
)
def test_what_cannot_be_is_nobodys_measurement_with_a_reason(
    words: Mapping[int, int], name: str, doubt: str
) -> None:
    decoded = TABLE.decode(words)
    assert decoded.values == {name: None}
    assert decoded.doubts == {name: doubt}


@pytest.mark.parametrize(
    ("row", "word", "value"),
    [
        (Register("x_w", 0), 7, 7),
        (Register("x_w", 0, scale=10), 7, 70),
        (Register("x_w", 0, scale=10, offset=-5), 7, 65),
        (Register("x_w", 0, F16, scale=10), 0x3E00, 15.0),
        (Register("x_v", 0, scale=0.1), 506, 50.6),
        (Register("x_c", 0, offset=-0.5), 7, 6.5),
        (Register("x", 0, options=STATES), 9, "9"),
        (Register("x", 0, flags=FAULTS), 0b10, ""),
        (Register("x", 0, Bits(0, 2)), 0b111, 3),
        (Register("x", 0, writable=Switch()), 1, True),
        (Register("x", 0, HHMM), 2500, None),
        (Register("x", 0, Ascii(1), options=STATES), 0x4142, "AB"),
        (Register("x", 0, Ascii(1), flags=FAULTS), 0x4142, "AB"),
    ],
)
def test_a_register_decodes_by_its_row(row: Register, word: int, value: Value | None) -> None:
    decoded = row.decode({0: word})
    assert decoded == value
    assert type(decoded) is type(value)


@pytest.mark.parametrize(
    ("row", "value", "word"),
    [
        (Register("x_w", 0, S16, scale=-1), 1, 0xFFFF),
        (Register("x_v", 0, scale=0.1), 50.6, 506),
        (Register("x_c", 0, offset=-40), 25, 65),
        (Register("x_w", 0, F16, scale=10), 15, 0x3E00),
        (Register("x", 0, Bits(4, 2)), 3, 0x30),
        (Register("x", 0, options=STATES), "charging", 4),
        (Register("x", 0, options=STATES), "9", 9),
        (Register("x", 0, options=STATES), 4, 4),
        (Register("x", 0, flags=FAULTS), "no grid, too hot", 0b1001),
        (Register("x", 0, flags=FAULTS), "", 0),
        (Register("x", 0), True, 1),
        (Register("x", 0, HHMM), time(23, 30), 2330),
    ],
)
def test_a_register_encodes_by_its_row(row: Register, value: Value, word: int) -> None:
    assert row.encode(value) == (word,)


@pytest.mark.parametrize(
    ("row", "value", "why"),
    [
        (
            Register("x", 0, options=STATES),
            "sleeping",
            "x: 'sleeping' is none of standby, charging",
        ),
        (Register("x", 0, flags=FAULTS), "too cold", "x: 'too cold' is none of too hot, no grid"),
        (Register("x_w", 0), -1, "x_w: -1 does not fit into 0 to 65535"),
        (Register("x_w", 0), math.inf, "x_w: inf is not a finite number"),
        (Register("x_w", 0), math.nan, "x_w: nan is not a finite number"),
        (Register("x", 0, HHMM), "23:30", "x: '23:30' is not a time of day"),
    ],
)
def test_what_a_register_cannot_hold_is_refused_by_name(
    row: Register, value: Value, why: str
) -> None:
    with pytest.raises(NotWritable, match=f"^{why}"):
        row.encode(value)


@given(raw=st.integers(-32_768, 32_767), scale=st.sampled_from([1, 10, 0.1, 0.01, -1, -0.1]))
def test_every_raw_number_comes_back_through_its_scale(raw: int, scale: float) -> None:
    row = Register("x_v", 0, S16, scale=scale, offset=5)
    word = raw & 0xFFFF
    value = row.decode({0: word})
    assert value is not None
    assert row.encode(value) == (word,)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (Register("x_w", 0), Kind.MEASUREMENT),
        (Register("pv_kwh", 0), Kind.TOTAL),
        (Register("buy_per_kwh", 0), Kind.MEASUREMENT),
        (Register("model", 0), Kind.STATE),
        (Register("x", 0, options=STATES), Kind.STATE),
        (Register("x", 0, flags=FAULTS), Kind.STATE),
        (Register("x", 0, bit(1)), Kind.STATE),
        (Register("x_pct", 0, writable=Range(0, 1)), Kind.SETTING),
        (Register("rated_kwh", 0, kind=Kind.STATE), Kind.STATE),
    ],
)
def test_the_kind_of_a_point_follows_from_its_row(row: Register, kind: Kind) -> None:
    assert row.point.kind is kind


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("battery_soc_pct", "Battery SoC"),
        ("buy_per_kwh", "Buy"),
        ("pv_1_w", "PV 1"),
        ("status", "Status"),
    ],
)
def test_a_label_is_the_name_as_people_write_it_without_its_unit(name: str, label: str) -> None:
    assert Register(name, 0).point.label == label


def test_a_point_knows_what_its_row_says() -> None:
    row = Register("x", 0, options=STATES, label="Mode", category=Category.DIAGNOSTIC, opt_in=True)
    point = row.point
    assert (point.label, point.category, point.opt_in) == ("Mode", Category.DIAGNOSTIC, True)
    assert point.options == ("standby", "charging")


def test_a_table_finds_its_rows_by_name() -> None:
    assert "boost" in TABLE
    assert "turbo" not in TABLE
    assert TABLE["boost"].address == 7
    assert [row.name for row in TABLE][:2] == ["status", "faults"]


def test_two_registers_of_one_name_make_no_table() -> None:
    with pytest.raises(ValueError, match="acme: two registers share a name"):
        RegisterTable("acme", (Register("x_w", 0), Register("x_w", 1)))


def test_a_write_is_checked_and_says_which_bits_it_may_change() -> None:
    soc, boost = TABLE.encode(min_soc_pct="30", boost="on")
    assert (soc.register.name, soc.words, soc.mask) == ("min_soc_pct", (30,), 0x00FF)
    assert soc.over((0x5A14,)) == (0x5A1E,)
    assert boost.over((0b10,)) == (0b11,)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("turbo", True, "acme has no setting turbo"),
        ("battery_w", 1, "battery_w can only be read"),
        ("min_soc_pct", 9, "min_soc_pct: 9 is outside 10 to 90"),
        ("speed", "warp", "speed: 'warp' is none of slow, fast"),
    ],
)
def test_nothing_is_encoded_that_may_not_be_written(name: str, value: Value, why: str) -> None:
    with pytest.raises(NotWritable, match=f"^{why}"):
        TABLE.encode(**{"max_soc_pct": 90, name: value})


def test_replacing_drops_whatever_shares_a_bit_and_keeps_the_order() -> None:
    table = TABLE.replacing(Register("soc_pct", 8), Register("serial", 14, Ascii(5)))
    names = [row.name for row in table]
    assert not {"min_soc_pct", "max_soc_pct"} & set(names)
    assert names.index("boost") < names.index("soc_pct") < names.index("speed")
    assert names[-1] == "serial"
    assert (table.family, table.space) == ("acme", "holding")


def test_replacing_keeps_a_neighbour_in_the_same_word() -> None:
    names = [row.name for row in TABLE.replacing(Register("floor_pct", 8, U8_LOW))]
    assert names.index("floor_pct") + 1 == names.index("max_soc_pct")


@pytest.mark.parametrize(
    ("word", "claimed"),
    [
        (bit(3), {(5, 3)}),
        (U8_HIGH, {(5, n) for n in range(8, 16)}),
        (U32, {(address, n) for address in (5, 6) for n in range(16)}),
    ],
    ids=["bit", "byte", "two words"],
)
def test_a_register_claims_its_bits(word: Word, claimed: set[tuple[int, int]]) -> None:
    assert set(claims(Register("x", 5, word))) == claimed


def test_a_prefixed_table_is_the_same_of_one_of_several_alike() -> None:
    second = TABLE.prefixed("pack_2_", "pack_2")
    assert (second.family, second.space) == ("acme", "pack_2")
    assert [row.name for row in second] == [f"pack_2_{row.name}" for row in TABLE]
    assert [row.addresses for row in second] == [row.addresses for row in TABLE]
    assert "pack_2_boost" in second
    assert "boost" not in second
    shown, behind = TABLE.decode(WORDS).values, second.decode(WORDS).values
    assert behind == {f"pack_2_{name}": value for name, value in shown.items()}


def test_a_prefixed_table_still_says_what_may_be_written() -> None:
    (write,) = TABLE.prefixed("pack_2_", "pack_2").encode(pack_2_min_soc_pct=30)
    assert (write.words, write.mask) == ((30,), 0x00FF)
    assert write.register.point.label == "Pack 2 min SoC"


def test_a_prefix_leaves_the_table_it_was_made_of_alone() -> None:
    TABLE.prefixed("pack_2_", "pack_2")
    assert (TABLE.space, "boost" in TABLE) == ("holding", True)


def spans(*addresses: tuple[int, int]) -> RegisterTable:
    rows = (Register(f"r{at}", at, Ascii(words)) for at, words in addresses)
    return RegisterTable("acme", tuple(rows))


@pytest.mark.parametrize(
    ("table", "most", "gap", "boundary", "blocks"),
    [
        (spans(), 125, 8, None, []),
        (spans((0, 1), (1, 2), (3, 1)), 125, 8, None, [range(4)]),
        (spans((3, 1), (0, 1)), 125, 8, None, [range(4)]),
        (spans((0, 1), (9, 1)), 125, 8, None, [range(10)]),
        (spans((0, 1), (10, 1)), 125, 8, None, [range(1), range(10, 11)]),
        (spans((0, 2), (2, 2), (4, 1)), 4, 8, None, [range(4), range(4, 5)]),
        (spans((0, 9)), 4, 8, None, [range(9)]),
        (spans((38, 1), (39, 1), (40, 1)), 125, 8, 40, [range(38, 40), range(40, 41)]),
        (
            spans((38, 1), (39, 3), (42, 1)),
            125,
            8,
            40,
            [range(38, 39), range(39, 42), range(42, 43)],
        ),
    ],
    ids=[
        "nothing",
        "neighbours",
        "unordered",
        "hole",
        "wide hole",
        "most",
        "one too long",
        "boundary",
        "across it",
    ],
)
def test_blocks_hold_every_register_in_few_reads(
    table: RegisterTable, most: int, gap: int, boundary: int | None, blocks: list[range]
) -> None:
    assert list(table.blocks(most, gap=gap, boundary=boundary)) == blocks


@given(
    st.lists(st.integers(0, 300), unique=True, max_size=40),
    st.integers(1, 125),
    st.integers(0, 20),
    st.none() | st.integers(1, 50),
)
def test_blocks_keep_their_promises(
    addresses: list[int], most: int, gap: int, boundary: int | None
) -> None:
    table = spans(*((address, 1) for address in addresses))
    blocks = table.blocks(most, gap=gap, boundary=boundary)
    for row in table:
        assert sum(row.address in block for block in blocks) == 1
    assert all(len(block) <= most for block in blocks)
    if boundary is not None:
        assert all(one.start // boundary == (one.stop - 1) // boundary for one in blocks)


def test_a_table_of_one_word_registers_is_of_u16_unless_said_otherwise() -> None:
    assert Register("x", 3).word is U16
    assert Register("x", 3).addresses == range(3, 4)
