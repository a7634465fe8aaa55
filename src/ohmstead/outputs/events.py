"""Finds in the turns of the loop what is worth telling, once each: lost, low, cheap, failed."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from ohmstead.model import (
    BatteryCommand,
    CommandResult,
    Decision,
    DeviceSnapshot,
    Failed,
    PriceCurve,
    PriceSlot,
    SettingChange,
    SiteSnapshot,
    Tick,
)
from ohmstead.outputs.describe import describe, name_of
from ohmstead.outputs.event import Detail, Event, EventKind, EventLimits

__all__ = ["Events"]

_LONGEST_STEP_S: Final = 120.0
"""No more than this counts between two turns: a clock that is set, or a machine that slept, must
not make a moment's silence a long one."""
_FORGET_S: Final = 600.0
"""A write that fails again within this time is the same trouble."""
_CHEAP: Final = "price_below "


class Events:
    """Sees one turn after the other, and tells each event once.

    What has been told and still holds is in ``standing``; given to the next ``Events``, a
    restart tells nothing twice.
    """

    def __init__(self, limits: EventLimits | None = None, standing: Collection[str] = ()) -> None:
        """Tell by *limits*, and not of what is *standing* already."""
        self._limits = limits or EventLimits()
        self._standing = {key for key in standing if not key.startswith(_CHEAP)}
        self._cheap_until = _moment(standing)
        self._lasted_s: dict[str, float] = {}
        """How long what is not told yet has held, or how long ago a write failed."""
        self._decided: tuple[str, str | None] | None = None
        """What the battery was last said to do, and what it shall do now if that differs."""
        self._at: datetime | None = None
        self._step_s = 0.0

    @property
    def standing(self) -> frozenset[str]:
        """What has been told and still holds, as words to keep on disk."""
        if self._cheap_until is None:
            return frozenset(self._standing)
        return frozenset({*self._standing, _CHEAP + self._cheap_until.isoformat()})

    def see(self, tick: Tick) -> list[Event]:
        """Return what *tick* shows to have happened."""
        at = tick.snapshot.at
        passed_s = (at - self._at).total_seconds() if self._at is not None else 0.0
        self._at, self._step_s = at, min(max(passed_s, 0.0), _LONGEST_STEP_S)
        return [
            *self._devices(tick.snapshot),
            *self._batteries(tick.snapshot),
            *self._cheap(tick.snapshot),
            *self._stale(tick.snapshot),
            *self._decision(tick.decision, at),
            *self._writes(tick),
        ]

    # ---- devices --------------------------------------------------------------------

    def _devices(self, site: SiteSnapshot) -> Iterator[Event]:
        for name, device in site.devices.items():
            away = _away(device)
            needed_s = self._limits.lost_after_s if away else self._limits.back_after_s
            if not self._turned(f"device_lost {name}", away, needed_s):
                continue
            seen = device.last_seen
            data: dict[str, Detail] = {"last_seen": seen.isoformat() if seen else None}
            if not away:
                kind, text = EventKind.DEVICE_BACK, f"{name} answers again"
            else:
                kind = EventKind.DEVICE_LOST
                heard = f"last heard at {_clock(seen, site)}" if seen else "not heard so far"
                why = (device.trouble or "it is silent").removeprefix(f"{name}: ")
                text = f"{name} is lost ({heard}): {why}"
                data["trouble"] = device.trouble
            yield Event(kind=kind, at=site.at, device=name, text=text, data=data)

    def _batteries(self, site: SiteSnapshot) -> Iterator[Event]:
        low_pct = self._limits.battery_low_pct
        if low_pct is None:
            return
        for name, device in site.devices.items():
            battery = device.reading.battery if device.reading else None
            if battery is None or battery.soc_pct is None:
                continue
            key = f"battery_low {name}"
            bound_pct = low_pct
            if key in self._standing:
                bound_pct = min(low_pct + self._limits.battery_recovered_pct, 100.0)
            low = battery.soc_pct < bound_pct
            if self._turned(key, low, self._limits.settle_s) and low:
                yield Event(
                    kind=EventKind.BATTERY_LOW,
                    at=site.at,
                    device=name,
                    text=f"{name}: the battery is at {battery.soc_pct:g} %",
                    data={"soc_pct": battery.soc_pct, "below_pct": low_pct},
                )

    # ---- prices ---------------------------------------------------------------------

    def _cheap(self, site: SiteSnapshot) -> Iterator[Event]:
        """Tell when a cheap time begins; slots that follow one another are one time."""
        below, curve = self._limits.price_below_per_kwh, site.prices.buy
        slot = curve.at(site.at) if curve is not None else None
        if below is None or curve is None or slot is None:
            return
        if slot.per_kwh >= below:
            self._cheap_until = None
            return
        told = self._cheap_until is not None and slot.start <= self._cheap_until
        self._cheap_until = slot.end
        if told:
            return
        cheap = list(takewhile(lambda s: s.per_kwh < below, _following(curve, site.at)))
        end = _unbroken_end(cheap)
        lowest = min(s.per_kwh for s in cheap if s.start < end)
        yield Event(
            kind=EventKind.PRICE_BELOW,
            at=site.at,
            text=f"a kWh costs {slot.per_kwh:.4g} {curve.currency}, "
            f"and less than {below:g} until {_clock(end, site)}",
            data={
                "per_kwh": slot.per_kwh,
                "lowest_per_kwh": lowest,
                "below_per_kwh": below,
                "currency": curve.currency,
                "until": end.isoformat(),
            },
        )

    def _stale(self, site: SiteSnapshot) -> Iterator[Event]:
        for direction, curve in (("import", site.prices.buy), ("export", site.prices.sell)):
            if curve is None:
                continue
            following = _following(curve, site.at)
            ends = _unbroken_end(following) if following else None
            enough = site.at + timedelta(seconds=self._limits.prices_ahead_s)
            stale = ends is None or ends <= enough
            if self._turned(f"stale_prices {direction}", stale, self._limits.settle_s) and stale:
                until = f"only until {_clock(ends, site)}" if ends else "for now"
                known = "is known" if ends is None else "are known"
                what = f"no {direction} price" if ends is None else f"{direction} prices"
                yield Event(
                    kind=EventKind.STALE_PRICES,
                    at=site.at,
                    text=f"{what} {known} {until}",
                    data={
                        "direction": direction,
                        "until": ends.isoformat() if ends else None,
                        "source": curve.source,
                    },
                )

    # ---- what was decided and done ----------------------------------------------------

    def _decision(self, decision: Decision, at: datetime) -> Iterator[Event]:
        """Tell of another mode; powers and levels change all the time."""
        command = decision.command
        mode = str(command.mode) if command else "none"
        told, coming = self._decided or (mode, None)
        if mode == told:
            self._decided = (told, None)
            self._lasted_s.pop("decided", None)
            return
        lasted_s = self._lasted_s.get("decided", 0.0) + self._step_s if mode == coming else 0.0
        self._decided, self._lasted_s["decided"] = (told, mode), lasted_s
        if lasted_s < self._limits.settle_s:
            return
        self._decided = (mode, None)
        del self._lasted_s["decided"]
        yield Event(
            kind=EventKind.DECISION_CHANGED,
            at=at,
            text=f"decided: {name_of(command) if command else 'the inverter is left to itself'}, "
            f"because {decision.reason}",
            data={"mode": mode, "before": told, **_details(command), "strategy": decision.strategy},
        )

    def _writes(self, tick: Tick) -> Iterator[Event]:
        """Tell of writes that failed, unless the whole device is away: that is told already."""
        site, failed = tick.snapshot, dict[str, Failed]()
        for result in tick.results:
            device = site.devices.get(result.device)
            if isinstance(result, Failed) and not (device is not None and _away(device)):
                failed.setdefault(f"write_failed {result.device} {_subject(result)}", result)
        for key in [key for key in self._standing if key.startswith("write_failed ")]:
            self._lasted_s[key] = self._lasted_s.get(key, 0.0) + self._step_s
            if self._lasted_s[key] >= _FORGET_S:
                self._standing.discard(key)
                del self._lasted_s[key]
        for key, result in failed.items():
            new = key not in self._standing
            self._standing.add(key)
            self._lasted_s[key] = 0.0
            if new:
                yield Event(
                    kind=EventKind.WRITE_FAILED,
                    at=site.at,
                    device=result.device,
                    text=describe(result),
                    data={"subject": _subject(result), "why": result.why},
                )

    def _turned(self, key: str, holds: bool, needed_s: float) -> bool:  # noqa: FBT001 - what is asked about is the flag
        """Tell whether *key* has just begun or ceased to stand, having *needed_s* been so."""
        if holds == (key in self._standing):
            self._lasted_s.pop(key, None)
            return False
        lasted_s = self._lasted_s[key] + self._step_s if key in self._lasted_s else 0.0
        self._lasted_s[key] = lasted_s
        if lasted_s < needed_s:
            return False
        del self._lasted_s[key]
        self._standing ^= {key}
        return True


