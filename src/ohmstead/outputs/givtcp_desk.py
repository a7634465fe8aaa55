"""What GivTCP's controls do here: they ask the site, wait, and say how it ended in its words."""

import asyncio
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Final

from ohmstead.clock import Clock
from ohmstead.errors import OhmsteadError, RequestError
from ohmstead.model import (
    Applied,
    BatteryCommand,
    CommandResult,
    DeviceSnapshot,
    Reading,
    Refused,
    Request,
    SettingChange,
    Tick,
    Value,
)
from ohmstead.outputs.describe import describe
from ohmstead.outputs.givtcp_controls import FORCED, Cancel, Force, Meant, Tuning, meaning
from ohmstead.outputs.givtcp_energies import RESERVE
from ohmstead.outputs.givtcp_tree import Facts, Generation, serial_of, tree_of
from ohmstead.outputs.givtcp_values import Tree
from ohmstead.ports import SitePort

__all__ = ["Desk"]

_ASKED_BY: Final = "givtcp"
_KEPT_S: Final = 120.0
_PATIENCE_S: Final = 30.0
"""How long an asker waits; an inverter that lost a question is asked again for some seconds."""
_FULL: Final = 100
_RECENT: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A value the inverter was seen to hold after a write, before its next reading."""

    value: Value
    at: datetime
    lent: bool = False
    """Whether it is part of a battery command, and goes back when that ends."""


class Desk:
    """One inverter, as GivTCP's users meet it."""

    def __init__(
        self,
        device: str,
        site: SitePort,
        clock: Clock,
        timezone: tzinfo,
        *,
        version: Generation = 3,
        raw: bool = True,
    ) -> None:
        """Speak for *device* of *site*, in the words of *version*."""
        self.device = device
        self._site = site
        self._clock = clock
        self._timezone = timezone
        self._version: Generation = version
        self._raw = raw
        self._seen: dict[str, _Seen] = {}
        self._usual_reserve_pct = 4.0
        self._waiting: dict[str, asyncio.Future[CommandResult]] = {}
        self._writes = self._safe_writes = self._timeouts = 0
        self._silent = False
        self._recent: deque[Reading] = deque(maxlen=_RECENT)

    @property
    def serial(self) -> str | None:
        """The inverter's serial number, once it has told it."""
        reading = self._reading
        return serial_of(reading) if reading else None

    def tree(self) -> Tree | None:
        """Return its values as GivTCP's tree; None while it does not answer."""
        reading = self._reading
        return None if reading is None else tree_of(self._patched(reading), self._facts())

    def trees(self) -> list[Tree]:
        """Return the trees of the last few readings, the newest last."""
        newest = self.tree()
        older = [tree_of(reading, self._facts()) for reading in list(self._recent)[:-1]]
        return [*older, newest] if newest else older

    def heard(self, tick: Tick) -> None:
        """Take in what was written in a turn of the loop, by whoever asked for it."""
        device = tick.snapshot.devices.get(self.device)
        silent = device is not None and device.trouble is not None
        self._timeouts += silent and not self._silent
        self._silent = silent
        if device is not None and device.reading is not None:
            self._keep(device.reading)
        if tick.decision.command is None:  # what a command changed was put back
            self._seen = {point: seen for point, seen in self._seen.items() if not seen.lent}
        for result in tick.results:
            if result.device == self.device:
                self._heard_of(result, device)
                self._wake(result, tick)

    async def control(self, name: str, body: str) -> str:
        """Carry out the control *name*, and return the sentence that says how it ended."""
        try:
            meant = meaning(name, body, self._tuning())
            async with asyncio.timeout(_PATIENCE_S):
                return await self._carry_out(name, meant)
        except TimeoutError:
            return f"Error: {name} failed: the inverter did not answer in {_PATIENCE_S:.0f} s"
        except OhmsteadError as exc:
            return f"Error: {name} failed: {exc}"

    # ---- what it shows --------------------------------------------------------------

    @property
    def _snapshot(self) -> DeviceSnapshot | None:
        tick = self._site.last
        return tick.snapshot.devices.get(self.device) if tick else None

    @property
    def _reading(self) -> Reading | None:
        snapshot = self._snapshot
        return snapshot.reading if snapshot else None

    def _keep(self, reading: Reading) -> None:
        if not self._recent or self._recent[-1].at != reading.at:
            self._recent.append(reading)
        values = self._patched(reading).values
        for point in RESERVE:
            self._remember(point, values.get(point))

    def _remember(self, point: str, value: Value | None) -> None:
        """Keep the owner's reserve, to go back to from one of 100, which is a pause."""
        if point in RESERVE and isinstance(value, int | float) and value < _FULL:
            self._usual_reserve_pct = value

    def _heard_of(self, result: CommandResult, device: DeviceSnapshot | None) -> None:
        if isinstance(result, Refused):
            return
        values = device.reading.values if device and device.reading else {}
        lent = isinstance(result.command, BatteryCommand)
        for write in result.wrote:
            self._note(write.point, write.new, lent=lent)
        self._writes += len(result.wrote)
        if values.get("real_time_control_enabled"):
            self._safe_writes += len(result.wrote)

    def _note(self, point: str, value: Value, *, lent: bool = False) -> None:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # as the inverter will show it
        seen = self._seen[point] = _Seen(value=value, at=self._clock.now(), lent=lent)
        self._remember(point, value)
        if point == "battery_mode":
            made_of: dict[str, Value] = {
                "eco_mode_enabled": value != "timed export",
                "discharge_enabled": value in {"timed demand", "timed export"},
                "reserve_soc_pct": _FULL if value == "eco paused" else self._usual_reserve_pct,
            }
            self._seen |= {key: replace(seen, value=part) for key, part in made_of.items()}

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
        values = {**reading.values, **newer}
        if "battery_mode" in values and values.keys() & newer.keys() & _MODE_IS_MADE_OF:
            values["battery_mode"] = _mode_of(values)
        return replace(reading, values=values)

    def _facts(self) -> Facts:
        now = self._clock.now()
        prices = self._site.last.snapshot.prices if self._site.last else None
        buy = prices.buy if prices else None
        sell = prices.sell if prices else None
        slots = [slot.per_kwh for slot in buy.slots] if buy else []
        current, sold = (curve.at(now) if curve else None for curve in (buy, sell))
        return Facts(
            now=now.astimezone(self._timezone),
            forced={action: self._left_min(action, now) for action in FORCED},
            import_per_kwh=current.per_kwh if current else None,
            export_per_kwh=sold.per_kwh if sold else None,
            cheapest_per_kwh=min(slots, default=None),
            dearest_per_kwh=max(slots, default=None),
            writes=self._writes,
            safe_writes=self._safe_writes,
            timeouts=self._timeouts,
            raw=self._raw,
            version=self._version,
        )

    def _left_min(self, action: str, now: datetime) -> float:
        ends = [request.until for request in self._running(action) if request.until is not None]
        return max(((end - now).total_seconds() / 60 for end in ends), default=0.0)

    def _running(self, action: str) -> list[Request]:
        """Return the requests that are *action*, whoever made them."""
        return [
            request
            for request in self._site.requests()
            if isinstance(request.want, BatteryCommand) and request.want.mode is FORCED[action]
        ]

    # ---- what it does ---------------------------------------------------------------

    def _tuning(self) -> Tuning:
        reading = self._reading
        if reading is None:
            snapshot = self._snapshot
            trouble = snapshot.trouble if snapshot else None
            raise RequestError(trouble or f"{self.device} does not answer yet")
        return Tuning(
            now=self._clock.now().astimezone(self._timezone),
            values=self._patched(reading).values,
            points=self._site.devices[self.device].points,
            version=self._version,
            usual_reserve_pct=self._usual_reserve_pct,
        )

    async def _carry_out(self, name: str, meant: Meant) -> str:
        if isinstance(meant, Cancel):
            for request in self._running(meant.action):
                self._site.cancel(request.id)
            return f"{name}: cancelling {meant.action} was a success"
        if isinstance(meant, Force):
            return await self._force(name, meant)
        for point, value in meant.settings:
            request = self._request(SettingChange(device=self.device, point=point, value=value))
            result = await self._site.ask(request)
            if not isinstance(result, Applied):
                raise RequestError(describe(result) if result else "it was not answered")
            self._note(point, value)
        return f"{name}: setting {', '.join(point for point, _ in meant.settings)} was a success"

    async def _force(self, name: str, meant: Force) -> str:
        """Ask for a temporary action, and wait for the turn in which it is carried out.

        One that fails is taken back: whoever was told so shall not find it running later.
        """
        for old in self._running(meant.action):
            self._site.cancel(old.id)
        until = self._clock.now() + timedelta(minutes=meant.duration_min)
        request = self._request(BatteryCommand(mode=FORCED[meant.action], until=until), until)
        ending = self._waiting[request.id] = asyncio.get_running_loop().create_future()
        done = False
        try:
            await self._site.ask(request)
            result = await ending
            done = isinstance(result, Applied)
            if not done:
                raise RequestError(describe(result))
        finally:
            del self._waiting[request.id]
            if not done and any(held.id == request.id for held in self._site.requests()):
                self._site.cancel(request.id)
        return f"{name}: {meant.action} for {meant.duration_min:g} minutes was a success"

    def _wake(self, result: CommandResult, tick: Tick) -> None:
        """Tell who waits for a battery command how it ended."""
        if not isinstance(result.command, BatteryCommand):
            return
        for request in tick.snapshot.requests:
            waiting = self._waiting.get(request.id)
            if waiting is not None and not waiting.done():
                waiting.set_result(result)

    def _request(
        self, want: BatteryCommand | SettingChange, until: datetime | None = None
    ) -> Request:
        return Request(
            id=secrets.token_hex(4),
            asked_by=_ASKED_BY,
            made_at=self._clock.now(),
            want=want,
            until=until,
        )


_MODE_IS_MADE_OF: Final = frozenset({"eco_mode_enabled", "discharge_enabled", "reserve_soc_pct"})


def _mode_of(values: Mapping[str, Value | None]) -> str:
    """Return the inverter's own mode that its settings make."""
    eco, by_slots = values.get("eco_mode_enabled"), values.get("discharge_enabled")
    if by_slots:
        return "timed demand" if eco else "timed export"
    if not eco:
        return "export paused"
    return "eco paused" if values.get("reserve_soc_pct") == _FULL else "eco"
