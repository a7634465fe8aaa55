"""What the house looks like at one moment.

Signs: every source counts positive into the house. ``grid_w`` > 0 imports, ``battery_w`` > 0
discharges, ``pv_w`` and ``load_w`` ≥ 0; so ``load_w = pv_w + grid_w + battery_w``.
``None`` means that nobody measured it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from ohmstead.model.command import BatteryMode
from ohmstead.model.plan import Plan
from ohmstead.model.point import Value
from ohmstead.model.prices import Prices
from ohmstead.model.request import Request

__all__ = [
    "BatteryReading",
    "ChargerReading",
    "DeviceSnapshot",
    "LoadReading",
    "MeterReading",
    "Reading",
    "SiteSnapshot",
    "SolarReading",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryReading:
    """A battery, or several taken together."""

    soc_pct: float | None = None
    power_w: float | None = None
    """Above zero discharges."""
    capacity_kwh: float | None = None
    max_charge_w: float | None = None
    """What the hardware can do; never the limit of our own last command."""
    max_discharge_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """The grid connection; power above zero imports."""

    power_w: float | None = None
    import_total_kwh: float | None = None
    export_total_kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarReading:
    """Solar panels behind one device; power is never below zero."""

    power_w: float | None = None
    total_kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReading:
    """What the house uses, as one device sees it."""

    power_w: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerReading:
    """A car's charger; power is never below zero."""

    power_w: float | None = None
    plugged: bool | None = None
    """Whether a car hangs on it."""
    charging: bool | None = None
    """Whether the car is being charged, as the charger sees it."""
    session_kwh: float | None = None
    """What went into the car since it was plugged in."""
    inside_meter: bool = True
    """Whether the battery's own meter sees the car: then the battery serves it like the house."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one device said: its points, and the roles it plays in the house."""

    device: str
    at: datetime
    values: Mapping[str, Value | None]
    doubts: Mapping[str, str] = field(default_factory=dict)
    """Why a value is None although the device sent something."""
    battery: BatteryReading | None = None
    grid: MeterReading | None = None
    solar: SolarReading | None = None
    load: LoadReading | None = None
    charger: ChargerReading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSnapshot:
    """One device as the site knows it now."""

    name: str
    family: str
    reading: Reading | None = None
    """The last reading while it is fresh; None once the device has been silent for too long."""
    trouble: str | None = None
    """Why it cannot be used, in a sentence; None while all is well."""
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSnapshot:
    """Everything a decision may look at."""

    at: datetime
    timezone: tzinfo = UTC
    devices: Mapping[str, DeviceSnapshot] = field(default_factory=dict)
    battery: BatteryReading | None = None
    """All batteries taken together; None while none answers."""
    grid_w: float | None = None
    pv_w: float | None = None
    load_w: float | None = None
    chargers: tuple[ChargerReading, ...] = ()
    """The car chargers that answer."""
    prices: Prices = field(default_factory=Prices)
    requests: tuple[Request, ...] = ()
    mode: BatteryMode | None = None
    """What we last told the battery; None while we have told it nothing."""
    mode_since: datetime | None = None
    plan: Plan | None = None
    """What the house means to do; None while nobody plans."""
    plan_trouble: str | None = None
    """Why there is no new plan, in a sentence; None while all is well, or nobody plans."""
    memory: Mapping[str, str] = field(default_factory=dict)
    """What the strategies asked to be reminded of, each under its own key."""

    @property
    def battery_w(self) -> float | None:
        """Battery power, above zero discharging."""
        return None if self.battery is None else self.battery.power_w

    @property
    def car_w(self) -> float | None:
        """What goes into cars; None while no charger tells."""
        known = [c.power_w for c in self.chargers if c.power_w is not None]
        return sum(known) if known else None

    @property
    def soc_pct(self) -> float | None:
        """How full the battery is."""
        return None if self.battery is None else self.battery.soc_pct

    @property
    def local(self) -> datetime:
        """The wall clock of the house."""
        return self.at.astimezone(self.timezone)
