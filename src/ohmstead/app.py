"""The composition root: settings in, a running house out. The one supervisor lives here."""

import asyncio
import contextlib
import fcntl
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import IO, Final

from ohmstead.clock import Clock
from ohmstead.control.decide import decide
from ohmstead.errors import ConfigError, DeviceError, JournalError, OhmsteadError
from ohmstead.model import (
    Advice,
    CommandResult,
    JournalEntry,
    Request,
    Room,
    SettingChange,
    SiteSnapshot,
    Tick,
)
from ohmstead.outputs.log import log_ticks
from ohmstead.outputs.systemd import notify, notify_ticks
from ohmstead.ports import (
    DevicePort,
    ExploringPort,
    ForecastSources,
    PlanPort,
    PriceSource,
    SitePort,
)
from ohmstead.site.budget import WriteBudget
from ohmstead.site.journal import Journal
from ohmstead.site.loop import Site, SiteParts
from ohmstead.site.prices import PriceWatch
from ohmstead.site.watch import DeviceWatch
from ohmstead.site.writer import Writer

__all__ = [
    "House",
    "Plan",
    "alone",
    "change",
    "last_writes",
    "look",
    "once",
    "open_house",
    "run",
    "supervise",
    "visited",
    "watch_signals",
]

log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 300.0
_JOURNAL_DAYS: Final = timedelta(days=400)

