"""What of the house may run earlier or later, as its owner says it."""

import math
import re
from dataclasses import dataclass
from datetime import time

from ohmstead.control.hours import plain

__all__ = ["FlexibleLoad"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlexibleLoad:
    """A load that the plan finds the best hours for, every day anew: an amount, or a run.

    An amount of energy (`kwh`, up to `max_w`) is taken in any hours: an immersion heater. A run
    (`minutes` at `power_w`) goes through once it is started: a dishwasher.
    """

    name: str
    """In small letters, digits, - and _: it becomes part of a topic."""
    after: time
    """When it may begin, on the wall clock."""
    by: time
    """When it must be done; the same time as *after* is a whole day."""
    kwh: float | None = None
    """What it needs between the two times."""
    max_w: float | None = None
    """The most power it takes for that."""
    min_w: float = 0.0
    """The lowest power it can run at, beside being off."""
    on_off: bool = False
    """Whether it takes `max_w` or nothing."""
    power_w: float | None = None
    """What a run takes, on average."""
    minutes: float | None = None
    """How long a run lasts."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not re.fullmatch(r"[a-z0-9_-]+", self.name):
            raise ValueError(f"name {self.name!r}: use small letters, digits, - and _")
        plain(after=self.after, by=self.by)
        amount = {"kwh": self.kwh, "max_w": self.max_w}
        run = {"power_w": self.power_w, "minutes": self.minutes}
        asked = {**amount, **run}
        given = {key for key, value in asked.items() if value is not None}
        if given not in (set(amount), set(run)):
            wants = "either kwh and max_w (an amount), or power_w and minutes (a run)"
            raise ValueError(f"{self.name} needs {wants}")
        for key, value in asked.items():
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{key} of {self.name} must be above 0")
        if self.is_run and (self.min_w or self.on_off):
            raise ValueError(f"min_w and on_off of {self.name} go with kwh, not with a run")
        if not self.is_run and not 0 <= self.min_w <= (self.max_w or 0.0):
            raise ValueError(f"min_w of {self.name} must be from 0 to max_w")

    @property
    def is_run(self) -> bool:
        """Tell whether it goes through once it is started."""
        return self.minutes is not None
