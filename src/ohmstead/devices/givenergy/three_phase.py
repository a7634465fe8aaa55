"""What three-phase GivEnergy inverters have beside the common registers: 1000 to 1413.

Sources: the vendor's register list 4.1.6 and captures in tests/devices/givenergy/.
"""
# ruff: noqa: E501 - a register is one line, compared with the vendor's list by eye

from typing import Final

from ohmstead.devices.givenergy.holdings import level, limits, shown, slot, switch
from ohmstead.devices.givenergy.texts import (
    BATTERY_TYPE,
    MAINTENANCE,
    STATUS,
    THREE_PHASE_FAULTS,
)
from ohmstead.model import Category, Kind, Range
from ohmstead.registers import S16, S32, U16, U32, YES_NO, Ascii, Register

__all__ = ["THREE_PHASE_HOLDINGS", "THREE_PHASE_INPUTS"]

_DIAG: Final = Category.DIAGNOSTIC
_VOLTS: Final = Range(0, 500)
_PACK_V: Final = Range(0, 1_000)
_AMPERES: Final = Range(0, 500)
_HZ: Final = Range(40, 70)
_POWER_W: Final = Range(0, 100_000)
_RATE: Final = Range(1, 100)


def _energy(name: str, address: int) -> Register:
    return Register(f"{name}_kwh", address, U32, 0.1)


def _power(name: str, address: int) -> Register:
    return Register(f"{name}_w", address, U32, 0.1, plausible=_POWER_W)


# fmt: off
THREE_PHASE_HOLDINGS: Final = (
    shown("system_enabled", 1000, YES_NO),
    shown("commands_saved", 1001, YES_NO),
    shown("active_power_order_pct", 1002),
    shown("reactive_power_order_pct", 1003),
    shown("power_factor_order", 1004),
    shown("three_phase_real_time_control_enabled", 1005, YES_NO),
    shown("grid_connect_wait_s", 1007),
    shown("grid_reconnect_wait_s", 1008),
    shown("grid_connect_slope", 1009),
    shown("baud_rate_number", 1010),
    shown("grid_reconnect_slope", 1011),
    shown("meter_failure_setting", 1017),
    *limits(1018, "stage_1", "stage_2", "stage_3", "connection"),
    *(shown(f"grid_{name}_s", 1034 + n, U16, 0.01) for n, name in enumerate((
        "low_voltage_trip", "high_voltage_trip", "low_voltage_stage_2", "high_voltage_stage_2",
        "low_frequency_trip", "high_frequency_trip", "low_frequency_stage_2", "high_frequency_stage_2",
    ))),
    shown("ten_minutes_high_v", 1042, U16, 0.1),
    shown("three_phase_power_factor_model", 1043),
    shown("overfrequency_start_hz", 1045, U16, 0.01),
    shown("overfrequency_slope_pct", 1046),
    shown("q_lock_in_pct", 1047),
    shown("q_lock_out_pct", 1048),
    shown("power_factor_lock_in_v", 1049, U16, 0.1),
    shown("power_factor_lock_out_v", 1050, U16, 0.1),
    shown("underfrequency_slope_pct", 1051),
    shown("reactive_delay_s", 1052),
    shown("overfrequency_delay_s", 1053, U16, 0.01),
    *(shown(f"power_factor_limit_{n}_load_pct", 1052 + 2 * n) for n in (1, 2, 3, 4)),
    shown("export_rate_pct", 1063, U16, 0.1),
    shown("underfrequency_start_hz", 1064, U16, 0.01),
    shown("underfrequency_end_hz", 1065, U16, 0.01),
    shown("overfrequency_end_hz", 1066, U16, 0.01),
    shown("underfrequency_delay_s", 1067, U16, 0.01),
    shown("overfrequency_stop_hz", 1069, U16, 0.01),
    shown("overfrequency_recovery_s", 1070, U16, 0.01),
    shown("zero_current_low_v", 1071, U16, 0.1),
    shown("zero_current_high_v", 1072, U16, 0.1),
    shown("power_on_recovery_hz", 1073, U16, 0.01),
    shown("underfrequency_stop_hz", 1074, U16, 0.01),
    shown("underfrequency_recovery_s", 1075, U16, 0.01),
    shown("three_phase_pv_input_mode", 1077),
    level("load_first_stop_soc_pct", 1078),
    shown("power_derating_delay_s", 1079, U16, 0.01),
    shown("three_phase_battery_type", 1080, options=BATTERY_TYPE),
    shown("voltage_reactive_power_pct", 1085),
    shown("lead_acid_most_charge_a", 1088),
    shown("lead_acid_low_v", 1089, U16, 0.1),
    shown("lead_acid_charge_v", 1090, U16, 0.1),
    shown("lead_acid_count", 1091),
    shown("three_phase_drm_enabled", 1093, YES_NO),
    shown("bypass_enabled", 1100, YES_NO),
    shown("neutral_earth_relay_enabled", 1101, YES_NO),
    shown("export_limit_w", 1102),
    shown("export_limit_enabled", 1103, YES_NO),
    shown("unbalanced_output_enabled", 1104, YES_NO),
    shown("backup_enabled", 1105, YES_NO),
    shown("backup_nominal_volts_number", 1106),
    shown("backup_nominal_hertz_number", 1107),
    level("ac_discharge_rate_pct", 1108, _RATE),
    level("discharge_floor_soc_pct", 1109),
    level("ac_charge_rate_pct", 1110, _RATE),
    level("charge_target_soc_pct", 1111),
    switch("ac_charge_enabled", 1112),
    *slot("charge_slot_1", 1113),
    *slot("charge_slot_2", 1115),
    shown("load_compensation_enabled", 1117, YES_NO),
    *slot("discharge_slot_1", 1118),
    *slot("discharge_slot_2", 1120),
    switch("forced_discharge_enabled", 1122),
    switch("forced_charge_enabled", 1123),
    shown("maintenance_mode", 1124, options=MAINTENANCE),
)

