"""A history that was never written down: it answers from functions of time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ohmstead.errors import HistoryError
from ohmstead.model import Chart, DayCosts

__all__ = ["Diary"]

STEP = timedelta(minutes=5)
Power = Callable[[datetime], float | None]


@dataclass
class Diary:
    """What powers were from *begins* to *ends*, in steps of five minutes."""

    powers: Mapping[tuple[str, str], Power]
    begins: datetime
    ends: datetime
    closed: bool = False
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    def known(self) -> Sequence[tuple[str, str]]:
        return sorted(self.powers)

    async def charts(
        self, names: Sequence[tuple[str, str]], start: datetime, end: datetime, most_points: int
    ) -> Sequence[Chart]:
        del most_points
        if self.closed:
            raise HistoryError("the history is not open yet; try again in a moment")
        self.asked.append((start, end))
        return [self._chart(name, start, end) for name in names]

    def _chart(self, name: tuple[str, str], start: datetime, end: datetime) -> Chart:
        if name not in self.powers:
            raise HistoryError(f"nothing was ever recorded of {'.'.join(name)}")
        times, values, at = list[datetime](), list[float | None](), max(start, self.begins)
        while at < min(end, self.ends):
            times.append(at)
            values.append(self.powers[name](at))
            at += STEP
        mean = tuple(values)
        return Chart(
            device=name[0], point=name[1], resolution="5min", step_s=300, times=tuple(times),
            low=mean, mean=mean, high=mean, last=mean,
        )  # fmt: skip

    async def costs(self, first: date, last: date) -> Sequence[DayCosts]:
        del first, last
        return ()
