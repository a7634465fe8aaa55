"""The only place that reads the clock; everywhere else ``now`` is an argument."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "ManualClock", "ScaledClock", "SystemClock"]


class Clock(Protocol):
    """What the time is, and how to wait for it."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never jump; only differences mean something."""

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds* of this clock's time."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one reader of the wall clock

    def monotonic(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()  # noqa: TID251 - the one reader of the monotonic clock

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        await asyncio.sleep(max(seconds, 0))


class ScaledClock:
    """A clock that started at a chosen moment and runs faster: a day in minutes."""

    def __init__(self, start: datetime, speed: float) -> None:
        """Show *start* now, and from here on *speed* seconds for each real one."""
        self._start = start
        self._speed = speed
        self._origin = SystemClock().monotonic()

    def now(self) -> datetime:
        """Return the present moment of the faster time, in UTC."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return seconds of the faster time since the start."""
        return (SystemClock().monotonic() - self._origin) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds* of the faster time."""
        await asyncio.sleep(max(seconds, 0) / self._speed)


class ManualClock:
    """A clock for tests: it moves when told to, and whoever sleeps moves it."""

    def __init__(self, start: datetime) -> None:
        """Show *start* until moved."""
        self._now = start
        self._origin = start

    def now(self) -> datetime:
        """Return the moment the test set."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds since the start."""
        return (self._now - self._origin).total_seconds()

    def move(self, seconds: float) -> None:
        """Let *seconds* go by, backwards if negative."""
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Return at once, with the clock moved on; others get their turn."""
        self.move(max(seconds, 0))
        await asyncio.sleep(0)
