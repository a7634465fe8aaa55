"""What GivTCP's tree holds for plants that are no single-phase inverter: EMS, gateway, three-phase.

Which of them it is, its points tell: only an EMS controls a plant, only a gateway counts
All-in-Ones, only three-phase models have a second phase.
"""

from typing import Final

from ohmstead.model import Value
from ohmstead.outputs.givtcp_values import (
    Names,
    Tree,
    Values,
    above,
    numbered,
    picked,
    slot_ends,
    titled,
    turned,
)

__all__ = ["is_ems", "kind_of", "plant_branches"]

_KINDS: Final = {
    "Hybrid, generation 1": "Gen1 Hybrid",
    "Hybrid, generation 2": "Gen2 Hybrid",
    "Hybrid, generation 3 with old firmware": "Gen3 Hybrid",
    "Hybrid, generation 3": "Gen3 Hybrid",
    "Hybrid, generation 3 plus": "Gen3 Plus Hybrid",
    "Hybrid, generation 4, battery ready": "Gen4 Hybrid",
    "High-voltage hybrid, generation 3": "Gen3 HV Hybrid",
    "Polar or ALPS hybrid": "Polar",
    "PV inverter without a battery": "PV",
    "AC-coupled": "AC",
    "All-in-One": "All in One",
    "All-in-One hybrid, three-phase": "All in One Hybrid 3ph",
    "Three-phase hybrid": "Hybrid 3ph",
    "Three-phase AC-coupled": "AC 3ph",
    "Commercial three-phase": "Commercial 3ph",
    "Energy management system": "EMS",
    "Gateway": "Gateway",
    "Gateway with firmware up to GA000009": "Gateway",
}
"""A model's title in GivTCP's words; "3ph" in it is what its users look for."""


def kind_of(title: Value | None) -> str | None:
    """Return what GivTCP calls the model with this title, or the title itself.

    >>> kind_of("Hybrid, generation 3")
    'Gen3 Hybrid'
    """
    return None if title is None else _KINDS.get(str(title), str(title))


def is_ems(values: Values) -> bool:
    """Tell whether it commands other inverters."""
    return values.has("plant_control_enabled")


def plant_branches(values: Values) -> Tree:
    """Return what such a plant adds to each branch of the tree; nothing for any other."""
    if is_ems(values):
        return _ems(values)
    if values.has("aio_count"):
        return _gateway(values)
    if values.has("grid_phase_2_v"):
        return _three_phase(values)
    return {}


def _ems(values: Values) -> Tree:
    power = picked(values, _EMS_POWERS)
    each = [values(f"inverter_{n}_w") for n in _FOUR]
    known = [power_w for power_w in each if power_w is not None]
    if known:
        power["Total_Power"] = sum(known)
    control = picked(values, _EMS_CONTROL)
    mode = titled(values.get("car_charge_mode"))
    return {
        "Power": {"Power": power},
        "Details": picked(values, _EMS_DETAILS) | _status(values),
        "Timeslots": {
            **slot_ends(values, "EMS_Charge", "charge", _THREE),
            **slot_ends(values, "EMS_Discharge", "discharge", _THREE),
            **slot_ends(values, "Export", "export", _THREE),
        },
        "Control": control if mode is None else {**control, "Car_Charge_Mode": mode},
        "Inverters": {
            f"Inverter_{n}": picked(values, _OF_INVERTER, f"inverter_{n}_")
            for n in _FOUR
            if values.text(f"inverter_{n}_serial")
        },
        "Meter_Details": _meters(values),
    }


def _status(values: Values) -> Tree:
    status = titled(values.get("status"))
    return {} if status is None else {"Plant_Status": status, "EMS_Status": status}


def _gateway(values: Values) -> Tree:
    return {
        "Power": {"Power": picked(values, _GATEWAY_POWERS)},
        "Energy": {
            named: picked(
                values,
                {
                    f"Parallel_Total_{way}_Energy_{named}_kWh": (f"aio_{way.lower()}_{when}_kwh",)
                    for way in ("Charge", "Discharge")
                },
            )
            for named, when in (("Today", "today"), ("Total", "total"))
        },
        "Details": picked(values, _GATEWAY_DETAILS),
        "Inverters": {
            f"AIO_{n}": {**picked(values, _OF_AIO, f"aio_{n}_"), f"AIO_{n}_Serial_Number": serial}
            for n in _THREE
            if (serial := values.text(f"aio_{n}_serial"))
        },
    }


def _three_phase(values: Values) -> Tree:
    power = picked(values, _THREE_PHASE_POWERS)
    for phase in _THREE:
        sent_w = above(turned(values(f"grid_phase_{phase}_w")))
        if sent_w is not None:
            power[f"Export_Phase{phase}_Power"] = sent_w
    return {
        "Power": {"Power": power},
        "Energy": {
            named: picked(
                values,
                {
                    f"{key}_Energy_{named}_kWh": (f"{point}_{when}_kwh",)
                    for key, point in (("PV1", "pv1"), ("PV2", "pv2"), ("Export2", "other_export"))
                },
            )
            for named, when in (("Today", "today"), ("Total", "total"))
        },
        "Details": picked(values, _THREE_PHASE_DETAILS),
        "Control": picked(values, _THREE_PHASE_CONTROL),
    }


