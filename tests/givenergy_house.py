"""A house on a GivEnergy inverter, for whole days: sun, people and clock are in our hand."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import partial
from types import MappingProxyType
from typing import Final

from houses import LONDON
from ohmstead import app
from ohmstead.clock import Clock, ScaledClock
from ohmstead.config.build import Face
from ohmstead.control.requests import Requests, requests
from ohmstead.control.self_consumption import SelfConsumption, self_consumption
from ohmstead.devices.givenergy.driver import GivEnergyDriver, GivEnergySettings
from ohmstead.devices.givenergy.simulator import DongleSettings, GivEnergySimulator
from ohmstead.links.frames_tcp import FramePatience
from ohmstead.model import (
    BatteryCommand,
    BatteryMode,
    CommandResult,
    Request,
    SettingChange,
    Tick,
    Value,
)
from ohmstead.ports import DevicePort, PlanPort, PriceSource, SitePort
from ohmstead.simulation import BatterySettings, House, HouseSettings

__all__ = ["HASTY", "SIZES", "JumpClock", "Plant", "Service", "Size", "a_driver", "serving"]

NOON: Final = datetime(2026, 6, 21, 11, tzinfo=UTC)
HASTY: Final = FramePatience(
    reply_s=0.15, gap_s=0, settle_s=0, again_s=0.02, backoff_s=0.05, backoff_most_s=0.1
)
"""Seconds of ours, which are minutes of a day that runs fast."""
_OWNERS: Final[Mapping[str, Value]] = MappingProxyType({
    "charge_target_soc_pct": 80,
    "charge_slot_1_start": time(0, 30),
    "charge_slot_1_end": time(4, 30),
    "discharge_slot_1_start": time(16),
    "discharge_slot_1_end": time(19),
    "discharge_slot_2_start": time(21),
    "discharge_slot_2_end": time(22),
    "charge_rate_pct": 45,
    "discharge_rate_pct": 40,
    "ac_charge_rate_pct": 90,
    "ac_discharge_rate_pct": 80,
    "reserve_soc_pct": 10,
})  # fmt: skip
"""What a service must leave as it was."""
_USUAL: Final[Sequence[tuple[str, app.Strategy]]] = (
    ("requests", partial(requests, settings=Requests())),
    ("self_consumption", partial(self_consumption, settings=SelfConsumption())),
)
_SLICE_S: Final = 0.05
_WHOLE_SECOND: Final = timedelta(seconds=1)
"""Some devices tell their time no finer."""
_JUMP_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One model with the house around it."""

    inverter_w: float
    capacity_kwh: float
    step_w: float
    """What one step of its rates is worth."""
    hybrid: bool = False
    battery_w: float | None = None
    """What the battery moves at most, if that is less than the inverter."""


SIZES: Final = MappingProxyType({
    # 186 Ah at 51.2 V; its rates are hundredths of that, the others' of the rated power.
    "hybrid_gen2": Size(inverter_w=3_600, capacity_kwh=9.5232, step_w=96, hybrid=True),
    "ac_coupled": Size(inverter_w=3_000, capacity_kwh=9.5232, step_w=31),
    "all_in_one": Size(inverter_w=6_000, capacity_kwh=13.5, step_w=61),
})  # fmt: skip


class JumpClock:
    """A clock that runs faster, and jumps when a test has nothing to wait for but time."""

    def __init__(self, start: datetime, speed: float) -> None:
        """Show *start* now, and run *speed* times as fast as the real one."""
        self._scaled = ScaledClock(start, speed)
        self._jumped_s = 0.0

    def jump(self, seconds: float) -> None:
        """Be *seconds* later; whoever sleeps over that wakes up."""
        self._jumped_s += seconds

    def now(self) -> datetime:
        return self._scaled.now() + timedelta(seconds=self._jumped_s)

    def monotonic(self) -> float:
        return self._scaled.monotonic() + self._jumped_s

    async def sleep(self, seconds: float) -> None:
        end = self.monotonic() + max(seconds, 0)
        await asyncio.sleep(0)
        while (left := end - self.monotonic()) > 0:
            await self._scaled.sleep(min(left, _SLICE_S))


