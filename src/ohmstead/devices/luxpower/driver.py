"""LuxPower and EG4 inverters: reads one through its datalogger, and commands its battery."""

import asyncio
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from types import TracebackType
from typing import Final, Self

from ohmstead.clock import Clock
from ohmstead.devices.luxpower.frames import Function
from ohmstead.devices.luxpower.guard import check_enable_word
from ohmstead.devices.luxpower.modes import Plant, changes_ahead, changes_for
from ohmstead.devices.luxpower.reading import DERIVED, Facts, reading_of
from ohmstead.devices.luxpower.registers import COMMON, MODELS, Model, model_of
from ohmstead.devices.luxpower.settings import LuxPowerSettings
from ohmstead.devices.luxpower.station import Station
from ohmstead.errors import DeviceProtocolError, DeviceUnreachable, NotWritable
from ohmstead.links.frames_tcp import FramePatience
from ohmstead.model import BatteryCommand, Point, Reading, SettingChange, Value
from ohmstead.registers import Register, RegisterTable, RegisterWrite

__all__ = ["LuxPowerDriver", "LuxPowerSettings"]

log = logging.getLogger(__name__)


class LuxPowerDriver:
    """One inverter behind one datalogger."""

    family = "luxpower"

    def __init__(
        self,
        name: str,
        settings: LuxPowerSettings,
        clock: Clock,
        timezone: tzinfo,
        *,
        patience: FramePatience | None = None,
    ) -> None:
        """Drive the inverter called *name*, whose own clock runs in *timezone*."""
        self.name = name
        self._settings = settings
        self._clock = clock
        self._timezone = timezone
        self._news = asyncio.Event()
        self._station = Station(name, settings, clock, patience=patience, on_news=self._news.set)
        self._model: Model | None = MODELS.get(settings.model)
        self._known = False
        self._impostor = ""
        self._usual: dict[str, float] = {}
        self._points = self._describe()
        self._writing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Begin to connect; does not wait for it."""
        await self._station.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        await self._station.__aexit__(kind, error, trace)

    @property
    def points(self) -> Mapping[str, Point]:
        """All its points by key; until it has said which model it is, those all models share."""
        return self._points

    async def news(self) -> None:
        """Return when the inverter has broadcast something, or somebody else has changed it."""
        await self._news.wait()
        self._news.clear()

    async def read(self) -> Reading:
        """Return what the inverter says, asking only for what was not heard of late."""
        try:
            model = await self._recognise()
            await self._station.refresh(Function.READ_INPUT, model.inputs, self._input_age_s)
            await self._station.refresh(Function.READ_HOLD, model.holdings, self._setting_age_s)
        except DeviceUnreachable:
            # Some loggers broadcast and answer nobody.
            if self._model is None or self._core_age_s() > self._stale_s:
                raise
            model = self._model
        if math.isinf(self._core_age_s()):
            raise DeviceProtocolError(self.name, "it has no measurements in registers 0 to 39")
        self._news.clear()
        return self._reading(model)

    async def setting(self, point: str) -> Value | None:
        """Ask the inverter itself for the value *point* holds now."""
        model = await self._recognise()
        for function, table in _tables(model):
            if point in table:
                row = table[point]
                words = await self._station.read(function, row.address, row.word.words)
                return row.decode(dict(zip(row.addresses, words, strict=True)))
        raise NotWritable(f"{self.name} has no register {point}")

    async def change(self, change: SettingChange) -> Value | None:
        """Send one value, once, and return what the inverter then shows."""
        async with self._writing:
            model = await self._recognise()
            row, value = self._permitted(model, change)
            (write,) = model.holdings.encode(**{row.name: value})
            await self._fits(model, row, value)
            words = await self._whole(write)
            try:
                await self._station.write(row.address, words)
            except DeviceUnreachable as exc:
                # It may have arrived all the same: what the inverter shows decides.
                log.warning("%s; looking whether %s was stored", exc, row.name)
            return await self._shown_after(write, value)

    def settings_for(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        """Translate *command* into settings; the one that switches it on stands last."""
        return changes_for(self._settings.calibration.told(command), now, self._plant())

    def settings_ahead(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        """Translate what *command* has ahead into AC charging by the clock."""
        return changes_ahead(self._settings.calibration.told(command), now, self._plant())

    def _plant(self) -> Plant:
        if self._model is None:
            raise NotWritable(f"{self.name} has not said yet which model it is")
        if self._settings.read_only:
            raise NotWritable(f"{self.name} is configured as read_only")
        shown = self._held(self._model)
        return Plant(
            device=self.name,
            model=self._model,
            rated_w=self._settings.rated_w or self._model.rated_w,
            timezone=self._timezone,
            shown=shown,
            usual=self._usual,
        )

    def captured(self) -> tuple[str, Mapping[str, Mapping[int, int]]]:
        """Return the model's name and every word heard of it, by address space."""
        model = self._model.name if self._model else "unknown"
        heard = self._station.heard
        return model, {
            "input": heard[Function.READ_INPUT].words(),
            "holding": heard[Function.READ_HOLD].words(),
        }

    # ---- who it is ------------------------------------------------------------------

    async def _recognise(self) -> Model:
        """Ask the inverter once who it is, and return its model."""
        if self._known and self._model is not None:
            return self._model
        count = COMMON.holdings["device_type"].address + 1
        words = await self._station.read(Function.READ_HOLD, 0, count)
        said = COMMON.holdings.decode(dict(enumerate(words))).values
        serial, firmware = said["serial"], said["firmware"]
        device_type = words[-1]
        if self._model is None:
            found = model_of(device_type, str(firmware) if firmware else None)
            if found is None:
                log.warning(
                    "%s: unknown device type %d (%s); set `model` if powers come out wrong",
                    self.name, device_type, firmware,
                )  # fmt: skip
            self._model = found or MODELS["acs_3600"]
        if serial is not None and serial != str(self._settings.serial):
            self._impostor = (
                f"the inverter's serial number ends in {str(serial)[-4:]}, the configured one"
                f" in {str(self._settings.serial)[-4:]}"
            )
            log.warning("%s: %s; nothing will be written", self.name, self._impostor)
        self._known = True
        self._points = self._describe()
        log.info("%s: %s, firmware %s", self.name, self._model.title, firmware)
        return self._model

    def _describe(self) -> dict[str, Point]:
        model = self._model or COMMON
        rows = [*model.inputs, *model.holdings]
        points = {row.name: self._as_allowed(row.point) for row in rows}
        return {**DERIVED, **points}

    def _as_allowed(self, point: Point) -> Point:
        """Take the right to write from *point* where the owner did not give it."""
        settings = self._settings
        if settings.read_only or (point.opt_in and not settings.allow_configuration):
            return replace(point, writable=None)
        return point

    # ---- reading --------------------------------------------------------------------

    @property
    def _stale_s(self) -> float:
        return _MISSED * self._station.interval_s

    def _input_age_s(self, row: Register) -> float:
        return self._settings.fresh_s * (1 if row.address < _CORE else _SLOW)

    def _setting_age_s(self, row: Register) -> float:
        return self._settings.settings_fresh_s * (1 if _everyday(row) else _RARELY)

    def _core_age_s(self) -> float:
        heard = self._station.heard[Function.READ_INPUT]
        return heard.age_s(range(_CORE), self._clock.monotonic())

    def _reading(self, model: Model) -> Reading:
        values: dict[str, Value | None] = {}
        doubts: dict[str, str] = {}
        for function, table in _tables(model):
            decoded = table.decode(self._station.heard[function].words())
            values |= decoded.values
            doubts |= decoded.doubts
            for name, age_s in self._outdated(function, table, decoded.values):
                values[name] = None
                doubts[name] = f"not heard for {age_s:.0f} s"
        if self._impostor:
            doubts["serial"] = self._impostor
        self._remember(values)
        now = self._clock.now()
        drift_s = self._clock_drift_s(now)
        if isinstance(values.get("clock"), datetime) and drift_s is not None:
            values["clock"] = self._local(now) + timedelta(seconds=drift_s)
        facts = Facts(
            device=self.name,
            at=now - timedelta(seconds=self._core_age_s()),
            rated_w=self._settings.rated_w or model.rated_w,
            battery_kwh=self._settings.battery_kwh,
            clock_drift_s=drift_s,
            frames_dropped=self._station.dropped,
        )
        return reading_of(values, doubts, facts)

    def _outdated(
        self, function: Function, table: RegisterTable, names: Mapping[str, Value | None]
    ) -> list[tuple[str, float]]:
        """Return the registers that were heard too long ago to be passed off as new."""
        limit_s = max(self._stale_s, _MISSED * _SLOW * self._settings.fresh_s)
        if function is Function.READ_HOLD:
            limit_s = max(limit_s, _MISSED * _RARELY * self._settings.settings_fresh_s)
        heard, now = self._station.heard[function], self._clock.monotonic()
        ages = [(name, heard.age_s(table[name].addresses, now)) for name in names]
        return [(name, age_s) for name, age_s in ages if age_s > limit_s]

    def _clock_drift_s(self, now: datetime) -> float | None:
        """Return how far the inverter's clock is ahead of the house's; it has no time zone."""
        row, heard = COMMON.holdings["clock"], self._station.heard[Function.READ_HOLD]
        words = heard.words()
        if any(address not in words for address in row.addresses):
            return None
        clock = row.decode(words)
        age_s = heard.age_s(row.addresses, self._clock.monotonic())
        if not isinstance(clock, datetime):
            return None
        return round((clock - self._local(now - timedelta(seconds=age_s))).total_seconds(), 1)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._timezone).replace(tzinfo=None, microsecond=0)

    def _held(self, model: Model) -> Mapping[str, Value | None]:
        values = model.holdings.decode(self._station.heard[Function.READ_HOLD].words()).values
        self._remember(values)
        return values

    def _remember(self, values: Mapping[str, Value | None]) -> None:
        """Keep the rates that are open, to go back to when one has been shut."""
        for name in ("charge_rate_pct", "discharge_rate_pct"):
            value = values.get(name)
            if isinstance(value, int | float) and value > 0:
                self._usual[name] = value

    # ---- writing --------------------------------------------------------------------

    def _permitted(self, model: Model, change: SettingChange) -> tuple[Register, Value]:
        """Return the register to write and the value in its range, or raise."""
        if self._settings.read_only:
            raise NotWritable(f"{self.name} is configured as read_only")
        if change.point not in model.holdings:
            raise NotWritable(f"{self.name} has no setting {change.point}")
        row = model.holdings[change.point]
        if row.opt_in and row.writable is not None and not self._settings.allow_configuration:
            raise NotWritable(
                f"{change.point} configures the plant; set `allow_configuration: true` on"
                f" {self.name} to let it be changed"
            )
        if self._impostor:
            raise DeviceProtocolError(self.name, f"nothing is written: {self._impostor}")
        return row, row.point.check(change.value)

    async def _fits(self, model: Model, row: Register, value: Value) -> None:
        """Refuse an off-grid floor above the on-grid one: the inverter's manual forbids it."""
        if row.name != "eps_cutoff_soc_pct":
            return
        other = model.holdings["discharge_cutoff_soc_pct"]
        (word,) = await self._station.read(Function.READ_HOLD, other.address, 1)
        if isinstance(value, int | float) and value > word:
            raise NotWritable(f"{row.name}: {value} is above {other.name}, which is {word}")

    async def _whole(self, write: RegisterWrite) -> tuple[int, ...]:
        """Return the words to send: around single bits, what the inverter holds this moment."""
        row = write.register
        if write.mask == _FULL:
            return write.words
        present = await self._station.read(Function.READ_HOLD, row.address, row.word.words)
        words = write.over(present)
        check_enable_word(self.name, row.address, present[0], words[0])
        return words

    async def _shown_after(self, write: RegisterWrite, value: Value) -> Value | None:
        """Return what the inverter shows; a late answer to an older question is asked over."""
        row = write.register
        shown: Value | None = None
        for _ in range(2):
            words = await self._station.read(Function.READ_HOLD, row.address, row.word.words)
            shown = row.decode(dict(zip(row.addresses, words, strict=True)))
            if tuple(word & write.mask for word in words) == write.words:
                break
            if _ticked(shown, value):
                return value
        return shown


_FULL: Final = 0xFFFF
_CORE: Final = 40
"""The inputs below this change by the second; the others are totals and diagnostics."""
_SLOW: Final = 4
"""How much older than the core the other inputs may be before they are asked for."""
_RARELY: Final = 10
_MISSED: Final = 2.5
"""So many broadcasts may fail to come before a value counts as gone."""
_TICKS: Final = timedelta(seconds=15)


def _tables(model: Model) -> tuple[tuple[Function, RegisterTable], ...]:
    return (Function.READ_INPUT, model.inputs), (Function.READ_HOLD, model.holdings)


def _everyday(row: Register) -> bool:
    return row.writable is not None and not row.opt_in


def _ticked(shown: Value | None, wanted: Value) -> bool:
    """Tell whether *shown* is a clock that was set to *wanted* and has gone on since."""
    return (
        isinstance(shown, datetime)
        and isinstance(wanted, datetime)
        and timedelta(0) <= shown - wanted <= _TICKS
    )
