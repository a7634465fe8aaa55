"""A charge to come stands in the device's timers: on lease, rarely rewritten, never in the way."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from houses import NOON, POINTS, ToyBattery
from ohmstead.errors import DeviceUnreachable
from ohmstead.model import (
    Ahead,
    Applied,
    BatteryCommand,
    BatteryMode,
    CommandResult,
    Failed,
    Point,
    Range,
    SettingChange,
    Value,
)
from ohmstead.site.budget import WriteBudget
from ohmstead.site.journal import Journal
from ohmstead.site.writer import Errand, Writer

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NIGHT = Ahead(start=NOON + 2 * HOUR, until=NOON + 5 * HOUR, power_w=3_000, soc_pct=90)
SELF_USE = BatteryCommand(mode=BatteryMode.SELF_USE)
HOLD = BatteryCommand(mode=BatteryMode.HOLD, until=NOON + HOUR)
OWNERS = {
    "charge_on": False, "charge_w": 2_000, "discharge_pct": 100, "opens": 0, "closes": 4,
    "target": 100, "second": 5,
}  # fmt: skip
SET = OWNERS | {"charge_on": True, "opens": 14, "closes": 17, "target": 90, "second": 0}


@dataclass
class Timer(ToyBattery):
    """A battery with a charge slot of whole hours, and a second one that its owner uses."""

    points: dict[str, Point] = field(
        default_factory=lambda: {
            **POINTS,
            **{
                name: Point(key=name, label=name, writable=Range(0, 100))
                for name in ("opens", "closes", "target", "second")
            },
        }
    )
    held: dict[str, Value] = field(default_factory=lambda: dict(OWNERS))

    def settings_for(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        changes = super().settings_for(command, now)
        if command.mode is not BatteryMode.CHARGE:
            return changes
        assert command.until is not None
        opens = self.held["opens"]
        return (*self._changes(opens=opens, closes=command.until.hour), *changes)

    def settings_ahead(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        del now
        ahead = command.ahead
        assert ahead is not None
        if ahead.most_w is not None:
            return ()
        second = {} if self.held["second"] == 0 else {"second": 0}
        target = 100.0 if ahead.soc_pct is None else ahead.soc_pct
        return self._changes(
            **second, target=target, opens=ahead.start.hour, closes=ahead.until.hour, charge_on=True
        )

    def _changes(self, **wanted: Value) -> tuple[SettingChange, ...]:
        return tuple(
            SettingChange(device=self.name, point=point, value=value)
            for point, value in wanted.items()
        )


class House:
    """A battery with timers, a journal and a writer."""

    def __init__(self, journal: Journal, per_day: int = 100) -> None:
        self.battery = Timer()
        self.journal = journal
        self.writer = Writer(journal, WriteBudget(per_day, {}))

    async def command(
        self, command: BatteryCommand, ahead: Ahead | None = NIGHT, now: datetime = NOON
    ) -> CommandResult:
        command = replace(command, ahead=ahead)
        errand = Errand(command=command, asked_by="plan", why="a test", now=now)
        return await self.writer.command(self.battery, command, errand)

    def sent(self) -> list[str]:
        """Return which points were written since the last time."""
        sent = [change.point for change in self.battery.sent]
        self.battery.sent.clear()
        return sent


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with Journal(None) as journal:
        yield House(journal)


async def test_it_is_set_once_and_given_back_when_nothing_is_ahead(house: House) -> None:
    result = await house.command(SELF_USE)
    assert isinstance(result, Applied)
    assert [write.point for write in result.wrote] == house.sent()
    assert result.ahead == NIGHT
    assert house.battery.held == SET
    (entry, *_) = await house.journal.entries()
    assert entry.why == "set ahead, so that it charges from 14:00 to 17:00 UTC even without us"
    assert (entry.lease, entry.until) == (True, NIGHT.until)
    for _ in range(3):
        await house.command(SELF_USE)
    assert house.sent() == []
    await house.command(SELF_USE, None)
    assert house.battery.held == OWNERS
    assert house.sent()[0] == "charge_on"


async def test_the_charge_finds_it_there_and_the_owner_gets_all_back_after_it(house: House) -> None:
    await house.command(SELF_USE)
    house.sent()
    charge = BatteryCommand(mode=BatteryMode.CHARGE, power_w=3_000, until=NIGHT.until)
    for minutes in (0, 30, 60):
        await house.command(charge, None, NIGHT.start + minutes * MINUTE)
    assert house.sent() == ["charge_w"]
    await house.command(SELF_USE, None, NIGHT.until)
    assert house.battery.held == OWNERS


async def test_it_outlives_a_change_of_mode(house: House) -> None:
    await house.command(SELF_USE)
    house.sent()
    await house.command(HOLD)
    assert house.sent() == ["discharge_pct"]
    await house.command(HOLD)
    await house.command(SELF_USE)
    assert house.sent() == ["discharge_pct"]
    assert house.battery.held == SET


async def test_a_hold_goes_on_when_its_charge_is_no_longer_wanted(house: House) -> None:
    await house.command(HOLD)
    house.sent()
    await house.command(HOLD, None)
    assert house.battery.held == OWNERS | {"discharge_pct": 0}
    assert house.sent()[-1] == "charge_on"
    await house.command(HOLD, None)
    assert house.sent() == []
    await house.command(SELF_USE, None)
    assert house.battery.held == OWNERS


@pytest.mark.parametrize(
    ("other", "written"),
    [
        pytest.param(replace(NIGHT, start=NIGHT.start + 29 * MINUTE), [], id="a little later"),
        pytest.param(replace(NIGHT, power_w=2_600), [], id="a little slower"),
        pytest.param(replace(NIGHT, soc_pct=86), [], id="a little less"),
        pytest.param(replace(NIGHT, soc_pct=80), ["target"], id="much less"),
        pytest.param(replace(NIGHT, soc_pct=86, most_pct=86), ["target"], id="a limit"),
        pytest.param(replace(NIGHT, soc_pct=None), ["target"], id="whatever there is"),
        pytest.param(replace(NIGHT, start=NOON + HOUR), ["opens"], id="earlier"),
        pytest.param(replace(NIGHT, until=NOON + 6 * HOUR), ["closes"], id="longer"),
    ],
)
async def test_only_a_change_that_matters_is_written(
    house: House, other: Ahead, written: list[str]
) -> None:
    await house.command(SELF_USE)
    house.sent()
    await house.command(SELF_USE, other)
    assert house.sent() == written


async def test_one_that_has_begun_unwanted_is_rewritten(house: House) -> None:
    await house.command(SELF_USE)
    later = replace(NIGHT, start=NIGHT.start + 20 * MINUTE)
    await house.command(SELF_USE, later, NIGHT.start - MINUTE)
    house.sent()
    later = replace(NIGHT, start=NIGHT.start + HOUR)
    await house.command(SELF_USE, later, NIGHT.start)
    assert house.sent() == ["opens"]


async def test_a_plan_that_cannot_make_up_its_mind_gets_nothing_more(house: House) -> None:
    for n in range(40):
        await house.command(SELF_USE, replace(NIGHT, soc_pct=30 + 10 * (n % 2)))
    assert house.sent().count("target") == 12 + 1
    assert house.battery.held == OWNERS
    tomorrow = NOON + 13 * HOUR
    await house.command(SELF_USE, replace(NIGHT, start=tomorrow + HOUR), tomorrow)
    assert house.battery.held["charge_on"] is True


async def test_a_device_without_such_timers_has_none(house: House) -> None:
    plain = ToyBattery()
    command = replace(SELF_USE, ahead=NIGHT)
    errand = Errand(command=command, asked_by="plan", why="a test", now=NOON)
    assert await house.writer.command(plain, command, errand) == Applied(
        device="inverter", command=command
    )
    await house.command(SELF_USE, replace(NIGHT, most_w=500))
    assert house.sent() == []


async def test_where_the_budget_forbids_it_the_command_is_carried_out_all_the_same() -> None:
    async with Journal(None) as journal:
        house = House(journal, per_day=1)
        await house.command(SELF_USE)
        house.sent()
        await house.command(SELF_USE, replace(NIGHT, soc_pct=50))
        assert house.battery.held == OWNERS


async def test_a_setting_the_device_refuses_leaves_the_command_whole(house: House) -> None:
    house.battery.refuses = "second"
    house.battery.held["charge_on"] = True
    result = await house.command(SELF_USE)
    assert isinstance(result, Applied)
    assert house.battery.held == OWNERS


async def test_a_device_that_dies_meanwhile_is_set_at_the_next_turn(house: House) -> None:
    house.battery.dies_after = 2
    result = await house.command(SELF_USE)
    assert isinstance(result, Failed)
    house.battery.trouble = house.battery.dies_after = None
    await house.command(SELF_USE)
    assert house.battery.held == SET
    house.battery.trouble = DeviceUnreachable("inverter", "no answer")
    assert isinstance(await house.command(SELF_USE, None), Failed)
    house.battery.trouble = None
    await house.command(SELF_USE, None)
    assert house.battery.held == OWNERS


async def test_a_while_without_knowing_anything_leaves_it_there(house: House) -> None:
    await house.command(HOLD)
    await house.writer.leave(house.battery, NOON + 29 * MINUTE, "no level")
    assert house.battery.held == SET
    house.sent()
    await house.command(HOLD, now=NOON + 29 * MINUTE)
    assert house.sent() == ["discharge_pct"]
    await house.writer.leave(house.battery, NOON + HOUR, "no level")
    assert house.battery.held == OWNERS


async def test_the_end_gives_it_back(house: House) -> None:
    await house.command(SELF_USE)
    await house.writer.undo(house.battery, NOON, "the end")
    assert house.battery.held == OWNERS
    await house.command(SELF_USE)
    assert house.battery.held == SET
