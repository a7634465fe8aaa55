"""Writes what is new to a time-series database, and keeps it on disk while that is away."""

import asyncio
import gzip
import logging
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from threading import Lock
from typing import Final, assert_never
from urllib.parse import urlsplit

import httpx2

from ohmstead.clock import Clock
from ohmstead.errors import ConfigError
from ohmstead.model import Tick
from ohmstead.outputs.influx_givtcp import givtcp_lines
from ohmstead.outputs.influx_naming import News, ohmstead_lines
from ohmstead.outputs.influx_ranch import ranch_lines
from ohmstead.outputs.influx_refused import RefusedLines
from ohmstead.outputs.influx_write import Away, InfluxSettings, Refused, Taken, WriteApi
from ohmstead.outputs.line_protocol import Line, encode
from ohmstead.outputs.spool import Spool
from ohmstead.ports import SitePort

__all__ = ["InfluxOutput", "InfluxSettings"]

log = logging.getLogger(__name__)

_NAMINGS: Final[Mapping[str, Callable[[News], list[Line]]]] = {
    "ohmstead": ohmstead_lines,
    "givtcp": givtcp_lines,
    "ranch": ranch_lines,
}
_CLOCK_IS_SET: Final = 2024
"""A machine without a clock of its own wakes up in the past, until the network tells it."""
_MOST_PENDING: Final = 100_000
_LONGEST_PAUSE_S: Final = 60.0
_MB: Final = 1_000_000


