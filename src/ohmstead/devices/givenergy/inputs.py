"""Input registers of single-phase GivEnergy inverters: what they measure.

The vendor counts exported power and a discharging battery positive; a scale of -1 turns the
grid round. The meter clamp is register 30; register 24 is the inverter's own terminal.
Sources: the vendor's register list 4.1.6, captures in tests/devices/givenergy/.
"""
# ruff: noqa: E501 - a register is one line, compared with the vendor's list by eye

from typing import Final

from ohmstead.devices.givenergy.texts import CHARGE_STATUS, CHARGER_WARNINGS, STATUS
from ohmstead.model import Category, Kind, Range
from ohmstead.registers import S16, U16, U32, Register

__all__ = ["GEN1_ENERGIES", "GENERATION", "MEASURED", "MORE_ENERGIES"]

_DIAG: Final = Category.DIAGNOSTIC
_VOLTS: Final = Range(0, 500)
_STRING_V: Final = Range(0, 2_000)
_AMPERES: Final = Range(0, 500)
_MAINS_HZ: Final = Range(40, 70)
_POWER_W: Final = Range(0, 50_000)
_BOTH_W: Final = Range(-30_000, 30_000)
"""Nothing that hangs on one phase moves more; a word beyond it is noise."""
_INSIDE_C: Final = Range(-40, 100)

# fmt: off
MEASURED: Final = (
    Register("status",                       0, options=STATUS),
    Register("pv1_v",                        1, U16, 0.1, plausible=_STRING_V),
    Register("pv2_v",                        2, U16, 0.1, plausible=_STRING_V),
    Register("positive_bus_v",               3, U16, 0.1, category=_DIAG),
    Register("negative_bus_v",               4, U16, 0.1, category=_DIAG),
    Register("grid_v",                       5, U16, 0.1, plausible=_VOLTS),
    Register("battery_throughput_kwh",       6, U32, 0.1),
    Register("pv1_a",                        8, U16, 0.1, plausible=_AMPERES),
    Register("pv2_a",                        9, U16, 0.1, plausible=_AMPERES),
    Register("inverter_a",                  10, U16, 0.1, plausible=_AMPERES),
    Register("pv_total_kwh",                11, U32, 0.1),
    Register("grid_hz",                     13, U16, 0.01, plausible=_MAINS_HZ),
    Register("charge_status",               14, options=CHARGE_STATUS),
    Register("high_bus_v",                  15, U16, 0.1, category=_DIAG),
    Register("power_factor",                16, U16, 0.0001, offset=-1, plausible=Range(-1, 1), category=_DIAG),
    Register("pv1_today_kwh",               17, U16, 0.1),
    Register("pv1_w",                       18, plausible=_POWER_W),
    Register("pv2_today_kwh",               19, U16, 0.1),
    Register("pv2_w",                       20, plausible=_POWER_W),
    Register("grid_export_total_kwh",       21, U32, 0.1),
    Register("solar_diverter_kwh",          23, U16, 0.1, category=_DIAG),
    Register("inverter_w",                  24, S16, plausible=_BOTH_W),  # above zero to the house
    Register("grid_export_today_kwh",       25, U16, 0.1),
    Register("grid_import_today_kwh",       26, U16, 0.1),
    Register("ac_charge_total_kwh",         27, U32, 0.1),
    Register("discharge_year_kwh",          29, U16, 0.1, category=_DIAG),
    Register("grid_w",                      30, S16, -1, plausible=_BOTH_W),
    Register("eps_w",                       31, plausible=_POWER_W),
    Register("grid_import_total_kwh",       32, U32, 0.1),
    Register("ac_charge_today_kwh",         35, U16, 0.1),
    Register("battery_charge_today_kwh",    36, U16, 0.1),
    Register("battery_discharge_today_kwh", 37, U16, 0.1),
    Register("start_countdown_s",           38, category=_DIAG),
    Register("fault_word",                  39, category=_DIAG),
    Register("warning_word",                40, category=_DIAG),
    Register("heatsink_c",                  41, S16, 0.1, plausible=_INSIDE_C),
    Register("load_w",                      42, plausible=_POWER_W),
    Register("grid_va",                     43, plausible=_POWER_W),
    Register("inverter_today_kwh",          44, U16, 0.1),
    Register("inverter_total_kwh",          45, U32, 0.1),
    Register("runtime_h",                   47, U32, plausible=Range(0, 876_000), kind=Kind.TOTAL, category=_DIAG),
    Register("system_mode",                 49, category=_DIAG),
    Register("battery_v",                   50, U16, 0.01, plausible=Range(0, 600)),
    Register("battery_a",                   51, S16, 0.01, plausible=Range(-300, 300)),  # above zero discharges
    Register("battery_w",                   52, S16, plausible=_BOTH_W),
    Register("eps_v",                       53, U16, 0.1, plausible=_VOLTS),
    Register("eps_hz",                      54, U16, 0.01, plausible=_MAINS_HZ),
    Register("charger_c",                   55, S16, 0.1, plausible=_INSIDE_C),
    Register("battery_c",                   56, S16, 0.1, plausible=_INSIDE_C),
    Register("charger_warnings",            57, flags=CHARGER_WARNINGS),
    Register("grid_port_a",                 58, S16, 0.01),
    Register("battery_soc_pct",             59, plausible=Range(0, 100)),
)

MORE_ENERGIES: Final = (
    Register("battery_discharge_other_total_kwh", 180, U16, 0.1, category=_DIAG),
    Register("battery_charge_other_total_kwh",    181, U16, 0.1, category=_DIAG),
    Register("battery_discharge_other_today_kwh", 182, U16, 0.1, category=_DIAG),
    Register("battery_charge_other_today_kwh",    183, U16, 0.1, category=_DIAG),
)
"""Where later models keep nothing, or the same again."""

GEN1_ENERGIES: Final = (
    Register("battery_charge_other_today_kwh",    36, U16, 0.1, category=_DIAG),
    Register("battery_discharge_other_today_kwh", 37, U16, 0.1, category=_DIAG),
    Register("battery_discharge_total_kwh",      180, U16, 0.1),
    Register("battery_charge_total_kwh",         181, U16, 0.1),
    Register("battery_discharge_today_kwh",      182, U16, 0.1),
    Register("battery_charge_today_kwh",         183, U16, 0.1),
)
"""The first generation counts its battery's energy here."""

GENERATION: Final = (Register("generation_w", 247, U32, plausible=Range(0, 100_000)),)
"""All generation together, on generation 3 and later."""
