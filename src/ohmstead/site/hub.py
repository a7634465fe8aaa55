"""Hands every tick to whoever listens; a slow listener loses ticks and delays nobody."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from ohmstead.model import Tick

__all__ = ["Hub"]

_ROOM: Final = 16


class Hub:
    """Many listeners, each with its own short queue."""

    def __init__(self) -> None:
        """Begin without listeners."""
        self._queues: set[asyncio.Queue[Tick]] = set()
        self.last: Tick | None = None

    def tell(self, tick: Tick) -> None:
        """Put *tick* into every queue; a full one drops its oldest."""
        self.last = tick
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(tick)

    def ticks(self) -> AsyncIterator[Tick]:
        """Yield each tick from this call on."""
        queue: asyncio.Queue[Tick] = asyncio.Queue(_ROOM)
        self._queues.add(queue)
        return self._drain(queue)

    async def _drain(self, queue: asyncio.Queue[Tick]) -> AsyncIterator[Tick]:
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)
