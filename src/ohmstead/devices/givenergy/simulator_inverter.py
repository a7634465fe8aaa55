"""A simulated inverter: registers in front, a house behind, its own clock between them."""

import json
import struct
from dataclasses import fields, replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Final

from ohmstead.devices.givenergy.frames import INVERTER, Function
from ohmstead.devices.givenergy.registers import MODELS, Batteries
from ohmstead.devices.givenergy.simulator_images import IMAGES
from ohmstead.devices.givenergy.simulator_meters import energies, mains, measured
from ohmstead.devices.givenergy.simulator_rules import Moment, Orders, Sizes, orders_of, wish
from ohmstead.devices.givenergy.simulator_units import Meter, Packs, Stack
from ohmstead.errors import DeviceRefused, NotWritable
from ohmstead.model import Button, Value
from ohmstead.registers import HHMM, Register, RegisterBank
from ohmstead.simulation import Energies, House

__all__ = ["SimulatedInverter"]

_CLOCK: Final = range(35, 41)
_MODULES: Final = 4
_SOC_STEP_PCT: Final = 0.8
"""A shown state of charge does not flicker, or it would charge in bursts at its limit."""


class SimulatedInverter:
    """What stands behind the dongle. It takes over the battery of *house*."""

    def __init__(
        self,
        house: House,
        timezone: tzinfo,
        *,
        model: str,
        batteries: int,
        seed: int,
        store: Path | None = None,
    ) -> None:
        """Hold the words of *model* at first, or what *store* kept of the settings."""
        self.house = house
        self.model = MODELS[model]
        self.image = IMAGES[model]
        # Where the panels hang is the model's affair.
        house.settings = replace(house.settings, hybrid=self.image.hybrid)
        self.holdings = RegisterBank(self.model.holdings)
        self.inputs = RegisterBank(self.model.inputs)
        self.packs = Packs(batteries if self.model.batteries is Batteries.PACKS else 0, seed)
        self.stack = Stack(_MODULES, seed) if self.model.batteries is Batteries.STACKS else None
        self.meter = Meter()
        self.writes: list[tuple[datetime, int, int]] = []
        """Every word anybody asked to write: when, where, what. Refused ones too."""
        self.astray_w = {"charge": 0.0, "discharge": 0.0}
        """By how much more than it is told it charges and discharges, as real ones do."""
        self._store = store
        self._soc_pct = round(house.battery.soc_pct)
        self._since = house.at
        self._set_at = house.at
        self._set_to = house.at.astimezone(timezone).replace(tzinfo=None)
        self._today = self._set_to.date()
        self._midnight = replace(house.totals)
        self._show_factory_settings()
        self._restore()
        self._rows = {
            address: row
            for row in self.model.holdings
            if row.writable is not None or "_old_" in row.name
            for address in row.addresses
        }
        self._orders = self._heed()
        house.controller = self._wish
        house.settle()

    @property
    def serial(self) -> str:
        """Its serial number."""
        return self.image.serial

    def clock(self, at: datetime) -> datetime:
        """Return what its own clock shows at *at*: naive, and ignorant of summer time."""
        return self._set_to + (at - self._set_at)

    def read(
        self, address: int, function: int, first: int, count: int, now: datetime
    ) -> tuple[int, ...] | None:
        """Return *count* words, with the house lived up to *now*.

        None where nobody answers; raises ``DeviceRefused`` for registers it does not have.
        """
        self.live(now)
        if self._is_inverter(address):
            return self._own(function, first, count, now)
        if function != Function.READ_INPUT:
            return None
        bank = self._unit(address)
        if bank is not None:
            return bank.read(first, count)
        if self.image.phantoms and address in range(0x32, 0x38):
            # Leftovers of half a page, and no serial number.
            return tuple(3330 + n % 4 if 8 <= n < 16 else 0 for n in range(count))  # noqa: PLR2004 - cells 9 to 16
        return None

    def write(self, register: int, word: int, now: datetime, *, deaf: bool = False) -> None:
        """Store *word* unless *deaf*, or raise ``DeviceRefused``; it holds at once.

        What is out of range is echoed like anything else, and not stored.
        """
        self.live(now)
        self.writes.append((now, register, word))
        row = self._rows.get(register)
        if row is None or (row.name in _NEVER_ZERO and word == 0):
            raise DeviceRefused(self.model.name, f"{register} cannot be {word}", 0)
        if deaf:
            return
        if register in _CLOCK:
            self._set_clock(register, word, now)
        elif _takes(row, word):
            self.holdings.write(register, (word,))
            self._keep()
        self._orders = self._heed()
        self.house.settle()

    def live(self, now: datetime) -> None:
        """Let the house live until *now*, and show what is measured then."""
        house, model = self.house, self.model
        house.advance(now)
        passed = (house.at - self._since).total_seconds()
        hybrid = house.settings.hybrid
        today = energies(_since(house.totals, self._midnight), "today", model, hybrid=hybrid)
        totals = energies(house.totals, "total", model, hybrid=hybrid)
        self.inputs.show(
            **measured(house, model, self._soc_pct, passed),
            **{name: min(kwh, 6_500) for name, kwh in today.items()},
            **{name: _BEFORE_KWH + kwh for name, kwh in totals.items()},
        )
        self.packs.live(house, self._soc_pct, passed)
        if self.stack is not None:
            self.stack.live(house, self._soc_pct, passed)
        self.meter.live(house, *mains(house, passed))

    # ---- what it holds --------------------------------------------------------------

    def _is_inverter(self, address: int) -> bool:
        mirror = self.image.phantoms and address in {0x30, 0x31}
        return address in {0x00, INVERTER} or mirror

    def _own(self, function: int, first: int, count: int, now: datetime) -> tuple[int, ...] | None:
        holding = function == Function.READ_HOLD
        ranges = self.image.holding_ranges if holding else self.image.input_ranges
        if not any(first in known and first + count - 1 in known for known in ranges):
            if self.image.silent_ports and first >= 300:  # noqa: PLR2004 - where the ports begin
                return None
            raise DeviceRefused(self.model.name, "no such registers", 0)
        if not holding:
            return self.inputs.read(first, count)
        if "clock" in self.model.holdings:
            self.holdings.show(clock=self.clock(now).replace(microsecond=0))
        return self.holdings.read(first, count)

    def _unit(self, address: int) -> RegisterBank | None:
        pack, module = address - 0x32, address - 0x50
        if 0 <= pack < len(self.packs.banks):
            return self.packs.banks[pack]
        if address == 0x31 and self.model.controller and self.packs.banks:  # noqa: PLR2004 - the packs' controller
            return self.packs.control
        if self.stack is not None:
            if address == 0xA0:  # noqa: PLR2004 - the stacks' configuration
                return self.stack.bms
            if address == 0x70:  # noqa: PLR2004 - the first stack
                return self.stack.controller
            if 0 <= module < len(self.stack.modules):
                return self.stack.modules[module]
        return self.meter.bank if 1 <= address <= self.image.meters else None

    def _show_factory_settings(self) -> None:
        image, battery = self.image, self.house.battery
        amp_hours = 1000 * battery.capacity_kwh / self.model.battery_v
        shown: dict[str, Value] = {
            "serial": image.serial,
            "first_battery_serial": "DF2244G001",
            "arm_firmware": image.firmware,
            "dsp_firmware": image.firmware,
            "first_battery_firmware": 3017,
            "usb_device": "disk",
            "grid_port_limit_w": 6000,
            "eco_mode_enabled": True,
            "modbus_address": 17,
            "user_code": 7,
            "modbus_version_number": 140,
            "meter_type": "EM115",
            "active_power_pct": 100,
            "inverter_enabled": True,
            "battery_type": "lithium",
            "battery_capacity_ah": round(amp_hours),
            "reserve_soc_pct": 4,
            "cutoff_soc_pct": 4,
            "load_first_stop_soc_pct": 4,
            "discharge_floor_soc_pct": 4,
            "charge_rate_pct": 50,
            "discharge_rate_pct": 50,
            "ac_charge_rate_pct": 100,
            "ac_discharge_rate_pct": 100,
            "charge_target_soc_pct": 100,
            "eps_enabled": True,
            "plant_control_enabled": True,
            "export_limit_w": 9500,
            **{f"charge_slot_{n}_target_soc_pct": 100 for n in range(1, 11)},
            **{f"discharge_slot_{n}_floor_soc_pct": 4 for n in range(1, 11)},
            **{f"export_slot_{n}_floor_soc_pct": 4 for n in range(1, 4)},
        }
        for name, value in shown.items():
            if name in self.model.holdings:
                self.holdings.show(**{name: value})
        self.holdings.words[0] = image.device_type
        if self.model.name.startswith("gateway"):
            # GA000010: two letters a word, then digits a byte.
            self.inputs.words.update(enumerate(struct.unpack(">4H", b"GA00\0\0\x01\0"), 1600))

    # ---- how it works ---------------------------------------------------------------

    def _wish(self, house: House) -> float:
        now = self.clock(house.at)
        if now.date() != self._today:
            # Its day ends at its own midnight, whatever the house's clock says.
            self._today = now.date()
            self._midnight = replace(house.totals)
        if abs(house.battery.soc_pct - self._soc_pct) > _SOC_STEP_PCT:
            self._soc_pct = round(house.battery.soc_pct)
        if self.model.name == "pv_only":
            return 0.0
        moment = Moment(
            minute=now.hour * 60 + now.minute,
            soc_pct=self._soc_pct,
            pv_w=house.pv_w,
            load_w=house.load_w,
        )
        return wish(self._orders, moment)

    def _heed(self) -> Orders:
        settings = self.house.settings
        if self.model.name == "pv_only":
            return Orders(charge_w=0, discharge_w=0)
        sizes = Sizes(
            rated_w=settings.inverter_w,
            charge_w=settings.battery.max_charge_w,
            discharge_w=settings.battery.max_discharge_w,
            capacity_wh=1000 * self.house.battery.capacity_kwh,
        )
        orders = orders_of(self.holdings, self.model, sizes)
        charge_w, discharge_w = orders.charge_w, orders.discharge_w
        if charge_w:
            charge_w = min(charge_w + self.astray_w["charge"], sizes.charge_w)
        if discharge_w:
            discharge_w = min(discharge_w + self.astray_w["discharge"], sizes.discharge_w)
        return replace(orders, charge_w=charge_w, discharge_w=discharge_w)

    def _set_clock(self, register: int, word: int, now: datetime) -> None:
        """Change one part of the clock; a date that there is not is not stored."""
        present = self.clock(now)
        part = ("year", "month", "day", "hour", "minute", "second")[register - _CLOCK.start]
        value = word % 2000 + 2000 if part == "year" else word
        try:
            wanted = present.replace(microsecond=0, **{part: value})  # type: ignore[arg-type]
        except ValueError:
            return
        self._set_at, self._set_to = now, wanted

    def _restore(self) -> None:
        if self._store is not None and self._store.exists():
            kept = json.loads(self._store.read_text())
            self.holdings.words.update({int(place): int(word) for place, word in kept.items()})

    def _keep(self) -> None:
        if self._store is not None:
            kept = {
                address: word
                for address, word in sorted(self.holdings.words.items())
                if address in self._rows and address not in _CLOCK
            }
            self._store.write_text(json.dumps(kept))


_BEFORE_KWH: Final = 1_000.0
"""What the counters showed when the simulation began."""
_LAST_TIME: Final = 2_399
_NEVER_ZERO: Final = frozenset({"ac_charge_rate_pct", "ac_discharge_rate_pct"})


def _takes(row: Register, word: int) -> bool:
    """Tell whether the firmware stores *word*; for a time it takes minutes that do not exist."""
    if row.word is HHMM:
        return word <= _LAST_TIME
    if isinstance(row.writable, Button):
        return False
    value = row.decode(dict.fromkeys(row.addresses, word))
    if value is None:
        return False
    try:
        row.point.check(value)
    except NotWritable:
        return False
    return True


def _since(now: Energies, before: Energies) -> Energies:
    return Energies(
        **{
            field.name: getattr(now, field.name) - getattr(before, field.name)
            for field in fields(Energies)
        }
    )
