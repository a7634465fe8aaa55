"""``ohmstead simulate``: one simulated device, or the price server."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import click

from ohmstead.app import watch_signals
from ohmstead.cli.demo_day import AGILE, OUTGOING, slots
from ohmstead.clock import Clock, ScaledClock, SystemClock
from ohmstead.config.catalogue import FAMILIES
from ohmstead.errors import ConfigError
from ohmstead.model import PriceSlot
from ohmstead.prices.octopus_simulator import OctopusSimulator
from ohmstead.simulation import SCENARIOS, House, Scenario

__all__ = ["command"]


class _Served(Protocol):
    faults: set[str]

    def serve(self, host: str, port: int) -> AbstractAsyncContextManager[int]: ...


@click.command("simulate")
@click.argument("family", type=click.Choice([*FAMILIES, "octopus"]))
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option("--port", type=int, help="Which port; the family's usual one if not said.")
@click.option("--model", help="Which model of the family.")
@click.option(
    "--scenario", type=click.Choice(list(SCENARIOS)), help="A day of the demo; today if not said."
)
@click.option("--speed", type=click.FloatRange(1, 7200), default=1, show_default=True,
              help="How many seconds pass in one of yours.")  # fmt: skip
@click.option(
    "--fault", "faults", multiple=True, help="How to misbehave; may be given several times."
)
def command(
    family: str,
    host: str,
    port: int | None,
    model: str | None,
    scenario: str | None,
    speed: float,
    faults: tuple[str, ...],
) -> None:
    """Run one simulated device on its real protocol, or Octopus' server, until stopped.

    The LuxPower simulator's serial numbers are datalog 2222222222 and inverter 5555555555; a
    GivEnergy one needs none.
    """
    asyncio.run(_run(family, host, port, model, scenario, speed, faults))


async def _run(
    family: str,
    host: str,
    port: int | None,
    model: str | None,
    scenario: str | None,
    speed: float,
    faults: tuple[str, ...],
) -> None:
    day = SCENARIOS[scenario or "winter"]
    start = day.start if scenario else SystemClock().now()
    clock: Clock = ScaledClock(start, speed) if scenario or speed != 1 else SystemClock()
    if family == "octopus":
        served: _Served = _prices(clock, day)
        known, port = OctopusSimulator.FAULTS, 8001 if port is None else port
    else:
        made = FAMILIES[family].simulator
        chosen = {"model": model} if model else {}
        if model and model not in made.MODELS:  # type: ignore[attr-defined]
            raise ConfigError(f"no model {model}; there is {', '.join(made.MODELS)}")  # type: ignore[attr-defined]
        house = House(day.house, start, day.timezone)
        served = made(house, clock, day.timezone, **chosen)
        known = made.FAULTS  # type: ignore[attr-defined]
        port = (FAMILIES[family].port or 8000) if port is None else port
    unknown = set(faults) - set(known)
    if unknown:
        raise ConfigError(f"no fault {', '.join(unknown)}; there is {', '.join(known)}")
    served.faults |= set(faults)
    stop = asyncio.Event()
    watch_signals(stop)
    try:
        async with served.serve(host, port) as bound:
            click.echo(f"{family} on {host}:{bound}; Ctrl-C ends")
            await stop.wait()
    except OSError as exc:
        raise ConfigError(f"cannot listen on {host}:{port}: {exc.strerror}; choose --port") from exc


def _prices(clock: Clock, day: Scenario) -> OctopusSimulator:
    """Return the price server, with the day's prices moved to the clock's day."""
    shift = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - day.start.replace(
        hour=0, minute=0
    )
    rates = {
        code: [
            PriceSlot(start=s.start + shift, end=s.end + shift, per_kwh=s.per_kwh)
            for s in slots(prices)
        ]
        for code, prices in ((AGILE, day.import_prices), (OUTGOING, day.export_prices))
    }
    return OctopusSimulator(clock, rates)
