"""Kernels say the same, compiled or not; whether they are compiled is decided by one switch."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ohmstead import compiled
from ohmstead.cli.plan import command
from planning_problems import FILES

SOME = [path for path in FILES if path.name[:7] in {"problem", "own-03-"}]


def told(switch: str) -> list[dict[str, Any]]:
    """Return what another process plans."""
    ran = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-m", "ohmstead", "plan", "--problem", *map(str, SOME)],
        env=os.environ | {compiled.SWITCH: switch},
        check=True,
        capture_output=True,
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.timeout(600)  # compiling takes its time where nothing is kept from before
def test_compiled_kernels_plan_the_same() -> None:
    plain = CliRunner().invoke(command, ["--problem", *map(str, SOME)], catch_exceptions=False)
    for fast, line in zip(told("1"), plain.stdout.splitlines(), strict=True):
        slow = json.loads(line)
        assert fast["objective"] == pytest.approx(slow["objective"], abs=1e-9)
        assert fast["gap"] == pytest.approx(slow["gap"], abs=1e-9)
        for one, other in zip(fast["slots"], slow["slots"], strict=True):
            assert one["mode"] == other["mode"]
            assert one["battery"] == pytest.approx(other["battery"], abs=1e-6)


def test_tests_run_plain_kernels() -> None:
    assert not compiled.COMPILED
    numbers = [1.0, 2.0]
    assert compiled.packed(numbers) is numbers
    assert compiled.compiled(told) is told


def test_kernels_of_another_version_are_neither_read_nor_left_behind(tmp_path: Path) -> None:
    kept_in = pytest.importorskip("ohmstead.compiled_by_numba", reason="numba is missing").kept_in
    source, place, closed = tmp_path / "source", tmp_path / "place", tmp_path / "closed"
    (source / "planner").mkdir(parents=True)
    closed.touch()  # a file: nothing can be kept in it
    kernel = source / "planner" / "kernel.py"
    kernel.write_text("one = 1")
    before = kept_in([closed, place], source)
    assert before == kept_in([place], source)
    (before / "kept").touch()
    kernel.write_text("one = 2")
    after = kept_in([place], source)
    assert [*place.iterdir()] == [after] != [before]
    assert kept_in([closed], source) is None
