"""Keep the inverters' clocks right: their time slots and daily counters follow them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ohmstead.model import Advice, Room, SettingChange, SiteSnapshot

__all__ = ["KeepClock", "keep_clock"]

_PAUSE: Final = timedelta(hours=1)
_MIDNIGHT: Final = timedelta(minutes=2)
"""Setting a clock across midnight would count a day's energy twice or not at all."""
_CHANGE: Final = timedelta(hours=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepClock:
    """Set a device's clock when it is off by more than the tolerance."""

    tolerance_s: float = 120.0
    """How far a clock may be off."""

    def __post_init__(self) -> None:
        """Refuse a tolerance that would write all the time."""
        if self.tolerance_s < 30:  # noqa: PLR2004 - half a reading's age
            raise ValueError("tolerance_s must be 30 or more")


def keep_clock(site: SiteSnapshot, room: Room, settings: KeepClock) -> Advice:
    """Return a change for every clock that is off, but not near midnight or a clock change."""
    del room
    if not _quiet(site):
        return Advice(
            reason="clocks are left alone around midnight and clock changes", blind=True,
            memory=site.memory,
        )  # fmt: skip
    changes, memory = list[SettingChange](), dict[str, str]()
    for name, device in site.devices.items():
        off_s = device.reading.values.get("clock_drift_s") if device.reading else None
        if not isinstance(off_s, int | float):
            continue
        last = site.memory.get(name)
        if last is not None and site.at - datetime.fromisoformat(last) < _PAUSE:
            memory[name] = last
        elif abs(off_s) > settings.tolerance_s:
            now = site.local.replace(tzinfo=None, microsecond=0)
            changes.append(SettingChange(device=name, point="clock", value=now))
            memory[name] = site.at.isoformat()
    names = ", ".join(change.device for change in changes)
    return Advice(
        reason=f"the clock of {names} was off by more than {settings.tolerance_s:.0f} s"
        if changes
        else "all clocks are right",
        changes=tuple(changes),
        memory=memory,
        blind=True,
    )


def _quiet(site: SiteSnapshot) -> bool:
    """Tell whether no midnight and no change of the zone's offset is near."""
    near = (site.at - _MIDNIGHT, site.at, site.at + _MIDNIGHT)
    if len({moment.astimezone(site.timezone).date() for moment in near}) > 1:
        return False
    around = (site.at - _CHANGE, site.at, site.at + _CHANGE)
    return len({moment.astimezone(site.timezone).utcoffset() for moment in around}) == 1
