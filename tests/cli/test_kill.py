"""kill -9 during a forced charge: the next start gives the inverter its own settings back."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from killed_house import Process, until
from ohmstead.clock import SystemClock
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.simulation import SCENARIOS, House

KILLS = 20
SETTINGS = range(64, 90)
"""The registers a forced charge touches, and their neighbours."""


@asynccontextmanager
async def an_inverter() -> AsyncIterator[tuple[LuxPowerSimulator, int]]:
    clock, day = SystemClock(), SCENARIOS["winter"]
    house = House(day.house, clock.now(), day.timezone)
    logger = LoggerSettings(broadcast_s=None)
    simulator = LuxPowerSimulator(house, clock, day.timezone, logger=logger)
    async with simulator.serve() as port:
        yield simulator, port


def held(simulator: LuxPowerSimulator) -> tuple[int, ...]:
    """Return register 21 and the settings of the modes, as the inverter holds them."""
    bank = simulator.inverter.holdings
    return (*bank.read(21, 1), *bank.read(SETTINGS.start, len(SETTINGS)))


def service_beside(device_port: int, folder: Path, web_port: int) -> Process:
    device = (
        f"family: luxpower, port: {device_port}, poll_s: 1, datalog: 2222222222, serial: 5555555555"
    )
    return Process(folder, device, web_port)


async def force_a_charge(service: Process) -> None:
    await service.ask("charge", {"power_w": 2000, "soc_pct": 95}, minutes=60)


@pytest.mark.timeout(300)
async def test_twenty_kills_at_random_moments(tmp_path: Path, unused_tcp_port: int) -> None:
    moments = random.Random(2026)  # noqa: S311 - dice, not keys
    async with an_inverter() as (inverter, device_port):
        before = held(inverter)
        service = service_beside(device_port, tmp_path, unused_tcp_port)
        interrupted = 0
        for kill in range(KILLS):
            async with service.running() as process:
                await until(lambda: held(inverter) == before, f"normal before kill {kill}")
                writes = len(inverter.writes)
                await force_a_charge(service)
                # From the very first write to well after the last.
                await asyncio.sleep(moments.uniform(0.0, 0.35))
                process.kill()
                await process.wait()
                interrupted += len(inverter.writes) > writes
            async with service.running() as process:
                await until(lambda: held(inverter) == before, f"normal after kill {kill}")
                process.terminate()
                assert await process.wait() == 0
        assert interrupted >= KILLS // 2, interrupted
        async with service.running():
            journal = await service.answers("journal?limit=500")
        undone = [entry for entry in journal if entry["asked_by"] == "undo"]
        assert len(undone) >= interrupted
        assert any("an earlier run ended at" in str(entry["why"]) for entry in undone)
        assert any("web asked for charge" in str(entry["why"]) for entry in undone)


async def test_a_stop_gives_everything_back(tmp_path: Path, unused_tcp_port: int) -> None:
    async with an_inverter() as (inverter, device_port):
        before = held(inverter)
        service = service_beside(device_port, tmp_path, unused_tcp_port)
        async with service.running() as process:
            await force_a_charge(service)
            await until(lambda: bool(held(inverter)[0] >> 7 & 1), "charging")
            process.terminate()
            assert await process.wait() == 0
        assert held(inverter) == before
