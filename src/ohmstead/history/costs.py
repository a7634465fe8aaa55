"""What a day cost, and what it would have cost without control and without a battery."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo

from ohmstead.history.buckets import FIVE_S, HOUR_S, Bucket, Row
from ohmstead.history.days import day_of, day_span, days_between
from ohmstead.history.history import History
from ohmstead.history.signals import SITE, Signal
from ohmstead.model import DayCosts

__all__ = ["PlainBattery", "Step", "costs", "costs_of"]

_WANTED = (
    "grid_w", "pv_w", "load_w", "soc_pct", "buy_per_kwh", "sell_per_kwh",
    "battery_capacity_kwh", "battery_max_charge_w", "battery_max_discharge_w",
)  # fmt: skip
_DAYS_AT_ONCE = 7
_W_PER_KWH = 3.6e6 / FIVE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Five minutes of a house, in energies and prices."""

    start_s: int
    covered_s: float
    """For how long meter and load were known in it."""
    import_kwh: float
    export_kwh: float
    pv_kwh: float
    load_kwh: float
    buy_per_kwh: float
    sell_per_kwh: float
    soc_pct: float | None = None
    capacity_kwh: float | None = None
    max_charge_w: float | None = None
    max_discharge_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainBattery:
    """How a battery without control behaves: spare solar in, the house out, nothing else."""

    floor_pct: float = 10
    """It keeps this much."""
    efficiency: float = 0.95
    """Of each way, in and out."""


async def costs(
    history: History, first: date, last: date, plain: PlainBattery | None = None
) -> list[DayCosts]:
    """Return the costs of each local day from *first* to *last* of which enough is known.

    The simulated battery begins with what was stored at the start of *first* and goes on
    from day to day.
    """
    signals = {point: history.find(SITE, point) for point in _WANTED}
    known: list[Signal] = [signal for signal in signals.values() if signal is not None]
    battery = _Simulated(plain or PlainBattery())
    answer: list[DayCosts] = []
    for begin in list(days_between(first, last))[::_DAYS_AT_ONCE]:
        end = min(begin + timedelta(days=_DAYS_AT_ONCE - 1), last)
        found = await history.steps("five", known, begin, end)
        rows = {
            point: found[signal] if signal is not None else {} for point, signal in signals.items()
        }
        for day in days_between(begin, end):
            steps = list(_steps(rows, *day_span(day, history.zone)))
            if steps:
                answer.append(_day(day, steps, battery))
    return answer


def costs_of(
    steps: Sequence[Step], zone: tzinfo, plain: PlainBattery | None = None
) -> list[DayCosts]:
    """Return the costs of the days that *steps*, in time order, lie in."""
    battery = _Simulated(plain or PlainBattery())
    days: dict[date, list[Step]] = {}
    for step in steps:
        days.setdefault(day_of(step.start_s, zone), []).append(step)
    return [_day(day, parts, battery) for day, parts in days.items()]


class _Simulated:
    """A battery in plain self-use; knows nothing of prices."""

    def __init__(self, plain: PlainBattery) -> None:
        self._plain = plain
        self.stored_kwh: float | None = None

    def grid_kwh(self, step: Step) -> float:
        """Return what would have gone through the meter, above zero an import."""
        net_kwh = step.load_kwh - step.pv_kwh
        if step.capacity_kwh is None:
            return net_kwh
        if self.stored_kwh is None:
            if step.soc_pct is None:
                return net_kwh
            self.stored_kwh = step.capacity_kwh * step.soc_pct / 100
        efficiency = self._plain.efficiency
        if net_kwh > 0:
            floor_kwh = step.capacity_kwh * self._plain.floor_pct / 100
            left_kwh = max(self.stored_kwh - floor_kwh, 0.0) * efficiency
            out_kwh = min(net_kwh, left_kwh, _most(step.max_discharge_w))
            self.stored_kwh -= out_kwh / efficiency
            return net_kwh - out_kwh
        room_kwh = max(step.capacity_kwh - self.stored_kwh, 0.0) / efficiency
        in_kwh = min(-net_kwh, room_kwh, _most(step.max_charge_w))
        self.stored_kwh += in_kwh * efficiency
        return net_kwh + in_kwh


def _day(day: date, steps: Sequence[Step], battery: _Simulated) -> DayCosts:
    plain = [(step, battery.grid_kwh(step)) for step in steps]
    stored = battery.stored_kwh
    last = steps[-1]
    held = None
    if last.capacity_kwh is not None and last.soc_pct is not None:
        held = last.capacity_kwh * last.soc_pct / 100
    return DayCosts(
        day=day,
        import_kwh=sum(step.import_kwh for step in steps),
        export_kwh=sum(step.export_kwh for step in steps),
        actual=sum(s.import_kwh * s.buy_per_kwh - s.export_kwh * s.sell_per_kwh for s in steps),
        without_control=None if stored is None else sum(_cost(s, kwh) for s, kwh in plain),
        without_battery=sum(_cost(step, step.load_kwh - step.pv_kwh) for step in steps),
        covered_h=sum(step.covered_s for step in steps) / HOUR_S,
        ahead_kwh=held - stored if held is not None and stored is not None else 0.0,
    )


def _cost(step: Step, grid_kwh: float) -> float:
    return grid_kwh * (step.buy_per_kwh if grid_kwh > 0 else step.sell_per_kwh)


def _most(power_w: float | None) -> float:
    return float("inf") if power_w is None else power_w / _W_PER_KWH


def _steps(rows: Mapping[str, Row], start_s: int, end_s: int) -> Iterator[Step]:
    for at in range(start_s, end_s, FIVE_S):
        grid, load = rows["grid_w"].get(at), rows["load_w"].get(at)
        buy, pv = rows["buy_per_kwh"].get(at), rows["pv_w"].get(at)
        if grid is None or load is None or buy is None:
            continue
        yield Step(
            start_s=at,
            covered_s=min(grid.covered_s, load.covered_s),
            import_kwh=grid.up,
            export_kwh=grid.down,
            pv_kwh=0.0 if pv is None else pv.up,
            load_kwh=load.up,
            buy_per_kwh=buy.mean,
            sell_per_kwh=_last(rows["sell_per_kwh"].get(at)) or 0.0,
            soc_pct=_last(rows["soc_pct"].get(at)),
            capacity_kwh=_last(rows["battery_capacity_kwh"].get(at)),
            max_charge_w=_last(rows["battery_max_charge_w"].get(at)),
            max_discharge_w=_last(rows["battery_max_discharge_w"].get(at)),
        )


def _last(bucket: Bucket | None) -> float | None:
    return None if bucket is None else bucket.last
