"""Picks from each tick what is worth recording: what changed, and now and then what did not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ohmstead.history.settings import HistorySettings
from ohmstead.history.signals import SITE, Form, Sample, Signal, Words, form_of
from ohmstead.model import Kind, PriceCurve, Reading, SiteSnapshot, Tick, Value
from ohmstead.ports import DevicePort

__all__ = ["KindOf", "Recorder", "kinds_of", "site_values", "to_ms"]

KindOf = Callable[[str, str], Kind | None]
"""Tells the kind of a point by the names of its device and itself; None if it is unknown."""

_STEP_BACK_MS = 60_000
"""A moment this much earlier than the last one means that the clock was set back."""


@dataclass(slots=True)
class _Held:
    """What a point said last, and when it was recorded last."""

    signal: Signal
    at_ms: int
    value: float | None


class Recorder:
    """Turns ticks into samples; remembers of each point only what it recorded last."""

    def __init__(self, settings: HistorySettings, words: Words, kind_of: KindOf) -> None:
        """Record with *settings*; texts become numbers of *words*."""
        self._words = words
        self._kind_of = kind_of
        self._least_ms = settings.least_s * 1_000
        self._heartbeat_ms = settings.heartbeat_s * 1_000
        self._held: dict[str, dict[str, _Held]] = {}
        self._read_at: dict[str, datetime] = {}

    def know(self, signal: Signal, at_ms: int, value: float | None) -> None:
        """Go on from what was recorded of *signal* before a restart."""
        held = self._held.setdefault(signal.device, {})
        known = held.get(signal.point)
        if known is None or known.at_ms <= at_ms:
            held[signal.point] = _Held(signal, at_ms, value)

    def samples(self, tick: Tick) -> list[Sample]:
        """Return what *tick* says that is to be recorded."""
        snapshot = tick.snapshot
        found = list(self._site(snapshot))
        for name, device in snapshot.devices.items():
            found += self._device(name, device.reading, to_ms(snapshot.at))
        for name in self._held.keys() - snapshot.devices.keys() - {SITE}:
            found += self._device(name, None, to_ms(snapshot.at))
        return found

    def held(self, now: datetime) -> Iterator[Sample]:
        """Yield what holds at *now*, the end: heartbeats that would be missed."""
        at_ms = to_ms(now)
        for points in self._held.values():
            for known in points.values():
                if known.value is not None and known.at_ms < at_ms:
                    known.at_ms = at_ms
                    yield Sample(known.signal, at_ms, known.value)

    def _site(self, snapshot: SiteSnapshot) -> Iterator[Sample]:
        at_ms = to_ms(snapshot.at)
        held = self._held.setdefault(SITE, {})
        for point, value in site_values(snapshot).items():
            if sample := self._sample(SITE, held, point, value, at_ms):
                yield sample

    def _device(self, name: str, reading: Reading | None, now_ms: int) -> Iterator[Sample]:
        held = self._held.setdefault(name, {})
        if reading is None:
            for known in held.values():
                if known.value is not None and now_ms > known.at_ms:
                    known.at_ms, known.value = now_ms, None
                    yield Sample(known.signal, now_ms, None)
            return
        # Without a newer reading the site still believes the last one: heartbeats only.
        fresh = self._read_at.get(name) != reading.at
        self._read_at[name] = reading.at
        at_ms = to_ms(reading.at) if fresh else now_ms
        for point, value in reading.values.items():
            if sample := self._sample(name, held, point, value, at_ms):
                yield sample

    def _sample(
        self, device: str, held: dict[str, _Held], point: str, value: Value | None, at_ms: int
    ) -> Sample | None:
        known = held.get(point)
        if value is None:
            if known is None or known.value is None:
                return None
            number = None
        else:
            number = self._words.to_number(value)
        if known is not None and not self._due(known, number, at_ms):
            return None
        if known is None or (value is not None and not _speaks(known.signal.form, value)):
            if number is None or value is None:
                return None
            total = self._kind_of(device, point) is Kind.TOTAL
            known = held[point] = _Held(
                Signal(device, point, form_of(value, total=total)), at_ms, number
            )
        known.at_ms, known.value = at_ms, number
        return Sample(known.signal, at_ms, number)

    def _due(self, known: _Held, number: float | None, at_ms: int) -> bool:
        apart_ms = at_ms - known.at_ms
        if -_STEP_BACK_MS < apart_ms <= 0:
            return False
        if number is None or known.value is None:
            return number is not known.value
        if apart_ms < 0:
            return True
        return apart_ms >= (self._heartbeat_ms if number == known.value else self._least_ms)


def kinds_of(devices: Mapping[str, DevicePort]) -> KindOf:
    """Return what tells the kind of a point of *devices*, also of points that appear later."""

    def kind_of(device: str, point: str) -> Kind | None:
        known = devices[device].points.get(point) if device in devices else None
        return None if known is None else known.kind

    return kind_of


def site_values(snapshot: SiteSnapshot) -> dict[str, float | str | None]:
    """Return what is recorded of the house as a whole: powers, battery, prices, what we told it."""
    battery = snapshot.battery
    return {
        "grid_w": snapshot.grid_w,
        "pv_w": snapshot.pv_w,
        "load_w": snapshot.load_w,
        "battery_w": snapshot.battery_w,
        "soc_pct": snapshot.soc_pct,
        "battery_capacity_kwh": None if battery is None else battery.capacity_kwh,
        "battery_max_charge_w": None if battery is None else battery.max_charge_w,
        "battery_max_discharge_w": None if battery is None else battery.max_discharge_w,
        "buy_per_kwh": _price(snapshot.prices.buy, snapshot.at),
        "sell_per_kwh": _price(snapshot.prices.sell, snapshot.at),
        "mode": None if snapshot.mode is None else snapshot.mode.value,
    }


def to_ms(moment: datetime) -> int:
    """Return *moment* as whole milliseconds since 1970."""
    return round(moment.timestamp() * 1_000)


def _price(curve: PriceCurve | None, now: datetime) -> float | None:
    slot = None if curve is None else curve.at(now)
    return None if slot is None else slot.per_kwh


def _speaks(form: Form, value: Value) -> bool:
    """Tell whether *value* can be recorded in *form*."""
    found = form_of(value, total=form is Form.TOTAL)
    return found is form
