"""Many houses, tariffs and strategies side by side, on all cores, and on again after a stop.

Each job is one house on one tariff under one strategy. Its outcome is written to a file of its
own as soon as it is known, under a name that says what it was made of: a run that was stopped,
or a worker that died, is gone on with where it was.
"""

import json
import os
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Protocol

from ohmstead import __version__
from ohmstead.backtest.bound import bound
from ohmstead.backtest.replay import Outcome, replay, without_battery
from ohmstead.backtest.scripts import hours_of
from ohmstead.backtest.strategies import BOUND, NO_BATTERY, Player, player_of
from ohmstead.backtest.tariffs import Tariff
from ohmstead.backtest.world import World
from ohmstead.errors import ProblemError

__all__ = ["House", "Job", "jobs_of", "keep", "outcome_of", "run", "run_in", "saved"]

_PATIENCE: Final = 3
"""After so many pools that died without finishing anything, no more is tried."""


class House(Hashable, Protocol):
    """Where a world comes from; small enough to be sent to a worker."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def key(self) -> str:
        """Whatever its world follows from, in a few characters."""

    def world(self) -> World:
        """Return it as series."""

    def tariff(self, name: str, world: World) -> Tariff:
        """Return the tariff called *name* over the time of *world*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One house on one tariff under one strategy: a built-in one by name, or a chain."""

    house: House
    tariff: str
    strategy: str | Player

    @property
    def title(self) -> str:
        """What to call it while it runs."""
        return f"{self.house.name} · {self.tariff} · {self.strategy_name}"

    @property
    def strategy_name(self) -> str:
        """The strategy's name."""
        return self.strategy if isinstance(self.strategy, str) else self.strategy.name

    @property
    def key(self) -> str:
        """Equal for jobs that have the same outcome."""
        made_of = (__version__, self.house.key, self.tariff, _said(self.strategy))
        return sha256(repr(made_of).encode()).hexdigest()[:16]

    @property
    def file(self) -> str:
        """The name of the file that its outcome is written to."""
        return f"{self.house.name}-{self.tariff}-{self.strategy_name}-{self.key}.json"


def jobs_of(
    houses: Iterable[House], tariffs: Sequence[str], strategies: Sequence[str | Player]
) -> list[Job]:
    """Return every house on every tariff under every strategy, the long ones first."""
    jobs = [
        Job(house=house, tariff=tariff, strategy=strategy)
        for house in houses
        for tariff in tariffs
        for strategy in strategies
    ]
    return sorted(jobs, key=lambda job: job.strategy_name in {NO_BATTERY, BOUND, "self_use"})


def outcome_of(job: Job) -> Outcome:
    """Return the outcome of *job*, here and now."""
    world = _world(job.house)
    tariff = job.house.tariff(job.tariff, world)
    if job.strategy == NO_BATTERY:
        return without_battery(world, tariff)
    if job.strategy == BOUND:
        return bound(world, tariff)
    player = job.strategy
    if isinstance(player, str):
        player = player_of(player, world.plant, hours_of(tariff, world.zone))
    return replay(world, tariff, player)


def run(
    jobs: Sequence[Job],
    folder: Path,
    *,
    workers: int | None = None,
    told: Callable[[Job, Outcome], None] | None = None,
) -> list[Outcome]:
    """Return the outcomes of *jobs* in their order; those in *folder* already are not run again.

    *told* hears of each as it is done.
    """
    count = workers or os.cpu_count() or 1
    context = get_context("spawn")
    idle = 0
    while True:
        left = [job for job in jobs if saved(job, folder) is None]
        if not left:
            return run_in(None, jobs, folder, told)
        if idle >= _PATIENCE:
            raise ProblemError(f"workers die before they finish; the next was {left[0].title}")
        try:
            with ProcessPoolExecutor(min(count, len(left)), mp_context=context) as pool:
                return run_in(pool, jobs, folder, told)
        except BrokenProcessPool:
            idle = idle + 1 if len(left) == sum(saved(j, folder) is None for j in jobs) else 0


def run_in(
    pool: Executor | None,
    jobs: Sequence[Job],
    folder: Path,
    told: Callable[[Job, Outcome], None] | None = None,
) -> list[Outcome]:
    """Return the outcomes of *jobs*, run in *pool*; without one, here, one after another."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Outcome] = {}

    def hear(job: Job, outcome: Outcome) -> None:
        found[job.key] = outcome
        if told is not None:
            told(job, outcome)

    left = []
    for job in jobs:
        before = saved(job, folder)
        if before is None:
            left.append(job)
        else:
            hear(job, before)
    if pool is None:
        for job in left:
            hear(job, _play(job, folder))
    else:
        _spread(pool, left, folder, hear)
    return [found[job.key] for job in jobs]


def saved(job: Job, folder: Path) -> Outcome | None:
    """Return the outcome of *job* if it is in *folder*."""
    try:
        return Outcome(**json.loads((folder / job.file).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def keep(job: Job, outcome: Outcome, folder: Path) -> None:
    """Write *outcome* where the next run finds it: all of it or nothing."""
    path = folder / job.file
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(asdict(outcome)), encoding="utf-8")
        part.replace(path)
    except OSError as exc:
        raise ProblemError(f"cannot write {path}: {exc.strerror or exc}") from exc


# ---- how it is done -----------------------------------------------------------------------


def _spread(
    pool: Executor, jobs: Sequence[Job], folder: Path, hear: Callable[[Job, Outcome], None]
) -> None:
    futures: dict[Future[Outcome], Job] = {}
    try:
        for job in jobs:
            futures[pool.submit(_play, job, folder)] = job
        for future in as_completed(futures):
            hear(futures[future], future.result())
    finally:
        for future in futures:  # after a failure no other is begun; what is done stays
            future.cancel()


def _play(job: Job, folder: Path) -> Outcome:
    """Run *job*, and write its outcome where the next run finds it."""
    outcome = outcome_of(job)
    keep(job, outcome, folder)
    return outcome


@lru_cache(maxsize=2)
def _world(house: House) -> World:
    """Return the world of *house*; a worker's next job is often of the same house."""
    return house.world()


def _said(strategy: str | Player) -> object:
    if isinstance(strategy, str):
        return strategy
    settings = [(name, repr(getattr(part, "keywords", part))) for name, part in strategy.chain]
    return strategy.name, settings, repr(strategy.planning)
