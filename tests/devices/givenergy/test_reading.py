"""From registers to a reading: what no register holds, and which way energy flows."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ohmstead.devices.givenergy.reading import DERIVED, Facts, derived_points, reading_of
from ohmstead.devices.givenergy.registers import MODELS
from ohmstead.model import BatteryReading, Reading, Value

AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
FOLDER = Path(__file__).parent
WORDS: Mapping[str, list[int]] = {
    name: vector["words"]
    for name, vector in json.loads((FOLDER / "vectors.json").read_text())["vectors"].items()
    if "words" in vector
}


def read(model: str, **values: Value | None) -> Reading:
    facts = Facts(device="giv", at=AT, model=MODELS[model], battery_kwh=10, battery_w=3_000)
    return reading_of(values, {}, facts)


def decoded(model: str, words: Mapping[int, int]) -> dict[str, Value | None]:
    return dict(MODELS[model].inputs.decode(words).values)


def captured(name: str) -> Reading:
    """Return the reading of what a real one sent."""
    spaces = json.loads((FOLDER / "captures" / name / "words.json").read_text())
    words = {int(address): word for address, word in spaces["input"].items()}
    return read(spaces["model"], **decoded(spaces["model"], words))


# ---- a hybrid ------------------------------------------------------------------------------


def test_a_real_page_in_a_real_house() -> None:
    reading = read("hybrid_gen2", **decoded("hybrid_gen2", dict(enumerate(WORDS["V9"]))))
    assert reading.device == "giv"
    assert reading.at == AT
    assert reading.battery == BatteryReading(
        soc_pct=46, power_w=443, capacity_kwh=10, max_charge_w=3_000, max_discharge_w=3_000
    )
    assert reading.grid is not None
    assert (reading.grid.power_w, reading.grid.import_total_kwh) == (-2, 31_457.8)
    assert reading.grid.export_total_kwh == pytest.approx(8_053.0)
    assert reading.solar is not None
    assert (reading.solar.power_w, reading.solar.total_kwh) == (0, 6_439.9)
    assert reading.load is not None
    assert reading.load.power_w == 371
    assert reading.values["load_today_kwh"] == 27.6
    assert reading.values["pv_today_kwh"] == 24.5
    assert reading.values["battery_stored_kwh"] == 4.6


def test_what_a_hybrid_gives_less_what_it_took_and_sent_away_is_what_the_house_used() -> None:
    reading = read(
        "hybrid_gen1",
        inverter_total_kwh=1_000,
        grid_import_total_kwh=200,
        grid_export_total_kwh=300,
        ac_charge_total_kwh=50,
        pv_total_kwh=700,
    )
    assert reading.values["load_total_kwh"] == 850


@pytest.mark.parametrize("model", ["ac_coupled", "all_in_one"])
def test_panels_that_do_not_go_through_the_inverter_are_used_too(model: str) -> None:
    reading = read(
        model,
        inverter_today_kwh=3,
        grid_import_today_kwh=2,
        grid_export_today_kwh=4,
        ac_charge_today_kwh=5,
        pv1_today_kwh=6,
        pv2_today_kwh=7,
    )
    assert reading.values["load_today_kwh"] == 9
    assert reading.values["pv_today_kwh"] == 13


def test_a_house_never_gives_energy() -> None:
    reading = read(
        "hybrid_gen2",
        inverter_today_kwh=0,
        grid_import_today_kwh=0,
        grid_export_today_kwh=0.1,
        ac_charge_today_kwh=0,
    )
    assert reading.values["load_today_kwh"] == 0


@pytest.mark.parametrize("missing", ["inverter", "grid_import", "grid_export", "ac_charge"])
def test_what_is_not_known_is_not_reckoned_with(missing: str) -> None:
    values: dict[str, Value | None] = {
        "inverter_today_kwh": 9,
        "grid_import_today_kwh": 4,
        "grid_export_today_kwh": 2,
        "ac_charge_today_kwh": 1,
    }
    assert read("hybrid_gen2", **values).values["load_today_kwh"] == 10
    values[f"{missing}_today_kwh"] = None
    assert read("hybrid_gen2", **values).values["load_today_kwh"] is None


@pytest.mark.parametrize(
    ("values", "pv_w"),
    [
        ({"pv1_w": 100, "pv2_w": 50}, 150),
        ({"pv1_w": 100}, 100),
        ({"pv1_w": 0, "pv2_w": 0, "generation_w": 70}, 0),
        ({"generation_w": 70}, 70),
        ({"pv_w": 33, "pv1_w": 1}, 33),
        ({}, None),
    ],
)
def test_the_sun_is_what_the_strings_give(values: dict[str, float], pv_w: float | None) -> None:
    assert read("hybrid_gen3", **values).values["pv_w"] == pv_w


def test_one_string_that_is_doubted_is_not_left_out_of_the_sum() -> None:
    reading = read("hybrid_gen2", pv1_w=None, pv2_w=50)
    assert reading.values["pv_w"] is None
    today = read("hybrid_gen2", pv1_today_kwh=None, pv2_today_kwh=5.0)
    assert today.values["pv_today_kwh"] is None


def test_nothing_known_is_nothing_said() -> None:
    for model in MODELS:
        values = read(model).values
        known = {"model", "frames_dropped", "pages_refused", "battery_capacity_kwh"}
        assert {name for name, value in values.items() if value is not None} <= known


@pytest.mark.parametrize(
    ("values", "charged"),
    [
        ({"battery_charge_total_kwh": 9.0, "battery_1_charge_total_kwh": 3.0}, 9),
        ({"battery_1_charge_total_kwh": 3.0, "battery_2_charge_total_kwh": 4.0}, 7),
        ({"battery_charge_total_kwh": 0.0, "battery_1_charge_total_kwh": 3.0}, 3),
        ({"battery_charge_total_kwh": 0.0}, 0),
        ({}, None),
    ],
)
def test_a_batterys_energy_is_its_own_or_its_packs(
    values: dict[str, float], charged: float | None
) -> None:
    assert read("hybrid_gen1", **values).values["battery_charge_total_kwh"] == charged


def test_a_pack_that_is_not_heard_leaves_no_smaller_sum() -> None:
    values = {"battery_1_charge_total_kwh": 3.0, "battery_2_charge_total_kwh": None}
    assert read("hybrid_gen2", **values).values["battery_charge_total_kwh"] is None


def test_packs_are_not_summed_up_before_all_were_looked_for() -> None:
    facts = Facts(
        device="giv", at=AT, model=MODELS["hybrid_gen2"], battery_kwh=10, battery_w=3_000,
        units_known=False,
    )  # fmt: skip
    reading = reading_of({"battery_1_charge_total_kwh": 3.0}, {}, facts)
    assert reading.values["battery_charge_total_kwh"] is None


def test_a_stack_counts_for_its_battery() -> None:
    values = {"stack_1_charge_total_kwh": 2_060.5, "stack_1_discharge_total_kwh": 1_401.4}
    shown = read("all_in_one", **values).values
    assert shown["battery_charge_total_kwh"] == 2_060.5
    assert shown["battery_discharge_total_kwh"] == 1_401.4


# ---- three phases --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "battery_w", "grid_w"),
    [
        pytest.param(
            {"grid_import_w": 500, "grid_export_w": 0, "battery_discharge_w": 0,
             "battery_charge_w": 1_200}, -1_200, 500, id="from the grid into the battery",
        ),
        pytest.param(
            {"grid_import_w": 0, "grid_export_w": 700, "battery_discharge_w": 900,
             "battery_charge_w": 0}, 900, -700, id="from the battery into the grid",
        ),
        pytest.param(
            {"grid_import_w": 500, "grid_export_w": None, "battery_discharge_w": 900,
             "battery_charge_w": None}, None, None, id="one direction is not known",
        ),
    ],
)  # fmt: skip
def test_three_phases_count_each_direction_by_itself(
    values: dict[str, float | None], battery_w: float | None, grid_w: float | None
) -> None:
    reading = read("hybrid_3ph", **values)
    assert (reading.values["battery_w"], reading.values["grid_w"]) == (battery_w, grid_w)


def test_a_real_three_phase_model() -> None:
    words = {1079: 0, 1080: 1_234, 1081: 0, 1082: 0, 1132: 55}
    reading = read("hybrid_3ph", **decoded("hybrid_3ph", words))
    assert reading.values["grid_w"] == pytest.approx(
        float(str(reading.values["grid_import_w"])) - float(str(reading.values["grid_export_w"]))
    )
    assert reading.battery is not None
    assert reading.battery.soc_pct == reading.values["battery_soc_pct"]


# ---- several inverters together ------------------------------------------------------------


def test_an_ems_shows_the_mean_of_its_inverters() -> None:
    reading = read(
        "ems",
        inverter_1_soc_pct=40, inverter_1_serial="CE2231G001",
        inverter_2_soc_pct=61, inverter_2_serial="CE2231G002",
        inverter_3_soc_pct=0, inverter_3_serial="",
        inverter_4_soc_pct=0,
    )  # fmt: skip
    assert reading.battery is not None
    assert reading.battery.soc_pct == 50.5


def test_a_real_ems() -> None:
    reading = captured("ems_1036")
    levels = [
        value for n in (1, 2, 3, 4)
        if reading.values[f"inverter_{n}_serial"]
        and isinstance(value := reading.values[f"inverter_{n}_soc_pct"], int | float)
    ]  # fmt: skip
    assert reading.values["battery_soc_pct"] == pytest.approx(sum(levels) / len(levels), abs=0.05)
    assert reading.battery is not None
    assert reading.battery.power_w == reading.values["battery_w"]


def test_a_gateway_shows_the_mean_of_its_all_in_ones() -> None:
    reading = read(
        "gateway_v1",
        aio_1_soc_pct=40, aio_1_serial="CH2414G001",
        aio_2_soc_pct=50, aio_2_serial="CH2414G002",
        aio_3_soc_pct=0, aio_3_serial="",
    )  # fmt: skip
    assert reading.values["battery_soc_pct"] == 45


@pytest.mark.parametrize("model", ["ems", "gateway"])
def test_inverters_that_have_not_said_who_they_are_have_no_charge(model: str) -> None:
    names = {"inverter_1_soc_pct": 0, "aio_1_soc_pct": 0}
    assert read(model, **names).values["battery_soc_pct"] is None


# ---- points --------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_every_derived_value_has_its_point(model: object) -> None:
    known = MODELS[str(getattr(model, "name", ""))]
    assert read(known.name).values.keys() == derived_points(known).keys()
    assert derived_points(known).keys() <= DERIVED.keys()


def test_what_has_no_battery_shows_none() -> None:
    reading = read("pv_only", battery_soc_pct=0, pv1_w=700)
    assert reading.battery is None
    assert reading.solar is not None
    assert reading.solar.power_w == 700
    assert not [key for key in derived_points(MODELS["pv_only"]) if key.startswith("battery")]


def test_firmware_is_told_as_the_maker_does() -> None:
    values = read("hybrid_gen2", dsp_firmware=920, arm_firmware=921).values
    assert values["firmware"] == "D0.920-A0.921"
    assert values["model"] == "Hybrid, generation 2"
    assert read("hybrid_gen2", dsp_firmware=920).values["firmware"] is None
