"""Every mode on three kinds of GivEnergy inverter: as commanded, seen in the house."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from givenergy_house import NOON, SIZES, JumpClock, Plant, Service, a_driver, serving
from ohmstead.model import BatteryMode
from ohmstead.simulation import House

SPEED = 5.0
"""Slow enough that our own round trips are no minutes; the rest is jumped over."""
SUNNY_W, PEOPLE_W = 1_500.0, 400.0
SPARE_W = SUNNY_W - PEOPLE_W
MINUTE = timedelta(minutes=1)

every_model = pytest.mark.parametrize("model", SIZES)


async def within_a_minute(plant: Plant, what: str, true: Callable[[House], bool]) -> None:
    """Wait until the house is so; fail after a minute of its time."""
    end = plant.clock.now() + MINUTE
    while not true(plant.live()):
        house = plant.house
        assert plant.clock.now() < end, (what, house.battery_w, house.grid_w, house.battery.soc_pct)
        await plant.clock.sleep(0.5)


async def stays(
    service: Service, plant: Plant, minutes: float, what: str, true: Callable[[House], bool]
) -> None:
    """Check that the house is so for *minutes*."""
    end = plant.clock.now() + minutes * MINUTE
    while await service.jump() < end:
        house = plant.live()
        assert true(house), (what, house.battery_w, house.grid_w, house.battery.soc_pct)


def near(value: float, wanted: float, by: float = 1) -> bool:
    return abs(value - wanted) <= by


@every_model
async def test_a_day_of_every_mode(model: str) -> None:
    clock = JumpClock(NOON, SPEED)
    plant = Plant(model, clock, soc_pct=50)
    async with (
        plant.simulator.serve() as port,
        serving(clock, a_driver("inverter", port, clock)) as service,
    ):
        day = Day(plant, service)
        owners = plant.held()
        await day.charges(2_500, to_pct=52)
        await day.holds()
        await day.discharges(1_700, to_pct=49)
        await day.idles()
        await day.exports_the_sun()
        await day.serves_the_house()
        plant.weather(sun_w=0)
        await within_a_minute(plant, "the owner's settings", lambda _: plant.held() == owners)
        troubles = {t.snapshot.devices["inverter"].trouble for t in service.ticks}
        assert troubles == {None}


class Day:
    """What happens one after another, and what the house shows of it."""

    def __init__(self, plant: Plant, service: Service) -> None:
        self.plant, self.service, self.clock = plant, service, service.clock
        self.step_w = plant.size.step_w

    async def charges(self, power_w: float, to_pct: float) -> None:
        plant = self.plant
        async with self.asked(BatteryMode.CHARGE, power_w, to_pct):
            await within_a_minute(
                plant, "charges", lambda h: 0 <= power_w + h.battery_w <= self.step_w
            )
            await stays(
                self.service, plant, 3, "charges on", lambda h: h.grid_w > power_w - self.step_w
            )
            await self.reaches(to_pct)

    async def holds(self) -> None:
        plant = self.plant
        async with self.asked(BatteryMode.HOLD):
            await within_a_minute(plant, "holds", lambda h: near(h.battery_w, 0))
            plant.weather(sun_w=SUNNY_W)
            await stays(
                self.service, plant, 0.5, "takes the sun", lambda h: near(h.battery_w, -SPARE_W)
            )
            plant.weather(sun_w=0)
            await stays(self.service, plant, 5, "holds on", lambda h: near(h.grid_w, PEOPLE_W))

    async def discharges(self, power_w: float, to_pct: float) -> None:
        plant = self.plant
        async with self.asked(BatteryMode.DISCHARGE, power_w, to_pct):
            await within_a_minute(
                plant, "discharges", lambda h: 0 <= power_w - h.battery_w <= self.step_w
            )
            exported_w = power_w - PEOPLE_W - self.step_w
            await stays(self.service, plant, 3, "discharges on", lambda h: -h.grid_w >= exported_w)
            await self.reaches(to_pct)

    async def idles(self) -> None:
        plant = self.plant
        async with self.asked(BatteryMode.IDLE):
            plant.weather(sun_w=SUNNY_W)
            await within_a_minute(plant, "idles", lambda h: near(h.grid_w, -SPARE_W))
            plant.weather(sun_w=0)
            await stays(self.service, plant, 5, "idles on", lambda h: near(h.battery_w, 0))

    async def exports_the_sun(self) -> None:
        plant = self.plant
        async with self.asked(BatteryMode.EXPORT_SOLAR):
            plant.weather(sun_w=SUNNY_W)
            await within_a_minute(plant, "exports the sun", lambda h: near(h.grid_w, -SPARE_W))
            plant.weather(sun_w=0)
            await within_a_minute(plant, "serves", lambda h: near(h.battery_w, PEOPLE_W))

    async def serves_the_house(self) -> None:
        plant = self.plant
        async with self.asked(BatteryMode.SELF_USE):
            plant.weather(sun_w=SUNNY_W)
            await within_a_minute(plant, "stores the sun", lambda h: near(h.battery_w, -SPARE_W))
            plant.weather(sun_w=0)
            await stays(self.service, plant, 0.5, "serves the house", lambda h: near(h.grid_w, 0))

    async def reaches(self, soc_pct: float) -> None:
        """Let time go by until the battery is *soc_pct* full, and rests."""
        end = self.clock.now() + 30 * MINUTE
        while await self.service.jump() < end and abs(self.plant.live().battery_w) > 1:
            pass
        await stays(self.service, self.plant, 3, "rests", lambda h: near(h.battery_w, 0))
        assert near(self.plant.house.battery.soc_pct, soc_pct)

    @asynccontextmanager
    async def asked(
        self, mode: BatteryMode, power_w: float | None = None, soc_pct: float | None = None
    ) -> AsyncIterator[None]:
        """Have *mode* asked for, for an hour, until left."""
        request = await self.service.ask(mode, 60, power_w, soc_pct)
        yield
        assert self.service.site is not None
        self.service.site.cancel(request)
