"""Lays what changes within the day over a tariff's prices: dispatches, sessions, free hours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final

from ohmstead.model import PriceCurve, PriceSlot
from ohmstead.prices.octopus_dispatches import HALF_HOUR, within_allowance
from ohmstead.prices.octopus_events import Event
from ohmstead.prices.octopus_graphql import OctopusGraphql
from ohmstead.prices.octopus_watch import DispatchWatch, EventWatch
from ohmstead.prices.rhythm import LONDON

__all__ = ["OctopusExtras", "Wanted"]

_DAY: Final = timedelta(days=1)
_NOON: Final = time(12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of it the owner wants to be heeded."""

    intelligent: bool = False
    events: bool = False
    sessions_url: str
    """The server that knows of saving sessions."""
    cheap_per_day_h: float | None = None
    """How many dispatched hours a day are cheap, from noon to noon; None is all of them."""
    session_per_kwh: float | None = None
    """What a saving session pays where Octopus does not say; None leaves such ones aside."""


class OctopusExtras:
    """What one account has beside its tariff."""

    def __init__(self, client: OctopusGraphql, account: str, wanted: Wanted, jitter: float) -> None:
        """Watch what is *wanted*; *jitter* (0 to 1) keeps houses apart after a failure."""
        self._wanted = wanted
        self._dispatches = DispatchWatch(client, account, jitter) if wanted.intelligent else None
        self._events = (
            EventWatch(client, account, jitter, wanted.sessions_url) if wanted.events else None
        )

    async def laid_over(self, curve: PriceCurve, now: datetime, *, export: bool) -> PriceCurve:
        """Return *curve* with what is known at *now* laid over it, asking first if it is time to.

        Where the tariff's price is unknown nothing is laid: what is cheaper than nothing known?
        """
        if self._dispatches is not None:
            await self._dispatches.refresh(now)
        if self._events is not None:
            await self._events.refresh(now)
        for slots in (
            [] if export else self._dispatched(curve, now),
            [] if export else self._free(curve),
            self._sessions(curve),
        ):
            if slots:
                curve = _over(curve, slots)
        return curve

    def next_due(self, now: datetime) -> datetime | None:
        """Return when there may be news, or None if none is waited for."""
        dues = [watch.due or now for watch in (self._dispatches, self._events) if watch is not None]
        return min(dues, default=None)

    # ---- how it is done -------------------------------------------------------------

    def _dispatched(self, curve: PriceCurve, now: datetime) -> Sequence[PriceSlot]:
        if self._dispatches is None:
            return []
        windows = self._dispatches.windows(now)
        days = {start: _noon_before(start) for start in windows}
        starts = within_allowance(sorted(windows), self._wanted.cheap_per_day_h, days)
        slots = []
        for start in starts:
            night = _night_per_kwh(curve, start)
            slots += [
                replace(
                    slot,
                    per_kwh=night,
                    kind="dispatch",
                    confidence=windows[start],
                    usual_per_kwh=slot.per_kwh,
                )
                for slot in _cut(curve, start, start + HALF_HOUR)
                if night is not None and night < slot.per_kwh
            ]
        return slots

    def _free(self, curve: PriceCurve) -> Sequence[PriceSlot]:
        return [
            replace(
                slot,
                per_kwh=0.0,
                kind="free_electricity",
                confidence=event.confidence,
                usual_per_kwh=slot.per_kwh,
            )
            for event in (self._events.free if self._events else ())
            for slot in _cut(curve, event.start, event.end)
            if slot.per_kwh > 0
        ]

    def _sessions(self, curve: PriceCurve) -> Sequence[PriceSlot]:
        """Return sessions as dear hours: what is drawn then costs its price and the reward."""
        slots = []
        for event in self._events.sessions if self._events else ():
            reward = self._reward(event)
            if reward is not None:
                slots += [
                    replace(
                        slot,
                        per_kwh=slot.per_kwh + reward,
                        kind="saving_session",
                        confidence=event.confidence,
                        usual_per_kwh=slot.per_kwh,
                    )
                    for slot in _cut(curve, event.start, event.end)
                ]
        return slots

    def _reward(self, event: Event) -> float | None:
        return (
            self._wanted.session_per_kwh if event.reward_per_kwh is None else event.reward_per_kwh
        )


def _over(curve: PriceCurve, slots: Sequence[PriceSlot]) -> PriceCurve:
    return PriceCurve.from_slots(
        [*curve, *slots],
        currency=curve.currency,
        source=curve.source,
        fetched_at=curve.fetched_at,
    )


def _cut(curve: PriceCurve, start: datetime, end: datetime) -> Iterator[PriceSlot]:
    """Yield what *curve* knows between *start* and *end*, and nothing beyond."""
    for slot in curve.between(start, end):
        yield replace(slot, start=max(slot.start, start), end=min(slot.end, end))


def _night_per_kwh(curve: PriceCurve, start: datetime) -> float | None:
    """Return the tariff's lowest price within a day of *start*: that is its night rate."""
    near = curve.between(start - _DAY, start + _DAY)
    return min((slot.per_kwh for slot in near), default=None)


def _noon_before(moment: datetime) -> datetime:
    local = moment.astimezone(LONDON)
    day = local.date() if local.time() >= _NOON else local.date() - _DAY
    return datetime.combine(day, _NOON, LONDON)
