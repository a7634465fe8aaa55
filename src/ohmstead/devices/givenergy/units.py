"""Pages of what hangs behind the inverter: battery packs, high-voltage stacks, meters.

All are input registers from 60 on, at Modbus addresses of their own. Sources: the vendor's
register list 4.1.6 and captures in tests/devices/givenergy/.
"""
# ruff: noqa: E501 - a register is one line, compared with the vendor's list by eye

from typing import Final

from ohmstead.devices.givenergy.texts import BCU_STATUS, USB
from ohmstead.model import Category, Kind, Range
from ohmstead.registers import (
    S16,
    U8_HIGH,
    U8_LOW,
    U16,
    U32,
    Ascii,
    Register,
    RegisterTable,
)

__all__ = ["BMS", "METER", "METER_PRODUCT", "MODULE", "PACK", "PACK_CONTROL", "STACK"]

_DIAG: Final = Category.DIAGNOSTIC
_CELL_V: Final = Range(1, 5)
_PACK_V: Final = Range(16, 80)
_CELL_C: Final = Range(-60, 150)
_SOC: Final = Range(0, 100)
_FACTOR: Final = Range(-1, 1)


def _cells(count: int) -> tuple[Register, ...]:
    return tuple(
        Register(f"cell_{n + 1:02}_v", 60 + n, U16, 0.001, plausible=_CELL_V, category=_DIAG)
        for n in range(count)
    )


