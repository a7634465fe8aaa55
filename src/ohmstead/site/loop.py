"""The control loop: see, decide, command, tell. Nothing else drives the house."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from ohmstead.clock import Clock
from ohmstead.errors import DeviceError, DeviceUnreachable, JournalError, RequestError
from ohmstead.model import (
    BatteryCommand,
    BatteryMode,
    CommandResult,
    Decision,
    DeviceSnapshot,
    Failed,
    JournalEntry,
    Prices,
    Refused,
    Request,
    SettingChange,
    SiteSnapshot,
    Tick,
)
from ohmstead.ports import BatteryPort, DevicePort, PlanPort, SettingPort
from ohmstead.site.hub import Hub
from ohmstead.site.inbox import Inbox
from ohmstead.site.journal import Journal
from ohmstead.site.prices import PriceWatch
from ohmstead.site.share import shared
from ohmstead.site.snapshot import battery_of, chargers_of, powers_of
from ohmstead.site.watch import DeviceWatch
from ohmstead.site.writer import Errand, Writer

__all__ = ["Site", "SiteParts"]

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S: Final = 60.0
_SHORTEST_PAUSE_S: Final = 0.2
_FIRST_READS_S: Final = 1.0
"""How long the first decision waits for devices; a silent one must not hold up the others."""
_SAVE_MEMORY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteParts:
    """What a site is made of."""

    watches: Mapping[str, DeviceWatch]
    buy: PriceWatch | None
    sell: PriceWatch | None
    journal: Journal
    writer: Writer
    decide: Callable[[SiteSnapshot], Decision]
    clock: Clock
    timezone: tzinfo
    planner: PlanPort | None = None


class Site:
    """One house; the only caller of a device's settings."""

    def __init__(self, parts: SiteParts, wake: asyncio.Event, memory: Mapping[str, str]) -> None:
        """Be ready to take turns; *wake* is set by whoever has news for the next one."""
        self._parts = parts
        self._clock = parts.clock
        self._wake = wake
        self._memory = self._saved_memory = dict(memory)
        self._saved_at: datetime | None = None
        self._mode: BatteryMode | None = None
        self._mode_since: datetime | None = None
        self._inbox = Inbox()
        self._hub = Hub()
        self._recovered: set[str] = set()

    # ---- what its faces see ---------------------------------------------------------

    @property
    def devices(self) -> Mapping[str, DevicePort]:
        """Every device by name."""
        return {name: watch.device for name, watch in self._parts.watches.items()}

    @property
    def last(self) -> Tick | None:
        """The last turn; None before the first."""
        return self._hub.last

    def ticks(self) -> AsyncIterator[Tick]:
        """Yield each turn as it ends."""
        return self._hub.ticks()

    def requests(self) -> Sequence[Request]:
        """Return the requests that hold now."""
        return self._inbox.active(self._clock.now())

    async def ask(self, request: Request) -> CommandResult | None:
        """Put *request* before the next decision, and return how it ended."""
        self._wake.set()
        if isinstance(request.want, SettingChange):
            if request.want.device not in self._parts.watches:
                raise RequestError(
                    f"no device {request.want.device}; there is {', '.join(self._parts.watches)}"
                )
            return await self._inbox.answer_to(request)
        self._inbox.put(request, self._clock.now())
        return None

    def cancel(self, request_id: str) -> Request:
        """Take a request back and return it."""
        request = self._inbox.cancel(request_id)
        self._wake.set()
        return request

    async def journal(
        self, *, device: str | None = None, limit: int = 100, before: int | None = None
    ) -> Sequence[JournalEntry]:
        """Return the last writes, newest first."""
        return await self._parts.journal.entries(device=device, limit=limit, before=before)

    # ---- the loop -------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Take turns until *stop*, then give every device back to its owner."""
        await self._first_reads()
        while not stop.is_set():
            began = self._clock.monotonic()
            await self.turn()
            await self._clock.sleep(began + _SHORTEST_PAUSE_S - self._clock.monotonic())
            await self._until_next(stop)
        await self.release("Ohmstead stops")

    async def turn(self, *, recover: bool = True) -> Tick:
        """Take one turn. It starts from the devices again, so a missed turn costs nothing.

        With *recover*, a device that holds settings of an earlier run is first given its own
        values back.
        """
        self._wake.clear()
        began = self._clock.monotonic()
        snapshot = self.snapshot()
        decision = self._parts.decide(snapshot)
        results = [
            *await self.carry_out(decision.at),
            *await self._changes(decision),
            *await self._command(decision, recover=recover),
        ]
        await self._keep(decision)
        tick = Tick(
            snapshot=snapshot,
            decision=decision,
            results=tuple(results),
            took_s=self._clock.monotonic() - began,
        )
        self._hub.tell(tick)
        return tick

    async def carry_out(self, now: datetime) -> Sequence[CommandResult]:
        """Change the settings that people asked for, and answer them."""
        results: list[CommandResult] = []
        while (asked := self._inbox.next_change()) is not None:
            change, request, answer = asked
            why = request.why or f"asked by {request.asked_by}"
            result = await self._change(change, request.asked_by, why, now)
            if not answer.done():
                answer.set_result(result)
            results.append(result)
        return results

    async def release(self, why: str) -> None:
        """Give back every setting that is on lease, on every device that answers."""
        now = self._clock.now()
        for name in await self._parts.writer.leases():
            watch = self._parts.watches.get(name)
            if watch is None or not isinstance(watch.device, SettingPort):
                continue
            try:
                if watch.trouble is not None:
                    raise DeviceUnreachable(name, watch.trouble)
                await self._parts.writer.undo(watch.device, now, why)
            except (DeviceError, JournalError) as exc:
                log.warning("%s keeps our settings until the next start: %s", name, exc)
        await self.save()

    async def save(self) -> None:
        """Keep on disk what the strategies want to be reminded of."""
        await self._parts.journal.remember(self._memory)

    def snapshot(self) -> SiteSnapshot:
        """Return what the house looks like now."""
        now = self._clock.now()
        devices = {name: watch.snapshot(now) for name, watch in self._parts.watches.items()}
        grid_w, pv_w, load_w = powers_of(devices)
        buy, sell = self._parts.buy, self._parts.sell
        return SiteSnapshot(
            at=now,
            timezone=self._parts.timezone,
            devices=devices,
            battery=battery_of(devices),
            grid_w=grid_w,
            pv_w=pv_w,
            load_w=load_w,
            chargers=chargers_of(devices),
            prices=Prices(buy=buy.curve if buy else None, sell=sell.curve if sell else None),
            requests=tuple(self._inbox.active(now)),
            mode=self._mode,
            mode_since=self._mode_since,
            plan=self._parts.planner.plan if self._parts.planner else None,
            plan_trouble=self._parts.planner.trouble if self._parts.planner else None,
            memory=self._memory,
        )

    # ---- how it is done -------------------------------------------------------------

    async def _first_reads(self) -> None:
        watches: list[DeviceWatch | PriceWatch] = list(self._parts.watches.values())
        watches += [watch for watch in (self._parts.buy, self._parts.sell) if watch is not None]
        try:
            async with asyncio.timeout(_FIRST_READS_S):
                while not all(watch.asked for watch in watches):
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            log.info("deciding without %s", ", ".join(w.name for w in watches if not w.asked))

    async def _until_next(self, stop: asyncio.Event) -> None:
        """Wait for news, for the next moment at which something changes, or for a minute."""
        now = self._clock.now()
        ends = [request.until for request in self._inbox.active(now) if request.until]
        for watch in (self._parts.buy, self._parts.sell):
            slot = watch.curve.at(now) if watch and watch.curve else None
            ends += [slot.end] if slot else []
        pause_s = min((_LONGEST_PAUSE_S, *((end - now).total_seconds() for end in ends)))
        async with asyncio.TaskGroup() as group:
            waits = {
                group.create_task(self._clock.sleep(pause_s)),
                group.create_task(self._wake.wait()),
                group.create_task(stop.wait()),
            }
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()

    async def _changes(self, decision: Decision) -> Sequence[CommandResult]:
        return [
            await self._change(change, decision.strategy, decision.reason, decision.at)
            for change in decision.changes
        ]

    async def _change(
        self, change: SettingChange, asked_by: str, why: str, now: datetime
    ) -> CommandResult:
        watch = self._parts.watches.get(change.device)
        if watch is None or not isinstance(watch.device, SettingPort):
            return Refused(device=change.device, command=change, why="it has no settings")
        if watch.trouble is not None:
            return Failed(device=change.device, command=change, why=watch.trouble)
        errand = Errand(command=change, asked_by=asked_by, why=why, now=now)
        return await self._parts.writer.change(watch.device, change, errand)

    async def _command(self, decision: Decision, *, recover: bool) -> Sequence[CommandResult]:
        """Let every battery do its share of what was decided, all at the same time."""
        snapshots = {
            name: watch.snapshot(decision.at) for name, watch in self._parts.watches.items()
        }
        batteries = {
            name: device
            for name, device in self.devices.items()
            if isinstance(device, BatteryPort) and _has_battery(snapshots[name])
        }
        snapshots = {name: snapshots[name] for name in batteries}
        commands = shared(decision.command, snapshots)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    self._command_one(
                        device, snapshots[name], commands[name], decision, recover=recover
                    )
                )
                for name, device in batteries.items()
            ]
        return [result for task in tasks if (result := task.result()) is not None]

    async def _command_one(
        self,
        device: BatteryPort,
        seen: DeviceSnapshot,
        command: BatteryCommand | None,
        decision: Decision,
        *,
        recover: bool,
    ) -> CommandResult | None:
        writer = self._parts.writer
        if seen.trouble is None and seen.last_seen is None:
            return None  # its first answer is on its way
        if seen.trouble is not None:
            return _failed(device, command, seen.trouble)
        try:
            if recover and device.name not in self._recovered:
                await self._recover(device, decision.at)
            if command is None:
                await writer.leave(device, decision.at, decision.reason)
                return None
        except (DeviceError, JournalError) as exc:
            log.warning("%s", exc)
            return _failed(device, command, str(exc))
        errand = Errand(
            command=command, asked_by=decision.strategy, why=decision.reason, now=decision.at
        )
        return await writer.command(device, command, errand, seen.reading)

    async def _recover(self, device: BatteryPort, now: datetime) -> None:
        """Undo what an earlier run left on the device."""
        left = (await self._parts.writer.leases()).get(device.name, ())
        if left:
            why = (
                f"an earlier run ended at {len(left)} unfinished writes, the last at "
                f"{left[-1].at:%Y-%m-%d %H:%M} UTC because {left[-1].why}"
            )
            log.warning("%s: %s; giving it back its own settings", device.name, why)
            await self._parts.writer.undo(device, now, why)
        self._recovered.add(device.name)

    async def _keep(self, decision: Decision) -> None:
        """Keep the mode and the strategies' memory; the disk gets it now and then."""
        mode = decision.command.mode if decision.command else None
        if mode is not self._mode:
            self._mode, self._mode_since = mode, decision.at
        self._memory = dict(decision.memory)
        due = self._saved_at is None or decision.at - self._saved_at >= _SAVE_MEMORY
        if due and self._memory != self._saved_memory:
            await self._parts.journal.remember(self._memory)
            self._saved_memory, self._saved_at = self._memory, decision.at


def _has_battery(seen: DeviceSnapshot) -> bool:
    """Tell whether it has a battery, as far as it has said; an inverter for sun alone has none."""
    return seen.reading is None or seen.reading.battery is not None


def _failed(device: DevicePort, command: BatteryCommand | None, why: str) -> Failed | None:
    """Return how *command* ended; where nothing was asked, nothing failed."""
    return None if command is None else Failed(device=device.name, command=command, why=why)
