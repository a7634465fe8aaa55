"""Rolls samples up to steps of time as they come: time-weighted, with energies, increments."""

from collections.abc import Iterable
from dataclasses import dataclass

from ohmstead.history.buckets import FIVE_S, HOUR_S, Bucket, Row
from ohmstead.history.signals import Form, Signal

__all__ = ["Counter", "Rollup"]

_MS_W_PER_KWH = 3.6e9
_JITTER = 0.2
"""A total that falls by no more than this was rounded differently; two steps of 0.1."""


@dataclass(slots=True)
class Counter:
    """How much a total has grown, whatever its device does to it."""

    base: float | None = None
    """The highest value seen since it last began to count."""
    before_reset: float = 0.0
    reset_ms: int | None = None

    def grown(self, value: float, at_ms: int, gap_ms: float) -> float:
        """Return by how much the total grew to *value*."""
        base, self.base = self.base, value
        if base is None:
            return 0.0
        if self.reset_ms is not None:
            recent = at_ms - self.reset_ms <= gap_ms
            if recent and value >= self.before_reset:
                # It never was a reset: one reading was wrong, and now the old count goes on.
                self.reset_ms = None
                return value - self.before_reset
            if not recent:
                self.reset_ms = None
        if value >= base:
            return value - base
        if value < base / 2:
            pending = self.before_reset if self.reset_ms is not None else 0.0
            self.before_reset, self.reset_ms = max(base, pending), at_ms
            return value  # counts from zero again: midnight, a new meter
        if base - value <= _JITTER:
            self.base = base
        return 0.0


@dataclass(slots=True)
class _Trace:
    """Where one signal stands."""

    is_power: bool
    counter: Counter | None
    buckets: Row
    at_ms: int = 0
    value: float | None = None


class Rollup:
    """The buckets of all signals that are not complete yet."""

    def __init__(self, gap_s: float, begin_s: int = 0, step_s: int = FIVE_S) -> None:
        """Leave nothing between samples more than *gap_s* apart, nor in buckets before *begin_s*.

        A value holds until the next sample: what did not change was not recorded.
        """
        self._gap_ms = gap_s * 1_000
        self._step_ms = step_s * 1_000
        self._traces: dict[Signal, _Trace] = {}
        self.begin_s = begin_s

    def add(self, signal: Signal, at_ms: int, value: float | None) -> None:
        """Take one sample; those of a signal come in time order."""
        trace = self._trace(signal)
        before, apart_ms = trace.value, at_ms - trace.at_ms
        if before is not None and 0 < apart_ms <= self._gap_ms:
            self._hold(trace, before, trace.at_ms, at_ms)
        trace.at_ms, trace.value = at_ms, value
        if value is None:
            return
        bucket = self._bucket(trace, at_ms // self._step_ms * self._step_ms // 1_000, value)
        bucket.count += 1
        if trace.counter is not None:
            bucket.up += trace.counter.grown(value, at_ms, self._gap_ms)

    def know(self, signal: Signal, total: float) -> None:
        """Let the total of *signal* go on from what it was when it was last seen."""
        counter = self._trace(signal).counter
        if counter is not None:
            counter.base = total

    def rows(self, signals: Iterable[Signal], start_s: int, end_s: int) -> dict[Signal, Row]:
        """Return the incomplete buckets of *signals* that begin in [start_s, end_s)."""
        return {
            signal: {
                at: bucket
                for at, bucket in self._traces[signal].buckets.items()
                if start_s <= at < end_s
            }
            for signal in signals
            if signal in self._traces
        }

    def complete(self, now_s: float) -> dict[int, dict[Signal, Row]]:
        """Return, by their hour, the buckets of hours that no later sample can change."""
        ready_s = int(now_s - self._gap_ms / 1_000) // HOUR_S * HOUR_S
        hours: dict[int, dict[Signal, Row]] = {}
        for signal, trace in self._traces.items():
            for at, bucket in trace.buckets.items():
                if at < ready_s:
                    hour = hours.setdefault(at // HOUR_S * HOUR_S, {})
                    hour.setdefault(signal, {})[at] = bucket
        return hours

    def forget(self, before_s: int) -> None:
        """Let go of the buckets before *before_s*, which are on disk now."""
        self.begin_s = before_s
        for trace in self._traces.values():
            for at in [at for at in trace.buckets if at < before_s]:
                del trace.buckets[at]

    def _trace(self, signal: Signal) -> _Trace:
        trace = self._traces.get(signal)
        if trace is None:
            counter = Counter() if signal.form is Form.TOTAL else None
            trace = self._traces[signal] = _Trace(signal.is_power, counter, {})
        return trace

    def _hold(self, trace: _Trace, value: float, from_ms: int, to_ms: int) -> None:
        """Spread *value* over the buckets from *from_ms* to *to_ms*."""
        step_ms = self._step_ms
        while from_ms < to_ms:
            start_ms = from_ms // step_ms * step_ms
            until_ms = min(start_ms + step_ms, to_ms)
            held_ms = until_ms - from_ms
            bucket = self._bucket(trace, start_ms // 1_000, value)
            bucket.covered_s += held_ms / 1_000
            bucket.area += value * held_ms / 1_000
            if trace.is_power and value > 0:
                bucket.up += value * held_ms / _MS_W_PER_KWH
            elif trace.is_power:
                bucket.down -= value * held_ms / _MS_W_PER_KWH
            from_ms = until_ms

    def _bucket(self, trace: _Trace, start_s: int, value: float) -> Bucket:
        """Return the bucket that begins at *start_s*, in which the signal now has *value*."""
        bucket = trace.buckets.get(start_s)
        if bucket is None:
            bucket = Bucket(value, value, value)
            if start_s >= self.begin_s:
                trace.buckets[start_s] = bucket
            return bucket
        bucket.take(value)
        return bucket
