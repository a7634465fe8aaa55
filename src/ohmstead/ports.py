"""The seams, named for capabilities. Brands live behind them, the loop and the faces before."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from ohmstead.model import (
    BatteryCommand,
    Chart,
    CommandResult,
    DayCosts,
    Forecast,
    JournalEntry,
    Plan,
    Point,
    PriceCurve,
    Reading,
    Request,
    SettingChange,
    SiteSnapshot,
    Tick,
    Value,
)

__all__ = [
    "BatteryPort",
    "DevicePort",
    "ExploringPort",
    "ForecastSource",
    "ForecastSources",
    "HistoryPort",
    "PlanPort",
    "PriceSource",
    "SettingPort",
    "SitePort",
]


class DevicePort(Protocol):
    """Anything that can be read."""

    @property
    def name(self) -> str:
        """What its owner calls it."""

    @property
    def family(self) -> str:
        """The catalogue's word for its kind."""

    @property
    def points(self) -> Mapping[str, Point]:
        """All its points by key; may grow once the device has been seen."""

    async def __aenter__(self) -> Self:
        """Begin: own a connection and whatever tasks it needs. Never waits for the device."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End: close the connection, leave no task behind."""

    async def read(self) -> Reading:
        """Return what the device says now, or raise a ``DeviceError``."""

    async def news(self) -> None:
        """Return when the device has said something unasked; forever, if it never does."""


@runtime_checkable
class ExploringPort(DevicePort, Protocol):
    """A device with others behind it, which it finds little by little as it is read."""

    async def explore(self) -> None:
        """Find all of them now, however long that takes, or raise a ``DeviceError``."""


@runtime_checkable
class SettingPort(DevicePort, Protocol):
    """A device with settings. Only ``site/writer.py`` may call these."""

    async def setting(self, point: str) -> Value | None:
        """Ask the device itself for the value *point* holds now, or raise a ``DeviceError``."""

    async def change(self, change: SettingChange) -> Value | None:
        """Send one value, once, and return what the device then shows.

        Raises ``NotWritable`` before anything is sent, or a ``DeviceError``. The value has
        been through ``Point.check``.
        """


@runtime_checkable
class BatteryPort(SettingPort, Protocol):
    """A device that commands a battery, by its own settings."""

    def settings_for(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        """Translate *command* into settings, in the order in which to write them.

        Sends nothing. The one that switches the command on stands last, so that undoing in
        reverse order switches off first. Raises ``NotWritable`` if it cannot be done.
        """


class PriceSource(Protocol):
    """Somewhere prices come from."""

    async def curve(self, now: datetime) -> PriceCurve:
        """Return the best curve known at *now*, fetching only if one is due.

        Raises ``PriceSourceError`` only when nothing usable is known at all.
        """

    def next_due(self, now: datetime) -> datetime:
        """Return when ``curve`` wants to be called again."""


class ForecastSource(Protocol):
    """Somewhere a forecast of powers comes from: of the sun's, or of the house's own."""

    async def forecast(self, now: datetime) -> Forecast:
        """Return the best forecast from *now* on, asking its source only if that is due.

        Whatever the source does there is a forecast: the last one, or our own.
        """

    def next_due(self, now: datetime) -> datetime:
        """Return when ``forecast`` may say something new."""

    @property
    def trouble(self) -> str | None:
        """What is wrong with the source, in a sentence with the remedy; None while all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSources:
    """Whoever tells of the hours to come; None where nobody was asked."""

    load: ForecastSource | None = None
    solar: ForecastSource | None = None
    carbon: PriceSource | None = None
    """What a kWh of the grid weighs, in kilograms of CO2."""


class HistoryPort(Protocol):
    """What was recorded, as the faces ask for it."""

    def known(self) -> Sequence[tuple[str, str]]:
        """Every device and point ever recorded."""

    async def charts(
        self, names: Sequence[tuple[str, str]], start: datetime, end: datetime, most_points: int
    ) -> Sequence[Chart]:
        """Return each of *names* in [start, end), in about *most_points* places.

        Raises ``HistoryError`` for what was never recorded, or while nothing can be read.
        """

    async def costs(self, first: date, last: date) -> Sequence[DayCosts]:
        """Return what the local days from *first* to *last* cost, or raise ``HistoryError``."""


class PlanPort(Protocol):
    """Whoever keeps the house's plan."""

    @property
    def plan(self) -> Plan | None:
        """The last plan; None before the first."""

    @property
    def trouble(self) -> str | None:
        """Why there is no new one, in a sentence; None while all is well."""

    async def refresh(self, site: SiteSnapshot) -> bool:
        """Make a new plan if one is due, and tell whether there is one."""

    async def run(self, look: Callable[[], SiteSnapshot], on_news: Callable[[], None]) -> None:
        """Plan for ever for the house that *look* shows; tell *on_news* of each new plan."""


class SitePort(Protocol):
    """The running site, as its faces see it."""

    @property
    def devices(self) -> Mapping[str, DevicePort]:
        """Every device by name; for their points, not for reading."""

    @property
    def last(self) -> Tick | None:
        """The last turn; None before the first."""

    def ticks(self) -> AsyncIterator[Tick]:
        """Yield each turn as it ends; a slow listener misses turns and delays nobody."""

    def requests(self) -> Sequence[Request]:
        """The requests that hold now."""

    async def ask(self, request: Request) -> CommandResult | None:
        """Put *request* before the next decision, and return how it ended.

        None means that it holds now and will be heeded for as long as it does.
        """

    def cancel(self, request_id: str) -> Request:
        """Take a request back and return it, or raise ``RequestError``."""

    async def journal(
        self, *, device: str | None = None, limit: int = 100, before: int | None = None
    ) -> Sequence[JournalEntry]:
        """The last writes, newest first."""