class Plant:
    """A house whose sun and load the test sets, behind a simulated dongle."""

    def __init__(
        self,
        model: str,
        clock: Clock,
        *,
        soc_pct: float = 50,
        timezone: tzinfo = LONDON,
        dongle: DongleSettings | None = None,
        size: Size | None = None,
    ) -> None:
        """Begin at the clock's now."""
        self.clock, self.size = clock, size or SIZES[model]
        self.sun_w, self.people_w = 0.0, 400.0
        size = self.size
        battery = BatterySettings(
            capacity_kwh=size.capacity_kwh,
            max_charge_w=size.battery_w or size.inverter_w,
            max_discharge_w=size.battery_w or size.inverter_w,
        )
        settings = HouseSettings(
            battery=battery, inverter_w=size.inverter_w, hybrid=size.hybrid, start_soc_pct=soc_pct
        )
        self.house = House(
            settings,
            clock.now(),
            timezone,
            pv_at=self.sun,
            load_at=self.people,
        )
        self.simulator = GivEnergySimulator(self.house, clock, timezone, model=model, dongle=dongle)
        self._move_in()

    def _move_in(self) -> None:
        """Let the owner have set what is not as it left the factory."""
        bank = self.simulator.inverter.holdings
        bank.show(**{name: value for name, value in _OWNERS.items() if name in bank.table})

    def sun(self, second: float) -> float:
        """Return what the panels give; the same until the weather changes."""
        del second
        return self.sun_w

    def people(self, second: float) -> float:
        """Return what the house uses."""
        del second
        return self.people_w

    def live(self) -> House:
        """Return the house as it is now."""
        self.simulator.inverter.live(self.clock.now())
        return self.house

    def weather(self, *, sun_w: float, people_w: float = 400) -> None:
        """Let the sun and the people do so from now on."""
        self.live()
        self.sun_w, self.people_w = sun_w, people_w
        self.house.settle()

    def held(self) -> dict[int, int]:
        """Return every word of the inverter that is a setting."""
        bank = self.simulator.inverter.holdings
        return {
            row.address + n: word
            for row in bank.table
            if row.writable is not None and row.name != "clock"
            for n, word in enumerate(bank.read(row.address, len(row.addresses)))
        }


def a_driver(
    name: str,
    port: int,
    clock: Clock,
    patience: FramePatience = HASTY,
    settings: GivEnergySettings | None = None,
) -> GivEnergyDriver:
    """Return a driver for the plant on *port*, with what else its owner says in *settings*."""
    settings = replace(
        settings or GivEnergySettings(host="127.0.0.1"), host="127.0.0.1", port=port, pause_s=0
    )
    return GivEnergyDriver(name, settings, clock, LONDON, patience=patience)


class Service:
    """The service beside its houses, as a face sees it."""

    def __init__(self, clock: JumpClock, late_s: float = 0) -> None:
        """Wait for the first turn; news may be *late_s* old."""
        self.clock = clock
        self._late = timedelta(seconds=late_s)
        self.ticks: list[Tick] = []
        self.site: SitePort | None = None
        self._asked = 0

    async def follow(self, site: SitePort) -> None:
        """Be a face of *site*."""
        self.site = site
        async for tick in site.ticks():
            self.ticks.append(tick)

    async def jump(self, seconds: float = _JUMP_S) -> datetime:
        """Let *seconds* go by at once, and the service catch up; return when it is then."""
        self.clock.jump(seconds)
        now = self.clock.now()
        async with asyncio.timeout(20):
            while not _all_read(self.ticks[-1], since=now - self._late):
                await self.clock.sleep(0.05)
        return now

    async def change(self, device: str, point: str, value: Value) -> CommandResult:
        """Ask for a change of a setting, and return how it ended."""
        assert self.site is not None
        self._asked += 1
        want = SettingChange(device=device, point=point, value=value)
        request = Request(id=str(self._asked), asked_by="test", made_at=self.clock.now(), want=want)
        result = await self.site.ask(request)
        assert result is not None
        return result

    async def ask(
        self, mode: BatteryMode, minutes: float, power_w: float | None, soc_pct: float | None
    ) -> str:
        """Ask for *mode* from now on, and return the request's name."""
        assert self.site is not None
        self._asked += 1
        now = self.clock.now()
        until = now + timedelta(minutes=minutes)
        want = BatteryCommand(mode=mode, power_w=power_w, soc_pct=soc_pct, until=until)
        request = Request(id=str(self._asked), asked_by="test", made_at=now, want=want, until=until)
        await self.site.ask(request)
        return request.id


@asynccontextmanager
async def serving(
    clock: JumpClock,
    *drivers: DevicePort,
    poll_s: float = 10,
    strategies: Sequence[tuple[str, app.Strategy]] = _USUAL,
    buy: PriceSource | None = None,
    sell: PriceSource | None = None,
    planner: PlanPort | None = None,
    faces: Sequence[Face] = (),
    late_s: float = 0,
) -> AsyncIterator[Service]:
    """Run the service on *drivers* until left; yields once all of them have been read.

    Their news may be *late_s* old.
    """
    plan = app.Plan(
        timezone=LONDON,
        devices=[(driver, poll_s) for driver in drivers],
        strategies=strategies,
        buy=buy,
        sell=sell,
        planner=planner,
        writes_per_day=1_000,
    )
    service, stop = Service(clock, late_s), asyncio.Event()
    began = clock.now() - timedelta(seconds=late_s)
    async with asyncio.TaskGroup() as group:
        group.create_task(app.run(plan, clock, stop, [("test", service.follow), *faces]))
        async with asyncio.timeout(20):
            while not (service.ticks and _all_read(service.ticks[-1], since=began)):
                await clock.sleep(1)
        yield service
        stop.set()


def _all_read(tick: Tick, since: datetime) -> bool:
    seen = [device.last_seen for device in tick.snapshot.devices.values()]
    return all(at is not None and at > since - _WHOLE_SECOND for at in seen)
