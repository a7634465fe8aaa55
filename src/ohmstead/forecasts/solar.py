"""The sun's forecast: what a source says, corrected by what this house has learnt.

Where the source is silent, too old, or ends, stands a cloudless sky times what has been left of
it lately. So there is a forecast whatever happens, and it is never above what panels can do.
"""

import asyncio
import math
from datetime import datetime, timedelta
from typing import Final

from ohmstead.forecasts import quarters
from ohmstead.forecasts.kept import Keeper
from ohmstead.forecasts.learned import CLOUDED, FORETOLD, Past, learn
from ohmstead.forecasts.lessons import Lessons
from ohmstead.forecasts.panels import Air, Panels
from ohmstead.forecasts.quarters import QUARTER, Told
from ohmstead.forecasts.sun import Place, Sun, clear_light, sun_at
from ohmstead.forecasts.today import drift, fading
from ohmstead.model import Forecast, ForecastSlot

__all__ = ["SolarForecast"]

_AHEAD: Final = timedelta(hours=72)
_BACK: Final = timedelta(hours=8)
"""How far back the forecast is reckoned again, to compare today with it."""
_AIR: Final = Air()
_RELEARN: Final = timedelta(hours=1)
_FEW: Final = 4
"""More new quarters than these, and the history has just been opened."""
_STALE: Final = timedelta(hours=36)
"""After so long without news the source's word is no better than the house's own."""
_MEMORY_H: Final = 1.5
_LASTING_H: Final = 2.5


