"""Words keep the moment they were heard; nothing makes them younger."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.registers import Heard


def test_what_was_heard_is_known_by_its_address() -> None:
    heard = Heard()
    assert heard.words() == {}
    heard.store(60, (3265, 3266), at=10)
    heard.store(0, iter([1]), at=20)
    assert heard.words() == {60: 3265, 61: 3266, 0: 1}


def test_what_is_heard_again_takes_the_place_of_what_was() -> None:
    heard = Heard()
    heard.store(0, (1, 2, 3), at=10)
    heard.store(1, (7,), at=20)
    assert heard.words() == {0: 1, 1: 7, 2: 3}
    assert heard.age_s([1], 25) == 5
    assert heard.age_s([0], 25) == 15


def test_words_are_as_old_as_the_oldest_of_them() -> None:
    heard = Heard()
    heard.store(0, (1,), at=10)
    heard.store(1, (2,), at=40)
    assert heard.age_s([0, 1], 50) == 40
    assert heard.age_s([1], 50) == 10


def test_words_with_one_never_heard_among_them_are_of_no_age() -> None:
    heard = Heard()
    heard.store(0, (1,), at=10)
    assert heard.age_s([0, 1], 10) == math.inf
    assert not heard.fresh([0, 1], 10, age_s=1e9)


@pytest.mark.parametrize(
    ("now", "fresh"), [(10, True), (40, True), (40.1, False)], ids=["now", "just so", "too old"]
)
def test_words_are_fresh_for_as_long_as_is_asked(now: float, fresh: bool) -> None:
    heard = Heard()
    heard.store(5, (1, 2), at=10)
    assert heard.fresh([5, 6], now, age_s=30) is fresh


def test_what_was_forgotten_was_never_heard() -> None:
    heard = Heard()
    heard.store(0, (1, 2, 3, 4), at=10)
    heard.forget(1, 2)
    assert heard.words() == {0: 1, 3: 4}
    assert heard.age_s([0, 3], 10) == 0
    assert heard.age_s([1], 10) == math.inf


def test_forgetting_what_was_never_heard_is_no_trouble() -> None:
    heard = Heard()
    heard.forget(0, 100)
    assert heard.words() == {}


def test_asking_changes_nothing_and_an_answer_is_a_copy() -> None:
    heard = Heard()
    heard.store(0, (1,), at=10)
    heard.words()[0] = 9
    assert heard.fresh([0], 10, age_s=0)
    assert heard.words() == {0: 1}
    assert heard.age_s([0], 100) == 90


@given(
    st.lists(st.tuples(st.integers(0, 20), st.lists(st.integers(0, 0xFFFF), max_size=5))),
    st.integers(0, 25),
)
def test_the_last_word_counts_with_its_own_moment(
    blocks: list[tuple[int, list[int]]], address: int
) -> None:
    heard = Heard()
    expected: dict[int, tuple[int, int]] = {}
    for at, (first, words) in enumerate(blocks):
        heard.store(first, words, at=at)
        expected |= {first + n: (word, at) for n, word in enumerate(words)}
    assert heard.words() == {place: word for place, (word, _) in expected.items()}
    age_s = 1000 - expected[address][1] if address in expected else math.inf
    assert heard.age_s([address], 1000) == age_s
