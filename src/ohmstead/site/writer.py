"""The one way to a device's settings: checked, counted, journalled, sent once, read back."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ohmstead.errors import DeviceError, JournalError, NotWritable, WriteNotConfirmed
from ohmstead.model import (
    Ahead,
    Applied,
    BatteryCommand,
    BatteryMode,
    Button,
    Command,
    CommandResult,
    Failed,
    JournalEntry,
    Point,
    Range,
    Reading,
    Refused,
    SettingChange,
    Value,
    Write,
    WriteState,
    shown,
)
from ohmstead.ports import BatteryPort, SettingPort
from ohmstead.site.ahead import AheadPort, Timers
from ohmstead.site.budget import WriteBudget
from ohmstead.site.journal import Journal

__all__ = ["Errand", "Writer", "same"]

_OVERLAP: Final = timedelta(seconds=30)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One command on its way: who asked for it, why, and when."""

    command: Command
    asked_by: str
    why: str
    now: datetime


class Writer:
    """Carries commands out on devices, and undoes them from the journal."""

    def __init__(self, journal: Journal, budget: WriteBudget) -> None:
        """Note what is sent in *journal*, and stay within *budget*."""
        self._journal = journal
        self._budget = budget
        self._leases: Mapping[str, Sequence[JournalEntry]] | None = None
        self._modes: dict[str, tuple[BatteryMode, bool]] = {}
        """What each device was last told to do, and whether as fast as it can."""
        self._timers = Timers()
        self._sent: dict[tuple[str, str], tuple[datetime, Value | None]] = {}
        """When each point was last written, and what it showed then; None if that is not known."""

    async def change(
        self, device: SettingPort, change: SettingChange, errand: Errand
    ) -> CommandResult:
        """Change one setting for good."""
        return await _Round(self, device, errand).carry_out((change,))

    async def command(
        self,
        device: BatteryPort,
        command: BatteryCommand,
        errand: Errand,
        reading: Reading | None = None,
    ) -> CommandResult:
        """Let the battery do *command*; what it changes is on lease until the command ends.

        A setting that *reading* already shows as wanted is left alone without asking again.
        """
        normal = command.mode is BatteryMode.SELF_USE
        undone: tuple[Write, ...] = ()
        try:
            served = self._timers.points(device.name)
            ahead = self._ahead(device, command, errand.now)
            # A charge that has begun goes on with what was set ahead for it.
            timed = served if command.mode is BatteryMode.CHARGE else _points(ahead)
            timed |= self._timers.points(device.name)
            kind = (command.mode, command.power_w is None)
            unbound = kind[1] and self._modes.get(device.name) == (command.mode, False)
            # First give back what is ours, then see what is left to do: a power that is no
            # longer said would stay behind as if it were the owner's.
            if normal or unbound:
                undone = await self.undo(device, errand.now, errand.why, timed)
            changes = device.settings_for(command, errand.now)
            # A command given again may name fewer settings, as some hold what it needs already:
            # only another one gives back what it does not need itself.
            another = not normal and self._modes.get(device.name) != kind
            if another or served - timed:
                keep = _points(changes) | timed
                only = None if another else served - timed
                undone += await self.undo(device, errand.now, errand.why, keep, only)
            if not normal:
                self._modes[device.name] = kind
        except NotWritable as exc:
            return Refused(device=device.name, command=command, why=str(exc))
        except (DeviceError, JournalError) as exc:
            return Failed(device=device.name, command=command, why=str(exc))
        known = self._known(device.name, reading)
        round_ = _Round(self, device, errand, lease=not normal, until=command.until, exempt=normal)
        now_due = [change for change in changes if change.point not in _points(ahead)]
        result = await round_.carry_out(now_due, known)
        if ahead and isinstance(result, Applied):
            result = await self._set_ahead(round_, ahead, changes, result, known)
        if isinstance(result, Refused):
            return result
        result = replace(result, wrote=undone + result.wrote)
        if isinstance(result, Applied):
            result = replace(result, ahead=self._timers.held(device.name))
        return result

    async def undo(
        self,
        device: SettingPort,
        now: datetime,
        why: str,
        keep: frozenset[str] = frozenset(),
        only: frozenset[str] | None = None,
    ) -> tuple[Write, ...]:
        """Give the points on lease, but for those in *keep*, the values they had before us.

        With *only*, none but those.

        The last one written comes first, so that what switches a command on goes off first.
        Raises ``DeviceError`` or ``JournalError``; what could not be undone stays on lease.
        """
        self._modes.pop(device.name, None)
        if not keep:
            self._timers.drop(device.name)
        entries = [
            entry
            for entry in (await self.leases()).get(device.name, ())
            if entry.point not in keep and (only is None or entry.point in only)
        ]
        wrote: list[Write] = []
        for point in dict.fromkeys(entry.point for entry in reversed(entries)):
            ours = [entry for entry in entries if entry.point == point]
            write = await self._restore(device, ours, now, why)
            if write is not None:
                wrote.append(write)
        return tuple(wrote)

    async def leases(self) -> Mapping[str, Sequence[JournalEntry]]:
        """Return, by device, the entries that are still to be undone, oldest first."""
        if self._leases is None:
            leases: dict[str, list[JournalEntry]] = {}
            for entry in await self._journal.leased():
                leases.setdefault(entry.device, []).append(entry)
            self._leases = leases
        return self._leases

    async def send(self, device: SettingPort, entry: JournalEntry, *, exempt: bool) -> Write:
        """Journal the write *entry*, send it, and journal how it ended.

        Raises ``NotWritable`` if nothing was sent, else ``DeviceError`` or ``JournalError``.
        """
        change = SettingChange(device=entry.device, point=entry.point, value=entry.new)
        point = device.points[entry.point]
        await self._supersede(entry, point)
        number = await self._journal.begin(entry, counts=not exempt)
        self._leases = None
        if not exempt:
            self._budget.spend(entry.device, entry.point, entry.at)
        log.info(
            "%s: %s %s -> %s: %s",
            entry.device, entry.point, shown(entry.old), shown(entry.new), entry.why,
        )  # fmt: skip
        self._sent[entry.device, entry.point] = entry.at, None
        try:
            seen = await device.change(change)
        except NotWritable as exc:
            await self._journal.end(number, WriteState.FAILED, f"not sent: {exc}", lease=False)
            raise
        except DeviceError as exc:
            # It may have arrived all the same, so a lease stays to be undone.
            await self._journal.end(number, WriteState.SENT, str(exc), lease=entry.lease)
            raise
        if not same(point, seen, entry.new):
            detail = f"{entry.point}: wrote {shown(entry.new)}, the device shows {shown(seen)}"
            await self._journal.end(number, WriteState.FAILED, detail, lease=entry.lease)
            raise WriteNotConfirmed(entry.device, detail)
        self._sent[entry.device, entry.point] = entry.at, entry.new
        await self._journal.end(number, WriteState.CONFIRMED, lease=entry.lease)
        return Write(point=entry.point, old=entry.old, new=entry.new)

    def refusal(self, device: str, points: Sequence[str], now: datetime) -> str | None:
        """Return why the budget forbids to write one of *points*, or None."""
        reasons = (self._budget.refusal(device, point, now) for point in points)
        return next((reason for reason in reasons if reason), None)

    async def leave(self, device: BatteryPort, now: datetime, why: str) -> None:
        """Leave *device* to itself, as nobody knows what it should do.

        A charge set ahead is meant for such times, so that stays for a while.
        """
        await self.undo(device, now, why, self._timers.lasting(device.name, now))

    # ---- how it is done -------------------------------------------------------------

    def _known(self, device: str, reading: Reading | None) -> Mapping[str, Value | None]:
        """Return what *device* shows; a reading may have begun before our last writes ended."""
        if reading is None:
            return {}
        known = dict(reading.values)
        for (name, point), (at, value) in self._sent.items():
            if name == device and reading.at < at + _OVERLAP:
                known[point] = value
        return known

    def _ahead(
        self, device: BatteryPort, command: BatteryCommand, now: datetime
    ) -> tuple[SettingChange, ...]:
        """Return the settings of *device* for what *command* has ahead, if it can have any."""
        changes: tuple[SettingChange, ...] = ()
        if command.ahead is not None and isinstance(device, AheadPort):
            wanted = self._timers.wanted(device.name, command.ahead, now)
            if wanted is not None:
                changes = device.settings_ahead(replace(command, ahead=wanted), now)
                points = _points(changes)
                if changes and not self.refusal(device.name, tuple(points), now):
                    self._timers.hold(device.name, wanted, points, now)
                    return changes
        self._timers.drop(device.name)
        return ()

    async def _set_ahead(
        self,
        round_: "_Round",
        ahead: Sequence[SettingChange],
        changes: Sequence[SettingChange],
        applied: Applied,
        known: Mapping[str, Value | None],
    ) -> CommandResult:
        """Set the timers, after the command itself was *applied*; it counts more than they do."""
        errand = round_.errand
        coming = errand.command.ahead if isinstance(errand.command, BatteryCommand) else None
        timer = replace(
            round_,
            errand=replace(errand, why=_ahead_of(coming)),
            lease=True,
            until=coming.until if coming else None,
            exempt=False,
        )
        result = await timer.carry_out(ahead, known)
        if isinstance(result, Refused):
            log.info("%s: nothing is set ahead: %s", round_.device.name, result.why)
            self._timers.drop(round_.device.name)
            left = [change for change in changes if change.point in _points(ahead)]
            result = await round_.carry_out(left, known)
            return result if isinstance(result, Refused) else _after(applied, result)
        if result.wrote:
            self._timers.wrote(round_.device.name, errand.now)
        return _after(applied, result)

    async def _supersede(self, entry: JournalEntry, point: Point) -> None:
        """Forget older leases on a point that somebody else has changed since."""
        older = [e for e in (await self.leases()).get(entry.device, ()) if e.point == entry.point]
        if older and not any(
            same(point, entry.old, value) for e in older for value in (e.new, e.old)
        ):
            await self._release(entry.device, entry.point, "changed by somebody else since")

    async def _restore(
        self, device: SettingPort, ours: Sequence[JournalEntry], now: datetime, why: str
    ) -> Write | None:
        """Bring one point back to what it was before *ours*, if it still holds one of them."""
        first = ours[0]
        point = device.points.get(first.point)
        if point is None:
            return None  # the device has not said yet which points it has; the lease stays
        if first.old is None:
            await self._release(first.device, first.point, "its value before us is not known")
            return None
        present = await device.setting(first.point)
        if same(point, present, first.old):
            await self._release(first.device, first.point, "back at its value before us")
            return None
        if not any(same(point, present, entry.new) for entry in ours):
            log.info(
                "%s: %s is %s, set by somebody else; left alone", first.device, first.point, present
            )
            await self._release(first.device, first.point, "changed by somebody else since")
            return None
        back = replace(
            first, at=now, old=present, new=first.old, asked_by="undo",
            why=f"undone: {why}", lease=False, until=None,
        )  # fmt: skip
        try:
            write = await self.send(device, back, exempt=True)
        except NotWritable as exc:
            log.warning("%s: %s cannot be given back its value: %s", first.device, first.point, exc)
            await self._release(first.device, first.point, f"not restored: {exc}")
            return None
        await self._release(first.device, first.point, "undone")
        return write

    async def _release(self, device: str, point: str, detail: str) -> None:
        await self._journal.release(device, point, detail)
        self._leases = None


