"""Houses for tests of backtests; at the top of tests, where worker processes find them."""

import os
import signal
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ohmstead.backtest.synthetic import SyntheticHouse
from ohmstead.backtest.tariffs import Tariff
from ohmstead.backtest.world import World

__all__ = ["KillsItsWorker", "a_house"]


def a_house(seed: int = 0, days: int = 1) -> SyntheticHouse:
    """Return a house that is replayed in a moment."""
    return SyntheticHouse(first=date(2025, 4, 8), days=days, past_days=2, seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class KillsItsWorker:
    """A house whose worker dies at once, the first *times* it is looked at."""

    marks: Path
    times: int = 1
    house: SyntheticHouse = field(default_factory=a_house)
    name: str = "deadly"
    key: str = "deadly"

    def world(self) -> World:
        """Return the house, or die."""
        seen = len(list(self.marks.iterdir()))
        if seen < self.times:
            (self.marks / str(seen)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.house.world()

    def tariff(self, name: str, world: World) -> Tariff:
        """Return the house's."""
        return self.house.tariff(name, world)
