"""Input registers of LuxPower and EG4 inverters: what they measure.

Sources: the vendor's register lists of 2023 to 2025, captures in tests/devices/luxpower/.
``aka`` is the key lxp-bridge publishes. 32-bit values have their low word first.
"""
# ruff: noqa: E501 - a register is one line, compared with the vendor's list by eye

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ohmstead.errors import NotWritable
from ohmstead.model import Category, Range
from ohmstead.registers import (
    S16,
    U8_HIGH,
    U8_LOW,
    U16,
    U32_LOW_FIRST,
    Ascii,
    Bits,
    Raw,
    Register,
    RegisterTable,
    bit,
)

__all__ = ["BATTERY_STATE", "FAULTS", "INPUTS", "STATUS", "WARNINGS", "WIDE_AMPERES", "PowerFactor"]

STATUS: Final = MappingProxyType({
    0x00: "standby",
    0x01: "fault",
    0x02: "firmware update",
    0x04: "PV on grid",
    0x08: "PV charge",
    0x0C: "PV charge and on grid",
    0x10: "battery on grid",
    0x11: "bypass",
    0x14: "PV and battery on grid",
    0x19: "PV charge and bypass",
    0x20: "AC charge",
    0x28: "PV and AC charge",
    0x40: "battery off grid",
    0x60: "off grid and battery charge",
    0x80: "PV off grid",
    0x88: "PV charge off grid",
    0xC0: "PV and battery off grid",
})  # fmt: skip
"""What the inverter is doing, by its code."""

FAULTS: Final = MappingProxyType({
    0: "internal communication 1", 1: "model fault", 2: "battery MOS", 3: "CT failure",
    8: "parallel CAN", 9: "parallel master missing", 10: "parallel rating",
    11: "parallel settings differ", 12: "UPS short", 13: "UPS reverse current",
    14: "bus short", 15: "three-phase error", 16: "relay check",
    17: "internal communication 2", 18: "internal communication 3", 19: "bus over-voltage",
    20: "EPS connection", 21: "PV over-voltage", 22: "over-current", 23: "neutral",
    24: "PV short", 25: "heat-sink temperature", 26: "internal", 27: "CPU consistency",
    28: "generator connection", 29: "parallel sync", 31: "internal communication 4",
})  # fmt: skip

WARNINGS: Final = MappingProxyType({
    0: "battery communication", 1: "AFCI communication",
    2: "AFCI high or battery low temperature", 3: "meter communication",
    4: "battery forbids charge and discharge", 5: "auto test failed", 6: "RSD active",
    7: "LCD communication", 8: "firmware mismatch", 9: "fan stuck", 10: "grid overload",
    11: "too many parallel units", 12: "battery MOS or phase loss", 13: "over-temperature",
    14: "several masters", 15: "battery reversed", 16: "no grid", 17: "grid voltage",
    18: "grid frequency", 19: "AC inconsistent", 20: "PV insulation low",
    21: "leakage current", 22: "DC injection", 23: "PV short", 25: "battery voltage high",
    26: "battery voltage low", 27: "battery open", 28: "EPS overload",
    29: "EPS voltage high", 30: "meter reversed", 31: "DC voltage high",
})  # fmt: skip

BATTERY_STATE: Final = MappingProxyType({0: "idle", 2: "standby", 3: "active"})


@dataclass(frozen=True, slots=True)
class PowerFactor:
    """Thousandths; above 1000 the excess counts as lagging, below zero."""

    @property
    def words(self) -> int:
        """One word."""
        return 1

    @property
    def mask(self) -> int:
        """All bits."""
        return 0xFFFF

    def unpack(self, words: Sequence[int]) -> float:
        """Return the factor."""
        raw = words[0]
        return (raw if raw <= _UNITY else _UNITY - raw) / _UNITY

    def pack(self, raw: Raw) -> tuple[int, ...]:
        """Return the word of a factor from -1 to 1."""
        if not isinstance(raw, int | float) or not -1 <= raw <= 1:
            raise NotWritable(f"{raw!r} is no power factor")
        thousandths = round(raw * _UNITY)
        return (thousandths if thousandths >= 0 else _UNITY - thousandths,)


_UNITY: Final = 1000
_U32: Final = U32_LOW_FIRST
_PF: Final = PowerFactor()
_DIAG: Final = Category.DIAGNOSTIC

