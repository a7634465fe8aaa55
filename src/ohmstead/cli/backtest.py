"""``ohmstead backtest``: what houses, tariffs and strategies would have cost, side by side."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ohmstead.cli.common import as_json_option, print_json, table

if TYPE_CHECKING:
    from ohmstead.backtest.replay import Outcome
    from ohmstead.backtest.results import Row
    from ohmstead.backtest.run import House, Job
    from ohmstead.backtest.strategies import Player
    from ohmstead.config.settings import Settings

__all__ = ["command"]

_day = click.DateTime(["%Y-%m-%d"])
_OWN = "configured"


@click.command("backtest")
@click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="OHMSTEAD_CONFIG",
    help="Replay this configuration over its recordings, or over --csv.",
)
@click.option(
    "--csv",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Replay the house that this table tells of.",
)
@click.option("--from", "first", type=_day, help="The first local day.")
@click.option("--to", "last", type=_day, help="The last one.")
@click.option(
    "--houses",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="How many simulated houses, if nothing recorded is replayed.",
)
@click.option(
    "--strategies",
    help="Which, with commas: no_battery, self_use, price_threshold (octolux's 5p rule), "
    "cheapest_slots (octolux's), scripts (as givenergy-scripts are run), plan, plan_one_future, "
    "perfect_foresight; with -c also configured. All but plan_one_future if not said.",
)
@click.option("--tariffs", help="Which, with commas; all, or the recorded prices, if not said.")
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("backtest"),
    show_default=True,
    help="Where outcomes are kept: a run that was stopped goes on from them.",
)
@click.option(
    "--out",
    "outs",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Write the table to a file too: .csv, .parquet or .svg (a chart).",
)
@click.option(
    "--workers", type=click.IntRange(min=1), help="How many processes; all cores if not said."
)
@click.option(
    "--cluster", metavar="ADDRESS", help="Run on this Dask scheduler; 'local' starts one here."
)
@as_json_option
def command(
    path: Path | None,
    file: Path | None,
    first: datetime | None,
    last: datetime | None,
    houses: int,
    strategies: str | None,
    tariffs: str | None,
    results: Path,
    outs: tuple[Path, ...],
    workers: int | None,
    cluster: str | None,
    as_json: bool,
) -> None:
    """Replay a year, or what was recorded, and show what each strategy would have cost.

    Forecasts and prices are those that were known at each moment. Without -c or --csv it is a
    simulated house in the south of England. The last line of each tariff is the bound that
    nothing can beat: everything known from the beginning.
    """
    settings = None if path is None else _settings(path)
    replayed = _houses(settings, file, first, last, houses)
    jobs = _jobs(replayed, settings, strategies, tariffs)
    outcomes = _run(jobs, results, workers, cluster)
    from ohmstead.backtest.results import rows_of, write_rows

    rows = rows_of(_in_order(outcomes))
    for out in outs:
        write_rows(rows, out)
    if as_json:
        print_json(rows)
        return
    _show(rows)


def _settings(path: Path) -> "Settings":
    from ohmstead.config.load import load

    return load(path)


def _houses(
    settings: "Settings | None",
    file: Path | None,
    first: datetime | None,
    last: datetime | None,
    count: int,
) -> "Sequence[House]":
    from ohmstead.backtest.recorded import from_csv
    from ohmstead.backtest.synthetic import SyntheticHouse

    if file is not None:
        zone = settings.site.timezone if settings is not None else "Europe/London"
        return [from_csv(file, ZoneInfo(zone))]
    if settings is not None:
        return [asyncio.run(_recorded(settings, first, last))]
    begin = first.date() if first else SyntheticHouse().first
    days = (last.date() - begin).days + 1 if last else 365
    if days < 1:
        raise click.UsageError("--to must not be before --from")
    return [SyntheticHouse(first=begin, days=days, seed=seed) for seed in range(count)]


async def _recorded(settings: "Settings", first: datetime | None, last: datetime | None) -> "House":
    from ohmstead.backtest.recorded import from_history
    from ohmstead.clock import SystemClock
    from ohmstead.errors import HistoryError
    from ohmstead.history.history import History

    zone = ZoneInfo(settings.site.timezone)
    path = settings.history.path or settings.data_dir / "history.db"
    if not path.exists():
        raise HistoryError(f"nothing was recorded yet: there is no {path}")
    today = SystemClock().now().astimezone(zone)
    async with History(path, zone, lambda *_: None, settings.history, read_only=True) as history:
        begins = min((await history.begins()).values(), default=int(today.timestamp()))
        since = first.date() if first else datetime.fromtimestamp(begins, zone).date()
        until = last.date() if last else today.date()
        return await from_history(history, since, until, None, settings.site.name)


def _jobs(
    houses: "Sequence[House]",
    settings: "Settings | None",
    strategies: str | None,
    tariffs: str | None,
) -> "list[Job]":
    from ohmstead.backtest.recorded import OWN_TARIFF, RecordedHouse
    from ohmstead.backtest.run import jobs_of
    from ohmstead.backtest.strategies import BOUND, NO_BATTERY, STRATEGIES, USUAL
    from ohmstead.backtest.tariffs import TARIFFS
    from ohmstead.errors import ProblemError

    own = _configured(settings) if settings is not None and settings.control else None
    names: list[str | Player] = list(strategies.split(",")) if strategies else list(USUAL)
    if own is not None and not strategies:
        names.insert(len(names) - 1, own)
    names = [own if name == _OWN and own is not None else name for name in names]
    for name in names:
        if isinstance(name, str) and name not in STRATEGIES:
            raise ProblemError(f"no strategy called {name}; there is {', '.join(STRATEGIES)}")
    for wanted in (NO_BATTERY, "self_use", BOUND):  # what shares are reckoned from
        if wanted not in names:
            names.append(wanted)
    recorded = any(isinstance(h, RecordedHouse) and h.own is not None for h in houses)
    usual = (OWN_TARIFF,) if recorded else TARIFFS
    return jobs_of(houses, tariffs.split(",") if tariffs else usual, names)


def _configured(settings: "Settings") -> "Player":
    from ohmstead.backtest.strategies import Player
    from ohmstead.config import build
    from ohmstead.control.follow_plan import FollowPlan

    # A recorded house has no loads that could have run at other times, and a year of plans that
    # count their changes of mode takes several times as long.
    planning = [
        replace(e.settings, loads=(), switch_cost=0.0)
        for e in settings.control
        if isinstance(e.settings, FollowPlan)
    ]
    chain = build.strategies(settings)
    return Player(name=_OWN, chain=chain, planning=planning[0] if planning else None)


def _run(
    jobs: "Sequence[Job]", results: Path, workers: int | None, cluster: str | None
) -> "list[Outcome]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from ohmstead.backtest.run import run

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        bar = progress.add_task("replaying", total=len(jobs))

        def told(job: "Job", outcome: "Outcome") -> None:
            del outcome
            progress.update(bar, advance=1, description=job.title)

        if cluster is not None:
            from ohmstead.backtest.cluster import run_on_cluster

            return run_on_cluster(jobs, results, address=cluster, workers=workers, told=told)
        return run(jobs, results, workers=workers, told=told)


def _in_order(outcomes: "Sequence[Outcome]") -> "list[Outcome]":
    from ohmstead.backtest.strategies import BOUND, STRATEGIES

    order = [name for name in STRATEGIES if name != BOUND] + [_OWN, BOUND]
    return sorted(outcomes, key=lambda o: (o.house, o.tariff, order.index(o.strategy)))


def _show(rows: "Sequence[Row]") -> None:
    for house, tariff in dict.fromkeys((row.house, row.tariff) for row in rows):
        mine = [row for row in rows if (row.house, row.tariff) == (house, tariff)]
        cells = [
            (
                row.strategy,
                f"{row.net:.2f}",
                f"{row.per_day:.2f}",
                _money(row.saved_by_battery),
                "–" if row.kept is None else f"{row.kept:.1%}",
                f"{row.import_kwh:.0f}" if row.strategy != "perfect_foresight" else "",
                f"{row.export_kwh:.0f}" if row.strategy != "perfect_foresight" else "",
            )
            for row in mine
        ]
        columns = ("strategy", "cost", "a day", "saved", "kept", "kWh in", "kWh out")
        table(f"{house} on {tariff}, {mine[0].days:.0f} days", columns, cells)
    click.echo(
        "saved: over the same house without a battery. kept: of what perfect foresight saves\n"
        "over the inverter's own mode; – where there is next to nothing to save."
    )


def _money(amount: float | None) -> str:
    return "–" if amount is None else f"{amount:.2f}"
