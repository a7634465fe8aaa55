"""Every turn of the loop as a server-sent event; written once, however many listen."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from ohmstead.model import Decision, Tick
from ohmstead.ports import SitePort
from ohmstead.web.schema import tick_view

__all__ = ["Live"]

_ROOM: Final = 4
_KEEP_ALIVE_S: Final = 15.0
_DECISIONS: Final = 100


class Live:
    """Listens to the site, and lets any number of browsers listen to it."""

    def __init__(self, site: SitePort) -> None:
        """Follow *site* once ``run`` does."""
        self._site = site
        self._queues: set[asyncio.Queue[bytes]] = set()
        self.written = 0
        """How often a turn was put into JSON."""
        self.decisions: deque[Decision] = deque(maxlen=_DECISIONS)
        """The last different decisions, newest first."""

    async def run(self) -> None:
        """Hand every turn to all listeners; a slow one loses the oldest."""
        async for tick in self._site.ticks():
            self._note(tick)
            if not self._queues:
                continue
            event = self._event(tick)
            for queue in self._queues:
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(event)

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the last turn, then each new one; a comment now and then keeps the line open."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(_ROOM)
        self._queues.add(queue)
        try:
            if self._site.last is not None:
                yield self._event(self._site.last)
            while True:
                try:
                    async with asyncio.timeout(_KEEP_ALIVE_S):
                        event = await queue.get()
                except TimeoutError:
                    event = b": still here\n\n"
                yield event
        finally:
            self._queues.discard(queue)

    def _event(self, tick: Tick) -> bytes:
        self.written += 1
        return b"event: tick\ndata: " + tick_view(tick).model_dump_json().encode() + b"\n\n"

    def _note(self, tick: Tick) -> None:
        decision = tick.decision
        last = self.decisions[0] if self.decisions else None
        if last is None or (last.command, last.reason) != (decision.command, decision.reason):
            self.decisions.appendleft(decision)
