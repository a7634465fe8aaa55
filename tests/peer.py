"""Independent libraries, each in an environment of its own; none is a dependency of ours."""

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

__all__ = ["peer_python", "run"]


async def peer_python(
    config: pytest.Config, package: str, module: str, *, least: tuple[int, int] = (3, 12)
) -> str:
    """Return the Python of an environment that has *package*, making it on first use.

    Skips where no Python as new as *least* runs, which the library needs; where one does, a
    package that cannot be installed is a failure in CI and a skip on anybody's own machine.
    """
    assert config.cache is not None
    base = await _new_enough(least)
    if base is None:
        pytest.skip(f"{package} needs Python {least[0]}.{least[1]} or newer, and none runs here")
    _, version = await run(base, "-c", "import sys; print(*sys.version_info[:2], sep='.')")
    # Test processes that run side by side must not build in one folder.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    folder: Path = config.cache.mkdir("peers") / f"{package}-{version.strip()}-{worker}"
    python = str(folder / "bin" / "python")
    if (await run(python, "-c", f"import {module}"))[0]:
        shutil.rmtree(folder, ignore_errors=True)
        code, said = await run(base, "-m", "venv", str(folder))
        if code == 0:
            code, said = await run(python, "-m", "pip", "install", "--quiet", package)
        if code:
            shutil.rmtree(folder, ignore_errors=True)
            why = f"{package} cannot be installed: {said[-300:]}"
            pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    return python


async def _new_enough(least: tuple[int, int]) -> str | None:
    for name in ("python3.13", "python3.12", "python3.14", "python3.11", "python3"):
        found = shutil.which(name)
        # A shim may stand there without a Python behind it, so it is asked.
        asked = f"import sys; sys.exit(sys.version_info < {least})"
        if found and (await run(found, "-c", asked))[0] == 0:
            return found
    return None


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
