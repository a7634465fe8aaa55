"""How far what a battery moves is from what its inverter is told, as its owner has measured it."""

from dataclasses import dataclass, replace
from math import isfinite

from ohmstead.model.command import BatteryCommand, BatteryMode

__all__ = ["Calibration"]

_LEAST_W = 1.0
"""A power above zero stays one: zero would shut the battery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Delivered is *scale* times what was told, and *offset_w* on top."""

    charge_offset_w: float = 0.0
    """So many watts more than it is told to it charges with."""
    charge_scale: float = 1.0
    """And so many times as fast."""
    discharge_offset_w: float = 0.0
    """So many watts more than it is told to it discharges with."""
    discharge_scale: float = 1.0
    """And so many times as fast."""

    def __post_init__(self) -> None:
        """Refuse what no inverter does."""
        for name in ("charge_offset_w", "discharge_offset_w"):
            if not isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be a number of watts")
        for name in ("charge_scale", "discharge_scale"):
            if not 0 < getattr(self, name) < 10:  # noqa: PLR2004 - ten times is a slip of the pen
                raise ValueError(f"{name} must be above 0 and below 10; 1 is as told")

    def told(self, command: BatteryCommand) -> BatteryCommand:
        """Return *command* with the power to tell, so that its own power is what is delivered."""
        offset_w, scale = self.charge_offset_w, self.charge_scale
        ahead = command.ahead
        if ahead is not None:
            ahead = replace(
                ahead,
                power_w=_told_w(ahead.power_w, offset_w, scale),
                most_w=_told_w(ahead.most_w, offset_w, scale),
            )
        if command.mode is BatteryMode.DISCHARGE:
            offset_w, scale = self.discharge_offset_w, self.discharge_scale
        return replace(command, power_w=_told_w(command.power_w, offset_w, scale), ahead=ahead)


def _told_w(power_w: float | None, offset_w: float, scale: float) -> float | None:
    return max((power_w - offset_w) / scale, _LEAST_W) if power_w else power_w
