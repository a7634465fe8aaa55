"""A day to be told: what its owner wrote, a house on a GivEnergy inverter, and what it then did.

A test writes the owner's YAML, says the sun and the people, lets time go by and looks at the
house itself: energies, powers, how full the battery is, the words the inverter holds.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from givenergy_house import JumpClock, Plant, Service, Size, a_driver, serving
from houses import LONDON
from ohmstead.config import build
from ohmstead.config.build import Face
from ohmstead.config.load import load
from ohmstead.control.follow_plan import FollowPlan
from ohmstead.devices.givenergy.driver import GivEnergySettings
from ohmstead.devices.givenergy.simulator import DongleSettings
from ohmstead.model import BatteryMode, Forecast, ForecastSlot, PriceCurve
from ohmstead.ports import DevicePort, PriceSource
from ohmstead.simulation import Energies
from ohmstead.site.plans import PlanWatch

__all__ = ["GEN3", "Known", "Story", "Weather", "a_day", "local", "spent"]

GEN3: Final = Size(inverter_w=5_000, capacity_kwh=9.5232, step_w=96, hybrid=True, battery_w=3_600)
"""The house of givenergy-scripts: a generation 3 hybrid with 9.5 kWh."""
_HALF_HOUR: Final = timedelta(minutes=30)
_REPLANNED: Final = timedelta(seconds=290)
_POLLS: Final = 0.35
"""A reading three polls old is believed no more, and a jump over less than one poll waits."""


def local(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of 2026 by the clock on the wall."""
    return datetime(2026, month, day, hour, minute, tzinfo=LONDON)


def _people(at: time) -> float:
    return 2_000.0 if time(18, 30) <= at < time(19, 30) else 400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What the sun and the people do, every day alike."""

    peak_w: float = 0.0
    """What the panels bring at one o'clock; a clear sky from five to nine."""
    people: Callable[[time], float] = _people
    """What the house takes, by the time on the wall."""

    def sun_w(self, second: float) -> float:
        """Return what the panels bring."""
        at = datetime.fromtimestamp(second, LONDON)
        hour = at.hour + at.minute / 60 + at.second / 3_600
        return self.peak_w * max(math.sin(math.pi * (hour - 5) / 16), 0.0)

    def people_w(self, second: float) -> float:
        """Return what the house takes."""
        return self.people(datetime.fromtimestamp(second, LONDON).time())


class Skies(Plant):
    """The house under its weather."""

    def __init__(self, clock: JumpClock, weather: Weather, soc_pct: float) -> None:
        self.outside = weather
        self.cars: list[Callable[[], float]] = []
        """What hangs inside its meter beside the house."""
        quick = DongleSettings(refuses_absent=True)
        super().__init__("hybrid_gen3", clock, soc_pct=soc_pct, size=GEN3, dongle=quick)

    def heed(self) -> None:
        """Let the inverter heed what its owner has set: it does so with the next write."""
        inverter = self.simulator.inverter
        row = inverter.holdings.table["reserve_soc_pct"]
        held = inverter.holdings.read(row.address, 1)
        inverter.write(row.address, held[0], self.clock.now())

    def sun(self, second: float) -> float:
        return self.outside.sun_w(second)

    def people(self, second: float) -> float:
        return self.outside.people_w(second) + sum(car() for car in self.cars)


class Known:
    """A forecast by somebody who knows."""

    trouble: str | None = None

    def __init__(self, watts: Callable[[float], float]) -> None:
        """Foretell what *watts* says of a moment, in seconds."""
        self._watts = watts

    async def forecast(self, now: datetime) -> Forecast:
        """Return the half-hours of two days, each with its mean."""
        first = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)
        starts = [first + n * _HALF_HOUR for n in range(100)]
        return Forecast(slots=tuple(self._slot(start) for start in starts), source="known")

    def next_due(self, now: datetime) -> datetime:
        """Nothing new is to come for a day."""
        return now + timedelta(days=1)

    def _slot(self, start: datetime) -> ForecastSlot:
        seconds = [start.timestamp() + 300 * n + 150 for n in range(6)]
        mean_w = sum(map(self._watts, seconds)) / len(seconds)
        end = start + _HALF_HOUR
        return ForecastSlot(start=start, end=end, low_w=mean_w, middle_w=mean_w, high_w=mean_w)


