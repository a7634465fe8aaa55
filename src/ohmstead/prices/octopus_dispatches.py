"""What Octopus says of a car's charging: planned and completed dispatches, as windows. Pure.

On Intelligent Go every half-hour that a dispatch touches costs the whole house the night rate.
A planned dispatch may be withdrawn up to its start, so it is sure only in part; one that was
still planned when a half-hour began has made that half-hour cheap; a completed one is certain.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ohmstead.errors import PriceSourceError

__all__ = [
    "HALF_HOUR",
    "Dispatch",
    "Vehicle",
    "completed_of",
    "confidence_of",
    "half_hours",
    "planned_of",
    "vehicles_of",
    "within_allowance",
]

HALF_HOUR: Final = timedelta(minutes=30)
_LONGEST: Final = timedelta(hours=24)
_BOOSTS: Final = frozenset({"BOOST", "BUMP-CHARGE", "TEST"})
"""Charging that somebody asked for at once: it is not Octopus' choice, and is not cheap."""
_READY: Final = frozenset({"SMART_CONTROL_CAPABLE", "SMART_CONTROL_IN_PROGRESS", ""})
_AT_WORK: Final = frozenset({"SMART_CONTROL_IN_PROGRESS", ""})
_SURE: Final[Mapping[tuple[bool, bool], float]] = {
    # begun, and the car is ready for it
    (True, True): 0.95,
    (True, False): 0.5,
    (False, True): 0.7,
    (False, False): 0.4,
}
"""Our own judgement, from what owners report of withdrawn dispatches; no one publishes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A time in which Octopus charges, or charged, the car."""

    start: datetime
    end: datetime
    energy_kwh: float | None = None
    """What goes into the car, above zero; None if Octopus did not say."""
    completed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A car or charger that Octopus steers."""

    id: str
    state: str = ""
    """``SMART_CONTROL_IN_PROGRESS`` and the like; empty if it was not told."""


def vehicles_of(data: Mapping[str, Any]) -> tuple[Vehicle, ...]:
    """Return the devices of an account; those without an id are left aside."""
    found = []
    for given in data.get("devices") or ():
        if isinstance(given, dict) and isinstance(given.get("id"), str):
            status = given.get("status")
            state = status.get("currentState") if isinstance(status, dict) else None
            found.append(Vehicle(id=given["id"], state=str(state or "")))
    return tuple(found)


def planned_of(rows: object) -> tuple[Dispatch, ...]:
    """Return planned dispatches in time order, without those that somebody forced.

    Raises ``PriceSourceError`` if *rows* is no list of them at all.
    """
    return tuple(_dispatches(rows, completed=False))


def completed_of(rows: object) -> tuple[Dispatch, ...]:
    """Return completed dispatches in time order; raises ``PriceSourceError`` at nonsense."""
    return tuple(_dispatches(rows, completed=True))


def confidence_of(start: datetime, now: datetime, state: str) -> float:
    """Return how sure a planned half-hour from *start* is, read at *now* with the car in *state*.

    >>> noon = datetime(2026, 1, 15, 12, tzinfo=UTC)
    >>> confidence_of(noon, noon, "SMART_CONTROL_IN_PROGRESS")
    0.95
    >>> confidence_of(noon, noon - HALF_HOUR, "SMART_CONTROL_CAPABLE")
    0.7
    """
    begun = start <= now
    return _SURE[begun, state in (_AT_WORK if begun else _READY)]


def half_hours(dispatches: Iterable[Dispatch]) -> Sequence[datetime]:
    """Return when the half-hours begin that *dispatches* touch, each once, in time order."""
    found = set[datetime]()
    for dispatch in dispatches:
        start = _half_hour(dispatch.start)
        while start < dispatch.end:
            found.add(start)
            start += HALF_HOUR
    return sorted(found)


def within_allowance(
    starts: Iterable[datetime], hours: float | None, noon_before: Mapping[datetime, datetime]
) -> Sequence[datetime]:
    """Return those of *starts* that the day's allowance of cheap hours still covers.

    *noon_before* says in which day, counted from noon to noon, each half-hour lies. None as
    *hours* is no limit.
    """
    if hours is None:
        return list(starts)
    used: dict[datetime, timedelta] = {}
    kept, most = [], timedelta(hours=hours)
    for start in starts:
        day = noon_before[start]
        spent = used.get(day, timedelta()) + HALF_HOUR
        if spent <= most:
            used[day] = spent
            kept.append(start)
    return kept


# ---- how it is done -----------------------------------------------------------------


def _dispatches(rows: object, *, completed: bool) -> Iterator[Dispatch]:
    if not isinstance(rows, list):
        raise PriceSourceError("Octopus sent dispatches that are no list")
    found = [_dispatch(row, completed=completed) for row in rows if isinstance(row, dict)]
    yield from sorted(
        {dispatch for dispatch in found if dispatch is not None},
        key=lambda dispatch: (dispatch.start, dispatch.end),
    )


def _dispatch(row: Mapping[str, Any], *, completed: bool) -> Dispatch | None:
    """Return one dispatch; None if it was forced, or if its times mean nothing."""
    meta = row.get("meta")
    source = meta.get("source") if isinstance(meta, dict) else None
    if str(row.get("type") or source or "").upper() in _BOOSTS:
        return None
    start, end = _moment(row, "start", "startDt"), _moment(row, "end", "endDt")
    if start is None or end is None or not start < end <= start + _LONGEST:
        return None
    return Dispatch(start=start, end=end, energy_kwh=_energy_kwh(row), completed=completed)


def _moment(row: Mapping[str, Any], *names: str) -> datetime | None:
    """Return a moment in UTC; one without a zone could be any hour's, and is not believed."""
    for name in names:
        try:
            moment = datetime.fromisoformat(row[name])
        except (KeyError, TypeError, ValueError):
            continue
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    return None


def _energy_kwh(row: Mapping[str, Any]) -> float | None:
    """Return what goes into the car; Octopus counts charging below zero, often as text."""
    given = row.get("energyAddedKwh", row.get("delta"))
    try:
        return abs(float(given)) if given is not None else None
    except (TypeError, ValueError):
        return None


def _half_hour(moment: datetime) -> datetime:
    utc = moment.astimezone(UTC)
    return utc.replace(minute=utc.minute // 30 * 30, second=0, microsecond=0)
