"""A winter's day on Intelligent Go: Octopus charges the car, and the battery knows better.

Real bytes to an inverter and to a charger's hub, real-shaped answers from Octopus; the car
hangs inside the meter of the battery in one house, outside in the other.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from houses import LONDON
from ohmstead import app
from ohmstead.clock import ScaledClock
from ohmstead.control.car import Car, car
from ohmstead.control.price_threshold import PriceThreshold, price_threshold
from ohmstead.devices.luxpower.driver import LuxPowerDriver, LuxPowerSettings
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.devices.zappi.driver import ZappiDriver, ZappiSettings
from ohmstead.devices.zappi.simulator import ZappiSimulator
from ohmstead.links.frames_tcp import FramePatience
from ohmstead.model import BatteryMode, PriceSlot, Tick
from ohmstead.ports import SitePort
from ohmstead.prices.octopus import OctopusSettings, OctopusSource
from ohmstead.prices.octopus_graphql_simulator import OctopusGraphqlSimulator, SimulatedDispatch
from ohmstead.prices.octopus_simulator import OctopusSimulator
from ohmstead.simulation import House, HouseSettings

INTELLIGENT = "E-1R-INTELLI-VAR-24-10-29-C"
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
ONE = NOON + timedelta(hours=1)
HALF_PAST = ONE + timedelta(minutes=30)
SPEED = 400.0
LATE = timedelta(minutes=6)
"""What a few round trips and two looks take at this speed."""
HASTY = FramePatience(
    reply_s=0.2, gap_s=0, settle_s=0, again_s=0.05, backoff_s=0.1, backoff_most_s=0.2
)
SELF_USE, CHARGE, HOLD = BatteryMode.SELF_USE, BatteryMode.CHARGE, BatteryMode.HOLD
Wiring = Literal["inside", "outside"]


class Day:
    """A house with a car, its service running."""

    def __init__(self, clock: ScaledClock, house: House, zappi: ZappiSimulator) -> None:
        self.clock, self.house, self.zappi = clock, house, zappi
        self.octopus: OctopusGraphqlSimulator | None = None
        self.ticks: list[Tick] = []

    async def until(self, moment: datetime) -> None:
        await self.clock.sleep((moment - self.clock.now()).total_seconds())

    async def follow(self, site: SitePort) -> None:
        async for tick in site.ticks():
            self.ticks.append(tick)

    def modes(self, start: datetime, end: datetime) -> set[BatteryMode | None]:
        """Return what was decided between *start* and *end*."""
        return {
            t.decision.command.mode if t.decision.command else None
            for t in self.ticks
            if start <= t.snapshot.at < end
        }

    def reason(self, start: datetime) -> str:
        return next(t.decision.reason for t in self.ticks if t.snapshot.at >= start)


@asynccontextmanager
async def a_day(folder: Path, behind: Wiring) -> AsyncIterator[Day]:
    """Run the service from a quarter to one; the house uses 400 W, the sun does not shine."""
    start = ONE - timedelta(minutes=15)
    clock = ScaledClock(start, SPEED)
    cars: list[ZappiSimulator] = []
    seen = behind == "inside"
    house = House(
        HouseSettings(start_soc_pct=50), start, LONDON,
        pv_at=lambda _: 0, load_at=lambda _: 400 + sum(c.car_w for c in cars if seen),
    )  # fmt: skip
    inverter = LuxPowerSimulator(house, clock, LONDON, logger=LoggerSettings(broadcast_s=None))
    zappi = ZappiSimulator(house, clock, LONDON)
    zappi.mode = 4  # stopped until Octopus says so
    cars.append(zappi)
    morning = NOON.replace(hour=5, minute=30)
    night = morning + timedelta(hours=18)
    rates = [
        PriceSlot(start=morning - timedelta(hours=6), end=morning, per_kwh=0.07),
        PriceSlot(start=morning, end=night, per_kwh=0.27),
        PriceSlot(start=night, end=night + timedelta(hours=6), per_kwh=0.07),
    ]
    octopus = OctopusSimulator(clock, {INTELLIGENT: rates})
    day, stop = Day(clock, house, zappi), asyncio.Event()
    day.octopus = octopus.graphql
    async with inverter.serve() as port, zappi.serve() as hub, octopus.serve() as shop:
        plan = app.Plan(
            timezone=LONDON,
            devices=[
                (_inverter(port, clock), 10),
                (_zappi(hub, clock, behind), 30),
            ],
            strategies=[
                ("car", partial(car, settings=Car())),
                (
                    "price_threshold",
                    partial(price_threshold, settings=PriceThreshold(at_most_per_kwh=0.10)),
                ),
            ],
            buy=_prices(shop, folder),
            data_dir=folder,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(app.run(plan, clock, stop, [("test", day.follow)]))
            yield day
            stop.set()


def _inverter(port: int, clock: ScaledClock) -> LuxPowerDriver:
    settings = LuxPowerSettings(
        host="127.0.0.1", port=port, datalog="2222222222", serial="5555555555"
    )
    return LuxPowerDriver("inverter", settings, clock, LONDON, patience=HASTY)


def _zappi(port: int, clock: ScaledClock, behind: Wiring) -> ZappiDriver:
    settings = ZappiSettings(
        hub=ZappiSimulator.HUB, password=ZappiSimulator.PASSWORD, behind=behind,
        base_url=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    return ZappiDriver("zappi", settings, clock, LONDON)


def _prices(port: int, folder: Path) -> OctopusSource:
    settings = OctopusSettings(
        tariff=INTELLIGENT, account=OctopusGraphqlSimulator.ACCOUNT, api_key="sk_live_simulated",
        intelligent=True, url=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    return OctopusSource(settings, direction="import", timezone=LONDON, cache_dir=folder)


@pytest.mark.parametrize(
    ("behind", "beside_a_dear_car"),
    [
        pytest.param("inside", HOLD, id="inside: the battery is held"),
        pytest.param("outside", SELF_USE, id="outside: the battery serves the house alone"),
    ],
)
async def test_the_battery_charges_with_the_car_and_never_empties_into_it(
    tmp_path: Path, behind: Wiring, beside_a_dear_car: BatteryMode
) -> None:
    async with a_day(tmp_path, behind) as day:
        assert day.octopus is not None
        day.octopus.planned = [SimulatedDispatch(start=ONE, end=HALF_PAST)]
        day.zappi.plug_in(7.0)  # more than half an hour takes
        await day.until(ONE)
        day.zappi.mode = 1
        day.octopus.state = "SMART_CONTROL_IN_PROGRESS"
        await day.until(HALF_PAST + LATE)
        filled_pct = day.house.battery.soc_pct
        await day.until(ONE + timedelta(minutes=58))
        beside_pct = day.house.battery.soc_pct
        await day.until(ONE + timedelta(minutes=75))
    assert day.modes(ONE - timedelta(minutes=8), ONE) == {SELF_USE}
    assert day.modes(ONE + LATE, HALF_PAST) == {CHARGE}
    assert "7p is not above 10p" in day.reason(ONE + LATE)
    assert day.modes(HALF_PAST + LATE, ONE + timedelta(minutes=58)) == {beside_a_dear_car}
    assert "the car charges with 7000 W" in day.reason(HALF_PAST + LATE) or behind == "outside"
    assert day.modes(ONE + timedelta(minutes=70), ONE + timedelta(minutes=75)) == {SELF_USE}
    assert filled_pct > 55
    # The house's own 400 W in 20 minutes are about 1.5 % of it; the car's 7 kW would be a quarter.
    assert beside_pct > filled_pct - 3


async def test_a_dispatch_that_is_withdrawn_at_the_last_minute_charges_nothing(
    tmp_path: Path,
) -> None:
    async with a_day(tmp_path, "inside") as day:
        assert day.octopus is not None
        day.octopus.planned = [SimulatedDispatch(start=ONE, end=HALF_PAST)]
        await day.until(ONE - timedelta(minutes=5))
        day.octopus.planned = []
        await day.until(ONE + timedelta(minutes=15))
    seen = [t.snapshot.prices.buy for t in day.ticks if t.snapshot.prices.buy]
    planned = [curve.at(ONE) for curve in seen]
    assert any(slot is not None and slot.kind == "dispatch" for slot in planned)
    assert day.modes(ONE - timedelta(minutes=8), ONE + timedelta(minutes=15)) == {SELF_USE}
