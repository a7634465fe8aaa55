"""The days to tell stories of are the days they claim to be."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from ohmstead.simulation import SCENARIOS, Scenario, agile_prices

LONDON = ZoneInfo("Europe/London")
every_day = pytest.mark.parametrize("day", SCENARIOS.values(), ids=lambda day: day.name)


@every_day
def test_prices_cover_the_day_and_the_next_without_a_hole(day: Scenario) -> None:
    for prices in (day.import_prices, day.export_prices):
        starts = [start for start, _ in prices]
        assert starts[0] == day.start
        assert {b - a for a, b in pairwise(starts)} == {timedelta(minutes=30)}
        end = (starts[-1] + timedelta(minutes=30)).astimezone(LONDON)
        assert (end.date(), end.hour, end.minute) == (day.date + timedelta(days=2), 0, 0)
        assert all(start.tzinfo is UTC for start in starts)


@every_day
def test_prices_are_dearest_in_the_evening_and_cheap_at_night(day: Scenario) -> None:
    local = [(start.astimezone(LONDON), price) for start, price in day.import_prices]
    peak = [price for at, price in local if 16 <= at.hour < 19]
    night = [price for at, price in local if 2 <= at.hour < 5]
    assert min(peak) > max(night)
    assert all(-0.3 < price <= 1 for _, price in local)
    assert all(price >= 0 for _, price in day.export_prices)


@every_day
def test_its_house_lives_from_its_midnight_on(day: Scenario) -> None:
    house = day.build()
    assert house.at == day.start
    house.advance(day.start + timedelta(hours=24))
    assert house.totals.load_kwh > 5
    assert (day.latitude, day.longitude) == (51.48, -0.01)


@pytest.mark.parametrize(
    ("name", "slots"),
    [
        pytest.param("winter", 48, id="a day of 24 hours"),
        pytest.param("dst_spring", 46, id="a day of 23 hours"),
        pytest.param("dst_autumn", 50, id="a day of 25 hours"),
    ],
)
def test_days_have_their_half_hours(name: str, slots: int) -> None:
    day = SCENARIOS[name]
    assert len(agile_prices(day.date, LONDON, days=1)) == slots
    assert len(day.import_prices) == slots + 48


def test_a_plunge_goes_below_zero_and_a_summer_night_below_five_pence() -> None:
    assert min(price for _, price in SCENARIOS["plunge"].import_prices) < 0
    summer = [price for _, price in SCENARIOS["summer"].import_prices]
    assert sum(price < 0.05 for price in summer[:24]) >= 4
    assert min(price for _, price in SCENARIOS["winter"].import_prices) > 0.05


def test_the_same_seed_draws_the_same_prices() -> None:
    day = date(2026, 1, 15)
    assert agile_prices(day, LONDON, seed=1) == agile_prices(day, LONDON, seed=1)
    assert agile_prices(day, LONDON, seed=1) != agile_prices(day, LONDON, seed=2)


def test_the_price_has_a_cap() -> None:
    prices = agile_prices(date(2026, 1, 15), LONDON, mean_per_kwh=2)
    assert max(price for _, price in prices) == 1
    assert prices[0][0] == datetime(2026, 1, 15, tzinfo=UTC)
