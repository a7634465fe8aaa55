"""Holding registers of LuxPower and EG4 inverters: what they are set to.

Sources: the vendor's register lists of 2023 to 2025, captures in tests/devices/luxpower/.
Three sorts of rows: settings for everyday automation; ``opt_in`` ones, which configure the
plant; and rows without ``writable``, which nobody writes: protection, grid code, battery
chemistry. Grid-code rows whose layout is uncertain are left out: they are of no use here.
"""
# ruff: noqa: E501 - a register is one line, compared with the vendor's list by eye

from typing import Final

from ohmstead.model import Button, Category, Choice, Instant, Range, Switch, TimeOfDay
from ohmstead.registers import (
    HOUR_MINUTE,
    S16,
    U8_HIGH,
    U8_LOW,
    U16,
    U32_LOW_FIRST,
    YMDHMS_PACKED,
    Ascii,
    Bits,
    Register,
    RegisterTable,
    Word,
    bit,
)

__all__ = ["HOLDINGS", "HUNDREDS_OF_WATTS"]

_CONF: Final = Category.CONFIGURATION
_DIAG: Final = Category.DIAGNOSTIC
_PERCENT: Final = Range(0, 100)
_CLOCK: Final = TimeOfDay()

_AC_CHARGE_BY: Final = {
    0: "off",
    1: "time",
    2: "voltage",
    3: "soc",
    4: "voltage and time",
    5: "soc and time",
}
_DISCHARGE_BY: Final = {0: "voltage", 1: "soc", 2: "both"}
_OUTPUT: Final = {0: "battery", 1: "pv", 2: "ac"}
_LINE: Final = {0: "appliance", 1: "ups", 2: "generator"}
_BY: Final = {0: "soc", 1: "voltage"}


def _slots(
    name: str, address: int, *, count: int = 3, opt_in: bool = False
) -> tuple[Register, ...]:
    """Return *count* pairs of start and end; 00:00 to 00:00 is off, a slot may cross midnight."""
    return tuple(
        Register(
            f"{name}_slot_{n // 2 + 1}_{'end' if n % 2 else 'start'}",
            address + n,
            HOUR_MINUTE,
            writable=_CLOCK,
            category=_CONF,
            opt_in=opt_in,
        )
        for n in range(2 * count)
    )


def _protection(name: str, number: int, aka: str) -> Register:
    return Register(name, 21, bit(number), category=_DIAG, aka=aka)


def _switch(name: str, address: int, number: int, aka: str = "") -> Register:
    return Register(
        name, address, bit(number), writable=Switch(), category=_CONF, opt_in=True, aka=aka
    )


def _shown(name: str, address: int, number: int, aka: str = "") -> Register:
    return Register(name, address, bit(number), category=_DIAG, aka=aka)


def _choice(name: str, address: int, word: Word, options: dict[int, str]) -> Register:
    names = Choice(tuple(options.values()))
    return Register(
        name, address, word, options=options, writable=names, category=_CONF, opt_in=True
    )


def _config(name: str, address: int, low: float, high: float, *, scale: float = 1) -> Register:
    bounds = Range(low, high, scale)
    return Register(name, address, U16, scale=scale, writable=bounds, category=_CONF, opt_in=True)