class InfluxOutput:
    """One database that is told of everything new."""

    def __init__(
        self,
        settings: InfluxSettings,
        *,
        site_name: str,
        timezone: tzinfo,
        clock: Clock,
        data_dir: Path | None,
    ) -> None:
        """Be ready; what waits is kept below *data_dir*, or until the end without one."""
        del timezone  # times are told in UTC
        self._settings = settings
        self._site_name = site_name
        self._place = f"{settings.url} ({_target(settings)})" if _target(settings) else settings.url
        self._clock = clock
        folder = data_dir / "spool" / _folder_name(settings) if data_dir else None
        self._spool = Spool(folder, most_bytes=settings.spool_mb * _MB)
        self._refused = RefusedLines(folder)
        self._seen: dict[str, datetime] = {}
        self._pending: list[str] = []
        self._hand: bytes | None = None
        """The batch being sent or put by; guarded by the lock, as a worker thread clears it."""
        self._hand_lock = Lock()
        self._lines_lost = 0
        self._away: str | None = None
        self._pause_s = settings.every_s
        self._quiet_until_s = 0.0

    @property
    def waiting(self) -> int:
        """How many batches wait on the disk."""
        return len(self._spool)

    @property
    def dropped(self) -> int:
        """How many batches were lost because there was no room for them."""
        return self._spool.dropped

    async def run(self, site: SitePort) -> None:
        """Tell the database of every turn of *site*, for ever."""
        with self._open_spool():
            async with httpx2.AsyncClient() as client, asyncio.TaskGroup() as group:
                group.create_task(self._listen(site))
                group.create_task(self._send_for_ever(WriteApi(self._settings, client)))

    @contextmanager
    def _open_spool(self) -> Iterator[None]:
        """Keep the spool open, and at the end put by what has not been sent."""
        try:
            self._spool.__enter__()
        except OSError as exc:
            raise ConfigError(f"{self._place}: lines cannot be kept on disk: {exc}") from exc
        if len(self._spool):
            log.info("%s: %d batches of an earlier run wait", self._place, len(self._spool))
        try:
            yield
        finally:
            self._put_by()
            while self._pending:
                self._take_up()
                self._put_by()
            self._spool.__exit__(None, None, None)

    # ---- what is new ----------------------------------------------------------------

    async def _listen(self, site: SitePort) -> None:
        naming = _NAMINGS[self._settings.naming]
        async for tick in site.ticks():
            news = self._news(tick, site)
            if news.fresh:
                self._pending += encode(map(self._without_text, naming(news)))
                self._bound_pending()

    def _bound_pending(self) -> None:
        """Let the oldest lines go when the disk hangs for so long that memory would fill up."""
        excess = len(self._pending) - _MOST_PENDING
        if excess > 0:
            del self._pending[:excess]
            if not self._lines_lost:
                log.error("%s: the disk does not answer, so lines are lost", self._place)
            self._lines_lost += excess

    def _news(self, tick: Tick, site: SitePort) -> News:
        fresh = []
        for name, device in tick.snapshot.devices.items():
            reading = device.reading
            if reading is None or reading.at.year < _CLOCK_IS_SET:
                continue
            if self._seen.get(name) != reading.at:
                self._seen[name] = reading.at
                fresh.append((device, reading))
        points = {name: device.points for name, device in site.devices.items()}
        return News(site=self._site_name, snapshot=tick.snapshot, points=points, fresh=fresh)

    def _without_text(self, line: Line) -> Line:
        if self._settings.text:
            return line
        numbers = {name: v for name, v in line.fields.items() if not isinstance(v, str)}
        return Line(measurement=line.measurement, tags=line.tags, fields=numbers, at=line.at)

    # ---- sending --------------------------------------------------------------------

    async def _send_for_ever(self, api: WriteApi) -> None:
        """Send what has come in, now and then, after whatever has waited longer."""
        while True:
            due_s = self._clock.monotonic() + self._settings.every_s
            await self._replay(api, due_s)
            await self._clock.sleep(due_s - self._clock.monotonic())
            while self._pending:
                batch = self._take_up()
                direct = len(self._spool) == 0 and self._may_try
                if direct and await self._placed(api, batch):
                    self._hand = None
                else:
                    await asyncio.to_thread(self._put_by)

    async def _replay(self, api: WriteApi, due_s: float) -> None:
        """Send what waits on the disk, in order, until new lines are due."""
        while len(self._spool) and self._may_try and self._clock.monotonic() < due_s:
            record = await asyncio.to_thread(self._spool.first)
            if record is None or not await self._placed(api, record.data):
                return
            await asyncio.to_thread(self._spool.take, record)

    async def _placed(self, api: WriteApi, batch: bytes) -> bool:
        """Send *batch*; False is: not now. Lines that the server will never take are put aside.

        A refused batch is halved until the bad lines stand alone. The good ones may so be sent
        twice, which does no harm: every line carries its time, and a point is kept once.
        """
        todo = deque([batch])
        while todo:
            result = await api.write(todo[0])
            match result:
                case Taken():
                    todo.popleft()
                    self._is_back()
                case Away():
                    self._is_away(result)
                    return False
                case Refused(why=why):
                    lines = _unpacked(todo.popleft())
                    half = len(lines) // 2
                    if half:
                        todo.extendleft([_packed(lines[half:]), _packed(lines[:half])])
                    else:
                        await asyncio.to_thread(self._refused.add, self._place, lines[0], why)
                case _:
                    assert_never(result)
        return True

    def _take_up(self) -> bytes:
        """Take the oldest lines in hand, as one batch."""
        count = self._settings.batch_lines
        batch = _packed(self._pending[:count])
        with self._hand_lock:
            self._hand = batch
        del self._pending[:count]
        return batch

    def _put_by(self) -> None:
        """Put the batch in hand on the disk, once, whoever calls: it may be a worker thread."""
        with self._hand_lock:
            batch, self._hand = self._hand, None
            if batch is None:
                return
            try:
                self._spool.append(batch)
            except OSError as exc:
                self._spool.dropped += 1
                log.error("%s: a batch is lost, as it cannot be kept on disk: %s", self._place, exc)  # noqa: TRY400 - the disk is at fault, not the code

    @property
    def _may_try(self) -> bool:
        return self._clock.monotonic() >= self._quiet_until_s

    def _is_away(self, result: Away) -> None:
        if self._away != result.why:
            log.warning("%s takes no lines, so they wait on disk: %s", self._place, result.why)
        self._away = result.why
        self._quiet_until_s = self._clock.monotonic() + max(
            self._pause_s, result.retry_after_s or 0.0
        )
        self._pause_s = min(self._pause_s * 2, max(_LONGEST_PAUSE_S, self._settings.every_s))

    def _is_back(self) -> None:
        if self._away is not None:
            log.info("%s takes lines again; %d batches wait", self._place, len(self._spool))
        self._away = None
        self._pause_s = self._settings.every_s


def _packed(lines: Sequence[str]) -> bytes:
    # Without a time in its header, the same lines are always the same bytes.
    return gzip.compress("\n".join(lines).encode(), mtime=0)


def _unpacked(batch: bytes) -> list[str]:
    return gzip.decompress(batch).decode().split("\n")


def _target(settings: InfluxSettings) -> str:
    return settings.bucket or settings.database


def _folder_name(settings: InfluxSettings) -> str:
    """Return a folder of its own for each target, so that two never mix what waits."""
    parts = (urlsplit(settings.url).netloc, settings.org, _target(settings), settings.naming)
    return re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(filter(None, parts)))
