"""The tables of the family: names, ranges, and how one word means two things on two models."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.devices.luxpower.inputs import PowerFactor
from ohmstead.devices.luxpower.registers import COMMON, MODELS, TABLES, Model, model_of, tables_for
from ohmstead.errors import NotWritable
from ohmstead.model import Range, Switch, TimeOfDay
from ohmstead.registers import Register, RegisterTable, claims

every_table = pytest.mark.parametrize("table", TABLES, ids=lambda t: f"{t.space}-{len(t.rows)}")
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
ACS, LXP = MODELS["acs_3600"], MODELS["lxp_12k"]


@every_table
def test_no_two_registers_claim_a_bit(table: RegisterTable) -> None:
    claimed = [claim for row in table for claim in claims(row)]
    assert sorted(claimed) == sorted(set(claimed))


@every_table
def test_registers_are_in_address_order(table: RegisterTable) -> None:
    addresses = [row.address for row in table]
    assert addresses == sorted(addresses)


@every_model
def test_no_name_stands_for_two_registers(model: Model) -> None:
    assert {row.name for row in model.inputs} & {row.name for row in model.holdings} == set()


@every_table
def test_a_number_with_a_scale_has_a_unit(table: RegisterTable) -> None:
    assert [row.name for row in table if row.scale != 1 and row.point.unit is None] == []


@every_table
def test_other_softwares_keys_are_unique(table: RegisterTable) -> None:
    keys = [row.aka for row in table if row.aka]
    assert sorted(keys) == sorted(set(keys))


@every_model
def test_only_three_bits_of_the_enable_word_can_be_written(model: Model) -> None:
    writable = [row.name for row in model.holdings if row.address == 21 and row.writable]
    assert writable == ["ac_charge_enabled", "forced_discharge_enabled", "charge_priority_enabled"]


@every_model
@pytest.mark.parametrize("address", [0, 11, 15, 19, 20, 22, 90, 99, 101, 112, 144, 147])
def test_identity_reset_grid_code_and_chemistry_cannot_be_written(
    model: Model, address: int
) -> None:
    assert [row.name for row in model.holdings if row.address == address and row.writable] == []


@every_model
def test_everyday_settings_need_no_leave(model: Model) -> None:
    everyday = {row.name for row in model.holdings if row.writable and not row.opt_in}
    assert {"charge_rate_pct", "discharge_rate_pct", "ac_charge_enabled", "clock"} <= everyday
    assert "eps_cutoff_soc_pct" not in everyday


def test_small_models_count_powers_in_per_cent_and_large_ones_in_hundreds_of_watts() -> None:
    assert ACS.holdings["ac_charge_power_pct"].decode({66: 66}) == 66
    assert LXP.holdings["ac_charge_power_w"].decode({66: 66}) == 6600
    assert LXP.holdings["ac_charge_power_w"].encode(6600) == (66,)
    assert (ACS.in_watts, LXP.in_watts) == (False, True)
    assert "ac_charge_power_pct" not in LXP.holdings
    assert "ac_charge_power_w" not in ACS.holdings


def test_small_models_count_battery_currents_in_hundredths_and_large_ones_in_tenths() -> None:
    assert ACS.inputs["bms_charge_limit_a"].decode({81: 6600}) == 66
    assert LXP.inputs["bms_charge_limit_a"].decode({81: 2000}) == 200


def test_a_charging_battery_has_a_current_below_zero() -> None:
    assert ACS.inputs["battery_a"].decode({98: 1000}) == -10
    assert ACS.inputs["battery_a"].decode({98: 65356}) == 1.8


def test_what_all_models_share_has_no_number_that_only_some_mean() -> None:
    assert "ac_charge_soc_limit_pct" in COMMON.holdings
    assert {66, 74, 82, 103} & {row.address for row in COMMON.holdings} == set()
    assert {81, 82, 98} & {row.address for row in COMMON.inputs} == set()


@pytest.mark.parametrize(
    ("device_type", "firmware", "model"),
    [
        pytest.param(4, "BAAA", "acs_3600", id="the first capture"),
        pytest.param(44, "FAAB", "lxp_12k", id="a 12 kW hybrid"),
        pytest.param(12, None, "lxp_12k", id="by type alone"),
        pytest.param(2092, "EAAB", "eg4_12kpv", id="an EG4"),
        pytest.param(10284, "XXXX", "eg4_12kpv", id="FlexBOSS, firmware unknown"),
        pytest.param(7, "XXXX", "acs_3600", id="a small hybrid"),
        pytest.param(99, "EAAB", "eg4_12kpv", id="the firmware knows better"),
        pytest.param(50, "XXXX", None, id="a GridBOSS is none of ours"),
    ],
)
def test_a_model_says_who_it_is(device_type: int, firmware: str | None, model: str | None) -> None:
    found = model_of(device_type, firmware)
    assert (found and found.name) == model


def test_a_models_tables_go_by_address_space() -> None:
    assert tables_for("lxp_12k") == {"input": LXP.inputs, "holding": LXP.holdings}


@pytest.mark.parametrize(
    ("word", "slot"),
    [(0x0015, time(21)), (0x3B17, time(23, 59)), (0x1E17, time(23, 30)), (0, time(0))],
)
def test_a_slot_has_its_hour_in_the_low_byte(word: int, slot: time) -> None:
    row = ACS.holdings["ac_charge_slot_1_start"]
    assert row.decode({68: word}) == slot
    assert row.encode(slot) == (word,)


def test_all_faults_and_warnings_are_named() -> None:
    words = {60: 0x0008, 61: 0x0001, 62: 0x0001, 63: 0x0001}
    shown = ACS.inputs.decode(words).values
    assert shown == {
        "faults": "CT failure, relay check",
        "warnings": "battery communication, no grid",
    }


def test_an_unknown_status_is_shown_as_its_number() -> None:
    assert ACS.inputs["status"].decode({0: 0x33}) == "51"


@pytest.mark.parametrize(
    ("word", "factor"), [(0, 0), (995, 0.995), (1000, 1), (1005, -0.005), (1990, -0.99)]
)
def test_a_power_factor_above_a_thousand_lags(word: int, factor: float) -> None:
    row = ACS.inputs["power_factor"]
    assert row.decode({19: word}) == factor
    assert row.encode(factor) == (word,)


@pytest.mark.parametrize("factor", [1.01, -2, "lots"])
def test_a_power_factor_beyond_one_cannot_be_encoded(factor: float | str) -> None:
    assert PowerFactor().mask == 0xFFFF
    with pytest.raises(NotWritable, match="no power factor"):
        PowerFactor().pack(factor)


@pytest.mark.parametrize("phase", [4096, 132])
def test_noise_on_a_phase_that_is_not_there_is_no_voltage(phase: int) -> None:
    decoded = ACS.inputs.decode({13: phase})
    assert decoded.values == {"grid_s_v": None}
    assert "not between" in decoded.doubts["grid_s_v"]


WRITABLE = [row for table in TABLES for row in table if row.writable is not None]


@given(st.sampled_from(WRITABLE), st.data())
def test_what_is_written_reads_back(row: Register, data: st.DataObject) -> None:
    match row.writable:
        case Range(low=low, high=high, step=step):
            value: object = data.draw(st.integers(0, round((high - low) / step))) * step + low
            assert isinstance(value, int | float)
            (word,) = row.encode(value)
            assert row.decode({row.address: word}) == pytest.approx(value, abs=step / 2)
        case Switch():
            on = data.draw(st.booleans())
            assert row.decode({row.address: row.encode(on)[0]}) is on
        case TimeOfDay():
            slot = data.draw(st.times()).replace(second=0, microsecond=0)
            assert row.decode({row.address: row.encode(slot)[0]}) == slot
        case _:
            pass


@every_table
def test_a_power_factor_has_no_unit_whatever_its_phase_is_called(table: RegisterTable) -> None:
    factors = [row.point for row in table if isinstance(row.word, PowerFactor)]
    assert [point.key for point in factors if point.unit is not None] == []