THREE_PHASE_INPUTS: Final = (
    Register("pv1_v",               1001, U16, 0.1, plausible=Range(0, 2_000)),
    Register("pv2_v",               1002, U16, 0.1, plausible=Range(0, 2_000)),
    Register("pv1_a",               1009, U16, 0.1, plausible=_AMPERES),
    Register("pv2_a",               1010, U16, 0.1, plausible=_AMPERES),
    _power("pv1",                   1017),
    _power("pv2",                   1019),
    Register("grid_v",              1061, U16, 0.1, plausible=_VOLTS),
    Register("grid_phase_2_v",      1062, U16, 0.1, plausible=_VOLTS),
    Register("grid_phase_3_v",      1063, U16, 0.1, plausible=_VOLTS),
    Register("inverter_a",          1064, U16, 0.1, plausible=_AMPERES),
    Register("inverter_phase_2_a",  1065, U16, 0.1, plausible=_AMPERES),
    Register("inverter_phase_3_a",  1066, U16, 0.1, plausible=_AMPERES),
    Register("grid_hz",             1067, U16, 0.01, plausible=_HZ),
    Register("power_factor",        1068, S16, 0.001, plausible=Range(-1, 1), category=_DIAG),
    Register("inverter_w",          1069, S32, 0.1, plausible=Range(-100_000, 100_000)),
    _power("ac_charge",             1071),
    Register("grid_va",             1073, U32, 0.1, plausible=_POWER_W),
    Register("system_mode",         1075, category=_DIAG),
    Register("status",              1076, options=STATUS),
    Register("start_countdown_s",   1077, category=_DIAG),
    _power("grid_import",           1079),
    _power("grid_export",           1081),
    *(Register(f"grid_phase_{n}_w", 1082 + n, S16, -1) for n in (1, 2, 3)),
    _power("load",                  1089),
    *(Register(f"inverter_phase_{n}_w", 1090 + n, S16) for n in (1, 2, 3)),
    *(Register(f"output_phase_{n}_v", 1093 + n, U16, 0.1, plausible=_VOLTS) for n in (1, 2, 3)),
    Register("battery_priority",    1120, category=_DIAG),
    Register("battery_type_shown",  1121, options=BATTERY_TYPE, category=_DIAG),
    Register("dc_status",           1124, options=STATUS, category=_DIAG),
    Register("inverter_c",          1128, S16, 0.1, plausible=Range(-60, 150)),
    Register("boost_c",             1129, S16, 0.1, plausible=Range(-60, 150)),
    Register("buck_boost_c",        1130, S16, 0.1, plausible=Range(-60, 150)),
    Register("battery_v",           1131, U16, 0.1, plausible=_PACK_V),
    Register("battery_soc_pct",     1132, plausible=Range(0, 100)),
    Register("battery_at_inverter_v", 1133, U16, 0.1, plausible=_PACK_V),
    Register("dc_bus_v",            1134, U16, 0.1, category=_DIAG),
    Register("inverter_bus_v",      1135, U16, 0.1, category=_DIAG),
    _power("battery_discharge",     1136),
    _power("battery_charge",        1138),
    Register("battery_a",           1140, S16, 0.01, plausible=Range(-300, 300)),
    Register("eps_hz",              1180, U16, 0.01, plausible=_HZ),
    *(Register(f"eps_phase_{n}_v", 1180 + n, U16, 0.1, plausible=_VOLTS) for n in (1, 2, 3)),
    *(Register(f"eps_phase_{n}_a", 1183 + n, U16, 0.1, plausible=_AMPERES) for n in (1, 2, 3)),
    *(Register(f"eps_phase_{n}_va", 1185 + 2 * n, U32, 0.1, plausible=_POWER_W) for n in (1, 2, 3)),
    Register("export_var",          1240, U32, 0.1, plausible=_POWER_W, category=_DIAG),
    _power("second_meter",          1244),
    *(Register(f"faults_{n}", address, flags=names, category=_DIAG) for n, (address, names) in enumerate(THREE_PHASE_FAULTS.items())),
    Register("software",            1317, Ascii(3), category=_DIAG),
    Register("firmware_name",       1320, Ascii(5), category=_DIAG),
    Register("ac_dsp_firmware",     1325, category=_DIAG),
    Register("dc_dsp_firmware",     1326, category=_DIAG),
    Register("three_phase_arm_firmware", 1327, category=_DIAG),
    _energy("inverter_today",       1360),
    _energy("inverter_total",       1362),
    _energy("pv1_today",            1366),
    _energy("pv1_total",            1368),
    _energy("pv2_today",            1370),
    _energy("pv2_total",            1372),
    _energy("pv_total",             1374),
    _energy("ac_charge_today",      1376),
    _energy("ac_charge_total",      1378),
    _energy("grid_import_today",    1380),
    _energy("grid_import_total",    1382),
    _energy("grid_export_today",    1384),
    _energy("grid_export_total",    1386),
    _energy("battery_discharge_today", 1388),
    _energy("battery_discharge_total", 1390),
    _energy("battery_charge_today", 1392),
    _energy("battery_charge_total", 1394),
    _energy("load_today",           1396),
    _energy("load_total",           1398),
    _energy("other_export_today",   1400),
    _energy("other_export_total",   1402),
    Register("pv_today_kwh",        1412, U32, 0.1, kind=Kind.TOTAL),
)
