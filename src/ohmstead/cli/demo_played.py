"""The demonstration's day once more under other strategies, and what each way of it cost.

The same simulated house, sun, people and battery, stepped without devices in between. What
really happened in the measured house and what is only played are read off the same way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Final

from ohmstead.control.decide import Strategy, decide
from ohmstead.control.limits import Limits, limits
from ohmstead.control.price_threshold import PriceThreshold, price_threshold
from ohmstead.control.self_consumption import SelfConsumption, self_consumption
from ohmstead.model import (
    BatteryCommand,
    BatteryMode,
    BatteryReading,
    PriceCurve,
    Prices,
    PriceSlot,
    SiteSnapshot,
)
from ohmstead.simulation import House, Scenario

__all__ = [
    "HALF_HOUR",
    "OCTOLUX_PER_KWH",
    "RESERVE_PCT",
    "Meter",
    "Played",
    "five_pence",
    "play",
    "prices_of",
    "self_use",
    "wish",
]

HALF_HOUR: Final = timedelta(minutes=30)
RESERVE_PCT: Final = 10.0
OCTOLUX_PER_KWH: Final = 0.05
"""The 5p rule."""
_STEP: Final = timedelta(minutes=5)

Decide = Callable[[SiteSnapshot], BatteryCommand | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What has flown, and what it cost in pounds."""

    import_kwh: float
    export_kwh: float
    left_kwh: float
    left_pct: float
    bill: float
    """Drawn less fed in, each half-hour at its prices."""


class Meter:
    """Reads a simulated house at the end of every half-hour, exactly then."""

    def __init__(self, house: House) -> None:
        """Watch *house*; whoever commands its battery must have taken it over already."""
        self._house = house
        self._readings: dict[datetime, tuple[float, float, float]] = {}
        self._commanded = house.controller
        house.controller = self._settling
        self._read(house)

    def played(self, scenario: Scenario, end: datetime) -> Played:
        """Return what *scenario* has come to by *end*, up to where the house must live."""
        house = self._house
        house.advance(end)
        readings = {at: seen for at, seen in self._readings.items() if at < end}
        totals, stored = house.totals, house.battery.stored_kwh
        last = self._readings.get(end, (totals.import_kwh, totals.export_kwh, stored))
        readings[end] = last
        bill, moments = 0.0, sorted(readings)
        buy, sell = dict(scenario.import_prices), dict(scenario.export_prices)
        for begin, until in pairwise(moments):
            slot = scenario.start + (begin - scenario.start) // HALF_HOUR * HALF_HOUR
            bill += (readings[until][0] - readings[begin][0]) * buy[slot]
            bill -= (readings[until][1] - readings[begin][1]) * sell[slot]
        imported, exported, left = last
        return Played(
            import_kwh=imported,
            export_kwh=exported,
            left_kwh=left,
            left_pct=100 * left / house.battery.capacity_kwh,
            bill=bill,
        )

    def _settling(self, house: House) -> float:
        # A house settles at the end of each of its steps, and half-hours end with one.
        if not house.at.timestamp() % HALF_HOUR.total_seconds():
            self._read(house)
        return self._commanded(house)

    def _read(self, house: House) -> None:
        seen = (house.totals.import_kwh, house.totals.export_kwh, house.battery.stored_kwh)
        self._readings.setdefault(house.at, seen)


def play(scenario: Scenario, wanted: Decide, end: datetime, every: timedelta = _STEP) -> Played:
    """Return what *scenario* would have come to by *end*, asking *wanted* again and again."""
    house = scenario.build()
    held: list[BatteryCommand | None] = [None]
    house.controller = lambda house: wish(house, held[0])
    meter = Meter(house)
    prices = prices_of(scenario)
    while house.at < end:
        held[0] = wanted(_look(house, scenario, prices))
        house.settle()
        house.advance(min(house.at + every, end))
    return meter.played(scenario, end)


def self_use() -> Decide:
    """Return what the inverter does by itself, with the demonstration's reserve."""
    return _by([])


def five_pence() -> Decide:
    """Return octolux's rule: charge whenever a kWh costs 5p or less."""
    settings = PriceThreshold(at_most_per_kwh=OCTOLUX_PER_KWH)
    return _by([("price_threshold", partial(price_threshold, settings=settings))])


def prices_of(scenario: Scenario) -> Prices:
    """Return the prices of *scenario*'s day and the next."""
    buy, sell = (
        PriceCurve(
            slots=tuple(
                PriceSlot(start=at, end=at + HALF_HOUR, per_kwh=per_kwh) for at, per_kwh in prices
            ),
            source="demo",
        )
        for prices in (scenario.import_prices, scenario.export_prices)
    )
    return Prices(buy=buy, sell=sell)


# ---- how it is done -----------------------------------------------------------------------


def _by(strategies: Sequence[tuple[str, Strategy]]) -> Decide:
    chain: list[tuple[str, Strategy]] = [
        ("limits", partial(limits, settings=Limits(min_soc_pct=RESERVE_PCT))),
        *strategies,
        (
            "self_consumption",
            partial(self_consumption, settings=SelfConsumption(reserve_pct=RESERVE_PCT)),
        ),
    ]
    memory: dict[str, str] = {}

    def wanted(site: SiteSnapshot) -> BatteryCommand | None:
        decision = decide(replace(site, memory=dict(memory)), chain)
        memory.clear()
        memory.update(decision.memory)
        return decision.command

    return wanted


def _look(house: House, scenario: Scenario, prices: Prices) -> SiteSnapshot:
    battery = house.battery.settings
    return SiteSnapshot(
        at=house.at,
        timezone=scenario.timezone,
        battery=BatteryReading(
            soc_pct=house.battery.soc_pct,
            power_w=house.battery_w,
            capacity_kwh=battery.capacity_kwh,
            max_charge_w=battery.max_charge_w,
            max_discharge_w=battery.max_discharge_w,
        ),
        grid_w=house.grid_w,
        pv_w=house.pv_w,
        load_w=house.load_w,
        prices=prices,
    )


def wish(house: House, command: BatteryCommand | None = None) -> float:
    """Return the battery power that an inverter makes of *command*, above zero discharging."""
    missing, soc_pct = house.load_w - house.pv_w, house.battery.soc_pct
    wanted = missing
    if command is not None:
        power_w = house.settings.inverter_w if command.power_w is None else command.power_w
        wanted = _wanted(command, missing, house.pv_w, power_w, soc_pct)
    return wanted if wanted < 0 or soc_pct > RESERVE_PCT else 0.0


def _wanted(
    command: BatteryCommand, missing: float, pv_w: float, power_w: float, soc_pct: float
) -> float:
    spare = max(-missing, 0.0)
    below = soc_pct < (100.0 if command.soc_pct is None else command.soc_pct)
    above = soc_pct > (0.0 if command.soc_pct is None else command.soc_pct)
    wishes = {
        BatteryMode.CHARGE: -max(power_w, spare) if below else -spare,
        BatteryMode.CHARGE_SOLAR: -max(min(pv_w, power_w), spare) if below else missing,
        BatteryMode.DISCHARGE: power_w if above else missing,
        BatteryMode.EXPORT_SOLAR: max(missing, 0.0),
        BatteryMode.HOLD: -spare,
        BatteryMode.IDLE: 0.0,
    }
    return wishes.get(command.mode, missing)
