"""What we tell a device, and how that can end."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from ohmstead.model.point import Value

__all__ = [
    "Ahead",
    "Applied",
    "BatteryCommand",
    "BatteryMode",
    "Command",
    "CommandResult",
    "Failed",
    "LimitCommand",
    "Refused",
    "SettingChange",
    "Write",
]


class BatteryMode(StrEnum):
    """What a battery does, the same word for every brand."""

    SELF_USE = "self_use"
    """The inverter's normal mode: spare solar in, the house out."""
    CHARGE = "charge"
    """Charge from the grid and the sun."""
    CHARGE_SOLAR = "charge_solar"
    """Solar goes to the battery before it goes to the house; nothing is drawn to charge it."""
    HOLD = "hold"
    """Keep what is stored: no discharge, spare solar may still go in, as far as its power says."""
    DISCHARGE = "discharge"
    """Empty the battery into the house and the grid."""
    EXPORT_SOLAR = "export_solar"
    """Solar goes out instead of in; the battery still serves the house."""
    IDLE = "idle"
    """Neither charge nor discharge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A charge to come, which the device can be left to begin by itself.

    Only charges are set ahead: one that comes although nobody wants it any more costs a little,
    where a forced discharge could leave a house without its battery.
    """

    start: datetime
    until: datetime
    power_w: float | None = None
    """How much is meant; None is as much as the device can."""
    soc_pct: float | None = None
    """The target that is meant."""
    most_w: float | None = None
    """What the owner's limits allow; a device that cannot keep to it leaves the charge out."""
    most_pct: float | None = None
    """The target that the owner's limits allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryCommand:
    """What the battery should do, and until when."""

    mode: BatteryMode
    power_w: float | None = None
    """How much at most, always ≥ 0; None is as much as the device can."""
    soc_pct: float | None = None
    """Where to stop: the target of a charge, the floor of a discharge."""
    until: datetime | None = None
    """When it lapses by itself; None only for ``self_use``."""
    ahead: Ahead | None = None
    """The charge after it, for the device's own timers, so that it comes even without us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitCommand:
    """A cap on what one inverter may feed in or produce."""

    device: str
    power_w: float | None
    """The cap, ≥ 0; None lifts it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """One writable point of one device, and the value it should hold."""

    device: str
    point: str
    value: Value


Command: TypeAlias = BatteryCommand | LimitCommand | SettingChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One value that was really sent: what the device held before, and what it holds now."""

    point: str
    old: Value | None
    new: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The device does what was asked; *wrote* is empty when it already did."""

    device: str
    command: Command
    wrote: tuple[Write, ...] = ()
    ahead: Ahead | None = None
    """The charge that now stands in its own timers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing was sent, on purpose."""

    device: str
    command: Command
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It was tried and did not work; the device may hold part of it."""

    device: str
    command: Command
    why: str
    wrote: tuple[Write, ...] = ()


CommandResult: TypeAlias = Applied | Refused | Failed
