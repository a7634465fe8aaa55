"""Faults and states in words: every bit that is known says what it is known to say."""

import re

import pytest

from ohmstead.devices.givenergy.plants import GATEWAY_V1, GATEWAY_V2
from ohmstead.devices.givenergy.registers import MODELS
from ohmstead.registers import RegisterTable

INVERTER = """
    28 Backup Overload Fault, 25 Grid Monitor Comm Fault, 24 ARM Comms Fault, 23 Consistent Fault,
    22 EEPROM Fault, 15 Inverter Frequency Fault, 14 Relay Fault, 13 Inverter Voltage Fault,
    12 GFCI Fault, 11 Hall Sensor Fault, 10 DSP Comms Fault, 9 Bus over voltage,
    8 Inverter Current Fault, 7 No Utility, 6 PV Isolation Fault, 5 Current leak high, 4 DCI high,
    3 PV Over voltage, 2 Grid voltage Fault, 1 Grid Frequency Fault, 0 Inverter NTC Fault
"""
CHARGER = """
    0 BMS under-temperature (charge), 1 BMS under-temperature (discharge),
    2 BMS over-temperature (charge), 3 BMS over-temperature (discharge), 4 BMS under-voltage,
    5 BMS over-voltage, 6 BMS short-circuit current (discharge), 7 BMS over-current (discharge),
    8 Charge/discharge module temperature fault, 9 Battery temperature fault, 10 BMS comms fail,
    12 Battery soft-start fail, 13 Battery voltage low, 14 Battery voltage high,
    15 Electricity meter comms fail
"""
GATEWAY = """
    31 Relay 1&2 bonding, 30 Relay 3&4 bonding, 29 Relay 1&2 disconnect, 28 Relay 3&4 disconnect,
    27 AC over frequency 1, 26 AC under frequency 1, 25 AC over voltage 1, 24 AC under voltage 1,
    23 AC over frequency 2, 22 AC under frequency 2, 21 AC over voltage 2, 20 AC under voltage 2,
    18 No zero-point protection, 17 Over quarter AC voltage, 16 Under quarter AC voltage,
    15 Over AC voltage long-time, 14 AC over frequency constant, 13 AC under frequency constant,
    12 AC over voltage constant, 0 Grid mode Off
"""
THREE_PHASE = {
    1300: """
        0 Battery Voltage High, 2 Bus 2 Voltage high ISR, 3 Bus Voltage high ISR,
        4 Inverter OCP fault TZ, 5 Frequency unstable, 6 Buck Boost Fault ISR, 7 BDC OCP Fault,
        8 Grid Zero cross loss, 12 Grid Phase 1 voltage fault, 13 Grid Phase 2 voltage fault,
        14 Grid Phase 3 voltage fault, 15 Grid frequency out of range
    """,
    1301: """
        0 Gateway Comm fault, 1 GFCI Damage, 2 Grid phase 1 voltage low,
        3 Grid phase 1 voltage high, 4 Grid phase 2 voltage low, 5 Grid phase 2 voltage high,
        6 Grid phase 3 voltage low, 7 Grid phase 3 voltage high, 8 Inverter OCP Fault ISR,
        12 Inverter Phase 1 Current OCP (RMS), 13 Inverter Phase 2 Current OCP (RMS),
        14 Inverter Phase 3 Current OCP (RMS), 15 No Grid connection
    """,
    1302: """
        0 Grid Frequency Low, 1 Grid frequency High, 2 Grid voltage imbalance, 3 AC PLL fault,
        4 Overload fault, 5 Backflow timeout, 7 Grid connected v/f out of range,
        8 EPS phase 1 voltage loss, 9 EPS phase 2 voltage loss, 10 EPS phase 3 voltage loss,
        11 EPS bus voltage low, 12 EPS overload, 13 EPS voltage high, 14 DCV high, 15 Battery OCP
    """,
    1303: """
        0 Battery reversed, 1 Battery open, 2 Battery voltage low, 4 Bus2 voltage abnormal,
        5 Buck boost soft start fail, 6 Battery voltage high, 8 BMS Error, 9 BMS comm fault,
        13 Battery sleep, 14 Lead acid NTC open, 15 BMS power forbid
    """,
    1304: "5 PV1 voltage low, 6 PV2 voltage low",
    1305: """
        0 DCI high, 1 PV isolation low, 2 NTC open, 3 Bus voltage high, 4 PV voltage high,
        5 Boost over temperature, 6 Buck Boost over temperature, 7 Inverter over temperature,
        8 EPS output short circuit, 9 Auto test fault, 10 Init Model fault, 11 Relay fault,
        12 Bus voltage unbalance, 13 DSP firmware unmatched, 14 PV1 short circuit,
        15 PV2 short circuit
    """,
    1306: """
        0 PV voltage high, 1 External device faulty, 2 A com fault, 3 B com fault,
        4 Master force inverter fault, 5 Master force SP fault, 6 GFCI High,
        7 Virtual Load over temp, 8 Internal com fault 3, 9 Grid consistent,
        10 EPS connected grid, 11 Internal over temperature, 12 Fan fault, 13 Hardware unmatch
    """,
    1307: """
        0 CT clamp L/N reversed, 1 Pairing timeout, 2 Meter comms loss,
        6 Battery over temperature, 7 Battery over load, 8 Battery full, 9 Battery needs Charge,
        10 BMS Warning, 11 Battery weak, 12 Battery low power, 13 NTC open, 14 Fan warning
    """,
}


