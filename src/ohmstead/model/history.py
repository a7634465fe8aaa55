"""What was: a value over a span, and what a day cost."""

from dataclasses import dataclass
from datetime import date, datetime

from ohmstead.model.point import Value

__all__ = ["Chart", "DayCosts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One point of one device over a span, in columns; None stands where nobody knew it."""

    device: str
    """The device's name; ``site`` is the house."""
    point: str
    resolution: str
    """``raw``, ``5min``, ``hour`` or ``day``."""
    step_s: int
    """How long each place stands for; 0 for samples as they were recorded."""
    times: tuple[datetime, ...]
    low: tuple[float | None, ...]
    mean: tuple[float | None, ...]
    high: tuple[float | None, ...]
    last: tuple[Value | None, ...]
    """What it was at the end of each place: texts, times and flags as themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCosts:
    """One local day in the currency's main unit; what is earned counts below zero.

    All three are of the same 5-minute steps: those in which meter, load and price were known.
    """

    day: date
    import_kwh: float
    export_kwh: float
    actual: float
    without_control: float | None
    """With the same battery left to itself; None while no battery was recorded."""
    without_battery: float
    covered_h: float
    """How much of the day is counted."""
    ahead_kwh: float
    """How much more is stored at the end of the day than there would be without control."""

    @property
    def saved_by_control(self) -> float | None:
        """What control saved that day."""
        return None if self.without_control is None else self.without_control - self.actual

    @property
    def saved_by_battery(self) -> float:
        """What battery and control saved together that day."""
        return self.without_battery - self.actual
