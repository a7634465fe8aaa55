"""The rules of the house that no linter knows: sizes, names, values, and what a family has."""

import ast
import dataclasses
import importlib
import pkgutil
import re
import types
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

import ohmstead
from ohmstead.config.catalogue import FAMILIES
from ohmstead.model import unit_of

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "ohmstead"
TESTS = ROOT / "tests"

SOURCES = sorted(SRC.rglob("*.py"))
CODE = [*SOURCES, *sorted(TESTS.rglob("*.py"))]

MOST_LINES = 500
MOST_LINES_OF_PORTS = 220

NOT_SLOTTED = {"RegisterTable": "its tables are compared and kept whole, a few a family"}
"""Dataclasses of the core without slots, each with its reason."""

BARE_NUMBERS = {
    "Range.low": "in the unit of the point it bounds",
    "Range.high": "in the unit of the point it bounds",
    "Range.step": "in the unit of the point it bounds",
    "DayCosts.actual": "money, in the currency's main unit",
    "DayCosts.without_battery": "money, in the currency's main unit",
    "DayCosts.without_control": "money, in the currency's main unit",
    "Plan.cost": "money, in the currency's main unit",
    "Plan.saved": "money, in the currency's main unit",
    "Plan.gap": "money, in the currency's main unit",
    "PlanSlot.cost": "money, in the currency's main unit",
    "Register.offset": "in the unit of the name",
    "Action.until_soc": "the word of the documented YAML, next to rules that say soc",
    "Wish.minutes": "the word of the documented requests",
    "Futures.dull": "a likelihood beside the two others",
    "Futures.middle": "a likelihood beside the two others",
    "Futures.bright": "a likelihood beside the two others",
    "FollowPlan.worth_a_switch": "money, in the currency's main unit",
    "FollowPlan.switch_cost": "money, in the currency's main unit",
    "FlexibleLoad.kwh": "the unit alone, as people say what a heater needs",
    "FlexibleLoad.minutes": "the unit alone, as people say how long a dishwasher runs",
    "LoadTaken.kwh": "the unit alone, as the setting",
    "LoggerSettings.drift_s_per_day": "a rate: seconds gained each day",
}
"""Numbers whose name does not end in a unit, each with its reason."""

BARE_ENDINGS = {
    "latitude": "degrees, as every map has them",
    "longitude": "degrees, as every map has them",
    "kwp": "kilowatts at the peak, as every roof is sold",
    "tilt": "degrees, as every roof is drawn",
    "azimuth": "degrees, as every roof is drawn",
    "kg": "kilograms of CO2",
    "scale": "what one number is multiplied by to become the other",
    "share": "a part of one",
    "confidence": "a part of one",
    "efficiency": "a part of one",
}
"""Last words that need no unit, each with its reason."""

NOT_OFFERED = {
    "ohmstead.config.document.nearest": "of use to the loader beside it alone",
    "ohmstead.config.settings.Forecasts": "a part of Settings, which is offered",
    "ohmstead.config.settings.Prices": "a part of Settings, which is offered",
    "ohmstead.devices.luxpower.simulator_rules.Job": "a part of Orders, which is offered",
    "ohmstead.web.schema.AdviceView": "a part of DecisionView, which is offered",
    "ohmstead.web.schema.SlotView": "a part of CurveView, which is offered",
}
"""Public names that stand in no ``__all__``, each with its reason."""

# In pieces, so that this file does not name them itself.
FORBIDDEN_WORDS = [
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js",
    "debian" + ".org",
    "/wo" + "rk/",
    "/ro" + "ot/",
]
TEXT = {
    *(".cfg", ".css", ".html", ".ini", ".js", ".json", ".jsonl", ".md", ".py", ".service"),
    *(".sh", ".sql", ".toml", ".txt", ".yaml", ".yml", ""),
}
FOLDERS = (".ci", "bench", "docs", "packaging", "requirements", "src", "tests", "tools")


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CODE, ids=place)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_all_seams_fit_on_a_few_pages() -> None:
    assert len((SRC / "ports.py").read_text().splitlines()) <= MOST_LINES_OF_PORTS


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_its_table_driver_simulator_settings_captures_and_page(family: str) -> None:
    folder = SRC / "devices" / family
    for name in ("registers.py", "driver.py", "simulator.py", "settings.py"):
        assert (folder / name).is_file(), name
    captures = TESTS / "devices" / family / "captures"
    assert [path for path in captures.glob("*") if path.is_dir()] != []
    assert (ROOT / "docs" / "devices" / f"{family}.md").is_file()


