"""While a car charges: no export that the car would swallow, no battery that empties into it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ohmstead.control.words import clock_time
from ohmstead.model import Advice, BatteryMode, ChargerReading, Room, SiteSnapshot

__all__ = ["Car", "car"]

_ALL: Final = frozenset(BatteryMode)
_EXPORTS: Final = frozenset({BatteryMode.DISCHARGE, BatteryMode.EXPORT_SOLAR})
_SERVES: Final = frozenset({BatteryMode.SELF_USE, BatteryMode.DISCHARGE, BatteryMode.EXPORT_SOLAR})
"""In these the battery covers whatever its meter sees, a car inside it included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """What the battery leaves undone while a car charges."""

    from_w: float = 1_000.0
    """From this power on a car counts as charging; what it sips when full does not matter."""
    no_export: bool = True
    """Force nothing out: the car would take it, unpaid."""
    no_discharge: bool = True
    """Let the battery not empty into a car that its own meter sees."""
    settle_s: float = 120.0
    """How long after the car has stopped the battery waits: cars pause and begin again."""
    believe_s: float = 900.0
    """How long a charger that falls silent while its car charges is taken to go on."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if self.from_w <= 0:
            raise ValueError("from_w must be above 0")
        if self.settle_s < 0 or self.believe_s < 0:
            raise ValueError("settle_s and believe_s must not be below 0")


def car(site: SiteSnapshot, room: Room, settings: Car) -> Advice:
    """Return the room that a charging car leaves: less if the battery's meter sees it."""
    del room
    charging = [c for c in site.chargers if _charges(c, settings)]
    if charging:
        inside = "yes" if any(c.inside_meter for c in charging) else "no"
        power_w = sum(c.power_w or 0.0 for c in charging)
        memory = {"at": site.at.isoformat(), "inside": inside}
        return _kept(f"the car charges with {power_w:.0f} W", settings, memory)
    last = site.memory.get("at")
    if last is None:
        silent = "no car charger has been heard" if not site.chargers else "no car is charging"
        return Advice(reason=silent, blind=True)
    since = datetime.fromisoformat(last)
    heard = any(c.power_w is not None for c in site.chargers)
    patience_s = settings.settle_s if heard else settings.believe_s
    if not timedelta() <= site.at - since <= timedelta(seconds=patience_s):
        return Advice(reason="no car is charging", blind=True)
    said = (
        f"the car charged until {clock_time(site, since)}, and may go on"
        if heard
        else f"the charger is silent since {clock_time(site, since)}, when the car was charging"
    )
    return _kept(said, settings, dict(site.memory))


def _charges(charger: ChargerReading, settings: Car) -> bool:
    if charger.power_w is None:
        return charger.charging is True
    return charger.power_w >= settings.from_w


def _kept(why: str, settings: Car, memory: dict[str, str]) -> Advice:
    inside = memory.get("inside") == "yes"
    forbidden, does = frozenset[BatteryMode](), list[str]()
    if settings.no_export:
        forbidden |= _EXPORTS
        does.append("nothing is forced out")
    if settings.no_discharge and inside:
        forbidden |= _SERVES
        does.append("the battery does not empty into it")
    if not forbidden:
        return Advice(reason=f"{why}, which is no matter here", blind=True, memory=memory)
    return Advice(
        reason=f"{why}, so {' and '.join(does)}",
        room=Room(modes=_ALL - forbidden),
        memory=memory,
    )