@dataclass(slots=True)
class Story:
    """The house through time, look by look."""

    plant: Skies
    service: Service
    look_s: float
    plans: bool = False
    """Whether there is a plan that is followed."""
    mode: BatteryMode | None = None
    modes: list[tuple[datetime, BatteryMode | None]] = field(default_factory=list)

    async def until(self, end: datetime) -> None:
        """Let time go by to *end*."""
        least_s = _POLLS * self.look_s + 30
        while (left_s := (end - self.service.clock.now()).total_seconds()) > 0:
            # To whole looks of the wall clock: at their edges prices and parts of the day change.
            whole_s = self.look_s - self.service.clock.now().timestamp() % self.look_s + 2
            whole_s += self.look_s if whole_s < least_s else 0
            await self.service.jump(min(whole_s, max(left_s, least_s)))
            await self._planned()
            command = self.service.ticks[-1].decision.command
            self.mode = command.mode if command else None
            self.modes.append((self.service.clock.now(), self.mode))
            self.plant.live()

    async def _planned(self) -> None:
        """Wait until a plan that was due has been made, and followed."""
        if not self.plans:
            return
        async with asyncio.timeout(20):
            while (plan := self.service.ticks[-1].snapshot.plan) is None or (
                plan.age(self.service.clock.now()) > _REPLANNED
            ):
                await self.service.clock.sleep(0.1)

    def holds(self, point: str) -> object:
        """Return what the inverter holds, as its own bytes say it."""
        return self.plant.simulator.inverter.holdings.value(point)

    def flown(self) -> Energies:
        """Return a copy of what has flown so far."""
        now = self.plant.live().totals
        return Energies(**{name: getattr(now, name) for name in Energies.__slots__})

    @property
    def soc_pct(self) -> float:
        return self.plant.house.battery.soc_pct

    @property
    def battery_w(self) -> float:
        return self.plant.house.battery_w


@asynccontextmanager
async def a_day(
    folder: Path,
    control: str,
    start: datetime,
    *,
    soc_pct: float,
    weather: Weather | None = None,
    look_s: float = 300.0,
    settings: GivEnergySettings | None = None,
    beside: Callable[[Skies], AbstractAsyncContextManager[DevicePort]] | None = None,
    faces: Sequence[Face] = (),
    buy: PriceSource | None = None,
    sell: PriceSource | None = None,
    clock: JumpClock | None = None,
    before: Callable[[Skies], None] = lambda _plant: None,
) -> AsyncIterator[Story]:
    """Run the service by the owner's YAML *control* from *start*, until left.

    *control* is everything of ``ohmstead.yaml`` but the devices; *before* lets the owner change
    what the inverter holds, *beside* brings another device.
    """
    (folder / "ohmstead.yaml").write_text(control)
    said = load(folder / "ohmstead.yaml")
    clock = clock or JumpClock(start.astimezone(UTC), 20)
    plant = Skies(clock, weather or Weather(), soc_pct)
    before(plant)
    plant.heed()
    owners = plant.held()
    own_buy, own_sell = build.prices(said)
    followed = [e.settings for e in said.control if isinstance(e.settings, FollowPlan)]
    planner = PlanWatch(
        followed[0], Known(plant.outside.people_w), Known(plant.outside.sun_w), clock
    ) if followed else None  # fmt: skip
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(plant.simulator.serve())
        others = [await stack.enter_async_context(beside(plant))] if beside else []
        service = await stack.enter_async_context(
            serving(
                clock,
                a_driver("inverter", port, clock, settings=settings),
                *others,
                poll_s=_POLLS * look_s,
                strategies=build.strategies(said),
                buy=buy or own_buy,
                sell=sell or own_sell,
                planner=planner,
                faces=faces,
            )
        )
        yield Story(plant, service, look_s, plans=planner is not None)
    assert plant.held() == owners, "what was on lease is given back"


def spent(
    flown: Sequence[tuple[datetime, Energies]], buy: PriceCurve, sell_per_kwh: float
) -> float:
    """Return what the energies between looks cost, in the currency's main unit."""
    cost = 0.0
    for (at, before), (_, after) in pairwise(flown):
        slot = buy.at(at)
        assert slot is not None
        cost += (after.import_kwh - before.import_kwh) * slot.per_kwh
        cost -= (after.export_kwh - before.export_kwh) * sell_per_kwh
    return cost