# A single-phase inverter shows noise on the phases it has not: 409.6 V, 13.2 V.
_PHASE: Final = Range(80, 300)
# A battery that does not report its cells shows zeros.
_CELL: Final = Range(1, 5)
_TEMPERATURE: Final = Range(-50, 150)
_PERCENT: Final = Range(0, 100)

# fmt: off
_FIRST = (
    Register("status",                     0, U16, options=STATUS, aka="status"),
    Register("pv1_v",                      1, U16, scale=0.1, category=_DIAG, aka="v_pv_1"),
    Register("pv2_v",                      2, U16, scale=0.1, category=_DIAG, aka="v_pv_2"),
    Register("pv3_v",                      3, U16, scale=0.1, category=_DIAG, aka="v_pv_3"),
    Register("battery_v",                  4, U16, scale=0.1, aka="v_bat"),
    Register("battery_soc_pct",            5, U8_LOW, plausible=_PERCENT, aka="soc"),
    Register("battery_soh_pct",            5, U8_HIGH, plausible=Range(1, 100), category=_DIAG, aka="soh"),  # 0 on old firmware
    Register("internal_fault",             6, U16, category=_DIAG, aka="internal_fault"),  # never zero on an ACS: no alarm
    Register("pv1_w",                      7, U16, aka="p_pv_1"),
    Register("pv2_w",                      8, U16, aka="p_pv_2"),
    Register("pv3_w",                      9, U16, aka="p_pv_3"),  # the vendor's text says total; captures say string 3
    Register("battery_charge_w",          10, U16, aka="p_charge"),
    Register("battery_discharge_w",       11, U16, aka="p_discharge"),
    Register("grid_v",                    12, U16, scale=0.1, aka="v_ac_r"),
    Register("grid_s_v",                  13, U16, scale=0.1, plausible=_PHASE, category=_DIAG, aka="v_ac_s"),
    Register("grid_t_v",                  14, U16, scale=0.1, plausible=_PHASE, category=_DIAG, aka="v_ac_t"),
    Register("grid_hz",                   15, U16, scale=0.01, aka="f_ac"),
    Register("inverter_w",                16, U16, aka="p_inv"),  # inverter to AC bus
    Register("rectifier_w",               17, U16, aka="p_rec"),  # AC bus to battery
    Register("inverter_a",                18, U16, scale=0.01, category=_DIAG),
    Register("power_factor",              19, _PF, category=_DIAG, aka="pf"),
    Register("eps_v",                     20, U16, scale=0.1, category=_DIAG, aka="v_eps_r"),
    Register("eps_s_v",                   21, U16, scale=0.1, plausible=_PHASE, category=_DIAG, aka="v_eps_s"),
    Register("eps_t_v",                   22, U16, scale=0.1, plausible=_PHASE, category=_DIAG, aka="v_eps_t"),
    Register("eps_hz",                    23, U16, scale=0.01, category=_DIAG, aka="f_eps"),
    Register("eps_w",                     24, U16, aka="p_eps"),
    Register("eps_va",                    25, U16, category=_DIAG, aka="s_eps"),
    Register("grid_export_w",             26, U16, aka="p_to_grid"),
    Register("grid_import_w",             27, U16, aka="p_to_user"),
    Register("pv1_today_kwh",             28, U16, scale=0.1, aka="e_pv_day_1"),  # day totals begin anew at the inverter's own midnight
    Register("pv2_today_kwh",             29, U16, scale=0.1, aka="e_pv_day_2"),
    Register("pv3_today_kwh",             30, U16, scale=0.1, aka="e_pv_day_3"),
    Register("inverter_today_kwh",        31, U16, scale=0.1, category=_DIAG, aka="e_inv_day"),
    Register("ac_charge_today_kwh",       32, U16, scale=0.1, aka="e_rec_day"),
    Register("battery_charge_today_kwh",  33, U16, scale=0.1, aka="e_chg_day"),
    Register("battery_discharge_today_kwh", 34, U16, scale=0.1, aka="e_dischg_day"),
    Register("eps_today_kwh",             35, U16, scale=0.1, category=_DIAG, aka="e_eps_day"),
    Register("grid_export_today_kwh",     36, U16, scale=0.1, aka="e_to_grid_day"),
    Register("grid_import_today_kwh",     37, U16, scale=0.1, aka="e_to_user_day"),
    Register("bus_1_v",                   38, U16, scale=0.1, category=_DIAG, aka="v_bus_1"),
    Register("bus_2_v",                   39, U16, scale=0.1, category=_DIAG, aka="v_bus_2"),
)

