"""``ohmstead once``: one turn, for cron."""

import asyncio
import sys

import click

from ohmstead import app
from ohmstead.cli.common import (
    as_json_option,
    config_option,
    listen_to_log,
    plan_with_past,
    print_json,
)
from ohmstead.clock import SystemClock
from ohmstead.config.settings import Settings
from ohmstead.model import Applied, Tick
from ohmstead.outputs.describe import describe, name_of

__all__ = ["command"]


@click.command("once")
@config_option
@as_json_option
def command(settings: Settings, as_json: bool) -> None:
    """Read, decide, command, and exit.

    Writes only what differs, so it can run as often as you like. Exit status 0: done as decided;
    1: a device or the prices failed, and it is worth trying again.
    """
    listen_to_log()
    tick = asyncio.run(_once(settings))
    decided = tick.decision.command
    if as_json:
        print_json({"decision": tick.decision, "results": tick.results})
    else:
        what = name_of(decided) if decided else "the inverter is left to itself"
        click.echo(f"{what}, because {tick.decision.reason}")
        for result in tick.results:
            click.echo(describe(result))
    lost = [device.trouble for device in tick.snapshot.devices.values() if device.trouble]
    for trouble in lost:
        click.echo(trouble, err=True)
    failed = any(not isinstance(result, Applied) for result in tick.results)
    sys.exit(1 if failed or lost or decided is None else 0)


async def _once(settings: Settings) -> Tick:
    clock = SystemClock()
    async with plan_with_past(settings, clock) as plan:
        return await app.once(plan, clock)
