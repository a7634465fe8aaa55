"""What the demonstration's forecasts go by: the week before its day, and a weather service."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from ohmstead.cli.demo_played import wish
from ohmstead.history.history import History
from ohmstead.history.record import kinds_of
from ohmstead.history.settings import HistorySettings
from ohmstead.model import (
    BatteryReading,
    Decision,
    PriceCurve,
    Prices,
    PriceSlot,
    SiteSnapshot,
    Tick,
)
from ohmstead.simulation import House, Scenario, Sky, agile_prices, chance

__all__ = ["cloud_of", "live_before"]

_PAST_DAYS: Final = 8
_APART: Final = timedelta(minutes=10)
_HALF_HOUR: Final = timedelta(minutes=30)
_HOUR_S: Final = 3_600
_LOOKS: Final = 7
_ERROR: Final = 0.15
"""How wrong it is on average, as a share."""
_LASTS_S: Final = 4 * _HOUR_S
"""How long it errs to one side."""


async def live_before(scenario: Scenario, path: Path) -> None:
    """Write to *path* how the house lived in the week before *scenario*, left to itself."""
    settings = HistorySettings(commit_s=_PAST_DAYS * 86_400)
    async with History(path, scenario.timezone, kinds_of({}), settings) as history:
        for site in _week_before(scenario):
            decision = Decision(at=site.at, command=None, reason="", strategy="nobody")
            await history.record(Tick(snapshot=site, decision=decision))


def cloud_of(scenario: Scenario) -> Callable[[datetime], float]:
    """Return what a weather service says of the clouds, 0 to 1: the truth, blurred and a bit wrong.

    It knows whether a morning is bright, not which minute a cloud comes.
    """
    sky, seed = Sky(scenario.house.seed, scenario.house.weather), scenario.house.seed

    @cache
    def error(number: int) -> float:
        return chance("weather service", seed, number).gauss(0, _ERROR)

    @cache
    def cloud(second: int) -> float:
        looks = [second + (n / (_LOOKS - 1) - 0.5) * 2 * _HOUR_S for n in range(_LOOKS)]
        beam = sum(map(sky.beam_share, looks)) / _LOOKS
        number, within = divmod(second, _LASTS_S)
        part = within / _LASTS_S
        off = error(number) * (1 - part) + error(number + 1) * part
        return 1 - min(beam * math.exp(off), 1.0)

    return lambda moment: cloud(int(moment.timestamp()))


# ---- how it is done -----------------------------------------------------------------------


def _week_before(scenario: Scenario) -> Iterator[SiteSnapshot]:
    first = scenario.date - timedelta(days=_PAST_DAYS)
    at = datetime.combine(first, time(), scenario.timezone).astimezone(UTC)
    house = House(replace(scenario.house, step_s=300), at, scenario.timezone)
    house.controller = wish
    battery = scenario.house.battery
    buy, sell = (_curve(scenario, export=export) for export in (False, True))
    while at < scenario.start:
        house.advance(at)
        yield SiteSnapshot(
            at=at,
            timezone=scenario.timezone,
            battery=BatteryReading(
                soc_pct=round(house.battery.soc_pct),
                power_w=round(house.battery_w),
                capacity_kwh=battery.capacity_kwh,
                max_charge_w=battery.max_charge_w,
                max_discharge_w=battery.max_discharge_w,
            ),
            grid_w=round(house.grid_w),
            pv_w=round(house.pv_w),
            load_w=round(house.load_w),
            prices=Prices(buy=buy, sell=sell),
        )
        at += _APART


def _curve(scenario: Scenario, *, export: bool) -> PriceCurve:
    prices = agile_prices(
        scenario.date - timedelta(days=_PAST_DAYS),
        scenario.timezone,
        days=_PAST_DAYS,
        mean_per_kwh=scenario.wholesale_per_kwh,
        wind_share=scenario.wind_share,
        seed=scenario.house.seed,
        export=export,
    )
    return PriceCurve(
        slots=tuple(
            PriceSlot(start=at, end=at + _HALF_HOUR, per_kwh=per_kwh) for at, per_kwh in prices
        ),
        source="demo",
    )