_SECOND = (
    Register("pv1_total_kwh",             40, _U32, scale=0.1, aka="e_pv_all_1"),
    Register("pv2_total_kwh",             42, _U32, scale=0.1, aka="e_pv_all_2"),
    Register("pv3_total_kwh",             44, _U32, scale=0.1, aka="e_pv_all_3"),
    Register("inverter_total_kwh",        46, _U32, scale=0.1, category=_DIAG, aka="e_inv_all"),
    Register("ac_charge_total_kwh",       48, _U32, scale=0.1, aka="e_rec_all"),
    Register("battery_charge_total_kwh",  50, _U32, scale=0.1, aka="e_chg_all"),
    Register("battery_discharge_total_kwh", 52, _U32, scale=0.1, aka="e_dischg_all"),
    Register("eps_total_kwh",             54, _U32, scale=0.1, category=_DIAG, aka="e_eps_all"),
    Register("grid_export_total_kwh",     56, _U32, scale=0.1, aka="e_to_grid_all"),
    Register("grid_import_total_kwh",     58, _U32, scale=0.1, aka="e_to_user_all"),
    Register("faults",                    60, _U32, flags=FAULTS, aka="fault_code"),
    Register("warnings",                  62, _U32, flags=WARNINGS, aka="warning_code"),
    Register("inside_c",                  64, S16, plausible=_TEMPERATURE, category=_DIAG, aka="t_inner"),
    Register("radiator_1_c",              65, S16, plausible=_TEMPERATURE, category=_DIAG, aka="t_rad_1"),
    Register("radiator_2_c",              66, S16, plausible=_TEMPERATURE, category=_DIAG, aka="t_rad_2"),
    Register("battery_c",                 67, S16, plausible=_TEMPERATURE, aka="t_bat"),
    Register("runtime_s",                 69, _U32, category=_DIAG, aka="runtime"),
    Register("auto_test_state",           71, Bits(0, 4), category=_DIAG),
    Register("auto_test_result",          71, Bits(4, 4), category=_DIAG),
    Register("auto_test_step",            71, Bits(8, 4), category=_DIAG),
    Register("auto_test_limit",           72, U16, category=_DIAG),  # 72-75: string currents on some newer firmware
    Register("auto_test_default_time",    73, U16, category=_DIAG),
    Register("auto_test_trip_value",      74, U16, category=_DIAG),
    Register("auto_test_trip_time",       75, U16, category=_DIAG),
    Register("generator_at_input",        77, bit(0), category=_DIAG),
    Register("ac_couple_flows",           77, bit(1), category=_DIAG),
    Register("ac_couple_on",              77, bit(2), category=_DIAG),
    Register("smart_load_flows",          77, bit(3), category=_DIAG),
    Register("smart_load_on",             77, bit(4), category=_DIAG),
    Register("eps_load_shown",            77, bit(5), category=_DIAG),
    Register("grid_load_shown",           77, bit(6), category=_DIAG),
    Register("load_shown",                77, bit(7), category=_DIAG),
)

