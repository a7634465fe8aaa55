"""An independent GivEnergy client detects, reads and sets every model of our simulator.

givenergy-modbus knows nothing of our frames and tables, so it sees what our own driver, which
shares them with the simulator, cannot. It lives in an environment of its own, made on first use
and kept in pytest's cache, and is no dependency of the project.
"""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ohmstead.clock import ManualClock
from ohmstead.devices.givenergy.simulator import GivEnergySimulator
from ohmstead.simulation import House, HouseSettings
from peer import peer_python, run

PACKAGE = "givenergy-modbus==2.13.0"
START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")

pytestmark = pytest.mark.timeout(400)

PEER = """
import asyncio, json, logging, sys
from givenergy_modbus.client import commands
from givenergy_modbus.client.client import Client
from givenergy_modbus.model import TimeSlot

async def main(port, writes):
    logging.disable()
    client = Client("127.0.0.1", port)
    await client.connect()
    capabilities = await client.detect()
    await client.load_config()
    plant = await client.refresh()
    inverter = plant.inverter
    found = {
        "model": capabilities.device_type.name,
        "packs": capabilities.lv_battery_addresses,
        "modules": capabilities.aio_battery_module_addresses + capabilities.hv_bmu_addresses,
        "stacks": capabilities.bcu_stacks,
        "meters": capabilities.meter_addresses,
        "controller": capabilities.lv_bcu_address,
        "serial": inverter.serial_number,
        "batteries": [
            [b.serial_number, b.soc, b.num_cells, b.v_cell_01, b.cap_remaining]
            for b in plant.batteries
        ],
    }
    for name in ("battery_soc", "p_battery", "p_load_demand", "p_grid_out", "v_ac1", "f_ac1"):
        found[name] = getattr(inverter, name, None)
    if writes:
        slot = TimeSlot.from_components(0, 30, 4, 30)
        await client.one_shot_command(commands.set_charge_slot(1, slot, inverter.slot_map))
        await client.one_shot_command(commands.set_battery_soc_reserve(20))
        await client.one_shot_command(commands.set_charge_target(80))
        await client.load_config()
        inverter = client.plant.inverter
        start, end = inverter.charge_slot_1.start, inverter.charge_slot_1.end
        found["slot"] = [start.isoformat("minutes"), end.isoformat("minutes")]
        found["reserve"] = inverter.battery_soc_reserve
        found["target"] = inverter.charge_target_soc
    await client.close()
    print(json.dumps(found))

asyncio.run(main(int(sys.argv[1]), sys.argv[2] == "writes"))
"""

TWO_PACKS = {"packs": [0x32, 0x33]}
FOUR_MODULES = {"modules": [0x50, 0x51, 0x52, 0x53], "stacks": [[0, 4]]}
EXPECTED: dict[str, dict[str, Any]] = {
    "hybrid_gen1": {"model": "HYBRID_GEN1", **TWO_PACKS},
    "hybrid_gen2": {"model": "HYBRID_GEN2", **TWO_PACKS, "meters": [1], "controller": 0x31},
    "hybrid_gen3_two_slots": {"model": "HYBRID_GEN3", **TWO_PACKS, "controller": 0x31},
    "hybrid_gen3": {"model": "HYBRID_GEN3", **TWO_PACKS, "meters": [1], "controller": 0x31},
    "ac_coupled": {"model": "AC", **TWO_PACKS},
    "all_in_one": {"model": "ALL_IN_ONE", **FOUR_MODULES},
    "hybrid_3ph": {"model": "HYBRID_3PH", **FOUR_MODULES, "meters": [1, 2]},
    "pv_only": {"model": "HYBRID", "packs": []},
    "ems": {"model": "EMS"},
    "gateway": {"model": "GATEWAY"},
}
SET_BY_THE_PEER = {name for name in EXPECTED if name.startswith(("hybrid_gen", "ac_", "all_"))}
MEASURED = SET_BY_THE_PEER


async def test_givenergy_modbus_detects_reads_and_sets_every_model(
    pytestconfig: pytest.Config,
) -> None:
    python = await peer_python(pytestconfig, PACKAGE, "givenergy_modbus.client", least=(3, 11))
    assert set(EXPECTED) == set(GivEnergySimulator.MODELS)

    async with AsyncExitStack() as stack:
        simulators, jobs = {}, {}
        async with asyncio.TaskGroup() as group:  # the peer mostly waits: all models at once
            for model in EXPECTED:
                clock = ManualClock(START)
                house = House(HouseSettings(), clock.now(), LONDON)
                simulator = GivEnergySimulator(house, clock, LONDON, model=model)
                port = await stack.enter_async_context(simulator.serve())
                writes = "writes" if model in SET_BY_THE_PEER else "reads"
                simulators[model] = simulator
                jobs[model] = group.create_task(run(python, "-c", PEER, str(port), writes))
    results = {model: job.result() for model, job in jobs.items()}
    assert {model: said for model, (code, said) in results.items() if code} == {}

    for model, (_, said) in results.items():
        found, house = json.loads(said.splitlines()[-1]), simulators[model].house
        assert {key: found[key] for key in EXPECTED[model]} == EXPECTED[model], model
        assert found["serial"] == simulators[model].inverter.serial
        if model in MEASURED:
            assert found["battery_soc"] == round(house.battery.soc_pct)
            assert found["p_battery"] == round(house.battery.cell_w)
            # The peer counts what is exported positive.
            assert found["p_grid_out"] == pytest.approx(-house.grid_w, abs=1)
            assert found["p_load_demand"] == pytest.approx(house.load_w, abs=2)
            assert found["v_ac1"] == pytest.approx(240.5, abs=6)
        if "packs" in EXPECTED[model] and found["packs"]:
            serials = [serial for serial, *_ in found["batteries"]]
            assert serials == ["DF2244G001", "DF2244G002"]
            _, soc_pct, cells, volts, _ = found["batteries"][0]
            assert (soc_pct, cells) == (round(house.battery.soc_pct), 16)
            assert volts == pytest.approx(house.battery.voltage_v / 16, abs=0.03)
        if model in SET_BY_THE_PEER:
            assert found["slot"] == ["00:30", "04:30"], model
            assert (found["reserve"], found["target"]) == (20, 80), model
            holdings = simulators[model].inverter.holdings
            assert holdings.value("charge_slot_1_end").isoformat("minutes") == "04:30"  # type: ignore[union-attr]
            assert holdings.value("reserve_soc_pct") == 20
