"""GivEnergy inverters: reads everything behind one data adapter, and commands its battery."""

import asyncio
import logging
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from types import TracebackType
from typing import Final, Self

from ohmstead.clock import Clock
from ohmstead.devices.givenergy.ahead import changes_ahead
from ohmstead.devices.givenergy.battery_mode import (
    BATTERY_MODE,
    mode_of,
    mode_point,
    settings_of,
)
from ohmstead.devices.givenergy.frames import INVERTER, Function
from ohmstead.devices.givenergy.freshness import LIVE_MOST_S, Deferred, Freshness
from ohmstead.devices.givenergy.guard import CounterGuard, empty_doubt
from ohmstead.devices.givenergy.modes import Plant, changes_for
from ohmstead.devices.givenergy.power import POWERS, Power, Size, size_of
from ohmstead.devices.givenergy.reading import Facts, derived_points, reading_of
from ohmstead.devices.givenergy.registers import (
    MODELS,
    UNKNOWN,
    Batteries,
    Model,
    Page,
    model_of,
)
from ohmstead.devices.givenergy.settings import GivEnergySettings
from ohmstead.devices.givenergy.slots import pair_of, ticked, tidied
from ohmstead.devices.givenergy.station import Station
from ohmstead.devices.givenergy.topology import STACK_COUNT, Topology
from ohmstead.errors import (
    DeviceBusy,
    DeviceProtocolError,
    DeviceRefused,
    DeviceUnreachable,
    NotWritable,
)
from ohmstead.links.frames_tcp import FramePatience
from ohmstead.model import (
    BatteryCommand,
    Button,
    Point,
    Reading,
    SettingChange,
    Value,
)
from ohmstead.registers import Register

__all__ = ["GivEnergyDriver", "GivEnergySettings"]

log = logging.getLogger(__name__)


