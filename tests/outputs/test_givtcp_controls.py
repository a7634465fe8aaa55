"""Every control of GivTCP, in every form its users send, becomes the right register writes.

The service is the real one and the inverter a simulator behind its real wire; the registers are
those of GivTCP's own list, three generations of it. Each case begins with other words there.
"""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from givtcp_house import GivtcpHouse, a_givtcp_house, at

pytestmark = [pytest.mark.enable_socket, pytest.mark.asyncio(loop_scope="module")]

Words = Mapping[int, int]
Shown = Mapping[str, object]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(request: pytest.FixtureRequest) -> AsyncIterator[GivtcpHouse]:
    model, version = request.param
    async with a_givtcp_house(model, version=version, speed=5) as house:
        yield house


def of(model: str, version: int = 3) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("house", [(model, version)], indirect=True, ids=[model])


async def does(
    house: GivtcpHouse, control: str, body: object, words: Words, shown: Shown | None = None
) -> None:
    """POST *body*, and check that *words* were written, no others, and read back at once."""
    house.unlike(words)
    before = len(house.simulator.writes)
    said = await house.post(control, body)
    assert "was a success" in said
    assert house.written(before) == dict(words)
    assert {register: house.holds(register) for register in words} == dict(words)
    tree = await house.get("/runAll")
    assert {path: at(tree, path) for path in shown or {}} == dict(shown or {})


STATE_ON, STATE_OFF = {"state": "enable"}, {"state": "disable"}
SLOT = {"start": "16:00", "finish": "19:00"}
CHARGE_1 = {
    "Timeslots/Charge_start_time_slot_1": "16:00:00",
    "Timeslots/Charge_end_time_slot_1": "19:00:00",
}
DISCHARGE_1 = {
    "Timeslots/Discharge_start_time_slot_1": "16:00:00",
    "Timeslots/Discharge_end_time_slot_1": "19:00:00",
}

