"""GivEnergy inverters through the maker's cloud: minutes old, seconds slow, the same points.

The second-best link, for a data adapter that cannot be reached. What is measured is what the
adapter last told the cloud, so a reading's time is the cloud's, never ours.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from types import TracebackType
from typing import Final, Self

from ohmstead.clock import Clock
from ohmstead.devices.givenergy_cloud.api import (
    Measured,
    listed_of,
    measured_of,
    totals_of,
)
from ohmstead.devices.givenergy_cloud.client import GivEnergyCloudClient
from ohmstead.devices.givenergy_cloud.modes import Plant, changes_ahead, changes_for
from ohmstead.devices.givenergy_cloud.points import POINTS, Setting, everyday, settings_of
from ohmstead.devices.givenergy_cloud.settings import GivEnergyCloudSettings
from ohmstead.errors import DeviceError, DeviceRefused, DeviceUnreachable, NotWritable
from ohmstead.links.http import HttpPatience
from ohmstead.model import (
    BatteryCommand,
    BatteryReading,
    LoadReading,
    MeterReading,
    Point,
    Range,
    Reading,
    SettingChange,
    SolarReading,
    Value,
)

__all__ = ["GivEnergyCloudDriver", "GivEnergyCloudSettings"]

log = logging.getLogger(__name__)

_LIST_KEPT_S: Final = 86_400.0
"""Firmware updates bring new settings, but not by the hour."""
_RARELY: Final = 10
_MISSED: Final = 3
"""A setting unread for so many times its age is no longer passed off as known."""
_FOR_GOOD: Final = frozenset({-3, -4, 404, 422})
"""Refusals that another day will not change: the model has no such setting."""
_LOOKS: Final = 3
"""How often to look whether a write has arrived; through the cloud it may take a moment."""


class GivEnergyCloudDriver:
    """One inverter on one account."""

    family = "givenergy_cloud"

    def __init__(
        self,
        name: str,
        settings: GivEnergyCloudSettings,
        clock: Clock,
        timezone: tzinfo,
        *,
        patience: HttpPatience | None = None,
    ) -> None:
        """Drive the inverter called *name*, whose own clock runs in *timezone*."""
        self.name = name
        self._settings = settings
        self._clock = clock
        self._timezone = timezone
        self._client = GivEnergyCloudClient(name, settings, clock, patience)
        self._measured: Measured | None = None
        self._totals: Mapping[str, Value | None] = {}
        self._asked_s = 0.0
        self._offered: Mapping[str, Setting] = {}
        self._listed_s: float | None = None
        self._held: dict[str, tuple[Value | None, float]] = {}
        self._doubts: dict[str, str] = {}
        self._writing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Do nothing: there is no connection to keep."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: there is no connection to close."""

    @property
    def points(self) -> Mapping[str, Point]:
        """All its points by key; settings only once the cloud has listed them."""
        held = {key: setting.point for key, setting in self._offered.items()}
        if self._settings.read_only:
            held = {key: replace(point, writable=None) for key, point in held.items()}
        return {**POINTS, **held}

    async def news(self) -> None:
        """Wait for ever: the cloud never speaks unasked."""
        await asyncio.Event().wait()

    async def read(self) -> Reading:
        """Return what the inverter last told the cloud, and a few of its settings read anew."""
        measured = await self._latest()
        now = self._clock.now()
        age_s = (now - measured.at).total_seconds()
        if age_s > self._settings.stale_s:
            raise DeviceUnreachable(
                self.name,
                f"the cloud last heard of it {age_s / 60:.0f} minutes ago; its data adapter may"
                " be without network",
            )
        await self._refresh()
        return self._reading(measured, age_s)

    async def setting(self, point: str) -> Value | None:
        """Have the cloud ask the inverter for the value *point* holds now."""
        return await self._ask(await self._setting(point))

    async def change(self, change: SettingChange) -> Value | None:
        """Send one value, once, and return what the inverter then shows."""
        if self._settings.read_only:
            raise NotWritable(f"{self.name} is configured as read_only")
        async with self._writing:
            setting = await self._setting(change.point)
            value = setting.point.check(change.value)
            await self._client.tell(setting, value)
            return await self._shown_after(setting, value)

    def settings_for(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        """Translate *command* into settings; the one that switches it on stands last."""
        if self._settings.read_only:
            raise NotWritable(f"{self.name} is configured as read_only")
        if not self._offered:
            raise NotWritable(f"the cloud has not listed yet what can be set on {self.name}")
        return changes_for(self._settings.calibration.told(command), now, self._plant())

    def settings_ahead(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        """Translate what *command* has ahead into charge slot 1, where nothing else changes."""
        return changes_ahead(self._settings.calibration.told(command), now, self._plant())

    def _plant(self) -> Plant:
        return Plant(
            device=self.name,
            timezone=self._timezone,
            settings=self._offered,
            shown={key: value for key, (value, _) in self._held.items()},
        )

    # ---- what is measured -----------------------------------------------------------

    async def _latest(self) -> Measured:
        """Return the newest data, asking no sooner than something new can be there."""
        now_s = self._clock.monotonic()
        kept = self._measured
        if kept is not None and now_s - self._asked_s < self._settings.fresh_s:
            return kept
        measured = measured_of(self.name, await self._client.get("system-data/latest"))
        try:
            self._totals = totals_of(await self._client.get("meter-data/latest"))
        except DeviceRefused as exc:
            log.debug("%s: no energies: %s", self.name, exc.detail)
            self._totals = {}
        self._measured, self._asked_s = measured, now_s
        return measured

    def _reading(self, measured: Measured, age_s: float) -> Reading:
        values: dict[str, Value | None] = {**measured.values, **self._totals}
        values["data_age_s"] = round(age_s)
        doubts = dict(self._doubts)
        for key in self._offered:
            values[key], doubt = self._known(key)
            if doubt:
                doubts.setdefault(key, doubt)
        settings = self._settings
        return Reading(
            device=self.name,
            at=measured.at,
            values=values,
            doubts=doubts,
            battery=BatteryReading(
                soc_pct=_number(values, "battery_soc_pct"),
                power_w=_number(values, "battery_w"),
                capacity_kwh=settings.battery_kwh,
                max_charge_w=settings.rated_w or self._most("charge_power_w"),
                max_discharge_w=settings.rated_w or self._most("discharge_power_w"),
            ),
            grid=MeterReading(
                power_w=_number(values, "grid_w"),
                import_total_kwh=_number(values, "grid_import_total_kwh"),
                export_total_kwh=_number(values, "grid_export_total_kwh"),
            ),
            solar=SolarReading(
                power_w=_number(values, "pv_w"), total_kwh=_number(values, "pv_total_kwh")
            ),
            load=LoadReading(power_w=_number(values, "load_w")),
        )

    def _most(self, key: str) -> float | None:
        """Return what the model's battery side can do: the most the cloud lets it be set to."""
        setting = self._offered.get(key)
        bounds = setting.point.writable if setting else None
        return bounds.high if isinstance(bounds, Range) else None

    # ---- settings -------------------------------------------------------------------

    async def _refresh(self) -> None:
        """Read the settings anew that are due, a few at a time; in trouble they stay as known."""
        try:
            await self._list()
            for setting in self._due()[: self._settings.settings_per_read]:
                await self._try(setting)
        except DeviceError as exc:
            log.info("%s; its settings stay as they were last read", exc)

    async def _try(self, setting: Setting) -> None:
        """Read one setting; one that is refused to us must not keep the others waiting."""
        try:
            await self._ask(setting)
        except DeviceRefused as exc:
            if exc.code not in _FOR_GOOD:
                raise
            key = setting.point.key
            self._held[key] = (None, self._clock.monotonic())
            self._doubts[key] = exc.detail

    async def _list(self) -> None:
        now_s = self._clock.monotonic()
        if self._listed_s is not None and now_s - self._listed_s < _LIST_KEPT_S:
            return
        listed = listed_of(self.name, await self._client.get("settings"))
        self._offered, self._listed_s = settings_of(listed), now_s

    async def _setting(self, point: str) -> Setting:
        await self._list()
        if point not in self._offered:
            raise NotWritable(f"{self.name} has no setting {point} in the cloud")
        return self._offered[point]

    async def _ask(self, setting: Setting) -> Value | None:
        value = await self._client.ask(setting)
        self._held[setting.point.key] = (value, self._clock.monotonic())
        self._doubts.pop(setting.point.key, None)
        return value

    async def _shown_after(self, setting: Setting, value: Value) -> Value | None:
        shown = await self._ask(setting)
        for _ in range(_LOOKS - 1):
            if _same(shown, value):
                break
            await self._clock.sleep(self._settings.pause_s)
            shown = await self._ask(setting)
        return shown

    def _due(self) -> list[Setting]:
        """Return what should be read anew: never read first, everyday before rare."""
        ages = {key: self._age_s(key) / self._limit_s(key) for key in self._offered}
        due = [key for key, age in ages.items() if age >= 1]
        return [
            self._offered[key] for key in sorted(due, key=lambda k: (not everyday(k), -ages[k]))
        ]

    def _age_s(self, key: str) -> float:
        return self._clock.monotonic() - self._held[key][1] if key in self._held else float("inf")

    def _limit_s(self, key: str) -> float:
        return self._settings.settings_fresh_s * (1 if everyday(key) else _RARELY)

    def _known(self, key: str) -> tuple[Value | None, str]:
        if key not in self._held:
            return None, ""
        age_s = self._age_s(key)
        if age_s > _MISSED * self._limit_s(key):
            return None, f"not read for {timedelta(seconds=round(age_s))}"
        return self._held[key][0], ""


def _same(shown: Value | None, wanted: Value) -> bool:
    if isinstance(shown, int | float) and isinstance(wanted, int | float):
        return round(shown) == round(wanted)
    return shown == wanted


def _number(values: Mapping[str, Value | None], key: str) -> float | None:
    value = values.get(key)
    return value if isinstance(value, int | float) else None
