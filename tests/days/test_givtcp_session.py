"""Sessions of GivTCP's users, told as they were recorded: what they send, what they then find.

The inverter is simulated behind its real wire; what a session changed for a while is put back.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from givtcp_house import GivtcpHouse, a_givtcp_house, at
from houses import LONDON
from ohmstead.clock import SystemClock

pytestmark = pytest.mark.enable_socket


async def until(true: Callable[[], bool], what: str) -> None:
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(what)


def local_now() -> datetime:
    return SystemClock().now().astimezone(LONDON)


def minutes_off(word: int, moment: datetime) -> int:
    """Return how many minutes the time of day in *word* lies beside *moment*."""
    minute = word // 100 * 60 + word % 100
    return (minute - moment.hour * 60 - moment.minute + 720) % 1440 - 720


PREDBAT = [
    ("enableChargeTarget", {"state": "enable"}, "Control/Enable_Charge_Target", "enable"),
    ("setChargeTarget", {"chargeToPercent": 82}, "Control/Target_SOC", 82),
    ("setChargeRate", {"chargeRate": 2600}, "Control/Battery_Charge_Rate", 2600),
    ("setDischargeRate", {"dischargeRate": 0}, "Control/Battery_Discharge_Rate", 0),
    ("setDischargeRate", {"dischargeRate": 3600}, "Control/Battery_Discharge_Rate", 3600),
    ("setBatteryReserve", {"reservePercent": 30}, "Control/Battery_Power_Reserve", 30),
    ("setBatteryReserve", {"reservePercent": 4}, "Control/Battery_Power_Reserve", 4),
    (
        "setChargeSlot1", {"start": "02:30:00", "finish": "04:00:00"},
        "Timeslots/Charge_start_time_slot_1", "02:30:00",
    ),
    (
        "setChargeSlot1", {"start": "02:30:00", "finish": "05:30:00"},
        "Timeslots/Charge_end_time_slot_1", "05:30:00",
    ),
    ("enableChargeSchedule", {"state": "enable"}, "Control/Enable_Charge_Schedule", "enable"),
    (
        "setDischargeSlot1", {"start": "16:30:00", "finish": "18:00:00"},
        "Timeslots/Discharge_start_time_slot_1", "16:30:00",
    ),
    (
        "setDischargeTarget", {"dischargeToPercent": 12, "slot": 1},
        "Control/Discharge_Target_SOC_1", 12,
    ),
    (
        "setDischargeTarget", {"dischargeToPercent": 14, "slot": 1},
        "raw/invertor/discharge_target_soc_1", 14,
    ),
    ("enableDischargeSchedule", {"state": "enable"}, "Control/Enable_Discharge_Schedule", "enable"),
    ("setBatteryMode", {"mode": "Timed Export"}, "Control/Mode", "Timed Export"),
    ("setBatteryMode", {"mode": "Eco"}, "Control/Mode", "Eco"),
    (
        "setBatteryPauseMode", {"state": "PauseDischarge"},
        "Control/Battery_pause_mode", "PauseDischarge",
    ),
    (
        "setPauseSlot", {"start": "01:00:00", "finish": "02:00:00"},
        "Timeslots/Battery_pause_start_time_slot", "01:00:00",
    ),
    ("setBatteryPauseMode", {"state": "Disabled"}, "Control/Battery_pause_mode", "Disabled"),
    ("enableChargeSchedule", {"state": "disable"}, "Control/Enable_Charge_Schedule", "disable"),
    ("enableChargeTarget", {"state": "disable"}, "Control/Target_SOC", 100),
]  # fmt: skip
"""What Predbat sends in a night, and where it looks whether it was heeded."""


async def test_predbat_finds_each_setting_at_once() -> None:
    async with a_givtcp_house("hybrid_gen3") as house:
        first = await house.get("/readData")
        assert at(first, "Power/Power/SOC_kWh") == pytest.approx(4.76, abs=0.1)
        for key in ("PV_Power", "Load_Power", "Battery_Power", "Grid_Power"):
            assert isinstance(at(first, f"Power/Power/{key}"), int)
        assert at(first, "Stats/GivTCP_Version").startswith("3.")
        assert at(first, f"{house.serial}/Invertor_Max_Bat_Rate") == 3_600
        for control, body, path, value in PREDBAT:
            said = await house.post(control, body)
            assert "was a success" in said
            assert at(await house.get("/runAll"), path) == value, (control, body)
        # And it stays so, once the inverter has been read again.
        await asyncio.sleep(1.5)
        held = await house.get("/runAll")
        assert at(held, "Control/Discharge_Target_SOC_1") == 14
        assert at(held, "Timeslots/Charge_end_time_slot_1") == "05:30:00"
        assert at(held, "Control/Battery_Charge_Rate") == pytest.approx(2_600, abs=50)


async def test_a_force_charge_runs_and_is_put_back() -> None:
    owners = {20: 1, 59: 0, 94: 2330, 95: 430, 96: 0, 111: 26, 116: 80}
    async with a_givtcp_house("hybrid_gen2", owners=owners) as house:
        assert "was a success" in await house.post("forceCharge", "30")
        began = local_now()
        assert "was a success" in await house.post("forceCharge", {"duration": "60"})
        assert abs(minutes_off(house.holds(95), began + timedelta(minutes=60))) <= 1
        assert {n: house.holds(n) for n in (20, 96, 111)} == {20: 0, 96: 1, 111: 50}
        await moves(house, lambda battery_w: battery_w < -3_000)
        control = (await house.get("/runAll"))["Control"]
        assert (control["Force_Charge"], control["Force_Charge_Num"]) == ("Running", 60)
        assert control["Enable_Charge_Schedule"] == "enable"
        assert "was a success" in await house.post("forceCharge", '"Cancel"')
        assert (await house.get("/runAll"))["Control"]["Force_Charge"] == "Normal"
        await until(lambda: held(house, owners) == owners, "the owner's settings")


async def moves(house: GivtcpHouse, true: Callable[[float], bool]) -> None:
    """Wait until the battery's power is so; above zero it discharges."""

    def is_so() -> bool:
        house.simulator.inverter.live(SystemClock().now())
        return true(house.simulator.house.battery_w)

    await until(is_so, "the battery's power")


