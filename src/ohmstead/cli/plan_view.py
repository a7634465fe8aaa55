"""A plan in the terminal: charts over the hours, then what is done when, and why."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ohmstead.cli.plan_spans import (
    MODES,
    Span,
    load_times,
    money,
    power,
    price_range,
    spans_of,
    totals,
    when,
)
from ohmstead.control.words import price
from ohmstead.model import BatteryMode, Plan, PlanSlot

__all__ = ["COLOURS", "draw_plan"]

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_LABEL: Final = 10
_SCALE: Final = 9
_WIDEST: Final = 96
_HOURS_APART: Final = 3
_ROOM: Final = 7
"""Columns that a time under the chart needs."""
COLOURS: Final = {
    BatteryMode.CHARGE: "blue",
    BatteryMode.DISCHARGE: "red",
    BatteryMode.HOLD: "bright_black",
    BatteryMode.SELF_USE: "green",
    BatteryMode.CHARGE_SOLAR: "cyan",
    BatteryMode.EXPORT_SOLAR: "yellow",
    BatteryMode.IDLE: "magenta",
}
"""Of the modes, in a terminal."""


def draw_plan(plan: Plan, zone: ZoneInfo, console: Console | None = None) -> None:
    """Print *plan*: charts, totals, and a row for every span of one mode."""
    console = console or Console()
    first = plan.slots[0].start
    until = when(plan.slots[-1].end, zone)
    console.print(Text(f"The plan from {when(first, zone)} until {until}", "bold"))
    console.print(Text(f"made {when(plan.made_at, zone)} of: {plan.made_of}", "dim"))
    console.print(Text(totals(plan)))
    for line in load_times(plan, zone):
        console.print(Text(line))
    console.print()
    _charts(plan, zone, console)
    console.print()
    _rows(plan, zone, console)


# ---- charts -----------------------------------------------------------------------------


def _charts(plan: Plan, zone: ZoneInfo, console: Console) -> None:
    width = max(min(console.width - _LABEL - _SCALE, _WIDEST, len(plan.slots) * 2), 12)
    columns = _columns(plan, width)

    def tell(label: str, value: Callable[[PlanSlot], float], colour: str) -> None:
        values = _means(columns, lambda slot: max(value(slot), 0.0))
        if max(values) > 0.5:  # noqa: PLR2004 - less than a watt is nothing
            _bars(console, label, values, (0.0, max(values)), [colour] * width, power(max(values)))

    prices = _means(columns, lambda slot: slot.import_per_kwh)
    low, high = min(0.0, *prices), max(*prices, 0.01)
    colours = ["magenta" if value < 0 else "cyan" for value in prices]
    _bars(console, "import", prices, (low, high), colours, price(high, plan.currency), height=3)
    tell("sun", lambda slot: slot.pv_w, "yellow")
    tell("house", lambda slot: slot.load_w, "default")
    tell("drawn", lambda slot: slot.grid_w, "cyan")
    tell("fed in", lambda slot: -slot.grid_w, "magenta")
    tell("charged", lambda slot: -slot.battery_w, "blue")
    tell("emptied", lambda slot: slot.battery_w, "red")
    modes = [_longest(column).mode for column in columns]
    strip = [COLOURS[mode] for mode in modes]
    stored = _means(columns, lambda slot: slot.soc_pct)
    _bars(console, "battery", stored, (0.0, 100.0), strip, "100 %", height=3)
    console.print(Text(" " * _LABEL + _hours(columns, zone), "dim"))
    key = Text(" " * _LABEL)
    for mode in dict.fromkeys(slot.mode for slot in plan.slots):
        key.append("█ ", COLOURS[mode]).append(f"{MODES[mode]}  ")
    console.print(key)


_Column = list[tuple[PlanSlot, float]]
"""The slots under one column, with the seconds of each."""


def _columns(plan: Plan, width: int) -> list[_Column]:
    start, end = plan.slots[0].start, plan.slots[-1].end
    step = (end - start) / width
    found = []
    for number in range(width):
        left, right = start + number * step, start + (number + 1) * step
        parts = [
            (slot, (min(slot.end, right) - max(slot.start, left)).total_seconds())
            for slot in plan.slots
            if slot.start < right and slot.end > left
        ]
        found.append(parts)
    return found


def _means(columns: Sequence[_Column], value: Callable[[PlanSlot], float]) -> list[float]:
    return [
        sum(value(slot) * seconds for slot, seconds in column)
        / sum(seconds for _, seconds in column)
        for column in columns
    ]


def _longest(column: _Column) -> PlanSlot:
    return max(column, key=lambda part: part[1])[0]


def _bars(
    console: Console,
    label: str,
    values: Sequence[float],
    between: tuple[float, float],
    colours: Sequence[str],
    top: str,
    height: int = 1,
) -> None:
    low, high = between
    steps = 8 * height / (high - low)
    least = (high - low) / 100
    eighths = [max(round((v - low) * steps), 1 if abs(v) > least else 0) for v in values]
    for row in reversed(range(height)):
        line = Text((label if row == height - 1 else "").ljust(_LABEL), "dim")
        for size, colour in zip(eighths, colours, strict=True):
            line.append(_BLOCKS[max(min(size - 8 * row, 8), 0)], f"not dim {colour}")
        line.append(f" {top}" if row == height - 1 else "")
        console.print(line, no_wrap=True)


def _hours(columns: Sequence[_Column], zone: ZoneInfo) -> str:
    """Return the line of times under the columns."""
    line, seen = "", None
    first, last = columns[0][0][0].start, columns[-1][-1][0].end
    step = (last - first) / len(columns)
    apart = _HOURS_APART
    while step and timedelta(hours=apart) / step < _ROOM:
        apart *= 2
    for number in range(len(columns)):
        local = (first + number * step + step / 2).astimezone(zone)
        block = (local.date(), local.hour // apart)
        if seen is not None and block != seen and len(line) <= number:
            line = line.ljust(number) + f"{local.hour // apart * apart:02d}:00"
        seen = block
    return line


# ---- rows -------------------------------------------------------------------------------


def _rows(plan: Plan, zone: ZoneInfo, console: Console) -> None:
    head = ("when", "mode", "power", "battery", "import", "cost")
    rows = [(span, _cells(span, plan, zone)) for span in spans_of(plan)]
    widths = [max(len(head[n]), *(len(cells[n]) for _, cells in rows)) for n in range(len(head))]
    console.print(Text(_line(head, widths), "bold"))
    for span, cells in rows:
        line = Text(_line(cells, widths))
        at = len(cells[0].ljust(widths[0])) + 2
        line.stylize(COLOURS[span.first.mode], at, at + len(cells[1]))
        console.print(line, no_wrap=True, overflow="ellipsis")
        others = len(span.reasons) - 1
        more = f" (and {others} more)" if others else ""
        console.print(Padding(Text(span.reasons[0] + more, "dim"), (0, 0, 0, 4), expand=False))


def _cells(span: Span, plan: Plan, zone: ZoneInfo) -> tuple[str, ...]:
    start, end = span.first.start, span.last.end
    moves = round(span.battery_w)
    way = "" if moves == 0 else " out" if moves > 0 else " in"
    return (
        f"{when(start, zone)}–{when(end, zone, since=start)}",
        MODES[span.first.mode],
        "–" if moves == 0 else f"{power(moves)}{way}",
        span.stored,
        price_range((slot.import_per_kwh for slot in span.slots), plan.currency),
        money(span.cost, plan.currency),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return the cells side by side; words to the left, numbers to the right."""
    return "  ".join(
        cell.ljust(width) if number < 2 else cell.rjust(width)  # noqa: PLR2004 - when and mode
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
