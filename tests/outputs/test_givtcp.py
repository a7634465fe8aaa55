"""What an owner may say of GivTCP's surface, and the tree of plants that are no single inverter."""

import json
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from houses import NOON
from ohmstead.errors import RequestError
from ohmstead.model import BatteryReading, MeterReading, Point, Reading, SolarReading, Switch, Value
from ohmstead.outputs.givtcp import GivtcpSettings
from ohmstead.outputs.givtcp_controls import Tuning, is_control, meaning
from ohmstead.outputs.givtcp_discovery import announcements
from ohmstead.outputs.givtcp_tree import Facts, Generation, tree_of
from ohmstead.outputs.givtcp_values import leaves
from ohmstead.outputs.mqtt_settings import MqttSettings


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"listen": "0.0.0.0:6345"}, "allow: "),
        ({"listen": "6345"}, "an address and a port"),
        ({"listen": "127.0.0.1:0"}, "an address and a port"),
        ({"listen": "0.0.0.0:6345", "allow": ("192.168.1",)}, "192.168.1"),
        ({"home_assistant": True}, "home_assistant needs the broker"),
        ({"mqtt": MqttSettings(host="embedded")}, "name the embedded broker's address"),
    ],
    ids=str,
)
def test_an_open_door_is_no_setting(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        GivtcpSettings(**given)


def test_a_network_may_ask_that_is_named() -> None:
    settings = GivtcpSettings(listen="[::]:6345", allow=("192.168.1.0/24", "fd00::/8"))
    assert (settings.host, settings.port) == ("::", 6345)
    assert "192.168.1.0/24" in [str(network) for network in settings.networks]


def test_a_password_is_in_no_text() -> None:
    mqtt = MqttSettings(host="broker", username="me", password="hunter2")
    assert "hunter2" not in repr(GivtcpSettings(mqtt=mqtt))


# ---- the tree ---------------------------------------------------------------------------


def a_tree(version: Generation = 3, **values: Value | None) -> Any:  # noqa: ANN401 - a tree
    reading = Reading(
        device="inverter",
        at=NOON,
        values={"serial": "XX2301G001", **values},
        battery=BatteryReading(soc_pct=50, power_w=500, capacity_kwh=10, max_charge_w=3_000),
        grid=MeterReading(power_w=-300),
        solar=SolarReading(power_w=0),
    )
    facts = Facts(now=NOON, import_per_kwh=0.3, cheapest_per_kwh=0.1, dearest_per_kwh=0.3)
    return tree_of(reading, replace(facts, version=version))


def test_an_ems_shows_its_inverters_and_its_own_slots() -> None:
    tree = a_tree(
        model="Energy management system", plant_control_enabled=True, inverter_count=2,
        inverter_1_serial="EA2302G001", inverter_1_w=1_000, inverter_1_soc_pct=60,
        inverter_1_c=30.5,
        inverter_2_serial="EA2302G002", inverter_2_w=-200, inverter_3_serial=None,
        measured_load_w=900, generation_w=100, other_battery_w=50, battery_remaining_wh=9_000,
        meter_1_w=-700, meter_1_status="online", charge_slot_1_start=time(1, 30),
        discharge_slot_2_end=time(19), export_slot_3_start=time(16), status="normal",
        charge_slot_1_target_soc_pct=80, discharge_slot_1_floor_soc_pct=20,
        export_slot_1_floor_soc_pct=0, export_limit_w=9_500, car_charge_mode="eco",
        car_charge_boost_w=0, charge_compensation=1, discharge_compensation=2,
        expected_chargers=1, meter_count=2,
    )  # fmt: skip
    assert tree["Inverters"]["Inverter_1"] == {
        "Power": 1_000, "SOC": 60, "Temperature": 30.5, "Serial_Number": "EA2302G001",
    }  # fmt: skip
    assert list(tree["Inverters"]) == ["Inverter_1", "Inverter_2"]
    assert tree["Power"]["Power"]["Total_Power"] == 800
    assert tree["Power"]["Power"]["Measured_Load_Power"] == 900
    assert tree["Meter_Details"] == {"Meter_1_Power": 700, "Meter_1_Status": "Online"}
    assert tree["Timeslots"] == {
        "EMS_Charge_start_time_slot_1": "01:30:00",
        "EMS_Discharge_end_time_slot_2": "19:00:00",
        "Export_start_time_slot_3": "16:00:00",
    }
    control = tree["Control"]
    assert control["Plant_Control"] == "enable"
    assert control["Car_Charge_Mode"] == "Eco"
    assert [control[f"{key}_1"] for key in EMS_TARGETS] == [80, 20, 0]
    assert "Charge_Target_SOC_1" not in control
    assert tree["XX2301G001"]["Invertor_Type"] == "EMS"
    assert tree["XX2301G001"]["Plant_Status"] == "Normal"


EMS_TARGETS = ("EMS_Charge_Target_SOC", "EMS_Discharge_Target_SOC", "Export_Target_SOC")


def test_a_gateway_shows_its_all_in_ones() -> None:
    tree = a_tree(
        model="Gateway", aio_count=2, aio_online_count=1, aio_state=1, work_mode="on-grid",
        software="GA00", load_v=240.1, load_a=2.5, pv_a=0.1, liberty_w=3, grid_relay_v=239.0,
        inverter_relay_v=238.5, aio_charge_today_kwh=4.5, aio_discharge_total_kwh=99.0,
        aio_1_serial="CH2414G001", aio_1_soc_pct=61, aio_1_w=1_200, aio_1_charge_today_kwh=4.5,
        aio_2_serial="", battery_w=1_200,
    )  # fmt: skip
    assert tree["Inverters"] == {
        "AIO_1": {
            "SOC": 61, "Invertor_Power": 1_200, "AC_Charge_Energy_Today_kWh": 4.5,
            "AIO_1_Serial_Number": "CH2414G001",
        }
    }  # fmt: skip
    details = tree["XX2301G001"]
    assert details["Gateway_Mode"] == "on-grid"
    assert details["Parallel_Total_AIO_Number"] == 2
    assert tree["Energy"]["Today"]["Parallel_Total_Charge_Energy_Today_kWh"] == 4.5
    assert tree["Energy"]["Total"]["Parallel_Total_Discharge_Energy_Total_kWh"] == 99.0
    assert tree["Power"]["Power"]["Grid_Relay_Voltage"] == 239.0


def test_a_three_phase_model_shows_each_phase() -> None:
    tree = a_tree(
        model="Three-phase hybrid", grid_v=230.1, grid_phase_2_v=231.2, grid_phase_3_v=229.9,
        inverter_a=1.5, grid_phase_1_w=-400, grid_phase_2_w=100, output_phase_1_v=230.0,
        eps_phase_3_va=5.0, battery_charge_w=0, battery_discharge_w=500, grid_export_w=300,
        forced_charge_enabled=True, ac_charge_enabled=False, battery_at_inverter_v=401.5,
        eco_mode_enabled=False, discharge_enabled=True, discharge_floor_soc_pct=10,
        other_export_today_kwh=0.5, boost_c=31.0,
    )  # fmt: skip
    power, control = tree["Power"]["Power"], tree["Control"]
    assert (power["Grid_Phase1_Voltage"], power["Grid_Phase2_Voltage"]) == (230.1, 231.2)
    assert (power["Export_Phase1_Power"], power["Export_Phase2_Power"]) == (400, 0)
    assert power["PCS_Voltage"] == 401.5
    assert control["Enable_Charge_Schedule"] == control["Force_Charge_Enable"] == "enable"
    assert control["Force_AC_Charge_Enable"] == "disable"
    assert (control["Battery_Power_Reserve"], control["Mode"]) == (10, "Timed Export")
    assert tree["XX2301G001"]["Invertor_Type"] == "Hybrid 3ph"
    assert tree["Energy"]["Today"]["Export2_Energy_Today_kWh"] == 0.5


def test_a_stack_and_its_modules() -> None:
    tree = a_tree(
        stack_1_power_w=500, stack_1_battery_v=307.0, stack_1_remaining_ah=22.0,
        stack_1_highest_soc_pct=52, stack_1_lowest_soc_pct=49, module_1_serial="HX2414G001",
        module_1_cell_24_v=3.301, module_1_cell_01_c=20.5, battery_c=21.0, battery_v=307.0,
    )  # fmt: skip
    assert tree["Battery_Details"] == {
        "Battery_Stack_1": {
            "BMS_Temperature": 21.0, "BMS_Voltage": 307.0, "Stack_Power": 500,
            "Stack_Voltage": 307.0, "Stack_SOC_High": 52, "Stack_SOC_Low": 49,
            "Stack_SOC_Difference": 3, "Stack_SOC_kWh": 6.75,
            "HX2414G001": {
                "Battery_Serial_Number": "HX2414G001", "Battery_Cell_24_Voltage": 3.301,
                "Battery_Cell_1_Temperature": 20.5,
            },
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    ("version", "spoken", "reserve", "rate", "packs"),
    [(1, "1.0.0", 7, 30, {"DF2244G001"}), (2, "2.2.0", 20, 950, {"DF2244G001"}),
     (3, "3.0.4", 20, 950, {"Battery_Stack_1"})],
)  # fmt: skip
def test_versions_differ_in_what_a_key_means(
    version: Generation, spoken: str, reserve: int, rate: int, packs: set[str]
) -> None:
    tree = a_tree(
        version, reserve_soc_pct=20, cutoff_soc_pct=7, charge_rate_pct=10, charge_power_w=950,
        battery_1_serial="DF2244G001", battery_1_soc_pct=50,
    )  # fmt: skip
    assert tree["Stats"]["GivTCP_Version"].startswith(spoken)
    assert tree["Control"]["Battery_Power_Reserve"] == reserve
    assert tree["Control"]["Battery_Charge_Rate"] == rate
    assert set(tree["Battery_Details"]) == packs


def described(**values: Value | None) -> dict[str, dict[str, Any]]:
    tree = a_tree(3, **values)
    told = announcements(leaves(tree), "XX2301G001", "GivEnergy", "Gen2 Hybrid", 3_600)
    return {topic.removeprefix("homeassistant/"): json.loads(text) for topic, text in told.items()}


EVERYTHING: dict[str, Value | None] = {
    "eco_mode_enabled": True, "discharge_enabled": False, "battery_mode": "eco",
    "charge_slot_2_start": time(1), "charge_slot_10_target_soc_pct": 80, "pause_mode": "none",
    "pause_slot_end": time(2), "charge_power_w": 2_000, "ac_charge_rate_pct": 75,
    "active_power_pct": 100, "status": "normal", "grid_v": 240.1, "pv_today_kwh": 3.5,
    "battery_1_serial": "DF2244G001", "battery_1_soc_pct": 50, "battery_1_mosfet_c": 20.5,
}  # fmt: skip


def test_every_entity_has_an_id_of_its_own_and_a_control_that_exists() -> None:
    found = described(**EVERYTHING)
    ids = [config["unique_id"] for config in found.values()]
    assert len(set(ids)) == len(ids)
    controls = [c["command_topic"] for c in found.values() if "command_topic" in c]
    assert all(topic.startswith("GivEnergy/control/XX2301G001/") for topic in controls)
    assert [t for t in controls if not is_control(t.rpartition("/")[2])] == []


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("switch/GivEnergy/XX2301G001_Eco_Mode", {"payload_on": "enable"}),
        ("button/GivEnergy/XX2301G001_Sync_Time", {"payload_press": "restart"}),
        ("number/GivEnergy/XX2301G001_Battery_Charge_Rate", {"max": 3_600}),
        ("number/GivEnergy/XX2301G001_Battery_Charge_Rate_AC", {"unit_of_measurement": "%"}),
        (
            "number/GivEnergy/XX2301G001_Charge_Target_SOC_10",
            {"command_topic": "GivEnergy/control/XX2301G001/setChargeTarget10"},
        ),
        (
            "select/GivEnergy/XX2301G001_Charge_start_time_slot_2",
            {"command_topic": "GivEnergy/control/XX2301G001/setChargeStart2"},
        ),
        (
            "sensor/GivEnergy/XX2301G001_DF2244G001_Battery_SOC",
            {"device_class": "battery", "unit_of_measurement": "%"},
        ),
        (
            "sensor/GivEnergy/XX2301G001_PV_Energy_Today_kWh",
            {"device_class": "energy", "state_class": "total_increasing"},
        ),
        ("sensor/GivEnergy/XX2301G001_Grid_Voltage", {"unit_of_measurement": "V"}),
        ("sensor/GivEnergy/XX2301G001_Last_Updated_Time", {"device_class": "timestamp"}),
    ],
)
def test_an_entity_is_the_one_givtcp_had(topic: str, expected: dict[str, object]) -> None:
    config = described(**EVERYTHING)[f"{topic}/config"]
    assert {key: config[key] for key in expected} == expected


