"""Every published problem is solved to its proven optimum, and judged from outside."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from ohmstead.cli.plan import command
from ohmstead.planner.make import make_plan
from planning_problems import FILES, published
from planning_replay import replayed_objective

REFOPT = [path for path in FILES if path.name.startswith("problem_")]
HOMES = [path for path in FILES if path.name.startswith("own-")]
A_TENTH_OF_A_PENNY = 0.1
REFEREE = Path(__file__).parent / "problems" / "referee.py"


def answer(path: Path) -> dict[str, Any]:
    printed = CliRunner().invoke(command, ["--problem", str(path)], catch_exceptions=False)
    assert printed.exit_code == 0
    return cast("dict[str, Any]", json.loads(printed.stdout))


def test_there_are_problems_of_both_formats() -> None:
    assert (len(REFOPT), len(HOMES)) == (5, 8)


@pytest.mark.parametrize("path", REFOPT, ids=lambda path: path.stem)
def test_a_slot_problem_reaches_its_proven_optimum(path: Path) -> None:
    document = json.loads(path.read_text())
    told = answer(path)
    proven = document["optimum"]["milp_objective"]
    assert told["objective"] == pytest.approx(proven, abs=A_TENTH_OF_A_PENNY / 100)
    assert replayed_objective(document, told["slots"]) == pytest.approx(told["objective"], abs=1e-6)


@pytest.mark.parametrize("path", HOMES, ids=lambda path: path.stem)
def test_a_home_reaches_its_proven_optimum_before_the_published_judge(
    path: Path, tmp_path: Path
) -> None:
    document = json.loads(path.read_text())
    told = answer(path)
    flows = tmp_path / "flows.json"
    flows.write_text(json.dumps([slot["battery"] for slot in told["slots"]]))
    ran = [sys.executable, str(REFEREE), str(path), str(flows)]
    judged = json.loads(subprocess.run(ran, check=True, capture_output=True).stdout)  # noqa: S603 - our own
    assert judged["broken"] == []
    assert judged["objective_p"] == pytest.approx(told["objective"], abs=1e-6)
    assert (
        judged["objective_p"] <= document["reference"]["bound"]["objective_p"] + A_TENTH_OF_A_PENNY
    )
    assert judged["objective_p"] <= document["reference"]["five_mode_dp"]["objective_p"] + 1e-6
    grid = [slot["grid"] for slot in told["slots"]]
    assert max(grid) < 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_plan_is_below_the_bound_it_carries_nor_above_self_use(path: Path) -> None:
    document, case = published(path)
    plan = make_plan(case.problem)
    assert plan.gap >= 0
    assert plan.objective <= plan.without + 1e-9
    lower = cast("dict[str, dict[str, float]]", document.get("optimum") or {})
    if "convex_hull_lower_bound" in lower and case.problem.car is None:
        hull = cast("float", lower["convex_hull_lower_bound"])
        assert plan.objective - plan.gap == pytest.approx(hull, abs=2e-6)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_same_problem_gets_the_same_plan(path: Path) -> None:
    problem = published(path)[1].problem
    assert make_plan(problem) == make_plan(problem)


def test_several_files_are_answered_line_by_line() -> None:
    files = [str(path) for path in REFOPT[:3]]
    printed = CliRunner().invoke(command, ["--problem", *files], catch_exceptions=False)
    assert [json.loads(line)["file"] for line in printed.stdout.splitlines()] == files
