"""Keeps the price curves fresh, each at its source's own rhythm."""

import logging
from collections.abc import Callable
from datetime import datetime

from ohmstead.clock import Clock
from ohmstead.errors import PriceSourceError
from ohmstead.model import PriceCurve
from ohmstead.ports import PriceSource

__all__ = ["PriceWatch"]

log = logging.getLogger(__name__)


class PriceWatch:
    """One price source: its last curve, or what is wrong with it."""

    def __init__(
        self, name: str, source: PriceSource, clock: Clock, on_news: Callable[[], None]
    ) -> None:
        """Ask *source* when it is due; tell *on_news* when the curve has changed."""
        self.name = name
        self._source = source
        self._clock = clock
        self._on_news = on_news
        self.curve: PriceCurve | None = None
        self.trouble: str | None = None
        self.asked = False

    async def run(self) -> None:
        """Ask for ever, each time the source says."""
        while True:
            due = await self.ask_once(self._clock.now())
            await self._clock.sleep((due - self._clock.now()).total_seconds())

    async def ask_once(self, now: datetime) -> datetime:
        """Ask once, and return when to ask again; a source in trouble is a state."""
        before = self.curve
        try:
            self.curve = await self._source.curve(now)
        except PriceSourceError as exc:
            if self.trouble is None:
                log.warning("%s prices: %s", self.name, exc)
            self.trouble = str(exc)
        else:
            self.trouble = None
        if self.curve != before or not self.asked:
            self.asked = True
            self._on_news()
        return self._source.next_due(now)
