"""What GivTCP's controls do here: they ask the site, wait, and say how it ended in its words."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

from ohmstead.clock import Clock
from ohmstead.errors import NotWritable, OhmsteadError, RequestError
from ohmstead.model import (
    Applied,
    BatteryCommand,
    DeviceSnapshot,
    Reading,
    Request,
    SettingChange,
    Value,
)
from ohmstead.outputs.describe import describe
from ohmstead.outputs.givtcp_controls import Cancel, Force, Meant, Tuning, meaning
from ohmstead.outputs.givtcp_tree import Facts, serial_of, tree_of
from ohmstead.outputs.givtcp_values import Tree
from ohmstead.ports import SitePort

__all__ = ["Desk"]

_ASKED_BY: Final = "givtcp"
_KEPT_S: Final = 120.0
_MODE_IS: Final = {
    "eco": (True, False),
    "eco paused": (True, False),
    "timed demand": (True, True),
    "timed export": (False, True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A value the inverter was seen to hold after a write, before its next reading."""

    value: Value
    at: datetime


class Desk:
    """One inverter, as GivTCP's users meet it."""

    def __init__(
        self,
        device: str,
        site: SitePort,
        clock: Clock,
        timezone: tzinfo,
        *,
        rates_in_pct: bool = False,
        raw: bool = True,
    ) -> None:
        """Speak for *device* of *site*."""
        self.device = device
        self._site = site
        self._clock = clock
        self._timezone = timezone
        self._rates_in_pct = rates_in_pct
        self._raw = raw
        self._seen: dict[str, _Seen] = {}
        self._forced: dict[str, Request] = {}

    @property
    def serial(self) -> str | None:
        """The inverter's serial number, once it has told it."""
        reading = self._reading
        return serial_of(reading) if reading else None

    def tree(self) -> Tree | None:
        """Return its values as GivTCP's tree; None before the first reading."""
        reading = self._reading
        return None if reading is None else tree_of(self._patched(reading), self._facts())

    async def control(self, name: str, body: str) -> str:
        """Carry out the control *name*, and return the sentence that says how it ended."""
        try:
            meant = meaning(name, body, self._tuning())
            return await self._carry_out(name, meant)
        except (RequestError, NotWritable) as exc:
            return f"{name} failed: {exc}"
        except OhmsteadError as exc:
            return f"Error: {name} failed: {exc}"

    # ---- how it is done -------------------------------------------------------------

    @property
    def _snapshot(self) -> DeviceSnapshot | None:
        tick = self._site.last
        return tick.snapshot.devices.get(self.device) if tick else None

    @property
    def _reading(self) -> Reading | None:
        snapshot = self._snapshot
        return snapshot.reading if snapshot else None

    def _patched(self, reading: Reading) -> Reading:
        """Return *reading* with what was written since: others read back at once."""
        now = self._clock.now()
        self._seen = {
            point: seen
            for point, seen in self._seen.items()
            if seen.at >= reading.at and now - seen.at < timedelta(seconds=_KEPT_S)
        }
        if not self._seen:
            return reading
        newer = {point: seen.value for point, seen in self._seen.items()}
        return replace(reading, values={**reading.values, **newer})

    def _facts(self) -> Facts:
        now = self._clock.now()
        prices = self._site.last.snapshot.prices if self._site.last else None
        buy = prices.buy if prices else None
        sell = prices.sell if prices else None
        slots = [slot.per_kwh for slot in buy.slots] if buy else []
        current, sold = (curve.at(now) if curve else None for curve in (buy, sell))
        active = {request.id for request in self._site.requests()}
        self._forced = {
            action: request for action, request in self._forced.items() if request.id in active
        }
        left = {
            action: (request.until - now).total_seconds() / 60
            for action, request in self._forced.items()
            if request.until is not None
        }
        return Facts(
            now=now.astimezone(self._timezone),
            forced=left,
            import_per_kwh=current.per_kwh if current else None,
            export_per_kwh=sold.per_kwh if sold else None,
            cheapest_per_kwh=min(slots, default=None),
            dearest_per_kwh=max(slots, default=None),
            raw=self._raw,
        )

    def _tuning(self) -> Tuning:
        reading = self._reading
        if reading is None:
            raise RequestError(f"{self.device} does not answer yet")
        points = self._site.devices[self.device].points
        return Tuning(
            now=self._clock.now().astimezone(self._timezone),
            values=self._patched(reading).values,
            points=frozenset(key for key, point in points.items() if point.writable is not None),
            rates_in_pct=self._rates_in_pct,
        )

    async def _carry_out(self, name: str, meant: Meant) -> str:
        now = self._clock.now()
        if isinstance(meant, Cancel):
            request = self._forced.pop(meant.action, None)
            if request is not None:
                self._site.cancel(request.id)
            return f"{name}: cancelling {meant.action} was a success"
        if isinstance(meant, Force):
            return await self._force(name, meant, now)
        for point, value in meant.settings:
            request = self._request(
                SettingChange(device=self.device, point=point, value=value), now
            )
            result = await self._site.ask(request)
            if not isinstance(result, Applied):
                said = describe(result) if result else "no answer"
                return f"{name} failed: {said}"
            self._note(point, value, now)
        return f"{name}: setting {', '.join(point for point, _ in meant.settings)} was a success"

    async def _force(self, name: str, meant: Force, now: datetime) -> str:
        old = self._forced.pop(meant.action, None)
        if old is not None:
            self._site.cancel(old.id)
        until = now + timedelta(minutes=meant.duration_min)
        command = BatteryCommand(mode=meant.mode, until=until)
        request = replace(self._request(command, now), until=until)
        await self._site.ask(request)
        self._forced[meant.action] = request
        return f"{name}: {meant.action} for {meant.duration_min:g} minutes was a success"

    def _request(self, want: BatteryCommand | SettingChange, now: datetime) -> Request:
        return Request(id=secrets.token_hex(4), asked_by=_ASKED_BY, made_at=now, want=want)

    def _note(self, point: str, value: Value, now: datetime) -> None:
        newer: Mapping[str, Value] = {point: value}
        if point == "battery_mode":
            eco, by_slots = _MODE_IS.get(str(value), (True, False))
            newer = {point: value, "eco_mode_enabled": eco, "discharge_enabled": by_slots}
        self._seen |= {key: _Seen(value=new, at=now) for key, new in newer.items()}
