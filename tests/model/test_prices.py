"""A price curve: later slots win, gaps stay gaps, questions by moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.model import PriceCurve, Prices, PriceSlot

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


def slot(start: float, end: float, per_kwh: float = 0.1) -> PriceSlot:
    return PriceSlot(start=at(start), end=at(end), per_kwh=per_kwh)


SLOTS = st.lists(
    st.builds(
        lambda start, length, per_kwh: slot(start, start + length, per_kwh),
        st.integers(0, 24),
        st.integers(-2, 12),
        # Each price tells the slots apart.
        st.floats(-1, 1, allow_nan=False),
    ),
    max_size=12,
)


@given(SLOTS)
def test_at_every_moment_the_slot_given_last_wins_and_gaps_stay(slots: list[PriceSlot]) -> None:
    curve = PriceCurve.from_slots(slots)
    for half_hour in range(-4, 80):
        moment = at(half_hour / 2)
        covering = [one.per_kwh for one in slots if one.start <= moment < one.end]
        found = curve.at(moment)
        assert (found and found.per_kwh) == (covering[-1] if covering else None)


@given(SLOTS)
def test_a_curve_is_in_time_order_without_overlaps_or_empty_slots(slots: list[PriceSlot]) -> None:
    curve = PriceCurve.from_slots(slots)
    assert all(one.start < one.end for one in curve)
    assert all(before.end <= after.start for before, after in pairwise(curve))
    assert len(curve) <= 2 * len(slots)


@given(SLOTS)
def test_a_curve_built_again_from_its_own_slots_is_the_same(slots: list[PriceSlot]) -> None:
    curve = PriceCurve.from_slots(slots)
    assert PriceCurve.from_slots(reversed(curve.slots)) == curve


@pytest.mark.parametrize(
    ("slots", "seen"),
    [
        ([], []),
        ([slot(1, 1)], []),
        ([slot(2, 1)], []),
        ([slot(1, 2, 0.2), slot(0, 1, 0.1)], [slot(0, 1, 0.1), slot(1, 2, 0.2)]),
        ([slot(0, 1), slot(2, 3)], [slot(0, 1), slot(2, 3)]),
        (
            [slot(0, 4, 0.1), slot(1, 2, 0.2)],
            [slot(0, 1, 0.1), slot(1, 2, 0.2), slot(2, 4, 0.1)],
        ),
        ([slot(1, 2, 0.2), slot(0, 4, 0.1)], [slot(0, 4, 0.1)]),
        ([slot(0, 2, 0.1), slot(0, 2, 0.2)], [slot(0, 2, 0.2)]),
    ],
    ids=["none", "empty", "backwards", "unordered", "gap", "over", "under", "same"],
)
def test_a_curve_shows_what_lies_on_top(slots: list[PriceSlot], seen: list[PriceSlot]) -> None:
    assert list(PriceCurve.from_slots(slots)) == seen


class Counted(datetime):
    """A moment that counts how often moments are compared."""

    compared: ClassVar[int] = 0

    def __lt__(self, other: object) -> bool:
        Counted.compared += 1
        assert isinstance(other, datetime)
        return super().__lt__(other)

    def __le__(self, other: object) -> bool:
        Counted.compared += 1
        assert isinstance(other, datetime)
        return super().__le__(other)


def comparisons(slots: list[PriceSlot]) -> int:
    Counted.compared = 0
    PriceCurve.from_slots(slots)
    return Counted.compared


def shuffled(count: int, length: int) -> list[PriceSlot]:
    begin = Counted(2026, 1, 1, tzinfo=UTC)
    places = [n * 7919 % count for n in range(count)]
    return [
        PriceSlot(
            start=begin + timedelta(minutes=place),
            end=begin + timedelta(minutes=place + length),
            per_kwh=0.1,
        )
        for place in places
    ]


@pytest.mark.parametrize("length", [1, 10_000], ids=["side by side", "all overlapping"])
def test_ten_times_the_slots_cost_little_more_than_ten_times_the_work(length: int) -> None:
    few, many = comparisons(shuffled(300, length)), comparisons(shuffled(3_000, length))
    assert few > 0
    assert many < 15 * few


def test_slots_that_overlap_make_no_curve() -> None:
    with pytest.raises(ValueError, match=r"overlap at 2026-11-21T01:00:00\+00:00"):
        PriceCurve(slots=(slot(0, 2), slot(1, 3)))


def test_a_curve_keeps_where_it_came_from() -> None:
    curve = PriceCurve.from_slots(
        [slot(0, 1)], currency="EUR", source="a supplier", fetched_at=at(0)
    )
    assert (curve.currency, curve.source, curve.fetched_at) == ("EUR", "a supplier", at(0))


CURVE = PriceCurve.from_slots([slot(0, 1, 0.1), slot(1, 2, 0.2), slot(3, 4, 0.3)])


@pytest.mark.parametrize(
    ("hours", "price"),
    [(-0.1, None), (0, 0.1), (0.99, 0.1), (1, 0.2), (2, None), (2.5, None), (3, 0.3), (4, None)],
)
def test_a_slot_holds_from_its_start_to_just_before_its_end(
    hours: float, price: float | None
) -> None:
    found = CURVE.at(at(hours))
    assert (found and found.per_kwh) == price


def test_a_moment_of_any_zone_finds_its_slot() -> None:
    moment = datetime(2026, 11, 21, 1, 30, tzinfo=timezone(timedelta(hours=1)))
    assert CURVE.at(moment) == slot(0, 1, 0.1)


def test_between_two_moments_lie_whole_slots() -> None:
    assert CURVE.between(at(0.5), at(1)) == (slot(0, 1, 0.1),)
    assert CURVE.between(at(1.5), at(3.5)) == (slot(1, 2, 0.2), slot(3, 4, 0.3))
    assert CURVE.between(at(2), at(3)) == ()


def test_from_now_the_slot_we_are_in_comes_first() -> None:
    assert CURVE.from_now(at(1.5)) == (slot(1, 2, 0.2), slot(3, 4, 0.3))
    assert CURVE.from_now(at(4)) == ()


@pytest.mark.parametrize(
    ("slots", "now", "seen"),
    [
        ([], 0, []),
        ([slot(0, 0.5), slot(0.5, 1)], 0.25, [slot(0, 0.5), slot(0.5, 1)]),
        ([slot(-9_000, 1)], 0.2, [slot(0, 0.5), slot(0.5, 1)]),
        ([slot(0.25, 1.25)], 0.3, [slot(0.25, 0.5), slot(0.5, 1), slot(1, 1.25)]),
        ([slot(0, 0.25), slot(0.25, 0.5)], 0.3, [slot(0.25, 0.5)]),
        ([slot(0, 1, 0.1), slot(2, 2.5, 0.2)], 0.5, [slot(0.5, 1, 0.1), slot(2, 2.5, 0.2)]),
    ],
    ids=["none", "halves", "long ago", "off the grid", "quarters", "gap"],
)
def test_half_hours_are_told_apart_from_now_on(
    slots: list[PriceSlot], now: float, seen: list[PriceSlot]
) -> None:
    assert list(PriceCurve.from_slots(slots).half_hours(at(now))) == seen


def test_half_hours_reach_two_days_and_are_in_utc() -> None:
    now = at(0.1).astimezone(timezone(timedelta(hours=1)))
    found = PriceCurve(slots=(slot(-1, 1_000_000),)).half_hours(now)
    assert found[0] == slot(0, 0.5)
    assert found[-1] == slot(48, 48.5)
    assert {one.start.tzinfo for one in found} == {UTC}


@given(SLOTS, st.floats(-4, 40))
def test_half_hours_cost_what_the_curve_costs(slots: list[PriceSlot], now: float) -> None:
    curve = PriceCurve.from_slots(slots)
    halves = PriceCurve(slots=curve.half_hours(at(now)))
    for one in halves:
        assert at(now) < one.end <= one.start + timedelta(minutes=30)
        assert curve.at(one.start) == curve.at(one.end - timedelta(seconds=1))
    for hours in range(1, 40):
        assert (curve.at(at(now + hours)) is None) == (halves.at(at(now + hours)) is None)


def test_a_curve_ends_with_its_last_slot() -> None:
    assert CURVE.ends == at(4)
    assert PriceCurve(slots=()).ends is None


def test_only_prices_from_a_source_grow_old() -> None:
    fetched = PriceCurve(slots=(), fetched_at=at(0))
    assert fetched.age(at(2)) == timedelta(hours=2)
    assert CURVE.age(at(2)) is None


def test_a_house_without_a_tariff_has_no_prices() -> None:
    assert Prices() == Prices(buy=None, sell=None)


@pytest.mark.parametrize(
    ("confidence", "usual", "expected", "believed"),
    [
        pytest.param(1.0, 0.3, 0.1, 0.1, id="sure"),
        pytest.param(0.75, 0.3, 0.15, 0.1, id="likely"),
        pytest.param(0.25, 0.3, 0.25, 0.3, id="not likely"),
        pytest.param(0.25, None, 0.1, 0.1, id="nobody knows the usual price"),
    ],
)
def test_a_price_that_may_not_hold_counts_as_likely_as_it_is(
    confidence: float, usual: float | None, expected: float, believed: float
) -> None:
    doubtful = replace(slot(0, 1), confidence=confidence, usual_per_kwh=usual)
    assert doubtful.expected_per_kwh == pytest.approx(expected)
    assert doubtful.believed_per_kwh(0.5) == believed
