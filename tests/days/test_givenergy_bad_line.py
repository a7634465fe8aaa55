"""Eight hours on a bad line: no write is lost, no false value is published, nothing breaks."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest

from givenergy_house import JumpClock, Service, serving
from givenergy_truth import LivedIn
from houses import LONDON
from ohmstead.devices.givenergy.driver import GivEnergyDriver, GivEnergySettings
from ohmstead.devices.givenergy.frames import INVERTER, FrameDecoder, Function, Heartbeat, Request
from ohmstead.links.frames_tcp import FramePatience
from ohmstead.model import Applied, BatteryMode, Failed, Reading, Value

MORNING = datetime(2026, 6, 21, 7, tzinfo=UTC)
HOURS = 8
MINUTE = timedelta(minutes=1)
SPEED, POLL_S = 30.0, 25.0
QUICK = FramePatience(
    reply_s=0.015, gap_s=0, settle_s=0, again_s=0.02, backoff_s=0.03, backoff_most_s=0.05
)
"""A second of the house; real ones wait for two."""
PATIENCE, TRIES = 5 * MINUTE, 5
QUIET: Mapping[str, Value] = {"charge_enabled": False, "discharge_enabled": False}
OWNERS: Mapping[str, Value] = {
    **QUIET, "eco_mode_enabled": True, "pause_mode": "none", "reserve_soc_pct": 10,
    "charge_rate_pct": 45, "discharge_rate_pct": 40, "charge_target_soc_pct": 80,
    "charge_slot_1_start": time(0, 30), "charge_slot_1_end": time(4, 30),
    "discharge_slot_1_start": time(16), "discharge_slot_1_end": time(19),
    "discharge_slot_2_start": time(21), "discharge_slot_2_end": time(22),
}  # fmt: skip
ORDERS: Mapping[BatteryMode, tuple[float | None, float | None, Mapping[str, Value]]] = {
    BatteryMode.CHARGE: (2_000, 90, {
        "charge_enabled": True, "charge_target_soc_pct": 90, "charge_rate_pct": 21,
        "discharge_enabled": False,
    }),
    BatteryMode.HOLD: (None, None, {**QUIET, "pause_mode": "discharge"}),
    BatteryMode.DISCHARGE: (1_500, 20, {
        "charge_enabled": False, "discharge_enabled": True, "eco_mode_enabled": False,
        "reserve_soc_pct": 20, "discharge_rate_pct": 15, "discharge_slot_2_end": time(0),
    }),
    BatteryMode.IDLE: (None, None, {**QUIET, "pause_mode": "both"}),
}  # fmt: skip
"""Power, level and what the inverter holds once all of the command has arrived."""
COMPARED = {
    "battery_w", "grid_w", "pv_w", "load_w", "soc_pct", "grid_import_total_kwh",
    "grid_export_total_kwh", "battery_charge_total_kwh", "battery_discharge_total_kwh",
}  # fmt: skip
CUTOFF = 114
"""A setting that the other client changes, and we do not."""


@pytest.mark.timeout(200)
async def test_eight_hours_on_a_bad_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asyncio.get_running_loop().set_debug(False)  # it takes half of the time
    clock = JumpClock(MORNING, SPEED)
    plant = LivedIn("hybrid_gen2", clock, soc_pct=40)
    plant.simulator.faults = {"lossy", "noisy"}
    before = asyncio.all_tasks()
    async with plant.simulator.serve() as port, chatter(port, clock) as other:
        settings = GivEnergySettings(host="127.0.0.1", port=port)
        driver = Counted("inverter", settings, clock, LONDON, patience=QUICK)
        async with serving(clock, driver, poll_s=POLL_S) as service:
            day = Day(plant, service, driver)
            await day.live()
    # It was a bad line indeed, and another spoke on it all day.
    assert plant.simulator.clients.seen > 2
    assert other.asked > 1_000
    assert plant.simulator.inverter.holdings.read(CUTOFF, 1) == (other.cutoffs[-1],)
    # No write was lost: commands arrived within a few minutes, nearly all of them within one.
    assert len(day.late) <= 2, day.late
    assert len(day.failed) <= 2, day.failed
    # No value was false, and hardly any was missing.
    assert day.false == []
    assert day.readings > 1_000
    assert {
        name for name, times in plant.compared.items() if times > 0.9 * day.readings
    } >= COMPARED
    # Nothing broke, and nothing is left.
    assert day.longest_trouble_s < 180
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
    assert asyncio.all_tasks() == before


class Counted(GivEnergyDriver):
    """The driver, which says how often it was read."""

    reads = 0

    async def read(self) -> Reading:
        try:
            return await super().read()
        finally:
            self.reads += 1


class Day:
    """Half-hours, each with a command and two changes of settings."""

    def __init__(self, plant: LivedIn, service: Service, driver: Counted) -> None:
        self.plant, self.service, self.driver = plant, service, driver
        self.clock = service.clock
        self.false: list[str] = []
        self.late: list[str] = []
        self.failed: list[str] = []
        self.readings = 0
        self.troubled_s, self.longest_trouble_s = 0.0, 0.0

    async def live(self) -> None:
        """Ask for something every few minutes."""
        chance = random.Random(7)  # noqa: S311 - dice, not keys
        for half_hour in range(2 * HOURS):
            began = MORNING + half_hour * 30 * MINUTE
            await self.until(began + MINUTE)
            mode = tuple(ORDERS)[half_hour % len(ORDERS)]
            await self.commands(mode)
            await self.until(began + 16 * MINUTE)
            await self.arrives("the owner's settings", OWNERS)
            for end, hour in (("start", 2), ("end", 3)):
                value = time(hour, chance.randrange(60))
                await self.until(began + (16 + 3 * hour) * MINUTE)
                await self.changes(f"charge_slot_2_{end}", value)
        await self.until(MORNING + HOURS * 60 * MINUTE)

    async def commands(self, mode: BatteryMode) -> None:
        """Have *mode* asked for, for twelve minutes, and see all of it arrive."""
        power_w, soc_pct, orders = ORDERS[mode]
        await self.service.ask(mode, 12, power_w, soc_pct)
        await self.arrives(mode, orders)

    async def arrives(self, what: str, orders: Mapping[str, Value]) -> None:
        """Wait until the inverter holds *orders*: a minute, or as long as it is tried again."""
        began = self.clock.now()
        while not self.holds(orders):
            waited = self.clock.now() - began
            assert waited < PATIENCE, (what, self.service.ticks[-1])
            if waited > MINUTE and what not in self.late[-1:]:
                self.late.append(what)
            await asyncio.sleep(0.002)

    async def changes(self, point: str, value: Value) -> None:
        """Have a setting changed; one that failed is said to have, and asked for again."""
        for _ in range(TRIES):
            result = await self.service.change("inverter", point, value)
            if isinstance(result, Applied):
                break
            assert isinstance(result, Failed)
            self.failed.append(result.why)
        assert self.holds({point: value}), (point, value)

    def holds(self, orders: Mapping[str, Value]) -> bool:
        bank = self.plant.simulator.inverter.holdings
        return all(bank.value(point) == value for point, value in orders.items())

    async def until(self, moment: datetime) -> None:
        """Let the day go on, poll by poll."""
        while self.clock.now() < moment:
            await asyncio.sleep(0.002)  # for whoever is about to fall asleep
            reads = self.driver.reads
            self.clock.jump(POLL_S)
            async with asyncio.timeout(20):
                while self.driver.reads == reads:  # noqa: ASYNC110 - the same loop, but not our event
                    await asyncio.sleep(0.001)
            self.judge()

    def judge(self) -> None:
        """Hold what was published against what was so."""
        ticks, self.service.ticks[:-1] = self.service.ticks[:-1], []
        for tick, after in pairwise([*ticks, *self.service.ticks]):
            seen = tick.snapshot.devices["inverter"]
            if seen.trouble is None:
                self.troubled_s = 0
            else:
                self.troubled_s += (after.snapshot.at - tick.snapshot.at).total_seconds()
                self.longest_trouble_s = max(self.longest_trouble_s, self.troubled_s)
            if seen.reading is not None:
                self.readings += 1
                self.false += self.plant.false_values(seen.reading, tick.snapshot.at)


class Chatter:
    """Another program on the same dongle, which asks whatever comes to its mind."""

    def __init__(self, writer: asyncio.StreamWriter, clock: JumpClock) -> None:
        self._writer, self._clock = writer, clock
        self._chance = random.Random(5)  # noqa: S311 - dice, not keys
        self.asked = self.heard = 0
        self.cutoffs: list[int] = []

    async def talk(self) -> None:
        while True:
            await self._clock.sleep(self._chance.uniform(3, 40))
            for _ in range(self._chance.choice([1, 1, 1, 4])):
                self._writer.write(self._question().to_bytes())
            await self._writer.drain()

    async def listen(self, reader: asyncio.StreamReader) -> None:
        decoder = FrameDecoder()
        while data := await reader.read(4096):
            for frame in decoder.feed(data):
                self.heard += 1
                if isinstance(frame, Heartbeat):
                    self._writer.write(frame.to_bytes())

    def _question(self) -> Request:
        self.asked += 1
        chance = self._chance
        if chance.random() < 0.05:
            self.cutoffs.append(chance.randrange(4, 10))
            return Request(function=Function.WRITE, register=CUTOFF, value=self.cutoffs[-1])
        return Request(
            address=chance.choice([INVERTER, INVERTER, 0x32, 0x33, 0x01]),
            function=chance.choice([Function.READ_INPUT, Function.READ_HOLD]),
            register=chance.choice([0, 60, 94, 110, 120, 180]),
            value=chance.choice([1, 7, 30, 60]),
        )


@asynccontextmanager
async def chatter(port: int, clock: JumpClock) -> AsyncIterator[Chatter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    other = Chatter(writer, clock)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job) for job in (other.talk(), other.listen(reader))]
        yield other
        assert not any(task.done() for task in tasks), "it was never hung up on"
        for task in tasks:
            task.cancel()
    writer.close()
    await writer.wait_closed()