def held(house: GivtcpHouse, words: dict[int, int]) -> dict[int, int]:
    return {register: house.holds(register) for register in words}


async def test_a_force_export_runs_and_is_put_back() -> None:
    owners = {27: 1, 44: 100, 45: 200, 56: 1600, 57: 1900, 59: 0, 110: 4, 112: 26, 318: 2}
    async with a_givtcp_house("hybrid_gen2", owners=owners) as house:
        began = local_now()
        assert "was a success" in await house.post("forceExport", 45)
        assert abs(minutes_off(house.holds(57), began + timedelta(minutes=45))) <= 1
        wanted = {27: 0, 59: 1, 110: 4, 112: 50, 318: 0}
        assert held(house, wanted) == wanted
        await moves(house, lambda battery_w: battery_w > 3_000)
        control = (await house.get("/runAll"))["Control"]
        assert (control["Force_Export"], control["Mode"]) == ("Running", "Timed Export")
        assert "was a success" in await house.post("forceExport", {"duration": "0"})
        await until(lambda: held(house, owners) == owners, "the owner's settings")


@pytest.mark.parametrize(
    ("model", "action", "wanted"),
    [
        ("hybrid_gen2", "tempPauseCharge", {318: 1}),
        ("hybrid_gen2", "tempPauseDischarge", {318: 2}),
        # Generation 1 cannot pause: its rates are shut, as GivTCP did.
        ("hybrid_gen1", "tempPauseCharge", {111: 0}),
        ("hybrid_gen1", "tempPauseDischarge", {112: 0}),
    ],
)
async def test_a_pause_holds_and_ends_by_itself(
    model: str, action: str, wanted: dict[int, int]
) -> None:
    async with a_givtcp_house(model) as house:
        owners = held(house, wanted)
        assert "was a success" in await house.post(action, {"duration": "0.1"})
        assert held(house, wanted) == wanted
        key = action.replace("tempPause", "Temp_Pause_")
        assert (await house.get("/runAll"))["Control"][key] == "Running"
        await until(lambda: held(house, owners) == owners, "the owner's settings")
        assert (await house.get("/runAll"))["Control"][key] == "Normal"


async def test_an_ems_forces_the_whole_plant() -> None:
    async with a_givtcp_house("ems") as house:
        began = local_now()
        assert "was a success" in await house.post("forceCharge", "30")
        assert abs(minutes_off(house.holds(2053), began)) <= 1
        said = await house.post("tempPauseDischarge", "30")
        assert "failed" in said
        assert "no setting for hold" in said
        assert (await house.get("/runAll"))["Control"]["Temp_Pause_Discharge"] == "Normal"
        assert (await house.get("/runAll"))["Control"]["Force_Charge"] == "Running"


async def test_the_clock_is_set_part_by_part() -> None:
    async with a_givtcp_house("hybrid_gen2") as house:
        before = len(house.simulator.writes)
        said = await house.post("setDateTime", {"dateTime": "21/12/2030 23:58:07"})
        assert "was a success" in said
        words = [(register, word) for _, register, word in house.simulator.writes[before:]]
        assert words == [(35, 30), (36, 12), (37, 21), (38, 23), (39, 58), (40, 7)]
        before = len(house.simulator.writes)
        assert "was a success" in await house.post("syncDateTime", "")
        assert [register for _, register, _ in house.simulator.writes[before:]] == list(
            range(35, 41)
        )
        shown = house.simulator.inverter.clock(SystemClock().now())
        assert abs((shown - local_now().replace(tzinfo=None)).total_seconds()) < 5


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_reboot_writes_100_to_register_163(method: str) -> None:
    async with a_givtcp_house("hybrid_gen2") as house:
        before = len(house.simulator.writes)
        answer = await house.client.request(method, "/reboot")
        assert "was a success" in answer.json()["result"]
        assert house.written(before) == {163: 100}


async def test_a_pause_by_the_reserve_gives_back_what_was_there() -> None:
    async with a_givtcp_house("hybrid_gen2") as house:
        await house.post("setBatteryReserve", {"reservePercent": "17"})
        for pause, resume in (
            (("enableDischarge", {"state": "disable"}), ("enableDischarge", {"state": "enable"})),
            (("setBatteryMode", {"mode": "Eco (Paused)"}), ("setBatteryMode", {"mode": "Eco"})),
        ):
            await house.post(*pause)
            assert house.holds(110) == 100
            assert control_of(await house.get("/runAll"))["Enable_Discharge"] == "disable"
            await house.post(*resume)
            assert house.holds(110) == 17
            control = control_of(await house.get("/runAll"))
            assert (control["Mode"], control["Battery_Power_Reserve"]) == ("Eco", 17)


def control_of(tree: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    return tree["Control"]