@dataclass(frozen=True, slots=True)
class _Round:
    """The settings of one command for one device."""

    writer: Writer
    device: SettingPort
    errand: Errand
    lease: bool = False
    until: datetime | None = None
    exempt: bool = False
    """It makes things safe, so the budget cannot forbid it."""

    async def carry_out(
        self, changes: Sequence[SettingChange], known: Mapping[str, Value | None] | None = None
    ) -> CommandResult:
        """Check everything, then send what differs; nothing is sent if one part is refused."""
        name, command, wrote = self.device.name, self.errand.command, list[Write]()
        try:
            due = await self._due([self._checked(change) for change in changes], known or {})
            points = [entry.point for entry in due]
            if not self.exempt and (why := self.writer.refusal(name, points, self.errand.now)):
                return Refused(device=name, command=command, why=why)
            for entry in due:
                wrote.append(await self.writer.send(self.device, entry, exempt=self.exempt))
        except NotWritable as exc:
            if not wrote:
                return Refused(device=name, command=command, why=str(exc))
            return Failed(device=name, command=command, why=str(exc), wrote=tuple(wrote))
        except (DeviceError, JournalError) as exc:
            return Failed(device=name, command=command, why=str(exc), wrote=tuple(wrote))
        return Applied(device=name, command=command, wrote=tuple(wrote))

    def _checked(self, change: SettingChange) -> SettingChange:
        point = self.device.points.get(change.point)
        if point is None:
            raise NotWritable(f"{self.device.name} has no point {change.point}")
        return replace(change, value=point.check(change.value))

    async def _due(
        self, changes: Sequence[SettingChange], known: Mapping[str, Value | None]
    ) -> list[JournalEntry]:
        """Return the writes that are needed, having asked the device for each present value."""
        due = []
        for change in changes:
            point = self.device.points[change.point]
            pressed = isinstance(point.writable, Button)
            if not pressed and same(point, known.get(change.point), change.value):
                continue
            old = None if pressed else await self.device.setting(change.point)
            if not pressed and same(point, old, change.value):
                continue
            entry = JournalEntry(
                id=0,
                at=self.errand.now,
                device=self.device.name,
                point=change.point,
                old=old,
                new=change.value,
                asked_by=self.errand.asked_by,
                why=self.errand.why,
                state=WriteState.SENT,
                lease=self.lease,
                until=self.until if self.lease else None,
            )
            due.append(entry)
        return due


def _points(changes: Sequence[SettingChange]) -> frozenset[str]:
    return frozenset(change.point for change in changes)


def _after(applied: Applied, result: Applied | Failed) -> Applied | Failed:
    return replace(result, wrote=applied.wrote + result.wrote)


def _ahead_of(ahead: Ahead | None) -> str:
    when = f" from {ahead.start:%H:%M} to {ahead.until:%H:%M} UTC" if ahead else ""
    return f"set ahead, so that it charges{when} even without us"


def same(point: Point, one: Value | None, other: Value | None) -> bool:
    """Tell whether two values of *point* are the same to the device, which rounds to its step."""
    if one is None or other is None:
        return False
    if isinstance(point.writable, Range) and isinstance(one, int | float):
        return isinstance(other, int | float) and abs(one - other) <= point.writable.step / 2
    return one == other
