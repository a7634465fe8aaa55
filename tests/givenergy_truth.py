"""What was really so in a simulated house, to judge by it what was said about it."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from givenergy_house import Plant
from ohmstead.clock import Clock
from ohmstead.model import Reading, Value

__all__ = ["LivedIn"]

_SLACK_S: Final = 45.0
"""What a machine with other work to do may lose of a day that runs this fast."""
_COUNTERS_S: Final = 320.0
"""How old a counter may be before it counts as gone, and a little more."""
_BEFORE_KWH: Final = {
    **dict.fromkeys(("grid_import_total_kwh", "grid_export_total_kwh", "pv_total_kwh"), 1_000.0),
    # Two packs count for themselves; what the house used is reckoned, and this cancels out.
    "battery_charge_total_kwh": 2 * 1_204.3,
    "battery_discharge_total_kwh": 2 * 1_117.9,
}
"""What the counters of the simulator show at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Then:
    """The powers up to one moment, and the energies at it."""

    battery_w: float
    grid_w: float
    pv_w: float
    load_w: float
    soc_pct: float
    import_kwh: float
    export_kwh: float
    charged_kwh: float
    discharged_kwh: float
    pv_kwh: float
    load_kwh: float


class LivedIn(Plant):
    """A house with a sun that moves and people that cook, which remembers all of its day."""

    def __init__(self, model: str, clock: Clock, *, soc_pct: float) -> None:
        """Begin to remember."""
        self._seconds: list[float] = []
        self._then: list[_Then] = []
        self.compared: Counter[str] = Counter()
        """How often a value was compared, by its name."""
        super().__init__(model, clock, soc_pct=soc_pct)

    def sun(self, second: float) -> float:
        """Let clouds pass over a bright day."""
        return 1_500 + 1_200 * math.sin(second / 97) * math.sin(second / 1_301)

    def people(self, second: float) -> float:
        """Let a kettle boil now and then; asked at the end of every step, so note it."""
        self._note(second)
        kettle = 2_000 if second % 1_700 < 180 else 0
        return 450 + 150 * math.sin(second / 61) + kettle

    def false_values(self, reading: Reading, published_at: datetime) -> Iterator[str]:
        """Yield every power, level and energy of *reading* that never was so."""
        at = reading.at.timestamp()
        for name, value, of, off in _powers(reading):
            if value is None:
                continue
            self.compared[name] += 1
            there = [getattr(then, of) for then in self._between(at - _SLACK_S, at + _SLACK_S)]
            if not any(abs(value - true) <= off for true in there):
                yield f"{name} {value:g} at {reading.at:%H:%M:%S}, it was {there}"
        for name, of in _ENERGIES.items():
            value = _number(reading.values.get(name))
            if value is not None:
                self.compared[name] += 1
                since = self._between(at - _COUNTERS_S, published_at.timestamp() + 3)
                before = _BEFORE_KWH.get(name, 0.0)
                low, high = (before + getattr(then, of) for then in (since[0], since[-1]))
                if not low - 0.35 <= value <= high + 0.35:
                    yield f"{name} {value:g} at {reading.at:%H:%M:%S}, it was {low:g} to {high:g}"

    def _note(self, second: float) -> None:
        house = getattr(self, "house", None)
        if house is None:
            return
        count = house.totals
        self._seconds.append(second)
        self._then.append(
            _Then(
                battery_w=house.battery.cell_w,
                grid_w=house.grid_w,
                pv_w=house.pv_w,
                load_w=house.load_w,
                soc_pct=house.battery.soc_pct,
                import_kwh=count.import_kwh,
                export_kwh=count.export_kwh,
                charged_kwh=count.charged_kwh,
                discharged_kwh=count.discharged_kwh,
                pv_kwh=count.pv_kwh,
                load_kwh=count.load_kwh,
            )
        )

    def _between(self, first: float, last: float) -> list[_Then]:
        """Return what was so at some time from *first* to *last*."""
        low, high = bisect_left(self._seconds, first), bisect_left(self._seconds, last)
        return self._then[max(low - 1, 0) : high + 1]


def _powers(reading: Reading) -> Iterator[tuple[str, float | None, str, float]]:
    battery, values = reading.battery, reading.values
    assert battery
    assert reading.grid
    assert reading.solar
    assert reading.load
    yield "battery_w", battery.power_w, "battery_w", 1
    yield "grid_w", reading.grid.power_w, "grid_w", 1
    yield "pv_w", reading.solar.power_w, "pv_w", 2
    yield "load_w", reading.load.power_w, "load_w", 3
    yield "soc_pct", battery.soc_pct, "soc_pct", 1
    for key in ("battery_w", "grid_w", "load_w", "pv_w"):
        yield f"the point {key}", _number(values.get(key)), key, 3


def _number(value: Value | None) -> float | None:
    return float(value) if isinstance(value, int | float) else None


_ENERGIES: Final = {
    f"{name}_{when}_kwh": of
    for when in ("today", "total")
    for name, of in {
        "grid_import": "import_kwh",
        "grid_export": "export_kwh",
        "battery_charge": "charged_kwh",
        "battery_discharge": "discharged_kwh",
        "pv": "pv_kwh",
        "load": "load_kwh",
    }.items()
}
