"""Keeps a plan fresh: made anew every few minutes, and at once when something has changed."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from math import inf
from typing import Final

from ohmstead.clock import Clock
from ohmstead.control.follow_plan import FollowPlan
from ohmstead.errors import ForecastError, ProblemError
from ohmstead.model import Forecast, Plan, SiteSnapshot
from ohmstead.ports import ForecastSource
from ohmstead.site.planning import Outlook, plan_for, why_not

__all__ = ["PlanWatch"]

log = logging.getLogger(__name__)

_EVERY_S: Final = 300.0
_LOOK_S: Final = 5.0
"""How often it looks whether something has changed."""
_DRIFT_PCT: Final = 4.0
"""So far the battery may be from the plan before a new one is made."""


class PlanWatch:
    """The house's plan, or what it waits for."""

    def __init__(
        self,
        settings: FollowPlan,
        load: ForecastSource,
        solar: ForecastSource | None,
        clock: Clock,
        *,
        import_limit_w: float | None = None,
        export_limit_w: float | None = None,
    ) -> None:
        """Plan by *settings* with the forecasts of *load* and *solar*."""
        self._settings = settings
        self._load = load
        self._solar = solar
        self._clock = clock
        self._import_limit_w = inf if import_limit_w is None else import_limit_w
        self._export_limit_w = inf if export_limit_w is None else export_limit_w
        self._made_for: tuple[object, ...] = ()
        self.plan: Plan | None = None
        self.trouble: str | None = None

    async def run(self, look: Callable[[], SiteSnapshot], on_news: Callable[[], None]) -> None:
        """Plan for ever for the house that *look* shows; tell *on_news* of each new plan."""
        while True:
            if await self.refresh(look()):
                on_news()
            await self._clock.sleep(_LOOK_S)

    async def refresh(self, site: SiteSnapshot) -> bool:
        """Make a new plan if one is due, and tell whether there is one."""
        missing = why_not(site, self._settings)
        if missing is not None:
            self._complain(missing)
            return False
        if not self._due(site):
            return False
        try:
            outlook = Outlook(
                load=await self._load.forecast(site.at),
                solar=await self._sun(site.at),
                import_limit_w=self._import_limit_w,
                export_limit_w=self._export_limit_w,
            )
            # In a thread: some milliseconds, which the fast loop shall not wait for.
            plan = await asyncio.to_thread(plan_for, site, outlook, self._settings)
        except (ForecastError, ProblemError) as exc:
            self._complain(str(exc))
            return False
        self.trouble, self.plan, self._made_for = None, plan, _marks(site)
        return True

    def _due(self, site: SiteSnapshot) -> bool:
        plan = self.plan
        if plan is None or self._made_for != _marks(site):
            return True
        slot = plan.at(site.at)
        if slot is None or plan.age(site.at).total_seconds() >= _EVERY_S:
            return True
        return _drift_pct(plan, site) > _DRIFT_PCT

    async def _sun(self, now: datetime) -> Forecast | None:
        return None if self._solar is None else await self._solar.forecast(now)

    def _complain(self, what: str) -> None:
        if self.trouble != what:
            log.warning("no new plan: %s", what)
        self.trouble = what


def _marks(site: SiteSnapshot) -> tuple[object, ...]:
    """Return what makes an old plan worthless at once when it changes."""
    buy, sell = site.prices.buy, site.prices.sell
    return (buy.slots if buy else None, sell.slots if sell else None)


def _drift_pct(plan: Plan, site: SiteSnapshot) -> float:
    """Return how far the battery is from where the plan has it now."""
    slot = plan.at(site.at)
    if slot is None or site.soc_pct is None:
        return 0.0
    number = plan.slots.index(slot)
    if number == 0:
        return 0.0  # the plan began with what there was
    before = plan.slots[number - 1].soc_pct
    share = (site.at - slot.start) / (slot.end - slot.start)
    return abs(before + share * (slot.soc_pct - before) - site.soc_pct)
