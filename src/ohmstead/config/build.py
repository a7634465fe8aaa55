"""Makes the parts of a house of its settings."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from ohmstead.clock import Clock
from ohmstead.config.catalogue import FAMILIES, output, price_source, strategy
from ohmstead.config.settings import PriceEntry, Settings
from ohmstead.control.decide import Strategy
from ohmstead.control.limits import Limits, limits
from ohmstead.control.requests import Requests, requests
from ohmstead.history.book import Book
from ohmstead.ports import DevicePort, PriceSource, SitePort

__all__ = [
    "Check",
    "Face",
    "devices",
    "history",
    "output_checks",
    "outputs",
    "prices",
    "strategies",
]

Face = tuple[str, Callable[[SitePort], Awaitable[None]]]
"""Someone who is told of the site: a name, and what to do with it for ever."""
Check = tuple[str, Callable[[], Awaitable[str]]]
"""Something to be tried out: a name, and what says what was found or raises an error."""


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


def history(settings: Settings) -> Book | None:
    """Return what records the house; None if its owner does not want that."""
    if not settings.history.enabled:
        return None
    path = settings.history.path or settings.data_dir / "history.db"
    return Book(path, ZoneInfo(settings.site.timezone), settings.history)


def outputs(settings: Settings, clock: Clock) -> list[Face]:
    """Return the outputs, each with a name and a folder of its own."""
    made = list(_outputs(settings, clock))
    for _, watcher in made:
        if hasattr(watcher, "watch"):  # it shows what waits in the queues of the others
            for name, watched in made:
                if hasattr(watched, "waiting"):
                    watcher.watch(name, watched)
    return [(name, one.run) for name, one in made]


def output_checks(settings: Settings, clock: Clock) -> list[Check]:
    """Return the outputs that can be tried out, each with what tries it."""
    return [
        (name, made.check) for name, made in _outputs(settings, clock) if hasattr(made, "check")
    ]


def _outputs(settings: Settings, clock: Clock) -> Iterator[tuple[str, Any]]:
    seen: Counter[str] = Counter()
    for entry in settings.outputs:
        seen[entry.output] += 1
        again = seen[entry.output]
        name = entry.output if again == 1 else f"{entry.output}-{again}"
        make, _ = output(entry.output)
        yield (
            name,
            make(
                entry.settings,
                site_name=settings.site.name,
                timezone=ZoneInfo(settings.site.timezone),
                clock=clock,
                data_dir=settings.data_dir / name,
            ),
        )


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