ON_TWO_SLOTS = [
    ("enableChargeTarget", STATE_ON, {20: 1}, {"Control/Enable_Charge_Target": "enable"}),
    ("enableChargeTarget", '{"state","enable"}', {20: 1}, {}),
    ("enableChargeTarget", "enable", {20: 1}, {}),
    (
        "enableChargeTarget", STATE_OFF, {20: 0, 116: 100},
        {"Control/Enable_Charge_Target": "disable", "Control/Target_SOC": 100},
    ),
    ("disableChargeTarget", STATE_ON, {20: 0, 116: 100}, {}),
    ("disableChargeTarget", "", {20: 0, 116: 100}, {}),
    ("enableChargeSchedule", STATE_ON, {96: 1}, {"Control/Enable_Charge_Schedule": "enable"}),
    ("enableChargeSchedule", STATE_OFF, {96: 0}, {"Control/Enable_Charge_Schedule": "disable"}),
    ("enableDischargeSchedule", STATE_ON, {59: 1}, {"Control/Enable_Discharge_Schedule": "enable"}),
    (
        "enableDischargeSchedule", STATE_OFF, {59: 0},
        {"Control/Enable_Discharge_Schedule": "disable"},
    ),
    ("enableDishargeSchedule", STATE_ON, {59: 1}, {}),
    ("enableDischarge", STATE_OFF, {110: 100}, {"Control/Enable_Discharge": "disable"}),
    ("enableDischarge", STATE_ON, {110: 4}, {"Control/Enable_Discharge": "enable"}),
    ("setChargeTarget", {"chargeToPercent": "50"}, {116: 50}, {"Control/Target_SOC": 50}),
    ("setChargeTarget", {"chargeToPercent": 60}, {116: 60}, {"Control/Target_SOC": 60}),
    ("setChargeTarget", "70", {116: 70}, {"Control/Target_SOC": 70}),
    ("setChargeTarget", '"75"', {116: 75}, {}),
    ("setChargeTarget", {"chargeToPercent": "0"}, {116: 4}, {}),
    (
        "setBatteryReserve", {"reservePercent": "10"}, {110: 10},
        {"Control/Battery_Power_Reserve": 10},
    ),
    ("setBatteryReserve", "4", {110: 4}, {}),
    ("setBatteryReserve", {"dischargeToPercent": "5"}, {114: 5}, {}),
    ("setShallowCharge", "6", {110: 6}, {}),
    (
        "setBatteryCutoff", {"dischargeToPercent": "7"}, {114: 7},
        {"Control/Battery_Power_Cutoff": 7},
    ),
    ("setBatteryCutoff", "4", {114: 4}, {}),
    ("setChargeRate", {"chargeRate": "2500"}, {111: 26}, {"Control/Battery_Charge_Rate": 2500}),
    ("setChargeRate", {"dischargeRate": "950"}, {111: 10}, {}),
    ("setChargeRate", "9999", {111: 50}, {"Control/Battery_Charge_Rate": 3600}),
    ("setChargeRate", "0", {111: 0}, {"Control/Battery_Charge_Rate": 0}),
    (
        "setDischargeRate", {"dischargeRate": 950}, {112: 10},
        {"Control/Battery_Discharge_Rate": 950},
    ),
    ("setDischargeRate", {"chargeRate": "3600"}, {112: 50}, {}),
    ("setChargeRateAC", {"chargeRate": "75"}, {313: 75}, {"Control/Battery_Charge_Rate_AC": 75}),
    ("setDischargeRateAC", {"dischargeRate": "0"}, {314: 1}, {}),
    ("setActivePowerRate", "90", {50: 90}, {"Control/Active_Power_Rate": 90}),
    ("setChargeSlot1", SLOT, {94: 1600, 95: 1900}, CHARGE_1),
    ("setChargeSlot1", {"start": "0100", "finish": "0430"}, {94: 100, 95: 430}, {}),
    ("setChargeSlot1", {"start": "1:00:00", "finish": "24:00"}, {94: 100, 95: 0}, {}),
    ("setChargeSlot1", {"start": 30, "finish": 430}, {94: 30, 95: 430}, {}),
    (
        "setChargeSlot1", {**SLOT, "chargeToPercent": "25"}, {94: 1600, 95: 1900, 116: 25},
        CHARGE_1 | {"Control/Target_SOC": 25},
    ),
    ("setChargeSlot2", SLOT, {31: 1600, 32: 1900}, {}),
    ("setChargeSlot", {**SLOT, "slot": "1"}, {94: 1600, 95: 1900}, CHARGE_1),
    ("setChargeSlot", {**SLOT, "slot": 2}, {31: 1600, 32: 1900}, {}),
    ("setDischargeSlot1", SLOT, {56: 1600, 57: 1900}, DISCHARGE_1),
    ("setDischargeSlot1", {**SLOT, "dischargeToPercent": "20"}, {56: 1600, 57: 1900, 110: 20}, {}),
    ("setDischargeSlot2", {"start": "2300", "finish": "05:30"}, {44: 2300, 45: 530}, {}),
    ("setDischargeSlot", {**SLOT, "slot": "2"}, {44: 1600, 45: 1900}, {}),
    (
        "setPauseSlot", SLOT, {319: 1600, 320: 1900},
        {
            "Timeslots/Battery_pause_start_time_slot": "16:00:00",
            "Timeslots/Battery_pause_end_time_slot": "19:00:00",
        },
    ),
    (
        "setBatteryPauseMode", {"state": "PauseCharge"}, {318: 1},
        {"Control/Battery_pause_mode": "PauseCharge"},
    ),
    ("setBatteryPauseMode", {"state": "PauseDischarge"}, {318: 2}, {}),
    ("setBatteryPauseMode", "PauseBoth", {318: 3}, {}),
    (
        "setBatteryPauseMode", {"state": "Disabled"}, {318: 0},
        {"Control/Battery_pause_mode": "Disabled"},
    ),
    (
        "setBatteryMode", {"mode": "Timed Export"}, {27: 0, 59: 1},
        {
            "Control/Mode": "Timed Export", "Control/Eco_Mode": "disable",
            "Control/Enable_Discharge_Schedule": "enable",
        },
    ),
    ("setBatteryMode", {"mode": "Timed Demand"}, {27: 1, 59: 1}, {"Control/Mode": "Timed Demand"}),
    ("setBatteryMode", {"mode": "1"}, {27: 1, 59: 0}, {"Control/Mode": "Eco"}),
    ("setBatteryMode", {"mode": 2}, {27: 1, 59: 1, 56: 1600, 57: 700}, {}),
    ("setBatteryMode", "3", {27: 1, 59: 1}, {}),
    ("setBatteryMode", {"mode": "4"}, {27: 0, 59: 1}, {}),
    ("setBatteryMode", {"mode": "Eco"}, {27: 1, 59: 0}, {"Control/Mode": "Eco"}),
    (
        "setBatteryMode", {"mode": "Eco (Paused)"}, {27: 1, 59: 0, 110: 100},
        {"Control/Mode": "Eco (Paused)"},
    ),
    ("setBatteryReserve", {"reservePercent": 4}, {110: 4}, {"Control/Mode": "Eco"}),
    ("setEcoMode", STATE_OFF, {27: 0}, {"Control/Mode": "Export (Paused)"}),
    ("setEcoMode", STATE_ON, {27: 1}, {"Control/Mode": "Eco"}),
    (
        "setBatteryCalibration", {"state": "Start"}, {29: 1},
        {"Control/Battery_Calibration": "Start"},
    ),
    ("setBatteryCalibration", {"state": "Charge Only"}, {29: 3}, {}),
    ("setBatteryCalibration", {"state": "Off"}, {29: 0}, {"Control/Battery_Calibration": "Off"}),
    ("enableRTC", "enable", {166: 1}, {"Control/Real_Time_Control": "enable"}),
    ("enableRTC", "disable", {166: 0}, {}),
    ("setLocalControlMode", "Grid", {311: 2}, {"Control/Local_control_mode": "Grid"}),
    ("setLocalControlMode", "Load", {311: 0}, {}),
]  # fmt: skip