def test_prices_are_day_and_night() -> None:
    assert a_tree()["Energy"]["Rates"] == {
        "Current_Rate": 0.3, "Night_Rate": 0.1, "Day_Rate": 0.3, "Current_Rate_Type": "Day",
    }  # fmt: skip


def test_without_a_battery_there_is_nothing_to_force() -> None:
    bare = Reading(device="inverter", at=NOON, values={"serial": "PV2401G001", "pv1_w": 100})
    control = tree_of(bare, Facts(now=NOON))["Control"]
    assert control == dict.fromkeys(("Sync_Time", "Reboot_Invertor", "Reboot_Addon"), "disable")


def test_nothing_is_shown_that_nobody_measured() -> None:
    empty = Reading(device="inverter", at=NOON, values={"serial": "XX2301G001", "grid_v": None})
    tree = tree_of(empty, Facts(now=NOON))
    assert "Power" in tree
    assert not [path for path, value in leaves(tree) if str(value) == "None"]
    assert "Grid_Voltage" not in str(tree)


# ---- controls ---------------------------------------------------------------------------

TUNING = Tuning(
    now=datetime(2026, 6, 21, 13, tzinfo=UTC),
    values={},
    points={"charge_enabled": Point(key="charge_enabled", label="x", writable=Switch())},
)
CONTROLS = st.sampled_from(
    ["setChargeTarget", "setChargeSlot1", "setBatteryMode", "forceCharge", "setDateTime",
     "enableChargeSchedule", "setChargeStart3", "setPauseSlot", "setExportTarget"]
)  # fmt: skip
BODIES = st.text() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["", "state", "start", "finish", "slot", "mode", "duration", "dateTime",
                         "chargeToPercent", "exportToPercent"]) | st.text(max_size=3), inner,
    ), max_leaves=5,
).map(str)  # fmt: skip


@given(CONTROLS | st.text(), BODIES)
def test_any_body_is_understood_or_refused_in_a_sentence(control: str, body: str) -> None:
    said = ""
    try:
        meaning(control, body, TUNING)
    except RequestError as exc:
        said = str(exc)
    assert len(said) < 200


@pytest.mark.parametrize("name", ["setChargeStart0", "setChargeStart", "setChargeStart1²", ""])
def test_what_is_no_control(name: str) -> None:
    assert not is_control(name)
