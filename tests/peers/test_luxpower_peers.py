"""An independent LuxPower client reads and writes our simulator.

pylxpweb knows nothing of our frames and tables, so it sees what our own driver, which shares
them with the simulator, cannot. It needs a newer Python than we do: it lives in an environment
of its own, made on first use and kept in pytest's cache, and is no dependency of the project.
"""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ohmstead.clock import ManualClock
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.simulation import House, HouseSettings
from peer import peer_python, run

PACKAGE = "pylxpweb==0.9.40"
START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")

pytestmark = pytest.mark.timeout(400)

PEER = """
import asyncio, json, sys
from pylxpweb.devices.inverters._features import InverterFamily
from pylxpweb.transports.dongle import DongleTransport

async def main(port, family):
    peer = DongleTransport(
        host="127.0.0.1", port=port, dongle_serial="2222222222", inverter_serial="5555555555",
        timeout=5, inverter_family=InverterFamily[family],
    )
    await peer.connect()
    try:
        runtime = await peer.read_runtime()
        found = {
            "serial": await peer.read_serial_number(),
            "firmware": await peer.read_firmware_version(),
            "device_type": await peer.read_device_type(),
            "slots": await peer.read_parameters(68, 6),
            "runtime": {
                name: getattr(runtime, name)
                for name in (
                    "battery_soc", "battery_voltage", "battery_charge_power",
                    "battery_discharge_power", "grid_voltage_r", "grid_frequency",
                    "pv_total_power", "power_from_grid", "inverter_power", "device_status",
                )
            },
        }
        await peer.write_parameters({67: 85})
        await peer.write_parameters({68: 0x1E0B, 69: 0x000D})
        await peer.write_named_parameters({"FUNC_AC_CHARGE": True})
        found["limit"] = await peer.read_parameters(67, 3)
        found["functions"] = await peer.read_parameters(21, 1)
        try:
            await peer.write_parameters({105: 99})
        except Exception as refused:
            found["refused"] = str(refused)
        print(json.dumps(found))
    finally:
        await peer.disconnect()

asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("model", "family", "expected"),
    [
        pytest.param("acs_3600", "LXP", {"device_type": 4, "letters": "BAAA"}, id="acs_3600"),
        pytest.param("lxp_12k", "LXP", {"device_type": 44, "letters": "FAAB"}, id="lxp_12k"),
        pytest.param(
            "eg4_12kpv", "EG4_HYBRID", {"device_type": 2092, "letters": "EAAB"}, id="eg4_12kpv"
        ),
    ],
)
async def test_pylxpweb_reads_and_writes_our_simulator(
    model: str, family: str, expected: dict[str, object], pytestconfig: pytest.Config
) -> None:
    python = await peer_python(pytestconfig, PACKAGE, "pylxpweb.transports.dongle")
    house = House(
        HouseSettings(hybrid=model != "acs_3600"),
        START,
        LONDON,
        pv_at=lambda _: 0,
        load_at=lambda _: 500,
    )
    # It asks for 41 registers at a time, as loggers of its time give.
    logger = LoggerSettings(broadcast_s=None, block_limit=127)
    simulator = LuxPowerSimulator(house, ManualClock(START), LONDON, model=model, logger=logger)
    volts = house.battery.voltage_v
    async with simulator.serve() as port:
        code, said = await run(python, "-c", PEER, str(port), family)
    assert code == 0, said
    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    runtime = found["runtime"]
    assert found["serial"] == "5555555555"
    assert found["device_type"] == expected["device_type"]
    assert found["firmware"].startswith(expected["letters"])
    assert runtime["battery_soc"] == 50
    assert runtime["battery_voltage"] == pytest.approx(volts, abs=0.1)
    assert runtime["battery_discharge_power"] == pytest.approx(500 / 0.95, abs=1)
    assert runtime["battery_charge_power"] == 0
    assert runtime["grid_frequency"] == pytest.approx(50, abs=0.1)
    assert runtime["grid_voltage_r"] == pytest.approx(240.5, abs=4)
    assert runtime["inverter_power"] == 500
    assert runtime["power_from_grid"] == runtime["pv_total_power"] == 0
    assert runtime["device_status"] == 0x10
    assert found["limit"] == {"67": 85, "68": 0x1E0B, "69": 0x000D}
    assert found["functions"]["21"] & 128
    assert "refused" in found
    asked = [(place, word) for _, place, word in simulator.writes]
    assert {(67, 85), (68, 0x1E0B), (69, 0x000D), (105, 99)} <= set(asked)
    # Noon lies in the slot it wrote: the house charges.
    assert house.battery_w < -500
