"""Statuses are true means, whenever the house takes its turns."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from houses import LONDON, NOON
from ohmstead.outputs.pvoutput_status import Status, StatusMaker

FIVE = timedelta(minutes=5)
Turn = tuple[float, float | None, float | None]


def made(*turns: Turn) -> list[Status]:
    """Return what comes of *turns*: minutes since noon, sun and load in watts."""
    maker = StatusMaker(FIVE)
    return [
        status
        for minutes, pv_w, load_w in turns
        for status in maker.see(NOON + timedelta(minutes=minutes), pv_w, load_w)
    ]


def a_status(minutes: float, pv_w: int | None, load_w: int | None) -> Status:
    return Status(at=NOON + timedelta(minutes=minutes), pv_w=pv_w, load_w=load_w)


def every_minute(pv_w: float | None, load_w: float | None, first: int, last: int) -> list[Turn]:
    return [(minute, pv_w, load_w) for minute in range(first, last + 1)]


def test_a_status_is_the_mean_of_its_five_minutes() -> None:
    turns = [*every_minute(1_000, 400, 0, 2), *every_minute(2_000, 900, 3, 5)]
    assert made(*turns) == [a_status(5, 1_400, 600)]


def test_a_power_counts_for_as_long_as_it_flowed() -> None:
    assert made((0, 1_000, 0), (2.5, 3_000, 0), (5, 0, 0)) == [a_status(5, 2_000, 0)]


def test_statuses_stand_at_full_five_minutes_of_the_hour() -> None:
    turns = [(minute + 0.7, 600, 300) for minute in range(1, 12)]
    assert [status.at for status in made(*turns)] == [NOON + FIVE, NOON + 2 * FIVE]


@pytest.mark.parametrize(
    ("turns", "statuses"),
    [
        pytest.param([*every_minute(None, 400, 0, 5)], [a_status(5, None, 400)], id="the sun"),
        pytest.param([*every_minute(None, None, 0, 5)], [], id="everything"),
        pytest.param([*every_minute(800, None, 0, 1), *every_minute(800, 400, 2, 5)],
                     [a_status(5, 800, 400)], id="the load, at first"),
        pytest.param([*every_minute(800, 400, 0, 1), *every_minute(800, None, 2, 5)],
                     [a_status(5, 800, None)], id="the load, for most of the time"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_left_out(turns: list[Turn], statuses: list[Status]) -> None:
    assert made(*turns) == statuses


def test_a_gap_is_not_filled() -> None:
    turns = [*every_minute(800, 400, 0, 6), *every_minute(800, 400, 40, 46)]
    assert [status.at for status in made(*turns)] == [
        NOON + FIVE, NOON + 2 * FIVE, NOON + 9 * FIVE
    ]  # fmt: skip


def test_a_clock_put_back_makes_no_second_status() -> None:
    assert len(made(*every_minute(800, 400, 0, 6), *every_minute(800, 400, 3, 6))) == 1


def test_a_clock_that_jumps_by_years_makes_none_for_them() -> None:
    assert len(made((0, 1, 1), (60 * 24 * 365 * 50, 1, 1))) <= 1


def test_a_meter_below_zero_is_zero() -> None:
    assert made(*every_minute(-7, 300, 0, 5)) == [a_status(5, 0, 300)]


@given(st.lists(st.floats(0.01, 2.9), min_size=5, max_size=60), st.floats(0, 9_999))
def test_a_steady_power_is_what_every_status_says(steps: list[float], watts: float) -> None:
    at, turns = 0.0, list[Turn]()
    for step in steps:
        turns.append((at, watts, watts))
        at += step
    statuses = made(*turns)
    assert all(status.pv_w == pytest.approx(watts, abs=0.501) for status in statuses)
    assert len(statuses) == len({status.at for status in statuses})


def test_times_are_the_houses_own() -> None:
    status = Status(at=datetime(2026, 6, 21, 23, 5, tzinfo=UTC), pv_w=None, load_w=400)
    assert status.fields(LONDON) == ("20260622", "00:05", "", "400")
