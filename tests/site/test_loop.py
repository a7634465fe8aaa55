"""The loop sees, decides, commands and tells; and gives every device back when it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from houses import LONDON, NOON, ToyBattery, a_price_curve
from ohmstead.clock import Clock, ManualClock, ScaledClock
from ohmstead.errors import DeviceUnreachable, PriceSourceError, RequestError
from ohmstead.model import (
    Applied,
    BatteryCommand,
    BatteryMode,
    Decision,
    Failed,
    PriceCurve,
    Refused,
    Request,
    SettingChange,
    SiteSnapshot,
    Tick,
)
from ohmstead.site.budget import WriteBudget
from ohmstead.site.journal import Journal
from ohmstead.site.loop import Site, SiteParts
from ohmstead.site.prices import PriceWatch
from ohmstead.site.watch import DeviceWatch
from ohmstead.site.writer import Writer

HOUR = timedelta(hours=1)
CHARGE = BatteryCommand(mode=BatteryMode.CHARGE, power_w=3_000, until=NOON + 24 * HOUR)
SELF_USE = BatteryCommand(mode=BatteryMode.SELF_USE)

Decide = Callable[[SiteSnapshot], Decision]


def always(command: BatteryCommand | None, *changes: SettingChange) -> Decide:
    """Decide the same whatever happens."""

    def decide(site: SiteSnapshot) -> Decision:
        return Decision(
            at=site.at, command=command, reason="a test says so", strategy="test", changes=changes
        )

    return decide


def when_cheap(site: SiteSnapshot) -> Decision:
    """Charge while the price is at most 5 p, and heed requests first."""
    for request in site.requests:
        if isinstance(request.want, BatteryCommand):
            return Decision(at=site.at, command=request.want, reason="asked", strategy="requests")
    slot = site.prices.buy.at(site.at) if site.prices.buy else None
    cheap = slot is not None and slot.per_kwh <= 0.05
    return Decision(
        at=site.at, command=CHARGE if cheap else SELF_USE, reason="the price", strategy="price"
    )


class Given:
    """A price source that gives what it was given."""

    def __init__(self, curve: PriceCurve | None) -> None:
        self.given = curve

    async def curve(self, now: datetime) -> PriceCurve:
        del now
        if self.given is None:
            raise PriceSourceError("no prices today")
        return self.given

    def next_due(self, now: datetime) -> datetime:
        return now + HOUR


class House:
    """A site of toy batteries on a clock that moves when told to."""

    def __init__(
        self,
        journal: Journal,
        decide: Decide,
        *batteries: ToyBattery,
        curve: PriceCurve | None = None,
        speed: float | None = None,
    ) -> None:
        self.clock: Clock = ManualClock(NOON) if speed is None else ScaledClock(NOON, speed)
        self.wake = asyncio.Event()
        self.batteries = batteries or (ToyBattery(),)
        self.watches = {
            battery.name: DeviceWatch(battery, self.clock, 10, self.wake.set)
            for battery in self.batteries
        }
        self.buy = PriceWatch("import", Given(curve), self.clock, self.wake.set)
        self.writer = Writer(journal, WriteBudget(100, {}))
        parts = SiteParts(
            watches=self.watches,
            buy=self.buy,
            sell=None,
            journal=journal,
            writer=self.writer,
            decide=decide,
            clock=self.clock,
            timezone=LONDON,
        )
        self.site = Site(parts, self.wake, {})

    def move(self, seconds: float) -> None:
        assert isinstance(self.clock, ManualClock)
        self.clock.move(seconds)

    async def turn(self) -> Tick:
        for battery in self.batteries:
            battery.clock_now = self.clock.now()
        for watch in self.watches.values():
            await watch.read_once()
        await self.buy.ask_once(self.clock.now())
        return await self.site.turn()


@pytest.fixture
async def journal() -> AsyncIterator[Journal]:
    async with Journal(None) as journal:
        yield journal


async def test_a_turn_sees_decides_commands_and_tells(journal: Journal) -> None:
    house = House(journal, always(CHARGE))
    tick = await house.turn()
    assert tick.snapshot.soc_pct == 50
    assert tick.snapshot.load_w == 500
    assert tick.decision.command == CHARGE
    (result,) = tick.results
    assert isinstance(result, Applied)
    assert house.batteries[0].held["charge_on"] is True
    assert house.site.last is tick


async def test_the_command_follows_the_price_at_the_half_hour(journal: Journal) -> None:
    house = House(journal, when_cheap, curve=a_price_curve(0.30, 0.05, 0.0501))
    seen = []
    for _ in range(4):
        tick = await house.turn()
        seen.append(tick.decision.command and tick.decision.command.mode.value)
        house.move(30 * 60 - 1)
        await house.turn()
        assert house.batteries[0].held["charge_on"] is (seen[-1] == "charge")
        house.move(1)
    assert seen == ["self_use", "charge", "self_use", "self_use"]


async def test_an_earlier_runs_settings_are_given_back_within_the_first_turn(
    tmp_path: Path,
) -> None:
    battery = ToyBattery()
    async with Journal(tmp_path / "journal.db") as journal:
        await House(journal, always(CHARGE), battery).turn()
    assert battery.held["charge_on"] is True
    async with Journal(tmp_path / "journal.db") as journal:
        house = House(journal, always(None), battery)
        await house.turn()
        assert battery.held == {"charge_on": False, "charge_w": 2_000, "discharge_pct": 100}
        entry = (await house.site.journal())[0]
        assert "an earlier run ended at 2 unfinished writes" in entry.why
        assert "a test says so" in entry.why


async def test_a_turn_for_cron_continues_what_the_last_one_began(tmp_path: Path) -> None:
    battery = ToyBattery()
    for _ in range(2):
        async with Journal(tmp_path / "journal.db") as journal:
            house = House(journal, always(CHARGE), battery)
            await house.watches["inverter"].read_once()
            await house.site.turn(recover=False)
    assert len(battery.sent) == 2
    assert battery.held["charge_on"] is True


async def test_with_nothing_decided_the_inverter_is_left_to_itself(journal: Journal) -> None:
    house = House(journal, always(None))
    tick = await house.turn()
    assert tick.results == ()
    assert house.batteries[0].sent == []


async def test_a_silent_device_is_not_asked_to_do_anything(journal: Journal) -> None:
    house = House(journal, always(CHARGE))
    house.batteries[0].trouble = DeviceUnreachable("inverter", "no answer within 5 s")
    tick = await house.turn()
    (result,) = tick.results
    assert isinstance(result, Failed)
    assert result.why == "inverter: no answer within 5 s"
    assert tick.snapshot.devices["inverter"].trouble == result.why
    house.batteries[0].trouble = None
    tick = await house.turn()
    assert isinstance(tick.results[0], Applied)


async def test_a_reading_that_is_too_old_is_not_passed_off_as_new(journal: Journal) -> None:
    house = House(journal, always(None))
    await house.turn()
    house.move(61)
    snapshot = house.site.snapshot()
    assert snapshot.devices["inverter"].reading is None
    assert snapshot.soc_pct is None
    assert snapshot.grid_w is None


async def test_a_device_that_fails_while_recovering_is_tried_again(tmp_path: Path) -> None:
    battery = ToyBattery()
    async with Journal(tmp_path / "journal.db") as journal:
        await House(journal, always(CHARGE), battery).turn()
    async with Journal(tmp_path / "journal.db") as journal:
        house = House(journal, always(SELF_USE), battery)
        await house.watches["inverter"].read_once()
        battery.trouble = DeviceUnreachable("inverter", "gone")
        assert isinstance((await house.site.turn()).results[0], Failed)
        battery.trouble = None
        assert isinstance((await house.turn()).results[0], Applied)
        assert battery.held["charge_on"] is False


async def test_two_batteries_share_the_power_by_what_they_can_do(journal: Journal) -> None:
    house = House(journal, always(CHARGE), ToyBattery(), ToyBattery(name="second"))
    tick = await house.turn()
    assert [b.held["charge_w"] for b in house.batteries] == [1_500, 1_500]
    assert tick.snapshot.battery is not None
    assert tick.snapshot.battery.max_charge_w == 7_200


async def test_a_request_holds_until_its_end_and_can_be_cancelled(journal: Journal) -> None:
    house = House(journal, when_cheap, curve=a_price_curve(0.30, 0.30))
    request = a_request(CHARGE, until=NOON + HOUR)
    assert await house.site.ask(request) is None
    assert (await house.turn()).decision.strategy == "requests"
    assert house.site.requests() == (request,)
    house.move(3_600)
    assert (await house.turn()).decision.strategy == "price"
    assert house.site.requests() == ()
    late = a_request(CHARGE, until=NOON + 3 * HOUR, id="late")
    await house.site.ask(late)
    assert house.site.cancel("late") is late
    with pytest.raises(RequestError, match="no request late"):
        house.site.cancel("late")


async def test_a_change_somebody_asks_for_is_carried_out_and_answered(journal: Journal) -> None:
    house = House(journal, always(None))
    request = a_request(SettingChange(device="inverter", point="charge_w", value=1_000))
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(house.site.ask(request))
        await asyncio.sleep(0)
        tick = await house.turn()
    result = asked.result()
    assert isinstance(result, Applied)
    assert tick.results == (result,)
    (entry,) = await house.site.journal(device="inverter")
    assert (entry.asked_by, entry.lease) == ("web", False)


async def test_a_change_for_an_unknown_device_names_the_known_ones(journal: Journal) -> None:
    house = House(journal, always(None))
    with pytest.raises(RequestError, match="no device toaster; there is inverter"):
        await house.site.ask(a_request(SettingChange(device="toaster", point="x", value=1)))


async def test_changes_a_strategy_wants_are_carried_out(journal: Journal) -> None:
    change = SettingChange(device="inverter", point="charge_w", value=1_000)
    stranger = SettingChange(device="toaster", point="x", value=1)
    house = House(journal, always(None, change, stranger))
    tick = await house.turn()
    assert isinstance(tick.results[0], Applied)
    assert isinstance(tick.results[1], Refused)
    house.batteries[0].trouble = DeviceUnreachable("inverter", "gone")
    assert isinstance((await house.turn()).results[0], Failed)


async def test_the_loop_turns_at_every_change_and_gives_the_devices_back(journal: Journal) -> None:
    house = House(journal, when_cheap, curve=a_price_curve(0.30, 0.05, 0.30), speed=1_800)
    stop, modes = asyncio.Event(), list[tuple[datetime, str]]()
    ticks = house.site.ticks()

    async def collect() -> None:
        async for tick in ticks:
            house.batteries[0].clock_now = house.clock.now()
            if tick.decision.command and (
                not modes or modes[-1][1] != tick.decision.command.mode.value
            ):
                modes.append((tick.snapshot.at, tick.decision.command.mode.value))
            if tick.snapshot.at >= NOON + timedelta(minutes=45):
                stop.set()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(w.run()) for w in house.watches.values()]
        tasks += [group.create_task(house.buy.run()), group.create_task(collect())]
        await house.site.run(stop)
        assert house.batteries[0].held["charge_on"] is False
        for task in tasks:
            task.cancel()
    assert [mode for _, mode in modes] == ["self_use", "charge"]
    assert timedelta(minutes=30) <= modes[1][0] - NOON < timedelta(minutes=31)
    assert [e.why for e in await journal.entries(limit=1)] == ["undone: Ohmstead stops"]
    assert house.batteries[0].opened == 0


async def test_a_device_silent_at_the_end_keeps_its_lease_for_the_next_start(
    journal: Journal,
) -> None:
    house = House(journal, always(CHARGE))
    await house.turn()
    house.batteries[0].trouble = DeviceUnreachable("inverter", "gone")
    await house.site.release("Ohmstead stops")
    assert len(await journal.leased()) == 2
    await house.watches["inverter"].read_once()
    await house.site.release("Ohmstead stops")
    assert len(await journal.leased()) == 2


async def test_a_device_no_longer_configured_keeps_its_lease(journal: Journal) -> None:
    await House(journal, always(CHARGE), ToyBattery(name="old")).turn()
    house = House(journal, always(None))
    await house.turn()
    await house.site.release("Ohmstead stops")
    assert len(await journal.leased("old")) == 2


async def test_what_strategies_remember_survives_a_restart(tmp_path: Path) -> None:
    def decide(site: SiteSnapshot) -> Decision:
        return Decision(
            at=site.at,
            command=None,
            reason="counting",
            strategy="test",
            memory={"n": str(int(site.memory.get("n", "0")) + 1)},
        )

    async with Journal(tmp_path / "journal.db") as journal:
        house = House(journal, decide)
        for _ in range(3):
            await house.turn()
        await house.site.release("Ohmstead stops")
        assert await journal.memory() == {"n": "3"}


async def test_the_first_decision_does_not_wait_long_for_a_silent_device(journal: Journal) -> None:
    house = House(journal, always(None))
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(10):
        await house.site.run(stop)
    assert house.site.last is None


async def test_a_price_source_in_trouble_is_a_state(journal: Journal) -> None:
    house = House(journal, when_cheap, curve=None)
    tick = await house.turn()
    assert house.buy.trouble == "no prices today"
    assert tick.snapshot.prices.buy is None
    await house.turn()
    assert house.buy.curve is None


def a_request(
    want: BatteryCommand | SettingChange,
    *,
    until: datetime | None = None,
    id: str = "r1",  # noqa: A002
) -> Request:
    return Request(id=id, asked_by="web", made_at=NOON, want=want, until=until)
