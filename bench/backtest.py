"""How fast houses are replayed, and how much of perfect foresight's saving a plan keeps.

make bench ARGS="backtest"           a week of plans, both scaled and counted up to a year
make bench ARGS="backtest --full"    a house-year, and 28 days in each season in two houses
"""

import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from time import perf_counter

from engines import accelerated
from ohmstead.backtest.replay import replay
from ohmstead.backtest.results import rows_of
from ohmstead.backtest.run import jobs_of, run
from ohmstead.backtest.strategies import STRATEGIES, Player, player_of
from ohmstead.backtest.synthetic import SyntheticHouse
from ohmstead.backtest.world import Plant
from tables import print_table

A_YEAR = 17_520
SEASONS = {
    "winter": date(2025, 1, 8),
    "spring": date(2025, 4, 8),
    "summer": date(2025, 7, 8),
    "autumn": date(2025, 10, 8),
}
FRESH = (3, 4)
"""Houses whose weather and people nothing was tuned on: that was done on those of 0 to 2."""
TARIFFS = ("agile", "go", "intelligent_go", "flux", "flat")


def main() -> None:
    """Print three tables."""
    full = "--full" in sys.argv
    speed(days=365 if full else 7)
    scaling()
    seasons(days=28 if full else 4, seeds=FRESH if full else FRESH[:1])


def speed(days: int) -> None:
    """Show what the parts of a replay take on one core, counted up to a year."""
    own, fast = replayed(days), accelerated("backtest", "replayed", days) or {}
    rows = [
        [title, f"{each * 1_000:.2f}", f"{each * A_YEAR:.1f}"]
        + ([f"{fast[title] * 1_000:.2f}", f"{fast[title] * A_YEAR:.1f}"] if title in fast else [])
        for title, each in own.items()
    ]
    title = f"Replays in 5-minute steps, decided every half-hour, one core, {days} days"
    head = ("", "ms a decision", "s a house-year", "accelerated ms", "s a house-year")
    print_table(title, head, rows)


def replayed(days: int) -> dict[str, float]:
    """Return the seconds a decision of the parts of a replay."""
    began = perf_counter()
    world = SyntheticHouse(first=date(2025, 4, 8), days=days).world()
    decisions = world.end - world.begin
    found = {"the house itself": (perf_counter() - began) / decisions}
    day = SyntheticHouse(first=date(2025, 4, 8), days=1).world()
    for tariff in ("agile", "go", "flux"):
        prices = SyntheticHouse().tariff(tariff, world)
        for strategy, player in players(world.plant).items():
            replay(day, SyntheticHouse().tariff(tariff, day), player)  # compiles what is compiled
            began = perf_counter()
            replay(world, prices, player)
            found[f"{tariff} · {strategy}"] = (perf_counter() - began) / decisions
    return found


def players(plant: Plant) -> dict[str, Player]:
    """Return the strategies that are timed."""
    names = ("self_use", "cheapest_slots", "plan", "plan_one_future")
    return {name: player_of(name, plant) for name in names}


def scaling() -> None:
    """Show what a second core is good for, workers' start included."""
    own, fast = scaled(14), accelerated("backtest", "scaled", 56)
    rows = (
        [["plain, 14 days", *own], ["accelerated, 56 days", *fast]] if fast else [["plain", *own]]
    )
    print_table("4 houses, planned", ("", "1 worker s", "2 workers s", "times as fast"), rows)


def scaled(days: int) -> list[str]:
    """Return what one worker and two take for four houses, and how much faster two are."""
    work = jobs_of([SyntheticHouse(days=days, seed=n) for n in range(4)], ["agile"], ["plan"])
    took = []
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            began = perf_counter()
            run(work, Path(folder), workers=workers)
            took.append(perf_counter() - began)
    return [f"{took[0]:.1f}", f"{took[1]:.1f}", f"{took[0] / took[1]:.2f}"]


def seasons(days: int, seeds: Sequence[int]) -> None:
    """Show the share of perfect foresight's saving that is kept, over all houses of *seeds*.

    Of sums, not a mean of shares: a house that can save next to nothing counts as little.
    """
    found: dict[tuple[str, str, str], float] = {}
    for season, first in SEASONS.items():
        houses = [SyntheticHouse(first=first, days=days, seed=seed) for seed in seeds]
        with tempfile.TemporaryDirectory() as folder:
            outcomes = run(jobs_of(houses, TARIFFS, STRATEGIES), Path(folder))
        for row in rows_of(outcomes):
            place = row.tariff, season, row.strategy
            found[place] = found.get(place, 0.0) + row.per_day / len(seeds)
    rows = []
    for tariff in TARIFFS:
        for season in SEASONS:
            a_day = {name: found[tariff, season, name] for name in STRATEGIES}
            kept = [_kept(a_day, name) for name in ("scripts", "plan_one_future", "plan")]
            costs = [f"{a_day[name]:.2f}" for name in STRATEGIES]
            rows.append([f"{tariff} · {season}", *costs, *kept])
    title = f"Cost a day over {days} days and {len(seeds)} houses, forecasts as wrong as they are"
    columns = ("", *STRATEGIES, "kept by scripts", "by one future", "by the plan")
    print_table(title, columns, rows)


def _kept(a_day: dict[str, float], name: str) -> str:
    """Return the share of what perfect foresight saves over the inverter's own mode."""
    most = a_day["self_use"] - a_day["perfect_foresight"]
    return "–" if most < 0.02 else f"{(a_day['self_use'] - a_day[name]) / most:.1%}"


if __name__ == "__main__":
    main()
