"""A plan as files: a page that stands by itself, and a PNG."""

from html import escape
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from ohmstead.cli.plan_picture import DARK, FONTS, LIGHT, picture, style_of
from ohmstead.cli.plan_spans import MODES, Span, money, power, price_range, spans_of, totals, when
from ohmstead.control.words import price
from ohmstead.errors import OhmsteadError
from ohmstead.model import Plan, PlanSlot

__all__ = ["page", "png", "write_file"]

_TWICE: Final = 2.0
"""So many pixels a point: sharp on today's screens."""
_PROBE: Final = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">{}</svg>'


def write_file(path: Path, content: str | bytes) -> None:
    """Write *path*; an error says which file and why."""
    data = content.encode() if isinstance(content, str) else content
    try:
        path.write_bytes(data)
    except OSError as exc:
        raise OhmsteadError(f"{path} cannot be written: {exc.strerror}") from exc


def png(plan: Plan, zone: ZoneInfo) -> bytes:
    """Return the picture of *plan*, in light colours, 2000 by 1200."""
    try:
        import resvg_py
    except ImportError as exc:
        raise OhmsteadError(
            "for PNG install the pictures: pip install 'ohmstead[pictures]'; --html needs nothing"
        ) from exc
    letter = _PROBE.format(f'<text y="30" font-family="{FONTS}" font-size="30">M</text>')
    if resvg_py.svg_to_bytes(letter) == resvg_py.svg_to_bytes(_PROBE.format("")):
        raise OhmsteadError("no font is installed to write with: apt install fonts-dejavu-core")
    return resvg_py.svg_to_bytes(picture(plan, zone, style_of(LIGHT)), zoom=_TWICE)


def page(plan: Plan, zone: ZoneInfo) -> str:
    """Return a web page with the picture and the reasons; it needs no other file."""
    night = f"@media (prefers-color-scheme: dark){{\n{style_of(DARK)}\n}}"
    drawn = picture(plan, zone, f"{style_of(LIGHT)}\n{night}")
    rows = "\n".join(_row(span, plan, zone) for span in spans_of(plan))
    slots = "\n".join(_slot(slot, plan, zone) for slot in plan.slots)
    return _PAGE.format(
        title=escape(f"The plan from {when(plan.slots[0].start, zone)}"),
        style=_STYLE,
        drawn=drawn,
        made=escape(f"Made {when(plan.made_at, zone)} of: {plan.made_of}."),
        totals=escape(totals(plan)),
        rows=rows,
        slots=slots,
        count=len(plan.slots),
    )


def _row(span: Span, plan: Plan, zone: ZoneInfo) -> str:
    start, moves = span.first.start, round(span.battery_w)
    way = "" if moves == 0 else " out" if moves > 0 else " in"
    others = len(span.reasons) - 1
    more = f" (and {others} more, below)" if others else ""
    mode = span.first.mode
    cells = (
        f"{when(start, zone)}–{when(span.last.end, zone, since=start)}",
        None,
        "–" if moves == 0 else f"{power(moves)}{way}",
        span.stored,
        price_range((slot.import_per_kwh for slot in span.slots), plan.currency),
        price_range((slot.export_per_kwh for slot in span.slots), plan.currency),
        money(span.cost, plan.currency),
    )
    told = "".join(
        f'<td><i class="{mode.value}"></i>{MODES[mode]}</td>'
        if cell is None
        else f"<td>{escape(cell)}</td>"
        for cell in cells
    )
    why = f'<td class="why" colspan="{len(cells)}">{escape(span.reasons[0])}{more}</td>'
    return f'<tr>{told}</tr><tr class="reason">{why}</tr>'


def _slot(slot: PlanSlot, plan: Plan, zone: ZoneInfo) -> str:
    cells = (
        when(slot.start, zone),
        MODES[slot.mode],
        f"{slot.battery_w:.0f}",
        f"{slot.grid_w:.0f}",
        f"{slot.pv_w:.0f}",
        f"{slot.load_w:.0f}",
        f"{slot.soc_pct:.0f}",
        price(slot.import_per_kwh, plan.currency),
        price(slot.export_per_kwh, plan.currency),
        money(slot.cost, plan.currency),
    )
    told = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr>{told}<td class="why">{escape(slot.reason)}</td></tr>'


def _colours(colours: dict[str, str]) -> str:
    names = "".join(f"--{name}:{colours[name]};" for name in ("ground", "ink", "quiet", "rule"))
    modes = "".join(f"i.{mode.value}{{background:{colours[mode.value]}}}" for mode in MODES)
    return f":root{{{names}}}{modes}"


_STYLE: Final = f"""{_colours(LIGHT)}
@media (prefers-color-scheme: dark){{{_colours(DARK)}}}
body{{margin:0;background:var(--ground);color:var(--ink);font:15px/1.45 system-ui,sans-serif}}
main{{max-width:1000px;margin:auto;padding:1rem}}
figure{{margin:0;overflow-x:auto}}
figure svg{{display:block;width:100%;min-width:40rem;height:auto}}
p{{color:var(--quiet)}}
h1{{font-size:1.3rem}} summary{{cursor:pointer;color:var(--quiet);margin:1rem 0 .5rem}}
div{{overflow-x:auto}}
table{{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}}
th{{text-align:left;font-weight:600;font-size:.85rem;color:var(--quiet)}}
td,th{{border-top:1px solid var(--rule);padding:.3rem .7rem .3rem 0;vertical-align:top}}
.reason td{{border-top:0;padding-top:0;padding-bottom:.5rem}}
td{{white-space:nowrap}} td.why{{white-space:normal;min-width:16rem;color:var(--quiet)}}
i{{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.45em}}
@media (max-width: 45rem){{
.spans tr{{display:flex;flex-wrap:wrap;border-top:1px solid var(--rule);padding-top:.3rem}}
.spans .reason{{border-top:0;padding:0 0 .3rem}}
.spans th{{display:none}} .spans td{{border:0;padding:0 .9rem 0 0}}
}}"""

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<figure>
{drawn}
</figure>
<p>{made} It {totals}.</p>
<div><table class="spans">
<tr><th>when</th><th>mode</th><th>power</th><th>battery</th><th>import</th><th>export</th>\
<th>cost</th></tr>
{rows}
</table></div>
<details>
<summary>All {count} slots; powers are mean W, battery above 0 discharges, grid above 0 imports\
</summary>
<div><table>
<tr><th>from</th><th>mode</th><th>battery</th><th>grid</th><th>sun</th><th>house</th>\
<th>%</th><th>import</th><th>export</th><th>cost</th><th>why</th></tr>
{slots}
</table></div>
</details>
</main>
</body>
</html>
"""
