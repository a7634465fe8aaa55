"""A new plan's present command is the old one's where the two are nearly the same. Pure.

Forecasts tremble, and with them the power and the target of a charge. Each of them is written
to the inverter, whose memory bears only so many writes.
"""

from dataclasses import replace
from typing import Final

from ohmstead.model import Plan

__all__ = ["steady"]

_SAME_SHARE: Final = 0.1
"""Powers that differ by less than this share are one."""
_SAME_PCT: Final = 2.0
"""And so are targets that differ by less."""


def steady(plan: Plan, in_force: Plan) -> Plan:
    """Return *plan*, its present power and the target of its present run as *in_force* has them."""
    start = plan.slots[0].start
    new, old = plan.slots[0], in_force.at(start)
    new_end, old_end = plan.last_of_run(start), in_force.last_of_run(start)
    if old is None or old_end is None or new_end is None or old.mode is not new.mode:
        return plan
    slots = list(plan.slots)
    if new_end.end == old_end.end and abs(new_end.target_pct - old_end.target_pct) < _SAME_PCT:
        slots[slots.index(new_end)] = replace(new_end, target_pct=old_end.target_pct)
    if new.power_w is not None and old.power_w is not None:
        kept = abs(new.power_w - old.power_w) < _SAME_SHARE * old.power_w
        slots[0] = replace(slots[0], power_w=old.power_w if kept else new.power_w)
    return replace(plan, slots=tuple(slots))
