"""Over a real broker: every MQTT control of GivTCP, every value a topic, and a truthful status."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from givtcp_house import GivtcpHouse, a_givtcp_house
from mqtt_house import a_broker, an_ear

pytestmark = [pytest.mark.enable_socket, pytest.mark.asyncio(loop_scope="module")]

Words = Mapping[int, int]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    folder: Path = tmp_path_factory.mktemp("broker")
    async with a_broker(folder) as broker:
        yield broker.port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gen3(broker: int) -> AsyncIterator[GivtcpHouse]:
    async with a_givtcp_house("hybrid_gen3", broker=broker, speed=5) as house:
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ems(broker: int) -> AsyncIterator[GivtcpHouse]:
    async with a_givtcp_house("ems", broker=broker, speed=5) as house:
        yield house


async def does(
    house: GivtcpHouse, control: str, body: object, words: Words, *, seed: bool = False
) -> None:
    house.unlike(words)
    before = len(house.simulator.writes)
    said = await house.say(control, body, seed=seed)
    assert "was a success" in said
    assert house.written(before) == dict(words)


@pytest.mark.parametrize(
    ("control", "body", "words"),
    [
        ("enableChargeTarget", "enable", {20: 1}),
        ("disableChargeTarget", "enable", {20: 0, 116: 100}),
        ("enableChargeSchedule", "enable", {96: 1}),
        ("enableDischargeSchedule", "enable", {59: 1}),
        ("enableDishargeSchedule", "disable", {59: 0}),
        ("enableDischarge", "disable", {110: 100}),
        ("enableDischarge", "enable", {110: 4}),
        ("enableRTC", "enable", {166: 1}),
        ("setEcoMode", "enable", {27: 1}),
        ("setChargeRate", "950", {111: 10}),
        ("setDischargeRate", "2500.0", {112: 26}),
        ("setChargeRateAC", "75", {313: 75}),
        ("setDischargeRateAC", "70", {314: 70}),
        ("setActivePowerRate", "90", {50: 90}),
        ("setChargeTarget", "60", {116: 60}),
        ("setBatteryReserve", "10", {110: 10}),
        ("setBatteryCutoff", "6", {114: 6}),
        ("setShallowCharge", "8", {110: 8}),
        ("setChargeTarget1", "80", {242: 80}),
        ("setChargeTarget10", "85", {269: 85}),
        ("setDischargeTarget1", "20", {272: 20}),
        ("setDischargeTarget10", "25", {299: 25}),
        ("setChargeStart1", "01:30", {94: 130}),
        ("setChargeEnd1", "04:30:00", {95: 430}),
        ("setChargeStart2", "01:30", {31: 130, 243: 130}),
        ("setChargeEnd10", "0430", {268: 430}),
        ("setDischargeStart1", "16:00", {56: 1600}),
        ("setDischargeEnd2", "19:00", {45: 1900}),
        ("setDischargeStart10", "16:00", {297: 1600}),
        ("setPauseStart", "16:00:00", {319: 1600}),
        ("setPauseEnd", "19:00", {320: 1900}),
        ("setChargeSlot1", {"start": "0130", "finish": "0430"}, {94: 130, 95: 430}),
        ("setDischargeSlot2", {"start": "16:00", "finish": "19:00"}, {44: 1600, 45: 1900}),
        ("setBatteryMode", "Timed Export", {27: 0, 59: 1}),
        ("setBatteryMode", "1", {27: 1, 59: 0}),
        ("setBatteryPauseMode", "PauseDischarge", {318: 2}),
        ("setBatteryCalibration", "Start", {29: 1}),
        ("setLocalControlMode", "Battery", {311: 1}),
    ],
    ids=str,
)
async def test_a_message_writes_what_givtcp_wrote(
    gen3: GivtcpHouse, control: str, body: object, words: Words
) -> None:
    await does(gen3, control, body, words)


async def test_the_topics_of_the_first_readme_are_heard_too(gen3: GivtcpHouse) -> None:
    await does(gen3, "setChargeTarget", "62", {116: 62}, seed=True)
    await does(gen3, "setChargeEnd3", "05:00", {247: 500}, seed=True)


@pytest.mark.parametrize(
    ("control", "body", "words"),
    [
        ("setEmsPlant", "disable", {2040: 0}),
        ("setExportLimit", "5000", {2071: 5000}),
        ("setExportTarget1", "40", {2064: 40}),
        ("setExportStart2", "16:00", {2065: 1600}),
        ("setExportEnd3", "19:00", {2069: 1900}),
        ("setEMSChargeTarget1", "80", {2055: 80}),
        ("setEMSChargeStart2", "01:00", {2056: 100}),
        ("setEMSChargeEnd2", "02:00", {2057: 200}),
        ("setEMSDischargeTarget", "20", {2046: 20}),
        ("setEMSDischargeTarget2", "25", {2049: 25}),
        ("setEMSDischargeStart3", "16:00", {2050: 1600}),
        ("setEMSDischargeEnd1", "19:00", {2045: 1900}),
    ],
    ids=str,
)
async def test_a_message_to_an_ems(
    ems: GivtcpHouse, control: str, body: object, words: Words
) -> None:
    await does(ems, control, body, words)


@pytest.mark.parametrize(
    ("control", "body", "says"),
    [
        ("setPVInputMode", "1x2", "pv_input_mode can only be read"),
        ("setCarChargeBoost", "1000", "no setting car_charge_boost_w"),
        ("setEMSChargeStart1", "01:00", "this inverter is no EMS"),
        ("switchRate", "Night", "prices come from `prices:` in ohmstead.yaml"),
        ("rebootAddon", "restart", "restarted by what started it"),
        ("chargeMode", "enable", "no GivEnergy car charger"),
        ("controlCharge", "Start", "no GivEnergy car charger"),
        ("setCurrentLimit", "16", "no GivEnergy car charger"),
        ("setImportCap", "60", "no GivEnergy car charger"),
        ("setChargingMode", "Solar", "no GivEnergy car charger"),
        ("setMaxSessionEnergy", "20", "no GivEnergy car charger"),
        ("setSystemTime", "now", "no GivEnergy car charger"),
        ("testCommand", "{}", "there is no control testCommand"),
        ("setChargeStart11", "01:00", "no setting charge_slot_11_start"),
        ("setChargeTarget", "half", "'half' is not a number"),
        ("setChargeTarget", "", "say chargeToPercent"),
        ("setChargeTarget", "NaN", "is not a number"),
        ("setChargeTarget", "[1]", "is not a number"),
        ("enableChargeSchedule", "perhaps", "neither enable nor disable"),
        ("setChargeStart1", "25:00", "not a time of day"),
        ("setChargeStart1", "16:60", "not a time of day"),
        ("setBatteryMode", "Turbo", "none of Eco"),
        ("setBatteryPauseMode", "PauseAll", "none of disabled"),
        ("forceCharge", "99999", "not from 1 minute to a week"),
        ("setDateTime", "tomorrow", "write it as 31/12/2026"),
    ],
    ids=str,
)
async def test_what_cannot_be_done_is_answered_and_written_nowhere(
    gen3: GivtcpHouse, control: str, body: str, says: str
) -> None:
    before = len(gen3.simulator.writes)
    said = await gen3.say(control, body)
    assert said.startswith(f"Error: {control} failed: ")
    assert says in said
    assert len(gen3.simulator.writes) == before


async def test_a_retained_command_is_of_another_time(tmp_path: Path) -> None:
    async with a_broker(tmp_path) as broker:
        async with an_ear(broker.port) as ear:
            await ear.say("GivEnergy/control/EA2302G001/setChargeTarget", "33", retain=True)
        async with a_givtcp_house("hybrid_gen2", broker=broker.port) as house:
            assert house.ear is not None
            result = f"GivEnergy/{house.serial}/result"
            await house.ear.until(lambda: house.ear and result in house.ear.kept)
            assert "it was retained" in house.ear.kept[result]
            assert house.simulator.writes == []


async def test_every_leaf_of_the_tree_is_a_topic_as_givtcp_prints_it(gen3: GivtcpHouse) -> None:
    assert gen3.ear is not None
    root, kept = f"GivEnergy/{gen3.serial}", gen3.ear.kept
    assert kept[f"{root}/Stats/status"] == kept[f"{root}/status"] == "online"
    assert kept[f"{root}/Power/Power/SOC"] == "50"
    assert kept[f"{root}/Control/Mode"] in {"Eco", "Timed Demand", "Timed Export"}
    assert kept[f"{root}/Timeslots/Charge_start_time_slot_1"].endswith(":00")
    assert kept[f"{root}/{gen3.serial}/Invertor_Type"] == "Gen3 Hybrid"
    assert kept[f"{root}/Invertor_Details/Invertor_Firmware"] == "D0.310-A0.310"
    cell = kept[f"{root}/Battery_Details/Battery_Stack_1/DF2244G001/Battery_Cell_1_Voltage"]
    assert len(cell.partition(".")[2]) <= 3
    assert not any("/raw/" in topic for topic in kept)


async def test_a_written_value_is_told_at_once(gen3: GivtcpHouse) -> None:
    assert gen3.ear is not None
    for soc_pct in ("44", "55"):
        await gen3.say("setChargeTarget", soc_pct)
        await gen3.ear.topic(f"GivEnergy/{gen3.serial}/Control/Target_SOC", soc_pct)


async def test_home_assistant_finds_givtcps_own_entities(tmp_path: Path) -> None:
    async with (
        a_broker(tmp_path) as broker,
        a_givtcp_house("hybrid_gen2", broker=broker.port, home_assistant=True) as house,
    ):
        assert house.ear is not None
        ear, serial = house.ear, house.serial
        await ear.quiet()
        found = {topic: json.loads(text) for topic, text in ear.kept.items() if "/config" in topic}
        soc = found[f"homeassistant/sensor/GivEnergy/{serial}_SOC/config"]
        assert soc["stat_t"] == f"GivEnergy/{serial}/Power/Power/SOC"
        assert soc["avty_t"] == f"GivEnergy/{serial}/Stats/status"
        assert soc["unique_id"] == f"GivTCP_{serial}_SOC"
        assert soc["device"]["identifiers"] == f"{serial}_Power"
        assert soc["device"]["model"] == "Gen2 Hybrid"
        assert all(config["stat_t"] in ear.kept for config in found.values())
        number = found[f"homeassistant/number/GivEnergy/{serial}_Target_SOC/config"]
        assert (number["min"], number["max"]) == (4, 100)
        await ear.say(number["command_topic"], "58")
        await ear.topic(number["stat_t"], "58")
        assert house.holds(116) == 58


async def test_a_silent_inverter_is_offline_until_it_answers_again(tmp_path: Path) -> None:
    async with (
        a_broker(tmp_path) as broker,
        a_givtcp_house("hybrid_gen2", broker=broker.port, speed=20) as house,
    ):
        assert house.ear is not None
        status = f"GivEnergy/{house.serial}/Stats/status"
        house.simulator.faults.add("silent")
        await house.ear.topic(status, "offline")
        assert await house.get("/runAll") == {"result": _NOT_YET}
        assert "failed" in await house.post("setChargeTarget", "50")
        house.simulator.faults.clear()
        await house.ear.topic(status, "online")
        assert (await house.get("/runAll"))["Stats"]["Timeout_Error"] >= 1


_NOT_YET = "There is no data yet: the inverter has not answered. Try again in a moment."
