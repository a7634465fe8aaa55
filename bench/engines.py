"""The same measurement with compiled kernels, in a process of its own: the choice is made once."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ohmstead.compiled import SWITCH

__all__ = ["accelerated"]


def accelerated(bench: str, function: str, *values: float) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return what *function* of *bench* returns where kernels are compiled; None without numba."""
    if find_spec("numba") is None:
        return None
    call = f"import json, {bench}; print(json.dumps({bench}.{function}(*{values!r})))"
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    env = os.environ | {SWITCH: "1", "PYTHONPATH": path}
    ran = subprocess.run([sys.executable, "-c", call], env=env, check=True, capture_output=True)  # noqa: S603 - our own
    return json.loads(ran.stdout.splitlines()[-1])
