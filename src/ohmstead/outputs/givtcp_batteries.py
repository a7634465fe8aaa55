"""GivTCP's ``Battery_Details`` and ``Meter_Details``: packs, stacks of modules, and meters."""

from collections.abc import Mapping
from typing import Final

from ohmstead.outputs.givtcp_values import Names, Tree, Values, numbered, picked

__all__ = ["batteries", "meters", "packs"]


def batteries(values: Values, *, nested: bool = True) -> Tree:
    """Return ``Battery_Details``: stacks, with their packs or modules by serial number.

    Versions 1 and 2 had low-voltage packs directly under it: not *nested*.
    """
    low = packs(values)
    found: Tree = {} if nested else dict(low)
    for number in range(1, 5):
        stack = _stack(values, number)
        if number == 1:
            stack |= _modules(values) | (low if nested else {})
        if stack:
            found[f"Battery_Stack_{number}"] = stack
    first = found.get("Battery_Stack_1")
    if nested and isinstance(first, dict):
        found["Battery_Stack_1"] = picked(values, _BMS) | first
    return found


def packs(values: Values) -> Tree:
    """Return every low-voltage pack by its serial number."""
    found: Tree = {}
    for n in range(1, 7):
        serial = values.text(f"battery_{n}_serial")
        if serial:
            pack = picked(values, _PACK, f"battery_{n}_")
            # Version 1's spelling of it is what its users' flows ask for.
            if "Battery_Remaining_Capacity" in pack:
                pack["Battery_Remaining_Capcity"] = pack["Battery_Remaining_Capacity"]
            usb = _USB.get(str(values.get(f"battery_{n}_usb_device")))
            if usb is not None:
                pack["Battery_USB_present"] = usb
            found[serial] = {"Battery_Serial_Number": serial, **pack}
    return found


def meters(values: Values) -> Tree:
    """Return ``Meter_Details``; powers count up when exporting."""
    found: Tree = {}
    for n in range(1, 9):
        meter = picked(values, _METER, f"meter_{n}_")
        for phase in (1, 2, 3):
            power_w = values(f"meter_{n}_phase_{phase}_w")
            if power_w is not None:
                meter[f"Phase_{phase}_Power"] = 0 - power_w
        if meter:
            found[f"Meter_ID_{n}"] = meter
    return found


def _stack(values: Values, number: int) -> Tree:
    prefix = f"stack_{number}_"
    found = picked(values, _STACK, prefix)
    high, low = values(f"{prefix}highest_soc_pct"), values(f"{prefix}lowest_soc_pct")
    if high is not None and low is not None:
        found["Stack_SOC_Difference"] = high - low
    left_ah, volts = values(f"{prefix}remaining_ah"), values(f"{prefix}battery_v")
    if left_ah is not None and volts is not None:
        found["Stack_SOC_kWh"] = round(left_ah * volts / 1000, 2)
    return found


def _modules(values: Values) -> Tree:
    found: Tree = {}
    for n in range(1, 7):
        serial = values.text(f"module_{n}_serial")
        if serial:
            found[serial] = {
                "Battery_Serial_Number": serial,
                **picked(values, _CELLS | _CELLS_WARM, f"module_{n}_"),
            }
    return found


def _two_digits(key: str, point: str, count: int) -> Names:
    return {key.format(n): (point.format(f"{n:02}"),) for n in range(1, count + 1)}


_USB: Final[Mapping[str, int]] = {"none": 0, "Wi-Fi": 1, "disk": 2, "USB disk": 8}
_BMS: Final[Names] = {
    "BMS_Temperature": ("battery_c",),
    "BMS_Voltage": ("battery_v",),
}
_CELLS: Final = dict(_two_digits("Battery_Cell_{}_Voltage", "cell_{}_v", 24))
_CELLS_WARM: Final = dict(_two_digits("Battery_Cell_{}_Temperature", "cell_{}_c", 24))
_PACK: Final[Names] = {
    "Battery_SOC": ("soc_pct",),
    "Battery_Capacity": ("capacity_ah",),
    "Battery_Design_Capacity": ("design_capacity_ah",),
    "Battery_Remaining_Capacity": ("remaining_ah",),
    "Battery_Firmware_Version": ("firmware",),
    "Battery_Cells": ("cell_count",),
    "Battery_Cycles": ("cycles",),
    "Battery_Temperature": ("mosfet_c",),
    "Battery_Voltage": ("cells_v",),
    **_two_digits("Battery_Cell_{}_Voltage", "cell_{}_v", 16),
    **{
        f"Battery_Cell_{n + 1}_Temperature": (f"cells_{4 * n + 1:02}_{4 * n + 4:02}_c",)
        for n in range(4)
    },
}
_STACK: Final[Names] = {
    "Stack_Power": ("power_w",),
    "Stack_Current": ("current_a",),
    "Stack_Voltage": ("battery_v",),
    "Stack_Load_Voltage": ("load_v",),
    "Stack_SOH": ("soh_pct",),
    "Stack_SOC_High": ("highest_soc_pct",),
    "Stack_SOC_Low": ("lowest_soc_pct",),
    "Stack_Design_Capacity": ("capacity_ah",),
    "Stack_Cycles": ("cycles_factor",),
    "Stack_Firmware": ("firmware",),
    **{
        f"Stack_{way}_Energy_{when}_kWh": (f"{way.lower()}_{when.lower()}_kwh",)
        for way in ("Charge", "Discharge")
        for when in ("Today", "Total")
    },
}
_METER: Final[Names] = {
    **numbered("Phase_{}_Voltage", "phase_{}_v", (1, 2, 3)),
    **numbered("Phase_{}_Current", "phase_{}_a", (1, 2, 3)),
    **numbered("Phase_{}_Power_Factor", "phase_{}_power_factor", (1, 2, 3)),
    "Frequency": ("frequency_hz",),
    "Import_Energy_kWh": ("import_total_kwh",),
    "Export_Energy_kWh": ("export_total_kwh",),
}
