"""What is left in each device's timers for a charge to come, and how rarely it is rewritten."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

from ohmstead.model import Ahead, BatteryCommand, SettingChange
from ohmstead.ports import BatteryPort

__all__ = ["AheadPort", "Timers"]

_SLOT: Final = timedelta(minutes=30)
_PERCENT: Final = 5.0
_SHARE: Final = 0.2
_MOST: Final = 12
_GRACE: Final = timedelta(minutes=30)
_WITHIN: Final = timedelta(hours=12)


@runtime_checkable
class AheadPort(BatteryPort, Protocol):
    """A battery whose own timers can begin a charge that is still to come."""

    def settings_ahead(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        """Translate what *command* has ahead into settings that change nothing before it starts.

        The one that switches the timer on stands last. Empty where there is nothing ahead, or
        where this device cannot do it beside the command's own mode, or not within its limits.
        """


class Timers:
    """What each device holds ahead, and which of its settings serve that."""

    def __init__(self) -> None:
        """Know of none."""
        self._held: dict[str, Ahead] = {}
        self._points: dict[str, frozenset[str]] = {}
        self._asked: dict[str, datetime] = {}
        self._written: dict[str, deque[datetime]] = {}

    def wanted(self, device: str, ahead: Ahead, now: datetime) -> Ahead | None:
        """Return what *device* shall hold: what it holds already, as long as that is near enough.

        A plan is made anew every few minutes, and settings wear out; so one that changes its mind
        too often gets nothing more set until it has calmed down.
        """
        held = self._held.get(device)
        if held is not None and held.start > now and _near(held, ahead):
            return held
        times = self._written.get(device, deque())
        while times and now - times[0] > _WITHIN:
            times.popleft()
        return ahead if len(times) < _MOST else None

    def held(self, device: str) -> Ahead | None:
        """Return what *device* holds ahead."""
        return self._held.get(device)

    def points(self, device: str) -> frozenset[str]:
        """Return the settings of *device* that serve what it holds ahead."""
        return self._points.get(device, frozenset())

    def lasting(self, device: str, now: datetime) -> frozenset[str]:
        """Return the settings to leave in place though nobody asks for anything at *now*."""
        asked = self._asked.get(device)
        return self.points(device) if asked and now - asked < _GRACE else frozenset()

    def hold(self, device: str, ahead: Ahead, points: frozenset[str], now: datetime) -> None:
        """Remember that *device* is being given *ahead* by its settings *points*."""
        self._held[device], self._asked[device] = ahead, now
        # What served it before still has to be given back when all of it is over.
        self._points[device] = self.points(device) | points

    def wrote(self, device: str, now: datetime) -> None:
        """Count that something had to be written."""
        self._written.setdefault(device, deque()).append(now)

    def drop(self, device: str) -> None:
        """Forget what *device* holds: it is given back, or belongs to a command now."""
        self._held.pop(device, None)
        self._points.pop(device, None)


def _near(held: Ahead, ahead: Ahead) -> bool:
    """Tell whether *held* will do for *ahead*, and keeps to its limits."""
    return (
        abs(held.start - ahead.start) < _SLOT
        and abs(held.until - ahead.until) < _SLOT
        and _close(held.soc_pct, ahead.soc_pct, _PERCENT)
        and _close(held.power_w, ahead.power_w, _SHARE * (ahead.power_w or 0.0))
        and _keeps(held.soc_pct, ahead.most_pct)
        and _keeps(held.power_w, ahead.most_w)
    )


def _close(one: float | None, other: float | None, slack: float) -> bool:
    if one is None or other is None:
        return one == other
    return abs(one - other) <= slack


def _keeps(value: float | None, most: float | None) -> bool:
    return most is None or (value is not None and value <= most)
