"""The main job, end to end: real bytes to a datalogger follow real-shaped prices over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from houses import LONDON
from ohmstead import app
from ohmstead.clock import ScaledClock
from ohmstead.control.price_threshold import PriceThreshold, price_threshold
from ohmstead.devices.luxpower.driver import LuxPowerDriver, LuxPowerSettings
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.links.frames_tcp import FramePatience
from ohmstead.model import BatteryMode, Failed, PriceSlot, Tick
from ohmstead.ports import SitePort
from ohmstead.prices.octopus import OctopusSettings, OctopusSource
from ohmstead.prices.octopus_simulator import OctopusSimulator
from ohmstead.simulation import House, HouseSettings

AGILE = "E-1R-AGILE-24-10-01-C"
HALF = timedelta(minutes=30)
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
AC_CHARGE = 1 << 7
HASTY = FramePatience(
    reply_s=0.2, gap_s=0, settle_s=0, again_s=0.05, backoff_s=0.1, backoff_most_s=0.2
)
"""Seconds of ours, which are minutes of a day that runs fast."""


class Day:
    """A house on Octopus prices, its service running."""

    def __init__(self, clock: ScaledClock, inverter: LuxPowerSimulator) -> None:
        self.clock, self.inverter = clock, inverter
        self.ticks: list[Tick] = []

    def switched(self) -> list[tuple[datetime, bool]]:
        """Return when bit 7 of register 21 was written on the wire, and to what."""
        found, last = [], False
        for at, register, word in self.inverter.writes:
            on = bool(word & AC_CHARGE)
            if register == 21 and on is not last:
                found.append((at, on))
                last = on
        return found

    async def until(self, moment: datetime) -> None:
        await self.clock.sleep((moment - self.clock.now()).total_seconds())

    async def follow(self, site: SitePort) -> None:
        async for tick in site.ticks():
            self.ticks.append(tick)


@asynccontextmanager
async def a_day(
    folder: Path, start: datetime, pence: Sequence[float], speed: float
) -> AsyncIterator[Day]:
    """Run the service from *start*; *pence* are the half-hours from 11:30 on."""
    clock = ScaledClock(start, speed)
    house = House(HouseSettings(start_soc_pct=30), start, LONDON)
    inverter = LuxPowerSimulator(house, clock, LONDON, logger=LoggerSettings(broadcast_s=None))
    slots = [
        PriceSlot(start=NOON + (n - 1) * HALF, end=NOON + n * HALF, per_kwh=p / 100)
        for n, p in enumerate(pence)
    ]
    octopus = OctopusSimulator(clock, {AGILE: slots})
    async with inverter.serve() as port, octopus.serve() as octopus_port:
        settings = LuxPowerSettings(
            host="127.0.0.1", port=port, datalog="2222222222", serial="5555555555"
        )
        driver = LuxPowerDriver("inverter", settings, clock, LONDON, patience=HASTY)
        source = OctopusSource(
            OctopusSettings(tariff=AGILE, url=f"http://127.0.0.1:{octopus_port}"),
            direction="import", timezone=LONDON, cache_dir=folder,
        )  # fmt: skip
        threshold = partial(price_threshold, settings=PriceThreshold(at_most_per_kwh=0.05))
        plan = app.Plan(
            timezone=LONDON,
            devices=[(driver, 10)],
            strategies=[("price_threshold", threshold)],
            buy=source,
            data_dir=folder,
        )
        day, stop = Day(clock, inverter), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(app.run(plan, clock, stop, [("test", day.follow)]))
            yield day
            stop.set()


async def test_the_bit_follows_the_price_at_the_half_hour(tmp_path: Path) -> None:
    pence = [20, 5.0, 5.01, -2, 30, 30]
    async with a_day(tmp_path, NOON - timedelta(minutes=10), pence, speed=600) as day:
        await day.until(NOON + 3.5 * HALF)
        switched = day.switched()
    edges = [(NOON, True), (NOON + HALF, False), (NOON + 2 * HALF, True), (NOON + 3 * HALF, False)]
    assert [on for _, on in switched] == [on for _, on in edges]
    for (at, _), (edge, _) in zip(switched, edges, strict=True):
        # Never before, and after it as soon as a few round trips take at this speed.
        assert timedelta(0) <= at - edge < timedelta(minutes=3), (at, edge)
    charging = [
        t for t in day.ticks if t.decision.command and t.decision.command.mode is BatteryMode.CHARGE
    ]
    for tick in charging:
        slot = tick.snapshot.prices.buy.at(tick.snapshot.at) if tick.snapshot.prices.buy else None
        assert slot is not None
        assert slot.per_kwh <= 0.05
        assert (
            f"the price of {round(slot.per_kwh * 100, 2):g}p is not above 5p"
            in tick.decision.reason
        )


async def test_two_minutes_of_silence_cost_no_decision_afterwards(tmp_path: Path) -> None:
    async with a_day(tmp_path, NOON - timedelta(minutes=2), [20, 5, 20], speed=60) as day:
        await day.until(NOON - timedelta(minutes=1))
        assert day.switched() == []
        day.inverter.faults.add("silent")
        await day.until(NOON + timedelta(minutes=1))
        failed = [r for t in day.ticks for r in t.results if isinstance(r, Failed)]
        assert any("no answer within" in result.why for result in failed)
        assert day.switched() == []
        day.inverter.faults.discard("silent")
        await day.until(NOON + timedelta(minutes=5))
        assert [on for _, on in day.switched()] == [True]
        assert day.ticks[-1].snapshot.devices["inverter"].trouble is None


@pytest.mark.parametrize("fault", ["wrong_crc", "garbled", "foreign", "drop"])
async def test_a_bad_line_never_writes_a_wrong_word(tmp_path: Path, fault: str) -> None:
    async with a_day(tmp_path, NOON - timedelta(minutes=1), [20, 5, 20], speed=60) as day:
        await day.until(NOON - timedelta(seconds=30))
        before = day.inverter.inverter.holdings.read(21, 1)[0]
        day.inverter.faults.add(fault)
        await day.until(NOON + timedelta(minutes=2))
        day.inverter.faults.clear()
        await day.until(NOON + timedelta(minutes=4))
        words = {word & ~AC_CHARGE for _, register, word in day.inverter.writes if register == 21}
        assert words <= {before & ~AC_CHARGE}
        assert day.inverter.inverter.holdings.read(21, 1)[0] == before | AC_CHARGE
