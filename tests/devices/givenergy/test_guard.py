"""Pages with a valid check sum that cannot be true, and those that can."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.devices.givenergy.frames import INVERTER, Function
from ohmstead.devices.givenergy.guard import (
    CounterGuard,
    PackGuard,
    empty_doubt,
    is_serial,
    page_doubt,
)
from ohmstead.devices.givenergy.units import PACK
from ohmstead.model import Value
from ohmstead.registers import RegisterBank

WORDS: Mapping[str, list[int]] = {
    name: vector["words"]
    for name, vector in json.loads((Path(__file__).parent / "vectors.json").read_text())[
        "vectors"
    ].items()
    if "words" in vector
}
SETTINGS = INVERTER, Function.READ_HOLD
MEASURED = INVERTER, Function.READ_INPUT
FIRST_PACK = 0x32, Function.READ_INPUT
TRAFFIC = {28: 0x4C32, 30: 0xA119, 31: 0x34EA, 32: 0xE77F, 33: 0xD475, 35: 0x4500,
           41: 0xC0A8, 43: 0xC0A8, 51: 0x8018}  # fmt: skip
"""The words of the documented substitution: headers of a packet of the dongle's own."""
NOTHING = [0] * 60
IDENTITY = [0x2003, *WORDS["V7"][1:]]


def changed(words: Iterable[int], changes: Mapping[int, int]) -> list[int]:
    return [changes.get(n, word) for n, word in enumerate(words)]


def numbered(first: int, words: list[int]) -> dict[int, int]:
    return dict(enumerate(words, start=first))


# ---- serial numbers ------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["DF2244G000", "df2244g000", "ABC1234567"])
def test_ten_letters_and_digits_are_a_serial_number(text: str) -> None:
    assert is_serial(text)


@pytest.mark.parametrize("text", ["", "DF2244G00", "DF2244G0001", "DF 244G000", None, 5, "\0" * 10])
def test_nothing_else_is(text: object) -> None:
    assert not is_serial(text)


# ---- pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place", [MEASURED, FIRST_PACK, SETTINGS], ids=["measurements", "a pack", "settings"]
)
def test_a_piece_of_network_traffic_is_not_believed(place: tuple[int, Function]) -> None:
    words = changed(WORDS["V9"], TRAFFIC)
    assert page_doubt(place, 0, words, {}) == "a piece of the dongle's own network traffic"


@pytest.mark.parametrize(("hits", "believed"), [(5, True), (6, False)])
def test_up_to_five_words_of_it_are_chance(hits: int, *, believed: bool) -> None:
    words = changed(WORDS["V10"], dict(list(TRAFFIC.items())[:hits]))
    assert (page_doubt(FIRST_PACK, 60, words, {}) is None) is believed


@pytest.mark.parametrize("name", sorted(name for name in WORDS if len(WORDS[name]) == 60))
def test_every_page_a_real_one_sent_is_believed(name: str) -> None:
    place = SETTINGS if name == "V7" else FIRST_PACK
    first = 0 if name == "V7" else 60
    assert page_doubt(place, first, WORDS[name], numbered(first, WORDS[name])) is None


def test_measurements_of_a_real_one_are_believed() -> None:
    assert page_doubt(MEASURED, 0, WORDS["V9"], numbered(0, WORDS["V9"])) is None


@pytest.mark.parametrize(
    "place", [SETTINGS, MEASURED, FIRST_PACK], ids=["settings", "measurements", "a pack"]
)
def test_all_zeros_after_values_are_none(place: tuple[int, Function]) -> None:
    assert page_doubt(place, 60, NOTHING, {60: 0, 61: 3}) is not None


def test_zeros_where_there_were_zeros_are_what_they_say() -> None:
    assert page_doubt(SETTINGS, 180, NOTHING, {}) is None
    assert page_doubt(SETTINGS, 180, NOTHING, numbered(180, NOTHING)) is None
    assert page_doubt(SETTINGS, 180, NOTHING, {5: 7}) is None


