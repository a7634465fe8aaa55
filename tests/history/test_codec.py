"""Columns of numbers come back exactly as they went in."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.errors import HistoryError
from ohmstead.history.batch import pack_batch, unpack_batch
from ohmstead.history.buckets import Bucket, pack_rows, unpack_rows
from ohmstead.history.codec import Unpacker, pack, pack_wholes, squeeze

readings = st.one_of(
    st.integers(-100_000, 100_000).map(float),
    st.integers(-100_000, 100_000).map(lambda n: n / 10),
    st.integers(-100_000, 100_000).map(lambda n: n / 1_000),
    st.floats(allow_nan=False, allow_infinity=False),
)
samples = st.lists(st.tuples(st.integers(0, 4 * 10**12), st.none() | readings), min_size=1)


@given(st.lists(readings))
def test_numbers_come_back_exactly(values: list[float]) -> None:
    assert Unpacker(squeeze([pack(values)])).numbers(len(values)) == values


@given(st.lists(st.integers(-(2**62), 2**62)))
def test_whole_numbers_come_back_exactly(wholes: list[int]) -> None:
    assert Unpacker(squeeze([pack_wholes(wholes)])).wholes(len(wholes)) == wholes


@given(st.dictionaries(st.integers(1, 10_000), samples, max_size=5))
def test_a_batch_comes_back_with_its_gaps(
    columns: dict[int, list[tuple[int, float | None]]],
) -> None:
    assert unpack_batch(pack_batch(columns)) == columns


def test_one_signal_can_be_had_out_of_a_batch() -> None:
    columns = {n: [(1_000 * n, float(n)), (2_000 * n, None)] for n in range(1, 50)}
    piece = pack_batch(columns)
    assert unpack_batch(piece, {7, 9}) == {7: columns[7], 9: columns[9]}
    assert unpack_batch(piece, {99}) == {}


def test_readings_take_few_bytes() -> None:
    columns = {
        n: [
            (1_782_000_000_000 + m * 60_000, 2_300 + (n * 37 + m * 11) % 400 / 10) for m in range(5)
        ]
        for n in range(100)
    }
    assert len(pack_batch(columns)) < 500 * 4


def test_buckets_come_back_with_means_of_six_digits() -> None:
    bucket = Bucket(-3.5, 2_304.7, 12.1, 5, 300.0, 300 * 1_234.567891, 0.102881, 0.0)
    row = {600: bucket, 900: Bucket(1, 1, 1, 0, 0.0, 0.0)}
    (number, back), *others = unpack_rows(pack_rows({17: row})).items()
    assert (number, others, list(back)) == (17, [], [600, 900])
    assert back[600].mean == 1_234.57
    assert back[900].mean == 1
    for name in ("low", "high", "last", "count", "covered_s", "up", "down"):
        assert getattr(back[600], name) == getattr(bucket, name)


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"nonsense", id="not compressed"),
        pytest.param(squeeze([b"\0\0"]), id="cut short"),
    ],
)
def test_damage_is_named(piece: bytes) -> None:
    with pytest.raises(HistoryError, match=r"damaged|cut short"):
        Unpacker(piece).wholes(3)


def test_not_a_number_is_kept_as_it_is() -> None:
    (back,) = Unpacker(squeeze([pack([math.nan])])).numbers(1)
    assert math.isnan(back)
