"""kill -9 during a forced charge: the next start gives the inverter its own settings back."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

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


class Service:
    """``ohmstead run`` as a process of its own."""

    def __init__(self, folder: Path, device_port: int, web_port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{web_port}/api/v1"
        (folder / "ohmstead.yaml").write_text(
            "devices:\n"
            "  - {name: inverter, family: luxpower, host: 127.0.0.1, "
            f"port: {device_port}, datalog: 2222222222, serial: 5555555555, "
            "pause_s: 0, poll_s: 1}\n"
            "prices: {import: {source: fixed, price_per_kwh: 0.30}}\n"
            "control: [{self_consumption: {reserve_pct: 5}}]\n"
            f"web: {{listen: '127.0.0.1:{web_port}'}}\n"
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        with (self.folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ohmstead", "run", "-c", str(self.folder / "ohmstead.yaml"),
                stderr=log,
            )  # fmt: skip
            try:
                yield process
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()

    async def answers(self, path: str) -> list[dict[str, object]]:
        """Return what the service says, once it does."""
        async with asyncio.timeout(30), httpx2.AsyncClient() as client:
            while True:
                try:
                    answer = await client.get(f"{self.url}/{path}")
                    if answer.status_code == 200:
                        said: list[dict[str, object]] = answer.json()
                        return said
                except httpx2.HTTPError:
                    pass
                await asyncio.sleep(0.05)

    async def force_a_charge(self) -> None:
        async with httpx2.AsyncClient() as client:
            answer = await client.post(
                f"{self.url}/requests",
                json={"mode": "charge", "minutes": 60, "power_w": 2000, "soc_pct": 95},
            )
            assert answer.status_code == 201, answer.text


async def until(condition: object, what: str) -> None:
    """Wait until *condition* (called) is true."""
    assert callable(condition)
    try:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - another process is what we wait for
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"never: {what}")


@pytest.mark.timeout(300)
async def test_twenty_kills_at_random_moments(tmp_path: Path, unused_tcp_port: int) -> None:
    moments = random.Random(2026)  # noqa: S311 - dice, not keys
    async with an_inverter() as (inverter, device_port):
        before = held(inverter)
        service = Service(tmp_path, device_port, unused_tcp_port)
        interrupted = 0
        for kill in range(KILLS):
            async with service.running() as process:
                await service.answers("devices")
                await until(lambda: held(inverter) == before, f"normal before kill {kill}")
                writes = len(inverter.writes)
                await service.force_a_charge()
                # From the very first write to well after the last.
                await asyncio.sleep(moments.uniform(0.0, 0.35))
                process.kill()
                await process.wait()
                interrupted += len(inverter.writes) > writes
            async with service.running() as process:
                await service.answers("devices")
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
        service = Service(tmp_path, device_port, unused_tcp_port)
        async with service.running() as process:
            await service.answers("devices")
            await service.force_a_charge()
            await until(lambda: held(inverter)[0] >> 7 & 1, "charging")
            process.terminate()
            assert await process.wait() == 0
        assert held(inverter) == before
