"""Loads and further batteries in a problem's file, and in the answer to it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ohmstead.cli.plan import command
from ohmstead.errors import ProblemError
from ohmstead.planner.files import read_case
from ohmstead.planner.problem import Amount, Run

FILE = Path(__file__).parent / "problems" / "problem_c_go_window_30m.json"
MORE: dict[str, Any] = {
    "flexible_loads": [
        {"energy_kwh": 4, "first_slot": 0, "last_slot": 40, "steps_kw": [3], "most_kwh": 5.5},
        {
            "name": "heat",
            "energy_kwh": 2,
            "first_slot": 0,
            "last_slot": 9,
            "min_kw": 1,
            "max_kw": 2,
        },
        {"name": "dishes", "profile": [[0.5, 1.8], [1, 0.3]], "first_slot": 4, "last_slot": 44},
    ],
    "more_batteries": [
        {
            "e_max": 6,
            "e_init": 3,
            "e_min": 0,
            "charge_max_kw": 3,
            "discharge_max_kw": 3,
            "eta_charge": 0.93,
            "eta_discharge": 0.93,
            "cycle_cost_per_kwh": 0,
            "terminal": {"mode": "equal", "energy_kwh": 3},
        }
    ],
    "switch_cost": 0.001,
}


def document(**more: object) -> dict[str, Any]:
    return json.loads(FILE.read_text()) | MORE | more  # type: ignore[no-any-return]


def test_a_file_may_have_loads_and_batteries_and_a_cost_of_turning_round() -> None:
    problem = read_case(document()).problem
    on_off, heat, dishes = problem.loads
    assert isinstance(on_off, Amount)
    assert (on_off.steps_w, on_off.max_w, on_off.top_kwh) == ((3000.0,), 3000.0, 5.5)
    assert isinstance(heat, Amount)
    assert (heat.name, heat.min_w, heat.max_w, heat.top_kwh) == ("heat", 1000.0, 2000.0, 2)
    assert isinstance(dishes, Run)
    assert dishes.profile == ((0.5, 1800.0), (1.0, 300.0))
    assert problem.beside[0].battery.capacity_kwh == 6
    assert problem.beside[0].end_kwh == 3
    assert problem.switch_cost == 0.001


def test_the_answer_has_every_load_and_battery_in_every_slot(tmp_path: Path) -> None:
    file = tmp_path / "problem.json"
    file.write_text(json.dumps(document()))
    printed = CliRunner().invoke(command, ["--problem", str(file)], catch_exceptions=False)
    slots = json.loads(printed.stdout)["slots"]
    taken = [sum(slot["loads"][place] for slot in slots) / 2 for place in range(3)]
    assert taken == pytest.approx([4.5, 2.0, 1.2])
    assert slots[-1]["beside"][0]["soc"] == pytest.approx(3.0)
    assert {slot["beside"][0]["mode"] for slot in slots} >= {"charge", "discharge"}


def test_loads_that_are_no_list_are_refused() -> None:
    with pytest.raises(ProblemError, match="flexible_loads: a list of mappings"):
        read_case(document(flexible_loads=[3]))
