"""Keeps a plan fresh: made anew every few minutes, and at once when something has changed."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from math import inf
from typing import Final

from ohmstead.clock import Clock
from ohmstead.control.follow_plan import FollowPlan
from ohmstead.errors import ForecastError, PriceSourceError, ProblemError
from ohmstead.model import Forecast, Plan, PriceCurve, SiteSnapshot
from ohmstead.planner.make import warm_up
from ohmstead.ports import ForecastSource, PriceSource
from ohmstead.site.carbon import plan_with_carbon
from ohmstead.site.due import Made, due, made_for, strays
from ohmstead.site.planning import Outlook, why_not

__all__ = ["PlanWatch"]

log = logging.getLogger(__name__)

_LOOK_S: Final = 5.0
"""How often it looks whether something has changed."""


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
        carbon: PriceSource | None = None,
    ) -> None:
        """Plan by *settings* with the forecasts of *load* and *solar*.

        *carbon* tells what a kWh of the grid weighs.
        """
        self._settings = settings
        self._load = load
        self._solar = solar
        self._carbon = carbon
        self._clock = clock
        self._import_limit_w = inf if import_limit_w is None else import_limit_w
        self._export_limit_w = inf if export_limit_w is None else export_limit_w
        self._made: Made | None = None
        self._forecasts_due: datetime | None = None
        self._strays_since: datetime | None = None
        self.plan: Plan | None = None
        self.trouble: str | None = None

    async def run(self, look: Callable[[], SiteSnapshot], on_news: Callable[[], None]) -> None:
        """Plan for ever for the house that *look* shows; tell *on_news* of each new plan."""
        await asyncio.to_thread(warm_up)
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
        why = self._due(site)
        if why is None:
            self.trouble = None  # what was missing is there again
            return False
        try:
            outlook = Outlook(
                load=await self._load.forecast(site.at),
                solar=await self._sun(site.at),
                import_limit_w=self._import_limit_w,
                export_limit_w=self._export_limit_w,
            )
            carbon = await self._weighs(site.at)
            # In a thread: some milliseconds, which the fast loop shall not wait for.
            plan = await asyncio.to_thread(
                plan_with_carbon, site, outlook, self._settings, self.plan, carbon
            )
        except (ForecastError, ProblemError) as exc:
            self._complain(str(exc))
            return False
        log.debug("a new plan: %s", why)
        self.trouble, self.plan, self._made = None, plan, made_for(site)
        self._forecasts_due, self._strays_since = self._next_forecast(site.at), None
        return True

    def _due(self, site: SiteSnapshot) -> str | None:
        """Return why a new plan is due, or None."""
        if self.plan is None or self._made is None:
            return "there is none"
        if not strays(site, self.plan):
            self._strays_since = None
        elif self._strays_since is None:
            self._strays_since = site.at
        return due(site, self.plan, self._made, self._forecasts_due, self._strays_since)

    def _next_forecast(self, now: datetime) -> datetime:
        sources = [self._load, self._solar] if self._solar else [self._load]
        return min(source.next_due(now) for source in sources)

    async def _sun(self, now: datetime) -> Forecast | None:
        return None if self._solar is None else await self._solar.forecast(now)

    async def _weighs(self, now: datetime) -> PriceCurve | None:
        """Return what a kWh weighs; while nobody says, money alone decides."""
        if self._carbon is None:
            return None
        try:
            return await self._carbon.curve(now)
        except PriceSourceError:
            return None

    def _complain(self, what: str) -> None:
        if self.trouble != what:
            log.warning("no new plan: %s", what)
        self.trouble = what
