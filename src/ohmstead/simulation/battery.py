"""A lithium iron phosphate battery: energy in, energy out, and what a meter shows of it."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

__all__ = ["Battery", "BatterySettings"]

_REST_V: Final = (
    # voltage of one resting cell by state of charge, typical for lithium iron phosphate
    (0, 2.80), (3, 3.00), (8, 3.14), (15, 3.21), (30, 3.265), (50, 3.29),
    (70, 3.325), (90, 3.345), (97, 3.38), (100, 3.50),
)  # fmt: skip
_PLACES: Final = [place for place, _ in _REST_V]
_TAPER_FROM_PCT: Final = 90.0
_TAPER_TO_PCT: Final = 8.0
_TAPER_SHARE: Final = 0.1
"""What is left of the power at the very end of a charge or discharge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySettings:
    """What stands in the house."""

    capacity_kwh: float = 9.6
    max_charge_w: float = 3_600.0
    max_discharge_w: float = 3_600.0
    charge_efficiency: float = 0.95
    """How much of the power taken from the house is stored."""
    discharge_efficiency: float = 0.95
    """How much of the power taken from the cells reaches the house."""
    standby_w: float = 8.0
    """What its own electronics draw from the cells, always."""
    cells: int = 16
    packs: int = 2
    resistance_ohm: float = 0.012
    """Of all packs together."""
    heat_kwh_per_c: float = 0.03
    """How much loss warms it by one degree."""
    cooling_h: float = 5.0
    """How long it takes to cool down to a third of the difference."""


class Battery:
    """How full it is, and what it may be given and asked for. Powers are on the AC side."""

    def __init__(self, settings: BatterySettings, soc_pct: float, temperature_c: float) -> None:
        """Start *soc_pct* full."""
        self.settings = settings
        self.stored_kwh = settings.capacity_kwh * min(max(soc_pct, 0.0), 100.0) / 100
        self.standby_kwh = 0.0
        """What the standby draw has taken so far."""
        self.throughput_kwh = 0.0
        self.power_w = 0.0
        """Above zero discharges."""
        self.temperature_c = temperature_c

    @property
    def capacity_kwh(self) -> float:
        """What it holds when full."""
        return self.settings.capacity_kwh

    @property
    def soc_pct(self) -> float:
        """How full it is."""
        return 100 * self.stored_kwh / self.settings.capacity_kwh

    @property
    def max_charge_w(self) -> float:
        """What it takes now: less near full."""
        room = (100.0 - self.soc_pct) / (100.0 - _TAPER_FROM_PCT)
        return self.settings.max_charge_w * _taper(room)

    @property
    def max_discharge_w(self) -> float:
        """What it gives now: less near empty."""
        return self.settings.max_discharge_w * _taper(self.soc_pct / _TAPER_TO_PCT)

    @property
    def cell_w(self) -> float:
        """The power at the cells, above zero discharging, without the standby draw."""
        if self.power_w >= 0:
            return self.power_w / self.settings.discharge_efficiency
        return self.power_w * self.settings.charge_efficiency

    @property
    def current_a(self) -> float:
        """Above zero discharges."""
        return self.cell_w / self._rest_v

    @property
    def voltage_v(self) -> float:
        """At the terminals, under the present current."""
        return self._rest_v - self.current_a * self.settings.resistance_ohm

    @property
    def cell_voltages_v(self) -> tuple[float, float]:
        """The lowest and the highest cell; they part near full and near empty."""
        mean = self.voltage_v / self.settings.cells
        edge = max(self.soc_pct - 95, 10 - self.soc_pct, 0) / 10
        return mean - 0.003 - 0.02 * edge, mean + 0.004 + 0.02 * edge

    @property
    def cell_temperatures_c(self) -> tuple[float, float]:
        """The coldest and the warmest cell."""
        return self.temperature_c - 0.4, self.temperature_c + 0.9

    @property
    def cycles(self) -> float:
        """How many times it has been filled and emptied since the start."""
        return self.throughput_kwh / (2 * self.settings.capacity_kwh)

    def allow(self, wish_w: float, seconds: float) -> float:
        """Return how much of *wish_w* can be held for *seconds* from now."""
        hours = seconds / 3_600
        if wish_w >= 0:
            left = max(self.stored_kwh - self.settings.standby_w / 1_000 * hours, 0.0)
            most = 1_000 * left * self.settings.discharge_efficiency / hours
            return min(wish_w, self.max_discharge_w, most)
        room = self.settings.capacity_kwh - self.stored_kwh
        most = 1_000 * room / self.settings.charge_efficiency / hours
        return max(wish_w, -self.max_charge_w, -most)

    def live(self, seconds: float, ambient_c: float) -> None:
        """Let *seconds* go by at the present power."""
        hours = seconds / 3_600
        moved = self.cell_w / 1_000 * hours
        before = self.stored_kwh - moved
        standby = min(self.settings.standby_w / 1_000 * hours, max(before, 0.0))
        self.stored_kwh = min(max(before - standby, 0.0), self.settings.capacity_kwh)
        self.standby_kwh += standby
        self.throughput_kwh += abs(moved)
        lost = abs(self.power_w / 1_000 * hours - moved) + standby
        keep = math.exp(-hours / self.settings.cooling_h)
        self.temperature_c = (
            ambient_c
            + (self.temperature_c - ambient_c) * keep
            + lost / self.settings.heat_kwh_per_c * 0.5  # the other half warms the inverter
        )

    @property
    def _rest_v(self) -> float:
        soc = self.soc_pct
        place = min(max(bisect_right(_PLACES, soc), 1), len(_REST_V) - 1)
        (low, low_v), (high, high_v) = _REST_V[place - 1], _REST_V[place]
        return self.settings.cells * (low_v + (high_v - low_v) * (soc - low) / (high - low))


def _taper(room: float) -> float:
    """Return the share of full power with *room* of the taper's span left."""
    if room >= 1:
        return 1.0
    return _TAPER_SHARE + (1 - _TAPER_SHARE) * room if room > 0 else 0.0
