"""The closed loop: plans of forecasts that are wrong, on four tariffs in four seasons.

Four days each; OHMSTEAD_LOOP_DAYS=28 plays four weeks. Shares are of what perfect foresight
saves over the inverter's own mode.
"""

import os
from datetime import date

import pytest

from ohmstead.backtest.bound import bound
from ohmstead.backtest.replay import replay
from ohmstead.backtest.strategies import player_of
from ohmstead.backtest.synthetic import SyntheticHouse
from ohmstead.backtest.world import World

DAYS = int(os.environ.get("OHMSTEAD_LOOP_DAYS", "4"))
SEASONS = {
    "winter": date(2025, 1, 8),
    "spring": date(2025, 4, 8),
    "summer": date(2025, 7, 8),
    "autumn": date(2025, 10, 8),
}
FLOORS = {"agile": 0.93, "go": 0.93, "intelligent_go": 0.93, "flux": 0.9}
"""The share kept over all four seasons: what was measured, less a margin for short spans."""
FLAT_LOSES = 0.01
"""With one price all day there is nothing to plan: so much a day may be lost by trying."""


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    return {
        season: SyntheticHouse(first=first, days=DAYS).world() for season, first in SEASONS.items()
    }


def played(worlds: dict[str, World], tariff: str) -> tuple[float, float, float]:
    """Print a line a season; return what self-use, the plan and the bound cost in all four."""
    house, total = SyntheticHouse(), (0.0, 0.0, 0.0)
    for season, world in worlds.items():
        prices = house.tariff(tariff, world)
        own = replay(world, prices, player_of("self_use", world.plant)).net
        plan = replay(world, prices, player_of("plan", world.plant)).net
        least = bound(world, prices).net
        share = (own - plan) / max(own - least, 0.02 * DAYS)  # of next to nothing: nothing
        print(  # noqa: T201 - the table is what the test is for, beside its floor
            f"{tariff:15} {season:7} self-use {own / DAYS:6.2f}  plan {plan / DAYS:6.2f}"
            f"  bound {least / DAYS:6.2f} a day  kept {share:6.1%}"
        )
        assert least <= min(own, plan) + 1e-9
        total = (total[0] + own, total[1] + plan, total[2] + least)
    return total


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("tariff", FLOORS)
def test_a_plan_keeps_most_of_what_perfect_foresight_saves(
    worlds: dict[str, World], tariff: str
) -> None:
    own, plan, least = played(worlds, tariff)
    assert (own - plan) / (own - least) >= FLOORS[tariff]


@pytest.mark.timeout(1_800)
def test_where_there_is_nothing_to_plan_little_is_lost(worlds: dict[str, World]) -> None:
    own, plan, _ = played(worlds, "flat")
    assert (plan - own) / DAYS / len(worlds) <= FLAT_LOSES