_THIRD = (
    Register("bms_type",                  80, U16, category=_DIAG),
    Register("bms_charge_limit_a",        81, U16, scale=0.01, category=_DIAG, aka="max_chg_curr"),  # 0 when full
    Register("bms_discharge_limit_a",     82, U16, scale=0.01, category=_DIAG, aka="max_dischg_curr"),
    Register("bms_charge_v",              83, U16, scale=0.1, category=_DIAG, aka="charge_volt_ref"),
    Register("bms_cutoff_v",              84, U16, scale=0.1, category=_DIAG, aka="dischg_cut_volt"),
    *(Register(f"bms_status_{n}",    85 + n, U16, category=_DIAG, aka=f"bat_status_{n}") for n in range(10)),
    Register("battery_state",             95, U16, options=BATTERY_STATE, category=_DIAG, aka="bat_status_inv"),
    Register("battery_count",             96, U16, category=_DIAG, aka="bat_count"),
    Register("battery_capacity_ah",       97, U16, category=_DIAG, aka="bat_capacity"),
    Register("battery_a",                 98, S16, scale=-0.01, aka="bat_current"),  # the vendor counts charging as positive
    Register("bms_fault",                 99, U16, category=_DIAG, aka="bms_event_1"),
    Register("bms_warning",              100, U16, category=_DIAG, aka="bms_event_2"),
    Register("cell_max_v",               101, U16, scale=0.001, plausible=_CELL, category=_DIAG, aka="max_cell_voltage"),
    Register("cell_min_v",               102, U16, scale=0.001, plausible=_CELL, category=_DIAG, aka="min_cell_voltage"),
    Register("cell_max_c",               103, S16, scale=0.1, plausible=_TEMPERATURE, category=_DIAG, aka="max_cell_temp"),
    Register("cell_min_c",               104, S16, scale=0.1, plausible=_TEMPERATURE, category=_DIAG, aka="min_cell_temp"),
    Register("bms_update_state",         105, Bits(0, 3), category=_DIAG, aka="bms_fw_update_state"),
    Register("generator_contact_closed", 105, bit(4), category=_DIAG),
    Register("battery_cycles",           106, U16, category=_DIAG, aka="cycle_count"),
    Register("battery_at_inverter_v",    107, U16, scale=0.1, category=_DIAG, aka="vbat_inv"),
    *(Register(f"sensor_{n}_c",    107 + n, S16, scale=0.1, plausible=_TEMPERATURE, category=_DIAG) for n in range(1, 6)),
    Register("parallel_role",            113, Bits(0, 2), options={1: "master", 2: "slave"}, category=_DIAG),
    Register("parallel_phase",           113, Bits(2, 2), options={1: "R", 2: "S", 3: "T"}, category=_DIAG),
    Register("parallel_order",           113, Bits(4, 2), category=_DIAG),
    Register("parallel_count",           113, U8_HIGH, category=_DIAG),
    Register("on_grid_load_w",           114, U16, category=_DIAG),  # 12 kW models and larger
    Register("inverter_serial",          115, Ascii(5, low_first=True), category=_DIAG),
)

_FOURTH = (
    Register("half_bus_v",               120, U16, scale=0.1, category=_DIAG),
    Register("generator_v",              121, U16, scale=0.1, category=_DIAG, aka="v_gen"),
    Register("generator_hz",             122, U16, scale=0.01, category=_DIAG, aka="f_gen"),
    Register("generator_w",              123, U16, aka="p_gen"),
    Register("generator_today_kwh",      124, U16, scale=0.1, category=_DIAG, aka="e_gen_day"),
    Register("generator_total_kwh",      125, _U32, scale=0.1, category=_DIAG, aka="e_gen_all"),
    Register("eps_l1_v",                 127, U16, scale=0.1, category=_DIAG, aka="v_eps_l1"),
    Register("eps_l2_v",                 128, U16, scale=0.1, category=_DIAG, aka="v_eps_l2"),
    Register("eps_l1_w",                 129, U16, category=_DIAG, aka="p_eps_l1"),
    Register("eps_l2_w",                 130, U16, category=_DIAG, aka="p_eps_l2"),
    Register("eps_l1_va",                131, U16, category=_DIAG, aka="s_eps_l1"),
    Register("eps_l2_va",                132, U16, category=_DIAG, aka="s_eps_l2"),
    Register("eps_l1_today_kwh",         133, U16, scale=0.1, category=_DIAG, aka="e_eps_l1_day"),
    Register("eps_l2_today_kwh",         134, U16, scale=0.1, category=_DIAG, aka="e_eps_l2_day"),
    Register("eps_l1_total_kwh",         135, _U32, scale=0.1, category=_DIAG, aka="e_eps_l1_all"),
    Register("eps_l2_total_kwh",         137, _U32, scale=0.1, category=_DIAG, aka="e_eps_l2_all"),
    Register("inverter_var",             139, S16, category=_DIAG),
    *(Register(f"afci_{n}_ma",     139 + n, U16, category=_DIAG) for n in range(1, 5)),
    Register("afci_alarms",              144, Bits(0, 4), flags={n: f"channel {n + 1}" for n in range(4)}, category=_DIAG),
    Register("afci_self_test_failures",  144, Bits(4, 4), flags={n: f"channel {n + 1}" for n in range(4)}, category=_DIAG),
    *(Register(f"afci_{n}_arc",    144 + n, U16, category=_DIAG) for n in range(1, 5)),
    *(Register(f"afci_{n}_arc_max", 148 + n, U16, category=_DIAG) for n in range(1, 5)),
    Register("ac_couple_w",              153, U16, category=_DIAG),
    *(Register(f"auto_test_trip_value_{n}", 153 + n, U16, category=_DIAG) for n in range(1, 9)),
    *(Register(f"auto_test_trip_time_{n}", 161 + n, U16, category=_DIAG) for n in range(1, 9)),
    Register("reported_load_w",          170, S16, category=_DIAG),
    Register("load_today_kwh",           171, U16, scale=0.1),
    Register("load_total_kwh",           172, _U32, scale=0.1),
    Register("switch_state",             174, U16, category=_DIAG),
    Register("eps_overload_reconnect_s", 175, U16, category=_DIAG),
    Register("mode_left_reason",         176, U16, category=_DIAG),
    Register("mode_refused_reason",      177, U16, category=_DIAG),
    Register("charge_refused_reason",    178, U8_LOW, category=_DIAG),
    Register("discharge_refused_reason", 178, U8_HIGH, category=_DIAG),
)

