"""What the verbs share: the file they read, the way they print."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ohmstead.app import Plan
from ohmstead.clock import Clock
from ohmstead.config import build
from ohmstead.config.load import load
from ohmstead.config.settings import Settings
from ohmstead.history.book import Book
from ohmstead.ports import ForecastSources, HistoryPort, SitePort

__all__ = [
    "as_json_option",
    "config_option",
    "faces_of",
    "listen_to_log",
    "plan_of",
    "plan_with_past",
    "print_json",
    "table",
]

F = TypeVar("F", bound=Callable[..., Any])


def config_option(verb: F) -> F:
    """Give *verb* the option that names the configuration, loaded."""

    def read(ctx: click.Context, param: click.Parameter, value: Path) -> Settings:
        del ctx, param
        return load(value)

    return click.option(
        "-c",
        "--config",
        "settings",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("ohmstead.yaml"),
        show_default=True,
        callback=read,
        envvar="OHMSTEAD_CONFIG",
        help="The configuration file.",
    )(verb)


def as_json_option(verb: F) -> F:
    """Give *verb* the option to speak to programs."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(verb)


def plan_of(settings: Settings, clock: Clock, book: HistoryPort | None = None) -> Plan:
    """Return what the house is to be built of; forecasts learn from *book*."""
    buy, sell = build.prices(settings)
    forecasts = build.forecasts(settings, book)
    return Plan(
        timezone=ZoneInfo(settings.site.timezone),
        devices=build.devices(settings, clock),
        strategies=build.strategies(settings),
        buy=buy,
        sell=sell,
        planner=build.planner(settings, clock, forecasts),
        forecasts=forecasts,
        data_dir=settings.data_dir,
        writes_per_day=settings.journal.writes_per_point_per_day,
    )


@asynccontextmanager
async def plan_with_past(settings: Settings, clock: Clock) -> AsyncIterator[Plan]:
    """Yield what the house is to be built of; forecasts learn from what a service recorded.

    The history is only read: not locked, not made, not brought up to date.
    """
    book = build.history(settings)
    async with AsyncExitStack() as stack:
        past = None if book is None else await stack.enter_async_context(book.reading())
        yield plan_of(settings, clock, past)


def faces_of(
    settings: Settings,
    clock: Clock,
    version: str,
    on_port: Callable[[int], None] | None = None,
    book: Book | None = None,
    forecasts: ForecastSources | None = None,
) -> list[tuple[str, Callable[[SitePort], Awaitable[None]]]]:
    """Return who shows the site: the outputs, *book*; the page and the API, unless off.

    *forecasts* are the same that the plan is made of: each source is asked once for both.
    """
    faces = build.outputs(settings, clock)
    if book is not None:
        faces.append(("history", book.run))
    web = settings.web
    if not web.enabled:
        return faces

    async def page(site: SitePort) -> None:
        from ohmstead.web.server import serve

        await serve(site, web, clock, version, on_port, history=book, forecasts=forecasts)

    return [*faces, ("web", page)]


def listen_to_log(*, verbose: bool = False) -> None:
    """Send the log to stderr, with times; a service manager adds its own."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    for noisy in ("httpx2", "httpcore2", "asyncio", "uvicorn.access", "mqtt"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def print_json(value: object) -> None:
    """Print *value*, dataclasses and times included, as JSON."""
    click.echo(json.dumps(value, default=_plain, indent=2, ensure_ascii=False))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    drawn = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        drawn.add_column(column)
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else str(cell) for cell in row))
    Console().print(drawn)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set | tuple):
        return sorted(value)
    return str(value)
