"""kill -9 in the middle of a command: the inverter's own slots end it, with nobody connected."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from givenergy_house import SIZES, JumpClock, Plant
from killed_house import Process, until
from ohmstead.clock import SystemClock
from ohmstead.devices.givenergy.simulator import DongleSettings

MINUTES, KILLS = 20, 4
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SERVES = "self_consumption: {reserve_pct: 5}"
PEOPLE_W, SUNNY_W = 400.0, 1_500.0

Commanded = Callable[[float], bool]
ORDERS: Mapping[str, tuple[Mapping[str, float], Commanded]] = {
    "charge": ({"power_w": 2_000, "soc_pct": 95}, lambda w: -2_000 <= w < -1_900),
    "hold": ({}, lambda w: w == 0),
    "discharge": ({"power_w": 1_500, "soc_pct": 20}, lambda w: 1_400 < w <= 1_500),
    "idle": ({}, lambda w: w == 0),
}
"""Each mode with what is asked for, and the battery's power that it means."""


@pytest.mark.parametrize("mode", ORDERS)
@pytest.mark.parametrize("model", SIZES)
async def test_a_command_ends_without_us(
    tmp_path: Path, unused_tcp_port: int, model: str, mode: str
) -> None:
    wanted, commanded = ORDERS[mode]
    async with a_house(model, tmp_path, unused_tcp_port) as (plant, service):
        owners = plant.held()
        async with service.running() as process:
            await service.ask(mode, wanted, MINUTES)
            await until(lambda: commanded(plant.live().battery_w), mode)
            process.kill()
            await process.wait()
        assert plant.held() != owners
        await until(lambda: not plant.simulator.clients.connected, "nobody is connected")
        lives_alone(plant, mode, commanded)
        await gives_back(service, plant, owners)


@pytest.mark.parametrize("mode", ["charge", "discharge"])
async def test_kills_between_two_writes(tmp_path: Path, unused_tcp_port: int, mode: str) -> None:
    interrupted = 0
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        folder.mkdir()
        slow = DongleSettings(latency_s=0.03)
        async with a_house("hybrid_gen2", folder, unused_tcp_port, slow) as (plant, service):
            owners, writes = plant.held(), plant.simulator.writes
            async with service.running() as process:
                await service.ask(mode, ORDERS[mode][0], MINUTES)
                await until(lambda: len(writes) > kill, f"write {kill + 1}")  # noqa: B023 - at once
                process.kill()
                await process.wait()
            interrupted += not ORDERS[mode][1](plant.live().battery_w)
            lives_alone(plant, mode)
            await gives_back(service, plant, owners)
    assert interrupted


async def test_a_charge_to_come_comes_without_us(tmp_path: Path, unused_tcp_port: int) -> None:
    start = SystemClock().now().replace(second=0, microsecond=0) + 40 * MINUTE
    gentle = f"gentle_charge: {{start: '{start:%H:%M}', end: '{start + HOUR:%H:%M}'}}"
    async with a_house("hybrid_gen2", tmp_path, unused_tcp_port) as (plant, service):
        owners, clock = plant.held(), plant.clock
        assert isinstance(clock, JumpClock)
        service.configure(gentle, "self_consumption: {}")
        async with service.running() as process:
            settings = plant.simulator.inverter.holdings
            await until(lambda: settings.value("charge_enabled") is True, "the timer")
            when = f"from {start:%H:%M} to {start + HOUR:%H:%M}"
            assert f"inverter charges {when} by itself" in await service.why()
            process.kill()
            await process.wait()
        await until(lambda: not plant.simulator.clients.connected, "nobody is connected")
        while (now := clock.now()) < start + 2 * HOUR:
            charges = plant.live().battery_w < -1_000
            assert charges is (start <= now < start + HOUR), now
            clock.jump(60)
        await gives_back(service, plant, owners)


def lives_alone(plant: Plant, mode: str, commanded: Commanded | None = None) -> None:
    """Watch the house go on: as *commanded* until the end, without any harm after it."""
    clock = plant.clock
    assert isinstance(clock, JumpClock)
    end = clock.now() + MINUTES * MINUTE
    while clock.now() < end + 30 * MINUTE:
        clock.jump(20)
        if clock.now() < end - MINUTE:
            house = plant.live()
            assert commanded is None or commanded(house.battery_w), (mode, house.battery_w)
        elif clock.now() > end + MINUTE:
            harmless(plant, clock.now(), mode)


def harmless(plant: Plant, now: datetime, mode: str) -> None:
    """Check that nothing of the battery goes out, and nothing of the grid goes in."""
    for sun_w in (SUNNY_W, 0.0):
        plant.weather(sun_w=sun_w, people_w=PEOPLE_W)
        missing = PEOPLE_W - sun_w
        low, high = min(missing, 0), max(missing, 0)
        assert low <= plant.house.battery_w <= high, (mode, now, plant.house.battery_w)


async def gives_back(service: Process, plant: Plant, owners: Mapping[int, int]) -> None:
    """Start once more: what the journal says is undone, and stays so over a stop."""
    service.configure(SERVES)
    async with service.running() as process:
        await until(lambda: plant.held() == owners, "the owner's settings after a restart")
        undone = [
            entry for entry in await service.answers("journal") if entry["asked_by"] == "undo"
        ]
        assert any("an earlier run ended at" in str(entry["why"]) for entry in undone)
        process.terminate()
        assert await process.wait() == 0
    assert plant.held() == owners


@asynccontextmanager
async def a_house(
    model: str, folder: Path, web_port: int, dongle: DongleSettings | None = None
) -> AsyncIterator[tuple[Plant, Process]]:
    clock = JumpClock(SystemClock().now(), speed=1)
    plant = Plant(model, clock, soc_pct=60, timezone=UTC, dongle=dongle)
    async with plant.simulator.serve() as port:
        device = f"family: givenergy, port: {port}, poll_s: 5"
        yield plant, Process(folder, device, web_port)
