"""What an owner says about a LuxPower or EG4 inverter."""

from dataclasses import dataclass, field
from typing import Final, Literal

from ohmstead.model import Calibration

__all__ = ["LuxPowerSettings"]

_SERIAL: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LuxPowerSettings:
    """One inverter behind one datalogger."""

    host: str
    """Address of the datalogger on the local network."""
    datalog: str | int
    """Serial number of the datalogger, 10 characters, on its sticker."""
    serial: str | int
    """Serial number of the inverter, 10 characters, on its sticker."""
    port: int = 8000
    """Port of the datalogger's local server."""
    model: Literal["auto", "acs_3600", "lxp_12k", "eg4_12kpv"] = "auto"
    """How the inverter counts; auto believes what it says of itself."""
    rated_w: float | None = None
    """What its battery side can do, if it is not the model's usual power."""
    battery_kwh: float | None = None
    """What the battery holds, if the inverter does not know."""
    heartbeat: Literal["auto", "always", "never"] = "auto"
    """Whether to answer the datalogger's heartbeats, as the cloud does; auto answers when
    nobody else seems to."""
    calibration: Calibration = field(default_factory=Calibration)
    """How far what its battery moves is from what the inverter is told; you measured it."""
    read_only: bool = False
    """Never write anything."""
    allow_configuration: bool = False
    """Let settings be changed that configure the plant, beyond everyday operation."""
    fresh_s: float = 25.0
    """A measurement older than this is asked for; a younger one was broadcast or asked for."""
    settings_fresh_s: float = 120.0
    """The same for everyday settings; all others may be ten times as old."""
    reply_s: float = 5.0
    """How long to wait for an answer."""
    pause_s: float = 0.3
    """What is left between two questions, and twice that after connecting."""

    def __post_init__(self) -> None:
        """Take numbers for serials too: YAML does, where nobody put quotes."""
        for name in ("datalog", "serial"):
            given = getattr(self, name)
            text = f"{given:0{_SERIAL}d}" if isinstance(given, int) else given
            if len(text) != _SERIAL or not text.isascii():
                raise ValueError(f"{name} is {_SERIAL} characters long, see the sticker")
            object.__setattr__(self, name, text)
        if not self.host:
            raise ValueError("host is the datalogger's address")
        if not 0 < self.port < 1 << 16:
            raise ValueError("port is a number from 1 to 65535")
        for name in ("fresh_s", "settings_fresh_s", "reply_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above zero")
        if self.pause_s < 0:
            raise ValueError("pause_s must not be below zero")
        for name in ("rated_w", "battery_kwh"):
            given = getattr(self, name)
            if given is not None and given <= 0:
                raise ValueError(f"{name} must be above zero")
