"""How values lie in words: known words, whatever fits round trip, refusals."""

import math
import struct
from collections.abc import Sequence
from datetime import datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.errors import NotWritable
from ohmstead.registers import (
    F16,
    F32,
    HHMM,
    HOUR_MINUTE,
    MINUTE_HOUR,
    S8_HIGH,
    S8_LOW,
    S16,
    S32,
    S32_LOW_FIRST,
    S64,
    U8_HIGH,
    U8_LOW,
    U16,
    U32,
    U32_LOW_FIRST,
    U64,
    YES_NO,
    YMDHMS,
    YMDHMS_PACKED,
    Ascii,
    Bits,
    Clock,
    Float,
    Integer,
    Press,
    Raw,
    Time,
    Word,
    bit,
)

INTEGERS = {
    "U16": U16,
    "S16": S16,
    "U32": U32,
    "S32": S32,
    "U32_LOW_FIRST": U32_LOW_FIRST,
    "S32_LOW_FIRST": S32_LOW_FIRST,
    "U64": U64,
    "S64": S64,
}
BITS = {
    "U8_LOW": U8_LOW,
    "U8_HIGH": U8_HIGH,
    "S8_LOW": S8_LOW,
    "S8_HIGH": S8_HIGH,
    "bit 0": bit(0),
    "bit 15": bit(15),
    "three bits": Bits(4, 3),
    "signed nibble": Bits(12, 4, signed=True),
}
OTHERS: dict[str, Word] = {
    "F16": F16,
    "F32": F32,
    "HHMM": HHMM,
    "HOUR_MINUTE": HOUR_MINUTE,
    "MINUTE_HOUR": MINUTE_HOUR,
    "YMDHMS": YMDHMS,
    "YMDHMS_PACKED": YMDHMS_PACKED,
    "ASCII": Ascii(5),
    "ASCII low first": Ascii(5, low_first=True),
    "yes or no": YES_NO,
}
ALL: dict[str, Word] = {**INTEGERS, **BITS, **OTHERS}
RESTART = Press(100)

every_word = pytest.mark.parametrize("word", ALL.values(), ids=ALL.keys())
every_integer = pytest.mark.parametrize("word", INTEGERS.values(), ids=INTEGERS.keys())
every_bits = pytest.mark.parametrize("word", BITS.values(), ids=BITS.keys())
every_clock = pytest.mark.parametrize("word", [YMDHMS, YMDHMS_PACKED], ids=["six", "packed"])
every_time = pytest.mark.parametrize(
    "word", [HHMM, HOUR_MINUTE, MINUTE_HOUR], ids=["hhmm", "hour low", "hour high"]
)
every_ascii = pytest.mark.parametrize(
    "word", [Ascii(5), Ascii(5, low_first=True)], ids=["high first", "low first"]
)

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31, 23, 59, 59)).map(
    lambda moment: moment.replace(microsecond=0)
)
MINUTES = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))


@pytest.mark.parametrize(
    ("word", "words", "raw"),
    [
        (U16, [0xFFFF], 65_535),
        (S16, [0xFFFF], -1),
        (S16, [0x8000], -32_768),
        (U32, [0x0001, 0x0002], 65_538),
        (U32_LOW_FIRST, [0x0002, 0x0001], 65_538),
        (S32, [0xFFFF, 0xFFFE], -2),
        (S32_LOW_FIRST, [0xFFFE, 0xFFFF], -2),
        (U64, [0, 1, 0, 1], (1 << 32) + 1),
        (S64, [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF], -1),
        (U8_LOW, [0x1234], 0x34),
        (U8_HIGH, [0x1234], 0x12),
        (S8_LOW, [0x12FF], -1),
        (S8_HIGH, [0x8000], -128),
        (bit(3), [0b1000], 1),
        (bit(3), [0b0111], 0),
        (Bits(4, 3), [0b101_0000], 5),
        (F16, [0x3C00], 1.0),
        (F16, [0x7C00], None),
        (F16, [0x7E00], None),
        (F32, [0x4049, 0x0FDB], 3.1415927410125732),
        (F32, [0xFF80, 0x0000], None),
        (HHMM, [2330], time(23, 30)),
        (HHMM, [2400], None),
        (HHMM, [1260], None),
        (HOUR_MINUTE, [0x1E17], time(23, 30)),
        (MINUTE_HOUR, [0x171E], time(23, 30)),
        (MINUTE_HOUR, [0x1E17], None),
        (YMDHMS, [26, 11, 21, 17, 30, 5], datetime(2026, 11, 21, 17, 30, 5)),
        (YMDHMS, [26, 2, 30, 0, 0, 0], None),
        (YMDHMS, [2026, 11, 21, 17, 30, 5], None),
        (YMDHMS, [0xFFFF] * 6, None),
        (YMDHMS_PACKED, [0x0B1A, 0x1115, 0x051E], datetime(2026, 11, 21, 17, 30, 5)),
        (YMDHMS_PACKED, [0, 0, 0], None),
        (Ascii(2), [0x4241, 0x4300], "BAC"),
        (Ascii(2, low_first=True), [0x4142, 0x0043], "BAC"),
        (Ascii(2), [0x4220, 0x2020], "B"),
        (Ascii(2), [0x42FF, 0xFFFF], "B"),
        (Ascii(2), [0, 0], ""),
        (Ascii(2), [0x0045, 0x5354], "EST"),
        (Ascii(2), [0x4200, 0x0041], None),
        (Ascii(2), [0x42E9, 0x4142], None),
        (Ascii(2), [0x4207, 0x4142], None),
        (YES_NO, [0], False),
        (YES_NO, [1], True),
        (YES_NO, [0xFF00], True),
        (RESTART, [0], False),
        (RESTART, [1], False),
        (RESTART, [100], True),
    ],
)
def test_words_mean(word: Word, words: Sequence[int], raw: Raw) -> None:
    assert word.unpack(words) == raw


