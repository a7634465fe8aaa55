"""Unset slots, whatever firmware writes for them, and a year with or without its century."""

from datetime import datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.devices.givenergy.registers import MODELS, Model
from ohmstead.devices.givenergy.slots import pair_of, tidied
from ohmstead.registers import HHMM

TWO, TEN, THREE = MODELS["hybrid_gen2"], MODELS["hybrid_gen3"], MODELS["hybrid_3ph"]
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        pytest.param((30, 430), ("00:30", "04:30"), id="a slot"),
        pytest.param((2330, 530), ("23:30", "05:30"), id="over midnight"),
        pytest.param((0, 0), ("00:00", "00:00"), id="off"),
        pytest.param((60, 60), ("00:00", "00:00"), id="unset"),
        pytest.param((60, 430), ("00:00", "00:00"), id="half unset"),
        pytest.param((30, 60), ("00:00", "00:00"), id="half unset, the other half"),
        pytest.param((1299, 1500), ("00:00", "00:00"), id="no such minute"),
        pytest.param((2500, 530), ("00:00", "00:00"), id="no such hour"),
        pytest.param((65535, 65535), ("00:00", "00:00"), id="garbage"),
        pytest.param((2330, 2400), ("23:30", "00:00"), id="to the end of the day"),
        pytest.param((0, 2400), ("00:00", "00:00"), id="the whole day"),
        pytest.param((2401, 530), ("00:00", "00:00"), id="a minute of no day"),
    ],
)
def test_a_slot_that_is_none_is_off(words: tuple[int, int], shown: tuple[str, str]) -> None:
    held = tidied({94: words[0], 95: words[1]}, TWO.holdings)
    ends = [TWO.holdings[f"charge_slot_1_{end}"].decode(held) for end in ("start", "end")]
    assert ends == [time.fromisoformat(text) for text in shown]


def test_each_slot_is_judged_by_itself() -> None:
    held = tidied({31: 60, 32: 60, 94: 30, 95: 430}, TWO.holdings)
    assert held == {31: 0, 32: 0, 94: 30, 95: 430}


def test_one_end_alone_is_judged_as_far_as_it_goes() -> None:
    assert tidied({94: 60}, TWO.holdings) == {94: 0}
    assert tidied({95: 430}, TWO.holdings) == {95: 430}


def test_what_is_no_slot_is_left_alone() -> None:
    words = {20: 60, 111: 60, 110: 99, 163: 1299}
    assert tidied(words, TWO.holdings) == words


@every_model
def test_every_slot_of_every_model_can_be_unset(model: Model) -> None:
    rows = [row for row in model.holdings if row.word is HHMM]
    held = tidied({row.address: 60 for row in rows}, model.holdings)
    assert {row.decode(held) for row in rows} <= {time(0)}


@pytest.mark.parametrize(("year", "shown"), [(26, 2026), (2026, 2026), (0, 2000), (2000, 2000)])
def test_a_year_may_have_its_century(year: int, shown: int) -> None:
    words = dict(zip(range(35, 41), (year, 1, 15, 12, 30, 5), strict=True))
    clock = TWO.holdings["clock"].decode(tidied(words, TWO.holdings))
    assert clock == datetime(shown, 1, 15, 12, 30, 5)


def test_a_thirteenth_month_is_no_date() -> None:
    words = dict(zip(range(35, 41), (0, 13, 1, 0, 0, 0), strict=True))
    assert TWO.holdings["clock"].decode(tidied(words, TWO.holdings)) is None


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("charge_slot_1_start", "charge_slot_1_end"),
        ("export_slot_3_end", "export_slot_3_start"),
        ("pause_slot_start", "pause_slot_end"),
        ("charge_enabled", None),
        ("charge_slot_1_target_soc_pct", None),
        ("grid_connection_start", None),
    ],
)
def test_the_other_end_of_a_slot(name: str, other: str | None) -> None:
    assert pair_of(name) == other


@every_model
def test_every_end_has_its_other_end(model: Model) -> None:
    for row in model.holdings:
        if row.word is HHMM:
            other = pair_of(row.name)
            assert other is not None
            assert other in model.holdings
            assert pair_of(other) == row.name


@given(st.dictionaries(st.integers(0, 400), st.integers(0, 0xFFFF)))
def test_words_in_order_are_not_touched_and_none_is_lost(words: dict[int, int]) -> None:
    for model in (TWO, TEN, THREE):
        once = tidied(words, model.holdings)
        assert once.keys() == words.keys()
        if words.get(35, 0) < 4_000:  # two centuries are none
            assert tidied(once, model.holdings) == once
        slots = {row.address for row in model.holdings if row.word is HHMM} | {35}  # and the year
        assert {n: word for n, word in once.items() if n not in slots} == {
            n: word for n, word in words.items() if n not in slots
        }