class SolarForecast:
    """One house's sun."""

    def __init__(
        self,
        keeper: Keeper | None,
        panels: Panels,
        place: Place,
        lessons: Lessons,
        *,
        name: str = "model",
        own_spread: bool = False,
    ) -> None:
        """Correct what *keeper* keeps (None: nothing but a clear sky) by *lessons*.

        *own_spread* says that the source's percentiles are better than ours.
        """
        self._keeper = keeper
        self._panels = panels
        self._place = place
        self._lessons = lessons
        self._name = name
        self._own_spread = own_spread
        self._learnt_at: datetime | None = None
        self._learnt_of = 0
        self._turn = asyncio.Lock()
        self._skies: dict[int, tuple[Sun, float]] = {}
        self._told = learn((), panels.most_w, FORETOLD)
        self._clear = learn((), panels.most_w, CLOUDED)

    @property
    def trouble(self) -> str | None:
        """What is wrong with the source; None while all is well."""
        return self._keeper.trouble if self._keeper else None

    def next_due(self, now: datetime) -> datetime:
        """Return when there may be news: from the source, or from what was measured."""
        ours = quarters.begin(quarters.of(now) + 1) + timedelta(minutes=1)
        return min(self._keeper.next_due(now), ours) if self._keeper else ours

    async def forecast(self, now: datetime) -> Forecast:
        """Return the three days from the present quarter on; asks the source if that is due."""
        async with self._turn:
            return await self._forecast(now)

    # ---- how it is done -------------------------------------------------------------

    async def _forecast(self, now: datetime) -> Forecast:
        news = await self._keeper.refresh(now) if self._keeper else False
        await self._lessons.refresh(now)
        known = len(self._lessons.watts)
        stale = self._learnt_at is None or not timedelta() <= now - self._learnt_at < _RELEARN
        if news or stale or known > self._learnt_of + _FEW:
            # A month of quarters takes a small computer long enough for the fast loop to notice.
            await asyncio.to_thread(self._learn, now)
            self._learnt_at, self._learnt_of = now, known
        return self._reckon(now)

    def _learn(self, now: datetime) -> None:
        present = quarters.of(now)
        made = self._lessons.watts
        oldest = min(made, default=present)
        self._skies = {quarter: sky for quarter, sky in self._skies.items() if quarter >= oldest}
        told, clear = list[Past](), list[Past]()
        kept = self._keeper.kept.told if self._keeper else {}
        for quarter, measured_w in made.items():
            sun, clear_w = self._sky(quarter)
            if clear_w <= 0:
                continue
            age = float(present - quarter)
            clear.append(Past(age, sun, clear_w, clear_w, measured_w))
            if quarter in kept:
                told.append(Past(age, sun, kept[quarter].middle_w, clear_w, measured_w))
        self._told = learn(told, self._panels.most_w, FORETOLD)
        self._clear = learn(clear, self._panels.most_w, CLOUDED)

    def _reckon(self, now: datetime) -> Forecast:
        present = quarters.of(now)
        first = quarters.of(now - _BACK)
        last = quarters.of(now + _AHEAD)
        reckoned, ceilings, from_source = dict[int, Told](), dict[int, float](), False
        for quarter in range(first, last):
            sun, clear_w = self._sky(quarter)
            said = self._said(quarter, now)
            ceilings[quarter] = clear_w
            if clear_w <= 0:
                reckoned[quarter] = Told(0.0, 0.0, 0.0)
            elif said is None:
                told = Told(clear_w, clear_w, clear_w)
                reckoned[quarter] = self._clear.corrected(told, sun, clear_w, own_spread=False)
            else:
                from_source = from_source or quarter >= present
                reckoned[quarter] = self._told.corrected(
                    said, sun, clear_w, own_spread=self._own_spread
                )
        ratio = drift(
            self._lessons.watts,
            {quarter: told.middle_w for quarter, told in reckoned.items()},
            present,
            memory_h=_MEMORY_H,
            inertia_w=0.2 * self._panels.most_w,
        )
        slots = tuple(
            self._slot(quarter, reckoned[quarter], ceilings[quarter], ratio, present)
            for quarter in range(present, last)
        )
        fetched_at = self._keeper.kept.fetched_at if self._keeper and from_source else None
        return Forecast(
            slots=slots, source=self._source(from_source=from_source), fetched_at=fetched_at
        )

    def _source(self, *, from_source: bool) -> str:
        if from_source:
            return f"{self._name}, as this house makes it"
        if self._keeper:
            return f"clear sky as lately left of it; {self._name} is silent"
        return "clear sky as lately left of it"

    def _said(self, quarter: int, now: datetime) -> Told | None:
        """Return the source's word on *quarter*; None where it has said nothing of late."""
        if self._keeper is None:
            return None
        kept = self._keeper.kept
        if kept.fetched_at is None or now - kept.fetched_at > _STALE:
            return None
        return kept.told.get(quarter)

    def _sky(self, quarter: int) -> tuple[Sun, float]:
        """Return the sun in the middle of *quarter*, and what a cloudless sky would give."""
        known = self._skies.get(quarter)
        if known is None:
            moment = quarters.begin(quarter) + QUARTER / 2
            sun = sun_at(moment, self._place)
            light = clear_light(sun, moment, self._place)
            known = self._skies[quarter] = (sun, self._panels.power_w(sun, light, _AIR))
        return known

    def _slot(
        self, quarter: int, told: Told, clear_w: float, ratio: float, present: int
    ) -> ForecastSlot:
        """Return a slot, moved by how today runs, and the less sure the further ahead it lies."""
        now_ratio = fading(ratio, quarter - present, _LASTING_H)
        most_w = self._told.ceiling_w(clear_w)
        if clear_w <= 0:
            return quarters.slot_of(quarter, told)
        middle = min(told.middle_w * now_ratio, most_w)
        # Errors grow by about a third from an hour ahead to three days ahead.
        wider = 1 if self._own_spread else 1 + 0.33 * math.sqrt((quarter - present) / (4 * 72))
        low = middle - (told.middle_w - told.low_w) * now_ratio * wider
        high = middle + (told.high_w - told.middle_w) * now_ratio * wider
        return quarters.slot_of(
            quarter, Told(min(max(low, 0.0), middle), middle, max(middle, min(high, most_w)))
        )
