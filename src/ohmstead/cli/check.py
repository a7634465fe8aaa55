"""``ohmstead check``: is the file right, and does everything answer?"""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import click

from ohmstead import app
from ohmstead.cli.common import as_json_option, config_option, plan_with_past, print_json
from ohmstead.clock import SystemClock
from ohmstead.config import build
from ohmstead.config.settings import Settings
from ohmstead.errors import OhmsteadError, PriceSourceError
from ohmstead.model import Forecast, PriceCurve
from ohmstead.ports import ForecastSources

__all__ = ["command"]

Finding: TypeAlias = tuple[bool, str, str]
"""Whether something is well, what it is, and what it said."""
_DAY: Final = timedelta(days=1)


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


async def _findings(settings: Settings) -> list[Finding]:
    clock = SystemClock()
    found: list[Finding] = []
    async with plan_with_past(settings, clock) as plan, app.visited(plan, clock) as house:
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
        found += [one async for one in _forecasts(plan.forecasts, clock.now())]
    for name, check in build.output_checks(settings, clock):
        try:
            found.append((True, name, await check()))
        except OhmsteadError as exc:
            found.append((False, name, str(exc)))
    return found


async def _forecasts(sources: ForecastSources, now: datetime) -> AsyncIterator[Finding]:
    """Yield what each source of forecasts says; one in trouble still has a forecast of our own."""
    for name, source in (("solar", sources.solar), ("load", sources.load)):
        if source is None:
            continue
        told = _expected(await source.forecast(now), now)
        trouble = source.trouble
        said = told if trouble is None else f"{trouble}; until then {told}"
        yield trouble is None, f"{name} forecast", said
    if sources.carbon is not None:
        try:
            said = _weighed(await sources.carbon.curve(now), now)
            yield True, "carbon forecast", said
        except PriceSourceError as exc:
            yield False, "carbon forecast", str(exc)


def _expected(forecast: Forecast, now: datetime) -> str:
    low, middle, high = forecast.kwh(now, now + _DAY)
    age = forecast.age(now)
    ago = "" if age is None else f", fetched {age.total_seconds() / 60:.0f} min ago"
    return (
        f"{forecast.source}{ago}: {middle:.1f} kWh in the next 24 hours "
        f"({low:.1f} if all goes low, {high:.1f} if all goes high)"
    )


def _weighed(curve: PriceCurve, now: datetime) -> str:
    grams = [slot.per_kwh * 1_000 for slot in curve.from_now(now)]
    return f"{min(grams):.0f} to {max(grams):.0f} g a kWh, known until {curve.ends}"
