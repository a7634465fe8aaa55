"""The driver against a simulated cloud, over a real socket: what is read, written, and refused."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ohmstead.clock import ManualClock
from ohmstead.devices.givenergy_cloud.driver import GivEnergyCloudDriver
from ohmstead.devices.givenergy_cloud.settings import GivEnergyCloudSettings
from ohmstead.devices.givenergy_cloud.simulator import GivEnergyCloudSimulator
from ohmstead.errors import (
    DeviceBusy,
    DeviceError,
    DeviceProtocolError,
    DeviceRefused,
    DeviceUnreachable,
    NotWritable,
)
from ohmstead.links.http import HttpPatience
from ohmstead.model import Ahead, BatteryCommand, BatteryMode, Range, SettingChange, Value
from ohmstead.ports import BatteryPort
from ohmstead.simulation import House, HouseSettings

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 1, 15, 12, 2, tzinfo=UTC)
QUICK = HttpPatience(timeout_s=5, attempts=2, pause_s=0.01)


@dataclass
class Bench:
    """A house, its cloud, and the driver that asks it."""

    clock: ManualClock
    cloud: GivEnergyCloudSimulator
    driver: GivEnergyCloudDriver

    def pass_time(self, **span: float) -> None:
        self.clock.move(timedelta(**span).total_seconds())

    async def write(self, point: str, value: Value) -> Value | None:
        return await self.driver.change(SettingChange(device="inverter", point=point, value=value))

    async def obey(self, mode: BatteryMode, **more: Any) -> None:  # noqa: ANN401 - any field of a command
        now = self.clock.now()
        command = BatteryCommand(mode=mode, **{"until": now + timedelta(hours=2)} | more)
        for change in self.driver.settings_for(command, now):
            if await self.driver.setting(change.point) != change.value:
                assert await self.driver.change(change) == change.value

    async def set_ahead(self, most_w: float | None = None) -> list[str]:
        """Write what a charge from 15:00 to 17:00 needs beside self-use, and return its points."""
        now = self.clock.now()
        start = now.replace(hour=15, minute=0)
        ahead = Ahead(
            start=start, until=start + timedelta(hours=2), power_w=None, soc_pct=95, most_w=most_w
        )
        command = BatteryCommand(mode=BatteryMode.SELF_USE, ahead=ahead)
        changes = self.driver.settings_ahead(command, now)
        for change in changes:
            assert await self.driver.change(change) == change.value
        return [change.point for change in changes]

    async def battery_w_after(self, **span: float) -> float:
        """Let time pass in steps of five minutes, and return what the cloud is then told."""
        for _ in range(round(timedelta(**span) / timedelta(minutes=5))):
            self.pass_time(minutes=5)
        reading = await self.driver.read()
        assert reading.battery is not None
        assert reading.battery.power_w is not None
        return reading.battery.power_w


@asynccontextmanager
async def bench(*, model: str = "hybrid_gen3", **given: Any) -> AsyncIterator[Bench]:  # noqa: ANN401 - any setting
    clock = ManualClock(NOON)
    house = House(
        HouseSettings(start_soc_pct=50), NOON, LONDON,
        pv_at=lambda _: 1_000, load_at=lambda _: 400,
    )  # fmt: skip
    cloud = GivEnergyCloudSimulator(house, clock, LONDON, model=model)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(cloud.serve())
        said: dict[str, Any] = {
            "api_key": cloud.TOKEN,
            "serial": cloud.SERIAL,
            "base_url": f"http://127.0.0.1:{port}/v1",
            "settings_per_read": 25,
        }
        settings = GivEnergyCloudSettings(**said | given)
        driver = GivEnergyCloudDriver("inverter", settings, clock, LONDON, patience=QUICK)
        await stack.enter_async_context(driver)
        yield Bench(clock, cloud, driver)


class TestReading:
    async def test_it_is_what_the_cloud_was_last_told_and_bears_that_time(self) -> None:
        async with bench() as b:
            b.pass_time(minutes=7)
            reading = await b.driver.read()
        assert reading.at == datetime(2026, 1, 15, 12, 5, tzinfo=UTC)
        assert reading.values["data_age_s"] == 240
        assert reading.values["pv_w"] == 1_000
        assert reading.values["load_w"] == 400
        assert reading.values["battery_w"] == -600
        assert reading.values["grid_w"] == 0
        assert reading.battery is not None
        assert (reading.battery.soc_pct, reading.battery.max_charge_w) == (50, 3_600)

    async def test_it_reads_a_few_settings_with_each_poll_until_all_are_known(self) -> None:
        async with bench(settings_per_read=3) as b:
            reading = await b.driver.read()
            assert set(reading.values) == set(b.driver.points)
            assert sum("/read" in path for path in b.cloud.asked) == 3
            b.pass_time(minutes=5)
            later = await b.driver.read()
        unknown, still = (
            {key for key, value in seen.values.items() if value is None}
            for seen in (reading, later)
        )
        assert len(unknown - still) == 3
        assert not later.doubts

    async def test_a_setting_unread_for_hours_is_no_longer_passed_off_as_known(self) -> None:
        async with bench() as b:
            await b.driver.read()
            b.cloud.faults = {"timeout"}
            b.pass_time(hours=4)
            reading = await b.driver.read()
        assert reading.values["reserve_soc_pct"] is None
        assert reading.doubts["reserve_soc_pct"] == "not read for 4:00:00"

    async def test_a_setting_that_is_refused_keeps_no_other_waiting(self) -> None:
        async with bench() as b:
            b.cloud.faults = {"not_found"}
            reading = await b.driver.read()
        assert "code -3" in reading.doubts["reserve_soc_pct"]
        assert sum("/read" in path for path in b.cloud.asked) == 25

    async def test_everyday_settings_are_read_before_the_third_slot(self) -> None:
        async with bench(settings_per_read=25) as b:
            reading = await b.driver.read()
        assert reading.values["charge_slot_1_start"] == time(0, 0)
        assert reading.values["pause_mode"] == "none"
        assert reading.values["eco_mode_enabled"] is True
        assert reading.values["charge_slot_9_start"] is None

    async def test_a_setting_read_of_late_is_not_read_again(self) -> None:
        async with bench(settings_per_read=100) as b:
            await b.driver.read()
            b.cloud.asked.clear()
            b.pass_time(minutes=5)
            await b.driver.read()
        assert [path.rpartition("/")[2] for path in b.cloud.asked] == ["latest", "latest"]

    async def test_nobody_asks_the_cloud_sooner_than_something_new_can_be_there(self) -> None:
        async with bench(settings_per_read=0) as b:
            await b.driver.read()
            b.cloud.asked.clear()
            b.pass_time(seconds=30)
            reading = await b.driver.read()
        assert b.cloud.asked == []
        assert reading.values["data_age_s"] == 30

    async def test_data_that_stays_old_is_an_inverter_out_of_reach(self) -> None:
        async with bench() as b:
            await b.driver.read()
            b.cloud.faults = {"stale"}
            b.pass_time(minutes=15)
            assert (await b.driver.read()).values["data_age_s"] == 15 * 60
            b.pass_time(minutes=15)
            with pytest.raises(DeviceUnreachable, match="last heard of it 30 minutes ago"):
                await b.driver.read()

    async def test_an_inverter_offline_leaves_its_settings_as_they_were(self) -> None:
        async with bench() as b:
            await b.driver.read()
            b.cloud.faults = {"offline"}
            b.pass_time(hours=1)
            b.cloud.asked.clear()
            with pytest.raises(DeviceUnreachable):
                await b.driver.read()
            b.cloud.faults = {"timeout"}
            b.pass_time(minutes=5)
            reading = await b.driver.read()
        assert reading.values["reserve_soc_pct"] == 4
        assert sum("/read" in path for path in b.cloud.asked) == QUICK.attempts

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            ("bad_token", DeviceRefused),
            ("rate_limited", DeviceBusy),
            ("down", DeviceUnreachable),
            ("garbage", DeviceProtocolError),
        ],
    )
    async def test_a_cloud_in_trouble_is_told(self, fault: str, kind: type[DeviceError]) -> None:
        async with bench() as b:
            b.cloud.faults = {fault}
            with pytest.raises(kind):
                await b.driver.read()

    async def test_another_accounts_inverter_is_told(self) -> None:
        async with bench(serial="FA9999G999") as b:
            with pytest.raises(DeviceRefused, match="check `serial`"):
                await b.driver.read()

    async def test_a_cloud_that_wants_rest_gets_it(self) -> None:
        async with bench() as b:
            b.cloud.faults = {"rate_limited"}
            with pytest.raises(DeviceBusy, match="45 s of rest"):
                await b.driver.read()
            b.cloud.faults, b.cloud.asked = set(), []
            b.pass_time(seconds=40)
            with pytest.raises(DeviceBusy, match="5 s more"):
                await b.driver.read()
            assert b.cloud.asked == []
            b.pass_time(seconds=6)
            await b.driver.read()

    async def test_a_model_without_a_pause_has_no_such_point(self) -> None:
        async with bench(model="hybrid_gen1") as b:
            await b.driver.read()
            assert "pause_mode" not in b.driver.points
            assert "charge_slot_1_start" in b.driver.points


class TestWriting:
    @pytest.mark.parametrize(
        ("point", "value"),
        [
            ("charge_enabled", True),
            ("charge_slot_1_start", time(23, 30)),
            ("charge_target_soc_pct", 80),
            ("discharge_power_w", 2_600),
            ("pause_mode", "both"),
            ("charge_slot_10_target_soc_pct", 55),
        ],
    )
    async def test_what_was_written_is_what_is_read_back(self, point: str, value: Value) -> None:
        async with bench() as b:
            assert await b.write(point, value) == value
            assert await b.driver.setting(point) == value
        assert len(b.cloud.writes) == 1

    @pytest.mark.parametrize("fault", ["timeout", "failed", "no_reply", "down"])
    async def test_a_write_of_unknown_end_is_never_repeated(self, fault: str) -> None:
        async with bench() as b:
            await b.driver.read()
            b.cloud.faults = {fault}
            with pytest.raises(DeviceUnreachable):
                await b.write("charge_enabled", value=True)
        assert len(b.cloud.writes) == (0 if fault == "down" else 1)

    async def test_a_write_that_was_carried_out_after_all_is_found_out(self) -> None:
        async with bench() as b:
            b.cloud.faults = {"timeout_but_done"}
            assert await b.write("charge_enabled", value=True) is True
        assert len(b.cloud.writes) == 1

    @pytest.mark.parametrize(
        ("fault", "kind", "complaint"),
        [
            ("offline", DeviceUnreachable, "not connected to the cloud .code -2"),
            ("not_found", DeviceRefused, "knows no such inverter or setting.*code -3"),
            ("invalid", DeviceRefused, "not accepted .code -4"),
            ("locked", DeviceRefused, "locked: somebody else .*code -7"),
            ("bad_token", DeviceRefused, "API key is not accepted"),
            ("rate_limited", DeviceBusy, "asked too often"),
        ],
    )
    async def test_a_refusal_says_why(
        self, fault: str, kind: type[DeviceError], complaint: str
    ) -> None:
        async with bench() as b:
            await b.driver.read()
            b.cloud.faults = {fault}
            with pytest.raises(kind, match=complaint):
                await b.write("charge_enabled", value=True)
            assert b.cloud.held[66] is False

    async def test_an_inverter_that_is_deaf_is_shown_as_it_is(self) -> None:
        async with bench() as b:
            b.cloud.faults = {"deaf"}
            assert await b.write("charge_enabled", value=True) is False

    @pytest.mark.parametrize(
        ("point", "value", "complaint"),
        [
            ("reserve_soc_pct", 3, "outside 4 to 100"),
            ("discharge_power_w", 9_999, "outside 0 to 3600"),
            ("pause_mode", "never", "none of"),
            ("charge_slot_1_start", "25:00", "not a time of day"),
            ("battery_soc_pct", 50, "no setting"),
            ("restart", 100, "no setting"),
        ],
    )
    async def test_nothing_is_sent_of_what_may_not_be(
        self, point: str, value: Value, complaint: str
    ) -> None:
        async with bench() as b:
            with pytest.raises(NotWritable, match=complaint):
                await b.write(point, value)
        assert b.cloud.writes == []

    async def test_read_only_writes_nothing(self) -> None:
        async with bench(read_only=True) as b:
            await b.driver.read()
            assert all(point.writable is None for point in b.driver.points.values())
            with pytest.raises(NotWritable, match="read_only"):
                await b.write("charge_enabled", value=True)
            with pytest.raises(NotWritable, match="read_only"):
                b.driver.settings_for(BatteryCommand(mode=BatteryMode.SELF_USE), NOON)
        assert b.cloud.writes == []


class TestCommands:
    async def test_it_can_command_a_battery(self) -> None:
        async with bench() as b:
            assert isinstance(b.driver, BatteryPort)

    async def test_a_forced_charge_ends_by_itself_though_nobody_is_there(self) -> None:
        async with bench() as b:
            await b.driver.read()
            await b.obey(BatteryMode.CHARGE, power_w=2_000)
            assert await b.battery_w_after(minutes=30) == -2_000
            assert await b.battery_w_after(hours=2) == -600

    async def test_a_forced_charge_ends_at_its_target(self) -> None:
        async with bench() as b:
            await b.driver.read()
            await b.obey(BatteryMode.CHARGE, power_w=3_000, soc_pct=55)
            assert await b.battery_w_after(minutes=10) == -3_000
            assert await b.battery_w_after(minutes=60) == -600

    async def test_a_forced_discharge_ends_by_itself_and_at_its_floor(self) -> None:
        async with bench() as b:
            await b.driver.read()
            await b.obey(BatteryMode.DISCHARGE, power_w=2_500, soc_pct=45)
            assert await b.battery_w_after(minutes=5) == 2_500
            assert await b.battery_w_after(minutes=60) == -600
            assert await b.battery_w_after(hours=2) == 0  # eco mode stays off until we are back
            await b.obey(BatteryMode.SELF_USE, until=None)
            assert await b.battery_w_after(minutes=10) == -600

    @pytest.mark.parametrize(
        ("mode", "paused_w"),
        [
            pytest.param(BatteryMode.HOLD, -600, id="spare solar may still go in"),
            pytest.param(BatteryMode.EXPORT_SOLAR, 0, id="spare solar goes out"),
            pytest.param(BatteryMode.IDLE, 0, id="nothing moves"),
        ],
    )
    async def test_a_pause_ends_by_itself(self, mode: BatteryMode, paused_w: float) -> None:
        async with bench() as b:
            await b.driver.read()
            await b.obey(mode)
            assert await b.battery_w_after(minutes=30) == paused_w
            assert await b.battery_w_after(hours=2) == -600

    async def test_a_pause_is_refused_where_it_would_not_end(self) -> None:
        async with bench(model="hybrid_gen1") as b:
            await b.driver.read()
            with pytest.raises(NotWritable, match="has no pause_mode"):
                await b.obey(BatteryMode.HOLD)
        assert b.cloud.writes == []

    async def test_a_discharge_of_old_firmware_ends_at_the_reserve(self) -> None:
        async with bench(model="hybrid_gen1") as b:
            await b.driver.read()
            await b.obey(BatteryMode.DISCHARGE, soc_pct=48)
            assert await b.driver.setting("reserve_soc_pct") == 48
            assert await b.battery_w_after(minutes=60) == -600

    @pytest.mark.parametrize(
        ("more", "complaint"),
        [({"until": None}, "needs an end"), ({"until": NOON}, "ended already")],
        ids=["no end", "over"],
    )
    async def test_a_command_without_a_proper_end_is_refused(
        self, more: dict[str, Any], complaint: str
    ) -> None:
        async with bench() as b:
            await b.driver.read()
            with pytest.raises(NotWritable, match=complaint):
                await b.obey(BatteryMode.CHARGE, **more)

    async def test_the_same_command_a_minute_later_writes_nothing_new(self) -> None:
        async with bench() as b:
            await b.driver.read()
            until = NOON + timedelta(hours=2)
            await b.obey(BatteryMode.CHARGE, until=until)
            before = list(b.cloud.writes)
            b.pass_time(minutes=1)
            await b.obey(BatteryMode.CHARGE, until=until)
        assert b.cloud.writes == before

    async def test_a_charge_ahead_begins_though_the_cloud_is_gone(self) -> None:
        async with bench(settings_per_read=100) as b:
            await b.driver.read()
            await b.write("charge_slot_2_start", value=time(14))
            await b.write("charge_slot_2_end", value=time(15))
            assert set(await b.set_ahead()) == {
                "charge_slot_1_start", "charge_slot_1_end", "charge_slot_2_start",
                "charge_slot_2_end", "charge_slot_1_target_soc_pct", "charge_target_soc_pct",
                "charge_target_enabled", "charge_enabled",
            }  # fmt: skip
            assert await b.battery_w_after(minutes=150) == -600
            assert await b.battery_w_after(minutes=75) < -2_000
            assert await b.battery_w_after(minutes=90) >= -600

    @pytest.mark.parametrize(
        ("charge_w", "most_w", "is_set"),
        [(3_600, None, True), (3_600, 2_000, False), (1_500, 2_000, True)],
    )
    async def test_a_charge_ahead_keeps_the_owners_limit(
        self, charge_w: float, most_w: float | None, *, is_set: bool
    ) -> None:
        async with bench(settings_per_read=100) as b:
            await b.driver.read()
            await b.write("charge_power_w", value=charge_w)
            assert bool(await b.set_ahead(most_w=most_w)) is is_set

    async def test_nothing_is_set_ahead_beside_a_slot_that_nobody_knows(self) -> None:
        async with bench(settings_per_read=6) as b:
            await b.driver.read()
            assert not await b.set_ahead()
            for _ in range(12):
                b.pass_time(minutes=5)
                await b.driver.read()
            assert await b.set_ahead()

    @pytest.mark.parametrize("mode", [m for m in BatteryMode if m is not BatteryMode.CHARGE_SOLAR])
    async def test_every_value_of_a_command_may_be_written(self, mode: BatteryMode) -> None:
        async with bench() as b:
            await b.driver.read()
            command = BatteryCommand(
                mode=mode, power_w=99_999, soc_pct=1, until=NOON + timedelta(days=3)
            )
            changes = b.driver.settings_for(command, NOON)
            points = b.driver.points
        assert changes
        for change in changes:
            assert points[change.point].check(change.value) == change.value
            if isinstance(points[change.point].writable, Range):
                assert float(str(change.value)).is_integer()


@pytest.mark.parametrize("fault", GivEnergyCloudSimulator.FAULTS)
async def test_the_key_is_told_to_nobody(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    said = []
    async with bench() as b:
        for faults in (set(), {fault}):
            b.cloud.faults = faults
            b.pass_time(hours=1)
            for attempt in (b.driver.read(), b.write("charge_enabled", value=True)):
                try:
                    said.append(repr(await attempt))
                except DeviceError as exc:
                    said.append(f"{exc!r} {exc}")
    assert said
    assert b.cloud.TOKEN not in " ".join([*said, caplog.text, repr(b.driver)])
