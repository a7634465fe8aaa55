"""Forecast.Solar: power by array, today and tomorrow, by the hour.

https://doc.forecast.solar/api: without a key 12 calls an hour from one address, one array a
call; bearings count from south. Energy stands at the end of its period; the first and the last
period of a day are cut at sunrise and sunset.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from ohmstead.errors import ForecastBusy, ForecastError
from ohmstead.forecasts.kept import Keeper
from ohmstead.forecasts.lessons import Lessons
from ohmstead.forecasts.panels import ArraySettings
from ohmstead.forecasts.quarters import Told, spread_out
from ohmstead.forecasts.solar import SolarForecast
from ohmstead.forecasts.source import (
    PATIENCE,
    UNREADABLE,
    SolarSettings,
    body_of,
    moment_of,
    point_of,
)
from ohmstead.forecasts.sun import Place
from ohmstead.links.http import HttpPatience, Page, get_json
from ohmstead.model import ForecastSlot
from ohmstead.ports import HistoryPort

__all__ = ["ForecastSolarSettings", "ForecastSolarTeller", "forecast_solar"]

_REMEDIES: Final = {
    400: "refuses the question: {said}; check site.location and arrays",
    401: "does not know the API key; check api_key",
    403: "does not allow this with the API key; check api_key and its plan",
    404: "finds no such place or array; check site.location and arrays",
    422: "cannot reckon this: {said}; check arrays",
    429: "asks us to slow down: {said}",
    503: "is being maintained; it will be back",
}
_LONGEST_H: Final = 3.0
"""Between two times further apart lies the night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSolarSettings(SolarSettings):
    """The panels, and the service; it works without a key."""

    api_key: str | None = None
    """A paid account's key: more calls and finer steps."""
    url: str = "https://api.forecast.solar"
    """Where the server is."""

    def __post_init__(self) -> None:
        """Refuse what no key looks like: it becomes part of an address."""
        SolarSettings.__post_init__(self)
        if self.api_key is not None and not (self.api_key.isascii() and self.api_key.isalnum()):
            raise ValueError("api_key is made of letters and digits")

    def __repr__(self) -> str:
        """Show no key."""
        return f"ForecastSolarSettings(arrays={self.arrays!r}, url={self.url!r})"


class ForecastSolarTeller:
    """Asks for each array in turn, and adds them up."""

    name = "Forecast.Solar"
    calls_a_day = None

    def __init__(
        self, settings: ForecastSolarSettings, place: Place, patience: HttpPatience | None = None
    ) -> None:
        """Ask of the arrays in *settings* at *place*."""
        self._settings = settings
        self._place = place
        self._patience = patience or PATIENCE

    @property
    def calls(self) -> int:
        """How many calls one ``fetch`` takes: one an array."""
        return len(self._settings.arrays)

    @property
    def every(self) -> timedelta:
        """Once an hour, less often where that would take more than half of the free calls."""
        return timedelta(hours=max(1.0, self.calls / 6))

    async def fetch(self, now: datetime) -> Mapping[int, Told]:
        """Return the power of all arrays together, today and tomorrow."""
        total: dict[int, Told] = {}
        for array in self._settings.arrays:
            body = self._checked(await self._ask(array), now)
            for quarter, told in spread_out(_slots(body)).items():
                before = total.get(quarter, Told(0.0, 0.0, 0.0))
                watts = before.middle_w + told.middle_w
                total[quarter] = Told(watts, watts, watts)
        limit_w = self._settings.limit_w or math.inf
        return {q: Told(*(min(watts, limit_w) for watts in told)) for q, told in total.items()}

    async def _ask(self, array: ArraySettings) -> Page:
        settings, place = self._settings, self._place
        key = f"{settings.api_key}/" if settings.api_key else ""
        # Its compass has south at 0, west at 90, and wants whole degrees.
        bearing = round(array.azimuth - 180)
        parameters = {"time": "utc"}
        if horizon := array.horizon or settings.horizon:
            parameters["horizon"] = ",".join(f"{height:g}" for height in horizon)
        return await get_json(
            f"{settings.url}/{key}estimate/{place.latitude:.4f}/{place.longitude:.4f}"
            f"/{round(array.tilt)}/{bearing}/{array.kwp:g}",
            parameters=parameters,
            patience=self._patience,
        )

    def _checked(self, page: Page, now: datetime) -> Any:  # noqa: ANN401 - JSON
        try:
            return body_of(page, self.name, _REMEDIES)
        except ForecastBusy as exc:
            raise ForecastBusy(str(exc), exc.retry_after_s or _wait_s(page, now)) from exc


def forecast_solar(
    settings: ForecastSolarSettings,
    *,
    place: Place,
    history: HistoryPort | None,
    cache_dir: Path | None,
    export_limit_w: float | None = None,
    patience: HttpPatience | None = None,
) -> SolarForecast:
    """Return the sun's forecast by Forecast.Solar."""
    teller = ForecastSolarTeller(settings, place, patience)
    path = cache_dir / "forecast-solar.json" if cache_dir else None
    lessons = Lessons(history, point_of(settings.measured), export_limit_w)
    return SolarForecast(Keeper(teller, path), settings.panels, place, lessons, name=teller.name)


def _slots(body: Any) -> list[ForecastSlot]:  # noqa: ANN401 - JSON
    """Return the periods of *body*, each from the time before it."""
    try:
        periods = body["result"]["watt_hours_period"]
        energies = sorted((moment_of(text), float(energy)) for text, energy in periods.items())
    except UNREADABLE as exc:
        raise ForecastError(f"Forecast.Solar sent a page that cannot be read: {exc}") from exc
    slots: list[ForecastSlot] = []
    for (before, _), (at, energy) in pairwise(energies):
        hours = (at - before) / timedelta(hours=1)
        if not math.isfinite(energy) or energy < 0:
            raise ForecastError(f"Forecast.Solar sent an energy of {energy}")
        if 0 < hours <= _LONGEST_H:
            watts = energy / hours
            slots.append(
                ForecastSlot(start=before, end=at, low_w=watts, middle_w=watts, high_w=watts)
            )
    return slots


def _wait_s(page: Page, now: datetime) -> float:
    """Return for how long it asks us to wait: it names the moment in its own words."""
    try:
        again = page.body["message"]["ratelimit"]["retry-at"]
        return max((moment_of(str(again)) - now).total_seconds(), 60.0)
    except UNREADABLE:
        return 3_600.0