@every_integer
@given(data=st.data())
def test_whatever_fits_into_an_integer_comes_back(word: Integer, data: st.DataObject) -> None:
    top = 16 * word.words
    least, most = (-(1 << top - 1), (1 << top - 1) - 1) if word.signed else (0, (1 << top) - 1)
    raw = data.draw(st.integers(least, most))
    words = word.pack(raw)
    assert len(words) == word.words
    assert all(0 <= one <= 0xFFFF for one in words)
    assert word.unpack(words) == raw
    for outside in (least - 1, most + 1):
        with pytest.raises(NotWritable, match="does not fit"):
            word.pack(outside)


@every_bits
@given(data=st.data())
def test_whatever_fits_into_bits_comes_back_and_touches_no_other_bit(
    word: Bits, data: st.DataObject
) -> None:
    top = 1 << word.count
    least, most = (-top // 2, top // 2 - 1) if word.signed else (0, top - 1)
    raw = data.draw(st.integers(least, most))
    beside = data.draw(st.integers(0, 0xFFFF)) & ~word.mask
    (packed,) = word.pack(raw)
    assert packed & ~word.mask == 0
    assert word.unpack([packed | beside]) == raw
    for outside in (least - 1, most + 1):
        with pytest.raises(NotWritable, match="bits"):
            word.pack(outside)


@given(st.floats(width=16, allow_nan=False, allow_infinity=False))
def test_a_half_float_comes_back(raw: float) -> None:
    assert F16.unpack(F16.pack(raw)) == raw


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_single_float_comes_back(raw: float) -> None:
    assert F32.unpack(F32.pack(raw)) == raw


@every_time
@given(raw=MINUTES)
def test_a_time_of_day_comes_back(word: Time, raw: time) -> None:
    assert word.unpack(word.pack(raw)) == raw


@every_clock
@given(raw=MOMENTS)
def test_a_moment_of_this_century_comes_back(word: Clock, raw: datetime) -> None:
    assert word.unpack(word.pack(raw)) == raw


@every_ascii
@given(raw=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=10))
def test_text_comes_back_without_its_padding(word: Ascii, raw: str) -> None:
    words = word.pack(raw)
    assert len(words) == word.words
    assert word.unpack(words) == raw.rstrip(" ")


@every_word
@given(data=st.data())
def test_what_any_words_hold_can_be_written_again(word: Word, data: st.DataObject) -> None:
    words = data.draw(st.lists(st.integers(0, 0xFFFF), min_size=word.words, max_size=word.words))
    raw = word.unpack(words)
    if raw is not None:
        assert word.unpack(word.pack(raw)) == raw


@pytest.mark.parametrize(
    ("word", "raw"),
    [
        (U16, 1.5),
        (U16, "1"),
        (U16, None),
        (bit(0), 2),
        (bit(0), "on"),
        (F16, 1e6),
        (F32, 1e39),
        (F32, "1"),
        (HHMM, "23:30"),
        (HOUR_MINUTE, 2330),
        (YMDHMS, "2026-11-21"),
        (YMDHMS, datetime(1999, 12, 31)),
        (YMDHMS_PACKED, datetime(2100, 1, 1)),
        (YES_NO, "yes"),
        (YES_NO, None),
        (YES_NO, 0.0),
        (RESTART, False),
        (RESTART, 0),
        (RESTART, None),
        (Ascii(2), "toolong"),
        (Ascii(2), "é"),
        (Ascii(2), 12),
    ],
)
def test_what_does_not_fit_is_refused(word: Word, raw: Raw) -> None:
    with pytest.raises(NotWritable):
        word.pack(raw)


@pytest.mark.parametrize("raw", [True, 1, 7, -1])
def test_yes_is_written_as_one(raw: Raw) -> None:
    assert YES_NO.pack(raw) == (1,)
    assert YES_NO.pack(False) == (0,)


@given(st.integers(1, 0xFFFF))
def test_pressing_a_button_writes_its_code_and_nothing_else(raw: int) -> None:
    assert RESTART.pack(raw) == RESTART.pack(True) == (100,)
    assert (RESTART.words, RESTART.mask) == (1, 0xFFFF)
    assert RESTART.unpack([raw]) is (raw == 100)


@pytest.mark.parametrize("word", [F16, F32], ids=["half", "single"])
@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf])
def test_words_that_hold_no_number_are_none(word: Float, raw: float) -> None:
    octets = struct.pack(">e" if word.words == 1 else ">f", raw)
    assert word.unpack(struct.unpack(f">{word.words}H", octets)) is None


@every_word
def test_a_word_claims_all_its_bits_unless_it_is_made_of_bits(word: Word) -> None:
    if isinstance(word, Bits):
        assert word.words == 1
        assert word.mask.bit_count() == word.count
    else:
        assert word.mask == 0xFFFF
