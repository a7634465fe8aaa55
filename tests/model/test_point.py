"""Points: what may be written, what is refused and why, units and how values are shown."""

from datetime import UTC, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.errors import NotWritable
from ohmstead.model import (
    UNITS,
    Button,
    Choice,
    Instant,
    Kind,
    Point,
    Range,
    Switch,
    Text,
    TimeOfDay,
    Value,
    Writable,
    shown,
    unit_of,
)

PERCENT = Range(10, 90)
SPEED = Choice(("slow", "fast"))


@pytest.mark.parametrize(
    ("writable", "given", "taken"),
    [
        (PERCENT, 10, 10),
        (PERCENT, 90.0, 90),
        (PERCENT, "42.5", 42.5),
        (SPEED, "fast", "fast"),
        (Switch(), True, True),
        (Switch(), 0, False),
        (Switch(), " ON ", True),
        (Switch(), "No", False),
        (Switch(), "1", True),
        (TimeOfDay(), "23:30", time(23, 30)),
        (TimeOfDay(), " 07:05:59 ", time(7, 5)),
        (TimeOfDay(), time(1, 2, 3, 4, tzinfo=UTC), time(1, 2)),
        (Instant(), "2026-11-21T17:30:00", datetime(2026, 11, 21, 17, 30)),
        (Instant(), datetime(2026, 11, 21, 17, 30, 5, 6), datetime(2026, 11, 21, 17, 30, 5)),
        (Text(4), "Roof", "Roof"),
        (Text(4), "", ""),
        (Button(), True, True),
        (Button(), "yes", True),
    ],
)
def test_a_value_is_taken_in_the_points_own_type(
    writable: Writable, given: Value, taken: Value
) -> None:
    checked = point(writable).check(given)
    assert checked == taken
    assert isinstance(checked, bool) == isinstance(taken, bool)


@pytest.mark.parametrize(
    ("writable", "given", "why"),
    [
        (PERCENT, 9.99, "9.99 is outside 10 to 90"),
        (PERCENT, "91", "91 is outside 10 to 90"),
        (PERCENT, "much", "'much' is not a number"),
        (PERCENT, True, "True is not a number"),
        (PERCENT, time(1), "is not a number"),
        (PERCENT, datetime(2026, 1, 1), "is not a number"),
        (PERCENT, float("nan"), "nan is not a finite number"),
        (PERCENT, "inf", "'inf' is not a finite number"),
        (PERCENT, 10**400, "is not a number"),
        (SPEED, "faster", "'faster' is none of slow, fast"),
        (SPEED, 1, "1 is none of slow, fast"),
        (Switch(), 2, "2 is neither on nor off"),
        (Switch(), "perhaps", "'perhaps' is neither on nor off"),
        (Switch(), time(1), "neither on nor off"),
        (TimeOfDay(), "25:00", "'25:00' is not a time of day; write it as 23:30"),
        (TimeOfDay(), 2330, "2330 is not a time of day"),
        (Instant(), "soon", "'soon' is not a date and time; write it as"),
        (Instant(), "2026-11-21T17:30:00Z", "without a zone"),
        (Instant(), time(1), "is not a local date and time"),
        (Text(4), "Garage", "'Garage' is not text of at most 4 ASCII characters"),
        (Text(4), "Süd", "is not text of at most 4 ASCII"),
        (Text(4), "a\nb", "is not text"),
        (Text(4), 7, "7 is not text"),
        (Button(), False, "a button can only be pressed: write true"),
        (Button(), "press", "neither on nor off"),
    ],
)
def test_a_refusal_names_the_point_and_says_why(writable: Writable, given: Value, why: str) -> None:
    with pytest.raises(NotWritable) as refusal:
        point(writable).check(given)
    assert str(refusal.value).startswith("a_point: ")
    assert why in str(refusal.value)


def test_a_point_that_nobody_may_write_says_so() -> None:
    with pytest.raises(NotWritable, match="battery_w can only be read"):
        Point(key="battery_w", label="Battery").check(1)


@given(st.floats() | st.integers())
def test_whatever_a_range_takes_lies_within_it_and_is_taken_again(number: float) -> None:
    try:
        taken = PERCENT.check(number)
    except NotWritable:
        assert not PERCENT.low <= number <= PERCENT.high
    else:
        assert taken == number
        assert PERCENT.check(taken) == taken


@given(st.datetimes(), st.times())
def test_moments_written_as_text_are_the_moments_themselves(moment: datetime, of_day: time) -> None:
    assert Instant().check(moment.isoformat()) == Instant().check(moment)
    assert TimeOfDay().check(of_day.isoformat()) == TimeOfDay().check(of_day)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("battery_w", "W"),
        ("house_kwh", "kWh"),
        ("buy_per_kwh", "/kWh"),
        ("battery_c", "°C"),
        ("lasting_s", "s"),
        ("status", None),
        ("w", None),
        ("slot_1", None),
        ("", None),
    ],
)
def test_the_last_word_of_a_name_is_its_unit(name: str, unit: str | None) -> None:
    assert unit_of(name) == unit
    assert Point(key=name, label="").unit == unit


def test_every_unit_is_found_by_its_word() -> None:
    assert {unit_of("thing" + suffix) for suffix in UNITS} == set(UNITS.values())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "on"),
        (False, "off"),
        (90.0, "90"),
        (0.1, "0.1"),
        (-3, "-3"),
        (datetime(2026, 11, 21, 17, 30), "2026-11-21 17:30:00"),
        (time(23, 30), "23:30"),
        ("fault", "fault"),
    ],
)
def test_values_are_shown_as_people_say_them(value: Value | None, text: str) -> None:
    assert shown(value) == text


def test_a_point_is_a_measurement_for_everyone_unless_said_otherwise() -> None:
    assert Point(key="battery_w", label="Battery").kind is Kind.MEASUREMENT


def point(writable: Writable) -> Point:
    return Point(key="a_point", label="A point", kind=Kind.SETTING, writable=writable)
