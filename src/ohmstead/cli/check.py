"""``ohmstead check``: is the file right, and does everything answer?"""

import asyncio
import sys

import click

from ohmstead import app
from ohmstead.cli.common import as_json_option, config_option, plan_of, print_json
from ohmstead.clock import SystemClock
from ohmstead.config import build
from ohmstead.config.settings import Settings
from ohmstead.errors import OhmsteadError

__all__ = ["command"]


@click.command("check")
@config_option
@click.option("--offline", is_flag=True, help="Look at the file only.")
@as_json_option
def command(settings: Settings, offline: bool, as_json: bool) -> None:
    """Validate the configuration, reach all that it names, and say what is wrong.

    Reads only; nothing is written to any device. Exit status 1 if something does not answer.
    """
    findings = [] if offline else asyncio.run(_findings(settings))
    if as_json:
        print_json([{"what": what, "ok": ok, "said": said} for ok, what, said in findings])
    else:
        click.echo(
            f"configuration: fine: {len(settings.devices)} devices, "
            f"{len(settings.control)} strategies, {len(settings.outputs)} outputs"
        )
        for ok, what, said in findings:
            click.echo(f"{what}: {'fine' if ok else 'TROUBLE'}: {said}", err=not ok)
    sys.exit(0 if all(ok for ok, _, _ in findings) else 1)


async def _findings(settings: Settings) -> list[tuple[bool, str, str]]:
    clock = SystemClock()
    plan = plan_of(settings, clock)
    found: list[tuple[bool, str, str]] = []
    async with app.visited(plan, clock) as house:
        for name, watch in house.watches.items():
            seen = watch.snapshot(clock.now())
            if seen.reading is None:
                found.append((False, name, seen.trouble or "it says nothing"))
                continue
            known = sum(value is not None for value in seen.reading.values.values())
            doubts = ", ".join(seen.reading.doubts)
            left = f"; not believed: {doubts}" if doubts else ""
            found.append((True, name, f"{known} values{left}"))
        for source in house.prices:
            curve = source.curve
            said = source.trouble or (
                f"{len(curve)} slots, known until {curve.ends}" if curve else ""
            )
            found.append((source.trouble is None, f"{source.name} prices", said))
    for name, check in build.output_checks(settings, clock):
        try:
            found.append((True, name, await check()))
        except OhmsteadError as exc:
            found.append((False, name, str(exc)))
    return found
