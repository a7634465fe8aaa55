"""What the container starts: `ohmstead`, with a configuration from GivTCP's variables at first."""

import os
import signal
import sys
from pathlib import Path

from ohmstead.cli import main
from ohmstead.config.environment import adopt_environment
from ohmstead.errors import ConfigError


def prepare() -> None:
    """Write a configuration if there is none and GivTCP's variables say what is to be in it."""
    path = Path(os.environ.get("OHMSTEAD_CONFIG", "ohmstead.yaml"))
    try:
        for line in adopt_environment(path, os.environ):
            print(line, file=sys.stderr)
    except ConfigError as exc:
        print(f"ohmstead: {exc}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    # The first process of a container ignores what it does not handle; the service takes over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if sys.argv[1:2] == ["run"] and not {"-h", "--help", "-c", "--config"} & set(sys.argv):
        prepare()
    main()
