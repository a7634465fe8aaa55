"""What is left in the demonstration's battery is worth, valued as a backtest does."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import numpy as np

from ohmstead.backtest.left import worth, worths_at_end
from ohmstead.backtest.tariffs import Tariff
from ohmstead.backtest.world import HALF_HOUR, Floats, Plant, World
from ohmstead.cli.demo_played import RESERVE_PCT
from ohmstead.simulation import House, Scenario, agile_prices

__all__ = ["value_left"]

_TAIL_DAYS: Final = 2
"""What is left is worth what it saves in these days after."""
_STEP: Final = timedelta(minutes=5)


def value_left(scenario: Scenario, end: datetime) -> Callable[[float], float]:
    """Return what so many kWh left at *end* are worth, in pounds.

    As a backtest values them: by what they save in the two days after if all to come were
    known, and beyond that by what it costs to store them anew.
    """
    halves = max((end - scenario.start) // HALF_HOUR, 1)
    buy, sell = (
        tuple(price for _, price in _drawn(scenario, export=export)) for export in (False, True)
    )
    tail = _TAIL_DAYS * 48
    load_w, pv_w = _flows(scenario, halves + tail)
    battery = scenario.house.battery
    world = World(
        name=scenario.name,
        start=scenario.start,
        zone=scenario.timezone,
        load_w=load_w,
        pv_w=pv_w,
        told_w=np.zeros((1, 1)),
        step=_STEP,
        tail=tail,
        plant=Plant(
            capacity_kwh=battery.capacity_kwh,
            charge_w=battery.max_charge_w,
            discharge_w=battery.max_discharge_w,
            reserve_pct=RESERVE_PCT,
            charge_efficiency=battery.charge_efficiency,
            discharge_efficiency=battery.discharge_efficiency,
            standby_w=battery.standby_w,
            start_pct=scenario.house.start_soc_pct,
        ),
    )
    tariff = Tariff(name="demo", start=scenario.start, buy=buy, sell=sell, day_ahead=True)
    return partial(worth, worths_at_end(world, tariff))


# ---- how it is done -----------------------------------------------------------------------


def _flows(scenario: Scenario, halves: int) -> tuple[Floats, Floats]:
    """Return the means of load and sun in steps of five minutes, as they come."""
    seen = House(replace(scenario.house, step_s=60), scenario.start, scenario.timezone)
    seen.controller = lambda _: 0.0
    load, pv = [0.0], [0.0]
    for step in range(1, halves * (HALF_HOUR // _STEP) + 1):
        seen.advance(scenario.start + step * _STEP)
        load.append(seen.totals.load_kwh)
        pv.append(seen.totals.pv_kwh)
    per_kwh = 1_000 / (_STEP / timedelta(hours=1))
    return np.diff(load) * per_kwh, np.diff(pv) * per_kwh


def _drawn(scenario: Scenario, *, export: bool) -> Sequence[tuple[datetime, float]]:
    return agile_prices(
        scenario.date,
        scenario.timezone,
        days=1 + _TAIL_DAYS + 1,
        mean_per_kwh=scenario.wholesale_per_kwh,
        wind_share=scenario.wind_share,
        seed=scenario.house.seed,
        export=export,
    )
