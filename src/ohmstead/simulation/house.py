"""A house without the house: sun, load, battery and grid, the same for the same seed.

Time is cut into steps that lie at fixed moments. What the sun gives, what the people use and
what the battery does is settled at the beginning of a step and holds through it, so energies
do not depend on how often anybody looks.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from ohmstead.simulation.battery import Battery, BatterySettings
from ohmstead.simulation.load import HouseLoad, LoadSettings
from ohmstead.simulation.sun import PvArray, Sky, Weather, array_w, sun_position

__all__ = ["Energies", "House", "HouseSettings", "self_use"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseSettings:
    """What stands where, and how the weather is."""

    latitude: float = 51.48
    longitude: float = -0.01
    arrays: tuple[PvArray, ...] = (PvArray(kwp=4.2),)
    battery: BatterySettings = field(default_factory=BatterySettings)
    load: LoadSettings = field(default_factory=LoadSettings)
    start_soc_pct: float = 50.0
    inverter_w: float = 3_600.0
    """The battery inverter's rating; a hybrid's for sun and battery together."""
    hybrid: bool = False
    """Whether the panels hang on the battery's inverter too."""
    import_limit_w: float = math.inf
    """Charging from the grid leaves room for the load below this."""
    export_limit_w: float = math.inf
    """What exceeds this is not discharged, and then not produced."""
    seed: int = 0
    weather: Weather | None = None
    """The character of every day; None draws one for each."""
    step_s: int = 10

    def __post_init__(self) -> None:
        """Refuse steps that would not fit between two midnights."""
        if self.step_s < 1 or _QUARTER_S % self.step_s:
            raise ValueError(f"a step must divide {_QUARTER_S} s, {self.step_s} s does not")


@dataclass(slots=True, kw_only=True)
class Energies:
    """What has flown since the count began, all on the AC side."""

    pv_kwh: float = 0.0
    load_kwh: float = 0.0
    import_kwh: float = 0.0
    export_kwh: float = 0.0
    charged_kwh: float = 0.0
    discharged_kwh: float = 0.0
    ac_charged_kwh: float = 0.0
    """The part of what was charged that came from the grid."""


