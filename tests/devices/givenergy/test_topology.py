"""What hangs behind an inverter: told from addresses that answer nonsense or nothing."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from ohmstead.devices.givenergy.registers import MODELS
from ohmstead.devices.givenergy.topology import Topology, Unit

WORDS: Mapping[str, list[int]] = {
    name: vector["words"]
    for name, vector in json.loads((Path(__file__).parent / "vectors.json").read_text())[
        "vectors"
    ].items()
    if "words" in vector
}
HOURS_6 = 6 * 3_600.0


def behind(model: str) -> dict[str, Unit]:
    return {unit.name: unit for unit in Topology.of(MODELS[model]).units}


def page(words: Mapping[int, int], count: int = 60) -> list[int]:
    return [words.get(n, 0) for n in range(60, 60 + count)]


METERS = {f"meter_{n}" for n in range(1, 9)}
PACKS = {f"battery_{n}" for n in range(1, 7)}


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("hybrid_gen1", PACKS | METERS),
        ("hybrid_gen2", PACKS | METERS | {"battery_control"}),
        ("ac_coupled", PACKS | METERS),
        ("all_in_one", METERS | {"stack_1"}),
        ("hybrid_3ph", METERS | {"stack_1"}),
        ("ems", METERS),
        ("gateway", METERS),
        ("pv_only", METERS),
    ],
)
def test_what_there_may_be_depends_on_the_model(model: str, names: set[str]) -> None:
    assert behind(model).keys() == names


def test_each_unit_has_an_address_of_its_own() -> None:
    for model in MODELS.values():
        topology = Topology.of(model)
        topology.stacked(4, 6)
        addresses = [unit.address for unit in topology.units]
        assert len(set(addresses)) == len(addresses)
        assert 0x11 not in addresses


def test_a_stacked_battery_is_as_large_as_it_says() -> None:
    topology = Topology.of(MODELS["all_in_one"])
    topology.stacked(2, 4)
    topology.stacked(2, 4)
    names = [unit.name for unit in topology.units if "meter" not in unit.name]
    assert names == ["stack_1", "stack_2", "module_1", "module_2", "module_3", "module_4"]
    addresses = {unit.name: unit.address for unit in topology.units}
    assert addresses["stack_2"] == 0x71
    assert addresses["module_4"] == 0x53


# ---- what is there -------------------------------------------------------------------------


def test_a_pack_with_a_serial_number_is_there() -> None:
    unit = behind("hybrid_gen1")["battery_1"]
    unit.looked(WORDS["V10"], 0)
    assert unit.found
    assert unit.decode(dict(enumerate(WORDS["V10"], 60)))["battery_1_soc_pct"] == 45


def test_cell_voltages_without_a_serial_number_are_no_pack() -> None:
    unit = behind("hybrid_gen1")["battery_3"]
    assert WORDS["V19"][8:16] == [3330, 3330, 3332, 3333, 3332, 3332, 3333, 3333]
    unit.looked(WORDS["V19"], 0)
    assert not unit.found


@pytest.mark.parametrize("model", ["hybrid_gen2", "all_in_one", "ems"])
def test_an_address_that_answers_zeros_has_nothing_behind_it(model: str) -> None:
    topology = Topology.of(MODELS[model])
    topology.stacked(1, 6)
    for unit in topology.units:
        unit.looked([0] * unit.count, 0)
    assert topology.found == []
    assert topology.known


@pytest.mark.parametrize(
    ("model", "name", "words"),
    [
        ("hybrid_gen2", "battery_control", {62: 100}),
        ("hybrid_gen2", "meter_2", {60: 2_401}),
        ("all_in_one", "stack_1", {64: 4}),
        ("all_in_one", "module_1", dict(zip(range(114, 119), WORDS["V10"][50:55], strict=True))),
    ],
)
def test_a_unit_that_says_so_is_there(model: str, name: str, words: Mapping[int, int]) -> None:
    topology = Topology.of(MODELS[model])
    topology.stacked(1, 4)
    (unit,) = (unit for unit in topology.units if unit.name == name)
    unit.looked(page(words, unit.count), 0)
    assert topology.found == [unit]


@pytest.mark.parametrize("name", ["V11", "V14", "V15"])
def test_pages_of_real_units_are_found(name: str) -> None:
    topology = Topology.of(MODELS["all_in_one"])
    topology.stacked(1, 4)
    kind = {"V11": "meter_1", "V14": "stack_1", "V15": "module_1"}[name]
    (unit,) = (unit for unit in topology.units if unit.name == kind)
    unit.looked(WORDS[name], 0)
    assert unit.found


# ---- when to look --------------------------------------------------------------------------


def test_silence_is_asked_three_times_and_then_seldom() -> None:
    unit = behind("hybrid_gen2")["battery_2"]
    moments = []
    for at in (0.0, 30.0, 60.0, 60.0 + HOURS_6, 60.0 + 2 * HOURS_6):
        assert unit.due_at <= at
        unit.looked(None, at)
        moments.append(unit.due_at - at)
    assert moments == [30.0, 30.0, HOURS_6, HOURS_6, HOURS_6]


def test_what_is_found_is_not_looked_for_again() -> None:
    topology = Topology.of(MODELS["hybrid_gen1"])
    assert topology.due(0) == topology.units
    topology.units[0].looked(WORDS["V10"], 0)
    topology.units[1].looked(None, 0)
    assert topology.due(0) == topology.units[2:]
    assert not topology.known
    assert topology.due(30) == topology.units[1:]


def test_a_pack_that_was_deaf_at_first_is_found_later() -> None:
    unit = behind("hybrid_gen1")["battery_1"]
    for at in (0.0, 30.0, 60.0):
        unit.looked(None, at)
    unit.looked(WORDS["V10"], HOURS_6 + 60)
    assert unit.found
