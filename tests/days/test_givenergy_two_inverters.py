"""Two GivEnergy inverters in one house share a forced charge by their sizes."""

from givenergy_house import NOON, JumpClock, Plant, a_driver, serving
from ohmstead.model import BatteryMode

ASKED_W = 4_400.0


async def test_a_forced_charge_is_shared_by_size() -> None:
    clock = JumpClock(NOON, speed=5)
    hybrid = Plant("hybrid_gen2", clock)
    coupled = Plant("ac_coupled", clock)
    plants = (hybrid, coupled)
    async with hybrid.simulator.serve() as one, coupled.simulator.serve() as other:
        drivers = a_driver("hybrid", one, clock), a_driver("coupled", other, clock)
        async with serving(clock, *drivers) as service:
            assert service.site is not None
            owners = [plant.held() for plant in plants]
            asked = await service.ask(BatteryMode.CHARGE, 60, ASKED_W, 90)
            for _ in range(4):
                await service.jump()
            # 3.6 kW and 3 kW: six parts of eleven and five, each within a step of its rate.
            for plant, share_w in zip(plants, (2_400, 2_000), strict=True):
                short_w = share_w + plant.live().battery_w
                assert 0 <= short_w <= plant.size.step_w, (share_w, plant.house.battery_w)
            battery = service.ticks[-1].snapshot.battery
            assert battery is not None
            assert battery.max_charge_w == 6_600
            service.site.cancel(asked)
            for _ in range(2):
                await service.jump()
            assert [plant.held() for plant in plants] == owners
            assert all(plant.live().battery_w == plant.people_w for plant in plants)
