"""What telling a broker everything costs: 10 devices of 150 points, all new every second.

A real mosquitto of the bench's own takes it; beside it the same house without an output.
"""

import asyncio
import resource
import shutil
import subprocess
import tempfile
from datetime import UTC
from pathlib import Path
from time import perf_counter, process_time
from typing import Self

from ohmstead import app
from ohmstead.clock import SystemClock
from ohmstead.config.build import Face
from ohmstead.model import Point, Reading
from ohmstead.outputs.mqtt import MqttOutput, MqttSettings
from ohmstead.ports import SitePort
from tables import print_table

DEVICES = 10
POINTS = 150
SECONDS = 20
PORT = 18_839


class Chatty:
    """A device all of whose values change with every reading."""

    family = "bench"

    def __init__(self, name: str, clock: SystemClock) -> None:
        """Be called *name*."""
        self.name = name
        self.points = {
            f"value_{n}_w": Point(key=f"value_{n}_w", label=f"Value {n}") for n in range(POINTS)
        }
        self._clock = clock
        self._count = 0

    async def __aenter__(self) -> Self:
        """Begin."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""

    async def read(self) -> Reading:
        """Say something new of everything."""
        self._count += 1
        values = dict.fromkeys(self.points, self._count)
        return Reading(device=self.name, at=self._clock.now(), values=values)

    async def news(self) -> None:
        """Never speak unasked."""
        await asyncio.Event().wait()


def main() -> None:
    """Measure without and with the output."""
    mosquitto = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if mosquitto is None:
        print("mqtt: no mosquitto here, nothing measured")
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mosquitto.conf"
        file.write_text(f"listener {PORT} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
        broker = subprocess.Popen([mosquitto, "-c", str(file)], stderr=subprocess.DEVNULL)  # noqa: S603 - the broker found above
        try:
            rows = [asyncio.run(measure("no output", [], Path(folder)))]
            clock = SystemClock()
            output = MqttOutput(
                MqttSettings(host="127.0.0.1", port=PORT), site_name="bench", timezone=UTC,
                clock=clock, data_dir=Path(folder),
            )  # fmt: skip
            rows.append(asyncio.run(measure("mqtt", [("mqtt", output.run)], Path(folder))))
        finally:
            broker.terminate()
            broker.wait()
    print_table(
        f"{DEVICES} devices of {POINTS} points, each new every second",
        ("", "messages/s", "of a core", "peak MB"),
        rows,
    )


async def measure(name: str, faces: list[Face], folder: Path) -> list[str]:
    """Run the house for a while; count what the broker passes on."""
    clock, stop = SystemClock(), asyncio.Event()
    devices = [(Chatty(f"device_{n}", clock), 1.0) for n in range(DEVICES)]
    plan = app.Plan(timezone=UTC, devices=devices, strategies=[], data_dir=folder / name)
    result: list[str] = []

    async def watch(site: SitePort) -> None:
        del site
        await asyncio.sleep(5)  # the first telling of everything is another matter
        began, used = perf_counter(), process_time()
        messages = await heard() if faces else 0
        if not faces:
            await asyncio.sleep(SECONDS)
        share = (process_time() - used) / (perf_counter() - began)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        result.extend([name, f"{messages / SECONDS:,.0f}", f"{share:.1%}", f"{peak_mb:.0f}"])
        stop.set()

    await app.run(plan, clock, stop, [*faces, ("watch", watch)])
    return result


async def heard() -> int:
    """Return how many messages a subscriber of its own process hears meanwhile."""
    process = await asyncio.create_subprocess_exec(
        "mosquitto_sub", "-p", str(PORT), "-t", "ohmstead/#", "-R", "-W", str(SECONDS),
        "-F", "%t", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    said, _ = await process.communicate()
    return said.count(b"\n")
