"""Tells PVOutput what the sun gave and the house used, and keeps it while that is away."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Final, assert_never

import httpx2

from ohmstead.clock import Clock
from ohmstead.errors import ConfigError, OutputError
from ohmstead.json_file import read_json, write_json
from ohmstead.outputs.pvoutput_api import (
    Answer,
    Away,
    PvoutputApi,
    PvoutputSettings,
    Refused,
    Taken,
)
from ohmstead.outputs.pvoutput_day import Day, DayMaker
from ohmstead.outputs.pvoutput_status import Status, StatusMaker
from ohmstead.ports import SitePort

__all__ = ["PvoutputOutput", "PvoutputSettings"]

log = logging.getLogger(__name__)

_CLOCK_IS_SET: Final = 2024
"""A machine without a clock of its own wakes up in the past, until the network tells it."""
_PACE_S: Final = 10.0
"""PVOutput asks for this between two requests."""
_FIRST_PAUSE_S: Final = 30.0
_LONGEST_PAUSE_S: Final = 900.0
_MOON: Final = "moon powered"
"""How PVOutput refuses generation at night: an inverter's meter that shows a few watts."""


class PvoutputOutput:
    """One system that gets a status every few minutes."""

    def __init__(
        self,
        settings: PvoutputSettings,
        *,
        site_name: str,
        timezone: tzinfo,
        clock: Clock,
        data_dir: Path | None,
    ) -> None:
        """Be ready; what waits is kept in *data_dir*, or until the end without one."""
        del site_name  # PVOutput has a name for it
        self._settings = settings
        self._zone = timezone
        self._clock = clock
        self._path = data_dir / "waiting.json" if data_dir else None
        self._waiting: deque[Status] = deque()
        self._days: deque[Day] = deque()
        self._day = DayMaker(timezone)
        self._some = asyncio.Event()
        self._saving = asyncio.Lock()
        self._most = settings.batch
        self._pause_s = _FIRST_PAUSE_S
        self._away: str | None = None
        self.dropped = 0
        """How many statuses were refused, or grew too old."""

    @property
    def waiting(self) -> int:
        """How many statuses and days have yet to be sent."""
        return len(self._waiting) + len(self._days)

    async def run(self, site: SitePort) -> None:
        """Tell PVOutput of *site*, for ever."""
        await asyncio.to_thread(self._load)
        if self.waiting:
            self._some.set()
        async with httpx2.AsyncClient() as client, asyncio.TaskGroup() as group:
            group.create_task(self._listen(site))
            group.create_task(self._send_for_ever(PvoutputApi(self._settings, client, self._zone)))

    async def check(self) -> str:
        """Return what PVOutput calls the system, or raise what is wrong; nothing is sent."""
        async with httpx2.AsyncClient() as client:
            api = PvoutputApi(self._settings, client, self._zone)
            answer = await api.system(self._clock.now().timestamp())
        match answer:
            case Taken(text=text):
                name = text.partition(",")[0]
                return f"PVOutput knows system {self._settings.system_id} as {name!r}"
            case Refused(why=why):
                raise ConfigError(f"PVOutput refuses: {why}")
            case Away(why=why):
                raise OutputError(f"PVOutput takes nothing now: {why}")
            case _:
                assert_never(answer)

    # ---- what is new ----------------------------------------------------------------

    async def _listen(self, site: SitePort) -> None:
        maker = StatusMaker(timedelta(minutes=self._settings.interval_min))
        async for tick in site.ticks():
            seen = tick.snapshot
            if seen.at.year < _CLOCK_IS_SET:
                continue
            load_w = seen.load_w if self._settings.consumption else None
            made = list(maker.see(seen.at, seen.pv_w, load_w))
            days = list(self._day.see(seen.at, seen.pv_w, seen.grid_w))
            if made or days:
                self._waiting += made
                self._days += days if self._settings.daily else []
                self._some.set()
                await self._keep()

    # ---- sending --------------------------------------------------------------------

    async def _send_for_ever(self, api: PvoutputApi) -> None:
        while True:
            await self._some.wait()
            self._drop_old()
            pause_s = _PACE_S
            now_s = self._clock.now().timestamp()
            if self._waiting:
                batch = [self._waiting[n] for n in range(min(self._most, len(self._waiting)))]
                pause_s = self._heed(await api.send(batch, now_s), len(batch))
            elif self._days:  # after its statuses, as each of those makes PVOutput add up anew
                pause_s = self._heed_day(await api.send_day(self._days[0], now_s))
            await self._keep()
            if not self.waiting:
                self._some.clear()
            await self._clock.sleep(pause_s)

    def _heed(self, answer: Answer, count: int) -> float:
        """Do what *answer* to *count* statuses asks for; return how long to send nothing."""
        match answer:
            case Taken(rest_s=rest_s):
                for _ in range(count):
                    self._waiting.popleft()
                self._most = min(2 * self._most, self._settings.batch)
                return self._is_back(rest_s)
            case Refused(why=why):
                # Halved until the bad one stands alone: it shall hold up no others.
                self._most = max(count // 2, 1)
                if count == 1:
                    self._refused(why)
                return _PACE_S
            case Away():
                return self._is_away(answer)
            case _:
                assert_never(answer)

    def _heed_day(self, answer: Answer) -> float:
        match answer:
            case Taken(rest_s=rest_s):
                self._days.popleft()
                return self._is_back(rest_s)
            case Refused(why=why):
                self.dropped += 1
                log.warning("pvoutput: %s is refused: %s", self._days.popleft().day, why)
                return _PACE_S
            case Away():
                return self._is_away(answer)
            case _:
                assert_never(answer)

    def _is_back(self, rest_s: float) -> float:
        if self._away is not None:
            log.info("pvoutput: it takes statuses again; %d wait", self.waiting)
        self._away, self._pause_s = None, _FIRST_PAUSE_S
        return max(_PACE_S, rest_s)

    def _is_away(self, answer: Away) -> float:
        if self._away != answer.why:
            log.warning("pvoutput: it takes no statuses, so they wait: %s", answer.why)
        pause_s = max(self._pause_s, answer.rest_s)
        self._away, self._pause_s = answer.why, min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return pause_s

    def _refused(self, why: str) -> None:
        status = self._waiting.popleft()
        if _MOON in why.lower() and status.pv_w and status.load_w is not None:
            self._waiting.appendleft(replace(status, pv_w=0))
            return
        self.dropped += 1
        log.warning("pvoutput: the status of %s is refused: %s", _local(status, self._zone), why)

    def _drop_old(self) -> None:
        oldest = self._clock.now() - self._settings.oldest
        old = 0
        while self._waiting and self._waiting[0].at <= oldest:
            self._waiting.popleft()
            old += 1
        if old:
            self.dropped += old
            log.warning("pvoutput: %d statuses are too old for it, and lost", old)

    # ---- on disk --------------------------------------------------------------------

    async def _keep(self) -> None:
        async with self._saving:
            kept = {
                "statuses": [[s.at.isoformat(), s.pv_w, s.load_w] for s in self._waiting],
                "days": [[d.day.isoformat(), d.generated_wh, d.exported_wh] for d in self._days],
                "today": self._day.kept(),
            }
            await asyncio.to_thread(self._save, kept)

    def _load(self) -> None:
        """Take up what an earlier run left."""
        read_json(self._path, self._take_up, "pvoutput never hears of what waited")

    def _take_up(self, kept: Any) -> None:  # noqa: ANN401 - JSON
        statuses = [
            Status(at=datetime.fromisoformat(at), pv_w=_watts(pv_w), load_w=_watts(load_w))
            for at, pv_w, load_w in kept["statuses"]
        ]
        days = [
            Day(day=date.fromisoformat(day), generated_wh=int(made), exported_wh=int(sold))
            for day, made, sold in kept["days"]
        ]
        if kept["today"] is not None:
            self._day.take_up(kept["today"])
        self._waiting, self._days = deque(statuses), deque(days)

    def _save(self, kept: Mapping[str, object]) -> None:
        write_json(self._path, kept, "pvoutput never hears of what waits, after a restart")


def _local(status: Status, zone: tzinfo) -> str:
    return f"{status.at.astimezone(zone):%Y-%m-%d %H:%M}"


def _watts(given: object) -> int | None:
    return int(given) if isinstance(given, int | float) else None
