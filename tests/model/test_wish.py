"""A wish is checked once, for every door it may come through."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from houses import NOON
from ohmstead.errors import RequestError
from ohmstead.model import BatteryMode, Wish


def test_a_wish_for_minutes_ends_that_long_from_now() -> None:
    request = Wish(mode=BatteryMode.CHARGE, minutes=30, power_w=2_000).request("a", "mqtt", NOON)
    assert (request.id, request.asked_by, request.made_at) == ("a", "mqtt", NOON)
    assert request.until == NOON + timedelta(minutes=30)
    assert request.want.until == request.until  # type: ignore[union-attr]


def test_a_wish_for_self_use_has_an_end_but_its_command_none() -> None:
    request = Wish(mode=BatteryMode.SELF_USE, minutes=30).request("a", "mqtt", NOON)
    assert request.until is not None
    assert request.want.until is None  # type: ignore[union-attr]


def test_a_wish_until_a_moment_is_kept_in_utc() -> None:
    until = datetime.fromisoformat("2026-06-21T15:00+01:00")
    request = Wish(mode=BatteryMode.HOLD, until=until).request("a", "mqtt", NOON)
    assert request.until == until
    assert request.until.tzinfo is UTC


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "either minutes or until"),
        ({"minutes": 5, "until": NOON}, "either minutes or until"),
        ({"until": datetime(2026, 6, 21, 15)}, "needs a zone"),
        ({"until": NOON + timedelta(days=8)}, "7 days"),
    ],
)
def test_an_end_that_cannot_be(given: dict[str, Any], says: str) -> None:
    with pytest.raises(RequestError, match=says):
        Wish(mode=BatteryMode.CHARGE, **given).request("a", "mqtt", NOON)


def test_an_end_that_is_past_is_left_to_the_inbox() -> None:
    dawn = datetime.fromisoformat("0001-01-01T00:00+12:00")
    assert Wish(mode=BatteryMode.CHARGE, until=dawn).request("a", "mqtt", NOON).until == dawn


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"minutes": 0}, "more than 0"),
        ({"minutes": float("nan")}, "more than 0"),
        ({"minutes": 20_000}, "at most 10080"),
        ({"power_w": -1}, "the mode says the direction"),
        ({"power_w": float("inf")}, "0 or more"),
        ({"soc_pct": 101}, "from 0 to 100"),
        ({"why": "x" * 201}, "200 characters"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Wish(mode=BatteryMode.CHARGE, **given)