class House:
    """One house, which lives only when somebody looks: ``advance`` it, then read."""

    def __init__(
        self,
        settings: HouseSettings,
        start: datetime,
        timezone: tzinfo,
        *,
        pv_at: Callable[[float], float] | None = None,
        load_at: Callable[[float], float] | None = None,
    ) -> None:
        """Begin at *start*. *pv_at* and *load_at* replace sun and people: seconds to watts."""
        self.settings = settings
        self.timezone = timezone
        self.controller: Callable[[House], float] = self_use
        """Asked in every step for the battery power it wishes, above zero discharging."""
        self.grid_up = True
        """Whether the grid is there; without it the battery carries the house as far as it can."""
        self.export_limit_w = settings.export_limit_w
        """An inverter that may not feed in lowers it."""
        self.totals = Energies()
        self.day = Energies()
        """Since the last local midnight."""
        self.pv_w = self.load_w = self.battery_w = self.grid_w = 0.0
        self.curtailed_w = 0.0
        """What the sun would have given on top."""
        self._second = start.timestamp()
        self.battery = Battery(settings.battery, settings.start_soc_pct, self.ambient_c)
        self._sky = Sky(settings.seed, settings.weather)
        self._pv_at = pv_at or self._sun_w
        self._load_at = load_at or HouseLoad(settings.load, timezone, settings.seed).watts
        self._sun_knots: dict[int, float] = {}
        self._midnight = self._next_midnight()
        self.settle()

    @property
    def at(self) -> datetime:
        """Up to when it has lived."""
        return datetime.fromtimestamp(self._second, UTC)

    @property
    def ambient_c(self) -> float:
        """How warm it is around battery and inverter: an outhouse in the south of England."""
        day, hour = self._second / 86_400, self._second / 3_600
        season = math.cos(2 * math.pi * (day - 20) / 365.25)
        return 11.5 - 6.5 * season - 2.0 * math.cos(2 * math.pi * (hour - 3) / 24)

    def advance(self, to: datetime) -> None:
        """Live until *to*; a moment that is past already changes nothing."""
        end = to.timestamp()
        step = self.settings.step_s
        while self._second < end:
            edge = (self._second // step + 1) * step
            until = min(edge, end)
            self._live(until - self._second)
            self._second = until
            if until >= self._midnight:
                self.day = Energies()
                self._midnight = self._next_midnight()
            if until == edge:
                self.settle()

    def settle(self) -> None:
        """Settle all powers anew, as at the beginning of a step; do so when a setting changed."""
        step = self.settings.step_s
        left = (self._second // step + 1) * step - self._second
        self.pv_w = max(self._pv_at(self._second), 0.0)
        self.load_w = max(self._load_at(self._second), 0.0)
        self.curtailed_w = 0.0
        wish = self.controller(self)
        if self.grid_up:
            self._settle_on_grid(wish, left)
        else:
            self._settle_off_grid(left)
        self.battery.power_w = self.battery_w

    # ---- how it is done -------------------------------------------------------------

    def _settle_on_grid(self, wish: float, left: float) -> None:
        settings = self.settings
        rated, pv_w = settings.inverter_w, self.pv_w if settings.hybrid else 0.0
        missing = self.load_w - self.pv_w
        # The meter's limits hold back the battery, never the people in the house.
        low = max(-rated - pv_w, min(missing - settings.import_limit_w, 0.0))
        high = min(max(rated - pv_w, 0.0), max(missing + self.export_limit_w, 0.0))
        wish = min(max(wish, low), high)
        self.battery_w = self.battery.allow(wish, left)
        if settings.hybrid:
            self._curtail(self.pv_w + self.battery_w - rated)
        self._curtail(self.pv_w + self.battery_w - self.load_w - self.export_limit_w)
        self.grid_w = self.load_w - self.pv_w - self.battery_w

    def _settle_off_grid(self, left: float) -> None:
        rated = self.settings.inverter_w
        missing = self.load_w - self.pv_w
        self.battery_w = self.battery.allow(min(max(missing, -rated), rated), left)
        self._curtail(self.battery_w - missing)
        # What neither sun nor battery can carry is switched off.
        self.load_w = max(min(self.load_w, self.pv_w + self.battery_w), 0.0)
        self.grid_w = 0.0

    def _curtail(self, excess_w: float) -> None:
        if excess_w > 0:
            less = min(excess_w, self.pv_w)
            self.pv_w -= less
            self.curtailed_w += less

    def _live(self, seconds: float) -> None:
        share = seconds / 3_600_000  # from watts to kilowatt-hours
        charge, discharge = max(-self.battery_w, 0.0), max(self.battery_w, 0.0)
        brought, sent = max(self.grid_w, 0.0), max(-self.grid_w, 0.0)
        for count in (self.totals, self.day):
            count.pv_kwh += self.pv_w * share
            count.load_kwh += self.load_w * share
            count.import_kwh += brought * share
            count.export_kwh += sent * share
            count.charged_kwh += charge * share
            count.discharged_kwh += discharge * share
            count.ac_charged_kwh += min(charge, brought) * share
        self.battery.live(seconds, self.ambient_c)

    def _next_midnight(self) -> float:
        tomorrow = self.at.astimezone(self.timezone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), self.timezone).timestamp()

    def _sun_w(self, second: float) -> float:
        place, within = divmod(second, _SUN_KNOT_S)
        before, after = self._sun_knot(int(place)), self._sun_knot(int(place) + 1)
        return before + (after - before) * within / _SUN_KNOT_S

    def _sun_knot(self, number: int) -> float:
        watts = self._sun_knots.get(number)
        if watts is None:
            if len(self._sun_knots) > _KNOTS_KEPT:
                self._sun_knots.clear()
            watts = self._sun_knots[number] = self._all_arrays_w(number * _SUN_KNOT_S)
        return watts

    def _all_arrays_w(self, second: float) -> float:
        settings = self.settings
        height, bearing = sun_position(second, settings.latitude, settings.longitude)
        if height <= 0:
            return 0.0
        share = self._sky.beam_share(second)
        return sum(array_w(array, height, bearing, share) for array in settings.arrays)


def self_use(house: House) -> float:
    """Wish what every battery inverter does by itself: nothing over the meter."""
    return house.load_w - house.pv_w


_QUARTER_S: Final = 900
"""Zones differ by quarters of an hour."""
_SUN_KNOT_S: Final = 120
_KNOTS_KEPT: Final = 4_000
