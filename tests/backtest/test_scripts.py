"""givenergy-scripts as their owner runs them: their times follow the tariff, and only they do."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from ohmstead.backtest.replay import Outcome, replay
from ohmstead.backtest.scripts import ScriptHours, hours_of
from ohmstead.backtest.strategies import player_of
from ohmstead.backtest.synthetic import SyntheticHouse
from ohmstead.backtest.tariffs import Bands, Tariff, banded, tariff_named
from ohmstead.backtest.world import World
from ohmstead.model import BatteryMode, Decision

LONDON = ZoneInfo("Europe/London")
HIS_OWN = ScriptHours()


@pytest.fixture(scope="module")
def summer() -> World:
    return SyntheticHouse(first=date(2025, 7, 8), days=3, past_days=1, seed=1).world()


def played(world: World, tariff: Tariff) -> tuple[Outcome, list[tuple[datetime, Decision]]]:
    """Return the outcome, and what was decided when on the wall clock."""
    told: list[Decision] = []
    player = player_of("scripts", world.plant, hours_of(tariff, world.zone))
    outcome = replay(world, tariff, player, told.append)
    times = [world.at(half).astimezone(LONDON) for half in range(world.begin, world.end)]
    return outcome, list(zip(times, told, strict=True))


def test_the_times_are_fit_for_the_cheap_hours(summer: World) -> None:
    found = {
        name: hours_of(tariff_named(name, summer), LONDON)
        for name in ("agile", "flat", "go", "intelligent_go", "flux")
    }
    assert found["agile"] == found["flat"] == HIS_OWN
    assert found["go"] == ScriptHours(charge_from=time(0, 30), charge_until=time(5, 30))
    assert found["intelligent_go"] == ScriptHours(idle_from=time(23, 30))
    assert found["flux"] == ScriptHours(
        charge_from=time(2),
        charge_until=time(5),
        export_from=time(16),
        export_until=time(19),
        sells_by_day=False,
    )


@pytest.mark.parametrize(
    "buy",
    [
        pytest.param(((time(1), 0.1), (time(2), 0.3), (time(13), 0.1), (time(14), 0.3)), id="two"),
        pytest.param(((time(0), 0.2),), id="one price"),
    ],
)
def test_without_one_cheap_time_they_stay_as_they_are(buy: tuple[tuple[time, float], ...]) -> None:
    bands = Bands(buy=buy, sell=((time(), 0.15),))
    tariff = banded("own", bands, datetime(2025, 7, 1, tzinfo=UTC), LONDON, 96)
    assert hours_of(tariff, LONDON) == HIS_OWN


def test_less_than_a_day_of_prices_tells_nothing() -> None:
    start = datetime(2025, 7, 1, tzinfo=UTC)
    assert hours_of(Tariff(name="own", start=start, buy=(0.1,), sell=(0.1,)), LONDON) == HIS_OWN


def test_a_summer_s_day_goes_as_its_owner_wants(summer: World) -> None:
    outcome, decisions = played(summer, tariff_named("intelligent_go", summer))
    modes: dict[BatteryMode, set[int]] = {}
    for at, decision in decisions:
        if decision.command is not None:
            modes.setdefault(decision.command.mode, set()).add(at.hour)
    assert modes[BatteryMode.CHARGE] == {0, 1, 2, 3, 4, 5}
    assert {0, 23} >= modes[BatteryMode.IDLE] >= {23}
    assert modes[BatteryMode.EXPORT_SOLAR] & {8, 9, 10, 11}
    assert modes[BatteryMode.DISCHARGE] <= {*range(5, 23)}
    assert outcome.curtailed_kwh == pytest.approx(0, abs=1e-9)


def test_on_cheap_nights_it_beats_the_inverter_s_own_mode(summer: World) -> None:
    tariff = tariff_named("intelligent_go", summer)
    own = replay(summer, tariff, player_of("self_use", summer.plant))
    assert played(summer, tariff)[0].net < own.net
