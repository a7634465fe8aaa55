"""A day of broken clouds over a house with more panels than its inverter brings out.

Sun and house are those givenergy-scripts was written for: panels to the south by south-west on
a hybrid of 5 kW with a battery of 9.5 kWh. Small clouds with sharp edges pass all day; beside
them the sun is stronger than under a clear sky, as it is in nature.
"""

import random
from bisect import bisect_right
from datetime import UTC, datetime
from typing import Final

from ohmstead.simulation import PvArray
from ohmstead.simulation.sun import array_w, sun_position

__all__ = ["LIMIT_W", "BrokenClouds", "PublishedMonitor"]

LIMIT_W: Final = 5_000.0
_ARRAY: Final = PvArray(kwp=7.2, tilt=35, azimuth=205)
_STEP_S: Final = 10
_EDGE_S: Final = 20.0
_DAY: Final = datetime(2026, 6, 21, tzinfo=UTC)


class BrokenClouds:
    """What the panels could give; the same for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        """Draw the clouds of the day."""
        chance = random.Random(seed)  # noqa: S311 - weather is no secret
        self._shares: list[tuple[float, float]] = []
        second, shaded = _DAY.timestamp(), False
        while second < _DAY.timestamp() + 86_400:
            share = chance.uniform(0.12, 0.35) if shaded else chance.uniform(1.0, 1.18)
            self._shares.append((second, share))
            second += max(chance.expovariate(1 / (200 if shaded else 260)), 40)
            shaded = not shaded

    def watts(self, second: float) -> float:
        """Return what the panels could give in the step that *second* lies in."""
        second = second // _STEP_S * _STEP_S
        height, bearing = sun_position(second, 51.48, -0.01)
        return array_w(_ARRAY, height, bearing) * self._share(second)

    def kwh(self, start: datetime, end: datetime, above_w: float = 0) -> float:
        """Return how much they could give between *start* and *end*, above *above_w*."""
        second, last, joules = start.timestamp(), end.timestamp(), 0.0
        while second < last:
            until = min((second // _STEP_S + 1) * _STEP_S, last)
            joules += max(self.watts(second) - above_w, 0) * (until - second)
            second = until
        return joules / 3_600_000

    def _share(self, second: float) -> float:
        number = bisect_right(self._shares, second, key=lambda share: share[0]) - 1
        begins, share = self._shares[number]
        before = self._shares[max(number - 1, 0)][1]
        return before + (share - before) * min((second - begins) / _EDGE_S, 1)


class PublishedMonitor:
    """The clipping rule that givenergy-scripts published, row by row.

    Charge power goes in steps of 97.5 W; 0 stands for paused. Source: its ``monitor.py``, as
    the project's protocol notes describe it, thresholds and delays included.
    """

    def __init__(self) -> None:
        """Begin paused, as its owner's day does."""
        self.step = 0
        self.writes = 0
        self._sma = self._gma = self._ema = 0.0
        self._sdecay = self._gdecay = 0.0
        self._elapsed_s = -60.0
        self._last: float | None = None

    @property
    def charge_w(self) -> float:
        """The most the battery may take."""
        return 97.5 * self.step + 185 if self.step else 0.0

    def look(self, second: float, solar_w: float, out_w: float, export_w: float) -> float:
        """Take in a reading, act, and return after how many seconds it looks again."""
        if self._last is None:
            self._sma, self._gma, self._ema = solar_w, out_w, export_w
        else:
            self._elapsed_s += second - self._last
            self._sma = 0.75 * solar_w + 0.25 * self._sma
            self._gma = 0.75 * out_w + 0.25 * self._gma
            self._ema = 0.75 * export_w + 0.25 * self._ema
        self._last = second
        self._sdecay = max(solar_w, self._sdecay - 0.05 * (self._sdecay - solar_w))
        self._gdecay = max(out_w, self._gdecay - 0.05 * (self._gdecay - out_w))
        sun_w = max(solar_w, self._sdecay)
        delay_s = 30.0 if sun_w > 5_000 else (5_555 - sun_w) / 18.5
        change, sooner_s = self._change(out_w)
        if change:
            self._act(change)
        return sooner_s or delay_s

    def _change(self, out_w: float) -> tuple[int, float | None]:
        if self._gma > 4_800:
            return (3, 10.0) if out_w > 4_900 else (1, None)
        if out_w >= 4_800:
            return 0, 15.0
        if max(self._gdecay, out_w) >= 4_500 or self._ema < -250 or self._elapsed_s < 60:
            return 0, None
        return (int((self._gdecay - 4_500) / 97.5), 30.0) if self.step else (0, None)

    def _act(self, change: int) -> None:
        # It dies at 25 steps; one that does not is meant here.
        wanted = min(max(self.step + change, 0), 24)
        paused_before, paused = self.step == 0, wanted == 0
        self.writes += (paused_before is not paused) + (wanted > 0 and wanted != self.step)
        if change > 0:
            self._gma -= 100 * change
            self._gdecay -= 100 * change
        self.step, self._elapsed_s = wanted, 0.0