class GivEnergyDriver:
    """One inverter, EMS or gateway behind one data adapter, with all that hangs behind it."""

    family = "givenergy"

    def __init__(
        self,
        name: str,
        settings: GivEnergySettings,
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
        self._freshness = Freshness(settings)
        self._model = UNKNOWN
        self._identity = (0, 0)
        """Device type and firmware."""
        self._topology = Topology()
        self._counters = CounterGuard()
        self._usual: dict[str, float] = {}
        self._deferred = Deferred()
        self._points: Mapping[str, Point] = self._describe()
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
        """All its points by key; until it has said which model it is, only a few."""
        return self._points

    @property
    def asked(self) -> int:
        """How many questions were put so far."""
        return self._station.asked

    async def news(self) -> None:
        """Return when somebody else has changed a setting."""
        await self._news.wait()
        self._news.clear()

    async def read(self) -> Reading:
        """Return what the inverter says, asking only for what was not heard of late.

        What cannot be read this time keeps its age, and becomes None when it is too old.
        """
        self._news.clear()
        model = await self._recognise()
        first = math.isinf(self._live_age_s())
        for page in model.pages:
            await self._refresh(page)
        if not first:  # the first reading shall not wait for what may not be there
            await self._look_around()
        for unit in self._topology.found:
            page = Page(function=Function.READ_INPUT, first=60, count=unit.count, optional=True)
            await self._refresh(page, unit.address)
        return self._reading()

    async def explore(self) -> None:
        """Look for everything that may hang behind the inverter; takes some 15 seconds."""
        await self.read()
        while not self._topology.known:
            await self.read()

    async def setting(self, point: str) -> Value | None:
        """Ask the inverter itself for the value *point* holds now."""
        model = await self._recognise()
        if power := self._powers(self._held()).get(point):
            return power.watts(await self.setting(power.rate))
        if point == BATTERY_MODE and point in self._points:
            return mode_of({name: await self.setting(name) for name in _MODE_IS_MADE_OF})
        row = self._row(model, point)
        return await self._asked_for(row)

    async def change(self, change: SettingChange) -> Value | None:
        """Send one value, and return what the inverter then shows.

        A dongle loses questions and answers. What the inverter shows decides; only while it
        shows something else is the same value sent again.
        """
        async with self._writing:
            model = await self._recognise()
            if power := self._powers(self._held()).get(change.point):
                rate = power.setting(self._as_allowed(power.point).check(change.value))
                shown = await self._change(model, replace(change, point=power.rate, value=rate))
                return power.watts(shown)
            if change.point == BATTERY_MODE:
                return await self._change_mode(model, change)
            return await self._change(model, change)

    def settings_for(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        """Translate *command* into settings; the one that switches it on stands last."""
        return changes_for(self._settings.calibration.told(command), now, self._plant())

    def settings_ahead(self, command: BatteryCommand, now: datetime) -> tuple[SettingChange, ...]:
        """Translate what *command* has ahead into charge slot 1, where nothing else changes."""
        return changes_ahead(self._settings.calibration.told(command), now, self._plant())

    def _plant(self) -> Plant:
        if self._model is UNKNOWN:
            raise NotWritable(f"{self.name} has not said yet which model it is")
        if self._settings.read_only:
            raise NotWritable(f"{self.name} is configured as read_only")
        shown = self._held()
        size = self._size(shown)
        return Plant(
            device=self.name,
            model=self._model,
            rated_w=size.rated_w,
            battery_w=size.battery_w or size.rated_w,
            battery_wh=1_000 * (size.battery_kwh or 0.0),
            timezone=self._timezone,
            shown=shown,
            usual=self._usual,
        )

    def captured(self) -> tuple[str, Mapping[str, Mapping[int, int]]]:
        """Return the model's name and every word heard of it, by address space."""
        inverter = {
            "input": self._station.heard((INVERTER, Function.READ_INPUT)).words(),
            "holding": self._station.heard((INVERTER, Function.READ_HOLD)).words(),
        }
        units = {
            unit.name: self._station.heard(unit.place).words() for unit in self._topology.found
        }
        return self._model.name, {**inverter, **units}

    # ---- who it is ------------------------------------------------------------------

    async def _recognise(self) -> Model:
        """Ask the inverter who it is, if that is not known, and return its model."""
        if self._model is not UNKNOWN:
            return self._model
        words = await self._station.read((INVERTER, Function.READ_HOLD), 0, 60)
        said = UNKNOWN.holdings.decode(dict(enumerate(words))).values
        self._identity = words[0], words[_ARM]
        model = model_of(*self._identity)
        if model is None:
            raise DeviceProtocolError(
                self.name,
                f"device type {words[0]:04x} is not one we know; please report it with the output"
                " of `ohmstead capture`",
            )
        if model.name == "gateway":
            model = await self._which_gateway(model)
        self._topology = Topology.of(model)
        self._model = model
        self._points = self._describe()
        log.info(
            "%s: %s (%s), firmware %d, serial number …%s",
            self.name, model.title, said["device_type"], words[_ARM], str(said["serial"])[-4:],
        )  # fmt: skip
        return model

    async def _which_gateway(self, model: Model) -> Model:
        """Return the layout of the gateway's firmware: GA000010 is the first of the second."""
        words = await self._station.read((INVERTER, Function.READ_INPUT), 1600, 60)
        digits = "".join(f"{byte:d}" for word in words[2:4] for byte in divmod(word, 256))
        old = digits.isdecimal() and int(digits) < _GATEWAY_2
        return MODELS["gateway_v1"] if old else model

    async def _look_around(self) -> None:
        """Look for a few of the units that may be there."""
        await self._count_stacks()
        for unit in self._topology.due(self._clock.monotonic())[:_AT_ONCE]:
            words = await self._station.probe(unit.place, 60, unit.count)
            unit.looked(words, self._clock.monotonic())
            if unit.found:
                log.info("%s: found %s at %#04x", self.name, unit.name, unit.address)
                self._points = self._describe()

    async def _count_stacks(self) -> None:
        topology = self._topology
        if self._model.batteries is not Batteries.STACKS or topology.stacks_asked:
            return
        address, first, count = STACK_COUNT
        words = await self._station.probe((address, Function.READ_INPUT), first, count)
        topology.stacks_asked = True
        stacks, modules = (words[1], words[2]) if words else (1, _MOST_MODULES)
        topology.stacked(min(stacks, _MOST_STACKS), min(modules, _MOST_MODULES))

    def _describe(self) -> Mapping[str, Point]:
        rows = [*self._model.inputs, *self._model.holdings]
        rows += [row for unit in self._topology.found for row in unit.table]
        points = {row.name: self._as_allowed(row.point) for row in rows}
        powers = self._powers(self._held()).values()
        allowed = {power.name: self._as_allowed(power.point) for power in powers}
        mode = {key: self._as_allowed(point) for key, point in mode_point(self._model).items()}
        return {**derived_points(self._model), **mode, **points, **allowed}

    def _as_allowed(self, point: Point) -> Point:
        """Take the right to write from *point* where the owner did not give it."""
        settings = self._settings
        if settings.read_only or (point.opt_in and not settings.allow_configuration):
            return replace(point, writable=None)
        return point

    # ---- reading --------------------------------------------------------------------

    async def _refresh(self, page: Page, address: int = INVERTER) -> None:
        """Ask for *page* if it is too old; what fails is left for later, unless it is the core."""
        now, place = self._clock.monotonic(), (address, page.function)
        heard, registers = self._station.heard(place), range(page.first, page.first + page.count)
        fresh = heard.age_s(registers, now) <= self._freshness.wanted_s(page)
        if fresh or self._deferred.waits(place, page, now):
            return
        try:
            if page.optional and heard.words().keys().isdisjoint(registers):
                if await self._station.probe(place, page.first, page.count) is None:
                    self._deferred.absent(place, page, now)
            else:
                await self._station.read(place, page.first, page.count)
        except (DeviceUnreachable, DeviceBusy) as exc:
            if page is self._model.pages[0] and self._live_age_s() > LIVE_MOST_S:
                raise
            log.debug("%s: %s", self.name, exc)
            self._deferred.failed(place, page, self._clock.monotonic())

    def _live_age_s(self) -> float:
        page = self._model.pages[0]
        heard = self._station.heard((INVERTER, page.function))
        return heard.age_s(range(page.first, page.first + page.count), self._clock.monotonic())

    def _reading(self) -> Reading:
        live_s = self._live_age_s()
        if live_s > LIVE_MOST_S:
            raise DeviceUnreachable(self.name, "its measurements could not be read of late.")
        monotonic = self._clock.monotonic()
        values: dict[str, Value | None] = {}
        doubts: dict[str, str] = {}
        tables = [
            ((INVERTER, Function.READ_INPUT), self._model.inputs),
            ((INVERTER, Function.READ_HOLD), self._model.holdings),
            *((unit.place, unit.table) for unit in self._topology.found),
        ]
        for place, table in tables:
            words = self._station.heard(place).words()
            holding = place[1] is Function.READ_HOLD
            decoded = table.decode(tidied(words, table) if holding else words)
            values |= decoded.values
            doubts |= decoded.doubts
            outdated = self._freshness.outdated(
                place, table, decoded.values, self._station.heard(place), self._model, monotonic
            )
            values |= dict.fromkeys(outdated)
            doubts |= outdated
        now = self._clock.now()
        at = now - timedelta(seconds=live_s)
        doubted = {
            **self._counters.doubts(values, monotonic),
            **empty_doubt(values, self._usual),
        }
        values |= dict.fromkeys(doubted)
        doubts |= doubted
        self._remember(values)
        drift_s = self._clock_drift_s(now)
        if isinstance(values.get("clock"), datetime) and drift_s is not None:
            values["clock"] = self._local(now) + timedelta(seconds=drift_s)
        powers = self._powers(values)
        values |= {name: power.watts(values.get(power.rate)) for name, power in powers.items()}
        if BATTERY_MODE in self._points:
            values[BATTERY_MODE] = mode_of(values)
        if powers.keys() - self._points.keys():
            self._points = self._describe()
        size = self._size(values)
        facts = Facts(
            device=self.name,
            at=at,
            model=self._model,
            battery_kwh=size.battery_kwh,
            battery_w=size.battery_w,
            units_known=self._topology.known,
            clock_drift_s=drift_s,
            frames_dropped=self._station.dropped,
            pages_refused=self._station.refused.total(),
        )
        return self._steadied(reading_of(values, doubts, facts), monotonic)

    def _steadied(self, reading: Reading, monotonic: float) -> Reading:
        """Hold back what the house used where it steps back: its counters do not tick at once."""
        used = {name: reading.values.get(name) for name in ("load_today_kwh", "load_total_kwh")}
        doubts = self._counters.doubts(used, monotonic)
        return replace(
            reading,
            values={**reading.values, **dict.fromkeys(doubts)},
            doubts={**doubts, **reading.doubts},
        )

    def _clock_drift_s(self, now: datetime) -> float | None:
        """Return how far the inverter's clock is ahead of the house's; it has no time zone."""
        if "clock" not in self._model.holdings:
            return None
        row = self._model.holdings["clock"]
        heard = self._station.heard((INVERTER, Function.READ_HOLD))
        words = heard.words()
        if any(address not in words for address in row.addresses):
            return None
        clock = row.decode(tidied(words, self._model.holdings))
        age_s = heard.age_s(row.addresses, self._clock.monotonic())
        if not isinstance(clock, datetime):
            return None
        return round((clock - self._local(now - timedelta(seconds=age_s))).total_seconds(), 1)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self._timezone).replace(tzinfo=None, microsecond=0)

    def _held(self) -> dict[str, Value | None]:
        """Return the settings as they were heard last."""
        table = self._model.holdings
        words = self._station.heard((INVERTER, Function.READ_HOLD)).words()
        values = dict(table.decode(tidied(words, table)).values)
        self._remember(values)
        return values

    def _remember(self, values: Mapping[str, Value | None]) -> None:
        """Keep what the owner usually has, to go back to from a rate of 0 or a reserve of 100."""
        for name in ("charge_rate_pct", "discharge_rate_pct", "battery_soc_pct"):
            value = values.get(name)
            if isinstance(value, int | float) and value > 0:
                self._usual[name] = value
        for name in ("reserve_soc_pct", "discharge_floor_soc_pct"):
            value = values.get(name)
            if isinstance(value, int | float) and value < _FULL:
                self._usual[name] = value

    # ---- writing --------------------------------------------------------------------

    def _row(self, model: Model, point: str) -> Register:
        if point not in model.holdings:
            raise NotWritable(f"{self.name} has no setting {point}")
        return model.holdings[point]

    async def _asked_for(self, row: Register) -> Value | None:
        """Ask for *row*, and for the other end of a slot: one alone may say nothing."""
        table = self._model.holdings
        other = pair_of(row.name)
        rows = [row, table[other]] if other in table and other is not None else [row]
        first = min(each.address for each in rows)
        last = max(each.addresses[-1] for each in rows)
        place = (INVERTER, Function.READ_HOLD)
        words = await self._station.insist(place, first, last - first + 1)
        return row.decode(tidied(dict(enumerate(words, start=first)), table))

    async def _change(self, model: Model, change: SettingChange) -> Value | None:
        row = self._row(model, change.point)
        if self._settings.read_only:
            raise NotWritable(f"{self.name} is configured as read_only")
        if row.opt_in and row.writable is not None and not self._settings.allow_configuration:
            raise NotWritable(
                f"{change.point} configures the plant; set `allow_configuration: true` on"
                f" {self.name} to let it be changed"
            )
        value = row.point.check(change.value)
        (write,) = model.holdings.encode(**{row.name: value})
        pairs = list(zip(row.addresses, write.words, strict=True))
        if model.has("charge_slot_2_old_start"):
            pairs += [(_ALSO[a], word) for a, word in pairs if a in _ALSO]
        if isinstance(row.writable, Button):
            await self._station.write(*pairs[0])
            return True
        shown: Value | None = None
        for _ in range(_SENDS):
            await self._send(pairs)
            shown = await self._asked_for(row)
            # One end of a slot may be right while the other is unset still.
            words = self._station.heard((INVERTER, Function.READ_HOLD)).words()
            stored = all(words.get(a) == word for a, word in pairs[: len(row.addresses)])
            if stored or ticked(shown, value):
                return value
        return shown

    async def _change_mode(self, model: Model, change: SettingChange) -> Value | None:
        if self._settings.read_only or BATTERY_MODE not in self._points:
            raise NotWritable(f"{self.name} takes no battery mode")
        wanted = self._points[BATTERY_MODE].check(change.value)
        shown = self._held()
        usual = self._usual.get("reserve_soc_pct")
        for point, value in settings_of(wanted, shown, usual):
            if shown.get(point) != value:
                await self._change(model, replace(change, point=point, value=value))
        return mode_of(self._held())

    async def _send(self, pairs: list[tuple[int, int]]) -> None:
        for register, word in pairs:
            try:
                await self._station.write(register, word)
            except DeviceRefused:
                if register not in _ALSO.values():
                    raise  # the copy of a slot is no loss
            except DeviceUnreachable as exc:
                # It may have arrived all the same: what the inverter shows decides.
                log.debug("%s; looking whether register %d was stored", exc, register)

    # ---- its size -------------------------------------------------------------------

    def _size(self, values: Mapping[str, Value | None]) -> Size:
        return size_of(self._settings, self._model, self._identity, values)

    def _powers(self, values: Mapping[str, Value | None]) -> Mapping[str, Power]:
        size = self._size(values)
        found = {name: Power.of(name, self._model, size) for name in POWERS}
        return {name: power for name, power in found.items() if power is not None}


_ARM: Final = 21
"""Where the ARM's firmware stands among the first registers."""
_GATEWAY_2: Final = 10
_AT_ONCE: Final = 4
"""So many units are looked for in one reading: the others wait for the next."""
_MOST_STACKS: Final = 4
_MOST_MODULES: Final = 6
_SENDS: Final = 3
_MODE_IS_MADE_OF: Final = ("eco_mode_enabled", "discharge_enabled", "reserve_soc_pct")
_FULL: Final = 100
_ALSO: Final = {243: 31, 244: 32}
"""Newer firmware keeps its second charge slot twice, and does not always heed the same one."""
