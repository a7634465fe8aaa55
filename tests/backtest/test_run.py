"""Many replays: side by side, kept as they are done, gone on with after whatever happens."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backtest_houses import KillsItsWorker, a_house
from ohmstead.backtest.replay import Outcome
from ohmstead.backtest.run import House, Job, jobs_of, outcome_of, run, run_in, saved
from ohmstead.backtest.strategies import BOUND, NO_BATTERY
from ohmstead.errors import ProblemError

NAMES = (NO_BATTERY, "self_use", BOUND)


def jobs(*houses: House) -> list[Job]:
    return jobs_of(houses, ("agile", "flat"), NAMES)


def test_workers_come_to_what_one_process_comes_to(tmp_path: Path) -> None:
    work = jobs(a_house(0), a_house(1))
    told: list[str] = []
    side_by_side = run(
        work, tmp_path / "two", workers=2, told=lambda job, _: told.append(job.title)
    )
    alone = run_in(None, work, tmp_path / "one")
    assert side_by_side == alone == [outcome_of(job) for job in work]
    assert sorted(told) == sorted(job.title for job in work)


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    work = jobs(a_house())
    run_in(None, work[:2], tmp_path)
    mark = Outcome(house="a mark", tariff="", strategy="", days=1)
    (tmp_path / work[0].file).write_text(
        json.dumps({"house": "a mark", "tariff": "", "strategy": "", "days": 1})
    )
    found = run_in(None, work, tmp_path)
    assert found[0] == mark
    assert found[1:] == [outcome_of(job) for job in work[1:]]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"house": 1}', '{"unheard": 1}'])
def test_a_file_that_is_no_outcome_is_made_anew(tmp_path: Path, text: str) -> None:
    job = jobs(a_house())[0]
    (tmp_path / job.file).write_text(text)
    assert saved(job, tmp_path) is None
    assert run_in(None, [job], tmp_path) == [outcome_of(job)] == [saved(job, tmp_path)]


def test_another_house_or_strategy_has_another_file() -> None:
    files = {job.file for job in jobs(a_house(0), a_house(1), a_house(0, days=2))}
    assert len(files) == 18


def test_a_lost_worker_loses_nothing(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    work = jobs(a_house(), KillsItsWorker(marks=marks, times=2))
    found = run(work, tmp_path / "results", workers=2)
    assert len(list(marks.iterdir())) == 2
    assert [outcome.strategy for outcome in found] == [job.strategy_name for job in work]
    assert found == [outcome_of(job) for job in work]


def test_workers_that_always_die_are_given_up_and_named(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    work = jobs_of([KillsItsWorker(marks=marks, times=99)], ["agile"], ["self_use"])
    with pytest.raises(ProblemError, match="deadly · agile · self_use"):
        run(work, tmp_path / "results", workers=1)


def test_a_run_that_was_killed_is_gone_on_with(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "ohmstead", "backtest", "--from", "2025-04-08", "--to", "2025-04-09",
        "--tariffs", "agile,go,flux,flat", "--results", str(tmp_path / "results"), "--workers", "1",
        "--json",
    ]  # fmt: skip
    results = tmp_path / "results"
    first = subprocess.Popen(  # noqa: S603 - our own
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.perf_counter() + 60
        while len(list(results.glob("*.json"))) < 3:
            assert first.poll() is None
            assert time.perf_counter() < deadline
            os.sched_yield()
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    done = {path: path.stat().st_mtime_ns for path in results.glob("*.json")}
    assert 3 <= len(done) < 28
    again = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own
    rows = json.loads(again.stdout)
    assert len(rows) == 28 == len(list(results.glob("*.json")))
    assert all(path.stat().st_mtime_ns == at for path, at in done.items())