# fmt: off
_IDENTITY = (
    Register("model_word",             0, U32_LOW_FIRST, category=_DIAG),
    Register("serial",                 2, Ascii(5, low_first=True), category=_DIAG),
    Register("firmware",               7, Ascii(2, low_first=True), category=_DIAG),
    Register("communication_version",  9, U8_LOW, category=_DIAG),
    Register("slave_version",          9, U8_HIGH, category=_DIAG),
    Register("control_version",       10, U8_LOW, category=_DIAG),
    Register("external_version",      10, U8_HIGH, category=_DIAG),
    Register("reset_state",           11, U16, category=_DIAG),  # bit 1 is a factory reset: never written
    Register("clock",                 12, YMDHMS_PACKED, writable=Instant(), category=_CONF),  # local time; all three words at once
    Register("modbus_address",        15, U16, category=_DIAG),
    _config("language",               16, 0, 1),
    Register("device_type",           19, U16, category=_DIAG),
    Register("pv_wiring",             20, U16, category=_DIAG),
    Register("eps_enabled",           21, bit(0), category=_DIAG, aka="eps_en"),  # an ACS refuses it
    _protection("overfrequency_derating_enabled", 1, "ovf_load_derate_en"),
    _protection("drms_enabled",        2, "drms_en"),
    _protection("lvrt_enabled",        3, "lvrt_en"),
    _protection("anti_islanding_enabled", 4, "anti_island_en"),
    _protection("neutral_detection_enabled", 5, "neutral_detect_en"),
    _protection("soft_start_enabled",  6, "grid_on_power_ss_en"),
    Register("ac_charge_enabled",     21, bit(7), writable=Switch(), aka="ac_charge_en"),
    _protection("seamless_switching_enabled", 8, "sw_seamless_en"),
    _protection("running",             9, "set_to_standby"),  # 1 is normal, 0 is standby: the vendor's name has it upside down
    Register("forced_discharge_enabled", 21, bit(10), writable=Switch(), aka="forced_discharge_en"),
    Register("charge_priority_enabled", 21, bit(11), writable=Switch(), aka="charge_priority_en"),
    _protection("isolation_check_enabled", 12, "iso_en"),
    _protection("gfci_enabled",       13, "gfci_en"),
    _protection("dci_enabled",        14, "dci_en"),
    _protection("feed_in_enabled",    15, "feed_in_grid_en"),
    Register("pv_start_v",            22, U16, scale=0.1, category=_DIAG),
    Register("connect_wait_s",        23, U16, category=_DIAG),
    Register("reconnect_wait_s",      24, U16, category=_DIAG),
    Register("connect_low_v",         25, U16, scale=0.1, category=_DIAG),
    Register("connect_high_v",        26, U16, scale=0.1, category=_DIAG),
    Register("connect_low_hz",        27, U16, scale=0.01, category=_DIAG),
    Register("connect_high_hz",       28, U16, scale=0.01, category=_DIAG),
    Register("active_power_pct",      60, U16, category=_DIAG),
)

_POWER = (
    Register("charge_rate_pct",              64, U16, writable=_PERCENT, aka="charge_rate_pct"),  # all charging
    Register("discharge_rate_pct",           65, U16, writable=_PERCENT, aka="discharge_rate_pct"),  # all discharging; 0 stops it
    Register("ac_charge_power_pct",          66, U16, writable=_PERCENT, aka="ac_charge_rate_pct"),
    Register("ac_charge_soc_limit_pct",      67, U16, writable=Range(0, 101), aka="ac_charge_soc_limit_pct"),  # 101 never stops
    *_slots("ac_charge",                     68),
    Register("charge_priority_power_pct",    74, U16, writable=_PERCENT),
    Register("charge_priority_soc_limit_pct", 75, U16, writable=_PERCENT),
    *_slots("charge_priority",               76),
    Register("forced_discharge_power_pct",   82, U16, writable=_PERCENT),
    Register("forced_discharge_soc_floor_pct", 83, U16, writable=_PERCENT),
    *_slots("forced_discharge",              84),
    Register("eps_nominal_v",                90, U16, category=_DIAG),
    Register("eps_nominal_hz",               91, U16, category=_DIAG),
    Register("lead_acid_charge_v",           99, U16, scale=0.1, category=_DIAG),
    Register("lead_acid_cutoff_v",          100, U16, scale=0.1, category=_DIAG),
    Register("battery_charge_limit_a",      101, U16, category=_DIAG),
    Register("battery_discharge_limit_a",   102, U16, category=_DIAG),
    _config("feed_in_limit_pct",            103, 0, 100),
    Register("discharge_cutoff_soc_pct",    105, U16, writable=Range(10, 90), aka="discharge_cutoff_soc_limit_pct"),
    Register("lead_acid_discharge_low_c",   106, S16, scale=0.1, category=_DIAG),
    Register("lead_acid_discharge_high_c",  107, S16, scale=0.1, category=_DIAG),
    Register("lead_acid_charge_low_c",      108, S16, scale=0.1, category=_DIAG),
    Register("lead_acid_charge_high_c",     109, S16, scale=0.1, category=_DIAG),
    _shown("pv_off_grid_enabled",           110, 0, "ub_pv_grid_off_en"),  # an ACS refuses it
    _shown("fast_zero_export_enabled",      110, 1, "ub_run_without_grid"),
    _shown("micro_grid_enabled",            110, 2, "ub_micro_grid_en"),
    _shown("battery_shared",                110, 3),
    _switch("charge_last_enabled",          110, 4),
    Register("ct_ratio",                    110, Bits(5, 2), category=_DIAG),
    _shown("buzzer_enabled",                110, 7),
    Register("pv_ct_type",                  110, Bits(8, 2), category=_DIAG),
    _shown("take_load_together_enabled",    110, 10),
    _shown("on_grid_working_mode",          110, 11),
    Register("pv_ct_ratio",                 110, Bits(12, 2), category=_DIAG),
    _shown("green_mode_enabled",            110, 14),
    _shown("battery_eco_enabled",           110, 15),
    Register("parallel_role_setting",       112, U16, category=_DIAG),
    Register("parallel_phase_setting",      113, U16, category=_DIAG),
)

