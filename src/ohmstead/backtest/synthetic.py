"""Houses for whom nothing was recorded: the simulated house's sun and people, year-round."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from ohmstead.backtest.foretold import foretell
from ohmstead.backtest.tariffs import Tariff, tariff_named
from ohmstead.backtest.world import HALF_HOUR, Floats, Plant, World, half_hours
from ohmstead.simulation.load import HouseLoad, LoadSettings
from ohmstead.simulation.sun import PvArray, Sky, array_w, sun_position

__all__ = ["SyntheticHouse"]

_LOOKS: Final = 5
"""How often within a step load and sun are looked at."""
_A_DAY: Final = 48
_TAIL: Final = 2 * _A_DAY
_TOLD_EVERY: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticHouse:
    """One simulated house; the same for the same seed."""

    first: date = date(2025, 1, 1)
    """The first local day that is paid for."""
    days: int = 365
    past_days: int = 28
    """Days before it, of which forecasts learn."""
    seed: int = 0
    arrays: tuple[PvArray, ...] = (PvArray(kwp=4.2),)
    load: LoadSettings = field(default_factory=LoadSettings)
    plant: Plant = field(default_factory=Plant)
    latitude: float = 51.48
    longitude: float = -0.01
    zone: str = "Europe/London"
    step: timedelta = timedelta(minutes=5)
    wrong: float = 1.0
    """Scales how wrong the weather service is."""

    @property
    def name(self) -> str:
        """What to call it."""
        return f"house-{self.seed}"

    @property
    def key(self) -> str:
        """Whatever its world follows from."""
        return repr(self)

    def tariff(self, name: str, world: World) -> Tariff:
        """Return the built-in tariff called *name* over the time of *world*."""
        return tariff_named(name, world, self.seed)

    def world(self) -> World:
        """Return the house as series."""
        zone = ZoneInfo(self.zone)
        begin = datetime.combine(self.first, time(), zone).astimezone(UTC)
        last = self.first + timedelta(days=self.days)
        end = datetime.combine(last, time(), zone).astimezone(UTC)
        past = self.past_days * _A_DAY
        start = begin - past * HALF_HOUR
        halves = past + (end - begin) // HALF_HOUR + _TAIL
        steps_each = HALF_HOUR // self.step
        pv_w = self._pv(start, halves * steps_each)
        return World(
            name=self.name,
            start=start,
            zone=zone,
            load_w=self._load(start, halves * steps_each, zone),
            pv_w=pv_w,
            told_w=foretell(
                half_hours(pv_w, steps_each), _TOLD_EVERY // HALF_HOUR, self.seed, wrong=self.wrong
            ),
            told_every=_TOLD_EVERY,
            step=self.step,
            begin=past,
            tail=_TAIL,
            plant=self.plant,
        )

    def _load(self, start: datetime, steps: int, zone: ZoneInfo) -> Floats:
        watts = HouseLoad(self.load, zone, self.seed).watts
        looks = self._looks(start, steps)
        seen = np.array([watts(second) for second in looks])
        found: Floats = seen.reshape(steps, _LOOKS).mean(axis=1)
        return found

    def _pv(self, start: datetime, steps: int) -> Floats:
        """Return the sun's power; looked at once a step, clouds are no faster."""
        sky = Sky(self.seed)
        width = self.step.total_seconds()
        began = start.timestamp() + width / 2
        found = np.zeros(steps)
        for n in range(steps):
            second = began + n * width
            height, bearing = sun_position(second, self.latitude, self.longitude)
            if height > 0:
                share = sky.beam_share(second)
                found[n] = sum(array_w(array, height, bearing, share) for array in self.arrays)
        return found

    def _looks(self, start: datetime, steps: int) -> list[float]:
        apart = self.step.total_seconds() / _LOOKS
        began = start.timestamp() + apart / 2
        return [began + n * apart for n in range(steps * _LOOKS)]
