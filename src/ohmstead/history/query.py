"""Answers what a chart asks: any span, in about as many points as it can show."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal, TypeAlias

from ohmstead.errors import HistoryError
from ohmstead.history.batch import Column
from ohmstead.history.buckets import FIVE_S, HOUR_S, Bucket, Row, merged, regrouped
from ohmstead.history.days import day_of, moment
from ohmstead.history.history import History
from ohmstead.history.record import to_ms
from ohmstead.history.rollup import Rollup
from ohmstead.history.signals import Form, Signal
from ohmstead.model import Value, unit_of

__all__ = ["DayEnergy", "Resolution", "Series", "energy", "find_signals", "resolution", "series"]

Resolution: TypeAlias = Literal["raw", "5min", "hour", "day"]
_DAY_S = 86_400
_STEPS: Mapping[Resolution, int] = {"day": _DAY_S, "hour": HOUR_S, "5min": FIVE_S}
_LEVELS: Mapping[Resolution, str] = {"day": "day", "hour": "hour", "5min": "five", "raw": "raw"}
_FEWEST = 3
"""A level that gives less than this part of the points asked for is too coarse for a chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One signal over a span, in columns; a None stands where nobody knew the value."""

    signal: Signal
    resolution: Resolution
    step_s: int
    """How long each point stands for; 0 for samples as they were recorded."""
    times: tuple[datetime, ...]
    low: tuple[float | None, ...]
    mean: tuple[float | None, ...]
    high: tuple[float | None, ...]
    last: tuple[Value | None, ...]
    """What it was at the end of each point: texts, times and flags as themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnergy:
    """What flowed in one day: of a power both ways, of a total by how much it grew."""

    positive_kwh: float
    negative_kwh: float = 0.0
    covered_h: float
    """For how long the value was known."""


def find_signals(history: History, names: Iterable[tuple[str, str]]) -> list[Signal]:
    """Return the signals of points given as (device, point), or raise ``HistoryError``."""
    found = []
    for device, point in names:
        signal = history.find(device, point)
        if signal is None:
            raise HistoryError(f"nothing was ever recorded of {device}.{point}")
        found.append(signal)
    return found


async def series(
    history: History,
    signals: Sequence[Signal],
    start: datetime,
    end: datetime,
    *,
    most_points: int = 500,
) -> list[Series]:
    """Return what *signals* were in [start, end), each in at most about *most_points* points."""
    if end <= start:
        raise HistoryError("a span must end after it begins")
    most_points = max(most_points, 2)
    level = resolution(start, end, most_points, await history.begins())
    if level == "raw":
        return await _raw(history, signals, start, end, most_points)
    return await _rolled(history, level, signals, (start, end), most_points)


def resolution(
    start: datetime, end: datetime, most_points: int, begins: Mapping[str, int]
) -> Resolution:
    """Return the coarsest level that still fills a chart, among those that reach back to *start*.

    *begins* says where each level begins. Where none reaches so far, the one that reaches
    furthest is taken.
    """
    reaching = [
        level
        for level, name in _LEVELS.items()
        if name in begins and begins[name] <= start.timestamp() + FIVE_S
    ]
    if not reaching and begins:
        furthest = min(begins.values()) + _DAY_S
        reaching = [lv for lv, name in _LEVELS.items() if begins.get(name, 0) <= furthest]
    span_s = (end - start).total_seconds()
    for level in reaching:
        if level == "raw" or span_s / _STEPS[level] >= most_points / _FEWEST:
            return level
    return reaching[-1] if reaching else "raw"


async def energy(
    history: History, signals: Sequence[Signal], first: date, last: date
) -> dict[Signal, dict[date, DayEnergy]]:
    """Return the kWh of powers and totals on each local day from *first* to *last*."""
    for signal in signals:
        if not signal.is_power and unit_of(signal.point) not in {"kWh", "Wh"}:
            raise HistoryError(f"{signal.device}.{signal.point} is neither a power nor an energy")
    days = await history.days(signals, first, last)
    return {
        signal: {
            day: DayEnergy(
                positive_kwh=bucket.up / _per_kwh(signal),
                negative_kwh=bucket.down / _per_kwh(signal),
                covered_h=bucket.covered_s / HOUR_S,
            )
            for day, (_, bucket) in days[signal].items()
        }
        for signal in signals
    }


# ---- how it is done -----------------------------------------------------------------------