def test_a_part_of_a_page_may_be_zero() -> None:
    assert page_doubt(SETTINGS, 56, [0, 0], {56: 1600, 57: 700}) is None


@pytest.mark.parametrize("first", [60, 240, 300])
def test_settings_that_are_never_all_zero_are_not_there(first: int) -> None:
    assert page_doubt(SETTINGS, first, NOTHING, {}) == "all zeros"
    assert page_doubt(SETTINGS, first, changed(NOTHING, {50: 1}), {}) is None
    assert page_doubt(FIRST_PACK, first, NOTHING, {}) is None


def test_measurements_are_never_all_zero() -> None:
    assert page_doubt(MEASURED, 0, NOTHING, {}) == "all zeros"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(NOTHING, id="all zeros"),
        pytest.param(changed(IDENTITY, {0: 0}), id="no device type"),
        pytest.param(changed(IDENTITY, dict.fromkeys(range(13, 18), 0)), id="no serial number"),
        pytest.param(changed(IDENTITY, {15: 0x2020}), id="a hole in the serial number"),
        pytest.param(changed(IDENTITY, {30: 248}), id="an address that Modbus does not have"),
    ],
)
def test_a_page_of_nobody_is_not_believed(words: list[int]) -> None:
    assert page_doubt(SETTINGS, 0, words, {}) is not None


def test_newer_version_numbers_are_no_reason_for_doubt() -> None:
    assert page_doubt(SETTINGS, 0, changed(IDENTITY, {34: 250, 33: 0, 30: 17}), {}) is None


TOTALS = (6, 7, 11, 12, 21, 22, 27, 28, 32, 33, 45, 46)


def test_energies_that_were_never_counted_are_a_new_inverters() -> None:
    new = changed(WORDS["V9"], dict.fromkeys(TOTALS, 0))
    assert page_doubt(MEASURED, 0, new, {}) is None
    assert page_doubt(MEASURED, 0, new, numbered(0, new)) is None


def test_energies_that_vanish_are_not_believed() -> None:
    words = changed(WORDS["V9"], dict.fromkeys(TOTALS, 0))
    assert page_doubt(MEASURED, 0, words, numbered(0, WORDS["V9"])) is not None


@given(
    st.lists(st.integers(0, 0xFFFF), max_size=60),
    st.integers(0, 0xFFFF),
    st.sampled_from([SETTINGS, MEASURED, FIRST_PACK]),
    st.dictionaries(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF)),
)
def test_no_page_breaks_the_guard(
    words: list[int], first: int, place: tuple[int, Function], before: dict[int, int]
) -> None:
    page_doubt(place, first, words, before)
    PackGuard().doubt(first, words, 0)


# ---- packs ---------------------------------------------------------------------------------

GOOD = WORDS["V10"]
SPLICED = changed(GOOD, {16: 0, 17: 0, 18: 0, 19: 0, 0: 2900})


def page(**values: Value) -> list[int]:
    """Return the page of the real pack, but with *values*."""
    bank = RegisterBank(PACK, numbered(60, GOOD))
    bank.show(**values)
    return list(bank.read(60, 60))


def a_guard() -> PackGuard:
    """Return a guard that has believed the real page at 0."""
    guard = PackGuard()
    guard.doubt(60, GOOD, 0)
    assert guard.doubt(60, GOOD, 0) is None
    return guard


def test_the_first_page_waits_for_a_second() -> None:
    guard = PackGuard()
    assert guard.doubt(60, GOOD, 0) is not None
    assert guard.doubt(60, page(soc_pct=46), 60) is None


def test_a_first_page_that_the_second_contradicts_is_forgotten() -> None:
    guard = PackGuard()
    assert guard.doubt(60, SPLICED, 0) is not None
    assert guard.doubt(60, GOOD, 60) is not None
    assert guard.doubt(60, GOOD, 120) is None
    assert guard.doubt(60, SPLICED, 180) is not None


