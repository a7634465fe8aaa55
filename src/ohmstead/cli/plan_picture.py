"""A plan as a picture: prices, modes, powers and the battery over the hours, drawn as SVG."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from math import ceil, floor, log10
from typing import Final
from zoneinfo import ZoneInfo

from ohmstead.cli.plan_spans import MODES, Span, money, spans_of, totals, when
from ohmstead.control.words import price
from ohmstead.model import BatteryMode, Plan, PlanSlot

__all__ = ["DARK", "FONTS", "LIGHT", "picture", "style_of"]

WIDTH, HEIGHT = 1000, 600
_LEFT, _RIGHT = 64, 984
_PRICES: Final = (100.0, 210.0)
_STRIP: Final = (222.0, 244.0)
_POWERS: Final = (256.0, 420.0)
_STORED: Final = (446.0, 556.0)
FONTS: Final = "system-ui,'DejaVu Sans','Liberation Sans','Noto Sans',Arial,Helvetica,sans-serif"
"""By name too: what draws the PNG knows no general ones."""
_LETTER_W: Final = 6.4
"""How wide a letter of the strip is, about."""

_MODE_LIGHT: Final = {
    BatteryMode.CHARGE: "#7aa5dd",
    BatteryMode.DISCHARGE: "#e8956d",
    BatteryMode.HOLD: "#c3c6bf",
    BatteryMode.SELF_USE: "#93c9b5",
    BatteryMode.CHARGE_SOLAR: "#b4d678",
    BatteryMode.EXPORT_SOLAR: "#f0cf6b",
    BatteryMode.IDLE: "#b6a3cf",
}
_MODE_DARK: Final = {
    BatteryMode.CHARGE: "#35649f",
    BatteryMode.DISCHARGE: "#a3502a",
    BatteryMode.HOLD: "#4d5553",
    BatteryMode.SELF_USE: "#2c6b59",
    BatteryMode.CHARGE_SOLAR: "#5b7a26",
    BatteryMode.EXPORT_SOLAR: "#8a6d16",
    BatteryMode.IDLE: "#5d4a7a",
}
LIGHT: Final = {
    "ground": "#ffffff", "ink": "#1c2321", "quiet": "#66706c", "rule": "#e2e0d8",
    "import": "#b3372f", "export": "#1d6f5c", "pv": "#d99a1c", "load": "#1c2321",
    "grid": "#4a7fc1", "battery": "#1d6f5c", "stored": "#1d6f5c",
} | {mode.value: colour for mode, colour in _MODE_LIGHT.items()}  # fmt: skip
"""Colours by what they are for."""
DARK: Final = {
    "ground": "#1d2326", "ink": "#e8ebe9", "quiet": "#98a39f", "rule": "#343d41",
    "import": "#ef7a70", "export": "#5cc4a8", "pv": "#e2b04a", "load": "#e8ebe9",
    "grid": "#6fa0dc", "battery": "#5cc4a8", "stored": "#5cc4a8",
} | {mode.value: colour for mode, colour in _MODE_DARK.items()}  # fmt: skip


def style_of(colours: dict[str, str]) -> str:
    """Return the style sheet of a picture in these colours."""
    lines = ("import", "export", "load", "grid", "stored")
    return "\n".join([
        f".ground{{fill:{colours['ground']}}}",
        f"text{{font:12px {FONTS};fill:{colours['ink']}}}",
        ".title{font-size:17px;font-weight:600}",
        f".quiet{{fill:{colours['quiet']}}}",
        f".rule{{stroke:{colours['rule']};stroke-width:1}}",
        f".zero{{stroke:{colours['quiet']};stroke-width:1}}",
        ".line{fill:none;stroke-width:1.8;stroke-linejoin:round}",
        ".dashed{stroke-dasharray:5 4}",
        *(f".line.{name}{{stroke:{colours[name]}}}" for name in lines),
        *(f".area.{name}{{fill:{colours[name]};fill-opacity:.35}}" for name in ("pv", "battery")),
        *(f".mode.{mode.value}{{fill:{colours[mode.value]}}}" for mode in MODES),
        ".tint{fill-opacity:.16}",
    ])  # fmt: skip


def picture(plan: Plan, zone: ZoneInfo, style: str) -> str:
    """Return the SVG of *plan*, 1000 by 600, in the colours of *style*; it needs no other file."""
    scale = _Times(plan, zone)
    spans = spans_of(plan)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(_title(plan, zone))}</title>",
        f"<style>{style}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>',
        _text(16, 26, _title(plan, zone), "title"),
        _text(16, 47, _capital(totals(plan)) + "."),
        *_tints(spans, scale),
        *_hours(scale),
        *_price_part(plan, scale),
        *_strip(plan, spans, scale, zone),
        *_power_part(plan, scale),
        *_stored_part(plan, scale),
        *_key(plan),
        "</svg>",
    ]
    return "\n".join(parts)


class _Times:
    """Where a moment is, from left to right."""

    def __init__(self, plan: Plan, zone: ZoneInfo) -> None:
        self.start, self.end, self.zone = plan.slots[0].start, plan.slots[-1].end, zone
        self._per_second = (_RIGHT - _LEFT) / (self.end - self.start).total_seconds()

    def x(self, moment: datetime) -> float:
        return _LEFT + (moment - self.start).total_seconds() * self._per_second

    def width(self, span: timedelta) -> float:
        return span.total_seconds() * self._per_second

    def marks(self) -> Iterator[datetime]:
        """Give the full hours to write down, so far apart that they can be read."""
        apart = next((h for h in (1, 2, 3, 6) if self.width(timedelta(hours=h)) > 52), 12)  # noqa: PLR2004 - pixels
        moment = self.start.replace(minute=0, second=0, microsecond=0)
        while moment < self.end:
            if moment >= self.start and moment.astimezone(self.zone).hour % apart == 0:
                yield moment
            moment += timedelta(hours=1)


class _Heights:
    """Where a value is, from top to bottom, and the round values to write down."""

    def __init__(self, values: Sequence[float], place: tuple[float, float], most: int = 4) -> None:
        low, high = min(0.0, *values), max(0.0, *values)
        self.step = _round_step((high - low or 1.0) / most)
        self.low = floor(low / self.step + 1e-9) * self.step
        self.high = max(ceil(high / self.step - 1e-9) * self.step, self.low + self.step)
        self.top, self.bottom = place

    def y(self, value: float) -> float:
        share = (self.high - value) / (self.high - self.low)
        return self.top + share * (self.bottom - self.top)

    def marks(self) -> Iterator[float]:
        for number in range(round((self.high - self.low) / self.step) + 1):
            yield self.low + number * self.step


def _round_step(least: float) -> float:
    size = 10.0 ** floor(log10(least))
    return next((n * size for n in (1, 2, 5, 10) if n * size >= least * 0.999), 10 * size)


# ---- the parts, from top to bottom ------------------------------------------------------


def _tints(spans: Sequence[Span], scale: _Times) -> Iterator[str]:
    """Give each mode's colour faintly behind everything, so that eyes can follow it down."""
    for span in spans:
        for top, bottom in (_PRICES, _POWERS, _STORED):
            yield _rect(span, scale, top, bottom, "tint")


