"""A planned charge comes though the network dies before it: it stood in the inverter's timers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from givenergy_house import HASTY, JumpClock, Plant, Service, a_driver, serving
from houses import LONDON
from ohmstead.app import Strategy
from ohmstead.control.follow_plan import FollowPlan, follow_plan
from ohmstead.control.gentle_charge import GentleCharge, gentle_charge
from ohmstead.control.limits import Limits, limits
from ohmstead.control.self_consumption import SelfConsumption, self_consumption
from ohmstead.devices.givenergy.driver import GivEnergyDriver
from ohmstead.devices.givenergy.simulator import GivEnergySimulator
from ohmstead.devices.givenergy_cloud.driver import GivEnergyCloudDriver
from ohmstead.devices.givenergy_cloud.settings import GivEnergyCloudSettings
from ohmstead.devices.givenergy_cloud.simulator import GivEnergyCloudSimulator
from ohmstead.devices.luxpower.driver import LuxPowerDriver, LuxPowerSettings
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.links.http import HttpPatience
from ohmstead.model import BatteryMode, Plan, PlanSlot, SiteSnapshot
from ohmstead.simulation import House, HouseSettings

FAMILIES = ("givenergy", "luxpower", "givenergy_cloud")
START = datetime(2026, 1, 15, 23, tzinfo=UTC)
LOOK_S = 1_200.0
REPORTED_EVERY_S = 300.0
TARGET = 70.0
HALF = timedelta(minutes=30)
SELF_USE, CHARGE = BatteryMode.SELF_USE, BatteryMode.CHARGE


class Planner:
    """Somebody who plans a charge for some hours of the night, and may change their mind."""

    trouble = None

    def __init__(self, clock: JumpClock, *charges: float) -> None:
        self._clock = clock
        self.charges = charges

    @property
    def plan(self) -> Plan:
        return Plan(
            made_at=self._clock.now(), cost=0, saved=0, gap=0,
            slots=tuple(self._slot(n / 2) for n in range(24)),
        )  # fmt: skip

    def _slot(self, hours: float) -> PlanSlot:
        start = START + timedelta(hours=hours)
        charges = (hours - 1) in self.charges
        return PlanSlot(
            start=start, end=start + HALF, mode=CHARGE if charges else SELF_USE,
            power_w=2_000 if charges else None, target_pct=TARGET if charges else 10,
            battery_w=0, grid_w=0, pv_w=0, load_w=400, soc_pct=50, import_per_kwh=0.07,
            export_per_kwh=0.15, cost=0, worth_per_kwh=0.2, reason="it is told to",
        )  # fmt: skip

    async def refresh(self, site: SiteSnapshot) -> bool:
        del site
        return False

    async def run(self, look: Callable[[], SiteSnapshot], on_news: Callable[[], None]) -> None:
        del look, on_news
        await asyncio.Event().wait()


@dataclass
class Night:
    """A house through one night; the sun does not shine in it."""

    clock: JumpClock
    house: House
    simulator: GivEnergySimulator | LuxPowerSimulator | GivEnergyCloudSimulator
    driver: GivEnergyDriver | LuxPowerDriver | GivEnergyCloudDriver
    planner: Planner

    def dies(self) -> None:
        """Let nobody reach the inverter any more."""
        by_cloud = isinstance(self.simulator, GivEnergyCloudSimulator)
        self.simulator.faults.add("down" if by_cloud else "silent")

    def live(self) -> None:
        """Let the inverter do by itself what it does until now."""
        if isinstance(self.simulator, GivEnergyCloudSimulator):
            self.house.advance(self.clock.now())
        else:
            self.simulator.inverter.live(self.clock.now())

    def held(self) -> Mapping[int, object]:
        """Return every word of the inverter that is a setting."""
        if isinstance(self.simulator, GivEnergyCloudSimulator):
            return dict(self.simulator.held)
        bank = self.simulator.inverter.holdings
        return {
            row.address + n: word
            for row in bank.table
            if row.writable is not None and row.name != "clock"
            for n, word in enumerate(bank.read(row.address, len(row.addresses)))
        }

    @asynccontextmanager
    async def served(self, *strategies: tuple[str, Strategy]) -> AsyncIterator[Service]:
        plan = ("follow_plan", partial(follow_plan, settings=FollowPlan()))
        by_cloud = isinstance(self.driver, GivEnergyCloudDriver)
        async with serving(
            self.clock, self.driver, poll_s=60, strategies=[*strategies] or [plan],
            planner=self.planner, late_s=REPORTED_EVERY_S if by_cloud else 0,
        ) as service:  # fmt: skip
            yield service

    async def until(self, service: Service, hour: float, *, charges: bool = False) -> None:
        """Let the night go by to *hour*, and see that the battery charges only if it should."""
        while self.clock.now() < START + timedelta(hours=1 + hour, seconds=-LOOK_S / 2):
            await service.jump(LOOK_S)
            self.live()
            assert charges or self.house.battery_w >= 0, self.clock.now()

    def alone(self, hour: float) -> list[float]:
        """Let the inverter look after itself to *hour*, and return the hours it charges in."""
        charged = []
        while (now := self.clock.now()) < START + timedelta(hours=1 + hour):
            self.live()
            if self.house.battery_w < -1_000:
                charged.append((now - START) / timedelta(hours=1) - 1)
            self.clock.jump(120)
        return charged


@asynccontextmanager
async def a_night(family: str, *charges: float) -> AsyncIterator[Night]:
    clock = JumpClock(START, 20)
    planner = Planner(clock, *charges)
    if family == "givenergy":
        plant = Plant("hybrid_gen2", clock, soc_pct=50)
        async with plant.simulator.serve() as port:
            driver = a_driver("inverter", port, clock, replace(HASTY, reply_s=0.06))
            yield Night(clock, plant.house, plant.simulator, driver, planner)
        return
    house = House(
        HouseSettings(start_soc_pct=50), START, LONDON,
        pv_at=lambda _: 0.0, load_at=lambda _: 400.0,
    )  # fmt: skip
    if family == "givenergy_cloud":
        cloud = GivEnergyCloudSimulator(house, clock, LONDON)
        async with cloud.serve() as port:
            account = GivEnergyCloudSettings(
                api_key=cloud.TOKEN, serial=cloud.SERIAL,
                base_url=f"http://127.0.0.1:{port}/v1", settings_per_read=100, pause_s=0,
            )  # fmt: skip
            quick = HttpPatience(timeout_s=5, attempts=1, pause_s=0.01)
            by_cloud = GivEnergyCloudDriver("inverter", account, clock, LONDON, patience=quick)
            yield Night(clock, house, cloud, by_cloud, planner)
    else:
        logger = LoggerSettings(broadcast_s=None)
        simulator = LuxPowerSimulator(house, clock, LONDON, logger=logger)
        async with simulator.serve() as port:
            settings = LuxPowerSettings(
                host="127.0.0.1", port=port, datalog="2222222222", serial="5555555555"
            )
            lux = LuxPowerDriver(
                "inverter", settings, clock, LONDON, patience=replace(HASTY, reply_s=0.5)
            )
            yield Night(clock, house, simulator, lux, planner)


PLANNED = (2, 2.5, 3, 3.5, 4, 4.5)
LIMITS = ("limits", partial(limits, settings=Limits(max_soc_pct=60)))
GENTLY = GentleCharge(
    start=(START + 3 * 2 * HALF).time(), end=(START + 6 * 2 * HALF).time(), target_pct=TARGET
)


@pytest.mark.parametrize("family", FAMILIES)
async def test_the_link_dies_before_the_charge(family: str) -> None:
    async with a_night(family, *PLANNED) as night, night.served() as service:
        await night.until(service, 1.83)
        night.dies()
        left_pct = night.house.battery.soc_pct
        charged = night.alone(4.9)
        assert min(charged) == pytest.approx(2, abs=0.1)
        assert left_pct < 50
        assert night.house.battery.soc_pct == pytest.approx(TARGET, abs=1)
        assert night.alone(9) == []
        assert night.house.battery_w == pytest.approx(400, abs=1)


@pytest.mark.parametrize(
    ("family", "ahead", "at_the_start"),
    [
        pytest.param("givenergy", 5, 1, id="givenergy: only the power is left to write"),
        pytest.param("luxpower", 5, 0, id="luxpower: nothing is left to write"),
        pytest.param("givenergy_cloud", 6, 1, id="givenergy_cloud: as by its adapter"),
    ],
)
async def test_a_night_with_the_service_costs_each_setting_once(
    family: str, ahead: int, at_the_start: int
) -> None:
    async with a_night(family, *PLANNED) as night:
        owners, writes = night.held(), night.simulator.writes
        async with night.served() as service:
            await night.until(service, 1.83)
            assert len(writes) == ahead
            await night.until(service, 4.8, charges=True)
            assert night.house.battery.soc_pct == pytest.approx(TARGET, abs=1)
            assert len(writes) == ahead + at_the_start
            await night.until(service, 6, charges=True)
            assert len(writes) == 2 * (ahead + at_the_start)
            assert night.held() == owners
            assert night.house.battery_w == pytest.approx(400, abs=1)


@pytest.mark.parametrize("family", FAMILIES)
async def test_the_timers_follow_the_plan(family: str) -> None:
    async with a_night(family, *PLANNED) as night, night.served() as service:
        await night.until(service, 1)
        night.planner.charges = (3, 3.5)
        await night.until(service, 1.83)
        night.dies()
        charged = night.alone(9)
        assert min(charged) == pytest.approx(3, abs=0.1)
        assert max(charged) < 4.01


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_stop_gives_all_back(family: str) -> None:
    async with a_night(family, *PLANNED) as night:
        owners = night.held()
        async with night.served() as service:
            await night.until(service, 1)
            assert night.held() != owners
        assert night.held() == owners


async def test_the_owners_limit_and_a_gentle_charge() -> None:
    gentle = partial(gentle_charge, settings=GENTLY)
    own = partial(self_consumption, settings=SelfConsumption())
    strategies = (LIMITS, ("gentle_charge", gentle), ("self_consumption", own))
    async with a_night("luxpower") as night, night.served(*strategies) as service:
        await night.until(service, 1.83)
        night.dies()
        charged = night.alone(5)
        assert min(charged) == pytest.approx(2, abs=0.1)
        assert night.house.battery.soc_pct == pytest.approx(60, abs=1)