SUDDEN: dict[str, Value] = {
    "cell_07_v": 3.601,
    "cells_05_08_c": 28.3,
    "mosfet_c": 46.2,
    "cells_v": 50.6,
    "soc_pct": 56,
    "charge_total_kwh": 3_658.4,
    "discharge_total_kwh": 3_738.9,
    "out_v": 56.6,
    "capacity_ah": 169.0,
    "cell_count": 15,
    "firmware": 3021,
    "serial": "DF2244G001",
}
ALLOWED: dict[str, Value] = {
    "cell_07_v": 3.56,
    "cells_05_08_c": 28.1,
    "mosfet_c": 46.0,
    "cells_v": 50.7,
    "soc_pct": 55,
    "charge_total_kwh": 3_658.1,
    "discharge_total_kwh": 3_740.0,
    "out_v": 56.4,
    "capacity_ah": 170.0,
}


@pytest.mark.parametrize("name", SUDDEN)
def test_one_sudden_change_is_held_until_the_next_page_says_the_same(name: str) -> None:
    guard, words = a_guard(), page(**{name: SUDDEN[name]})
    assert guard.doubt(60, words, 60) == f"sudden change of {name}"
    assert guard.doubt(60, words, 120) is None
    assert guard.doubt(60, words, 180) is None


@pytest.mark.parametrize("name", SUDDEN)
def test_one_sudden_change_that_the_next_page_takes_back_was_none(name: str) -> None:
    guard = a_guard()
    assert guard.doubt(60, page(**{name: SUDDEN[name]}), 60) is not None
    assert guard.doubt(60, GOOD, 120) is None
    assert guard.doubt(60, page(**{name: SUDDEN[name]}), 180) is not None


@pytest.mark.parametrize("name", ALLOWED)
def test_what_can_change_from_one_poll_to_the_next_is_believed(name: str) -> None:
    assert a_guard().doubt(60, page(**{name: ALLOWED[name]}), 60) is None


def test_a_temperature_that_falls_to_nothing_has_vanished() -> None:
    guard = PackGuard()
    for at in (0, 1):
        guard.doubt(60, page(cells_01_04_c=3.0), at)
    assert guard.doubt(60, page(cells_01_04_c=0.0), 60) == "sudden change of cells_01_04_c"


def test_two_sudden_changes_are_refused_however_often() -> None:
    guard = a_guard()
    for n in range(1, 10):
        assert guard.doubt(60, SPLICED, 20 * n) is not None


def test_after_ten_pages_a_new_state_is_believed() -> None:
    guard = a_guard()
    for n in range(1, 11):
        assert guard.doubt(60, SPLICED, 20 * n) is not None
    assert guard.doubt(60, SPLICED, 220) is None
    assert guard.doubt(60, GOOD, 240) is not None


def test_a_page_after_five_minutes_has_nothing_to_be_judged_by() -> None:
    assert a_guard().doubt(60, page(soc_pct=5, mosfet_c=60.0), 301) is None


def test_after_a_quarter_of_an_hour_two_pages_have_to_agree_again() -> None:
    guard = a_guard()
    assert guard.doubt(60, SPLICED, 901) is not None
    assert guard.doubt(60, GOOD, 961) is not None
    assert guard.doubt(60, GOOD, 1021) is None


def test_refusals_are_no_gap_in_what_was_heard() -> None:
    guard = a_guard()
    for at in (250, 301, 350):
        assert guard.doubt(60, SPLICED, at) is not None
    assert guard.doubt(60, GOOD, 400) is None


def test_asking_again_at_once_is_the_same_poll() -> None:
    guard = a_guard()
    for n in range(1, 10):
        for again in (0, 0.3, 0.6):
            assert guard.doubt(60, SPLICED, 20 * n + again) is not None


def test_cells_that_do_not_add_up_are_not_believed_even_at_first() -> None:
    guard, halved = PackGuard(), page(cells_v=26.0)
    for at in range(0, 600, 60):
        assert guard.doubt(60, halved, at) == "its cells do not add up"
    # Should this be how it always is, it is shown after all.
    assert guard.doubt(60, halved, 600) == "the first page of a pack waits for a second"
    assert guard.doubt(60, halved, 660) is None