Work = Callable[[], Awaitable[None]]
Strategy = Callable[[SiteSnapshot, Room], Advice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a house is to be built of: what the configuration says, made into objects."""

    timezone: tzinfo
    devices: Sequence[tuple[DevicePort, float]]
    """Each device with its poll interval in seconds."""
    strategies: Sequence[tuple[str, Strategy]]
    buy: PriceSource | None = None
    sell: PriceSource | None = None
    planner: PlanPort | None = None
    """Whoever keeps the plan that is followed, if one is."""
    forecasts: ForecastSources = field(default_factory=ForecastSources)
    """What the plan is made of, and the faces show."""
    data_dir: Path | None = None
    """Where the journal lives; None keeps it in memory."""
    writes_per_day: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """One site with everything that keeps it going."""

    site: Site
    watches: Mapping[str, DeviceWatch]
    prices: Sequence[PriceWatch]
    clock: Clock
    wake: Callable[[], None]
    """Lets the loop take its next turn at once."""


@asynccontextmanager
async def open_house(plan: Plan, clock: Clock) -> AsyncIterator[House]:
    """Put the house together; nothing runs yet, and no device has been spoken to."""
    path = plan.data_dir / "journal.db" if plan.data_dir else None
    async with Journal(path) as journal:
        now = clock.now()
        await journal.forget(now - _JOURNAL_DAYS)
        past = await journal.writes_since(now - timedelta(days=1))
        wake = asyncio.Event()
        watches = {
            device.name: DeviceWatch(device, clock, poll_s, wake.set)
            for device, poll_s in plan.devices
        }
        buy, sell = (
            PriceWatch(name, source, clock, wake.set) if source else None
            for name, source in (("import", plan.buy), ("export", plan.sell))
        )
        parts = SiteParts(
            watches=watches,
            buy=buy,
            sell=sell,
            planner=plan.planner,
            journal=journal,
            writer=Writer(journal, WriteBudget(plan.writes_per_day, past)),
            decide=partial(decide, strategies=plan.strategies),
            clock=clock,
            timezone=plan.timezone,
        )
        yield House(
            site=Site(parts, wake, await journal.memory()),
            watches=watches,
            prices=[watch for watch in (buy, sell) if watch is not None],
            clock=clock,
            wake=wake.set,
        )


async def run(
    plan: Plan,
    clock: Clock,
    stop: asyncio.Event,
    faces: Sequence[tuple[str, Callable[[SitePort], Awaitable[None]]]] = (),
) -> None:
    """Run the service until *stop*, then give every inverter back to its owner.

    *faces* are whoever shows the site or speaks for it, by name.
    """
    with alone(plan.data_dir):
        async with open_house(plan, clock) as house, asyncio.TaskGroup() as group:
            work: list[tuple[str, Work, Callable[[str], None]]] = [
                (name, watch.run, watch.lost) for name, watch in house.watches.items()
            ]
            work += [(f"{watch.name} prices", watch.run, _heard) for watch in house.prices]
            work += [
                ("log", lambda: log_ticks(house.site.ticks()), _heard),
                ("systemd", lambda: notify_ticks(house.site.ticks()), _heard),
            ]
            if plan.planner is not None:
                planning = partial(plan.planner.run, house.site.snapshot, house.wake)
                work.append(("planner", planning, _heard))
            work += [(name, partial(face, house.site), _heard) for name, face in faces]
            tasks = [group.create_task(supervise(*item, clock)) for item in work]
            await supervise("loop", partial(house.site.run, stop), _heard, clock)
            notify("STOPPING=1")
            for task in tasks:
                task.cancel()


async def once(plan: Plan, clock: Clock) -> Tick:
    """Take one turn and return it: read, decide, command. What is wanted on stays on."""
    with alone(plan.data_dir):
        async with visited(plan, clock) as house:
            tick = await house.site.turn(recover=False)
            await house.site.save()
            return tick


async def look(plan: Plan, clock: Clock, explore: str = "") -> Tick:
    """Read and decide, but command nothing; *explore* names a device to be read to the last."""
    async with visited(plan, clock, explore) as house:
        snapshot = house.site.snapshot()
        return Tick(snapshot=snapshot, decision=decide(snapshot, strategies=plan.strategies))


async def change(plan: Plan, clock: Clock, wanted: SettingChange) -> CommandResult:
    """Change one setting of one device, journalled like every other, and return how it ended."""
    with alone(plan.data_dir):
        async with visited(plan, clock) as house:
            made = clock.now()
            request = Request(id="once", asked_by="cli", made_at=made, want=wanted)
            async with asyncio.TaskGroup() as group:
                asked = group.create_task(house.site.ask(request))
                await asyncio.sleep(0)
                await house.site.carry_out(made)
    result = asked.result()
    assert result is not None  # noqa: S101 - a change of a setting always has an end
    return result


async def last_writes(plan: Plan, clock: Clock, limit: int) -> Sequence[JournalEntry]:
    """Return the newest entries of the journal."""
    async with open_house(plan, clock) as house:
        return await house.site.journal(limit=limit)


async def supervise(name: str, work: Work, lost: Callable[[str], None], clock: Clock) -> None:
    """Do *work* until it is done; when it breaks, say so, wait, and begin again.

    A ``ConfigError`` ends the program: waiting does not mend a file.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        began = clock.monotonic()
        try:
            await work()
            return
        except ConfigError:
            raise
        except OhmsteadError as exc:
            lost(str(exc))
        except Exception as exc:
            log.exception("%s: a bug; please report it", name)
            lost(f"{name}: {exc!r}, a bug")
        if clock.monotonic() - began > _LONGEST_PAUSE_S:
            pause_s = _FIRST_PAUSE_S
        await clock.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def watch_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT set *stop*."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


@asynccontextmanager
async def visited(plan: Plan, clock: Clock, explore: str = "") -> AsyncIterator[House]:
    """Open the house and read everything once; *explore* names a device to be read to the last."""
    async with open_house(plan, clock) as house, AsyncExitStack() as stack:
        for watch in house.watches.values():
            await stack.enter_async_context(watch.device)
        async with asyncio.TaskGroup() as group:
            for watch in house.watches.values():
                group.create_task(watch.read_once())
            for source in house.prices:
                group.create_task(source.ask_once(clock.now()))
        if explore in house.watches:
            found = house.watches[explore]
            if isinstance(found.device, ExploringPort) and found.trouble is None:
                with contextlib.suppress(DeviceError):  # what was read already is worth showing
                    await found.device.explore()
                await found.read_once()
        if plan.planner is not None:
            await plan.planner.refresh(house.site.snapshot())
        yield house


@contextmanager
def alone(data_dir: Path | None) -> Iterator[IO[str] | None]:
    """Keep a second program from driving the same house; raises ``JournalError`` if one does."""
    if data_dir is None:
        yield None
        return
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with (data_dir / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield lock
    except BlockingIOError:
        raise JournalError(
            f"another Ohmstead drives this house (it holds {data_dir / 'lock'}); "
            "stop it first, or use its web page"
        ) from None
    except (PermissionError, FileExistsError, NotADirectoryError) as exc:
        raise ConfigError(f"data_dir {data_dir} cannot be used: {exc.strerror}") from exc


def _heard(why: str) -> None:
    log.warning("%s", why)