# fmt: off
PACK: Final = RegisterTable("givenergy battery pack", (
    *_cells(16),
    *(Register(f"cells_{4 * n + 1:02}_{4 * n + 4:02}_c", 76 + n, S16, 0.1, plausible=_CELL_C, category=_DIAG) for n in range(4)),
    Register("cells_v",              80, U16, 0.001, plausible=_PACK_V),
    Register("mosfet_c",             81, S16, 0.1, plausible=_CELL_C),
    Register("out_v",                82, U32, 0.001, plausible=_PACK_V),
    Register("capacity_ah",          84, U32, 0.01),
    Register("design_capacity_ah",   86, U32, 0.01),
    Register("remaining_ah",         88, U32, 0.01),
    *(Register(f"status_{n + 1}", 90 + n // 2, (U8_HIGH, U8_LOW)[n % 2], category=_DIAG) for n in (1, 0, 3, 2, 5, 4, 6)),
    Register("warning_2",            94, U8_LOW, category=_DIAG),
    Register("warning_1",            94, U8_HIGH, category=_DIAG),
    Register("current_a",            95, S16, 0.01, plausible=Range(-300, 300)),
    Register("cycles",               96, kind=Kind.TOTAL),
    Register("cell_count",           97, category=_DIAG),
    Register("firmware",             98, category=_DIAG),
    Register("soc_pct",             100, plausible=_SOC),
    Register("other_design_capacity_ah", 101, U32, 0.01, category=_DIAG),
    Register("warmest_c",           103, S16, 0.1, plausible=_CELL_C),
    Register("coldest_c",           104, S16, 0.1, plausible=_CELL_C),
    Register("discharge_total_kwh", 105, U16, 0.1),
    Register("charge_total_kwh",    106, U16, 0.1),
    Register("force_discharge_flag", 107, category=_DIAG),
    Register("serial",              110, Ascii(5), category=_DIAG),
    Register("usb_device",          115, options=USB, category=_DIAG),
), "input")
"""A low-voltage pack, at 0x32 to 0x37. Below zero its current charges."""

PACK_CONTROL: Final = RegisterTable("givenergy battery control", (
    Register("status_1",                60, category=_DIAG),
    Register("status_2",                61, category=_DIAG),
    Register("request_charge_a",        62),
    Register("request_discharge_a",     63),
), "input")
"""What the packs ask of a hybrid of generation 2 or later, at 0x31."""

BMS: Final = RegisterTable("givenergy stack configuration", (
    Register("stack_count",  61, category=_DIAG),
    Register("module_count", 62, category=_DIAG),
    Register("cell_count",   63, category=_DIAG),
    Register("sensor_count", 64, category=_DIAG),
), "input")
"""How many stacks there are, at 0xA0."""

STACK: Final = RegisterTable("givenergy stack", (
    Register("firmware",            60, Ascii(2), category=_DIAG),  # two more words hold digits
    Register("module_count",        64, category=_DIAG),
    Register("cells_per_module",    65, category=_DIAG),
    Register("cell_count",          67, category=_DIAG),
    Register("sensor_count",        68, category=_DIAG),
    Register("status",              70, options=BCU_STATUS),
    Register("battery_v",           73, U16, 0.1, plausible=Range(0, 1_000)),
    Register("load_v",              74, U16, 0.1, plausible=Range(0, 1_000)),
    Register("current_a",           76, S16, -0.1, plausible=Range(-500, 500)),
    Register("power_w",             79, S16, -100, plausible=Range(-60_000, 60_000)),  # tenths of a kilowatt: -1.2 A at 314.6 V read -3, while it says "discharging"
    Register("lowest_soc_pct",      80, U8_LOW, plausible=_SOC),
    Register("highest_soc_pct",     80, U8_HIGH, plausible=_SOC),
    Register("soh_pct",             81, plausible=_SOC),
    Register("charge_total_kwh",    82, U32, 0.1),
    Register("discharge_total_kwh", 84, U32, 0.1),
    Register("charge_total_ah",     86, U32, category=_DIAG, kind=Kind.TOTAL),
    Register("discharge_total_ah",  88, U32, category=_DIAG, kind=Kind.TOTAL),
    Register("charge_today_kwh",    90, U32, 0.1),
    Register("discharge_today_kwh", 92, U32, 0.1),
    Register("charge_today_ah",     94, U32, category=_DIAG, kind=Kind.TOTAL),
    Register("discharge_today_ah",  96, U32, category=_DIAG, kind=Kind.TOTAL),
    Register("capacity_ah",         98, U16, 0.1),
    Register("remaining_ah",        99, U16, 0.1),
    Register("cycles_factor",      100, U16, 0.1, kind=Kind.TOTAL),
    Register("least_discharge_v",  102, U16, 0.1, category=_DIAG),
    Register("most_charge_v",      103, U16, 0.1, category=_DIAG),
    Register("most_discharge_a",   104, U16, 0.1, category=_DIAG),
    Register("most_charge_a",      105, U16, 0.1, category=_DIAG),
    Register("fan_fault",          107, category=_DIAG),
    Register("self_check",         113, category=_DIAG),
    Register("warning_bits",       114, U32, category=_DIAG),
    Register("protection_bits",    116, U32, category=_DIAG),
    Register("fault_bits",         118, U32, category=_DIAG),
), "input")
"""A high-voltage stack's controller, at 0x70 and up. Above zero it discharges."""

MODULE: Final = RegisterTable("givenergy stack module", (
    *_cells(24),
    *(Register(f"cell_{n + 1:02}_c", 90 + n, S16, 0.1, plausible=_CELL_C, category=_DIAG) for n in range(24)),
    Register("serial", 114, Ascii(5), category=_DIAG),
), "input")
"""One module of a stack, at 0x50 and up; an All-in-One's has 12 temperatures."""

METER: Final = RegisterTable("givenergy meter", (
    *(Register(f"phase_{n}_v", 59 + n, U16, 0.1, plausible=Range(0, 500)) for n in (1, 2, 3)),
    *(Register(f"phase_{n}_a", 62 + n, U16, 0.01) for n in (1, 2, 3)),
    Register("neutral_a",           66, U16, 0.01),
    Register("total_a",             67, U16, 0.01),
    *(Register(f"phase_{n}_w", 67 + n, S16, -1) for n in (1, 2, 3)),
    Register("power_w",             71, S16, -1),
    *(Register(f"phase_{n}_var", 71 + n, S16, category=_DIAG) for n in (1, 2, 3)),
    Register("reactive_var",        75, S16, category=_DIAG),
    *(Register(f"phase_{n}_va", 75 + n, U16, 0.1, category=_DIAG) for n in (1, 2, 3)),
    Register("apparent_va",         79, U16, 0.1, category=_DIAG),
    *(Register(f"phase_{n}_power_factor", 79 + n, S16, 0.0001, plausible=_FACTOR, category=_DIAG) for n in (1, 2, 3)),
    Register("power_factor",        83, S16, 0.0001, plausible=_FACTOR, category=_DIAG),
    Register("frequency_hz",        84, U16, 0.01, plausible=Range(40, 70)),
    Register("import_total_kwh",    85, U16, 0.1),
    Register("import_reactive_total", 86, kind=Kind.TOTAL, category=_DIAG),
    Register("export_total_kwh",    87, U16, 0.1),
    Register("export_reactive_total", 88, kind=Kind.TOTAL, category=_DIAG),
), "input")
"""An EM115 or EM418, at 1 to 8. Its energies begin anew after
6553.5 kWh; its powers import above zero."""

METER_PRODUCT: Final = RegisterTable("givenergy meter product", (
    Register("serial_number_word", 60, U32, category=_DIAG),
    Register("factory",       62, Ascii(2), category=_DIAG),
    Register("type_number",   64, category=_DIAG),
    Register("hardware",      65, category=_DIAG),
    Register("firmware",      66, category=_DIAG),
    Register("bus_address",   67, category=_DIAG),
    Register("baud_rate",     68, category=_DIAG),
), "product")
"""What a meter says of itself, by a function of its own."""
