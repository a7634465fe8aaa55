"""Settings are checked, counted, journalled, sent once and read back; and can be undone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from houses import NOON, ToyBattery, a_reading
from ohmstead.errors import DeviceUnreachable
from ohmstead.model import (
    Applied,
    BatteryCommand,
    BatteryMode,
    CommandResult,
    Failed,
    Reading,
    Refused,
    SettingChange,
    Value,
    WriteState,
)
from ohmstead.site.budget import WriteBudget
from ohmstead.site.journal import Journal
from ohmstead.site.writer import Errand, Writer

HOUR = timedelta(hours=1)
CHARGE = BatteryCommand(mode=BatteryMode.CHARGE, power_w=3_000, until=NOON + HOUR)
HOLD = BatteryCommand(mode=BatteryMode.HOLD, until=NOON + HOUR)
SELF_USE = BatteryCommand(mode=BatteryMode.SELF_USE)


class House:
    """A battery, a journal and a writer."""

    def __init__(self, journal: Journal, per_day: int = 100) -> None:
        self.battery = ToyBattery()
        self.journal = journal
        self.writer = Writer(journal, WriteBudget(per_day, {}))

    async def command(self, command: BatteryCommand, why: str = "a test") -> CommandResult:
        errand = Errand(command=command, asked_by="rule", why=why, now=NOON)
        return await self.writer.command(self.battery, command, errand)

    async def set(self, point: str, value: Value) -> CommandResult:
        change = SettingChange(device="inverter", point=point, value=value)
        errand = Errand(command=change, asked_by="web", why="asked", now=NOON)
        return await self.writer.change(self.battery, change, errand)

    def sent(self) -> list[tuple[str, Value]]:
        return [(change.point, change.value) for change in self.battery.sent]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with Journal(None) as journal:
        yield House(journal)


async def test_a_setting_is_written_once_and_journalled(house: House) -> None:
    result = await house.set("charge_w", 1_000)
    assert isinstance(result, Applied)
    assert [(w.point, w.old, w.new) for w in result.wrote] == [("charge_w", 2_000, 1_000)]
    (entry,) = await house.journal.entries()
    assert (entry.asked_by, entry.why, entry.state, entry.lease) == (
        "web",
        "asked",
        WriteState.CONFIRMED,
        False,
    )


async def test_what_the_device_already_holds_is_not_written(house: House) -> None:
    result = await house.set("charge_w", "2000")
    assert isinstance(result, Applied)
    assert result.wrote == ()
    assert house.sent() == []


async def test_a_value_the_device_rounds_to_its_step_is_the_same(house: House) -> None:
    assert isinstance(await house.set("charge_w", 2_040), Applied)
    assert house.sent() == []


@pytest.mark.parametrize(
    ("point", "value", "says"),
    [
        ("charge_w", 9_000, "outside 0 to 5000"),
        ("charge_on", "perhaps", "neither on nor off"),
        ("battery_soc_pct", 100, "only be read"),
        ("warp_w", 1, "no point warp_w"),
    ],
)
async def test_a_bad_value_is_refused_before_anything_is_sent(
    house: House, point: str, value: Value, says: str
) -> None:
    result = await house.set(point, value)
    assert isinstance(result, Refused)
    assert says in result.why
    assert house.sent() == []
    assert await house.journal.entries() == []


async def test_a_deaf_device_is_found_out_by_the_read_back(house: House) -> None:
    house.battery.deaf = True
    result = await house.set("charge_w", 1_000)
    assert isinstance(result, Failed)
    assert "wrote 1000" in result.why
    assert "shows 2000" in result.why
    (entry,) = await house.journal.entries()
    assert entry.state is WriteState.FAILED
    assert len(house.sent()) == 1


async def test_a_command_lasts_and_is_undone_in_reverse_order(house: House) -> None:
    await house.command(CHARGE)
    assert house.sent() == [("charge_w", 3_000), ("charge_on", True)]
    house.battery.sent.clear()
    result = await house.command(SELF_USE, "the price is high again")
    assert house.sent() == [("charge_on", False), ("charge_w", 2_000)]
    assert isinstance(result, Applied)
    assert len(result.wrote) == 2
    assert await house.writer.leases() == {}
    newest = (await house.journal.entries())[0]
    assert (newest.asked_by, newest.why) == ("undo", "undone: the price is high again")


async def test_a_command_given_again_writes_nothing(house: House) -> None:
    await house.command(CHARGE)
    house.battery.sent.clear()
    result = await house.command(CHARGE)
    assert isinstance(result, Applied)
    assert result.wrote == ()
    assert house.sent() == []


async def test_the_next_command_gives_back_what_it_does_not_need_itself(house: House) -> None:
    await house.command(HOLD)
    house.battery.sent.clear()
    await house.command(CHARGE)
    assert house.sent() == [
        ("discharge_pct", 100),
        ("charge_w", 3_000),
        ("charge_on", True),
    ]
    await house.command(SELF_USE)
    assert house.battery.held == {"charge_on": False, "charge_w": 2_000, "discharge_pct": 100}


async def test_a_command_given_again_keeps_what_only_its_first_time_needed(house: House) -> None:
    class Opening(ToyBattery):
        """Opens a shut rate once, and does not speak of it while it is open."""

        def settings_for(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
            shut = self.held["discharge_pct"] == 0
            opened = SettingChange(device=self.name, point="discharge_pct", value=100)
            return (*((opened,) if shut else ()), *super().settings_for(command, now))

    house.battery = Opening()
    house.battery.held["discharge_pct"] = 0
    await house.command(CHARGE)
    for _ in range(3):
        await house.command(CHARGE)
    assert house.battery.held["discharge_pct"] == 100
    assert len(house.battery.sent) == 3  # the rate, the power, the switch: each once
    await house.writer.undo(house.battery, NOON, "the end")
    assert house.battery.held == {"charge_on": False, "charge_w": 2_000, "discharge_pct": 0}


async def test_a_reading_from_before_our_last_write_is_not_believed(house: House) -> None:
    async def command(wanted: BatteryCommand, reading: Reading) -> None:
        errand = Errand(command=wanted, asked_by="rule", why="a test", now=NOON)
        await house.writer.command(house.battery, wanted, errand, reading)

    before = a_reading(values=dict(house.battery.held))
    await command(CHARGE, before)
    charging = a_reading(values=dict(house.battery.held))
    await house.writer.undo(house.battery, NOON, "cancelled")
    await command(CHARGE, charging)
    assert house.battery.held == charging.values
    await command(SELF_USE, before)
    assert house.battery.held == before.values
    later = a_reading(at=NOON + HOUR, values={"charge_on": True})
    house.sent()
    house.battery.sent.clear()
    await command(CHARGE, later)
    assert house.sent() == [("charge_w", 3_000)], "a later one is"


class Holding(ToyBattery):
    """A battery that holds with a charge power of its own, or with whatever it is set to."""

    def settings_for(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        del now
        if command.mode is not BatteryMode.HOLD:
            return ()
        wanted: dict[str, Value] = {"discharge_pct": 0}
        if command.power_w is not None:
            wanted["charge_w"] = command.power_w
        elif self.held["charge_w"] == 0:
            wanted["charge_w"] = 500  # the last it was seen at, which is not the owner's
        return tuple(
            SettingChange(device=self.name, point=point, value=value)
            for point, value in wanted.items()
        )


async def test_a_power_that_is_no_longer_said_does_not_stay_behind(house: House) -> None:
    house.battery = Holding()
    for power_w in (500, 0, None):
        await house.command(replace(HOLD, power_w=power_w))
    assert house.battery.held == {"charge_on": False, "charge_w": 2_000, "discharge_pct": 0}
    await house.command(SELF_USE)
    assert house.battery.held == {"charge_on": False, "charge_w": 2_000, "discharge_pct": 100}


async def test_the_owners_own_value_comes_back_after_several_commands(house: House) -> None:
    for power_w in (3_000, 1_000, 4_000):
        await house.command(
            BatteryCommand(mode=BatteryMode.CHARGE, power_w=power_w, until=NOON + HOUR)
        )
    await house.command(SELF_USE)
    assert house.battery.held["charge_w"] == 2_000


async def test_what_the_owner_changed_meanwhile_is_left_alone(house: House) -> None:
    await house.command(CHARGE)
    house.battery.held["charge_w"] = 1_500
    await house.command(SELF_USE)
    assert house.battery.held == {"charge_on": False, "charge_w": 1_500, "discharge_pct": 100}
    assert await house.writer.leases() == {}


async def test_the_owners_new_value_comes_back_after_our_next_command(house: House) -> None:
    await house.command(CHARGE)
    house.battery.held["charge_w"] = 1_500
    await house.command(CHARGE)
    await house.command(SELF_USE)
    assert house.battery.held["charge_w"] == 1_500


async def test_a_device_that_dies_half_way_is_undone_when_it_is_back(house: House) -> None:
    house.battery.dies_after = 2
    result = await house.command(CHARGE)
    assert isinstance(result, Failed)
    assert [w.point for w in result.wrote] == ["charge_w"]
    house.battery.dies_after, house.battery.trouble = None, None
    assert await house.writer.undo(house.battery, NOON, "back again")
    assert house.battery.held == {"charge_on": False, "charge_w": 2_000, "discharge_pct": 100}


async def test_a_device_that_is_silent_while_undoing_stays_on_lease(house: House) -> None:
    await house.command(CHARGE)
    house.battery.trouble = DeviceUnreachable("inverter", "no answer")
    assert isinstance(await house.command(SELF_USE), Failed)
    assert [e.point for e in (await house.writer.leases())["inverter"]] == [
        "charge_w",
        "charge_on",
    ]


async def test_a_value_nobody_knew_before_cannot_be_given_back(house: House) -> None:
    del house.battery.held["charge_w"]
    await house.command(CHARGE)
    await house.command(SELF_USE)
    assert house.battery.held["charge_w"] == 3_000
    assert await house.writer.leases() == {}


async def test_a_point_the_device_does_not_know_yet_stays_on_lease(house: House) -> None:
    await house.command(CHARGE)
    known, house.battery.points = house.battery.points, {}
    assert await house.writer.undo(house.battery, NOON, "too early") == ()
    house.battery.points = known
    assert len(await house.writer.undo(house.battery, NOON, "now")) == 2


async def test_a_value_that_may_not_be_written_is_not_given_back(house: House) -> None:
    house.battery.held["charge_w"] = 9_000
    await house.command(CHARGE)
    house.battery.refuses = "charge_w"
    await house.command(SELF_USE)
    details = [e.detail for e in await house.journal.entries() if e.point == "charge_w"]
    assert any("not restored" in detail for detail in details)


async def test_the_budget_refuses_a_whole_command_before_its_first_write() -> None:
    async with Journal(None) as journal:
        house = House(journal, per_day=2)
        for value in (True, False):
            assert isinstance(await house.set("charge_on", value), Applied)
        house.battery.sent.clear()
        result = await house.command(CHARGE)
        assert isinstance(result, Refused)
        assert "charge_on was written 2 times in 24 hours" in result.why
        assert "next write is possible in 24 h" in result.why
        assert house.sent() == []


async def test_the_budget_never_stops_what_makes_things_safe() -> None:
    async with Journal(None) as journal:
        house = House(journal, per_day=1)
        await house.command(CHARGE)
        assert isinstance(await house.command(SELF_USE), Applied)
        assert house.battery.held["charge_on"] is False
        assert isinstance(await house.command(CHARGE), Refused)
        house.battery.held["charge_on"] = True
        assert isinstance(await house.command(SELF_USE), Applied)
        assert house.battery.held["charge_on"] is False


async def test_a_setting_the_last_reading_shows_as_wanted_is_not_asked_again(house: House) -> None:
    house.battery.trouble = DeviceUnreachable("inverter", "no answer")
    reading = a_reading(values={"charge_on": False})
    errand = Errand(command=SELF_USE, asked_by="rule", why="a test", now=NOON)
    result = await house.writer.command(house.battery, SELF_USE, errand, reading)
    assert isinstance(result, Applied)


async def test_a_command_the_device_cannot_do_is_refused(house: House) -> None:
    house.battery.cannot = "no forced discharge on this model"
    result = await house.command(CHARGE)
    assert isinstance(result, Refused)
    assert result.why == "no forced discharge on this model"


async def test_nothing_is_sent_when_the_journal_cannot_be_written(house: House) -> None:
    assert house.journal._database is not None
    house.journal._database.execute("PRAGMA query_only = ON")
    result = await house.command(CHARGE)
    assert isinstance(result, Failed)
    assert "journal" in result.why
    assert house.sent() == []
