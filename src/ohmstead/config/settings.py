"""What a house's configuration says, checked and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ohmstead.history.settings import HistorySettings
from ohmstead.web.settings import WebSettings

__all__ = [
    "ControlEntry",
    "DeviceEntry",
    "ForecastEntry",
    "GridSettings",
    "JournalSettings",
    "Location",
    "OutputEntry",
    "PriceEntry",
    "Settings",
    "SiteSettings",
    "Top",
]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as exc:
        raise ValueError(f"{name!r} is no time zone; write it as Europe/London") from exc
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Location(_Strict):
    """Where the house stands, for sun and weather."""

    latitude: float = Field(ge=-90, le=90)
    """Degrees north."""
    longitude: float = Field(ge=-180, le=180)
    """Degrees east."""


class GridSettings(_Strict):
    """What the grid connection allows."""

    import_limit_w: float | None = Field(default=None, gt=0)
    """The most that may be drawn; charging leaves the house its part of it."""
    export_limit_w: float | None = Field(default=None, ge=0)
    """The most that may be fed in."""


class SiteSettings(_Strict):
    """The house."""

    name: str = Field(default="home", pattern=r"^[a-z0-9_-]+$")
    """Its name, in small letters: it becomes part of topics and labels."""
    timezone: Annotated[str, AfterValidator(_zone)] = "Europe/London"
    """The time zone its clocks show."""
    location: Location | None = None
    grid: GridSettings = GridSettings()


class JournalSettings(_Strict):
    """The journal of writes."""

    writes_per_point_per_day: int = Field(default=100, ge=1)
    """How often one setting may be written in 24 hours; its memory wears out."""


class Prices(_Strict):
    """Where prices come from."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    buy: dict[str, Any] | None = Field(default=None, alias="import")
    sell: dict[str, Any] | None = Field(default=None, alias="export")


class Forecasts(_Strict):
    """Where forecasts come from."""

    solar: dict[str, Any] | None = None
    """What the panels will give."""
    load: dict[str, Any] | None = None
    """What the house will use; from its own history if not said."""
    carbon: dict[str, Any] | None = None
    """What a kWh from the grid weighs, as a second price."""


class Top(_Strict):
    """The file's outermost keys; families, strategies and sources check their own parts."""

    site: SiteSettings = SiteSettings()
    devices: tuple[dict[str, Any], ...] = ()
    prices: Prices = Prices()
    forecasts: Forecasts = Forecasts()
    control: tuple[dict[str, Any], ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()
    history: dict[str, Any] | None = None
    web: dict[str, Any] | None = None
    journal: JournalSettings = JournalSettings()
    data_dir: Path | None = None
    """Where the journal and the caches live; beside the file in ``var`` if not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEntry:
    """One device: its name, its family, and what the family wants to know."""

    name: str
    family: str
    poll_s: float
    settings: object


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEntry:
    """One price source and its settings."""

    source: str
    settings: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastEntry:
    """One forecast: of what, its source, and the source's settings."""

    kind: str
    source: str
    settings: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlEntry:
    """One strategy and its settings."""

    strategy: str
    settings: object


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputEntry:
    """One output and its settings."""

    output: str
    settings: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole configuration, checked to the last key."""

    site: SiteSettings
    devices: tuple[DeviceEntry, ...]
    buy: PriceEntry | None
    sell: PriceEntry | None
    forecasts: Mapping[str, ForecastEntry]
    """By what they foretell: solar, load, carbon; only those that were asked for."""
    control: tuple[ControlEntry, ...]
    outputs: tuple[OutputEntry, ...]
    history: HistorySettings
    web: WebSettings
    journal: JournalSettings
    data_dir: Path