def _meters(values: Values) -> Tree:
    found: Tree = {}
    for n in range(1, 9):
        power_w, status = turned(values(f"meter_{n}_w")), titled(values.get(f"meter_{n}_status"))
        if power_w is not None:
            found[f"Meter_{n}_Power"] = power_w
        if status is not None:
            found[f"Meter_{n}_Status"] = status
    return found


_FOUR: Final = (1, 2, 3, 4)
_THREE: Final = (1, 2, 3)
_EMS_POWERS: Final[Names] = {
    "Calculated_Load_Power": ("load_w",),
    "Measured_Load_Power": ("measured_load_w",),
    "Generation_Load_Power": ("generation_w",),
    "Total_Battery_Power": ("battery_w",),
    "Other_Battery_Power": ("other_battery_w",),
}
_EMS_DETAILS: Final[Names] = {
    "Serial_Number": ("serial",),
    "Inverter_Count": ("inverter_count",),
    "Meter_Count": ("meter_count",),
    "Car_Charge_Count": ("expected_chargers",),
    "Remaining_Battery_Wh": ("battery_remaining_wh",),
}
_EMS_CONTROL: Final[Names] = {
    **numbered("EMS_Charge_Target_SOC_{}", "charge_slot_{}_target_soc_pct", _THREE),
    **numbered("EMS_Discharge_Target_SOC_{}", "discharge_slot_{}_floor_soc_pct", _THREE),
    **numbered("Export_Target_SOC_{}", "export_slot_{}_floor_soc_pct", _THREE),
    "Car_Charge_Boost": ("car_charge_boost_w",),
    "Plant_Charge_Compensation": ("charge_compensation",),
    "Plant_Discharge_Compensation": ("discharge_compensation",),
    "Export_Power_Limit": ("export_limit_w",),
}
_OF_INVERTER: Final[Names] = {
    "Power": ("w",),
    "SOC": ("soc_pct",),
    "Temperature": ("c",),
    "Serial_Number": ("serial",),
    "status": ("status",),
}
_GATEWAY_POWERS: Final[Names] = {
    "Load_Voltage": ("load_v",),
    "Load_Current": ("load_a",),
    "PV_Current": ("pv_a",),
    "Liberty_Power": ("liberty_w",),
    "Grid_Relay_Voltage": ("grid_relay_v",),
    "Inverter_Relay_Voltage": ("inverter_relay_v",),
}
_GATEWAY_DETAILS: Final[Names] = {
    "Gateway_Software_Version": ("software",),
    "Parallel_Total_AIO_Number": ("aio_count",),
    "Parallel_Total_AIO_Online_Number": ("aio_online_count",),
    "Gateway_State": ("aio_state",),
    "Gateway_Mode": ("work_mode",),
}
_OF_AIO: Final[Names] = {
    "SOC": ("soc_pct",),
    "Invertor_Power": ("w",),
    **{
        f"AC_{way}_Energy_{when}_kWh": (f"{way.lower()}_{when.lower()}_kwh",)
        for way in ("Charge", "Discharge")
        for when in ("Today", "Total")
    },
}
_THREE_PHASE_POWERS: Final[Names] = {
    "Grid_Phase1_Voltage": ("grid_v",),
    **numbered("Grid_Phase{}_Voltage", "grid_phase_{}_v", (2, 3)),
    "Grid_Phase1_Current": ("inverter_a",),
    **numbered("Grid_Phase{}_Current", "inverter_phase_{}_a", (2, 3)),
    **numbered("Output_Phase{}_Voltage", "output_phase_{}_v", _THREE),
    **numbered("Load_Phase{}_Power", "inverter_phase_{}_w", _THREE),
    **numbered("EPS_Phase{}_Voltage", "eps_phase_{}_v", _THREE),
    **numbered("EPS_Phase{}_Current", "eps_phase_{}_a", _THREE),
    **numbered("EPS_Phase{}_Power", "eps_phase_{}_va", _THREE),
    "Battery_Charge_Power": ("battery_charge_w",),
    "Battery_Discharge_Power": ("battery_discharge_w",),
    "Inverter_Power_Out": ("inverter_w",),
    "Meter_Import_Power": ("grid_import_w",),
    "Meter_Export_Power": ("grid_export_w",),
    "Meter2_Power": ("second_meter_w",),
    "Grid_Apparent_Power": ("grid_va",),
    "PCS_Voltage": ("battery_at_inverter_v",),
    "Power_Factor": ("power_factor",),
}
_THREE_PHASE_DETAILS: Final[Names] = {
    "Boost_Temperature": ("boost_c",),
    "Buck_Boost_Temperature": ("buck_boost_c",),
    "Inverter_Temperature": ("inverter_c",),
    "DC_Status": ("dc_status",),
    "System_Mode": ("system_mode",),
    "Battery_Priority": ("battery_priority",),
    "Start_Delay_Time": ("start_countdown_s",),
    "Invertor_Software": ("software",),
}
_THREE_PHASE_CONTROL: Final[Names] = {
    "Discharge_Target_SOC": ("discharge_floor_soc_pct",),
    "Load_Target_SOC": ("load_first_stop_soc_pct",),
    "Export_Limit_AC": ("export_limit_w",),
}
