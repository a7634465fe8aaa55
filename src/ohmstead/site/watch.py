"""Reads one device at its own rhythm, for as long as the service runs."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from ohmstead.clock import Clock
from ohmstead.errors import DeviceError
from ohmstead.model import DeviceSnapshot, Reading
from ohmstead.ports import DevicePort

__all__ = ["DeviceWatch"]

log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 60.0
_STALE_POLLS: Final = 3
"""A reading this many polls old is no longer what the device does now."""


class DeviceWatch:
    """One device: its last reading, or what is wrong with it."""

    def __init__(
        self, device: DevicePort, clock: Clock, poll_s: float, on_news: Callable[[], None]
    ) -> None:
        """Read *device* every *poll_s*, and sooner when it speaks unasked; tell *on_news*."""
        self.device = device
        self.name = device.name
        self._clock = clock
        self._poll_s = poll_s
        self._on_news = on_news
        self._reading: Reading | None = None
        self._last_seen: datetime | None = None
        self._failures = 0
        self.trouble: str | None = None
        self.asked = False
        """Whether it has been read, or has failed to be, at least once."""

    def snapshot(self, now: datetime) -> DeviceSnapshot:
        """Return the device as it is known at *now*."""
        longest = timedelta(seconds=max(_STALE_POLLS * self._poll_s, _LONGEST_PAUSE_S))
        fresh = self._last_seen is not None and now - self._last_seen <= longest
        return DeviceSnapshot(
            name=self.device.name,
            family=self.device.family,
            reading=self._reading if fresh else None,
            trouble=self.trouble,
            last_seen=self._last_seen,
        )

    async def run(self) -> None:
        """Read for ever, backing off while the device is in trouble."""
        async with self.device:
            while True:
                await self.read_once()
                await self._pause()

    async def read_once(self) -> None:
        """Read once; a device in trouble is a state, not an error."""
        try:
            reading = await self.device.read()
        except DeviceError as exc:
            self.lost(str(exc))
        else:
            if self.trouble is not None:
                log.info("%s: answers again", self.device.name)
            self._reading, self._last_seen = reading, reading.at
            self.trouble, self._failures = None, 0
        self.asked = True
        self._on_news()

    def lost(self, why: str) -> None:
        """Note that the device cannot be used for now."""
        if self.trouble is None:
            log.warning("%s", why)
        self.trouble = why
        self._failures += 1

    async def _pause(self) -> None:
        """Wait for the next poll, or for the device to speak by itself."""
        if self._failures:
            back_off_s = _FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 10)
            await self._clock.sleep(min(back_off_s, _LONGEST_PAUSE_S))
            return
        async with asyncio.TaskGroup() as group:
            waits = {
                group.create_task(self._clock.sleep(self._poll_s)),
                group.create_task(self.device.news()),
            }
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
