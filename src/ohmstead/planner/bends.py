"""Where the cost of a slot may bend, by what is taken from the house beside its load."""

from collections.abc import Sequence
from math import inf

import numpy as np
import numpy.typing as npt

from ohmstead.planner.house import FAR_KWH, TINY_KWH, WH_PER_KWH, Floats, House
from ohmstead.planner.problem import Problem

__all__ = ["exports_of", "levels", "overfull"]


def exports_of(problem: Problem) -> Floats:
    """Return the most that may be exported in each slot, kWh."""
    limits = np.minimum(problem.columns[8], problem.export_max_w)
    hours = problem.columns[0] / WH_PER_KWH
    exports: Floats = np.minimum(limits * hours, FAR_KWH)
    return exports


def overfull(problem: Problem, house: House) -> npt.NDArray[np.bool_]:
    """Return where more is given to the house than it and the export limit take."""
    return np.asarray(house.load + exports_of(problem) < -TINY_KWH)


def levels(
    problem: Problem, low: Floats, high: Floats, house: House, buses: Sequence[Floats]
) -> list[Floats]:
    """Return what may be taken, by slot, where a cost may bend while *buses* flow.

    They are the ends, and what brings the meter to a standstill or to one of its limits: with
    all the sun, or with none.
    """
    hours = problem.columns[0] / WH_PER_KWH
    room = problem.inverter.out_max_w * hours / house.out if problem.inverter else inf
    exports, nothing = exports_of(problem), np.zeros_like(house.pv)
    throughs = [nothing]
    for bus in buses:
        throughs += [np.minimum(bus + house.pv, room), bus]
    bends = []
    for through in throughs:
        given = np.where(through > 0, through * house.out, through / house.into)
        even = given - house.load
        bends += [even, even - exports, even + house.imports]
    return [nothing, low, high, *(np.clip(bend, low, high) for bend in bends)]