def ids(case: object) -> str:
    return str(case).replace(" ", "")[:60]


@of("hybrid_gen2")
@pytest.mark.parametrize(("control", "body", "words", "shown"), ON_TWO_SLOTS, ids=ids)
async def test_a_control_writes_what_givtcp_wrote(
    house: GivtcpHouse, control: str, body: object, words: Words, shown: Shown
) -> None:
    await does(house, control, body, words, shown)


@of("hybrid_gen3")
@pytest.mark.parametrize(
    ("control", "body", "words", "shown"),
    [
        ("setChargeSlot1", SLOT, {94: 1600, 95: 1900}, CHARGE_1),
        ("setChargeSlot2", SLOT, {31: 1600, 32: 1900, 243: 1600, 244: 1900}, {}),
        ("setChargeSlot3", SLOT, {246: 1600, 247: 1900}, {}),
        ("setChargeSlot", {**SLOT, "slot": "10"}, {267: 1600, 268: 1900}, {}),
        (
            "setChargeSlot1", {**SLOT, "chargeToPercent": "80"},
            {94: 1600, 95: 1900, 242: 80, 116: 80}, {"Control/Charge_Target_SOC_1": 80},
        ),
        (
            "setChargeSlot3", {**SLOT, "chargeToPercent": "60"}, {246: 1600, 247: 1900, 248: 60},
            {"Control/Charge_Target_SOC_3": 60},
        ),
        ("setDischargeSlot1", SLOT, {56: 1600, 57: 1900}, DISCHARGE_1),
        ("setDischargeSlot3", SLOT, {276: 1600, 277: 1900}, {}),
        (
            "setDischargeSlot1", {**SLOT, "dischargeToPercent": "20"},
            {56: 1600, 57: 1900, 272: 20}, {"Control/Discharge_Target_SOC_1": 20},
        ),
        (
            "setDischargeTarget", {"dischargeToPercent": "45", "slot": "1"}, {272: 45},
            {"Control/Discharge_Target_SOC_1": 45, "raw/invertor/discharge_target_soc_1": 45},
        ),
        ("setDischargeTarget", {"exportToPercent": "40", "slot": "3"}, {278: 40}, {}),
        ("setChargeTarget1", "81", {242: 81}, {}),
        ("setChargeTarget10", "82", {269: 82}, {}),
        ("setDischargeTarget10", "30", {299: 30}, {}),
        ("setChargeStart10", "16:00", {267: 1600}, {}),
        ("setChargeEnd10", "19:00:00", {268: 1900}, {}),
    ],
    ids=ids,
)  # fmt: skip
async def test_ten_slots_are_where_newer_firmware_has_them(
    house: GivtcpHouse, control: str, body: object, words: Words, shown: Shown
) -> None:
    await does(house, control, body, words, shown)


