"""Real devices: the words they sent, against what their owners read off them.

Simulator and driver share a register table, so they agree even when the table is wrong.
Only these tests know better. Adding a folder adds a test: ``words.json`` names the model and
holds the words of each address space, ``display.json`` what they mean, as far as it is known.
A family that is not read by registers judges its captures in its own tests.
"""

import importlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, time
from pathlib import Path
from typing import TypeAlias

import pytest

from ohmstead.model import Value
from ohmstead.registers import RegisterTable

Tables: TypeAlias = Callable[[str], Mapping[str, RegisterTable]]

CAPTURES = sorted(path.parent for path in Path(__file__).parent.glob("*/captures/*/words.json"))


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_a_capture_decodes_to_what_the_display_showed(capture: Path) -> None:
    captured = json.loads((capture / "words.json").read_text())
    display = json.loads((capture / "display.json").read_text())

    shown: dict[str, Value | None] = {}
    for space, table in tables(capture.parts[-3])(captured.pop("model")).items():
        words = {int(address): word for address, word in captured.pop(space, {}).items()}
        shown |= table.decode(words).values

    assert captured == {}, "words of an address space that the model does not have"
    assert {name: plain(shown.get(name, "missing")) for name in display} == display


def tables(family: str) -> Tables:
    registers = importlib.import_module(f"ohmstead.devices.{family}.registers")
    of_model: Tables = registers.tables_for
    return of_model


def plain(value: Value | None) -> bool | float | str | None:
    """Return *value* as JSON has it: moments and times as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value.isoformat("minutes") if isinstance(value, time) else value
