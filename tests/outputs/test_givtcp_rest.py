"""GivTCP's read routes have the shapes its users know, and strangers are turned away."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from givtcp_house import GivtcpHouse, a_givtcp_house
from ohmstead import __version__

pytestmark = [pytest.mark.enable_socket, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gen2() -> AsyncIterator[GivtcpHouse]:
    async with a_givtcp_house("hybrid_gen2") as house:
        await house.whole()
        yield house


FLOWS = (
    *("Solar_to_House", "Solar_to_Battery", "Solar_to_Grid", "Battery_to_House"),
    *("Battery_to_Grid", "Grid_to_Battery", "Grid_to_House"),
)
POWERS = (
    *("PV_Power_String_1", "PV_Power_String_2", "PV_Power", "PV_Voltage_String_1"),
    *("PV_Voltage_String_2", "PV_Current_String_1", "PV_Current_String_2", "Grid_Voltage"),
    *("Grid_Current", "Grid_Frequency", "Inverter_Output_Frequency", "Grid_Power"),
    *("Import_Power", "Export_Power", "EPS_Power", "Invertor_Power", "AC_Charge_Power"),
    *("Load_Power", "Self_Consumption_Power", "Battery_Power", "Charge_Power"),
    *("Discharge_Power", "Battery_Voltage", "Battery_Current", "SOC", "SOC_kWh"),
    *("Charge_Time_Remaining", "Charge_Completion_Time"),
    *("Discharge_Time_Remaining", "Discharge_Completion_Time"),
)
ENERGIES = (
    *("PV_Energy", "Import_Energy", "Export_Energy", "AC_Charge_Energy", "Invertor_Energy"),
    *("Self_Consumption_Energy", "Load_Energy", "Battery_Charge_Energy"),
    *("Battery_Discharge_Energy", "Battery_Throughput"),
)
DETAILS = (
    *("Invertor_Time", "Battery_Type", "Battery_Capacity_kWh", "Invertor_Serial_Number"),
    *("Modbus_Version", "Invertor_Firmware", "Meter_Type", "Invertor_Type"),
    *("Invertor_Max_Inv_Rate", "Invertor_Max_Bat_Rate", "Invertor_Max_Rate"),
    *("Invertor_Temperature", "Export_Limit", "Battery_Calibration_Status"),
)
CONTROL = (
    *("Mode", "Eco_Mode", "Enable_Charge_Schedule", "Enable_Discharge_Schedule"),
    *("Enable_Charge_Target", "Enable_Discharge", "Target_SOC", "Battery_Power_Reserve"),
    *("Battery_Power_Cutoff", "Battery_Charge_Rate", "Battery_Discharge_Rate"),
    *("Battery_Charge_Rate_AC", "Battery_Discharge_Rate_AC", "Active_Power_Rate"),
    *("Battery_pause_mode", "Battery_Calibration", "Real_Time_Control", "Local_control_mode"),
    *("PV_input_mode", "Sync_Time", "Reboot_Invertor", "Reboot_Addon", "Battery_Power_Mode"),
    *("Temp_Pause_Charge", "Temp_Pause_Charge_Num", "Temp_Pause_Discharge"),
    *("Temp_Pause_Discharge_Num", "Force_Charge", "Force_Charge_Num", "Force_Export"),
    "Force_Export_Num",
)
PACK = (
    *("Battery_Serial_Number", "Battery_SOC", "Battery_Capacity", "Battery_Design_Capacity"),
    *("Battery_Remaining_Capacity", "Battery_Remaining_Capcity", "Battery_Firmware_Version"),
    *("Battery_Cells", "Battery_Cycles", "Battery_USB_present", "Battery_Temperature"),
    *("Battery_Voltage", "Battery_Cell_1_Voltage", "Battery_Cell_16_Voltage"),
    *("Battery_Cell_1_Temperature", "Battery_Cell_4_Temperature"),
)
STATS = (
    *("Last_Updated_Time", "status", "Time_Since_Last_Update", "GivTCP_Version"),
    *("Write_Count", "Safe_Write_Count", "Timeout_Error"),
)
METER = (
    *(f"Phase_{n}_{what}" for n in (1, 2, 3) for what in ("Voltage", "Current", "Power")),
    *("Phase_1_Power_Factor", "Frequency", "Import_Energy_kWh", "Export_Energy_kWh"),
)


def missing(branch: dict[str, Any], *keys: str) -> list[str]:
    return [key for key in keys if key not in branch]


@pytest.mark.parametrize("route", ["runAll", "readData", "getData", "getCache", "REST1/readData"])
async def test_the_tree_has_every_documented_key(gen2: GivtcpHouse, route: str) -> None:
    tree = await gen2.get(f"/{route}")
    serial = gen2.serial
    assert missing(tree["Power"]["Power"], *POWERS) == []
    assert missing(tree["Power"]["Flows"], *FLOWS) == []
    for when in ("Today", "Total"):
        keys = [f"{key}_{when}_kWh" for key in ENERGIES]
        assert missing(tree["Energy"][when], *keys) == []
    assert missing(tree[serial], *DETAILS) == []
    assert tree["Invertor_Details"] == tree[serial]
    assert missing(tree["Control"], *CONTROL) == []
    assert missing(tree["Stats"], *STATS) == []
    assert missing(tree, "Last_Updated_Time", "status", "Time_Since_Last_Update") == []
    stack = tree["Battery_Details"]["Battery_Stack_1"]
    assert missing(stack, "BMS_Temperature", "BMS_Voltage", "DF2244G001") == []
    assert missing(stack["DF2244G001"], *PACK) == []
    assert missing(tree["Meter_Details"]["Meter_ID_1"], *METER) == []
    raw = tree["raw"]
    assert raw["invertor"]["serial_number"] == serial
    assert raw["invertor"]["firmware_version"] == "D0.920-A0.920"
    assert raw["invertor"]["model"] == "Gen2 Hybrid"
    assert raw["invertor"]["battery_nominal_capacity"] == 9.52
    assert set(raw["batteries"]) == {"DF2244G001", "DF2244G002"}


async def test_values_are_what_they_were_in_givtcp(gen2: GivtcpHouse) -> None:
    tree = await gen2.get("/runAll")
    power, details = tree["Power"]["Power"], tree[gen2.serial]
    assert power["Battery_Power"] == power["Discharge_Power"] - power["Charge_Power"]
    assert power["Grid_Power"] == power["Export_Power"] - power["Import_Power"]
    assert details["Invertor_Type"] == "Gen2 Hybrid"
    assert details["Invertor_Max_Inv_Rate"] == 3_600
    assert details["Modbus_Version"] == "1.40"
    assert details["Invertor_Time"][19:] in {"+00:00", "+01:00"}
    assert tree["Timeslots"]["Charge_start_time_slot_1"] == "00:00:00"
    assert tree["Stats"]["GivTCP_Version"] == f"3.0.4 (Ohmstead {__version__})"


async def test_the_last_trees_are_a_list(gen2: GivtcpHouse) -> None:
    trees = await gen2.get("/fullCache")
    assert 1 < len(trees) <= 5
    assert all("Power" in tree for tree in trees)


async def test_what_is_written_is_counted(gen2: GivtcpHouse) -> None:
    await gen2.post("setChargeTarget", "51")
    before = (await gen2.get("/runAll"))["Stats"]["Write_Count"]
    await gen2.post("setChargeTarget", "52")
    assert (await gen2.get("/runAll"))["Stats"]["Write_Count"] == before + 1


@pytest.mark.parametrize(
    ("method", "path", "says"),
    [
        ("GET", "getEVCCache", "There is no GivEnergy car charger here."),
        ("POST", "settings", "settings are kept in ohmstead.yaml"),
        ("POST", "config", "settings are kept in ohmstead.yaml"),
        ("POST", "setChargeMode", "no GivEnergy car charger"),
        ("POST", "setChargeControl", "no GivEnergy car charger"),
        ("POST", "setImportCap", "no GivEnergy car charger"),
        ("POST", "setCurrentLimit", "no GivEnergy car charger"),
        ("POST", "setChargingMode", "no GivEnergy car charger"),
        ("POST", "setMaxSessionEnergy", "no GivEnergy car charger"),
        ("POST", "setCarChargeBoost", "no setting car_charge_boost_w"),
        ("POST", "setExportLimit", "no setting export_limit_w"),
        ("POST", "setEmsPlant", "no setting plant_control_enabled"),
        ("POST", "setExportSlot1", "no export slot 1"),
        ("POST", "setForceCharge", "no setting forced_charge_enabled"),
        ("POST", "setACCharge", "no setting ac_charge_enabled"),
        ("POST", "setChargeSlot3", "no charge slot 3"),
        ("POST", "setDischargeTarget", "no setting discharge_slot_1_floor_soc_pct"),
        ("POST", "switchRate", "prices come from"),
        ("POST", "restart", "restarted by what started it"),
        ("GET", "restart", "restarted by what started it"),
        ("POST", "REST2/setChargeTarget", "There is no data yet"),
    ],
)
async def test_what_there_is_not_is_answered_in_a_sentence(
    gen2: GivtcpHouse, method: str, path: str, says: str
) -> None:
    body = (
        '{"state": "enable", "mode": "Start", "boost": 1, "limit": 1, "start": "16:00",'
        ' "finish": "19:00", "dischargeToPercent": "40", "chargeToPercent": "40"}'
    )
    before = len(gen2.simulator.writes)
    answer = await gen2.client.request(method, f"/{path}", content=body)
    assert answer.status_code == 200
    assert says in answer.json()["result"]
    assert len(gen2.simulator.writes) == before


async def test_the_settings_are_told_without_a_secret(gen2: GivtcpHouse) -> None:
    shown = await gen2.get("/settings")
    assert shown["inverterName_1"] == "inverter"
    assert shown["TZ"] == "Europe/London"
    assert not any("PASSWORD" in key.upper() for key in shown)


async def test_the_page_and_the_listing(gen2: GivtcpHouse) -> None:
    page = await gen2.client.get("/showdata")
    assert page.headers["content-type"].startswith("text/html")
    assert "PV_Power_String_1" in page.text
    listing = await gen2.get("/api")
    assert "/runAll" in listing["read"]
    assert listing["control"]["/setChargeTarget"] == {"chargeToPercent": "50"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/setChargeTarget", 405),
        ("POST", "/runAll", 404),
        ("POST", "/nothing", 404),
        ("POST", "/setChargeStart", 404),
        ("POST", "/REST1/nothing", 404),
    ],
)
async def test_no_such_route(gen2: GivtcpHouse, method: str, path: str, status: int) -> None:
    assert (await gen2.client.request(method, path)).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"host": "192.168.1.20:6345"}, 200, id="an address"),
        pytest.param({"host": "givtcp"}, 200, id="a name without a dot"),
        pytest.param({"host": "pi.local:6345"}, 200, id="a name at home"),
        pytest.param({"host": "rebound.example.com"}, 403, id="a stranger's name for us"),
        pytest.param({"host": "[::"}, 403, id="no name at all"),
        pytest.param({"sec-fetch-site": "cross-site"}, 403, id="another site's page"),
        pytest.param({"origin": "https://evil.example.com"}, 403, id="another site's form"),
        pytest.param({"origin": "null"}, 403, id="a page from nowhere"),
        pytest.param(
            {"host": "pi.local:6345", "origin": "http://pi.local:3000"}, 200,
            id="a dashboard on another port of this machine",
        ),
    ],
)  # fmt: skip
async def test_no_page_of_another_site_commands_the_inverter(
    gen2: GivtcpHouse, headers: dict[str, str], status: int
) -> None:
    before = len(gen2.simulator.writes)
    answer = await gen2.client.post("/setChargeTarget", content="half", headers=headers)
    assert answer.status_code == status
    assert len(gen2.simulator.writes) == before


async def test_a_body_without_end_is_refused(gen2: GivtcpHouse) -> None:
    assert "too long" in await gen2.post("setChargeTarget", "9" * 70_000)