@of("hybrid_3ph")
@pytest.mark.parametrize(
    ("control", "body", "words", "shown"),
    [
        ("enableChargeTarget", STATE_OFF, {20: 0, 1111: 100}, {}),
        (
            "enableChargeSchedule", STATE_ON, {1112: 1, 1123: 1},
            {"Control/Enable_Charge_Schedule": "enable", "Control/Force_Charge_Enable": "enable"},
        ),
        ("enableChargeSchedule", STATE_OFF, {1112: 0, 1123: 0}, {}),
        (
            "enableDischargeSchedule", STATE_ON, {1122: 1},
            {"Control/Enable_Discharge_Schedule": "enable"},
        ),
        ("setChargeTarget", {"chargeToPercent": "50"}, {1111: 50}, {"Control/Target_SOC": 50}),
        (
            "setBatteryReserve", {"reservePercent": "10"}, {1109: 10},
            {"Control/Battery_Power_Reserve": 10},
        ),
        (
            "setBatteryCutoff", {"dischargeToPercent": "6"}, {1078: 6},
            {"Control/Battery_Power_Cutoff": 6},
        ),
        ("setChargeRateAC", {"chargeRate": "75"}, {1110: 75}, {}),
        ("setDischargeRateAC", {"dischargeRate": "70"}, {1108: 70}, {}),
        ("setChargeRate", {"chargeRate": "5500"}, {1110: 50}, {}),
        ("setDischargeRate", {"dischargeRate": "2750"}, {1108: 25}, {}),
        ("setChargeSlot1", SLOT, {1113: 1600, 1114: 1900}, CHARGE_1),
        ("setChargeSlot2", SLOT, {1115: 1600, 1116: 1900}, {}),
        ("setDischargeSlot1", SLOT, {1118: 1600, 1119: 1900}, DISCHARGE_1),
        ("setDischargeSlot2", SLOT, {1120: 1600, 1121: 1900}, {}),
        ("setForceCharge", STATE_ON, {1123: 1}, {"Control/Force_Charge_Enable": "enable"}),
        ("setForceDischarge", STATE_OFF, {1122: 0}, {"Control/Force_Discharge_Enable": "disable"}),
        ("setACCharge", "enable", {1112: 1}, {"Control/Force_AC_Charge_Enable": "enable"}),
        ("setEcoMode", STATE_OFF, {27: 0}, {"Control/Eco_Mode": "disable"}),
        ("setBatteryMode", {"mode": "Timed Export"}, {27: 0, 59: 1, 1122: 1}, {}),
        ("setBatteryMode", {"mode": "Eco"}, {27: 1, 59: 0, 1122: 0}, {}),
    ],
    ids=ids,
)  # fmt: skip
async def test_three_phase_models_have_registers_of_their_own(
    house: GivtcpHouse, control: str, body: object, words: Words, shown: Shown
) -> None:
    await does(house, control, body, words, shown)


