"""``ohmstead run``: the service."""

import asyncio

import click

from ohmstead import __version__, app
from ohmstead.cli.common import config_option, faces_of, listen_to_log, plan_of
from ohmstead.clock import SystemClock
from ohmstead.config import build
from ohmstead.config.settings import Settings

__all__ = ["command"]


@click.command("run")
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Log every detail.")
def command(settings: Settings, verbose: bool) -> None:
    """Read, decide, command and tell, until stopped.

    On SIGTERM or Ctrl-C every inverter gets its own settings back first.
    """
    listen_to_log(verbose=verbose)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    clock, stop = SystemClock(), asyncio.Event()
    app.watch_signals(stop)
    book = build.history(settings)
    plan = plan_of(settings, clock, book)
    faces = faces_of(settings, clock, __version__, book=book, forecasts=plan.forecasts)
    await app.run(plan, clock, stop, faces)
