"""Three ways of naming the same house in a database."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from houses import NOON, a_device, a_price_curve, a_site
from ohmstead.model import (
    BatteryMode,
    BatteryReading,
    DeviceSnapshot,
    LoadReading,
    MeterReading,
    Point,
    Reading,
    SiteSnapshot,
    SolarReading,
    Value,
)
from ohmstead.outputs.influx_givtcp import givtcp_lines
from ohmstead.outputs.influx_naming import News, as_fields, ohmstead_lines
from ohmstead.outputs.influx_ranch import ranch_lines
from ohmstead.outputs.line_protocol import Line

LATER = NOON + timedelta(seconds=3)


def news(*devices: DeviceSnapshot, site: SiteSnapshot | None = None) -> News:
    """Return what is said when every device that answers has said something new."""
    snapshot = replace(site or a_site(), at=LATER, devices={d.name: d for d in devices})
    return News(
        site="home",
        snapshot=snapshot,
        points={
            d.name: {k: Point(key=k, label=k) for k in (d.reading.values if d.reading else ())}
            for d in devices
        },
        fresh=[(d, d.reading) for d in devices if d.reading],
    )


def by_name(lines: list[Line]) -> dict[str, dict[str, object]]:
    assert len({line.measurement for line in lines}) == len(lines)
    return {line.measurement: dict(line.fields) for line in lines if line.fields}


# ---- ours -------------------------------------------------------------------------------


def test_our_names_are_the_family_and_the_points() -> None:
    values: dict[str, Value | None] = {"battery_v": 51, "status": "charging", "pv1_w": None}
    reading = Reading(device="inverter", at=NOON, values=values)
    site = replace(a_site(buy=a_price_curve(0.25)), mode=BatteryMode.CHARGE)
    assert ohmstead_lines(news(a_device(reading), site=site)) == [
        Line(
            measurement="toy",
            tags={"site": "home", "device": "inverter"},
            fields={"battery_v": 51.0, "status_text": "charging"},
            at=NOON,
        ),
        Line(
            measurement="ohmstead",
            tags={"site": "home"},
            fields={
                "grid_w": 500.0,
                "pv_w": 0.0,
                "load_w": 500.0,
                "battery_w": 0.0,
                "battery_soc_pct": 50.0,
                "mode_text": "charge",
                "price_import_per_kwh": 0.25,
            },
            at=LATER,
        ),
    ]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (0, {"x": 0.0}),
        (1.5, {"x": 1.5}),
        (True, {"x": 1.0}),
        ("0", {"x_text": "0"}),
        ("", {"x_text": ""}),
        (time(23, 30), {"x_text": "23:30:00"}),
        (datetime(2026, 6, 21, 13), {"x_text": "2026-06-21T13:00:00"}),
        (None, {}),
    ],
    ids=str,
)
def test_a_field_never_changes_its_type(value: Value | None, field: Mapping[str, object]) -> None:
    fields = as_fields({"x": value})
    assert fields == field
    assert {type(v) for k, v in fields.items() if not k.endswith("_text")} <= {float}


# ---- GivTCP's ----------------------------------------------------------------------------


def an_inverter(
    *, pv_w: float = 3_000, grid_w: float = -500, battery_w: float = -1_500
) -> DeviceSnapshot:
    values: dict[str, Value | None] = {
        "serial": "SA2114G047", "pv1_w": 1_000, "pv2_w": 2_000, "pv1_v": 240.5, "grid_v": 239.4,
        "grid_hz": 50.11, "inverter_w": 900, "battery_v": 51.2, "reserve_soc_pct": 4,
        "charge_target_soc_pct": 100, "pv1_today_kwh": 4.1, "pv2_today_kwh": 6.5,
        "grid_export_today_kwh": 2.6, "battery_charge_today_kwh": 7.9,
        "battery_discharge_today_kwh": 5.5, "pv_total_kwh": 10_999.3, "status": "normal",
    }  # fmt: skip
    reading = Reading(
        device="inverter",
        at=NOON,
        values=values,
        battery=BatteryReading(soc_pct=30, power_w=battery_w, capacity_kwh=10),
        grid=MeterReading(power_w=grid_w),
        solar=SolarReading(power_w=pv_w),
        load=LoadReading(power_w=pv_w + grid_w + battery_w),
    )
    return a_device(reading)


def test_givtcps_names_are_the_serial_and_its_own_keys() -> None:
    (line,) = givtcp_lines(news(an_inverter()))
    assert (line.measurement, line.tags, line.at) == ("SA2114G047", {"tagKey": "GivReal"}, NOON)
    assert line.fields == {
        "pv_power_string_1": 1_000, "pv_power_string_2": 2_000, "pv_voltage_string_1": 240.5,
        "pv_power": 3_000, "grid_voltage": 239.4, "grid_frequency": 50.11, "grid_power": 500,
        "import_power": 0, "export_power": 500, "invertor_power": 900,
        "ac_charge_power": 0, "load_power": 1_000,
        "self_consumption_power": 1_000, "battery_power": -1_500, "charge_power": 1_500,
        "discharge_power": 0, "battery_voltage": 51.2, "soc": 30, "soc_kwh": 3.0,
        "charge_time_remaining": 280, "charge_completion_time": "2026-06-21T17:40:00+01:00",
        "discharge_time_remaining": 0, "discharge_completion_time": "2026-06-21T13:00:00+01:00",
        "solar_to_house": 1_000, "solar_to_battery": 1_500, "solar_to_grid": 500,
        "battery_to_house": 0, "battery_to_grid": 0, "grid_to_battery": 0, "grid_to_house": 0,
        "pv_energy_today_kwh": 10.6, "export_energy_today_kwh": 2.6,
        "battery_charge_energy_today_kwh": 7.9, "battery_discharge_energy_today_kwh": 5.5,
        "battery_throughput_today_kwh": 13.4, "self_consumption_energy_today_kwh": 8.0,
        "pv_energy_total_kwh": 10_999.3,
    }  # fmt: skip
    assert {type(v) for k, v in line.fields.items() if not k.endswith("_time")} == {float}


@pytest.mark.parametrize(
    ("pv_w", "grid_w", "battery_w", "flows"),
    [
        pytest.param(0, 0, 2_556, {"battery_to_house": 2_556}, id="the battery feeds the house"),
        pytest.param(
            0, 3_000, -2_000, {"grid_to_battery": 2_000, "grid_to_house": 1_000},
            id="the grid charges the battery",
        ),
        pytest.param(
            0, -1_000, 1_500, {"battery_to_grid": 1_000, "battery_to_house": 500},
            id="the battery feeds the grid",
        ),
        pytest.param(
            2_000, 0, 0, {"solar_to_house": 2_000}, id="the sun feeds the house",
        ),
    ],
)  # fmt: skip
def test_givtcps_flows(pv_w: float, grid_w: float, battery_w: float, flows: dict[str, int]) -> None:
    (line,) = givtcp_lines(news(an_inverter(pv_w=pv_w, grid_w=grid_w, battery_w=battery_w)))
    assert {k: v for k, v in line.fields.items() if "_to_" in k and v} == flows


def test_an_inverter_without_a_serial_is_called_by_its_name() -> None:
    lines = givtcp_lines(news(a_device(Reading(device="garage", at=NOON, values={"grid_v": 230}))))
    assert [line.measurement for line in lines] == ["garage"]


@pytest.mark.parametrize(
    ("values", "power_w"),
    [({"inverter_w": -800}, 800), ({"inverter_w": 800}, 0), ({"rectifier_w": 700}, 700)],
    ids=["an output below zero", "an output above zero", "its own word"],
)
def test_what_an_inverter_charges_from_the_grid(values: dict[str, Value], power_w: float) -> None:
    (line,) = givtcp_lines(news(a_device(Reading(device="a", at=NOON, values=values))))
    assert line.fields["ac_charge_power"] == power_w
    assert "load_power" not in line.fields


# ---- the ranch's -------------------------------------------------------------------------


def a_charger(name: str, power_w: float | None) -> DeviceSnapshot:
    solar = SolarReading(power_w=power_w)
    reading = Reading(device=name, at=NOON, values={}, solar=solar)
    return DeviceSnapshot(name=name, family="tristar", reading=reading)


def a_radian(name: str, output_w: float | None) -> DeviceSnapshot:
    values = {"output_w": output_w, "charge_w": 0, "output_a": 10.4, "battery_v": 54.4}
    battery = BatteryReading(soc_pct=95, power_w=output_w)
    reading = Reading(device=name, at=NOON, values=values, battery=battery)
    return DeviceSnapshot(name=name, family="outback", reading=reading)


def test_the_ranchs_names_as_its_board_reads_them() -> None:
    chargers = [
        a_charger(f"sc{n}", power_w)
        for n, power_w in enumerate((10, 20, 0, 1_890, 0, 1_430), start=1)
    ]
    radians = [a_radian(f"radian{n}", 500) for n in (1, 2, 3)]
    lines = ranch_lines(news(*radians, *chargers, site=a_site(soc_pct=95, load_w=1_100)))
    assert all(line.tags == {} for line in lines)
    assert by_name(lines) == {
        "mate3s": {
            "Inverter Current": pytest.approx(31.2), "Battery Voltage": 54.4, "Power Usage": 150.0,
        },
        "power_room_totals": {
            "total_output_current": pytest.approx(31.2), "battery_voltage": 54.4,
            "total_output_power_kw": 1.5, "total_charge_power_kw": 0.0,
            "total_load_power_kw": 1.1,
        },
        "solar_charger_1": {"power_kw": 0.01},
        "solar_charger_2": {"power_kw": 0.02},
        "solar_charger_3": {"power_kw": 0.0},
        "solar_charger_4": {"power_kw": 1.89},
        "solar_charger_5": {"power_kw": 0.0},
        "solar_charger_6": {"power_kw": 1.43},
        "solar_charger_total": {"power_kw": 3.35},
        "batteryPi": {"battery_voltage": 54.4, "battery_percent": 95.0},
    }  # fmt: skip
    assert {type(v) for line in lines for v in line.fields.values()} == {float}


def test_a_silent_charger_moves_no_other_and_leaves_no_total() -> None:
    silent = DeviceSnapshot(name="sc1", family="tristar", trouble="no answer")
    named = by_name(ranch_lines(news(silent, a_charger("sc2", 1_500), a_charger("sc3", 0))))
    assert named["solar_charger_2"] == {"power_kw": 1.5}
    assert "solar_charger_1" not in named
    assert "solar_charger_total" not in named


def test_a_total_without_one_inverter_is_left_out() -> None:
    named = by_name(ranch_lines(news(a_radian("one", 500), a_radian("two", None))))
    assert "total_output_power_kw" not in named["power_room_totals"]
    assert named["power_room_totals"]["battery_voltage"] == 54.4


@pytest.mark.parametrize(("power_w", "power_kw"), [(9, 0.0), (10, 0.01)])
def test_noise_in_the_dark_counts_as_none(power_w: float, power_kw: float) -> None:
    named = by_name(ranch_lines(news(a_charger("sc1", power_w))))
    assert named["solar_charger_total"] == {"power_kw": power_kw}


def test_only_what_is_new_gets_a_line() -> None:
    old, new = a_charger("sc1", 1_000), a_charger("sc2", 500)
    told = replace(news(old, new), fresh=[(new, new.reading)] if new.reading else [])
    assert set(by_name(ranch_lines(told))) >= {"solar_charger_2", "solar_charger_total"}
    assert "solar_charger_1" not in by_name(ranch_lines(told))
    assert [line.measurement for line in ohmstead_lines(told)] == ["tristar", "ohmstead"]
    assert [line.measurement for line in givtcp_lines(told)] == ["sc2"]
