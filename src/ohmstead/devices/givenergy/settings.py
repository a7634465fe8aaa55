"""What an owner says about a GivEnergy inverter."""

from dataclasses import dataclass, field
from typing import Final

from ohmstead.model import Calibration

__all__ = ["GivEnergySettings"]

_LEAST_FRESH_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GivEnergySettings:
    """One inverter, EMS or gateway behind one data adapter ("dongle")."""

    host: str
    """Address of the data adapter on the local network."""
    port: int = 8899
    """Its port."""
    rated_w: float | None = None
    """What its AC side can do, if it is not what the model says."""
    battery_w: float | None = None
    """What its battery side can do, if it is not what the model says."""
    battery_kwh: float | None = None
    """What all its batteries hold, if it is not what the inverter says."""
    calibration: Calibration = field(default_factory=Calibration)
    """How far what its battery moves is from what the inverter is told; you measured it."""
    read_only: bool = False
    """Never write anything."""
    allow_configuration: bool = False
    """Let settings be changed that configure the plant, beyond everyday operation."""
    fresh_s: float = 8.0
    """A measurement older than this is asked for; not below 5, or the maker's portal loses it."""
    counters_fresh_s: float = 60.0
    """The same for counters, batteries and meters."""
    settings_fresh_s: float = 120.0
    """The same for everyday settings; all others may be fifteen times as old."""
    reply_s: float = 2.0
    """How long to wait for an answer."""
    pause_s: float = 0.25
    """The least time between two questions."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not self.host:
            raise ValueError("host is the data adapter's address")
        if not 0 < self.port < 1 << 16:
            raise ValueError("port is a number from 1 to 65535")
        if self.fresh_s < _LEAST_FRESH_S:
            raise ValueError(f"fresh_s must be {_LEAST_FRESH_S:g} or more")
        for name in ("counters_fresh_s", "settings_fresh_s", "reply_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above zero")
        if self.pause_s < 0:
            raise ValueError("pause_s must not be below zero")
        for name in ("rated_w", "battery_w", "battery_kwh"):
            given = getattr(self, name)
            if given is not None and given <= 0:
                raise ValueError(f"{name} must be above zero")
