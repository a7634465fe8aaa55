"""Rolling up: time-weighted means, energies that survive gaps, totals that survive resets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.history.buckets import FIVE_S, HOUR_S, Bucket, merged, regrouped
from ohmstead.history.rollup import Rollup
from ohmstead.history.signals import Form, Signal

GRID = Signal("meter", "grid_w")
TOTAL = Signal("meter", "import_kwh", Form.TOTAL)
GAP_S = 900


def rolled(
    signal: Signal, samples: list[tuple[float, float | None]], step_s: int = FIVE_S
) -> dict[int, Bucket]:
    """Roll up samples given as (second, value)."""
    rollup = Rollup(GAP_S, 0, step_s)
    for second, value in samples:
        rollup.add(signal, round(second * 1_000), value)
    return rollup.rows([signal], 0, 2**40)[signal]


def grown(*values: float | None, every_s: float = 60) -> float:
    row = rolled(TOTAL, [(n * every_s, value) for n, value in enumerate(values)])
    return merged(row[at] for at in sorted(row)).up


def test_the_mean_is_weighted_by_time() -> None:
    row = rolled(GRID, [(0, 1_000), (60, 0), (300, 0)])
    assert row[0].mean == 200
    assert (row[0].low, row[0].high, row[0].last, row[0].count) == (0, 1_000, 0, 2)


def test_a_value_holds_through_steps_without_a_sample() -> None:
    row = rolled(GRID, [(0, 500), (600, 100)])
    assert (row[300].count, row[300].mean, row[300].covered_s) == (0, 500, 300)


def test_import_and_export_are_added_up_apart() -> None:
    whole = merged(rolled(GRID, [(0, 3_000), (600, -1_500), (1_200, 0)]).values())
    assert whole.up == pytest.approx(0.5)
    assert whole.down == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("samples", "kwh"),
    [
        pytest.param([(0, 6_000), (900, 6_000)], 1.5, id="a heartbeat apart"),
        pytest.param([(0, 6_000), (901, 6_000)], 0, id="longer than a gap"),
        pytest.param([(0, 6_000), (300, None), (600, 6_000), (900, 0)], 1, id="silent between"),
        pytest.param(
            [(0, 6_000), (300, 6_000), (4_000, 6_000), (4_300, 0)], 1, id="hole of an hour"
        ),
        pytest.param([(600, 6_000), (300, 6_000), (600, 0)], 0.5, id="the clock was set back"),
    ],
)
def test_a_gap_adds_nothing(samples: list[tuple[float, float | None]], kwh: float) -> None:
    assert merged(rolled(GRID, samples).values()).up == pytest.approx(kwh)


@pytest.mark.parametrize(
    ("values", "kwh"),
    [
        pytest.param((100.0, 100.5, 101.5), 1.5, id="counting"),
        pytest.param((8.2, 8.4, 0.0, 0.3), 0.5, id="back to zero at midnight"),
        pytest.param((8.2, 0.3, 0.5), 0.5, id="zero itself was missed"),
        pytest.param((100.3, 100.2, 100.3, 100.4), 0.1, id="a decrement of 0.1 counts nothing"),
        pytest.param((5_000.0, 12.0, 13.0), 13, id="a new meter"),
        pytest.param((5_000.0, 4_000.0, 4_001.0), 1, id="corrected downwards"),
        pytest.param((5_000.0, 0.0, 5_000.2), 0.2, id="one wrong zero"),
        pytest.param((5_000.0, 0.0, 3.0, 0.0, 5_000.2), 3.2, id="several wrong readings"),
        pytest.param((7.0, None, None, 7.5), 0.5, id="across a gap"),
        pytest.param((7.0,), 0, id="the first reading is no growth"),
    ],
)
def test_a_total_grows_by(values: tuple[float | None, ...], kwh: float) -> None:
    assert grown(*values) == pytest.approx(kwh)


def test_a_total_grows_across_a_night_without_readings() -> None:
    assert grown(7.0, 9.0, every_s=36_000) == 2


def test_a_day_counter_may_pass_yesterdays_value_later() -> None:
    assert grown(2.0, 0.0, 1.0, 3.0, every_s=3_600) == 3


def test_hours_are_complete_once_no_held_value_can_reach_back() -> None:
    rollup = Rollup(GAP_S)
    rollup.add(GRID, 3_000_000, 100.0)
    assert rollup.complete(HOUR_S + GAP_S - 1) == {}
    assert list(rollup.complete(HOUR_S + GAP_S)) == [0]
    rollup.forget(HOUR_S)
    assert rollup.rows([GRID], 0, HOUR_S) == {GRID: {}}
    rollup.add(GRID, 3_700_000, 200.0)
    row = rollup.rows([GRID], 0, 2 * HOUR_S)[GRID]
    assert (list(row), row[HOUR_S].covered_s) == ([HOUR_S], 100)


waits = st.floats(0.001, 1_500)
powers = st.integers(-10_000, 10_000).map(float)
walks = st.lists(st.tuples(waits, st.none() | powers), min_size=1, max_size=80)


@given(walks)
def test_rolling_up_twice_is_rolling_up_once(walk: list[tuple[float, float | None]]) -> None:
    second, samples = 0.0, []
    for wait, value in walk:
        second += wait
        samples.append((second, value))
    hours = rolled(GRID, samples, HOUR_S)
    twice = regrouped(rolled(GRID, samples), 0, HOUR_S)
    assert list(twice) == sorted(hours)
    for at, hour in hours.items():
        again = twice[at]
        assert (again.low, again.high, again.last) == (hour.low, hour.high, hour.last)
        assert again.count == hour.count
        assert (again.up, again.down) == pytest.approx((hour.up, hour.down))
        assert again.mean == pytest.approx(hour.mean)


@given(walks)
def test_a_mean_lies_between_the_least_and_the_most(
    walk: list[tuple[float, float | None]],
) -> None:
    second, samples = 0.0, []
    for wait, value in walk:
        second += wait
        samples.append((second, value))
    for bucket in rolled(GRID, samples).values():
        assert bucket.low - 1e-6 <= bucket.mean <= bucket.high + 1e-6
        assert bucket.covered_s <= FIVE_S + 1e-6
