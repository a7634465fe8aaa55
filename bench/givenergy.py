"""A full GivEnergy read, and frames decoded, beside givenergy-modbus on the same simulator.

The library lives in an environment of its own under .bench/, made on first use.
"""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from ohmstead.clock import SystemClock
from ohmstead.devices.givenergy.driver import GivEnergyDriver, GivEnergySettings
from ohmstead.devices.givenergy.frames import Block, FrameDecoder
from ohmstead.devices.givenergy.simulator import DongleSettings, GivEnergySimulator
from ohmstead.simulation import House, HouseSettings
from tables import print_table

LIBRARY = "givenergy-modbus==2.13.0"
FOLDER = Path(__file__).parents[1] / ".bench" / "givenergy-modbus"
LONDON = ZoneInfo("Europe/London")
FRAME = Block(
    dongle="WJ2414G001", address=0x11, function=4, serial="EA2302G001", register=0,
    words=tuple(range(60)),
).to_bytes()  # fmt: skip
FRAMES = 4_000

READ = """
import asyncio, json, logging, sys, time
from givenergy_modbus.client.client import Client
async def main(port):
    logging.disable()
    client = Client("127.0.0.1", port)
    began = time.perf_counter()
    await client.connect()
    await client.detect()
    await client.load_config()
    await client.refresh()
    full = time.perf_counter() - began
    began = time.perf_counter()
    await client.refresh()
    again = time.perf_counter() - began
    await client.close()
    print(json.dumps([full, again]))
asyncio.run(main(int(sys.argv[1])))
"""
DECODE = """
import asyncio, json, logging, sys, time
from givenergy_modbus.framer import ClientFramer
async def main(frame, count):
    logging.disable()
    best = 0.0
    for _ in range(3):
        framer, found, began = ClientFramer(), 0, time.perf_counter()
        for _ in range(count // 50):
            async for message in framer.decode(frame * 50):
                found += 1
        best = max(best, found / (time.perf_counter() - began))
    print(json.dumps(best))
asyncio.run(main(bytes.fromhex(sys.argv[1]), int(sys.argv[2])))
"""


def main() -> None:
    """Measure both, ours first."""
    python = environment()
    asyncio.run(full_read(python))
    ours = decoded_per_s()
    theirs = float(json.loads(asked(python, DECODE, FRAME.hex(), str(FRAMES))))
    print_table(
        "Answers of 60 registers decoded per second",
        ("", "frames/s"),
        [
            ["ohmstead", f"{ours:,.0f}"],
            [LIBRARY, f"{theirs:,.0f}"],
            ["against it", f"{ours / theirs:.1f}x"],
        ],
    )


async def full_read(python: str) -> None:
    """Read a generation 2 hybrid with two batteries and a meter, from nothing known on."""
    clock = SystemClock()
    house = House(HouseSettings(), clock.now(), LONDON)
    dongle = DongleSettings(latency_s=0.05)
    simulator = GivEnergySimulator(house, clock, LONDON, dongle=dongle)
    async with simulator.serve() as port:
        settings = GivEnergySettings(host="127.0.0.1", port=port)
        began = perf_counter()
        async with GivEnergyDriver("inverter", settings, clock, LONDON) as driver:
            await driver.read()
            first_s, first = perf_counter() - began, len(simulator.requests)
            await driver.explore()
            full_s, full = perf_counter() - began, len(simulator.requests)
            await asyncio.sleep(settings.fresh_s)
            began = perf_counter()
            await driver.read()
            again_s, again = perf_counter() - began, len(simulator.requests) - full
        before = len(simulator.requests)
        process = await asyncio.create_subprocess_exec(
            python, "-c", READ, str(port), stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        their_full_s, their_again_s = json.loads(said)
        theirs = len(simulator.requests) - before
        their_again = 5  # two pages of the inverter, two packs and the packs' controller
        rows = [
            ["ohmstead: first reading", str(first), f"{first_s:.2f} s"],
            ["ohmstead: everything behind it", str(full), f"{full_s:.2f} s"],
            [f"{LIBRARY}: the same", str(theirs - their_again), f"{their_full_s:.2f} s"],
            ["ohmstead: next poll", str(again), f"{again_s:.2f} s"],
            [f"{LIBRARY}: next poll", str(their_again), f"{their_again_s:.2f} s"],
        ]
        print_table("A hybrid with two packs, 50 ms an answer", ("", "requests", "time"), rows)


def decoded_per_s() -> float:
    """Return how many frames our decoder finds in a second, the best of three runs."""
    best = 0.0
    for _ in range(3):
        decoder, found, began = FrameDecoder(), 0, perf_counter()
        for _ in range(FRAMES // 50):
            found += len(decoder.feed(FRAME * 50))
        best = max(best, found / (perf_counter() - began))
    return best


def environment() -> str:
    """Return the Python of an environment that has the library."""
    python = FOLDER / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)  # noqa: S603 - our own interpreter
        subprocess.run([str(python), "-m", "pip", "install", "-q", LIBRARY], check=True)  # noqa: S603 - a name of ours
    return str(python)


def asked(python: str, program: str, *arguments: str) -> str:
    """Return what *program* says in the library's environment."""
    command = [python, "-c", program, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - programs of this file
