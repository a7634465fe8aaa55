"""Among plans of equal cost, the gentle one: the same energy, slower, over the whole window.

Filling a battery from the grid in three hours of a six-hour cheap night costs what filling it
in six does. Of equal plans the exact engine returns a corner: full power, late. Here the
energy of neighbouring slots whose price is one and the same is spread evenly over their time, but
not thinner than a tenth of full power.
Serving the house is never spread: there the battery follows the load.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ohmstead.planner.convex import Bounds
from ohmstead.planner.house import House, even
from ohmstead.planner.slot import Curve

__all__ = ["gentle"]

LEAST_SHARE = 0.1
"""Of full power: what is spread is not spread thinner than this."""
SAME_KWH = 1e-9


@dataclass(frozen=True, slots=True)
class _Room:
    """How far a slot's change may move without a change of its marginal cost."""

    slope: float
    low: float
    high: float


def gentle(
    house: House,
    bounds: Bounds,
    hours: Sequence[float],
    pieces: Sequence[Curve],
    changes: list[float],
) -> list[float]:
    """Return changes that cost the same, spread over the slots that cost the same."""
    found = list(changes)
    same = 1e-9 * house.dearest
    for up in (True, False):
        full = house.charge * house.stored if up else house.discharge / house.delivered
        least: list[float] = (LEAST_SHARE * full).tolist()
        rooms = [
            _room(piece, change, limit, up=up)
            for piece, change, limit in zip(pieces, found, _served(house), strict=True)
        ]
        first = 0
        while first < len(rooms):
            last = _end_of_run(rooms, bounds, first, same)
            if last - first > 1:
                run = _gathered(found, rooms, least, range(first, last), up=up)
                _spread(found, rooms, hours, run)
            first = max(last, first + 1)
    return found


def _served(house: House) -> list[float]:
    """Return the change at which the meter stands still, or nothing for a hybrid's losses."""
    flow = house.pv - even(house)
    served: list[float] = [
        given * house.stored if given > 0 else given / house.delivered for given in flow.tolist()
    ]
    return [change - lost for change, lost in zip(served, house.standby.tolist(), strict=True)]


def _room(piece: Curve, change: float, served: float, *, up: bool) -> _Room | None:
    """Return the segment that *change* is on, if it moves energy over the meter.

    Charging is on the last segment it uses, or before the first one it could use.
    """
    low = piece.low
    best: _Room | None = None
    for slope, width in zip(piece.slopes, piece.widths, strict=True):
        high = low + width
        if low - SAME_KWH <= change <= high + SAME_KWH and width > SAME_KWH:
            over = low >= max(served, 0.0) - SAME_KWH if up else high <= min(served, 0.0) + SAME_KWH
            used = change > low + SAME_KWH if up else change < high - SAME_KWH
            if over and (best is None or used):
                best = _Room(slope, low, high)
        low = high
    return best


def _end_of_run(rooms: Sequence[_Room | None], bounds: Bounds, first: int, same: float) -> int:
    """Return the first slot after *first* that cannot share its energy with it."""
    one = rooms[first]
    last = first + 1
    if one is None:
        return last
    while last < len(rooms):
        other = rooms[last]
        if other is None or abs(other.slope - one.slope) > same or bounds.soft[last] is not None:
            break
        if bounds.lows[last] != bounds.lows[first] or bounds.highs[last] != bounds.highs[first]:
            break
        last += 1
    return last


def _gathered(
    changes: list[float],
    rooms: Sequence[_Room | None],
    least: Sequence[float],
    run: range,
    *,
    up: bool,
) -> range:
    """Leave out the first slots of *run* while its energy is too little to be shared by all.

    An inverter does a trickle badly, and an hour at some power is one action, not six.
    """
    bases = []
    for index in run:
        room = rooms[index]
        assert room is not None  # noqa: S101 - a run is made of rooms
        bases.append(room.low if up else room.high)
    over = abs(sum(changes[index] for index in run) - sum(bases))
    if over < SAME_KWH:
        return run
    wanted = sum(least[index] for index in run)
    while len(run) > 1 and over < wanted:
        first = run[0]
        widths = [_width(rooms[index]) for index in run[1:]]
        if sum(widths) < over:
            break
        wanted -= least[first]
        changes[run[1]] += changes[first] - bases[0]
        changes[first] = bases.pop(0)
        run = run[1:]
    return run


def _width(room: _Room | None) -> float:
    return room.high - room.low if room is not None else 0.0


def _spread(
    changes: list[float], rooms: Sequence[_Room | None], hours: Sequence[float], run: range
) -> None:
    """Give every slot of *run* the same power, as far as its room allows."""
    total = sum(changes[index] for index in run)
    free = list(run)
    while free:
        level = total / sum(hours[index] for index in free)
        tight = {}
        for index in free:
            room = rooms[index]
            assert room is not None  # noqa: S101 - a run is made of rooms
            wanted = level * hours[index]
            kept = min(max(wanted, room.low), room.high)
            if kept != wanted:
                tight[index] = kept
        above = sum(kept - level * hours[index] for index, kept in tight.items())
        if not tight or abs(above) < SAME_KWH:
            for index in free:
                changes[index] = tight.get(index, level * hours[index])
            return
        # Those cut off on the side that has too much stay where they are cut off.
        for index, kept in tight.items():
            if (kept > level * hours[index]) == (above > 0):
                changes[index] = kept
                total -= kept
                free.remove(index)
