"""Asks Octopus for dispatches and events at their own rhythm, and keeps what was learnt."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from ohmstead.errors import PriceSourceBusy, PriceSourceError
from ohmstead.prices.octopus_dispatches import (
    HALF_HOUR,
    Dispatch,
    Vehicle,
    completed_of,
    confidence_of,
    half_hours,
    planned_of,
    vehicles_of,
)
from ohmstead.prices.octopus_events import (
    Event,
    campaign_events_of,
    import_mpan_of,
    saving_sessions_of,
)
from ohmstead.prices.octopus_graphql import GraphqlAnswer, OctopusGraphql
from ohmstead.prices.rhythm import after_failure

__all__ = ["DispatchWatch", "EventWatch"]

log = logging.getLogger(__name__)

_DISPATCHES_EVERY: Final = timedelta(minutes=3)
"""Planned dispatches come and go within minutes; the limit on questions allows this."""
_EVENTS_EVERY: Final = timedelta(minutes=30)
_VEHICLES_KEPT: Final = timedelta(days=1)
_STALE: Final = timedelta(minutes=15)
"""A plan that was not confirmed for so long is no longer believed."""
_KEPT: Final = timedelta(days=2)
_MOST_VEHICLES: Final = 5
_NO_PLANS: Final = "KT-CT-4340"
"""Octopus knows no planned dispatches for this make of car or charger."""

_VEHICLES: Final = """query vehicles($account: String!) {
  devices(accountNumber: $account) { id status { currentState } }
}"""
_BY_DEVICE: Final = """query dispatches($account: String!, $device: String!) {
  devices(accountNumber: $account) { id status { currentState } }
  flexPlannedDispatches(deviceId: $device) { start end type energyAddedKwh }
  completedDispatches(accountNumber: $account) { start end delta meta { source location } }
}"""
_BY_ACCOUNT: Final = """query dispatches($account: String!) {
  plannedDispatches(accountNumber: $account) { start end delta meta { source location } }
  completedDispatches(accountNumber: $account) { start end delta meta { source location } }
}"""
_METER: Final = """query meter($account: String!) {
  account(accountNumber: $account) {
    electricityAgreements(active: true) { meterPoint { mpan direction } }
  }
}"""
_SESSIONS: Final = """query sessions($account: String!) {
  savingSessions {
    events { id code rewardPerKwhInOctoPoints startAt endAt }
    account(accountNumber: $account) { hasJoinedCampaign joinedEvents { eventId startAt endAt } }
  }
}"""
_CAMPAIGN: Final = """query events($account: String!, $mpan: String!, $slug: String!) {
  customerFlexibilityCampaignEvents(
    accountNumber: $account, supplyPointIdentifier: $mpan, campaignSlug: $slug, first: 50
  ) { edges { node { code startAt endAt isEventParticipant } } }
}"""


@dataclass(slots=True)
class _Rhythm:
    """When to ask next, and how the asking goes."""

    every: timedelta
    what: str
    jitter: float
    due: datetime | None = None
    failures: int = 0
    trouble: str = ""

    def went_well(self, now: datetime) -> None:
        if self.failures:
            log.info("Octopus tells of %s again", self.what)
        self.failures, self.trouble, self.due = 0, "", now + self.every

    def failed(self, now: datetime, error: PriceSourceError) -> None:
        if not self.failures:
            log.warning("%s: %s; the tariff's own prices hold", self.what, error)
        self.failures, self.trouble = self.failures + 1, str(error)
        wait_s = error.retry_after_s if isinstance(error, PriceSourceBusy) else None
        self.due = max(after_failure(now, self.failures, self.jitter, wait_s), now + self.every)


@dataclass(slots=True)
class _Learnt:
    planned: Mapping[datetime, float] = field(default_factory=dict)
    """How sure each planned half-hour is, by its start."""
    planned_at: datetime | None = None
    begun: dict[datetime, float] = field(default_factory=dict)
    """Half-hours that were still planned when they began."""
    completed: set[datetime] = field(default_factory=set)


class DispatchWatch:
    """The dispatches of one account."""

    def __init__(self, client: OctopusGraphql, account: str, jitter: float) -> None:
        """Be ready to ask; *jitter* (0 to 1) keeps houses apart after a failure."""
        self._client = client
        self._account = account
        self._rhythm = _Rhythm(_DISPATCHES_EVERY, "dispatches", jitter)
        self._learnt = _Learnt()
        self._vehicles: Sequence[Vehicle] = ()
        self._vehicles_until: datetime | None = None
        self._by_account = False

    @property
    def due(self) -> datetime | None:
        """When to ask next; None before the first time."""
        return self._rhythm.due

    @property
    def trouble(self) -> str:
        """Why nothing new is known, in a sentence; empty while all is well."""
        return self._rhythm.trouble

    async def refresh(self, now: datetime) -> None:
        """Ask if it is time to; in trouble, what is known stays for as long as it is good."""
        if self._rhythm.due is None or now >= self._rhythm.due:
            try:
                await self._ask(now)
            except PriceSourceError as exc:
                self._rhythm.failed(now, exc)
            else:
                self._rhythm.went_well(now)
        self._forget(now)

    def windows(self, now: datetime) -> Mapping[datetime, float]:
        """Return how sure each dispatched half-hour is, by its start in UTC."""
        learnt = self._learnt
        fresh = learnt.planned_at is not None and now - learnt.planned_at <= _STALE
        return {
            **(learnt.planned if fresh else {}),
            **learnt.begun,
            **dict.fromkeys(learnt.completed, 1.0),
        }

    # ---- how it is done -------------------------------------------------------------

    async def _ask(self, now: datetime) -> None:
        planned, begun = dict[datetime, float](), set[datetime]()
        known = True
        for vehicle in await self._asked_of(now):
            rows, completed, state = await self._dispatches(vehicle, now)
            self._learnt.completed |= set(half_hours(completed))
            if rows is None:
                known = False
                continue
            for dispatch in rows:
                for start in half_hours([dispatch]):
                    # What only begins at a quarter past may still be taken back until then.
                    sure = confidence_of(max(start, dispatch.start), now, state)
                    planned[start] = max(sure, planned.get(start, 0.0))
                    if dispatch.start <= now and start <= now < start + HALF_HOUR:
                        begun.add(start)
        if known:
            self._learnt.planned, self._learnt.planned_at = planned, now
            self._learnt.begun |= {start: planned[start] for start in begun}

    async def _asked_of(self, now: datetime) -> Sequence[Vehicle | None]:
        """Return whose dispatches to ask for; None asks for the whole account's."""
        if self._by_account:
            return [None]
        if self._vehicles_until is None or now >= self._vehicles_until:
            answer = await self._client.ask(_VEHICLES, {"account": self._account}, now)
            if answer.no_such_field:
                self._by_account = True
                return [None]
            self._vehicles = vehicles_of(answer.data)[:_MOST_VEHICLES]
            if not self._vehicles:
                raise PriceSourceError("the account has no car or charger that Octopus steers")
            self._vehicles_until = now + _VEHICLES_KEPT
        return list(self._vehicles)

    async def _dispatches(
        self, vehicle: Vehicle | None, now: datetime
    ) -> tuple[Sequence[Dispatch] | None, Sequence[Dispatch], str]:
        """Return what is planned (None if that was not told), what is done, the car's state."""
        variables = {"account": self._account}
        if vehicle is not None:
            variables["device"] = vehicle.id
        answer = await self._client.ask(_BY_DEVICE if vehicle else _BY_ACCOUNT, variables, now)
        if answer.no_such_field:
            if vehicle is None:
                raise PriceSourceError("Octopus tells of dispatches in no way that we know")
            self._by_account = True
            return await self._dispatches(None, now)
        rows = answer.data.get("flexPlannedDispatches", answer.data.get("plannedDispatches"))
        done = answer.data.get("completedDispatches")
        if _NO_PLANS in answer.codes:
            rows = rows or []
        if rows is None and done is None:
            codes = ", ".join(sorted(answer.codes)) or "no reason"
            raise PriceSourceError(f"Octopus told of no dispatches ({codes})")
        states = {seen.id: seen.state for seen in vehicles_of(answer.data)}
        state = states.get(vehicle.id, vehicle.state) if vehicle else ""
        planned = None if rows is None else planned_of(rows)
        return planned, () if done is None else completed_of(done), state

    def _forget(self, now: datetime) -> None:
        learnt, oldest = self._learnt, now - _KEPT
        learnt.begun = {start: sure for start, sure in learnt.begun.items() if start > oldest}
        learnt.completed = {start for start in learnt.completed if start > oldest}


