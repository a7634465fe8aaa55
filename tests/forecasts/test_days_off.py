"""The days off are the public holidays, and what the owner adds."""

from datetime import date, timedelta

import holidays
import pytest

from ohmstead.forecasts.days_off import check_country, days_off, easter


@pytest.mark.parametrize("country", ["GB-ENG", "GB-WLS", "GB-SCT", "GB-NIR"])
def test_the_united_kingdoms_are_those_of_the_library(country: str) -> None:
    years = range(2027, 2045)  # before, there were days for one king or one queen
    known = holidays.country_holidays("GB", subdiv=country[3:], years=years)
    off = days_off(country)
    day = date(2027, 1, 1)
    while day.year < 2045:
        assert off(day) == (day in known), (day, known.get(day))
        day += timedelta(days=1)


@pytest.mark.parametrize(
    "day", [date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2038, 4, 25)]
)
def test_easter(day: date) -> None:
    assert easter(day.year) == day


def test_other_countries_come_from_the_library() -> None:
    assert days_off("DE-BY")(date(2026, 1, 6))
    assert not days_off("DE")(date(2026, 1, 6))


def test_the_owner_adds_days() -> None:
    away = date(2026, 7, 7)
    assert days_off("none", (away,))(away)
    assert days_off("GB-ENG", (away,))(away)
    assert not days_off("none")(date(2026, 12, 25))


@pytest.mark.parametrize(
    ("country", "complaint"),
    [
        pytest.param("GB", "GB-ENG", id="which part of it"),
        pytest.param("Germany", "two letters", id="not a code"),
        pytest.param("XX", "nobody knows", id="no country"),
        pytest.param("DE-XX", "nobody knows", id="no part of it"),
    ],
)
def test_what_is_no_country_is_refused_with_the_remedy(country: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        check_country(country)


@pytest.mark.parametrize("country", ["none", "GB-SCT", "DE", "US-CA"])
def test_countries_that_are_known(country: str) -> None:
    check_country(country)