def test_the_catalogue_lists_every_family_there_is() -> None:
    folders = {path.parent.name for path in (SRC / "devices").glob("*/__init__.py")}
    assert folders == set(FAMILIES)


def test_values_of_the_core_are_frozen_and_slotted() -> None:
    loose = {
        kind.__name__
        for kind in dataclasses_in("ohmstead.model", "ohmstead.control", "ohmstead.registers")
        if not frozen(kind) or "__slots__" not in vars(kind)
    }
    assert loose == set(NOT_SLOTTED)


def test_settings_are_frozen() -> None:
    assert [kind.__name__ for kind in settings() if not frozen(kind)] == []


def test_the_unit_is_the_last_word_of_a_numbers_name() -> None:
    core = dataclasses_in("ohmstead.model", "ohmstead.control", "ohmstead.registers")
    bare = {
        f"{kind.__name__}.{name}"
        for kind in {*core, *settings()}
        for name, hint in get_type_hints(kind).items()
        if is_float(hint) and not unit_of(name) and name.rpartition("_")[2] not in BARE_ENDINGS
    }
    assert bare == set(BARE_NUMBERS)


def test_only_the_supervisor_catches_whatever_comes() -> None:
    catchers = [
        place(path)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and catches_everything(node)
    ]
    assert catchers == ["src/ohmstead/app.py"]


@pytest.mark.parametrize("path", SOURCES, ids=place)
def test_a_suppression_gives_its_reason(path: Path) -> None:
    given = re.compile(r"# (?:ruff: )?noqa: [A-Z]+\d+(?:, [A-Z]+\d+)* - \S")
    suppressions = [line for line in path.read_text().splitlines() if re.search("# .*noqa", line)]
    bare = [line for line in suppressions if not given.search(line)]
    assert bare == []


@pytest.mark.parametrize("word", FORBIDDEN_WORDS)
def test_the_project_speaks_of_itself_alone(word: str) -> None:
    assert [place(path) for path, text in texts() if word in text] == []


def test_what_a_module_offers_is_sorted_and_there() -> None:
    for module in modules():
        offered = getattr(module, "__all__", None)
        if offered is None:
            continue
        assert list(offered) == sorted(offered, key=as_sorted), module.__name__
        assert len(set(offered)) == len(offered), module.__name__
        assert [name for name in offered if not hasattr(module, name)] == [], module.__name__


def test_what_a_module_defines_for_others_is_offered() -> None:
    hidden = {
        f"{module.__name__}.{name}"
        for module in modules()
        for name, value in vars(module).items()
        if isinstance(value, type | types.FunctionType)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and name not in getattr(module, "__all__", ())
    }
    assert hidden == set(NOT_OFFERED)


@cache
def modules() -> list[types.ModuleType]:
    found = pkgutil.walk_packages(ohmstead.__path__, "ohmstead.")
    names = [module.name for module in found if module.name != "ohmstead.__main__"]
    return [ohmstead, *map(importlib.import_module, names)]


def classes() -> Iterator[type]:
    for module in modules():
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value


def dataclasses_in(*packages: str) -> set[type]:
    return {
        kind
        for kind in classes()
        if dataclasses.is_dataclass(kind) and kind.__module__.startswith(packages)
    }


def settings() -> set[type]:
    return {
        kind
        for kind in classes()
        if kind.__name__.endswith("Settings")
        and (dataclasses.is_dataclass(kind) or issubclass(kind, BaseModel))
    }


def frozen(kind: type) -> bool:
    if issubclass(kind, BaseModel):
        return kind.model_config.get("frozen", False)
    parameters = vars(kind)["__dataclass_params__"]
    return bool(parameters.frozen)


def is_float(hint: object) -> bool:
    parts = get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)
    return float in parts and str not in parts


def catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


def as_sorted(name: str) -> tuple[int, list[tuple[int, str]]]:
    """Sort as the linter does: constants, classes, the rest; numbers by their value."""
    rank = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    parts = re.findall(r"\d+|\D+", name)
    return rank, [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


@cache
def texts() -> list[tuple[Path, str]]:
    inside = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))]
    beside = [path for path in ROOT.iterdir() if not path.name.startswith(".")]
    paths = [path for path in [*inside, *beside] if path.is_file() and path.suffix in TEXT]
    return [(path, path.read_text(errors="replace").lower()) for path in paths]