def test_a_pack_that_shows_no_sum_need_not_add_up() -> None:
    guard = PackGuard()
    guard.doubt(60, page(cells_v=0), 0)
    assert guard.doubt(60, page(cells_v=0), 1) is None


def test_a_pack_without_cell_voltages_is_none() -> None:
    words = changed(GOOD, dict.fromkeys(range(16), 0))
    for guard in (PackGuard(), a_guard()):
        for at in range(60, 1_200, 60):
            assert guard.doubt(60, words, at) == "no cell voltages"


# ---- counters ------------------------------------------------------------------------------


def test_a_counter_that_steps_back_is_held_until_it_catches_up() -> None:
    guard = CounterGuard()
    shown = [guard.doubts({"pv_total_kwh": kwh}, at) for at, kwh in
             enumerate([10.0, 9.9, 9.75, 10.0, 10.1])]  # fmt: skip
    assert [list(doubts) for doubts in shown] == [[], ["pv_total_kwh"], ["pv_total_kwh"], [], []]


@pytest.mark.parametrize("kwh", [0.0, 9.7])
def test_a_counter_that_falls_further_begins_anew(kwh: float) -> None:
    guard = CounterGuard()
    guard.doubts({"pv_today_kwh": 10.0}, 0)
    assert guard.doubts({"pv_today_kwh": kwh}, 1) == {}
    assert guard.doubts({"pv_today_kwh": kwh + 0.1}, 2) == {}


def test_a_step_that_lasts_is_a_counter_that_began_anew() -> None:
    guard = CounterGuard()
    guard.doubts({"pv_today_kwh": 0.2}, 0)
    assert guard.doubts({"pv_today_kwh": 0.0}, 599) != {}
    assert guard.doubts({"pv_today_kwh": 0.0}, 600) == {}
    assert guard.doubts({"pv_today_kwh": 0.0}, 601) == {}


def test_only_energies_are_counters() -> None:
    guard = CounterGuard()
    guard.doubts({"grid_v": 240.0, "serial": "DF2244G000", "pv_total_kwh": None}, 0)
    assert guard.doubts({"grid_v": 239.9, "serial": "", "pv_total_kwh": None}, 1) == {}


# ---- an empty battery ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "before", "believed"),
    [
        pytest.param({}, 60, False, id="all at once"),
        pytest.param({}, 6, False, id="almost empty"),
        pytest.param({}, 5, True, id="as good as empty"),
        pytest.param({}, None, False, id="the very first"),
        pytest.param({"battery_calibration": "discharge"}, 60, True, id="being calibrated"),
        pytest.param({"battery_calibration": "off"}, 60, False, id="not being calibrated"),
        pytest.param(
            {"battery_1_soc_pct": 3, "battery_2_soc_pct": 0}, 60, True, id="its packs too"
        ),
        pytest.param({"battery_1_soc_pct": 0, "battery_2_soc_pct": 58}, 60, False, id="one pack"),
        pytest.param({"battery_1_soc_pct": 58}, 4, True, id="a pack that lags behind"),
        pytest.param({"battery_1_soc_pct": None}, 60, False, id="a pack that is not heard"),
        pytest.param({"stack_1_highest_soc_pct": 1}, None, True, id="its stack too"),
    ],
)
def test_an_empty_battery_is_believed_when_it_can_be(
    values: dict[str, Value | None], before: float | None, *, believed: bool
) -> None:
    usual = {} if before is None else {"battery_soc_pct": before}
    doubts = empty_doubt({"battery_soc_pct": 0, **values}, usual)
    assert list(doubts) == ([] if believed else ["battery_soc_pct"])
    assert empty_doubt({**values, "battery_soc_pct": 1}, usual) == {}
    assert empty_doubt({**values, "battery_soc_pct": None}, usual) == {}
