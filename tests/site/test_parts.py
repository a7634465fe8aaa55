"""The smaller parts of the site: inbox, hub, watch, sharing, the picture of the house."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from houses import NOON, ToyBattery, a_device, a_reading
from ohmstead.clock import ManualClock
from ohmstead.errors import DeviceUnreachable, RequestError
from ohmstead.model import (
    Applied,
    BatteryCommand,
    BatteryMode,
    BatteryReading,
    Decision,
    LoadReading,
    Reading,
    Request,
    SettingChange,
    SiteSnapshot,
    SolarReading,
    Tick,
)
from ohmstead.site.budget import WriteBudget
from ohmstead.site.hub import Hub
from ohmstead.site.inbox import Inbox
from ohmstead.site.share import shared
from ohmstead.site.snapshot import battery_of, powers_of
from ohmstead.site.watch import DeviceWatch

CHARGE = BatteryCommand(mode=BatteryMode.CHARGE, power_w=3_000, until=NOON + timedelta(hours=1))


def a_request(number: int = 1, *, ends_in_min: int | None = 30) -> Request:
    until = None if ends_in_min is None else NOON + timedelta(minutes=ends_in_min)
    return Request(id=f"r{number}", asked_by="web", made_at=NOON, want=CHARGE, until=until)


class TestInbox:
    def test_a_request_without_an_end_is_refused(self) -> None:
        with pytest.raises(RequestError, match="needs an end"):
            Inbox().put(a_request(ends_in_min=None), NOON)

    def test_a_request_that_is_over_is_refused(self) -> None:
        with pytest.raises(RequestError, match="ended before it began"):
            Inbox().put(a_request(ends_in_min=-1), NOON)

    def test_there_is_room_for_a_hundred(self) -> None:
        inbox = Inbox()
        for number in range(100):
            inbox.put(a_request(number), NOON)
        with pytest.raises(RequestError, match="100 requests hold already"):
            inbox.put(a_request(100), NOON)
        inbox.put(a_request(100, ends_in_min=60), NOON + timedelta(minutes=30))

    async def test_an_asker_who_goes_away_is_forgotten(self) -> None:
        inbox = Inbox()
        change = SettingChange(device="inverter", point="charge_w", value=1)
        request = Request(id="r", asked_by="web", made_at=NOON, want=change)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(inbox.answer_to(request))
            await asyncio.sleep(0)
            task.cancel()
        assert inbox.next_change() is None

    async def test_there_is_room_for_a_hundred_changes(self) -> None:
        inbox = Inbox()
        change = SettingChange(device="inverter", point="charge_w", value=1)
        request = Request(id="r", asked_by="web", made_at=NOON, want=change)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(inbox.answer_to(request)) for _ in range(100)]
            await asyncio.sleep(0)
            with pytest.raises(RequestError, match="wait already"):
                await inbox.answer_to(request)
            for task in tasks:
                task.cancel()


async def test_a_slow_listener_loses_the_oldest_ticks() -> None:
    hub = Hub()
    ticks = hub.ticks()
    sent = [
        Tick(
            snapshot=SiteSnapshot(at=NOON + timedelta(minutes=n)),
            decision=Decision(at=NOON, command=None, reason="", strategy=""),
        )
        for n in range(20)
    ]
    for tick in sent:
        hub.tell(tick)
    assert hub.last is sent[-1]
    assert [await anext(ticks) for _ in range(16)] == sent[4:]


class TestWatch:
    async def test_a_dead_device_is_asked_less_and_less_often(self) -> None:
        clock, battery = ManualClock(NOON), ToyBattery()
        battery.trouble = DeviceUnreachable("inverter", "no answer")
        asked, enough = list[float](), asyncio.Event()

        def note() -> None:
            asked.append(clock.monotonic())
            if len(asked) >= 8:
                enough.set()

        watch = DeviceWatch(battery, clock, 10, note)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(watch.run())
            await enough.wait()
            task.cancel()
        gaps = [round(b - a) for a, b in pairwise(asked)]
        assert gaps[:7] == [2, 4, 8, 16, 32, 60, 60]

    async def test_it_recovers(self) -> None:
        battery = ToyBattery()
        watch = DeviceWatch(battery, ManualClock(NOON), 10, lambda: None)
        battery.trouble = DeviceUnreachable("inverter", "no answer")
        await watch.read_once()
        assert watch.snapshot(NOON).trouble == "inverter: no answer"
        battery.trouble = None
        await watch.read_once()
        seen = watch.snapshot(NOON)
        assert seen.trouble is None
        assert seen.reading is not None


class TestBudget:
    def test_a_write_of_yesterday_no_longer_counts(self) -> None:
        budget = WriteBudget(1, {("inverter", "charge_on"): [NOON]})
        later = NOON + timedelta(hours=23, minutes=30)
        assert "possible in 31 min" in (budget.refusal("inverter", "charge_on", later) or "")
        assert budget.refusal("inverter", "charge_on", NOON + timedelta(days=1)) is None


class TestSnapshot:
    def test_without_devices_nothing_is_known(self) -> None:
        assert battery_of({}) is None
        assert powers_of({}) == (None, None, None)

    def test_batteries_add_up_by_capacity(self) -> None:
        devices = {
            name: a_device(
                Reading(
                    device=name,
                    at=NOON,
                    values={},
                    battery=BatteryReading(soc_pct=soc, power_w=1_000, capacity_kwh=kwh),
                )
            )
            for name, soc, kwh in (("a", 100, 1.0), ("b", 50, 4.0))
        }
        battery = battery_of(devices)
        assert battery is not None
        assert (battery.soc_pct, battery.power_w, battery.capacity_kwh) == (60, 2_000, 5)

    def test_an_unknown_level_does_not_count(self) -> None:
        devices = {
            name: a_device(a_reading(name, soc_pct=soc)) for name, soc in (("a", None), ("b", 40))
        }
        battery = battery_of(devices)
        assert battery is not None
        assert battery.soc_pct == 40

    def test_the_load_is_what_is_left_over(self) -> None:
        solar = Reading(device="roof", at=NOON, values={}, solar=SolarReading(power_w=1_000))
        devices = {
            "inverter": a_device(a_reading(battery_w=200, grid_w=-300)),
            "roof": a_device(solar),
        }
        assert powers_of(devices) == (-300, 1_000, 900)

    def test_a_devices_own_word_for_the_load_counts(self) -> None:
        load = Reading(device="meter", at=NOON, values={}, load=LoadReading(power_w=450))
        devices = {"inverter": a_device(a_reading(grid_w=None)), "meter": a_device(load)}
        assert powers_of(devices) == (None, None, 450)

    def test_the_load_is_unknown_when_a_battery_does_not_tell_its_power(self) -> None:
        assert powers_of({"inverter": a_device(a_reading(battery_w=None))}) == (500, None, None)


class TestShare:
    def test_a_discharge_is_shared_by_what_each_can_give(self) -> None:
        command = BatteryCommand(mode=BatteryMode.DISCHARGE, power_w=3_000, until=NOON)
        devices = {
            name: a_device(
                Reading(
                    device=name, at=NOON, values={}, battery=BatteryReading(max_discharge_w=most)
                )
            )
            for name, most in (("a", 2_000.0), ("b", 1_000.0))
        }
        parts = shared(command, devices)
        assert [part and part.power_w for part in parts.values()] == [2_000, 1_000]

    def test_what_a_hold_may_take_is_shared_by_what_each_can_take(self) -> None:
        command = BatteryCommand(mode=BatteryMode.HOLD, power_w=900, until=NOON)
        devices = {
            name: a_device(
                Reading(device=name, at=NOON, values={}, battery=BatteryReading(max_charge_w=most))
            )
            for name, most in (("a", 2_000.0), ("b", 1_000.0))
        }
        parts = shared(command, devices)
        assert [part and part.power_w for part in parts.values()] == [600, 300]

    def test_a_silent_battery_gets_no_share(self) -> None:
        devices = {"a": a_device(a_reading("a")), "b": a_device(None, "silent")}
        parts = shared(CHARGE, devices)
        assert [part and part.power_w for part in parts.values()] == [3_000, 0]

    def test_with_nobody_there_nothing_is_shared_out(self) -> None:
        devices = {"a": a_device(None, "silent"), "b": a_device(None, "silent")}
        assert [part and part.power_w for part in shared(CHARGE, devices).values()] == [0, 0]

    def test_batteries_that_do_not_say_what_they_can_share_equally(self) -> None:
        devices = {
            name: a_device(Reading(device=name, at=NOON, values={}, battery=BatteryReading()))
            for name in "ab"
        }
        assert [p and p.power_w for p in shared(CHARGE, devices).values()] == [1_500, 1_500]


def test_results_carry_their_device() -> None:
    assert Applied(device="inverter", command=CHARGE).wrote == ()
