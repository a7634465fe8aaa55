"""What one scrape tells of: the last turn, and what was counted so far."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from ohmstead.model import Applied, CommandResult, Failed, JournalEntry, Point, Refused, Tick

__all__ = ["TICK_BOUNDS_S", "Tally", "View"]

TICK_BOUNDS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""How the turns of the loop are sorted by how long they took."""


@dataclass(slots=True)
class Tally:
    """What is counted from turn to turn."""

    ticks: int = 0
    ticks_took_s: float = 0.0
    ticks_within: Counter[float] = field(default_factory=Counter)
    """How many turns took no longer than each bound."""
    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many commands ended each way, by device and ending."""
    writes: Counter[str] = field(default_factory=Counter)
    """How many values were sent, by device."""

    def count(self, tick: Tick) -> None:
        """Take note of one more turn."""
        self.ticks += 1
        self.ticks_took_s += tick.took_s
        self.ticks_within.update(bound for bound in TICK_BOUNDS_S if tick.took_s <= bound)
        for result in tick.results:
            self.results[result.device, _ending(result)] += 1
            if not isinstance(result, Refused) and result.wrote:
                self.writes[result.device] += len(result.wrote)

    def copy(self) -> "Tally":
        """Return it as it is now, for a reader in another thread."""
        return replace(
            self,
            ticks_within=self.ticks_within.copy(),
            results=self.results.copy(),
            writes=self.writes.copy(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that one scrape tells of."""

    site: str
    tick: Tick | None = None
    points: Mapping[str, Mapping[str, Point]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    leases: Sequence[JournalEntry] | None = None
    """Settings to be given back; None while the journal cannot be read."""
    queues: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """What waits in each output, and what it has dropped."""


def _ending(result: CommandResult) -> str:
    match result:
        case Applied(wrote=()):
            return "unchanged"
        case Applied():
            return "applied"
        case Refused():
            return "refused"
        case Failed():
            return "failed"
        case _:
            assert_never(result)
