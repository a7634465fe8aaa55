"""Builders for tests: they name only what matters to the case."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from ohmstead.errors import DeviceError, DeviceUnreachable, NotWritable
from ohmstead.model import (
    BatteryCommand,
    BatteryMode,
    BatteryReading,
    DeviceSnapshot,
    Forecast,
    ForecastSlot,
    MeterReading,
    Point,
    PriceCurve,
    Prices,
    PriceSlot,
    Range,
    Reading,
    SettingChange,
    SiteSnapshot,
    Switch,
    Value,
)

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)

POINTS = {
    point.key: point
    for point in (
        Point(key="charge_on", label="Charge", writable=Switch()),
        Point(key="charge_w", label="Charge power", writable=Range(0, 5_000, 100)),
        Point(key="discharge_pct", label="Discharge power", writable=Range(0, 100)),
        Point(key="battery_soc_pct", label="SoC"),
    )
}


@dataclass
class ToyBattery:
    """A battery with three settings, at the port: no wire, but every way of going wrong."""

    clock_now: datetime = NOON
    name: str = "inverter"
    family: str = "toy"
    points: Mapping[str, Point] = field(default_factory=lambda: POINTS)
    held: dict[str, Value] = field(
        default_factory=lambda: {"charge_on": False, "charge_w": 2_000, "discharge_pct": 100}
    )
    soc_pct: float = 50
    sent: list[SettingChange] = field(default_factory=list)
    trouble: DeviceError | None = None
    deaf: bool = False
    dies_after: int | None = None
    """Unreachable once this many writes have arrived."""
    refuses: str | None = None
    """A point that it does not let us write."""
    cannot: str | None = None
    """Why it can carry out no command at all."""
    opened: int = 0

    async def __aenter__(self) -> Self:
        self.opened += 1
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.opened -= 1

    async def read(self) -> Reading:
        self._check()
        return a_reading(self.name, at=self.clock_now, values=self.held, soc_pct=self.soc_pct)

    async def news(self) -> None:
        await asyncio.Event().wait()

    async def setting(self, point: str) -> Value | None:
        self._check()
        return self.held.get(point)

    async def change(self, change: SettingChange) -> Value | None:
        self._check()
        if change.point == self.refuses:
            raise NotWritable(f"{change.point}: not on this model")
        self.sent.append(change)
        if not self.deaf:
            self.held[change.point] = change.value
        if self.dies_after is not None and len(self.sent) >= self.dies_after:
            self.trouble = DeviceUnreachable(self.name, "no answer")
        self._check()
        return self.held.get(change.point)

    def settings_for(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        del now
        if self.cannot is not None:
            raise NotWritable(self.cannot)
        wanted: dict[str, Value]
        match command.mode:
            case BatteryMode.CHARGE:
                power_w = 5_000 if command.power_w is None else command.power_w
                wanted = {"charge_w": power_w, "charge_on": True}
            case BatteryMode.HOLD:
                wanted = {"charge_on": False, "discharge_pct": 0}
            case _:
                wanted = {"charge_on": False}
        return tuple(
            SettingChange(device=self.name, point=point, value=value)
            for point, value in wanted.items()
        )

    def _check(self) -> None:
        if self.trouble is not None:
            raise self.trouble


def a_reading(
    device: str = "inverter",
    *,
    at: datetime = NOON,
    values: Mapping[str, Value | None] | None = None,
    soc_pct: float | None = 50,
    battery_w: float | None = 0,
    grid_w: float | None = 500,
) -> Reading:
    """Return what an idle battery behind a house of 500 W says."""
    return Reading(
        device=device,
        at=at,
        values=dict(values or {}),
        battery=BatteryReading(
            soc_pct=soc_pct, power_w=battery_w, max_charge_w=3_600, max_discharge_w=3_600
        ),
        grid=MeterReading(power_w=grid_w),
    )


def a_device(reading: Reading | None = None, trouble: str | None = None) -> DeviceSnapshot:
    """Return a device as the site knows it."""
    name = reading.device if reading else "inverter"
    return DeviceSnapshot(
        name=name,
        family="toy",
        reading=reading,
        trouble=trouble,
        last_seen=reading.at if reading else None,
    )


def a_price_curve(
    *per_kwh: float, start: datetime = NOON, minutes: int = 30, fetched_at: datetime | None = None
) -> PriceCurve:
    """Return half-hourly prices from *start* on."""
    step = timedelta(minutes=minutes)
    return PriceCurve(
        slots=tuple(
            PriceSlot(start=start + n * step, end=start + (n + 1) * step, per_kwh=price)
            for n, price in enumerate(per_kwh)
        ),
        source="a test",
        fetched_at=fetched_at,
    )


def a_forecast(
    *watts: float | tuple[float, float, float], start: datetime = NOON, source: str = ""
) -> Forecast:
    """Return half-hourly powers from *start* on: each a sure one, or low, middle and high."""
    step = timedelta(minutes=30)
    bands = [(one, one, one) if isinstance(one, float | int) else one for one in watts]
    return Forecast(
        slots=tuple(
            ForecastSlot(
                start=start + n * step, end=start + (n + 1) * step,
                low_w=low, middle_w=middle, high_w=high,
            )
            for n, (low, middle, high) in enumerate(bands)
        ),
        source=source,
    )  # fmt: skip


def a_site(
    *,
    at: datetime = NOON,
    soc_pct: float | None = 50,
    pv_w: float | None = 0,
    load_w: float | None = 500,
    buy: PriceCurve | None = None,
) -> SiteSnapshot:
    """Return a site with an idle 3.6 kW battery."""
    grid_w = None if load_w is None else load_w - (pv_w or 0)
    reading = a_reading(at=at, soc_pct=soc_pct, grid_w=grid_w)
    return SiteSnapshot(
        at=at,
        timezone=LONDON,
        devices={"inverter": a_device(reading)},
        battery=reading.battery,
        grid_w=grid_w,
        pv_w=pv_w,
        load_w=load_w,
        prices=Prices(buy=buy),
    )
