"""``ohmstead history``: what days cost, and recordings out to files and in from them."""

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from ohmstead import app
from ohmstead.cli.common import as_json_option, config_option, print_json, table
from ohmstead.cli.service import ask_service
from ohmstead.clock import SystemClock
from ohmstead.config.settings import Settings
from ohmstead.errors import HistoryError

__all__ = ["command"]

_LEVELS = ("raw", "5min", "hour", "day")
_day = click.DateTime(["%Y-%m-%d"])


@click.group("history")
def command() -> None:
    """What was recorded: what days cost, and recordings as files."""


@command.command("costs")
@click.option("--days", type=click.IntRange(1, 800), default=7, show_default=True,
              help="How many days, today included.")  # fmt: skip
@config_option
@as_json_option
def costs(days: int, settings: Settings, as_json: bool) -> None:
    """Show what the last days cost, and would have without control or without a battery."""
    last = _today(settings)
    first = last - timedelta(days=days - 1)
    answer = ask_service(settings, f"history/costs?first={first}&last={last}")
    found = answer if answer is not None else asyncio.run(_costs(settings, first, last))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            day["day"],
            f"{day['import_kwh']:.1f}",
            f"{day['export_kwh']:.1f}",
            f"{day['actual']:.2f}",
            _money(day["saved_by_control"]),
            _money(day["saved_by_battery"]),
            f"{day['covered_h']:.0f} h",
        )
        for day in found
    ]
    columns = ("day", "kWh in", "kWh out", "cost", "saved by control", "saved in all", "known for")
    table(settings.site.name, columns, rows)


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--first", type=_day, help="The first local day; a week ago if not said.")
@click.option("--last", type=_day, help="The last one; today if not said.")
@click.option("--level", type=click.Choice(_LEVELS), default="raw", show_default=True)
@config_option
def export(
    file: Path, first: datetime | None, last: datetime | None, level: str, settings: Settings
) -> None:
    """Write recordings to FILE: CSV, or Parquet if its name ends in .parquet."""
    until = last.date() if last else _today(settings)
    since = first.date() if first else until - timedelta(days=6)
    click.echo(f"writing {since} to {until}…", err=True)
    lines = asyncio.run(_export(settings, file, since, until, level))
    click.echo(f"wrote {lines} lines to {file}")


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@config_option
def import_(file: Path, settings: Settings) -> None:
    """Bring the CSV recordings of FILE in: all of it, or nothing. Stop the service first."""
    click.echo(f"reading {file}…", err=True)
    taken, too_new = asyncio.run(_import(settings, file))
    left = f"; {too_new} of days that are not over were left out" if too_new else ""
    click.echo(f"took {taken} samples in{left}")


def _money(amount: float | None) -> str:
    return "–" if amount is None else f"{amount:.2f}"


def _today(settings: Settings) -> date:
    return SystemClock().now().astimezone(ZoneInfo(settings.site.timezone)).date()


def _history(settings: Settings, *, read_only: bool) -> Any:  # noqa: ANN401 - imported only when it is needed
    from ohmstead.history.history import History

    path = settings.history.path or settings.data_dir / "history.db"
    if read_only and not path.exists():
        raise HistoryError(f"nothing was recorded yet: there is no {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    zone = ZoneInfo(settings.site.timezone)
    return History(path, zone, lambda *_: None, settings.history, read_only=read_only)


async def _costs(settings: Settings, first: date, last: date) -> list[dict[str, Any]]:
    from ohmstead.history.costs import costs as costs_of
    from ohmstead.web.history import costs_view

    async with _history(settings, read_only=True) as history:
        days = await costs_of(history, first, last)
    return [costs_view(day).model_dump(mode="json") for day in days]


async def _export(settings: Settings, file: Path, first: date, last: date, level: str) -> int:
    from ohmstead.history.transfer import export_csv, export_parquet

    write = export_parquet if file.suffix == ".parquet" else export_csv
    async with _history(settings, read_only=True) as history:
        return await write(history, file, first, last, level=level)  # type: ignore[arg-type]


async def _import(settings: Settings, file: Path) -> tuple[int, int]:
    from ohmstead.history.intake import import_csv

    with app.alone(settings.data_dir):
        async with _history(settings, read_only=False) as history:
            intake = await import_csv(history, file, SystemClock().now())
    return intake.samples, intake.too_new