def _price_part(plan: Plan, scale: _Times) -> Iterator[str]:
    prices = [p for slot in plan.slots for p in (slot.import_per_kwh, slot.export_per_kwh)]
    heights = _Heights(prices, _PRICES)
    yield from _grid(heights, lambda value: price(value, plan.currency).replace("-", "−"))
    yield _steps(plan, scale, heights, lambda slot: slot.export_per_kwh, "line export dashed")
    yield _steps(plan, scale, heights, lambda slot: slot.import_per_kwh, "line import")


def _strip(plan: Plan, spans: Sequence[Span], scale: _Times, zone: ZoneInfo) -> Iterator[str]:
    top, bottom = _STRIP
    for span in spans:
        yield "<g>"
        yield f"<title>{escape(_hint(span, plan, zone))}</title>"
        yield _rect(span, scale, top, bottom, "band")
        word = MODES[span.first.mode]
        if scale.width(span.last.end - span.first.start) > len(word) * _LETTER_W + 8:
            middle = (scale.x(span.first.start) + scale.x(span.last.end)) / 2
            yield _text(middle, bottom - 7, word, anchor="middle")
        yield "</g>"


def _hint(span: Span, plan: Plan, zone: ZoneInfo) -> str:
    start, end = span.first.start, span.last.end
    times = f"{when(start, zone)}–{when(end, zone, since=start)}"
    cost = money(span.cost, plan.currency)
    return f"{times} {MODES[span.first.mode]}, {cost}: {span.reasons[0]}"


def _power_part(plan: Plan, scale: _Times) -> Iterator[str]:
    powers = [p for s in plan.slots for p in (s.pv_w, s.load_w, s.grid_w, s.battery_w)]
    heights = _Heights([p / 1_000 for p in powers], _POWERS, most=5)
    yield from _grid(heights, lambda value: f"{value:g} kW".replace("-", "−"))
    yield _area(plan, scale, heights, lambda slot: slot.pv_w / 1_000, "area pv")
    yield _area(plan, scale, heights, lambda slot: slot.battery_w / 1_000, "area battery")
    yield _steps(plan, scale, heights, lambda slot: slot.load_w / 1_000, "line load")
    yield _steps(plan, scale, heights, lambda slot: slot.grid_w / 1_000, "line grid")