async def _rolled(
    history: History,
    level: Resolution,
    signals: Sequence[Signal],
    span: tuple[datetime, datetime],
    most_points: int,
) -> list[Series]:
    start_s, end_s = span[0].timestamp(), span[1].timestamp()
    step_s = _STEPS[level]
    wider = max(round((end_s - start_s) / step_s / most_points + 0.499), 1)
    first, last = day_of(start_s, history.zone), day_of(end_s - 0.001, history.zone)
    if level == "day":
        days = await history.days(signals, first, last)
        found = {signal: _joined(days[signal], wider) for signal in signals}
    else:
        name: Literal["five", "hour"] = "five" if level == "5min" else "hour"
        found = {
            signal: {at: b for at, b in row.items() if start_s - step_s < at < end_s}
            for signal, row in (await history.steps(name, signals, first, last)).items()
        }
        if wider > 1:
            origin = int(start_s) // step_s * step_s
            found = {s: regrouped(row, origin, wider * step_s) for s, row in found.items()}
    return [_of_row(history, s, level, wider * step_s, found[s]) for s in signals]


def _joined(days: Mapping[date, tuple[int, Bucket]], wider: int) -> Row:
    """Return days as a row, *wider* of them in one bucket."""
    groups: dict[int, list[tuple[int, Bucket]]] = {}
    for day in sorted(days):
        groups.setdefault(day.toordinal() // wider, []).append(days[day])
    return {parts[0][0]: merged(bucket for _, bucket in parts) for parts in groups.values()}


async def _raw(
    history: History, signals: Sequence[Signal], start: datetime, end: datetime, most_points: int
) -> list[Series]:
    gap_s = history.settings.gap_s
    before = start - timedelta(seconds=gap_s)
    columns = await history.samples(signals, to_ms(before), to_ms(end))
    answer = []
    for signal in signals:
        column = columns[signal]
        inside = [sample for sample in column if sample[0] >= to_ms(start)]
        if len(inside) <= most_points:
            samples = [*_held(column, start), *inside]
            answer.append(_of_samples(history, signal, samples, gap_s))
            continue
        step_s = int((end - start).total_seconds() / most_points) + 1
        rollup = Rollup(gap_s, int(start.timestamp()) // step_s * step_s, step_s)
        for at_ms, value in column:
            rollup.add(signal, at_ms, value)
        row = rollup.rows([signal], rollup.begin_s, int(end.timestamp()) + 1)[signal]
        answer.append(_of_row(history, signal, "raw", step_s, row))
    return answer


def _held(column: Column, start: datetime) -> Column:
    """Return, as a sample at *start*, the value that was held when the span began."""
    earlier = [value for at_ms, value in column if at_ms < to_ms(start)]
    return [(to_ms(start), earlier[-1])] if earlier and earlier[-1] is not None else []


def _of_samples(history: History, signal: Signal, column: Column, gap_s: float) -> Series:
    points: list[tuple[int, float | None]] = []
    for at_ms, value in column:
        if points and at_ms - points[-1][0] > gap_s * 1_000 and points[-1][1] is not None:
            points.append((points[-1][0] + 1, None))
        points.append((at_ms, value))
    values = tuple(None if signal.is_state else value for _, value in points)
    return Series(
        signal=signal,
        resolution="raw",
        step_s=0,
        times=tuple(moment(at_ms / 1_000) for at_ms, _ in points),
        low=values,
        mean=values,
        high=values,
        last=tuple(_value(history, signal, value) for _, value in points),
    )


def _of_row(history: History, signal: Signal, level: Resolution, step_s: int, row: Row) -> Series:
    points = list(_with_breaks(row, step_s))
    buckets = [None if signal.is_state else bucket for _, bucket in points]
    return Series(
        signal=signal,
        resolution=level,
        step_s=step_s,
        times=tuple(moment(at) for at, _ in points),
        low=tuple(None if b is None else b.low for b in buckets),
        mean=tuple(None if b is None else b.mean for b in buckets),
        high=tuple(None if b is None else b.high for b in buckets),
        last=tuple(_value(history, signal, None if b is None else b.last) for _, b in points),
    )


def _with_breaks(row: Row, step_s: int) -> Iterator[tuple[int, Bucket | None]]:
    """Yield the buckets in time order, with one None wherever some are missing."""
    starts = sorted(row)
    for at, following in pairwise([*starts, None]):
        if at is None:
            continue
        yield at, row[at]
        # A day may be an hour longer; anything beyond that is a hole.
        if following is not None and following - at > step_s * 3 // 2:
            yield at + step_s, None


def _value(history: History, signal: Signal, number: float | None) -> Value | None:
    return None if number is None else history.words.to_value(signal.form, number)


def _per_kwh(signal: Signal) -> float:
    return 1_000.0 if signal.form is Form.TOTAL and unit_of(signal.point) == "Wh" else 1.0
