"""Solcast: power with its percentiles, by rooftop site; few calls a day.

https://docs.solcast.com.au: mean kW of the half-hour that ends at ``period_end``. A home user's
account has ten calls a day (UTC), and one site a call.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from ohmstead.errors import ForecastBusy, ForecastError
from ohmstead.forecasts.kept import Keeper
from ohmstead.forecasts.lessons import Lessons
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
from ohmstead.links.http import HttpPatience, get_json
from ohmstead.model import ForecastSlot
from ohmstead.ports import HistoryPort

__all__ = ["SolcastSettings", "SolcastTeller", "solcast"]

_REMEDIES: Final = {
    401: "does not know the API key; check api_key",
    402: "wants to be paid: {said}",
    403: "does not allow this with the API key; check api_key and the resource of each array",
    404: "knows no such rooftop site; check the resource of each array",
    429: "has no calls left: {said}",
}
_HOURS: Final = 96
_SPARE: Final = 2
"""Calls a day that are left for restarts and second tries."""
_DAY_H: Final = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SolcastSettings(SolarSettings):
    """The panels, and the account; each site's ``resource`` stands with its array."""

    api_key: str
    """The account's API key."""
    calls_per_day: int = 10
    """How many calls the account has."""
    url: str = "https://api.solcast.com.au"
    """Where the server is."""

    def __post_init__(self) -> None:
        """Refuse an account without sites, or with fewer calls than sites."""
        SolarSettings.__post_init__(self)
        if not self.resources:
            raise ValueError("give an array its Solcast site: `arrays: [{kwp: 4.2, resource: …}]`")
        if any(set(name) & set("/?#%& ") for name in self.resources):
            raise ValueError("resource is the id of a site, like 1234-abcd-5678-ef00")
        if self.calls_per_day < len(self.resources):
            raise ValueError("calls_per_day must be enough to ask for every site once")

    @property
    def resources(self) -> tuple[str, ...]:
        """The sites, each once: one may stand for several arrays."""
        return tuple(dict.fromkeys(array.resource for array in self.arrays if array.resource))

    def __repr__(self) -> str:
        """Show no key."""
        return f"SolcastSettings(arrays={self.arrays!r}, url={self.url!r})"


class SolcastTeller:
    """Asks for each site in turn, and adds them up."""

    name = "Solcast"

    def __init__(self, settings: SolcastSettings, patience: HttpPatience | None = None) -> None:
        """Ask of the sites in *settings*; each try is a call, so there is but one by default."""
        self._settings = settings
        self._patience = patience or replace(PATIENCE, attempts=1)

    @property
    def calls(self) -> int:
        """How many calls one ``fetch`` takes: one a site."""
        return len(self._settings.resources)

    @property
    def calls_a_day(self) -> int:
        """What the account has."""
        return self._settings.calls_per_day

    @property
    def every(self) -> timedelta:
        """What spreads the calls over the day, some spared."""
        rounds = max((self.calls_a_day - _SPARE) // self.calls, 1)
        return timedelta(hours=max(_DAY_H / rounds, 0.5))

    async def fetch(self, now: datetime) -> Mapping[int, Told]:
        """Return the power of all sites together for the next four days."""
        total: dict[int, Told] = {}
        for resource in self._settings.resources:
            for quarter, told in spread_out(_slots(await self._ask(resource, now))).items():
                before = total.get(quarter, Told(0.0, 0.0, 0.0))
                # Neighbouring roofs have the same clouds: their percentiles add up.
                total[quarter] = Told(*map(sum, zip(before, told, strict=True)))
        return total

    async def _ask(self, resource: str, now: datetime) -> Any:  # noqa: ANN401 - JSON
        page = await get_json(
            f"{self._settings.url}/rooftop_sites/{resource}/forecasts",
            parameters={"format": "json", "hours": str(_HOURS)},
            bearer=self._settings.api_key,
            patience=self._patience,
        )
        try:
            return body_of(page, self.name, _REMEDIES)
        except ForecastBusy as exc:
            raise ForecastBusy(str(exc), exc.retry_after_s or _until_midnight_s(now)) from exc


def solcast(
    settings: SolcastSettings,
    *,
    place: Place,
    history: HistoryPort | None,
    cache_dir: Path | None,
    export_limit_w: float | None = None,
    patience: HttpPatience | None = None,
) -> SolarForecast:
    """Return the sun's forecast by Solcast, with its own percentiles."""
    teller = SolcastTeller(settings, patience)
    path = cache_dir / "solcast.json" if cache_dir else None
    lessons = Lessons(history, point_of(settings.measured), export_limit_w)
    return SolarForecast(
        Keeper(teller, path), settings.panels, place, lessons, name=teller.name, own_spread=True
    )


def _slots(body: Any) -> list[ForecastSlot]:  # noqa: ANN401 - JSON
    try:
        slots = [_slot(row) for row in body["forecasts"]]
    except UNREADABLE as exc:
        raise ForecastError(f"Solcast sent a page that cannot be read: {exc}") from exc
    slots.sort(key=lambda slot: slot.start)
    for before, after in pairwise(slots):
        if after.start < before.end:
            raise ForecastError(f"Solcast says two things of {after.start.isoformat()}")
    return slots


def _slot(row: Mapping[str, Any]) -> ForecastSlot:
    end = moment_of(row["period_end"])
    middle = _watts(row["pv_estimate"])
    return ForecastSlot(
        start=end - _length(row["period"]),
        end=end,
        low_w=min(_watts(row.get("pv_estimate10", row["pv_estimate"])), middle),
        middle_w=middle,
        high_w=max(_watts(row.get("pv_estimate90", row["pv_estimate"])), middle),
    )


def _watts(kilowatts: Any) -> float:  # noqa: ANN401 - JSON
    watts = float(kilowatts) * 1_000
    if not math.isfinite(watts) or watts < 0:
        raise ValueError(f"a power of {kilowatts} kW")
    return watts


def _length(period: str) -> timedelta:
    """Return the length of an ISO 8601 period of minutes or hours: PT30M, PT1H."""
    number, unit = period.removeprefix("PT")[:-1], period[-1]
    return timedelta(minutes=int(number) * {"M": 1, "H": 60}[unit])


def _until_midnight_s(now: datetime) -> float:
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=1) - now).total_seconds()