def _stored_part(plan: Plan, scale: _Times) -> Iterator[str]:
    heights = _Heights([0.0, 100.0], _STORED)
    yield from _grid(heights, lambda value: f"{value:.0f} %")
    points = [f"{scale.x(slot.end):.1f} {heights.y(slot.soc_pct):.1f}" for slot in plan.slots]
    first, began = plan.slots[0], plan.start_soc_pct
    # Where nobody said what was stored when the plan began, its first slot is drawn flat.
    begin_pct = first.soc_pct if began is None else began
    begin = f"{scale.x(first.start):.1f} {heights.y(begin_pct):.1f}"
    yield f'<path class="line stored" d="M{begin} L{" L".join(points)}"/>'


def _hours(scale: _Times) -> Iterator[str]:
    for moment in scale.marks():
        local, x = moment.astimezone(scale.zone), scale.x(moment)
        for top, bottom in (_PRICES, _POWERS, _STORED):
            yield f'<path class="rule" d="M{x:.1f} {top} V{bottom}"/>'
        if x < _RIGHT - 14:
            yield _text(x, 574, f"{local:%H:%M}", "quiet", "middle")
        if local.hour == 0 and x < _RIGHT - 30:
            yield _text(x, 590, f"{local:%a %-d %b}", anchor="middle")


def _key(plan: Plan) -> Iterator[str]:
    """Give what the lines mean, above the chart; the modes are named as well, where they fit."""
    x = float(_LEFT)
    lines = [
        ("line import", "import price"),
        ("line export dashed", "export price"),
        ("area pv", "sun"),
        ("line load", "house"),
        ("line grid", "grid, import above 0"),
        ("area battery", "battery, out above 0"),
        ("line stored", "stored"),
    ]
    for look, words in lines:
        if look.startswith("area"):
            yield f'<rect class="{look}" x="{x:.0f}" y="60" width="18" height="10"/>'
        else:
            yield f'<path class="{look}" d="M{x:.0f} 65 h18"/>'
        yield _text(x + 23, 69, words, "quiet")
        x += 23 + len(words) * _LETTER_W + 16
    x = float(_LEFT)
    for mode in dict.fromkeys(slot.mode for slot in plan.slots):
        yield f'<rect class="mode {mode.value}" x="{x:.0f}" y="78" width="18" height="10"/>'
        yield _text(x + 23, 87, MODES[mode], "quiet")
        x += 23 + len(MODES[mode]) * _LETTER_W + 16


# ---- strokes ----------------------------------------------------------------------------


def _grid(heights: _Heights, told: Callable[[float], str]) -> Iterator[str]:
    for value in heights.marks():
        y, look = heights.y(value), "zero" if abs(value) < heights.step / 2 else "rule"
        yield f'<path class="{look}" d="M{_LEFT} {y:.1f} H{_RIGHT}"/>'
        yield _text(_LEFT - 8, y + 4, told(value), "quiet", "end")


def _outline(
    plan: Plan, scale: _Times, heights: _Heights, value: Callable[[PlanSlot], float]
) -> str:
    return " L".join(
        f"{scale.x(moment):.1f} {heights.y(value(slot)):.1f}"
        for slot in plan.slots
        for moment in (slot.start, slot.end)
    )


def _steps(
    plan: Plan, scale: _Times, heights: _Heights, value: Callable[[PlanSlot], float], look: str
) -> str:
    return f'<path class="{look}" d="M{_outline(plan, scale, heights, value)}"/>'


def _area(
    plan: Plan, scale: _Times, heights: _Heights, value: Callable[[PlanSlot], float], look: str
) -> str:
    zero = f"{heights.y(0):.1f}"
    outline = _outline(plan, scale, heights, value)
    return f'<path class="{look}" d="M{_LEFT} {zero} L{outline} L{_RIGHT} {zero} Z"/>'


def _rect(span: Span, scale: _Times, top: float, bottom: float, look: str) -> str:
    x, width = scale.x(span.first.start), scale.width(span.last.end - span.first.start)
    return (
        f'<rect class="mode {span.first.mode.value} {look}" x="{x:.1f}" y="{top}" '
        f'width="{width:.1f}" height="{bottom - top}"/>'
    )


def _text(x: float, y: float, words: str, look: str = "", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{look}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
    )


def _title(plan: Plan, zone: ZoneInfo) -> str:
    first, last = plan.slots[0].start, plan.slots[-1].end
    return f"The plan from {when(first, zone)} until {when(last, zone)}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
