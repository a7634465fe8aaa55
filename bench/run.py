"""Benchmarks: each prints one table, measured beside a baseline in the same run.

make bench                 all of them
make bench ARGS="frames tick"
make bench ARGS="history --full"    a year instead of 30 days
"""

import importlib
import sys

BENCHES = (
    "frames",
    "tick",
    "command_line",
    "service",
    "givenergy",
    "history",
    "mqtt",
    "forecasts",
    "planner",
    "planner_beside",
    "backtest",
)


def main() -> int:
    """Run the benches named on the command line, or all of them."""
    names = [name for name in sys.argv[1:] if not name.startswith("--")] or BENCHES
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(f"no bench called {', '.join(sorted(unknown))}; there is {', '.join(BENCHES)}")
        return 2
    for name in names:
        importlib.import_module(name).main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
