"""Replays: the books balance, nothing peeks, nothing beats the bound."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ohmstead.backtest.bound import bound
from ohmstead.backtest.foretold import foretell, perfect
from ohmstead.backtest.replay import Outcome, replay, without_battery
from ohmstead.backtest.strategies import BOUND, NO_BATTERY, STRATEGIES, player_of
from ohmstead.backtest.synthetic import SyntheticHouse
from ohmstead.backtest.tariffs import TARIFFS, Known, Tariff, agile, tariff_named
from ohmstead.backtest.world import HALF_HOUR, Plant, World, half_hours
from ohmstead.errors import ProblemError
from ohmstead.model import Decision

LONDON = ZoneInfo("Europe/London")
PLAYED = [name for name in STRATEGIES if name not in {NO_BATTERY, BOUND}]
HOUSES = {
    "coupled on AC": Plant(),
    "hybrid": Plant(inverter_w=3_600, export_max_w=3_600),
}


@pytest.fixture(scope="module")
def spring() -> World:
    """Three days in April, with a week before them."""
    return SyntheticHouse(first=date(2025, 4, 8), days=3, past_days=7, seed=1).world()


def tariff_of(name: str, world: World) -> Tariff:
    return tariff_named(name, world, 1)


@pytest.mark.parametrize("plant", HOUSES.values(), ids=HOUSES.keys())
@pytest.mark.parametrize("tariff", TARIFFS)
def test_the_books_balance_and_nothing_beats_the_bound(
    spring: World, tariff: str, plant: Plant
) -> None:
    world = spring.with_plant(plant)
    prices = tariff_of(tariff, world)
    least = bound(world, prices)
    for name in PLAYED:
        outcome = replay(world, prices, player_of(name, plant))
        assert balance_kwh(outcome, plant) == pytest.approx(0, abs=1e-6)
        assert outcome.cost == pytest.approx(sum(outcome.costs))
        assert len(outcome.costs) == 3
        assert least.net <= outcome.net + 1e-6
        assert outcome.plans == (3 * 48 if name.startswith("plan") else 0)
    assert least.net <= without_battery(world, prices).net + 1e-6


def balance_kwh(o: Outcome, plant: Plant) -> float:
    """Return what came in and did not go out: nothing, in a house that obeys physics."""
    inside = o.charged_kwh * plant.charge_efficiency - o.discharged_kwh / plant.discharge_efficiency
    assert o.last_kwh == pytest.approx(o.first_kwh + inside)
    return o.import_kwh + o.pv_kwh + o.discharged_kwh - o.export_kwh - o.load_kwh - o.charged_kwh


@pytest.mark.parametrize("tariff", ["agile", "flux"])
@pytest.mark.parametrize("strategy", PLAYED)
def test_another_future_changes_no_decision_of_the_past(
    spring: World, tariff: str, strategy: str
) -> None:
    """From a moment on load, sun and unpublished prices become others; weather news stay."""
    turn = spring.begin + 70
    each = spring.steps_each
    random = np.random.default_rng(7)
    load_w, pv_w, told_w = spring.load_w.copy(), spring.pv_w.copy(), spring.told_w.copy()
    load_w[turn * each :] = random.uniform(0, 5_000, len(load_w) - turn * each)
    pv_w[turn * each :] = random.uniform(0, 4_000, len(pv_w) - turn * each)
    told_w[turn // 12 + 1 :] = random.uniform(0, 4_000, told_w[turn // 12 + 1 :].shape)
    other = replace(spring, load_w=load_w, pv_w=pv_w, told_w=told_w)
    prices = tariff_of(tariff, spring)
    known = prices.known_until(spring.at(turn), spring.zone) - prices.start
    first = known // HALF_HOUR
    others = replace(
        prices,
        buy=(*prices.buy[:first], *random.uniform(-0.1, 0.9, len(prices.buy[first:])).tolist()),
        sell=(*prices.sell[:first], *random.uniform(0, 0.4, len(prices.sell[first:])).tolist()),
    )
    was, became = heard(spring, prices, strategy), heard(other, others, strategy)
    until = turn - spring.begin + 1  # the decision at the turn itself is made before it
    assert was[:until] == became[:until]
    if strategy.startswith("plan"):
        assert was[until:] != became[until:]


def heard(world: World, tariff: Tariff, strategy: str) -> list[tuple[object, str]]:
    decisions: list[Decision] = []
    replay(world, tariff, player_of(strategy, world.plant), decisions.append)
    return [(decision.command, decision.reason) for decision in decisions]


@pytest.mark.parametrize(
    ("at", "until"),
    [
        pytest.param(datetime(2025, 7, 1, 14, 59), datetime(2025, 7, 1, 22), id="before 16:00"),
        pytest.param(datetime(2025, 7, 1, 15, 0), datetime(2025, 7, 2, 22), id="at 16:00"),
        pytest.param(datetime(2025, 1, 1, 15, 59), datetime(2025, 1, 1, 23), id="in winter"),
    ],
)
def test_agile_is_known_when_it_is_published(at: datetime, until: datetime) -> None:
    start = at.replace(hour=0, minute=0, tzinfo=UTC) - timedelta(days=1)
    tariff = agile(start, LONDON, 48 * 5)
    prices = Known(tariff, LONDON).at(at.replace(tzinfo=UTC))
    assert prices.buy is not None
    assert prices.sell is not None
    assert prices.buy.ends == prices.sell.ends == until.replace(tzinfo=UTC)


def test_a_tariff_by_the_clock_is_known_further_than_a_plan_reaches() -> None:
    world = SyntheticHouse(first=date(2025, 3, 29), days=2, past_days=0).world()
    known = Known(tariff_of("go", world), LONDON)
    for half in range(world.end):
        now = world.at(half)
        buy = known.at(now).buy
        assert buy is not None
        assert buy.ends is not None
        assert buy.ends - now >= timedelta(hours=36)
        slot = buy.at(now)
        assert slot is not None
        local = now.astimezone(LONDON)
        cheap = (0, 30) <= (local.hour, local.minute) < (5, 30)
        assert slot.per_kwh == (0.085 if cheap else 0.285)


def test_the_bound_is_what_the_planner_finds_when_all_fits_in_one_plan(spring: World) -> None:
    """A day is short enough for one problem; chained spans must come to the same."""
    day = replace(spring, begin=spring.end - 48)
    prices = tariff_of("agile", day)
    whole = bound(day, prices).net
    two = replace(spring, begin=spring.end - 144)
    assert bound(two, tariff_of("agile", two)).net == pytest.approx(
        bound(two, tariff_of("agile", two), span_h=6).net, abs=1e-9
    )
    assert whole <= replay(day, prices, player_of("plan", day.plant)).net


def test_a_weather_service_is_wrong_but_not_foolish(spring: World) -> None:
    sun = half_hours(spring.pv_w, spring.steps_each)
    told = foretell(sun, 12, seed=3)
    right = perfect(sun, 12)
    assert told.shape == right.shape
    bright = right > 200
    wrong = np.abs(told - right)[bright].mean() / right[bright].mean()
    assert 0.1 < wrong < 0.7
    assert told.max() <= right.max() + 1e-6
    assert (told[right.sum(axis=1) == 0] == 0).all()


def test_the_same_seed_is_the_same_house() -> None:
    one, two = (SyntheticHouse(days=1, past_days=1, seed=4).world() for _ in range(2))
    assert np.array_equal(one.load_w, two.load_w)
    assert np.array_equal(one.told_w, two.told_w)
    assert not np.array_equal(one.load_w, SyntheticHouse(days=1, past_days=1).world().load_w)


def test_a_day_of_23_hours_is_46_half_hours() -> None:
    world = SyntheticHouse(first=date(2025, 3, 30), days=1, past_days=0).world()
    assert world.end == 46
    assert replay(world, tariff_of("agile", world), player_of("plan", world.plant)).plans == 46


def test_a_tariff_nobody_knows_is_refused_with_those_there_are(spring: World) -> None:
    with pytest.raises(ProblemError, match="there is agile"):
        tariff_of("economy9", spring)


def test_a_strategy_nobody_knows_is_refused_with_those_there_are(spring: World) -> None:
    with pytest.raises(ProblemError, match="there is no_battery"):
        player_of("magic", spring.plant)