@of("ems")
@pytest.mark.parametrize(
    ("control", "body", "words", "shown"),
    [
        ("setEmsPlant", STATE_OFF, {2040: 0}, {"Control/Plant_Control": "disable"}),
        ("setEmsPlant", STATE_ON, {2040: 1}, {"Control/Plant_Control": "enable"}),
        (
            "setExportSlot1", SLOT, {2062: 1600, 2063: 1900},
            {"Timeslots/Export_start_time_slot_1": "16:00:00"},
        ),
        ("setExportSlot2", SLOT, {2065: 1600, 2066: 1900}, {}),
        ("setExportSlot3", SLOT, {2068: 1600, 2069: 1900}, {}),
        (
            "setExportTarget", {"exportToPercent": "45", "slot": "1"}, {2064: 45},
            {"Control/Export_Target_SOC_1": 45},
        ),
        ("setExportTarget3", "0", {2070: 0}, {}),
        ("setExportLimit", "5000", {2071: 5000}, {"Control/Export_Power_Limit": 5000}),
        ("setEMSChargeStart1", "01:00", {2053: 100}, {}),
        ("setEMSChargeEnd3", "02:00", {2060: 200}, {}),
        ("setEMSChargeTarget2", "80", {2058: 80}, {"Control/EMS_Charge_Target_SOC_2": 80}),
        (
            "setEMSDischargeStart1", "16:00", {2044: 1600},
            {"Timeslots/EMS_Discharge_start_time_slot_1": "16:00:00"},
        ),
        ("setEMSDischargeEnd2", "17:00", {2048: 1700}, {}),
        ("setEMSDischargeTarget", "20", {2046: 20}, {"Control/EMS_Discharge_Target_SOC_1": 20}),
        ("setEMSDischargeTarget3", "25", {2052: 25}, {}),
        ("setExportStart1", "05:00", {2062: 500}, {}),
        ("setExportEnd1", "06:00", {2063: 600}, {}),
    ],
    ids=ids,
)  # fmt: skip
async def test_an_ems_has_slots_for_the_whole_plant(
    house: GivtcpHouse, control: str, body: object, words: Words, shown: Shown
) -> None:
    await does(house, control, body, words, shown)


@of("all_in_one")
@pytest.mark.parametrize(
    ("control", "body", "words"),
    [
        ("setChargeRateAC", {"chargeRate": "75"}, {313: 75}),
        # It heeds the share of its rated power, so watts go there too.
        ("setChargeRate", {"chargeRate": "3000"}, {313: 50}),
        ("setDischargeRate", {"dischargeRate": "6000"}, {314: 100}),
        ("setChargeSlot2", SLOT, {31: 1600, 32: 1900, 243: 1600, 244: 1900}),
        ("setBatteryPauseMode", {"state": "PauseBoth"}, {318: 3}),
    ],
    ids=ids,
)
async def test_an_all_in_one_is_commanded_by_its_rated_power(
    house: GivtcpHouse, control: str, body: object, words: Words
) -> None:
    await does(house, control, body, words)


@of("hybrid_gen2", version=1)
@pytest.mark.parametrize(
    ("control", "body", "words", "shown"),
    [
        (
            "setChargeRate", {"dischargeRate": "100"}, {111: 50},
            {"Control/Battery_Charge_Rate": 100},
        ),
        ("setChargeRate", "33", {111: 11}, {"Control/Battery_Charge_Rate": 33}),
        ("setDischargeRate", "30", {112: 10}, {"Control/Battery_Discharge_Rate": 30}),
        ("setBatteryReserve", "9", {114: 9}, {"Control/Battery_Power_Reserve": 9}),
        ("setChargeTarget", {"chargeToPercent": "80"}, {20: 1, 116: 80}, {}),
        ("setChargeTarget", {"chargeToPercent": "100"}, {20: 0, 116: 100}, {}),
        (
            "setChargeSlot1", {"start": "0030", "finish": "0430", "chargeToPercent": "55"},
            {94: 30, 95: 430, 116: 55, 20: 1}, {},
        ),
        (
            "setDischargeSlot1", {**SLOT, "dischargeToPercent": "8"},
            {56: 1600, 57: 1900, 114: 8}, {},
        ),
    ],
    ids=ids,
)  # fmt: skip
async def test_version_1_meant_other_things_by_the_same_names(
    house: GivtcpHouse, control: str, body: object, words: Words, shown: Shown
) -> None:
    await does(house, control, body, words, shown)