class EventWatch:
    """The saving sessions and free hours of one account."""

    def __init__(
        self, client: OctopusGraphql, account: str, jitter: float, sessions_url: str
    ) -> None:
        """Be ready to ask; saving sessions are asked for at *sessions_url*."""
        self._client = client
        self._account = account
        self._sessions_url = sessions_url
        self._rhythm = _Rhythm(_EVENTS_EVERY, "events", jitter)
        self._mpan: str | None = None
        self._old_sessions = True
        self.sessions: Sequence[Event] = ()
        self.free: Sequence[Event] = ()

    @property
    def due(self) -> datetime | None:
        """When to ask next; None before the first time."""
        return self._rhythm.due

    async def refresh(self, now: datetime) -> None:
        """Ask if it is time to; an event once told of stays, as Octopus does not take it back."""
        if self._rhythm.due is not None and now < self._rhythm.due:
            return
        try:
            self.free = await self._campaign("free_electricity", now)
            self.sessions = await self._saving_sessions(now)
        except PriceSourceError as exc:
            self._rhythm.failed(now, exc)
        else:
            self._rhythm.went_well(now)

    async def _saving_sessions(self, now: datetime) -> Sequence[Event]:
        """Ask as of old while that is understood, then by campaign: that tells no reward."""
        if self._old_sessions:
            answer = await self._client.ask(
                _SESSIONS, {"account": self._account}, now, self._sessions_url
            )
            if not answer.no_such_field:
                _told(answer, "saving sessions")
                return saving_sessions_of(answer.data)
            self._old_sessions = False
        return await self._campaign("octoplus-saving-sessions", now)

    async def _campaign(self, slug: str, now: datetime) -> Sequence[Event]:
        if self._mpan is None:
            known = await self._client.ask(_METER, {"account": self._account}, now)
            self._mpan = import_mpan_of(known.data)
            if self._mpan is None:
                raise PriceSourceError("the account has no import meter to ask events for")
        variables: dict[str, Any] = {"account": self._account, "mpan": self._mpan, "slug": slug}
        answer = await self._client.ask(_CAMPAIGN, variables, now)
        _told(answer, slug)
        return campaign_events_of(answer.data)


def _told(answer: GraphqlAnswer, what: str) -> None:
    """Raise ``PriceSourceError`` where an answer says nothing, which is not that there is none."""
    if not any(value is not None for value in answer.data.values()):
        codes = ", ".join(sorted(answer.codes)) or "no reason"
        raise PriceSourceError(f"Octopus told of no {what} ({codes})")
