"""The sun without a weather service: a cloudless sky, as lately left of it."""

from dataclasses import dataclass
from pathlib import Path

from ohmstead.forecasts.lessons import Lessons
from ohmstead.forecasts.solar import SolarForecast
from ohmstead.forecasts.source import SolarSettings, point_of
from ohmstead.forecasts.sun import Place
from ohmstead.ports import HistoryPort

__all__ = ["ModelSettings", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings(SolarSettings):
    """The panels; nobody is asked what the sky will do."""


def model(
    settings: ModelSettings,
    *,
    place: Place,
    history: HistoryPort | None,
    cache_dir: Path | None,
    export_limit_w: float | None = None,
) -> SolarForecast:
    """Return the sun's forecast from the calendar and the house's own history."""
    del cache_dir
    lessons = Lessons(history, point_of(settings.measured), export_limit_w)
    return SolarForecast(None, settings.panels, place, lessons)
