"""The device's end of a table: what is shown can be read, and what is written is there."""

import pytest

from ohmstead.registers import U8_HIGH, U8_LOW, U32, Register, RegisterBank, RegisterTable

TABLE = RegisterTable(
    "acme",
    (
        Register("battery_v", 3, scale=0.1),
        Register("pv_total_kwh", 4, U32),
        Register("min_soc_pct", 8, U8_LOW),
        Register("max_soc_pct", 8, U8_HIGH),
        Register("status", 9, options={0: "standby"}),
    ),
)


def test_what_a_bank_shows_can_be_read_as_values_and_as_words() -> None:
    bank = RegisterBank(TABLE)
    bank.show(battery_v=50.6, pv_total_kwh=65_537)
    assert bank.value("battery_v") == 50.6
    assert bank.read(3, 4) == (506, 1, 1, 0)


def test_showing_one_value_leaves_its_neighbour_in_the_same_word() -> None:
    bank = RegisterBank(TABLE, {8: 0x5A14})
    bank.show(min_soc_pct=30)
    assert (bank.value("min_soc_pct"), bank.value("max_soc_pct")) == (30, 90)


def test_a_bank_keeps_its_own_copy_of_the_words() -> None:
    words = {3: 500}
    RegisterBank(TABLE, words).show(battery_v=48)
    assert words == {3: 500}


def test_a_clients_write_is_what_the_bank_says_next() -> None:
    bank = RegisterBank(TABLE)
    bank.write(3, (480, 0, 7))
    assert bank.value("battery_v") == 48.0
    assert bank.number("pv_total_kwh") == 7


def test_a_number_is_asked_for_where_there_is_one() -> None:
    with pytest.raises(TypeError, match="status is not a number: 'standby'"):
        RegisterBank(TABLE).number("status")
