"""Every turn of the loop as a server-sent event; written once, however many listen."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from ohmstead.model import BatteryCommand, Decision, Tick
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
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._latest: tuple[Tick, bytes] | None = None
        self._over = False
        self.written = 0
        """How often a turn was put into JSON."""
        self.decisions: deque[Decision] = deque(maxlen=_DECISIONS)
        """The last different decisions, newest first."""

    async def run(self) -> None:
        """Hand every turn to all listeners; a slow one loses the oldest. Ends with them all."""
        try:
            async for tick in self._site.ticks():
                self._note(tick)
                if self._queues:
                    self._hand_out(self._event(tick))
        finally:
            self._over = True
            self._hand_out(None)

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the last turn, then each new one; a comment now and then keeps the line open."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(_ROOM)
        self._queues.add(queue)
        try:
            if self._site.last is not None:
                yield self._event(self._site.last)
            while not self._over or not queue.empty():
                try:
                    async with asyncio.timeout(_KEEP_ALIVE_S):
                        event = await queue.get()
                except TimeoutError:
                    event = b": still here\n\n"
                if event is not None:
                    yield event
        finally:
            self._queues.discard(queue)

    def _hand_out(self, event: bytes | None) -> None:
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    def _event(self, tick: Tick) -> bytes:
        """Return *tick* as an event, written once: newcomers get what the others got."""
        if self._latest is None or self._latest[0] is not tick:
            self.written += 1
            said = tick_view(tick).model_dump_json().encode()
            self._latest = (tick, b"event: tick\ndata: " + said + b"\n\n")
        return self._latest[1]

    def _note(self, tick: Tick) -> None:
        decision = tick.decision
        last = self.decisions[0] if self.decisions else None
        if last is None or _said(last) != _said(decision):
            self.decisions.appendleft(decision)


def _said(decision: Decision) -> tuple[BatteryCommand | None, str]:
    """Return what makes a decision another one; what lies ahead changes all the time."""
    command = decision.command
    return command and replace(command, ahead=None), decision.reason
