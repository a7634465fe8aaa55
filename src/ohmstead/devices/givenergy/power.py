"""How large the plant is, and what its rates mean in watts: the one place that knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from ohmstead.devices.givenergy.registers import Model
from ohmstead.devices.givenergy.settings import GivEnergySettings
from ohmstead.devices.givenergy.texts import RATED_W
from ohmstead.model import Category, Kind, Point, Range, Value

__all__ = ["POWERS", "Power", "Size", "size_of"]

POWERS: Final = ("charge_power_w", "discharge_power_w")
"""The rates as people think of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What the plant can do."""

    rated_w: float
    battery_w: float | None
    """The most its battery side moves; None where it has no battery of its own."""
    battery_kwh: float | None


def size_of(
    settings: GivEnergySettings,
    model: Model,
    identity: tuple[int, int],
    values: Mapping[str, Value | None],
) -> Size:
    """Return the size of a plant with *identity* (device type, firmware) and settings *values*."""
    device_type, firmware = identity
    rated_w = settings.rated_w or float(RATED_W.get(device_type, _RATED_W))
    if model.name in {"ems", "pv_only"}:
        # What an EMS commands is told by its owner, or not known.
        return Size(rated_w=rated_w, battery_w=settings.battery_w, battery_kwh=settings.battery_kwh)
    amp_hours = values.get("battery_capacity_ah")
    kwh = settings.battery_kwh
    if kwh is None and isinstance(amp_hours, int | float) and amp_hours > 0:
        kwh = round(amp_hours * model.battery_v / 1000, 2)
    most_w = settings.battery_w or _battery_w(device_type, firmware) or rated_w
    if kwh is not None and settings.battery_w is None and not model.by_rated:
        most_w = min(most_w, _MOST_RATE / 100 * 1000 * kwh)
    return Size(rated_w=rated_w, battery_w=most_w, battery_kwh=kwh)


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """One rate in watts."""

    name: str
    rate: str
    """The setting that holds it."""
    most_w: int
    """What the highest rate gives."""
    step_w: float
    """What one step of the rate is worth."""
    most: int
    """The highest rate."""

    @classmethod
    def of(cls, name: str, model: Model, size: Size) -> "Power | None":
        """Return the rate behind the point *name*, or None where it cannot be told in watts."""
        way = name.removesuffix("_power_w")
        if size.battery_w is None:
            return None
        if model.by_rated and model.has(f"ac_{way}_rate_pct"):
            return cls(
                name=name,
                rate=f"ac_{way}_rate_pct",
                most_w=round(size.rated_w),
                step_w=round(size.rated_w) / 100,
                most=_OF_RATED,
            )
        if not size.battery_kwh or not model.has(f"{way}_rate_pct"):
            return None
        return cls(
            name=name,
            rate=f"{way}_rate_pct",
            most_w=round(size.battery_w),
            step_w=10 * size.battery_kwh,
            most=_MOST_RATE,
        )

    @property
    def point(self) -> Point:
        """What everything outside the family sees of it."""
        way = self.name.removesuffix("_power_w")
        return Point(
            key=self.name,
            label=f"{way.capitalize()} power",
            kind=Kind.SETTING,
            category=Category.CONFIGURATION,
            # What is read back is a whole number, and up to half a step beside what was written.
            writable=Range(round(self._least * self.step_w), self.most_w, ceil(self._widest_w + 1)),
        )

    @property
    def _least(self) -> int:
        """The lowest rate: 0 is an error where it counts in hundredths of the rated power."""
        return 1 if self.most == _OF_RATED else 0

    @property
    def _widest_w(self) -> float:
        """The widest step: the last one is wider where the owner says that the battery can more."""
        return max(self.step_w, self.most_w - (self.most - 1) * self.step_w)

    def watts(self, rate: Value | None) -> float | None:
        """Return what *rate* means in watts."""
        if not isinstance(rate, int | float):
            return None
        return round(self.most_w if rate >= self.most else min(rate * self.step_w, self.most_w))

    def setting(self, watts: Value) -> int:
        """Return the rate that comes nearest to *watts*."""
        assert isinstance(watts, int | float)  # noqa: S101 - a range was checked before
        rate = max(min(round(watts / self.step_w), self.most - 1), self._least)
        return self.most if self.most_w - watts < abs(watts - rate * self.step_w) else rate


_RATED_W: Final = 3_600
_OF_RATED: Final = 100
_MOST_RATE: Final = 50
"""In hundredths of the capacity an hour."""
_STRONG: Final = frozenset({3, 8, 9})
"""Hundreds of firmware of hybrids of generation 2 and later."""


def _battery_w(device_type: int, firmware: int) -> float | None:
    if device_type >> 8 == 0x20:  # noqa: PLR2004 - the hybrids that share device types
        return 3_600.0 if firmware // 100 in _STRONG else 2_600.0
    return _BATTERY_W.get(device_type)


_BATTERY_W: Final = {
    0x2201: 5_400.0,
    0x3001: 3_000.0,
    0x3002: 3_000.0,
    0x8001: 6_000.0,
    0x8002: 3_600.0,
    0x8003: 5_000.0,
    0x8102: 8_000.0,
    0x8103: 10_000.0,
}
"""The most a battery moves, by device type."""
