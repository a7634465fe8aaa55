"""kill -9 in the middle of an evening's export: the owner's discharge power comes back."""

from datetime import UTC, timedelta
from pathlib import Path

from givenergy_house import JumpClock, Plant
from killed_house import Process, until
from ohmstead.clock import SystemClock
from told_day import GEN3


async def test_the_owners_power_comes_back_after_a_kill_in_an_export(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    now = SystemClock().now()  # the process lives by it, in a house whose clocks show UTC
    start, end = now - timedelta(hours=1), now + timedelta(hours=1)
    clock = JumpClock(now, speed=1)
    plant = Plant("hybrid_gen3", clock, soc_pct=60, timezone=UTC, size=GEN3)
    owners = plant.held()
    held = plant.simulator.inverter.holdings
    control = (
        f'evening_export: {{start: "{start:%H:%M}", end: "{end:%H:%M}", floor_pct: 8, '
        "min_w: 1500, max_w: 1500}"
    )
    async with plant.simulator.serve() as port:
        device = f"family: givenergy, port: {port}, poll_s: 5"
        service = Process(tmp_path, device, unused_tcp_port, control=control)
        async with service.running() as process:
            await until(lambda: 1_400 < plant.live().battery_w <= 1_500, "it exports")
            assert held.value("discharge_rate_pct") == 15
            process.kill()
            await process.wait()
        assert plant.held() != owners
        clock.jump(3_600 + 120)  # nobody there: the slot ends by itself
        assert plant.live().battery_w <= plant.people_w
        again = Process(tmp_path, device, unused_tcp_port, control="self_consumption: {}")
        async with again.running() as process:
            await until(lambda: plant.held() == owners, "the owner's settings after a restart")
            process.terminate()
            assert await process.wait() == 0
    assert held.value("discharge_rate_pct") == 40
    assert plant.held() == owners
