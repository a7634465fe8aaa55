"""Makes the parts of a house of its settings."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from ohmstead.clock import Clock
from ohmstead.config.catalogue import FAMILIES, forecast, output, price_source, strategy
from ohmstead.config.settings import ControlEntry, PriceEntry, Settings
from ohmstead.control.decide import Strategy
from ohmstead.control.limits import Limits, limits
from ohmstead.control.requests import Requests, requests
from ohmstead.forecasts.sun import Place
from ohmstead.history.book import Book
from ohmstead.ports import (
    DevicePort,
    ForecastSource,
    ForecastSources,
    HistoryPort,
    PlanPort,
    PriceSource,
    SitePort,
)

if TYPE_CHECKING:
    from ohmstead.control.follow_plan import FollowPlan

__all__ = [
    "Check",
    "Face",
    "carbon",
    "devices",
    "forecasts",
    "history",
    "load",
    "output_checks",
    "outputs",
    "planner",
    "prices",
    "solar",
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


def solar(settings: Settings, history: HistoryPort | None) -> ForecastSource | None:
    """Return the sun's forecast, which learns from *history*; None if nobody asked for one."""
    entry, where = settings.forecasts.get("solar"), settings.site.location
    if entry is None or where is None:
        return None
    source: ForecastSource = forecast("solar", entry.source)[0](
        entry.settings,
        place=Place(latitude=where.latitude, longitude=where.longitude),
        history=history,
        cache_dir=settings.data_dir / "forecasts",
        export_limit_w=settings.site.grid.export_limit_w,
    )
    return source


def load(settings: Settings, history: HistoryPort | None) -> ForecastSource:
    """Return the load's forecast, which learns from *history*; there always is one.

    What goes into a car that the house's load counts is taken out of it: it is planned for itself.
    """
    entry = settings.forecasts.get("load")
    make, kind = forecast("load", entry.source if entry else "history")
    learns: Any = entry.settings if entry else kind()
    if hasattr(learns, "without"):
        cars = [name for name in _cars_inside(settings) if name not in learns.without]
        learns = replace(learns, without=(*learns.without, *cars))
    source: ForecastSource = make(
        learns,
        zone=ZoneInfo(settings.site.timezone),
        history=history,
    )
    return source


def _cars_inside(settings: Settings) -> list[str]:
    """Return the powers of the chargers that the battery's own meter sees."""
    inside = (e for e in settings.devices if getattr(e.settings, "behind", None) == "inside")
    return [f"{entry.name}.power_w" for entry in inside]


def forecasts(settings: Settings, history: HistoryPort | None) -> ForecastSources:
    """Return all who tell of the hours to come; nobody, where nobody asked and nobody plans."""
    if not settings.forecasts and not _follows(settings):
        return ForecastSources()
    return ForecastSources(
        load=load(settings, history), solar=solar(settings, history), carbon=carbon(settings)
    )


def planner(settings: Settings, clock: Clock, known: ForecastSources) -> PlanPort | None:
    """Return who keeps the plan, made of what is *known*; None if no strategy follows one."""
    followed = _follows(settings)
    if followed is None or known.load is None:
        return None
    from ohmstead.site.plans import PlanWatch  # it brings numpy along

    grid = settings.site.grid
    return PlanWatch(
        cast("FollowPlan", followed.settings),
        known.load,
        known.solar,
        clock,
        import_limit_w=grid.import_limit_w,
        export_limit_w=grid.export_limit_w,
        carbon=known.carbon,
    )


def carbon(settings: Settings) -> PriceSource | None:
    """Return what a kWh of the grid weighs, as a second price; None if nobody asked for it."""
    entry = settings.forecasts.get("carbon")
    if entry is None:
        return None
    source: PriceSource = forecast("carbon", entry.source)[0](
        entry.settings, cache_dir=settings.data_dir / "forecasts"
    )
    return source


def strategies(settings: Settings) -> list[tuple[str, Strategy]]:
    """Return the strategies in their order: limits, what people ask for, then the owner's list.

    Of the list a car comes first, wherever it stands: what narrows must come before what chooses.
    """
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
    chain += [pair for pair in listed if pair[0] == "car"]
    chain += [pair for pair in listed if pair[0] not in {"limits", "car"}]
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


def _follows(settings: Settings) -> ControlEntry | None:
    return next((entry for entry in settings.control if entry.strategy == "follow_plan"), None)


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