_PHASES = (
    Register("inverter_s_w",             180, U16, category=_DIAG),
    Register("inverter_t_w",             181, U16, category=_DIAG),
    Register("rectifier_s_w",            182, U16, category=_DIAG),
    Register("rectifier_t_w",            183, U16, category=_DIAG),
    Register("grid_export_s_w",          184, U16, category=_DIAG),
    Register("grid_export_t_w",          185, U16, category=_DIAG),
    Register("grid_import_s_w",          186, U16, category=_DIAG),
    Register("grid_import_t_w",          187, U16, category=_DIAG),
    Register("generator_s_w",            188, U16, category=_DIAG),
    Register("generator_t_w",            189, U16, category=_DIAG),
    Register("inverter_s_a",             190, U16, scale=0.01, category=_DIAG),
    Register("inverter_t_a",             191, U16, scale=0.01, category=_DIAG),
    Register("phase_s_power_factor",     192, _PF, category=_DIAG),
    Register("grid_l1_v",                193, U16, scale=0.1, category=_DIAG),
    Register("grid_l2_v",                194, U16, scale=0.1, category=_DIAG),
    Register("generator_l1_v",           195, U16, scale=0.1, category=_DIAG),
    Register("generator_l2_v",           196, U16, scale=0.1, category=_DIAG),
    Register("inverter_l1_w",            197, U16, category=_DIAG),
    Register("inverter_l2_w",            198, U16, category=_DIAG),
    Register("rectifier_l1_w",           199, U16, category=_DIAG),
    Register("rectifier_l2_w",           200, U16, category=_DIAG),
    Register("grid_export_l1_w",         201, U16, category=_DIAG),
    Register("grid_export_l2_w",         202, U16, category=_DIAG),
    Register("grid_import_l1_w",         203, U16, category=_DIAG),
    Register("grid_import_l2_w",         204, U16, category=_DIAG),
    Register("phase_t_power_factor",     205, _PF, category=_DIAG),
    Register("ac_couple_s_w",            206, U16, category=_DIAG),
    Register("ac_couple_t_w",            207, U16, category=_DIAG),
    Register("load_s_w",                 208, U16, category=_DIAG),
    Register("load_t_w",                 209, U16, category=_DIAG),
    Register("quick_charge_left_s",      210, U16, category=_DIAG),
    *(Register(f"sensor_{n}_c",    208 + n, S16, plausible=_TEMPERATURE, category=_DIAG) for n in range(6, 9)),
    *(Register(f"pv{n}_v",         213 + n, U16, scale=0.1, category=_DIAG) for n in range(4, 7)),
    *(Register(f"pv{n}_w",         216 + n, U16) for n in range(4, 7)),
    Register("pv4_today_kwh",            223, U16, scale=0.1),
    Register("pv4_total_kwh",            224, _U32, scale=0.1),
    Register("pv5_today_kwh",            226, U16, scale=0.1),
    Register("pv5_total_kwh",            227, _U32, scale=0.1),
    Register("pv6_today_kwh",            229, U16, scale=0.1),
    Register("pv6_total_kwh",            230, _U32, scale=0.1),
    Register("smart_load_w",             232, U16, category=_DIAG),
    # From about 236 on the block repeats holding registers; nothing there is a measurement.
)

WIDE_AMPERES = (
    Register("bms_charge_limit_a",        81, U16, scale=0.1, category=_DIAG, aka="max_chg_curr"),
    Register("bms_discharge_limit_a",     82, U16, scale=0.1, category=_DIAG, aka="max_dischg_curr"),
    Register("battery_a",                 98, S16, scale=-0.1, aka="bat_current"),
)
"""The same currents as models of 12 kW and more count them."""
# fmt: on

INPUTS: Final = RegisterTable(
    "luxpower", (*_FIRST, *_SECOND, *_THIRD, *_FOURTH, *_PHASES), space="input"
)
