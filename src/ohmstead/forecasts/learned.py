"""What the house's own panels teach: how much more or less they make than was said. Pure.

A table over the sky, by the sun's bearing and height, takes up chimneys, trees and dirt: each
quarter of an hour adds what was said and what was measured, weighted by how long ago it was.
Beside it stands how far off the corrected forecast was, by how clear the sky was said to be.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final, NamedTuple

from ohmstead.forecasts.quarters import Told
from ohmstead.forecasts.sun import Sun

__all__ = ["CLOUDED", "FORETOLD", "Correction", "Past", "Prior", "learn", "quantile"]

_DAY: Final = 96.0
_HALF_LIFE: Final = 14 * _DAY
"""After this many quarters a lesson counts half."""
_EAST: Final = 15.0
_UP: Final = 8.0
_COLUMNS: Final = int(360 / _EAST)
_ROWS: Final = int(96 / _UP)
_WHOLE_H: Final = 2.0
"""Hours of full power that must be seen before the panels' own word counts more than the prior."""
_BIN_H: Final = 0.6
"""The same, for one place in the sky against the sky as a whole."""
_MOST: Final = 2.0
_LEAST_SHARE: Final = 0.03
"""Of all the panels can do; below it a ratio means nothing."""
_CLIPPED: Final = 0.97


class Past(NamedTuple):
    """One quarter that is over."""

    age: float
    """How many quarters ago."""
    sun: Sun
    told_w: float
    clear_w: float
    """What a cloudless sky would have given."""
    measured_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is believed before anything was measured."""

    factor: float
    errors: tuple[tuple[float, ...], ...]
    """For a dull, a mixed and a clear sky: how measured to expected is spread."""
    weight: float = 24.0
    """How many quarters that belief is worth."""


FORETOLD: Final = Prior(
    factor=1.0,
    errors=(
        (0.35, 0.65, 0.95, 1.35, 2.1),
        (0.4, 0.75, 1.0, 1.25, 1.6),
        (0.65, 0.9, 1.0, 1.07, 1.15),
    ),
)
"""For a weather forecast: surest when it promises sun."""
CLOUDED: Final = Prior(factor=0.55, errors=((0.15, 0.45, 0.95, 1.5, 1.8),) * 3)
"""For a cloudless sky as the only forecast: half of it comes true."""


@dataclass(slots=True)
class Correction:
    """What was learnt, ready to be asked."""

    most_w: float
    prior: Prior
    _said: list[list[float]] = field(
        default_factory=lambda: [[0.0] * _COLUMNS for _ in range(_ROWS)]
    )
    _made: list[list[float]] = field(
        default_factory=lambda: [[0.0] * _COLUMNS for _ in range(_ROWS)]
    )
    _factors: list[list[float]] = field(default_factory=list)
    _errors: list[tuple[float, float]] = field(default_factory=list)
    overall: float = 1.0
    """Measured to told, wherever the sun stood."""

    def factor(self, sun: Sun) -> float:
        """Return measured to told with the *sun* there, smoothly over the sky."""
        column = sun.azimuth % 360 / _EAST - 0.5
        row = min(max(sun.height / _UP - 0.5, 0.0), _ROWS - 1.0)
        left, low = math.floor(column), min(int(row), _ROWS - 2)
        right_share, up_share = column - left, row - low
        return sum(
            self._factors[low + up][(left + right) % _COLUMNS]
            * (up_share if up else 1 - up_share)
            * (right_share if right else 1 - right_share)
            for up in (0, 1)
            for right in (0, 1)
        )

    def errors(self, told_w: float, clear_w: float) -> tuple[float, float]:
        """Return the tenth and ninetieth percentile of measured to expected, for such a sky."""
        return self._errors[_kind(told_w, clear_w)]

    def take(self, past: Past) -> None:
        """Add one quarter's lesson to the table."""
        column, row = _bin(past.sun)
        weight = _weight(past)
        self._said[row][column] += weight * past.told_w
        self._made[row][column] += weight * past.measured_w

    def settle(self) -> None:
        """Reckon the factors of what was taken."""
        whole, place = (hours * 4 * self.most_w for hours in (_WHOLE_H, _BIN_H))
        said, made = (sum(map(sum, table)) for table in (self._said, self._made))
        self.overall = min((made + whole * self.prior.factor) / (said + whole), _MOST)
        self._factors = [
            [
                min(
                    (_smooth(self._made, row, column) + place * self.overall)
                    / (_smooth(self._said, row, column) + place),
                    _MOST,
                )
                for column in range(_COLUMNS)
            ]
            for row in range(_ROWS)
        ]

    def judge(self, lessons: Sequence[Past]) -> None:
        """Look how far off it would have been."""
        kinds: list[list[tuple[float, float]]] = [
            [(error, self.prior.weight / len(known)) for error in known]
            for known in self.prior.errors
        ]
        for past in lessons:
            expected = past.told_w * self.factor(past.sun)
            if expected > _LEAST_SHARE * self.most_w:
                kind = _kind(past.told_w, past.clear_w)
                kinds[kind].append((past.measured_w / expected, _weight(past)))
        self._errors = [
            (min(quantile(known, 0.1), 1.0), max(quantile(known, 0.9), 1.0)) for known in kinds
        ]

    def ceiling_w(self, clear_w: float) -> float:
        """Return what can be at most while a cloudless sky gives *clear_w*.

        A quarter more than that, for the edge of a cloud shines and panels may be cleaner than
        said; never more than the panels and the inverter can give.
        """
        return min(self.most_w, 1.25 * clear_w + 0.01 * self.most_w)

    def corrected(self, told: Told, sun: Sun, clear_w: float, *, own_spread: bool) -> Told:
        """Return *told* as this house's panels would make it; *own_spread* keeps its percentiles.

        Never more than ``ceiling_w``.
        """
        most_w = self.ceiling_w(clear_w)
        factor = self.factor(sun)
        middle = min(max(told.middle_w * factor, 0.0), most_w)
        if own_spread:
            low, high = told.low_w * factor, told.high_w * factor
        else:
            below, above = self.errors(told.middle_w, clear_w)
            low, high = middle * below, middle * above
        return Told(min(max(low, 0.0), middle), middle, max(middle, min(high, most_w)))


