"""The correction learns shade and scale from few days, and never leaves what is possible."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.forecasts import quarters
from ohmstead.forecasts.learned import CLOUDED, FORETOLD, Past, learn, quantile
from ohmstead.forecasts.panels import Air, ArraySettings, Panels
from ohmstead.forecasts.quarters import Told
from ohmstead.forecasts.sun import Place, Sun, clear_light, sun_at

LONDON = Place(latitude=51.5, longitude=-0.1)
PANELS = Panels([ArraySettings(kwp=4)])
MIDNIGHT = datetime(2026, 6, 21, tzinfo=UTC)
MOST_W = 4_000.0


def lessons(days: int, truth: float = 1.0, chimney: tuple[float, float] = (0, 0)) -> list[Past]:
    """Return clear days of which *truth* came true, nothing while the sun was in *chimney*."""
    found = []
    for quarter in range(quarters.of(MIDNIGHT - timedelta(days=days)), quarters.of(MIDNIGHT)):
        moment = quarters.begin(quarter) + timedelta(minutes=7)
        sun = sun_at(moment, LONDON)
        clear_w = PANELS.power_w(sun, clear_light(sun, moment, LONDON), Air())
        share = 0.1 if chimney[0] <= sun.azimuth < chimney[1] else truth
        age = float(quarters.of(MIDNIGHT) - quarter)
        found.append(Past(age, sun, clear_w, clear_w, clear_w * share))
    return found


def a_sun(azimuth: float, height: float = 40) -> Sun:
    return Sun(height, azimuth, 1_330)


def test_nothing_learnt_changes_nothing() -> None:
    correction = learn((), MOST_W, FORETOLD)
    told = Told(500, 1_000, 1_500)
    assert correction.corrected(told, a_sun(180), 3_000, own_spread=True) == pytest.approx(told)
    low, middle, high = correction.corrected(told, a_sun(180), 3_000, own_spread=False)
    assert middle == pytest.approx(1_000)
    assert low < 900
    assert high > 1_100


@pytest.mark.parametrize(
    ("days", "near"),
    [
        pytest.param(1, 0.15, id="one day is most of the way"),
        pytest.param(7, 0.05, id="a week is nearly all of it"),
        pytest.param(30, 0.03, id="a month"),
    ],
)
def test_panels_that_make_less_than_said_are_believed(days: int, near: float) -> None:
    correction = learn(lessons(days, truth=0.7), MOST_W, FORETOLD)
    assert correction.overall == pytest.approx(0.7, abs=near)
    assert correction.factor(a_sun(180, 60)) == pytest.approx(0.7, abs=near)


def test_a_chimney_shades_only_where_it_stands() -> None:
    correction = learn(lessons(21, chimney=(120, 165)), MOST_W, FORETOLD)
    assert correction.factor(a_sun(142, 54)) < 0.35
    assert correction.factor(a_sun(235, 45)) > 0.9
    assert correction.factor(a_sun(95, 25)) > 0.85


def test_what_was_lately_counts_most() -> None:
    old = [past._replace(age=past.age + 40 * 96) for past in lessons(20, truth=0.5)]
    correction = learn([*old, *lessons(20, truth=0.9)], MOST_W, FORETOLD)
    assert correction.overall == pytest.approx(0.9, abs=0.07)


def test_what_the_inverter_cut_off_teaches_nothing() -> None:
    clipped = [past._replace(measured_w=2_000, told_w=3_000) for past in lessons(5)]
    assert learn(clipped, 2_000, FORETOLD).overall == pytest.approx(1.0)


def test_percentiles_come_from_past_errors() -> None:
    steady, shaky = list[Past](), list[Past]()
    for number, past in enumerate(lessons(21)):
        steady.append(past)
        shaky.append(past._replace(measured_w=past.measured_w * (0.5 + (number * 7 % 11) / 10)))
    sure, unsure = learn(steady, MOST_W, FORETOLD), learn(shaky, MOST_W, FORETOLD)
    assert sure.errors(2_900, 3_000) == pytest.approx((1, 1), abs=0.12)
    low, high = unsure.errors(2_900, 3_000)
    assert low < 0.7
    assert high > 1.3


def test_a_clear_sky_alone_learns_how_much_is_left_of_it() -> None:
    assert learn((), MOST_W, CLOUDED).overall == pytest.approx(0.55)
    assert learn(lessons(14, truth=0.3), MOST_W, CLOUDED).overall == pytest.approx(0.3, abs=0.03)


POWERS = st.floats(0, 20_000)


@given(
    st.lists(st.tuples(st.floats(0, 3_000), st.floats(-5, 70), st.floats(0, 360), POWERS, POWERS)),
    st.tuples(POWERS, POWERS, POWERS),
    st.floats(0, 5_000),
    st.floats(-5, 90),
    st.floats(0, 360),
    st.booleans(),
)
def test_whatever_was_measured_the_answer_is_possible(
    said: list[tuple[float, float, float, float, float]],
    powers: tuple[float, float, float],
    clear_w: float,
    height: float,
    azimuth: float,
    own_spread: bool,
) -> None:
    past = [Past(age, Sun(up, east, 1_330), told, told, made) for age, up, east, told, made in said]
    correction = learn(past, MOST_W, FORETOLD)
    low, middle, high = correction.corrected(
        Told(*sorted(powers)), a_sun(azimuth, height), clear_w, own_spread=own_spread
    )
    assert 0 <= low <= middle <= high <= MOST_W
    assert high <= 1.25 * clear_w + 0.01 * MOST_W


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0.001, 100)), min_size=1),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_quantiles_rise(weighted: list[tuple[float, float]], one: float, other: float) -> None:
    values = [value for value, _ in weighted]
    low, high = (quantile(weighted, share) for share in sorted((one, other)))
    assert min(values) <= low or math.isclose(min(values), low, abs_tol=1e-6)
    assert low <= high or math.isclose(low, high, abs_tol=1e-6)
    assert high <= max(values) or math.isclose(max(values), high, abs_tol=1e-6)


def test_the_median_of_equal_weights() -> None:
    assert quantile([(3, 1), (1, 1), (2, 1)], 0.5) == 2