def _away(device: DeviceSnapshot) -> bool:
    return device.reading is None or device.trouble is not None


def _subject(result: CommandResult) -> str:
    """Return what a command is about: the battery, a limit, or the name of a setting."""
    match result.command:
        case SettingChange(point=point):
            return point
        case BatteryCommand():
            return "battery"
        case _:
            return "limit"


def _details(command: BatteryCommand | None) -> dict[str, Detail]:
    if command is None:
        return {"power_w": None, "soc_pct": None, "until": None}
    until = command.until.isoformat() if command.until else None
    return {"power_w": command.power_w, "soc_pct": command.soc_pct, "until": until}


def _following(curve: PriceCurve, now: datetime) -> list[PriceSlot]:
    """Return the slot of *now* and those after it; nothing where no price is known for now."""
    return list(curve.from_now(now)) if curve.at(now) is not None else []


def _unbroken_end(slots: list[PriceSlot]) -> datetime:
    """Return where the first of *slots* ends, and those that follow it without a gap."""
    end = slots[0].end
    for slot in slots[1:]:
        if slot.start != end:
            break
        end = slot.end
    return end


def _clock(moment: datetime, site: SiteSnapshot) -> str:
    """Return a time as the clock of the house shows it, with the day if it is another."""
    local = moment.astimezone(site.timezone)
    return f"{local:%H:%M}" if local.date() == site.local.date() else f"{local:%a %H:%M}"


def _moment(standing: Collection[str]) -> datetime | None:
    """Return up to when a cheap time has been told; what cannot be read has not been."""
    for key in standing:
        try:
            moment = datetime.fromisoformat(key.removeprefix(_CHEAP))
        except ValueError:
            continue
        if key.startswith(_CHEAP) and moment.tzinfo is not None:
            return moment
    return None
