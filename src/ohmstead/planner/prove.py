"""Close the gap: branch on the slots in which the bound cheats, until nothing better can exist.

The bound lets a slot sit between two of its convex pieces, on a line that is below its true
cost. Splitting that slot into the pieces on either side raises the bound of both halves; what
cannot beat the best plan known is dropped. Each look costs one exact convex programme, so a
few hundred prove a small problem; a long one keeps the certificate it has.
"""

from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count

import numpy as np

from ohmstead.compiled import listed
from ohmstead.planner.convex import flat_of
from ohmstead.planner.merge import flat_valleys, flat_walk, flat_worth
from ohmstead.planner.slot import Curve, curve, hull, runs
from ohmstead.planner.solve import Answer, Task, cost_of, polished

__all__ = ["proven"]

PROVEN = 1e-7
"""How near, in dearest prices, a bound must come to prove a plan."""


@dataclass(frozen=True, slots=True)
class _Look:
    """A part of all plans: some slots bound to some of their pieces."""

    pieces: list[Curve]
    knots: dict[int, tuple[int, int]]
    """First and last knot that a split slot may use."""


def proven(task: Task, answer: Answer, looks: int) -> Answer:
    """Return *answer* or a better one, with the best bound that *looks* relaxations give."""
    if task.limits.taper:
        return answer
    enough = PROVEN * task.house.dearest
    end = task.flat_end
    order = count()
    pieces = [curve(*hull(xs, ys)) for xs, ys in task.points]
    waiting = [(answer.bound, next(order), _Look(pieces, {}))]
    lowest = answer.bound
    while waiting and looks > 0:
        lowest = waiting[0][0]
        if lowest >= answer.cost - enough:
            break
        _, _, look = heappop(waiting)
        looks -= 1
        flat = flat_of(look.pieces)
        possible, found = flat_valleys(flat, task.bounds.walls, end)
        if not possible:
            continue
        bound = flat_worth(found, 0, task.energy)
        if bound >= answer.cost - enough:
            continue
        changes = listed(flat_walk(flat, found, task.energy))
        if cost_of(task, changes) < answer.cost - enough:
            answer = polished(task, changes, answer)
        for part in _split(task, look, changes):
            heappush(waiting, (bound, next(order), part))
    lowest = min(waiting[0][0], answer.cost) if waiting else answer.cost
    return replace(answer, bound=max(answer.bound, min(lowest, answer.cost)))


def _split(task: Task, look: _Look, changes: list[float]) -> list[_Look]:
    """Return the two halves at the slot in which the bound cheats most."""
    worst, where, points = 0.0, -1, task.points
    for index, (piece, change) in enumerate(zip(look.pieces, changes, strict=True)):
        xs, ys = points[index]
        if len(xs) == len(piece.slopes) + 1:
            continue
        cheat = float(np.interp(change, xs, ys)) - _at(piece, change)
        if cheat > worst:
            worst, where = cheat, index
    if where < 0 or worst <= PROVEN * task.house.dearest * 1e-3:
        return []
    xs, ys = points[where]
    first, last = look.knots.get(where, (0, len(xs) - 1))
    inside = [start for start, _ in runs(xs, ys) if first < start < last]
    middle = min(inside, key=lambda knot: abs(xs[knot] - changes[where]))
    halves = []
    for part in ((first, middle), (middle, last)):
        pieces = list(look.pieces)
        pieces[where] = curve(*hull(xs[part[0] : part[1] + 1], ys[part[0] : part[1] + 1]))
        halves.append(_Look(pieces, look.knots | {where: part}))
    return halves


def _at(piece: Curve, change: float) -> float:
    cost, left = piece.cost, change - piece.low
    for slope, width in zip(piece.slopes, piece.widths, strict=True):
        cost += slope * min(left, width)
        left -= min(left, width)
    return cost
