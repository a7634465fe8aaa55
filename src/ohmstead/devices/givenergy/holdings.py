"""Holding registers of single-phase GivEnergy inverters: what they are set to.

Sources: the vendor's register list 4.1.6, the installer's application 4.0.7, captures in
tests/devices/givenergy/. Writable is only what owners' software has written for years without
harm; all else is shown. Where the vendor's list and newer firmware disagree, firmware is right.
"""
# ruff: noqa: E501 - a register is one line, compared with the vendor's list by eye

from collections.abc import Mapping
from typing import Final

from ohmstead.devices.givenergy.texts import (
    BATTERY_TYPE,
    CALIBRATION,
    DEVICE_TYPES,
    EXPORT_PRIORITY,
    INVERTER_FAULTS,
    METER_TYPE,
    PAUSE,
    USB,
)
from ohmstead.model import Button, Category, Choice, Instant, Range, Switch, TimeOfDay
from ohmstead.registers import (
    HHMM,
    S16,
    U8_HIGH,
    U8_LOW,
    U16,
    U32,
    YES_NO,
    YMDHMS,
    Ascii,
    Press,
    Register,
    Word,
    bit,
)

__all__ = [
    "BEHAVIOUR",
    "CLOCK",
    "COMMERCIAL",
    "COMMON",
    "GRID_PORT",
    "SECOND_SLOT",
    "SECOND_SLOT_OF_TEN",
    "SMART_LOADS",
    "TEN_SLOTS",
    "choice",
    "level",
    "limits",
    "shown",
    "slot",
    "switch",
]

_CONF: Final = Category.CONFIGURATION
_DIAG: Final = Category.DIAGNOSTIC
_SOC: Final = Range(4, 100)
_PERCENT: Final = Range(0, 100)
_RATE: Final = Range(0, 50)
"""In hundredths of the capacity an hour; 50 is half the capacity in an hour, and the most."""


def slot(name: str, address: int, *, apart: int = 1) -> tuple[Register, Register]:
    """Return start and end of a slot; 00:00 to 00:00 is off, a slot may cross midnight."""
    clock = TimeOfDay()
    return (
        Register(f"{name}_start", address, HHMM, writable=clock, category=_CONF),
        Register(f"{name}_end", address + apart, HHMM, writable=clock, category=_CONF),
    )


def level(name: str, address: int, bounds: Range = _SOC) -> Register:
    """Return a percentage that can be set."""
    return Register(name, address, writable=bounds, category=_CONF)


def switch(name: str, address: int, *, opt_in: bool = False) -> Register:
    """Return something that can be switched on and off."""
    return Register(name, address, U16, writable=Switch(), category=_CONF, opt_in=opt_in)


def choice(
    name: str,
    address: int,
    options: Mapping[int, str],
    only: tuple[int, ...] = (),
    *,
    opt_in: bool = False,
) -> Register:
    """Return one of *options* to be set; of *only* some of them, if so."""
    names = Choice(tuple(options[n] for n in only or options))
    return Register(name, address, options=options, writable=names, category=_CONF, opt_in=opt_in)


def shown(
    name: str,
    address: int,
    word: Word = U16,
    scale: float = 1,
    options: Mapping[int, str] | None = None,
) -> Register:
    """Return what configures the plant and is not ours to write."""
    return Register(name, address, word, scale, options=options, category=_DIAG)


def limits(first: int, *stages: str) -> tuple[Register, ...]:
    """Return the grid protection from *first* on: four limits a stage, low and high."""
    return tuple(
        Register(f"grid_{edge}_{stage}_{unit}", first + 4 * n + m, U16, scale, category=_DIAG)
        for n, stage in enumerate(stages)
        for m, (edge, unit, scale) in enumerate(
            (("low", "v", 0.1), ("high", "v", 0.1), ("low", "hz", 0.01), ("high", "hz", 0.01))
        )
    )


def _delays(first: int, stage: str) -> tuple[Register, ...]:
    names = ("low_voltage", "high_voltage", "low_frequency", "high_frequency")
    return tuple(
        shown(f"grid_{name}_{stage}_s", first + n, U16, 0.01) for n, name in enumerate(names)
    )


# fmt: off
CLOCK: Final = Register("clock", 35, YMDHMS, writable=Instant(), category=_CONF)
"""Local time; six words, written one after another."""

