"""Houses on a Dask cluster: a real one, on this machine."""

from pathlib import Path

import pytest

from backtest_houses import KillsItsWorker, a_house
from ohmstead.backtest.cluster import run_on_cluster
from ohmstead.backtest.run import jobs_of, outcome_of, saved
from ohmstead.backtest.strategies import BOUND, NO_BATTERY
from ohmstead.errors import ProblemError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def test_a_cluster_comes_to_what_one_process_comes_to_and_a_lost_worker_loses_nothing(
    tmp_path: Path,
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    houses = (a_house(0), KillsItsWorker(marks=marks))
    work = jobs_of(houses, ("agile",), (NO_BATTERY, "self_use", BOUND))
    told: list[str] = []
    folder = tmp_path / "results"
    found = run_on_cluster(work, folder, workers=1, told=lambda job, _: told.append(job.key))
    assert len(list(marks.iterdir())) == 1
    assert found == [outcome_of(job) for job in work] == [saved(job, folder) for job in work]
    assert sorted(told) == sorted(job.key for job in work)


def test_a_scheduler_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="no scheduler answers at tcp://127"):
        run_on_cluster([], tmp_path, address="tcp://127.0.0.1:1")
