"""Houses of whom something was recorded: the history's five-minute steps, or a table in a file."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np

from ohmstead.backtest.foretold import foretell
from ohmstead.backtest.tariffs import Tariff, tariff_named
from ohmstead.backtest.world import HALF_HOUR, Floats, Plant, World, half_hours
from ohmstead.errors import HistoryError
from ohmstead.history.buckets import FIVE_S
from ohmstead.history.history import History
from ohmstead.history.signals import SITE

__all__ = ["OWN_TARIFF", "RecordedHouse", "from_csv", "from_history"]

OWN_TARIFF: Final = "own"
"""The prices that were recorded, or that stand in the file."""
_TOLD_EVERY: Final = timedelta(hours=6)
_PAST_DAYS: Final = 28
_LEAST_KNOWN: Final = 0.5
_MANY_PRICES: Final = 10
"""A day of more different prices than this is of a tariff whose prices come out daily."""
_A_DAY: Final = 48
_POINTS: Final = (
    "load_w", "pv_w", "buy_per_kwh", "sell_per_kwh",
    "battery_capacity_kwh", "battery_max_charge_w", "battery_max_discharge_w", "soc_pct",
)  # fmt: skip
_COLUMNS: Final = ("load_w", "pv_w", "import_per_kwh", "export_per_kwh", "told_w")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedHouse:
    """A house as it was recorded, with its own prices if they are known."""

    series: World
    own: Tariff | None = None

    @property
    def name(self) -> str:
        """What to call it."""
        return self.series.name

    @property
    def key(self) -> str:
        """Whatever its world follows from."""
        series = self.series
        digest = sha256(repr((series.start, series.begin, series.plant, series.step)).encode())
        for row in (series.load_w, series.pv_w, series.told_w):
            digest.update(np.ascontiguousarray(row).tobytes())
        if self.own is not None:
            digest.update(repr(self.own).encode())
        return digest.hexdigest()

    def world(self) -> World:
        """Return it as series."""
        return self.series

    def tariff(self, name: str, world: World) -> Tariff:
        """Return its own prices, or the built-in tariff called *name*."""
        if name != OWN_TARIFF:
            return tariff_named(name, world)
        if self.own is None:
            raise HistoryError(f"no prices were recorded for {self.name}; name a tariff")
        return self.own


async def from_history(
    history: History, first: date, last: date, plant: Plant | None, name: str
) -> RecordedHouse:
    """Return the house as *history* has it, from *first* to *last*.

    What was recorded up to four weeks earlier is past, of which forecasts learn. *plant* is
    what stands there; None takes what the battery said of itself. Sun forecasts were not
    recorded: they are drawn from what came, as wrong as a weather service is.
    """
    signals = {point: history.find(SITE, point) for point in _POINTS}
    known = {point: signal for point, signal in signals.items() if signal is not None}
    if "load_w" not in known:
        raise HistoryError("nothing was recorded of the house's load")
    rows = await history.steps("five", known.values(), first - timedelta(days=_PAST_DAYS), last)
    found = {
        point: {at: bucket.mean for at, bucket in rows[signal].items()}
        for point, signal in known.items()
    }
    begin = _midnight(first, history.zone)
    end = _midnight(last + timedelta(days=1), history.zone)
    start = max(begin - timedelta(days=_PAST_DAYS), _first(found["load_w"], begin))
    steps = int((end - start).total_seconds()) // FIVE_S
    series = {
        point: _series(found.get(point, {}), int(start.timestamp()), steps) for point in _POINTS
    }
    begun = int((begin - start).total_seconds()) // FIVE_S
    covered = float(np.isfinite(series["load_w"][begun:]).mean())
    if covered < _LEAST_KNOWN:
        raise HistoryError(f"only {covered:.0%} of {first} to {last} was recorded")
    return _house(
        name, start, history.zone, series, begun // 6, plant or _plant(series, begun), FIVE_S
    )


def from_csv(path: Path, zone: tzinfo, plant: Plant | None = None) -> RecordedHouse:
    """Return the house that *path* tells of, or raise ``HistoryError`` naming the line.

    Columns are time (with its zone) and load_w, and if they are known pv_w, import_per_kwh,
    export_per_kwh, and told_w: what had been foretold of the sun a few hours before. Lines
    are evenly apart, by a half-hour or a part of one.
    """
    times, columns = _read(path)
    if len(times) < 2:  # noqa: PLR2004 - two lines make a step
        raise HistoryError(f"{path}: too short to replay")
    width = int((times[1] - times[0]).total_seconds())
    if width <= 0 or 1_800 % width or times[0].timestamp() % 1_800:
        raise HistoryError(f"{path}: lines must be a half-hour or a part of one apart")
    steps = int((times[-1] - times[0]).total_seconds()) // width + 1
    steps -= steps % (1_800 // width)
    series = {}
    for name in _COLUMNS:
        row = np.full(steps, np.nan)
        for at, value in zip(times, columns.get(name, ()), strict=False):
            place = int((at - times[0]).total_seconds()) // width
            if place < steps:
                row[place] = value
        series[name] = row
    series["buy_per_kwh"] = series.pop("import_per_kwh")
    series["sell_per_kwh"] = series.pop("export_per_kwh")
    return _house(path.stem, times[0], zone, series, 0, plant or Plant(), width)


# ---- how it is done -----------------------------------------------------------------------


def _house(
    name: str,
    start: datetime,
    zone: tzinfo,
    series: Mapping[str, Floats],
    begin: int,
    plant: Plant,
    width_s: int,
) -> RecordedHouse:
    each = 1_800 // width_s
    load_w, pv_w = (np.maximum(_filled(series[key], each), 0.0) for key in ("load_w", "pv_w"))
    hold = _TOLD_EVERY // HALF_HOUR
    told = series.get("told_w")
    said = np.isfinite(told).any() if told is not None else False
    if told is not None and said:
        issues = _issues(half_hours(_filled(told, each), each), hold)
    else:
        issues = foretell(half_hours(pv_w, each), hold, 0)
    world = World(
        name=name,
        start=start,
        zone=zone,
        load_w=load_w,
        pv_w=pv_w,
        told_w=issues,
        told_every=_TOLD_EVERY,
        step=timedelta(seconds=width_s),
        begin=begin,
        plant=plant,
    )
    return RecordedHouse(series=world, own=_own(series, world))


def _issues(told_w: Floats, hold: int) -> Floats:
    padded = np.concatenate([told_w, np.zeros(2 * _A_DAY)])
    return np.array([padded[n : n + 2 * _A_DAY] for n in range(0, len(told_w), hold)])


def _own(series: Mapping[str, Floats], world: World) -> Tariff | None:
    buy, sell = series["buy_per_kwh"], series["sell_per_kwh"]
    if not np.isfinite(buy).any():
        return None
    each = world.steps_each
    bought = _held(buy)[::each]
    sold = _held(sell)[::each] if np.isfinite(sell).any() else np.zeros(len(bought))
    days = [set(bought[n : n + _A_DAY].round(5).tolist()) for n in range(0, len(bought), _A_DAY)]
    day_ahead = float(np.median([len(day) for day in days])) > _MANY_PRICES
    if not day_ahead:  # it will have gone on as it was
        bought, sold = (np.concatenate([row, *[row[-_A_DAY:]] * 3]) for row in (bought, sold))
    return Tariff(
        name=OWN_TARIFF,
        start=world.start,
        buy=tuple(bought.tolist()),
        sell=tuple(sold.tolist()),
        day_ahead=day_ahead,
    )


def _plant(series: Mapping[str, Floats], begun: int) -> Plant:
    """Return what the battery said of itself; where it said nothing, a usual one."""
    usual = Plant()

    def said(point: str, otherwise: float) -> float:
        row = series[point][np.isfinite(series[point])]
        return float(row[-1]) if len(row) and row[-1] > 0 else otherwise

    soc = series["soc_pct"][begun:]
    known = soc[np.isfinite(soc)]
    return replace(
        usual,
        capacity_kwh=said("battery_capacity_kwh", usual.capacity_kwh),
        charge_w=said("battery_max_charge_w", usual.charge_w),
        discharge_w=said("battery_max_discharge_w", usual.discharge_w),
        start_pct=float(min(max(known[0], 0.0), 100.0)) if len(known) else usual.start_pct,
    )


def _series(row: Mapping[int, float], start_s: int, steps: int) -> Floats:
    found = np.full(steps, np.nan)
    for at, value in row.items():
        place = (at - start_s) // FIVE_S
        if 0 <= place < steps:
            found[place] = value
    return found


def _filled(row: Floats, each: int) -> Floats:
    """Return *row* without holes: the same time a day before stands in, or a day after."""
    found, day = row.copy(), _A_DAY * each
    for at in np.flatnonzero(~np.isfinite(found)):
        if at >= day:
            found[at] = found[at - day]
    for at in np.flatnonzero(~np.isfinite(found))[::-1]:
        if at + day < len(found):
            found[at] = found[at + day]
    return np.nan_to_num(found, nan=0.0)


def _held(row: Floats) -> Floats:
    """Return *row* with each hole holding what was before it, or what comes first."""
    places = np.where(np.isfinite(row), np.arange(len(row)), -1)
    held = np.maximum.accumulate(places)
    first = int(np.flatnonzero(np.isfinite(row))[0])
    found: Floats = row[np.where(held < 0, first, held)]
    return found


def _first(row: Mapping[int, float], otherwise: datetime) -> datetime:
    """Return when anything was known first, on a half-hour."""
    if not row:
        return otherwise
    return datetime.fromtimestamp(-(-min(row) // 1_800) * 1_800, UTC)


def _midnight(day: date, zone: tzinfo) -> datetime:
    begin = datetime.combine(day, time(), zone).timestamp()
    return datetime.fromtimestamp(begin // 1_800 * 1_800, UTC)


def _read(path: Path) -> tuple[list[datetime], dict[str, Sequence[float]]]:
    times: list[datetime] = []
    columns: dict[str, list[float]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = {"time", "load_w"} - set(reader.fieldnames or ())
            if missing:
                raise HistoryError(f"{path}: no column called {', '.join(sorted(missing))}")
            for line in reader:
                try:
                    _take(line, times, columns)
                except (ValueError, TypeError) as exc:
                    raise HistoryError(f"{path}, line {reader.line_num}: {exc}") from exc
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise HistoryError(f"cannot read {path}: {exc}") from exc
    return times, dict(columns)


def _take(line: Mapping[str, str], times: list[datetime], columns: dict[str, list[float]]) -> None:
    if None in line.values():
        raise ValueError("too few columns")
    at = datetime.fromisoformat(line["time"])
    if at.tzinfo is None:
        raise ValueError("the time has no zone; write it as 2026-11-21T17:30:00Z")
    if times and at <= times[-1]:
        raise ValueError("the lines are not in time order")
    times.append(at.astimezone(UTC))
    for name in _COLUMNS:
        if name in line:
            columns.setdefault(name, []).append(float(line[name]) if line[name] else float("nan"))