COMMON: Final = (
    shown("device_type", 0, options=DEVICE_TYPES),
    shown("safety_standard_module", 1, U32),
    shown("mppt_count", 3, U8_HIGH),
    shown("phase_count", 3, U8_LOW),
    shown("meters_enabled", 7, YES_NO),
    shown("first_battery_serial", 8, Ascii(5)),
    shown("serial", 13, Ascii(5)),
    shown("first_battery_firmware", 18),
    shown("dsp_firmware", 19),
    switch("charge_target_enabled", 20),  # without it the battery is charged full
    shown("arm_firmware", 21),
    shown("usb_device", 22, options=USB),
    shown("arm_chip_selected", 23, YES_NO),
    shown("variable_address", 24),
    shown("variable_value", 25, S16),
    shown("grid_port_limit_w", 26),
    switch("eco_mode_enabled", 27),  # 1 covers the house's own use, 0 exports at full power
    shown("sixty_hz_enabled", 28, YES_NO),
    choice("battery_calibration", 29, CALIBRATION, (0, 1, 3), opt_in=True),
    shown("modbus_address", 30),
    shown("user_code", 33),
    shown("modbus_version_number", 34),
    CLOCK,
    shown("drm_enabled", 41, YES_NO),
    shown("ct_direction", 42),
    shown("charge_soc_word_pct", 43, U8_HIGH),
    shown("discharge_soc_word_pct", 43, U8_LOW),
    *slot("discharge_slot_2", 44),
    shown("bms_firmware", 46),
    shown("meter_type", 47, options=METER_TYPE),
    shown("meter_115_reversed", 48, YES_NO),
    shown("meter_418_reversed", 49, YES_NO),
    level("active_power_pct", 50, _PERCENT),
    shown("reactive_power_pct", 51),
    Register("power_factor_setting", 52, U16, 0.0001, offset=-1, category=_DIAG),
    shown("auto_restart_enabled", 53, bit(8)),
    shown("inverter_enabled", 53, bit(0)),
    shown("battery_type", 54, options=BATTERY_TYPE),
    shown("battery_capacity_ah", 55),
    *slot("discharge_slot_1", 56),
    shown("battery_type_recognised", 58, YES_NO),
    switch("discharge_enabled", 59),  # the discharge slots as a whole
    shown("pv_start_v", 60, U16, 0.1),
    shown("start_wait_s", 61),
    shown("restart_wait_s", 62),
    *limits(63, "trip"),
    *_delays(67, "trip"),
    *limits(71, "reconnect"),
    *_delays(75, "reconnect"),
    *limits(79, "connect"),
    shown("grid_10_minutes_high_v", 83, U16, 0.1),
    *slot("charge_slot_1", 94),
    switch("charge_enabled", 96),  # the charge slots as a whole
    shown("battery_low_v", 97, U16, 0.01),
    shown("battery_high_v", 98, U16, 0.01),
    shown("import_limit_a", 101),
    shown("import_limit_enabled", 102, YES_NO),
    shown("lora_enabled", 103, YES_NO),
    shown("self_heating_enabled", 104, YES_NO),
    shown("battery_voltage_adjustment_v", 105, U16, 0.01),
    shown("low_battery_charge_min", 108),
    shown("bms_read_enabled", 109, YES_NO),
    level("reserve_soc_pct", 110),
    Register("charge_rate_pct", 111, writable=_RATE, category=_CONF, label="Charge rate, of the capacity an hour"),
    Register("discharge_rate_pct", 112, writable=_RATE, category=_CONF, label="Discharge rate, of the capacity an hour"),
    shown("buzzer_enabled", 113, YES_NO),
    level("cutoff_soc_pct", 114),
    shown("anti_islanding_enabled", 115, YES_NO),
    level("charge_target_soc_pct", 116),
    shown("charge_stop_2_soc_pct", 117),
    shown("discharge_stop_2_soc_pct", 118),
    shown("charge_stop_1_soc_pct", 119),
)
"""Registers 0 to 119, which every model answers."""

BEHAVIOUR: Final = (
    shown("discharge_stop_1_soc_pct", 120),
    shown("local_command_test", 121, YES_NO),
    shown("power_factor_model", 122),
    shown("frequency_load_limit_pct", 123),
    shown("low_voltage_ride_through_enabled", 124, YES_NO),
    shown("frequency_derating_enabled", 125, YES_NO),
    shown("above_6_kw_enabled", 126, YES_NO),
    shown("spi_enabled", 128, YES_NO),
    shown("power_factor_remembered", 129),
    shown("power_factor_1_load_pct", 130),
    shown("power_factor_2_load_pct", 132),
    shown("power_factor_3_load_pct", 134),
    shown("power_factor_4_load_pct", 136),
    shown("lock_in_active_power_pct", 142),
    shown("lock_out_active_power_pct", 143),
    shown("lock_in_grid_v", 144, U16, 0.1),
    shown("lock_out_grid_v", 145, U16, 0.1),
    Register("restart", 163, Press(100), writable=Button(), category=_CONF),  # any other number resets or bricks it
    switch("real_time_control_enabled", 166),  # while it is on, settings spare the memory
    shown("phase_balance_mode", 167),
    shown("phase_balance_order", 168),
    shown("battery_activation_enabled", 175, YES_NO),
    shown("ups_mode_enabled", 177, YES_NO),
    shown("g100_limit_enabled", 178, YES_NO),
    shown("cable_impedance_alarm_enabled", 179, YES_NO),
    switch("parallel_mode_enabled", 199, opt_in=True),
    Register("faults", 223, U32, flags=INVERTER_FAULTS, category=_DIAG),
)

