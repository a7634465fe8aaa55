"""What an owner may say of a load that runs earlier or later."""

from datetime import UTC, time
from typing import Any

import pytest

from ohmstead.control.follow_plan import FollowPlan
from ohmstead.control.loads import FlexibleLoad

HEATER: dict[str, Any] = {
    "name": "immersion", "after": time(22), "by": time(7), "kwh": 4, "max_w": 3_000,
}  # fmt: skip
DISHES: dict[str, Any] = {
    "name": "dishes", "after": time(19), "by": time(7), "power_w": 1_800, "minutes": 90,
}  # fmt: skip


def test_a_load_is_an_amount_or_a_run() -> None:
    assert not FlexibleLoad(**HEATER, min_w=500, on_off=True).is_run
    assert FlexibleLoad(**DISHES).is_run


@pytest.mark.parametrize(
    ("given", "why"),
    [
        pytest.param({**HEATER, "name": "Hot water"}, "name 'Hot water': use small", id="a name"),
        pytest.param({**HEATER, "max_w": None}, "immersion needs either kwh and", id="half of it"),
        pytest.param({**HEATER, "minutes": 9}, "immersion needs either kwh and", id="both"),
        pytest.param({**HEATER, "kwh": 0}, "kwh of immersion must be above 0", id="nothing"),
        pytest.param({**DISHES, "minutes": float("inf")}, "minutes of dishes", id="for ever"),
        pytest.param({**DISHES, "on_off": True}, "on_off of dishes go with kwh", id="a run's"),
        pytest.param({**HEATER, "min_w": 3_001}, "min_w of immersion must be", id="powers"),
        pytest.param({**HEATER, "min_w": -1}, "min_w of immersion must be", id="below 0"),
        pytest.param({**HEATER, "by": time(7, tzinfo=UTC)}, "by is a local time", id="a zone"),
    ],
)
def test_a_load_that_cannot_be_meant_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        FlexibleLoad(**given)


def test_two_loads_of_one_name_are_refused() -> None:
    heater = FlexibleLoad(**HEATER)
    with pytest.raises(ValueError, match="loads must have names of their own"):
        FollowPlan(loads=(heater, heater))
