"""How long `ohmstead --help` takes, beside an interpreter that does nothing."""

import subprocess
import sys
from statistics import median
from time import perf_counter

from tables import print_table

RUNS = 9


def main() -> None:
    """Measure the verbs that must be quick."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "ohmstead --help": [sys.executable, "-m", "ohmstead", "--help"],
        "ohmstead run --help": [sys.executable, "-m", "ohmstead", "run", "--help"],
        "ohmstead demo --help": [sys.executable, "-m", "ohmstead", "demo", "--help"],
    }
    rows = []
    for name, command in commands.items():
        times = []
        for _ in range(RUNS):
            began = perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
            times.append(perf_counter() - began)
        rows.append([name, f"{median(times):.2f}", f"{max(times):.2f}"])
    print_table("Seconds from start to exit", ("command", "median", "worst"), rows)