def bits(text: str) -> dict[int, str]:
    """Return what a list of the document says, by bit."""
    pairs = (entry.strip().split(" ", 1) for entry in " ".join(text.split()).split(", "))
    return {int(number): spelt(name) for number, name in pairs}


def spelt(text: str) -> str:
    """Return *text* without the differences between one hand and another."""
    return re.sub(r"\bcom(m|ms)?\b", "communication", text.lower())


INVERTER_TABLE = MODELS["hybrid_gen1"]
LISTS: list[tuple[str, RegisterTable, str, int, int, str]] = [
    ("inverter", INVERTER_TABLE.holdings, "faults", 223, 2, INVERTER),
    ("charger", INVERTER_TABLE.inputs, "charger_warnings", 57, 1, CHARGER),
    ("gateway", GATEWAY_V2, "faults", 1622, 2, GATEWAY),
    ("old gateway", GATEWAY_V1, "faults", 1622, 2, GATEWAY),
    *(
        (str(address), MODELS["hybrid_3ph"].inputs, f"faults_{n}", address, 1, text)
        for n, (address, text) in enumerate(THREE_PHASE.items())
    ),
]


@pytest.mark.parametrize(
    ("table", "name", "address", "words", "text"),
    [entry[1:] for entry in LISTS],
    ids=[entry[0] for entry in LISTS],
)
def test_every_bit_of_a_fault_says_what_it_is(
    table: RegisterTable, name: str, address: int, words: int, text: str
) -> None:
    known = bits(text)
    for bit in range(16 * words):
        raw = 1 << bit
        # High word first.
        parts = {address + n: raw >> 16 * (words - 1 - n) & 0xFFFF for n in range(words)}
        (shown,) = table.decode(parts).values.items()
        assert shown[0] == name
        assert spelt(str(shown[1])) == known.get(bit, ""), f"bit {bit}"


def test_several_faults_are_told_together_and_none_is_nothing() -> None:
    table = INVERTER_TABLE.holdings
    assert table.decode({223: 0x1000, 224: 0x0081}).values == {
        "faults": "inverter NTC fault, no utility, backup overload fault"
    }
    assert table.decode({223: 0, 224: 0}).values == {"faults": ""}


@pytest.mark.parametrize(
    ("model", "space", "address", "name", "states"),
    [
        ("hybrid_gen1", "input", 0, "status", ("0 waiting, 1 normal, 2 warning, 3 fault, "
         "4 updating firmware")),
        ("hybrid_gen1", "input", 14, "charge_status", ("0 idle, 2 charging, 3 finishing, "
         "5 discharging")),
        ("hybrid_gen1", "holding", 29, "battery_calibration", ("0 off, 1 discharge, "
         "2 set lower limit, 3 charge, 4 set upper limit, 5 balance, 6 set full capacity, "
         "7 finish")),
        ("hybrid_gen1", "holding", 47, "meter_type", "0 CT or EM418, 1 EM115"),
        ("hybrid_gen1", "holding", 54, "battery_type", "0 lead-acid, 1 lithium"),
        ("all_in_one", "holding", 311, "export_priority", "0 load, 1 battery, 2 grid"),
        ("all_in_one", "holding", 318, "pause_mode", "0 none, 1 charge, 2 discharge, 3 both"),
        ("gateway", "input", 1604, "work_mode", ("0 initialising, 1 off-grid, 2 on-grid, "
         "3 fault, 4 update")),
        ("hybrid_3ph", "holding", 1124, "maintenance_mode", ("0 off, 1 discharge, 2 charge, "
         "3 standby")),
    ],
)  # fmt: skip
def test_a_state_has_a_name(model: str, space: str, address: int, name: str, states: str) -> None:
    found = MODELS[model]
    table = found.inputs if space == "input" else found.holdings
    for entry in states.split(", "):
        number, text = entry.split(" ", 1)
        assert table.decode({address: int(number)}).values[name] == text
