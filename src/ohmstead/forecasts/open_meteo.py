"""Open-Meteo: sun, temperature and wind over the house; what panels make of it we reckon.

https://open-meteo.com/en/docs: no key; radiation is the mean of the quarter that ends at its
time. Free for those who earn nothing with it, up to 10,000 calls a day. The days before today
come along, so the house's correction can be learnt from the first hour on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from ohmstead.errors import ForecastBusy, ForecastError
from ohmstead.forecasts import quarters
from ohmstead.forecasts.kept import Keeper
from ohmstead.forecasts.lessons import Lessons
from ohmstead.forecasts.panels import Air, Panels, beam_and_diffuse
from ohmstead.forecasts.quarters import QUARTER, QUARTER_S, Told
from ohmstead.forecasts.solar import SolarForecast
from ohmstead.forecasts.source import PATIENCE, SolarSettings, body_of, point_of
from ohmstead.forecasts.sun import Place, sun_at
from ohmstead.links.http import HttpPatience, get_json
from ohmstead.ports import HistoryPort

__all__ = ["OpenMeteoSettings", "OpenMeteoTeller", "open_meteo"]

_NAMES: Final = (
    "shortwave_radiation",
    "diffuse_radiation",
    "temperature_2m",
    "wind_speed_10m",
)
_REMEDIES: Final = {
    400: "refuses the question: {said}; check site.location",
    404: "has nothing there; check url",
    429: "asks us to slow down: {said}",
}
_BRIGHTEST_W: Final = 1_600.0
"""No sky on earth gives more for a quarter of an hour."""
_HOUR_S: Final = 3_600.0
_LAST_S: Final = 32_503_680_000
"""The year 3000."""
_ABSURD: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMeteoSettings(SolarSettings):
    """The panels, and the service; it wants no key."""

    url: str = "https://api.open-meteo.com"
    """Where the server is."""


class OpenMeteoTeller:
    """Asks for the light, and answers with power."""

    name = "Open-Meteo"
    every = timedelta(hours=1)
    calls = 1
    calls_a_day = 2_000

    def __init__(
        self, url: str, panels: Panels, place: Place, patience: HttpPatience | None = None
    ) -> None:
        """Ask *url* of the sky over *place*; *panels* make power of it."""
        self._url = url
        self._panels = panels
        self._place = place
        self._patience = patience or PATIENCE

    async def fetch(self, now: datetime) -> Mapping[int, Told]:
        """Return the power of the last week and the next four days."""
        page = await get_json(
            f"{self._url}/v1/forecast",
            parameters={
                "latitude": f"{self._place.latitude:.4f}",
                "longitude": f"{self._place.longitude:.4f}",
                "minutely_15": ",".join(_NAMES),
                "wind_speed_unit": "ms",
                "timeformat": "unixtime",
                "timezone": "UTC",
                "past_days": "7",
                "forecast_days": "4",
            },
            patience=self._patience,
        )
        try:
            body = body_of(page, self.name, _REMEDIES)
        except ForecastBusy as exc:
            raise ForecastBusy(str(exc), exc.retry_after_s or _wait_s(str(exc), now)) from exc
        told = dict(self._powers(body))
        if not any(quarter >= quarters.of(now) for quarter in told):
            raise ForecastError("Open-Meteo says nothing of the days to come")
        return told

    def _powers(self, body: Any) -> Iterator[tuple[int, Told]]:  # noqa: ANN401 - JSON
        try:
            part = body["minutely_15"]
            columns = [part[name] for name in ("time", *_NAMES)]
            rows = list(zip(*columns, strict=True))
        except (KeyError, TypeError, ValueError) as exc:
            raise ForecastError(f"Open-Meteo sent a page without {exc}") from exc
        for end_s, *numbers in rows:
            if not isinstance(end_s, int) or not 0 < end_s < _LAST_S or end_s % QUARTER_S:
                raise ForecastError(f"Open-Meteo sent {end_s!r} where a time should be")
            level, diffuse, celsius, wind = map(_number, numbers)
            if level is None or diffuse is None or not -1 <= level <= _BRIGHTEST_W:
                continue  # the far end may not be reckoned yet
            quarter = end_s // QUARTER_S - 1
            sun = sun_at(quarters.begin(quarter) + QUARTER / 2, self._place)
            light = beam_and_diffuse(level, diffuse, sun)
            air = Air(12.0 if celsius is None else celsius, 2.0 if wind is None else wind)
            watts = self._panels.power_w(sun, light, air)
            yield quarter, Told(watts, watts, watts)


def open_meteo(
    settings: OpenMeteoSettings,
    *,
    place: Place,
    history: HistoryPort | None,
    cache_dir: Path | None,
    export_limit_w: float | None = None,
    patience: HttpPatience | None = None,
) -> SolarForecast:
    """Return the sun's forecast by Open-Meteo."""
    panels = settings.panels
    teller = OpenMeteoTeller(settings.url, panels, place, patience)
    path = cache_dir / "open-meteo.json" if cache_dir else None
    lessons = Lessons(history, point_of(settings.measured), export_limit_w)
    return SolarForecast(Keeper(teller, path), panels, place, lessons, name=teller.name)


def _number(value: object) -> float | None:
    """Return *value* if it is a sound number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if -_ABSURD < value < _ABSURD else None


def _wait_s(said: str, now: datetime) -> float:
    """Return how long its own words ask to wait: it names the limit that was passed."""
    if "Daily" in said:
        tomorrow = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return (tomorrow + timedelta(days=1) - now).total_seconds()
    return _HOUR_S if "Hourly" in said else 60.0