def learn(lessons: Iterable[Past], most_w: float, prior: Prior) -> Correction:
    """Return what *lessons* teach of panels that can give *most_w*.

    What was cut off at the limit teaches nothing, nor does twilight.
    """
    worth = [
        past
        for past in lessons
        if past.told_w > _LEAST_SHARE * most_w
        and past.measured_w >= 0
        and past.measured_w < _CLIPPED * most_w
    ]
    correction = Correction(most_w=most_w, prior=prior)
    for past in worth:
        correction.take(past)
    correction.settle()
    correction.judge(worth)
    return correction


def quantile(weighted: Iterable[tuple[float, float]], share: float) -> float:
    """Return the value below which *share* of the weight of (value, weight) lies.

    Each value stands in the middle of its weight; between them it goes straight.
    """
    ordered = sorted(pair for pair in weighted if pair[1] > 0)
    if not ordered:
        raise ValueError("nothing has no quantile")
    sums = list(accumulate(weight for _, weight in ordered))
    places = [(end - weight / 2) / sums[-1] for end, (_, weight) in zip(sums, ordered, strict=True)]
    right = bisect_left(places, share)
    if right in {0, len(places)}:
        return ordered[min(right, len(ordered) - 1)][0]
    before, after = ordered[right - 1][0], ordered[right][0]
    part = (share - places[right - 1]) / (places[right] - places[right - 1])
    return before + (after - before) * part


# ---- how it is done -----------------------------------------------------------------------


def _weight(past: Past) -> float:
    return math.pow(0.5, past.age / _HALF_LIFE)


def _bin(sun: Sun) -> tuple[int, int]:
    column = int(sun.azimuth % 360 / _EAST) % _COLUMNS
    return column, min(max(int(sun.height / _UP), 0), _ROWS - 1)


def _kind(told_w: float, clear_w: float) -> int:
    """Return how clear a sky is said to be: 0 dull, 1 mixed, 2 clear."""
    share = told_w / clear_w if clear_w > 0 else 0.0
    return bisect_left((0.35, 0.75), share)


def _smooth(table: Sequence[Sequence[float]], row: int, column: int) -> float:
    """Return a place of *table* with half of each neighbour, and a quarter of those aslant."""
    return sum(
        table[row + up][(column + right) % _COLUMNS] * 0.5 ** (abs(up) + abs(right))
        for up in (-1, 0, 1)
        if 0 <= row + up < _ROWS
        for right in (-1, 0, 1)
    )
