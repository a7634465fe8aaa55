"""The load's forecast: the house's habits, moved by how today runs."""

import asyncio
import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from ohmstead.forecasts import quarters
from ohmstead.forecasts.days_off import check_country, days_off
from ohmstead.forecasts.load import Habits, habits, without
from ohmstead.forecasts.memory import Memory
from ohmstead.forecasts.quarters import Told
from ohmstead.forecasts.source import point_of
from ohmstead.forecasts.today import drift, fading
from ohmstead.model import Forecast
from ohmstead.ports import HistoryPort

__all__ = ["LoadForecast", "LoadHistorySettings", "load_history"]

_AHEAD: Final = timedelta(hours=72)
_DAYS: Final = 42
_MEMORY_H: Final = 3.0
_LASTING_H: Final = 5.0
_RELEARN: Final = timedelta(hours=1)
_FEW: Final = 4
"""More new quarters than these, and the history has just been opened."""
_BRITISH: Final = "Europe/London"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadHistorySettings:
    """Which measured powers the house's use is learnt from."""

    measured: str = "site.load_w"
    """What the house uses."""
    without: tuple[str, ...] = ()
    """Powers in it that are planned for themselves: ``[zappi.power_w, immersion.power_w]``."""
    yearly_kwh: float = 2_700.0
    """What the house uses in a year without these, until it has been watched for a day."""
    holidays: str | None = None
    """Whose public holidays are kept: GB-ENG, GB-SCT, DE-BY …, or none; Britain's in London."""
    days_off: tuple[date, ...] = ()
    """More days that are spent like Sundays."""

    def __post_init__(self) -> None:
        """Refuse points that are none, and countries of which nobody knows the holidays."""
        for name in (self.measured, *self.without):
            point_of(name)
        if not 0 < self.yearly_kwh < math.inf:
            raise ValueError("yearly_kwh is a number above 0")
        if self.holidays is not None:
            check_country(self.holidays)


class LoadForecast:
    """One house's load."""

    def __init__(
        self, settings: LoadHistorySettings, *, zone: tzinfo, history: HistoryPort | None
    ) -> None:
        """Learn from *history*, with days of *zone*; without one, tell of a typical house."""
        self._settings = settings
        self._zone = zone
        country = settings.holidays or ("GB-ENG" if str(zone) == _BRITISH else "none")
        self._day_off = days_off(country, settings.days_off)
        self._load = Memory(history, point_of(settings.measured), _DAYS)
        self._others = [Memory(history, point_of(name), _DAYS) for name in settings.without]
        self._learnt_at: datetime | None = None
        self._learnt_of = 0
        self._turn = asyncio.Lock()
        self._expected: dict[int, Told] = {}
        self._habits: Habits | None = None

    @property
    def trouble(self) -> str | None:
        """Nothing can be wrong with it: a house without history is a typical one."""
        return None

    def next_due(self, now: datetime) -> datetime:
        """Return when another quarter of an hour has been measured."""
        return quarters.begin(quarters.of(now) + 1) + timedelta(minutes=6)

    async def forecast(self, now: datetime) -> Forecast:
        """Return the three days from the present quarter on."""
        async with self._turn:
            return await self._forecast(now)

    # ---- how it is done -------------------------------------------------------------

    async def _forecast(self, now: datetime) -> Forecast:
        for memory in (self._load, *self._others):
            await memory.refresh(now)
        used = without(self._load.watts, [other.watts for other in self._others])
        known = self._habits
        stale = self._learnt_at is None or not timedelta() <= now - self._learnt_at < _RELEARN
        stale = stale or len(used) > self._learnt_of + _FEW
        if known is None or stale:
            # Many days and many quarters: long enough for the fast loop to notice.
            known = self._habits = await asyncio.to_thread(self._learn, used, now)
            self._learnt_at, self._learnt_of = now, len(used)
        present = quarters.of(now)
        ratio = drift(
            used,
            {quarter: told.middle_w for quarter, told in self._expected.items()},
            present,
            memory_h=_MEMORY_H,
            inertia_w=0.6 * known.level_w,
        )
        slots = []
        for quarter in range(present, quarters.of(now + _AHEAD)):
            told = self._expected.get(quarter) or known.expected(quarter)
            moved = fading(ratio, quarter - present, _LASTING_H)
            slots.append(quarters.slot_of(quarter, Told(*(watts * moved for watts in told))))
        return Forecast(slots=tuple(slots), source=self._source(used), fetched_at=None)

    def _learn(self, used: dict[int, float], now: datetime) -> Habits:
        known = habits(used, quarters.of(now), self._zone, self._day_off, self._settings.yearly_kwh)
        first = quarters.of(now) - round(_MEMORY_H * 12)
        last = quarters.of(now + _AHEAD + _RELEARN)
        self._expected = {quarter: known.expected(quarter) for quarter in range(first, last)}
        return known

    @staticmethod
    def _source(used: dict[int, float]) -> str:
        days = len(used) / 96
        if not used:
            return "a typical house, until this one has a history"
        return f"this house's last {days:.0f} days" if days > 1 else "this house's first day"


def load_history(
    settings: LoadHistorySettings, *, zone: tzinfo, history: HistoryPort | None
) -> LoadForecast:
    """Return the load's forecast from the house's own history."""
    return LoadForecast(settings, zone=zone, history=history)
