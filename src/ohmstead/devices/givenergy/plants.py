"""Registers of GivEnergy's EMS and gateways, which stand for several inverters together.

Sources: the vendor's register list 4.1.6 and captures in tests/devices/givenergy/. An EMS
counts as the inverters do: exported power and a discharging battery positive.
"""
# ruff: noqa: E501 - a register is one line, compared with the vendor's list by eye

from typing import Final

from ohmstead.devices.givenergy.holdings import level, shown, slot, switch
from ohmstead.devices.givenergy.texts import GATEWAY_FAULTS, METER_STATUS, STATUS, WORK_MODE
from ohmstead.model import Category, Range
from ohmstead.registers import (
    S16,
    U16,
    U32,
    U32_LOW_FIRST,
    Ascii,
    Bits,
    Register,
    RegisterTable,
    Word,
)

__all__ = ["EMS_HOLDINGS", "EMS_INPUTS", "GATEWAY_V1", "GATEWAY_V2"]

_DIAG: Final = Category.DIAGNOSTIC
_SOC: Final = Range(0, 100)
_FOUR: Final = (1, 2, 3, 4)
_POWER_W: Final = Range(0, 50_000)
_BOTH_W: Final = Range(-32_000, 32_000)

# fmt: off
EMS_HOLDINGS: Final = (
    switch("plant_control_enabled", 2040),
    shown("expected_inverters", 2041),
    shown("expected_meters", 2042),
    shown("expected_chargers", 2043),
    *(row for n in (1, 2, 3) for row in (*slot(f"discharge_slot_{n}", 2041 + 3 * n), level(f"discharge_slot_{n}_floor_soc_pct", 2043 + 3 * n))),
    *(row for n in (1, 2, 3) for row in (*slot(f"charge_slot_{n}", 2050 + 3 * n), level(f"charge_slot_{n}_target_soc_pct", 2052 + 3 * n))),
    *(row for n in (1, 2, 3) for row in (*slot(f"export_slot_{n}", 2059 + 3 * n), level(f"export_slot_{n}_floor_soc_pct", 2061 + 3 * n, _SOC))),
    Register("export_limit_w", 2071, writable=Range(0, 65_000), category=Category.CONFIGURATION),
    shown("car_charge_mode", 2072, options={0: "stop", 1: "eco", 2: "eco+", 3: "fast"}),
    shown("car_charge_boost_w", 2073),
    shown("charge_compensation", 2074),
    shown("discharge_compensation", 2075),
)

EMS_INPUTS: Final = (
    Register("status",              2040, options=STATUS),
    Register("meter_count",         2041, category=_DIAG),
    Register("meter_types",         2042, category=_DIAG),
    *(Register(f"meter_{n}_status", 2043, Bits(2 * n - 2, 2), options=METER_STATUS, category=_DIAG) for n in range(1, 9)),
    Register("inverter_count",      2044, category=_DIAG),
    *(Register(f"inverter_{n}_status", 2045, Bits(3 * n - 3, 3), category=_DIAG) for n in _FOUR),
    *(Register(f"meter_{n}_w",      2045 + n, S16, -1) for n in range(1, 9)),
    *(Register(f"inverter_{n}_w",   2053 + n, S16) for n in _FOUR),
    *(Register(f"inverter_{n}_soc_pct", 2057 + n, plausible=_SOC) for n in _FOUR),
    *(Register(f"inverter_{n}_c",   2061 + n, S16, 0.1, plausible=Range(-60, 150)) for n in _FOUR),
    *(Register(f"inverter_{n}_serial", 2061 + 5 * n, Ascii(5), category=_DIAG) for n in _FOUR),
    Register("load_w",              2086),
    Register("measured_load_w",     2087),
    Register("generation_w",        2088),
    Register("grid_w",              2089, S16, -1),
    Register("battery_w",           2090, S16),
    Register("battery_remaining_wh", 2091),
    Register("other_battery_w",     2094, S16),
)


def _gateway(*, swapped: bool) -> RegisterTable:
    """Return the gateway's inputs; firmware from GA000010 on has *swapped* its totals' words."""
    long: Word = U32_LOW_FIRST if swapped else U32

    def total(name: str, address: int) -> Register:
        return Register(f"{name}_total_kwh", address, long, 0.1)

    def today(name: str, address: int) -> Register:
        return Register(f"{name}_today_kwh", address, U16, 0.1)

    def counted(name: str, address: int) -> tuple[Register, Register]:
        return today(name, address), total(name, address + 1)

    serials = (1841, 1848, 1855) if swapped else (1841, 1846, 1851)
    return RegisterTable("givenergy gateway", (
        Register("software",            1600, Ascii(2), category=_DIAG),  # two more words hold digits
        Register("work_mode",           1604, options=WORK_MODE),
        Register("grid_v",              1608, S16, 0.1, plausible=Range(0, 500)),
        Register("grid_a",              1609, S16, 0.1, plausible=Range(-500, 500)),
        Register("load_v",              1610, U16, 0.1, plausible=Range(0, 500)),
        Register("load_a",              1611, U16, 0.1, plausible=Range(0, 500)),
        Register("pv_a",                1612, S16, 0.1, plausible=Range(0, 500)),
        Register("grid_w",              1616, S16, -1, plausible=_BOTH_W),
        Register("pv_w",                1617, plausible=_POWER_W),
        Register("load_w",              1618, plausible=_POWER_W),
        Register("liberty_w",           1619, S16, -1, category=_DIAG),
        Register("protection_bits",     1620, U32, category=_DIAG),
        Register("faults",              1622, U32, flags=GATEWAY_FAULTS, category=_DIAG),
        Register("grid_relay_v",        1624, U16, 0.1, plausible=Range(0, 500), category=_DIAG),
        Register("inverter_relay_v",    1625, U16, 0.1, plausible=Range(0, 500), category=_DIAG),
        Register("first_inverter_serial", 1627, Ascii(5), category=_DIAG),
        *counted("grid_import",         1640),
        *counted("pv",                  1643),
        *counted("grid_export",         1646),
        *counted("aio_charge",          1649),
        *counted("aio_discharge",       1652),
        *counted("load",                1655),
        Register("aio_count",           1700, category=_DIAG),
        Register("aio_online_count",    1701, category=_DIAG),
        Register("battery_w",           1702, S16, -1, plausible=_BOTH_W),
        Register("aio_state",           1703, category=_DIAG),
        Register("battery_firmware",    1704, category=_DIAG),
        *(row for n in (1, 2, 3) for row in counted(f"aio_{n}_charge", 1702 + 3 * n)),
        *(row for n in (1, 2, 3) for row in counted(f"aio_{n}_discharge", 1747 + 3 * n)),
        *counted("battery_charge",      1795),
        *counted("battery_discharge",   1798),
        *(Register(f"aio_{n}_soc_pct",  1800 + n, plausible=_SOC) for n in (1, 2, 3)),
        *(Register(f"aio_{n}_w",        1815 + n, S16, -1) for n in (1, 2, 3)),
        *(Register(f"aio_{n}_serial", address, Ascii(5), category=_DIAG) for n, address in enumerate(serials, 1)),
    ), "input")


GATEWAY_V1: Final = _gateway(swapped=False)
GATEWAY_V2: Final = _gateway(swapped=True)