_BEHAVIOUR = (
    Register("overfrequency_derate_start_hz", 115, U16, scale=0.01, category=_DIAG),
    _config("discharge_start_import_w",     116, 50, 10_000),
    Register("charge_start_export_w",       117, S16, category=_DIAG),
    Register("ct_offset_w",                 119, S16, writable=Range(-1000, 1000), category=_CONF, opt_in=True),
    _switch("half_hour_ac_charge_enabled",  120, 0),
    _choice("ac_charge_by",                 120, Bits(1, 3), _AC_CHARGE_BY),
    _choice("discharge_by",                 120, Bits(4, 2), _DISCHARGE_BY),
    _shown("on_grid_cutoff_type",           120, 6),
    _shown("generator_charge_type",         120, 7),
    _switch("separate_zero_export_enabled", 120, 8),
    Register("overfrequency_derate_end_hz", 124, U16, scale=0.01, category=_DIAG),
    _config("eps_cutoff_soc_pct",           125, 0, 100),  # not above discharge_cutoff_soc_pct
    *(Register(f"half_hours_{n}", 125 + n, U16, category=_DIAG) for n in range(1, 7)),  # eight 2-bit modes each; the vendor's lists contradict each other
    Register("special_load_w",              137, U16, category=_DIAG),
    _config("charge_rate_fine_pct",         138, 0, 100, scale=0.1),
    _config("discharge_rate_fine_pct",      139, 0, 100, scale=0.1),
    _config("ac_charge_power_fine_pct",     140, 0, 100, scale=0.1),
    _config("charge_priority_power_fine_pct", 141, 0, 100, scale=0.1),
    _config("forced_discharge_power_fine_pct", 142, 0, 100, scale=0.1),
    _config("active_power_fine_pct",        143, 0, 100, scale=0.1),
    Register("float_v",                     144, U16, scale=0.1, category=_DIAG),
    _choice("output_priority",              145, U16, _OUTPUT),
    _choice("line_mode",                    146, U16, _LINE),
    Register("battery_size_ah",             147, U16, category=_DIAG),
    Register("battery_nominal_v",           148, U16, scale=0.1, category=_DIAG),
    Register("equalisation_v",              149, U16, scale=0.1, category=_DIAG),
    Register("equalisation_days",           150, U16, category=_DIAG),
    Register("equalisation_h",              151, U16, category=_DIAG),
    *_slots("ac_first",                     152),
    _config("ac_charge_start_v",            158, 38.5, 52, scale=0.1),
    _config("ac_charge_end_v",              159, 48, 59, scale=0.1),
    Register("ac_charge_start_soc_pct",     160, U16, writable=Range(0, 90), category=_CONF),  # heeded when ac_charge_by says soc
    Register("ac_charge_end_soc_pct",       161, U16, writable=Range(20, 100), category=_CONF),
    _config("battery_low_v",                162, 40, 50, scale=0.1),
    _config("battery_low_recovered_v",      163, 42, 52, scale=0.1),
    _config("battery_low_soc_pct",          164, 0, 90),
    _config("battery_low_recovered_soc_pct", 165, 20, 100),
    _config("to_utility_v",                 166, 44.4, 51.4, scale=0.1),
    _config("to_utility_soc_pct",           167, 0, 100),
    _config("ac_charge_battery_a",          168, 0, 140),
    _config("on_grid_cutoff_v",             169, 40, 56, scale=0.1),
    Register("grid_input_limit_w",          176, U16, category=_DIAG),
    Register("generator_rated_w",           177, U16, category=_DIAG),
    _shown("ac_ct_reversed",                179, 0),
    _shown("pv_ct_reversed",                179, 1),
    Register("clear_afci_alarm",            179, bit(2), writable=Button(), category=_CONF, opt_in=True),
    _switch("battery_wake_up_enabled",      179, 3),
    _shown("volt_watt_enabled",             179, 4),
    _shown("trip_time_unit",                179, 5),
    _shown("active_power_command_enabled",  179, 6),
    _switch("grid_peak_shaving_enabled",    179, 7),
    _switch("generator_peak_shaving_enabled", 179, 8),
    _choice("battery_charge_by",            179, bit(9), _BY),
    _choice("battery_discharge_by",         179, bit(10), _BY),
    _switch("ac_coupling_enabled",          179, 11),
    _shown("pv_arc_detection_enabled",      179, 12),
    _switch("smart_load_enabled",           179, 13),
    _shown("rsd_disabled",                  179, 14),
    _switch("on_grid_always_on",            179, 15),
)

