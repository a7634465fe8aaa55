"""A simulated inverter: registers in front, a house behind, its own clock between them."""

import json
from dataclasses import fields, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

from ohmstead.devices.luxpower.registers import MODELS
from ohmstead.devices.luxpower.simulator_images import IMAGES
from ohmstead.devices.luxpower.simulator_meters import energies, measured
from ohmstead.devices.luxpower.simulator_rules import Moment, Orders, orders_of, wish
from ohmstead.errors import DeviceRefused, NotWritable
from ohmstead.model import Button, Value
from ohmstead.registers import YMDHMS_PACKED, Register, RegisterBank, RegisterTable
from ohmstead.simulation import Energies, House

__all__ = ["BUSY", "ILLEGAL_ADDRESS", "ILLEGAL_VALUE", "SimulatedInverter"]

ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3
BUSY: Final = 6

_CLOCK: Final = range(12, 15)
_IDENTITY: Final = frozenset({*range(12), 19})
"""Who it is, and the register that would reset it: nobody writes them here."""
_EPS: Final = frozenset({21, 110})
_DAY_S: Final = 86_400
_SOC_STEP_PCT: Final = 0.8
"""A shown state of charge does not flicker, or it would charge in bursts at its limit."""


class SimulatedInverter:
    """What stands behind the datalogger. It takes over the battery of *house*."""

    def __init__(
        self,
        house: House,
        timezone: tzinfo,
        *,
        model: str,
        serial: str,
        drift_s_per_day: float = 0.0,
        store: Path | None = None,
    ) -> None:
        """Hold the words of *model* at first, or what *store* kept of the settings."""
        self.house = house
        self.model = MODELS[model]
        self.image = IMAGES[model]
        self.holdings = RegisterBank(self.model.holdings, self.image.holdings)
        self.inputs = RegisterBank(self.model.inputs, self.image.inputs)
        self.writes: list[tuple[datetime, int, int]] = []
        """Every word anybody asked to write: when, where, what. Refused ones too."""
        self._store = store
        self._drift = drift_s_per_day / _DAY_S
        self._soc_pct = round(house.battery.soc_pct)
        self._since = house.at
        self._set_at = house.at
        self._set_to = house.at.astimezone(timezone).replace(tzinfo=None)
        self._today = self._set_to.date()
        self._midnight = replace(house.totals)
        self._before = {
            name: self.inputs.number(name)
            for name in energies(
                Energies(), "total", hybrid=house.settings.hybrid, model=self.model
            )
        }
        self._restore()
        self.holdings.show(serial=serial)
        self.inputs.show(inverter_serial=serial)
        self._rows = _by_address(self.model.holdings)
        self._orders = self._heed()
        house.controller = self._wish
        house.settle()

    def clock(self, at: datetime) -> datetime:
        """Return what its own clock shows at *at*: naive, and ignorant of summer time."""
        passed = at - self._set_at
        return self._set_to + passed * (1 + self._drift)

    def read(self, *, holding: bool, register: int, count: int, now: datetime) -> tuple[int, ...]:
        """Return *count* words, with the house lived up to *now*; raise ``DeviceRefused``."""
        end = self.image.holdings_end if holding else self.image.inputs_end
        if count < 1 or register + count > end:
            raise DeviceRefused(self.model.name, "no such registers", ILLEGAL_ADDRESS)
        self.live(now)
        if not holding:
            return self.inputs.read(register, count)
        self.holdings.show(clock=self.clock(now).replace(microsecond=0))
        return self.holdings.read(register, count)

    def write(
        self, register: int, words: tuple[int, ...], now: datetime, *, deaf: bool = False
    ) -> None:
        """Store *words* unless *deaf*, or raise ``DeviceRefused``; they hold at once."""
        self.live(now)
        self.writes += [(now, place, word) for place, word in enumerate(words, start=register)]
        places = range(register, register + len(words))
        if places.stop > self.image.holdings_end:
            raise DeviceRefused(self.model.name, "no such register", ILLEGAL_ADDRESS)
        if places == _CLOCK:
            moment = YMDHMS_PACKED.unpack(words)
            if moment is None:
                raise DeviceRefused(self.model.name, "no such moment", ILLEGAL_VALUE)
        else:
            moment = None
            for place, word in zip(places, words, strict=True):
                self._check(place, word)
        if deaf:
            return
        if moment is not None:
            self._set_at, self._set_to = now, moment
        else:
            self.holdings.write(register, words)
            self._keep()
        self._orders = self._heed()
        self.house.settle()

    def live(self, now: datetime) -> None:
        """Let the house live until *now*, and show what is measured then."""
        house = self.house
        house.advance(now)
        passed = (house.at - self._since).total_seconds()
        hybrid, model = house.settings.hybrid, self.model
        totals = energies(house.totals, "total", hybrid=hybrid, model=model)
        today = _since(house.totals, self._midnight)
        self.inputs.show(
            **measured(house, model, passed),
            battery_soc_pct=self._soc_pct,
            **{name: self._before[name] + kwh for name, kwh in totals.items()},
            **energies(today, "today", hybrid=hybrid, model=model),
            runtime_s=14_714_915 + int(passed),
        )

    # ---- how it is done -------------------------------------------------------------

    def _wish(self, house: House) -> float:
        now = self.clock(house.at)
        if now.date() != self._today:
            # Its day ends at its own midnight, whatever the house's clock says.
            self._today = now.date()
            self._midnight = replace(house.totals)
        if abs(house.battery.soc_pct - self._soc_pct) > _SOC_STEP_PCT:
            self._soc_pct = round(house.battery.soc_pct)
        moment = Moment(
            minute=now.hour * 60 + now.minute,
            soc_pct=self._soc_pct,
            pv_w=house.pv_w,
            load_w=house.load_w,
        )
        return wish(self._orders, moment)

    def _heed(self) -> Orders:
        settings = self.house.settings
        orders = orders_of(
            self.holdings,
            self.model,
            rated_w=settings.inverter_w,
            max_charge_w=settings.battery.max_charge_w,
            max_discharge_w=settings.battery.max_discharge_w,
        )
        if settings.hybrid:
            self.house.export_limit_w = min(
                settings.export_limit_w, orders.feed_in_w if orders.feed_in else 0
            )
        return orders

    def _check(self, place: int, word: int) -> None:
        eps = self.image.refuses_eps and place in _EPS and word & 1
        if eps or place in _IDENTITY or place in _CLOCK or place > max(self._rows):
            raise DeviceRefused(self.model.name, f"{place} cannot be {word}", ILLEGAL_VALUE)
        for row in self._rows.get(place, ()):
            value = row.decode({place: word})
            if value is None or not _allowed(row, value):
                detail = f"{row.name} cannot be {word}"
                raise DeviceRefused(self.model.name, detail, ILLEGAL_VALUE)

    def _restore(self) -> None:
        if self._store is not None and self._store.exists():
            kept = json.loads(self._store.read_text())
            self.holdings.words.update({int(place): int(word) for place, word in kept.items()})

    def _keep(self) -> None:
        if self._store is not None:
            kept = {
                place: word
                for place, word in sorted(self.holdings.words.items())
                if place not in _IDENTITY and place not in _CLOCK
            }
            self._store.write_text(json.dumps(kept))


def _allowed(row: Register, value: Value) -> bool:
    try:
        row.point.check(value)
    except NotWritable:
        return False
    return True


def _by_address(table: RegisterTable) -> dict[int, list[Register]]:
    """Return the rows that others may write, by every address; others' addresses too."""
    rows: dict[int, list[Register]] = {}
    for row in table:
        for place in row.addresses:
            checked = row.writable is not None and not isinstance(row.writable, Button)
            rows.setdefault(place, []).extend([row] if checked else [])
    return rows


def _since(now: Energies, before: Energies) -> Energies:
    return Energies(
        **{
            field.name: getattr(now, field.name) - getattr(before, field.name)
            for field in fields(Energies)
        }
    )
