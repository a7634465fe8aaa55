"""How a slot behaves whose forecast is a given flow: the mode, and what follows the house."""

from dataclasses import dataclass
from typing import Final

from ohmstead.compiled import Places, Row, compiled, packed
from ohmstead.model import BatteryMode
from ohmstead.planner.plan import Side

__all__ = ["ACTS", "SAME_KWH", "Act", "acts_of", "kept_as"]

SAME_KWH: Final = 1e-6
"""Energies closer than this are one."""


@dataclass(frozen=True, slots=True)
class Act:
    """How a slot behaves."""

    mode: BatteryMode
    surplus_to: Side
    deficit_from: Side
    capped: bool
    """At the forecast's power at most, and no further than the forecast's energy."""


ACTS: Final = (
    Act(BatteryMode.CHARGE, Side.BATTERY, Side.GRID, capped=True),
    Act(BatteryMode.DISCHARGE, Side.GRID, Side.BATTERY, capped=True),
    Act(BatteryMode.SELF_USE, Side.BATTERY, Side.BATTERY, capped=False),
    Act(BatteryMode.SELF_USE, Side.BATTERY, Side.BATTERY, capped=True),
    Act(BatteryMode.HOLD, Side.BATTERY, Side.GRID, capped=True),
    Act(BatteryMode.EXPORT_SOLAR, Side.GRID, Side.BATTERY, capped=True),
    Act(BatteryMode.IDLE, Side.NOWHERE, Side.GRID, capped=True),
)
"""All there are; kernels know them by their numbers."""
CHARGE, DISCHARGE, FOLLOW, FOLLOW_CAPPED, HOLD, EXPORT_SOLAR, TURN_DOWN = range(len(ACTS))
UNKEPT: Final = -1
_KEPT: Final = {
    BatteryMode.CHARGE: CHARGE,
    BatteryMode.DISCHARGE: DISCHARGE,
    BatteryMode.HOLD: HOLD,
    BatteryMode.EXPORT_SOLAR: EXPORT_SOLAR,
}


def kept_as(mode: BatteryMode | None) -> int:
    """Return as what kernels know a slot that is to keep *mode*; None leaves it free."""
    return UNKEPT if mode is None else _KEPT.get(mode, FOLLOW)


@compiled
def acts_of(
    flows: tuple[Row, Row, Row], needs: Row, kept: Places, least: float, most: float
) -> tuple[Places, Row]:
    """Return which of ``ACTS`` each slot is, and with how much stored each of them stops.

    *flows* are the energies stored at the end, the flows at the bus, and the sun turned down;
    *needs* is what self-use would give; *kept* may be empty. Between *least* and *most* lies
    what the battery holds.
    """
    energies, buses, curtailed = flows
    numbers, targets = [0][:0], [0.0][:0]
    for slot in range(len(energies)):
        energy, need = energies[slot], needs[slot]
        below, above = energy > least + SAME_KWH, energy < most - SAME_KWH
        act = _act(buses[slot], need, curtailed[slot], below, above)
        if len(kept) > 0 and kept[slot] != UNKEPT:
            act = _kept(kept[slot], need, curtailed[slot])
        numbers.append(act)
        targets.append(energy if act != FOLLOW else least if need > 0 else most)
    return packed(numbers), packed(targets)


@compiled
def _act(bus: float, need: float, curtailed: float, below: bool, above: bool) -> int:  # noqa: FBT001 - kernels know no keywords
    """Return the behaviour whose forecast is this flow; there may be room below and above."""
    if abs(bus) <= SAME_KWH:
        return _still(need, curtailed, below, above)
    charges = bus < 0
    served = max(-need if charges else need, 0.0)  # what self-use would move the same way
    if abs(bus) > served + SAME_KWH:
        return CHARGE if charges else DISCHARGE
    ends = not (above if charges else below)
    return FOLLOW if ends or abs(bus) > served - SAME_KWH else FOLLOW_CAPPED


@compiled
def _still(need: float, curtailed: float, below: bool, above: bool) -> int:  # noqa: FBT001 - as above
    """Return the behaviour of a battery that does nothing."""
    if need > SAME_KWH and below:
        return HOLD
    if need < -SAME_KWH and above:
        return TURN_DOWN if curtailed > -need - SAME_KWH else EXPORT_SOLAR
    return FOLLOW


@compiled
def _kept(mode: int, need: float, curtailed: float) -> int:
    """Return the behaviour of a mode that is kept."""
    turned_down = need < -SAME_KWH and curtailed > -need - SAME_KWH
    return TURN_DOWN if mode == EXPORT_SOLAR and turned_down else mode