_NEWER = (
    _config("generator_charge_start_v",     194, 38.4, 52, scale=0.1),
    _config("generator_charge_end_v",       195, 48, 59, scale=0.1),
    _config("generator_charge_start_soc_pct", 196, 0, 90),
    _config("generator_charge_end_soc_pct", 197, 20, 100),
    _config("generator_charge_battery_a",   198, 0, 60),
    Register("overtemperature_derate_c",    199, U16, scale=0.1, category=_DIAG),
    _config("charge_priority_end_v",        201, 48, 59, scale=0.1),
    _config("forced_discharge_end_v",       202, 40, 56, scale=0.1),
    Register("lead_acid_ah",                204, U16, category=_DIAG),
    _config("peak_shaving_w",               206, 0, 25_500, scale=100),
    _config("peak_shaving_soc_pct",         207, 0, 100),
    _config("peak_shaving_v",               208, 48, 59, scale=0.1),
    *_slots("peak_shaving",                 209, count=2, opt_in=True),
    Register("peak_shaving_2_soc_pct",      218, U16, category=_DIAG),
    Register("peak_shaving_2_v",            219, U16, scale=0.1, category=_DIAG),
    Register("system_charge_soc_limit_pct", 227, U16, writable=Range(10, 101), category=_CONF),  # 101 balances the cells; newer firmware only
    _config("system_charge_v",              228, 40, 59.5, scale=0.1),
    Register("peak_shaving_2_w",            232, U16, scale=100, category=_DIAG),
    _switch("quick_charge_started",         233, 0),
    _switch("battery_backup_enabled",       233, 1),
    _shown("maintenance_enabled",           233, 2),
    _shown("weekly_schedule_enabled",       233, 3),  # its registers 500 to 723 read otherwise than they are written
    Register("dry_contact_use",             233, Bits(4, 4), options={1: "rapid shutdown", 2: "dark start", 3: "smart load", 4: "non-critical load"}, category=_DIAG),
    Register("external_ct_place",           233, Bits(8, 2), category=_DIAG),
    _shown("overfrequency_fast_stop_enabled", 233, 10),
    _switch("sporadic_charge_enabled",      233, 12),
    _config("quick_charge_min",             234, 0, 1440),  # models without it answer with error 3
    _config("hysteresis_soc_pct",           253, 5, 80),
    _config("hysteresis_v",                 254, 2, 10, scale=0.1),
    *_slots("generator",                    256, count=2, opt_in=True),
    Register("bus_overvoltage_v",           260, U16, category=_DIAG),
)

HUNDREDS_OF_WATTS = (
    Register("ac_charge_power_w",            66, U16, scale=100, writable=Range(0, 15_000, 100)),
    Register("charge_priority_power_w",      74, U16, scale=100, writable=Range(0, 15_000, 100)),
    Register("forced_discharge_power_w",     82, U16, scale=100, writable=Range(0, 15_000, 100)),
    Register("feed_in_limit_w",             103, U16, scale=100, writable=Range(0, 25_500, 100), category=_CONF, opt_in=True),
)
"""The powers as models of 12 kW and more count them; smaller ones have them in per cent."""
# fmt: on

HOLDINGS: Final = RegisterTable("luxpower", (*_IDENTITY, *_POWER, *_BEHAVIOUR, *_NEWER))
