"""Many houses on a Dask cluster: workers on this machine by default, or wherever a scheduler is."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ohmstead.backtest.replay import Outcome
from ohmstead.backtest.run import Job, keep, outcome_of, saved
from ohmstead.errors import ProblemError

__all__ = ["HERE", "run_on_cluster"]

HERE: Final = "local"
"""Instead of a scheduler's address: a cluster of our own, on this machine."""
_RETRIES: Final = 2


def run_on_cluster(
    jobs: Sequence[Job],
    folder: Path,
    *,
    address: str = HERE,
    workers: int | None = None,
    told: Callable[[Job, Outcome], None] | None = None,
) -> list[Outcome]:
    """Return the outcomes of *jobs* in their order, run by the scheduler at *address*.

    Workers need this package, not *folder*: each outcome is written here as it comes, and what
    is there already is not run again. What a lost worker had is given to another.
    """
    try:
        dask: Any = import_module("distributed")
    except ImportError as exc:
        raise ProblemError("a cluster needs Dask: install ohmstead[cluster]") from exc
    folder.mkdir(parents=True, exist_ok=True)
    found = {job.key: outcome for job in jobs if (outcome := saved(job, folder)) is not None}
    for job in jobs:
        if told is not None and job.key in found:
            told(job, found[job.key])
    left = {job.key: job for job in jobs if job.key not in found}
    with ExitStack() as stack:
        try:
            where: object = address
            if address == HERE:
                where = stack.enter_context(
                    dask.LocalCluster(
                        n_workers=workers, threads_per_worker=1, dashboard_address=None
                    )
                )
            client = stack.enter_context(dask.Client(where, timeout=10))
        except (OSError, ValueError, TypeError) as exc:
            raise ProblemError(f"no scheduler answers at {address}: {exc}") from exc
        futures = {
            client.submit(outcome_of, job, key=f"{job.title} {key}", retries=_RETRIES): job
            for key, job in left.items()
        }
        for future in dask.as_completed(list(futures)):
            job, outcome = futures[future], future.result()
            keep(job, outcome, folder)
            found[job.key] = outcome
            if told is not None:
                told(job, outcome)
    return [found[job.key] for job in jobs]