SECOND_SLOT: Final = slot("charge_slot_2", 31)
"""Where firmware with two slots keeps the second one."""
SECOND_SLOT_OF_TEN: Final = tuple(
    shown(f"charge_slot_2_old_{part}", 31 + n, HHMM) for n, part in enumerate(("start", "end"))
)
"""The same registers on newer firmware, kept equal to the live ones at 243 and 244."""

TEN_SLOTS: Final = (
    level("charge_slot_1_target_soc_pct", 242),
    *(
        row
        for n in range(2, 11)
        for row in (
            *slot(f"charge_slot_{n}", 243 + 3 * (n - 2)),
            level(f"charge_slot_{n}_target_soc_pct", 245 + 3 * (n - 2)),
        )
    ),
    level("discharge_slot_1_floor_soc_pct", 272),
    level("discharge_slot_2_floor_soc_pct", 275),
    *(
        row
        for n in range(3, 11)
        for row in (
            *slot(f"discharge_slot_{n}", 276 + 3 * (n - 3)),
            level(f"discharge_slot_{n}_floor_soc_pct", 278 + 3 * (n - 3)),
        )
    ),
)

GRID_PORT: Final = (
    shown("plant_mode_enabled", 300, YES_NO),
    shown("plant_role", 301),
    shown("plant_meters", 302),
    shown("pv_input_mode", 305, options={0: "independent", 1: "one by two"}),
    shown("eps_nominal_v", 307, U16, 0.1),
    shown("battery_nominal_w", 308),
    shown("battery_nominal_a", 309),
    shown("battery_most_charge_pct", 310),
    choice("export_priority", 311, EXPORT_PRIORITY),
    level("ac_charge_rate_pct", 313, Range(1, 100)),  # of the rated power; 0 is an error
    level("ac_discharge_rate_pct", 314, Range(1, 100)),
    switch("eps_enabled", 317),
    choice("pause_mode", 318, PAUSE),
    *slot("pause_slot", 319),
    shown("overfrequency_derating_start_hz", 321, U16, 0.01),
    shown("tariff_logic_enabled", 322, YES_NO),
    shown("underfrequency_derating_start_hz", 326, U16, 0.01),
    shown("underfrequency_slope", 327),
    shown("overfrequency_derating_stop_hz", 328, U16, 0.01),
    shown("ocv_calibration_enabled", 329, YES_NO),
    shown("gateway_power_off_setting", 330),
    shown("forced_off_grid", 331, YES_NO),
    shown("micro_grid_enabled", 332, YES_NO),
    shown("ev_charger_enabled", 333, YES_NO),
    shown("ev_charger_import_limit_a", 334),
    shown("ev_charger_reconnect_wait_s", 335),
    shown("ev_charger_limit_soc_pct", 336),
    shown("fan_enabled", 337, YES_NO),
    shown("fan_speed_pct", 338),
    shown("gateway_enabled", 339, YES_NO),
    shown("bms_communication_mode", 340),
    shown("neutral_earth_relay_setting", 341),
    shown("afci_setting", 342),
    shown("generator_enabled", 343, YES_NO),
    shown("generator_start_soc_pct", 344),
    shown("generator_stop_soc_pct", 345),
    shown("generator_charge_pct", 346),
    shown("leds_disabled", 347, YES_NO),
    shown("display_timeout_min", 348),
    shown("operating_mode", 351),
)
"""Registers 300 to 359: on AC-coupled models and All-in-Ones; newer hybrids answer for some."""

COMMERCIAL: Final = (
    shown("cabinet_count", 499),
    shown("racks_per_cabinet", 500),
    shown("batteries_per_rack", 501),
    shown("cells_per_battery", 502),
    shown("cells_in_all", 503),
    shown("sensors_per_battery", 504),
    shown("sensors_in_all", 505),
    shown("pcs_most_w", 506),
    shown("charge_most_v", 507, U16, 0.1),
    shown("discharge_least_v", 508),
    shown("charge_most_a", 509),
    shown("parallel_count", 510),
    shown("export_limit_enabled", 20000, YES_NO),
    shown("export_limit_word", 20001),
    shown("peak_shaving_enabled", 20002, YES_NO),
    shown("peak_shaving_threshold", 20003),
    shown("import_limit_switch", 20020, YES_NO),
    shown("import_limit_word", 20021),
    shown("peak_shaving_setting", 20050),
    shown("valley_filling_setting", 20051),
)
"""Batteries in cabinets, and peak shaving: the commercial models."""

SMART_LOADS: Final = (
    shown("smart_load_enabled", 540, YES_NO),
    shown("smart_load_control_soc_pct", 541),
    shown("general_load_enabled", 542, YES_NO),
    shown("general_load_control_soc_pct", 543),
    shown("generator_control_soc_pct", 544),
    *(
        shown(f"smart_load_slot_{n}_{part}", 552 + 2 * n + m, HHMM)
        for n in range(1, 11)
        for m, part in enumerate(("start", "end"))
    ),
)
"""The switched outputs of the newest hybrids."""
