"""An independent LuxPower client reads and writes our simulator.

pylxpweb knows nothing of our frames and tables, so it sees what our own driver, which shares
them with the simulator, cannot. It needs a newer Python than we do: it lives in an environment
of its own, made on first use and kept in pytest's cache, and is no dependency of the project.
"""

import asyncio
import json
import os
import shutil
from asyncio.subprocess import PIPE, STDOUT
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ohmstead.clock import ManualClock
from ohmstead.devices.luxpower.simulator import LoggerSettings, LuxPowerSimulator
from ohmstead.simulation import House, HouseSettings

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


@dataclass(frozen=True)
class Missing(Exception):
    """The peer cannot be had here."""

    why: str
    excusable: bool
    """Even on a CI machine."""


@pytest.fixture(scope="session")
def home(pytestconfig: pytest.Config) -> Path:
    """Return where environments of peers are kept."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("peers")


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
    model: str, family: str, expected: dict[str, object], home: Path
) -> None:
    try:
        python = await environment(home)
    except Missing as missing:
        if os.environ.get("CI") and not missing.excusable:
            pytest.fail(missing.why)
        pytest.skip(missing.why)
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


async def environment(home: Path) -> str:
    """Return the Python of an environment that has the peer, making it if need be."""
    for name in ("python3.14", "python3.13", "python3.12", "python3"):
        base = shutil.which(name)
        # A shim may stand there without a Python behind it, so it is asked.
        if (
            base
            and (await run(base, "-c", "import sys; sys.exit(sys.version_info < (3, 12))"))[0] == 0
        ):
            break
    else:
        raise Missing("pylxpweb needs Python 3.12 or newer, and none runs here", excusable=True)
    _, version = await run(base, "-c", "import sys; print(*sys.version_info[:2], sep='.')")
    # Test processes that run side by side must not build in one folder.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    folder = home / f"{PACKAGE}-{version.strip()}-{worker}"
    python = str(folder / "bin" / "python")
    check = ("-c", "import pylxpweb.transports.dongle")
    if not folder.exists() or (await run(python, *check))[0]:
        shutil.rmtree(folder, ignore_errors=True)
        code, said = await run(base, "-m", "venv", str(folder))
        if code == 0:
            code, said = await run(python, "-m", "pip", "install", "--quiet", PACKAGE)
        if code:
            shutil.rmtree(folder, ignore_errors=True)
            raise Missing(f"{PACKAGE} cannot be installed: {said[-300:]}", excusable=False)
    return python


async def run(*command: str) -> tuple[int, str]:
    """Return the exit status of *command* and what it said."""
    try:
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    except OSError as error:
        return 1, repr(error)
    try:
        async with asyncio.timeout(300):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return 1, "it took too long"
    assert process.returncode is not None
    return process.returncode, said.decode(errors="replace")
