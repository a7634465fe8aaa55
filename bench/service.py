"""Memory and processor time of `ohmstead run` with one inverter, and its start."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

from tables import print_table

SETTLE_S, MEASURE_S = 15, 40
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Start a simulated inverter, a price server and the service as processes of their own."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        device, prices, web = (free_port() for _ in range(3))
        for family, port in (("luxpower", device), ("octopus", prices)):
            stack.enter_context(process("simulate", family, "--port", str(port)))
        path = Path(folder) / "ohmstead.yaml"
        path.write_text(
            "devices: [{name: inverter, family: luxpower, host: 127.0.0.1, "
            f"port: {device}, datalog: 2222222222, serial: 5555555555}}]\n"
            "prices: {import: {source: octopus, tariff: E-1R-AGILE-24-10-01-C, "
            f"url: 'http://127.0.0.1:{prices}'}}}}\n"
            "control:\n- price_threshold: {at_most_per_kwh: 0.05}\n"
            "- rule: {when: 'price.import > 9', do: {hold: {}}}\n- self_consumption: {}\n"
            f"web: {{listen: '127.0.0.1:{web}'}}\n"
        )
        pause(3)
        began = time.perf_counter()
        service = stack.enter_context(process("run", "-c", str(path)))
        first_s = until_decided(web, began)
        pause(SETTLE_S)
        before, at = used_s(service.pid), time.perf_counter()
        pause(MEASURE_S)
        share = (used_s(service.pid) - before) / (time.perf_counter() - at)
        baseline = stack.enter_context(
            process_of([sys.executable, "-c", "import time; time.sleep(99)"])
        )
        pause(1)
        rows = [
            [
                "memory (RSS)",
                f"{memory_mb(service.pid):.1f} MB",
                f"{memory_mb(baseline.pid):.1f} MB",
                "80 MB",
            ],
            ["processor", f"{100 * share:.2f} % of a core", "", "2 %"],
            ["start to first decision", f"{first_s:.2f} s", "", "2 s"],
        ]
    print_table(
        f"ohmstead run, one inverter, over {MEASURE_S} s",
        ("", "measured", "bare interpreter", "target"),
        rows,
    )


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def process(*arguments: str) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Run the command line with *arguments* for as long as the block lasts."""
    return process_of([sys.executable, "-m", "ohmstead", *arguments])


@contextlib.contextmanager
def process_of(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run *command* for as long as the block lasts."""
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        yield running
    finally:
        running.terminate()
        running.wait()


def pause(seconds: float) -> None:
    """Let the other processes run."""
    time.sleep(seconds)  # noqa: TID251 - nothing else runs in this process


def until_decided(port: int, began: float) -> float:
    """Return how long after *began* the service answers with a decision."""
    while time.perf_counter() - began < 30:
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/api/v1/decision").status_code == 200:
                return time.perf_counter() - began
        except httpx2.HTTPError:
            pass
        pause(0.02)
    raise SystemExit("the service never decided anything")


def used_s(pid: int) -> float:
    """Return the processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mb(pid: int) -> float:
    """Return the memory a process has in RAM."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
