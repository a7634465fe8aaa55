"""Builders for tests of the history: ticks, and histories that were fed with them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from ohmstead.history.history import History
from ohmstead.history.settings import HistorySettings
from ohmstead.model import (
    Decision,
    DeviceSnapshot,
    Kind,
    Reading,
    SiteSnapshot,
    Tick,
    Value,
)

__all__ = ["MORNING", "a_history", "a_tick", "feed", "kind_of"]

MORNING = datetime(2026, 6, 21, 6, tzinfo=UTC)


def kind_of(device: str, point: str) -> Kind | None:
    """Take every point that ends in _kwh as a total."""
    del device
    return Kind.TOTAL if point.endswith("_kwh") else Kind.MEASUREMENT


def a_tick(
    at: datetime,
    values: Mapping[str, Value | None] | None,
    *,
    device: str = "inverter",
    read_at: datetime | None = None,
    site: SiteSnapshot | None = None,
) -> Tick:
    """Return a tick in which one device says *values*; None is a silent device."""
    reading = None
    if values is not None:
        reading = Reading(device=device, at=read_at or at, values=values)
    devices = {device: DeviceSnapshot(name=device, family="toy", reading=reading)}
    if site is None:
        site = SiteSnapshot(at=at, devices=devices)
    decision = Decision(at=at, command=None, reason="for a test", strategy="test")
    return Tick(snapshot=site, decision=decision)


@asynccontextmanager
async def a_history(
    path: Path | None = None,
    zone: tzinfo = UTC,
    settings: HistorySettings | None = None,
    *,
    read_only: bool = False,
) -> AsyncIterator[History]:
    """Open a history that takes points ending in _kwh as totals."""
    settings = settings or HistorySettings()
    async with History(path, zone, kind_of, settings, read_only=read_only) as history:
        yield history


async def feed(
    history: History,
    start: datetime,
    values: Sequence[Mapping[str, Value | None] | None],
    *,
    every_s: float = 60,
) -> datetime:
    """Record one tick for each of *values*, and return when the next would come."""
    for number, said in enumerate(values):
        await history.record(a_tick(start + timedelta(seconds=number * every_s), said))
    return start + timedelta(seconds=len(values) * every_s)
