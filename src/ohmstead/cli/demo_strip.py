"""The coming hours of a plan as a strip of a few lines: prices, what is stored, and the modes."""

from datetime import tzinfo
from typing import Final

from rich.text import Text

from ohmstead.cli.plan_spans import MODES, price_range
from ohmstead.cli.plan_view import COLOURS
from ohmstead.model import Plan

__all__ = ["BLOCKS", "strip"]

BLOCKS: Final = "▁▂▃▄▅▆▇█"
_LABEL: Final = 8
_MOST: Final = 64
_HOURS_APART: Final = 3
_HALF_HOUR: Final = 30


def strip(plan: Plan, zone: tzinfo) -> Text:
    """Return the next slots of *plan*, one letter each."""
    slots = plan.slots[:_MOST]
    prices = [slot.import_per_kwh for slot in slots]
    low, high = min(prices), max(prices)
    text = Text("price".ljust(_LABEL), "dim")
    for value in prices:
        text.append(_block((value - low) / ((high - low) or 1)), "not dim cyan")
    text.append(f" {price_range(prices, plan.currency)}\n")
    text.append("stored".ljust(_LABEL))
    for slot in slots:
        text.append(_block(slot.soc_pct / 100), f"not dim {COLOURS[slot.mode]}")
    last = slots[-1].end.astimezone(zone)
    text.append(f" {slots[-1].soc_pct:.0f} % at {last:%a %H:%M}\n")
    line = ""
    for number, slot in enumerate(slots):
        local = slot.start.astimezone(zone)
        if local.hour % _HOURS_APART == 0 and local.minute < _HALF_HOUR and len(line) <= number:
            line = line.ljust(number) + f"{local:%H}h"
    text.append(" " * _LABEL + line + "\n" + " " * _LABEL)
    for mode in dict.fromkeys(slot.mode for slot in slots):
        text.append("█ ", f"not dim {COLOURS[mode]}").append(f"{MODES[mode]}  ")
    return text


def _block(share: float) -> str:
    return BLOCKS[round(min(max(share, 0.0), 1.0) * (len(BLOCKS) - 1))]
