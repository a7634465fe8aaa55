"""``ohmstead demo``: a simulated house on this machine."""

import asyncio
import logging
from typing import Final

import click
from rich.console import Console
from rich.live import Live

from ohmstead.app import watch_signals
from ohmstead.cli.demo_day import Demo, open_demo
from ohmstead.cli.demo_sum import summary
from ohmstead.cli.demo_view import plain, view
from ohmstead.errors import ConfigError
from ohmstead.simulation import SCENARIOS

__all__ = ["command", "show_demo"]

_WRITES: Final = 4


@click.command("demo")
@click.option("--scenario", type=click.Choice(list(SCENARIOS)), default="winter", show_default=True)
@click.option(
    "--speed", type=click.FloatRange(1, 7200), default=240, show_default=True,
    help="How many seconds of the house pass in one of yours.",
)  # fmt: skip
@click.option("--once-through", is_flag=True, help="End after the day, with a summary.")
@click.option("--plain", "as_lines", is_flag=True, help="Lines instead of a live screen.")
@click.option("--listen", default="127.0.0.1:8080", show_default=True, help="Where the page is.")
@click.option("-v", "--verbose", is_flag=True, help="Show the service's log.")
def command(
    scenario: str, speed: float, once_through: bool, as_lines: bool, listen: str, verbose: bool
) -> None:
    """A simulated house whose devices speak their real protocols; the real service against it.

    Everything runs on this machine and leaves nothing behind.
    """
    logging.basicConfig(level=logging.INFO if verbose else logging.CRITICAL, format="%(message)s")
    asyncio.run(_run(scenario, speed, once_through, as_lines, listen))


async def _run(
    scenario: str, speed: float, once_through: bool, as_lines: bool, listen: str
) -> None:
    async with open_demo(SCENARIOS[scenario], speed, listen) as demo:
        watch_signals(demo.stop)
        await show_demo(demo, Console(), once_through=once_through, as_lines=as_lines)


async def show_demo(
    demo: Demo, console: Console, *, once_through: bool = True, as_lines: bool = False
) -> None:
    """Run *demo* on *console* until it is stopped, or over the day; end with the summary."""
    async with asyncio.TaskGroup() as group:
        shown = group.create_task(_show(demo, console, as_lines=as_lines))
        ending = group.create_task(_end_of_day(demo)) if once_through else None
        await demo.run()
        for task in (shown, ending):
            if task is not None:
                task.cancel()
    end = demo.over
    console.print(summary(demo.scenario, demo.ways(end), end))


async def _end_of_day(demo: Demo) -> None:
    await demo.clock.sleep((demo.ends - demo.clock.now()).total_seconds())
    demo.stop.set()


async def _show(demo: Demo, console: Console, *, as_lines: bool) -> None:
    await demo.ready.wait()
    if demo.site is None:
        raise ConfigError("the demonstration has no site to show")
    if as_lines:
        said: object = None
        async for tick in demo.ticks():
            command, slot = tick.decision.command, tick.snapshot.prices.buy
            news = command and command.mode, slot and slot.at(tick.snapshot.at)
            if news != said or any(getattr(result, "wrote", ()) for result in tick.results):
                click.echo(plain(tick))
            said = news
        return
    with Live(console=console, screen=console.is_terminal, auto_refresh=False) as live:
        async for tick in demo.ticks():
            live.update(view(demo, tick, await demo.site.journal(limit=_WRITES)), refresh=True)
