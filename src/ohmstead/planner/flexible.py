"""What may run earlier or later: loads that need an amount of energy, and runs of fixed length."""

from dataclasses import dataclass
from math import inf, isfinite

from ohmstead.errors import ProblemError

__all__ = ["Amount", "Car", "Load", "Run", "check_load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """An amount of energy at the house's AC within a window of slots: an immersion heater."""

    energy_kwh: float
    first_slot: int
    last_slot: int
    """The last one, included: the energy is needed when it ends."""
    min_w: float = 0.0
    """The lowest power it can run at, beside being off."""
    max_w: float = 3000.0
    steps_w: tuple[float, ...] = ()
    """The powers it can take, when it cannot take all from ``min_w`` to ``max_w``."""
    most_kwh: float | None = None
    """So much it may take where energy is paid for being used; None is no more than it needs."""
    name: str = ""

    @property
    def top_kwh(self) -> float:
        """Return the most it may take."""
        return self.energy_kwh if self.most_kwh is None else self.most_kwh


@dataclass(frozen=True, slots=True, kw_only=True)
class Car(Amount):
    """A car at the house's AC: an amount of energy until it leaves."""

    max_w: float = 7400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Something that runs through once it is started: a dishwasher."""

    profile: tuple[tuple[float, float], ...]
    """Hours and W of its parts, in their order. It starts when a slot begins."""
    first_slot: int
    """The earliest to start with."""
    last_slot: int
    """The last one, included: it should be done when it ends."""
    name: str = ""

    @property
    def hours(self) -> float:
        """Return how long it runs."""
        return sum(hours for hours, _ in self.profile)


Load = Amount | Run


def check_load(load: Load, slots: int) -> None:
    """Refuse a load of no meaning, in a plan of so many slots."""
    called = load.name or ("the run" if isinstance(load, Run) else "the car or load")
    if not 0 <= load.first_slot <= load.last_slot < slots:
        raise ProblemError(f"{called}: its slots must lie within 0 … {slots - 1}")
    if isinstance(load, Run):
        parts = load.profile
        if not parts or not all(h > 0 and isfinite(h) and 0 <= w < inf for h, w in parts):
            raise ProblemError(f"{called}: the parts of its profile last, at powers not below 0")
        return
    if not (0 <= load.min_w <= load.max_w < inf and 0 <= load.energy_kwh <= load.top_kwh < inf):
        raise ProblemError(f"{called}: its powers and energy must be finite and in order")
    if not all(0 < power < inf for power in load.steps_w):
        raise ProblemError(f"{called}: the powers of its steps must be above 0")
