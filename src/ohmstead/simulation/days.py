"""Days to be told as a story: where, when, which house, which sky, which prices."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from ohmstead.simulation.chance import chance
from ohmstead.simulation.house import House, HouseSettings

__all__ = ["SCENARIOS", "Scenario", "agile_prices"]

_LONDON: Final = "Europe/London"
_HALF_HOUR: Final = timedelta(minutes=30)

# Agile's formula: so much times the wholesale price, in the evening so much on top, VAT, a cap.
_FACTOR: Final = 2.2
_PEAK: Final = 0.12
_PEAK_FROM, _PEAK_TO = time(16), time(19)
_VAT: Final = 1.05
_CAP: Final = 1.0
_EXPORT_FACTOR: Final = 0.95
_EXPORT_PEAK: Final = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One day of one house."""

    name: str
    title: str
    date: date
    house: HouseSettings
    wholesale_per_kwh: float = 0.07
    """The mean of the day."""
    wind_share: float = 0.0
    """How far a windy night and a sunny noon press the wholesale price down: 1 is to nothing."""
    zone: str = _LONDON
    import_prices: tuple[tuple[datetime, float], ...] = field(init=False)
    """Start in UTC and price per kWh of each half-hour, for this day and the next."""
    export_prices: tuple[tuple[datetime, float], ...] = field(init=False)

    def __post_init__(self) -> None:
        """Draw the prices."""
        for export, name in ((False, "import_prices"), (True, "export_prices")):
            prices = agile_prices(
                self.date,
                self.timezone,
                mean_per_kwh=self.wholesale_per_kwh,
                wind_share=self.wind_share,
                seed=self.house.seed,
                export=export,
            )
            object.__setattr__(self, name, prices)

    @property
    def timezone(self) -> tzinfo:
        """The zone by its name."""
        return ZoneInfo(self.zone)

    @property
    def start(self) -> datetime:
        """The day's local midnight, in UTC."""
        return datetime.combine(self.date, time(), self.timezone).astimezone(UTC)

    @property
    def latitude(self) -> float:
        """North is positive."""
        return self.house.latitude

    @property
    def longitude(self) -> float:
        """East is positive."""
        return self.house.longitude

    def build(self) -> House:
        """Return the house as it stands at the day's midnight."""
        return House(self.house, self.start, self.timezone)


def agile_prices(
    first: date,
    timezone: tzinfo,
    *,
    days: int = 2,
    mean_per_kwh: float = 0.07,
    wind_share: float = 0.0,
    seed: int = 0,
    export: bool = False,
) -> tuple[tuple[datetime, float], ...]:
    """Return start in UTC and price of each half-hour of *days* local days from *first* on.

    Shaped like the tariff that inspired it, 46 slots in spring and 50 in autumn included.
    """
    slot = datetime.combine(first, time(), timezone).astimezone(UTC)
    end = datetime.combine(first + timedelta(days=days), time(), timezone).astimezone(UTC)
    prices = []
    while slot < end:
        local = slot.astimezone(timezone)
        wholesale = _wholesale(local, slot, mean_per_kwh, wind_share, seed)
        peak = _PEAK_FROM <= local.time() < _PEAK_TO
        if export:
            price = max(_EXPORT_FACTOR * wholesale + _EXPORT_PEAK * peak, 0.0)
        else:
            price = min(_VAT * (_FACTOR * wholesale + _PEAK * peak), _CAP)
        prices.append((slot, round(price, 6)))
        slot += _HALF_HOUR
    return tuple(prices)


def _wholesale(
    local: datetime, slot: datetime, mean_per_kwh: float, wind_share: float, seed: int
) -> float:
    hour = local.hour + local.minute / 60
    morning = 0.25 * math.exp(-(((hour - 8) / 1.8) ** 2))
    evening = 0.75 * math.exp(-(((hour - 18) / 2.2) ** 2))
    night = -0.38 * math.exp(-(((hour - 3.5) / 2.8) ** 2))
    # Wind blows all night and the sun shines at noon; both sell at any price.
    surplus = wind_share * (
        math.exp(-(((hour - 3.5) / 2.6) ** 2)) + 0.9 * math.exp(-(((hour - 13) / 2.2) ** 2))
    )
    noise = chance("price", seed, int(slot.timestamp())).gauss(0, 0.05)
    return mean_per_kwh * (0.9 + morning + evening + night - surplus + noise)


def _scenarios() -> Mapping[str, Scenario]:
    days = (
        Scenario(
            name="winter",
            title="A short, dull day in January, dear in the evening",
            date=date(2026, 1, 15),
            house=HouseSettings(seed=3, weather="overcast", start_soc_pct=35),
            wholesale_per_kwh=0.09,
        ),
        Scenario(
            name="summer",
            title="A clear day in June",
            date=date(2026, 6, 18),
            house=HouseSettings(seed=5, weather="clear", start_soc_pct=45),
            wholesale_per_kwh=0.06,
            wind_share=0.35,
        ),
        Scenario(
            name="cloudy",
            title="An overcast day in April",
            date=date(2026, 4, 14),
            house=HouseSettings(seed=7, weather="overcast", start_soc_pct=30),
            wholesale_per_kwh=0.075,
        ),
        Scenario(
            name="plunge",
            title="A stormy Sunday in May with prices below zero",
            date=date(2026, 5, 10),
            house=HouseSettings(seed=11, weather="mixed", start_soc_pct=40),
            wholesale_per_kwh=0.05,
            wind_share=1.3,
        ),
        Scenario(
            name="dst_spring",
            title="The day of 23 hours",
            date=date(2026, 3, 29),
            house=HouseSettings(seed=13, start_soc_pct=40),
        ),
        Scenario(
            name="dst_autumn",
            title="The day of 25 hours",
            date=date(2026, 10, 25),
            house=HouseSettings(seed=17, start_soc_pct=40),
        ),
    )
    return MappingProxyType({day.name: day for day in days})


SCENARIOS: Final = _scenarios()
