"""Makes the parts of a house of its settings."""

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from zoneinfo import ZoneInfo

from ohmstead.clock import Clock
from ohmstead.config.catalogue import FAMILIES, output, price_source, strategy
from ohmstead.config.settings import PriceEntry, Settings
from ohmstead.control.decide import Strategy
from ohmstead.control.limits import Limits, limits
from ohmstead.control.requests import Requests, requests
from ohmstead.ports import DevicePort, PriceSource, SitePort

__all__ = ["Face", "devices", "outputs", "prices", "strategies"]

Face = tuple[str, Callable[[SitePort], Awaitable[None]]]
"""Someone who is told of the site: a name, and what to do with it for ever."""


def devices(settings: Settings, clock: Clock) -> list[tuple[DevicePort, float]]:
    """Return each device with its poll interval in seconds; none is connected yet."""
    zone = ZoneInfo(settings.site.timezone)
    return [
        (FAMILIES[entry.family].driver(entry.name, entry.settings, clock, zone), entry.poll_s)
        for entry in settings.devices
    ]


def prices(settings: Settings) -> tuple[PriceSource | None, PriceSource | None]:
    """Return the sources of the import and the export price."""
    return _source(settings, settings.buy, "import"), _source(settings, settings.sell, "export")


def strategies(settings: Settings) -> list[tuple[str, Strategy]]:
    """Return the strategies in their order: limits, what people ask for, then the owner's list."""
    chain: list[tuple[str, Strategy]] = []
    if settings.site.grid.import_limit_w is not None:
        of_the_grid = Limits(import_limit_w=settings.site.grid.import_limit_w)
        chain.append(("grid", partial(limits, settings=of_the_grid)))
    listed = [
        (entry.strategy, partial(strategy(entry.strategy)[0], settings=entry.settings))
        for entry in settings.control
    ]
    chain += [pair for pair in listed if pair[0] == "limits"]
    chain.append(("requests", partial(requests, settings=Requests())))
    chain += [pair for pair in listed if pair[0] != "limits"]
    return chain


def outputs(settings: Settings, clock: Clock) -> list[Face]:
    """Return the outputs, each with a name and a folder of its own."""
    made: list[Face] = []
    seen: Counter[str] = Counter()
    for entry in settings.outputs:
        seen[entry.output] += 1
        again = seen[entry.output]
        name = entry.output if again == 1 else f"{entry.output}-{again}"
        make, _ = output(entry.output)
        made.append(
            (
                name,
                make(
                    entry.settings,
                    site_name=settings.site.name,
                    timezone=ZoneInfo(settings.site.timezone),
                    clock=clock,
                    data_dir=settings.data_dir / name,
                ).run,
            )
        )
    return made


def _source(settings: Settings, entry: PriceEntry | None, direction: str) -> PriceSource | None:
    if entry is None:
        return None
    make, _ = price_source(entry.source)
    source: PriceSource = make(
        entry.settings,
        direction=direction,
        timezone=ZoneInfo(settings.site.timezone),
        cache_dir=settings.data_dir / "prices",
    )
    return source
