"""The demonstration in the terminal: prices, powers, plan, decision, last writes."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ohmstead.cli.demo_day import Demo
from ohmstead.cli.demo_strip import BLOCKS, strip
from ohmstead.control.words import price
from ohmstead.model import JournalEntry, SiteSnapshot, Tick, shown
from ohmstead.outputs.describe import describe, name_of

__all__ = ["plain", "price_bars", "view"]


def view(demo: Demo, tick: Tick, writes: Sequence[JournalEntry]) -> RenderableType:
    """Return the whole screen for one turn."""
    site, decision = tick.snapshot, tick.decision
    command = decision.command
    zone = demo.scenario.timezone
    powers = Table.grid(padding=(0, 3))
    powers.add_row("Solar", "Grid", "Battery", "State of charge", "House", style="dim")
    powers.add_row(
        _watts(site.pv_w),
        _sided(site.grid_w, "import", "export"),
        _sided(site.battery_w, "out", "in"),
        "–" if site.soc_pct is None else f"{site.soc_pct:.0f} % {_bar(site.soc_pct)}",
        _watts(site.load_w),
    )
    decided = Text()
    decided.append(name_of(command) if command else "the inverter is left to itself", "bold green")
    decided.append(f"\nbecause {decision.reason}")
    for device in site.devices.values():
        if device.trouble:
            decided.append(f"\n{device.trouble}", "red")
    rows = Table.grid(padding=(0, 2), expand=True)
    for _ in range(3):
        rows.add_column(no_wrap=True)
    rows.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for entry in writes:
        when = f"{entry.at.astimezone(zone):%H:%M}"
        rows.add_row(
            when, entry.point, f"{shown(entry.old)} → {shown(entry.new)}", Text(entry.why, "dim")
        )
    page = f"http://127.0.0.1:{demo.port}" if demo.port else "its way"
    title = f"{site.local:%a %d %b %H:%M} · {demo.scenario.title}"
    hint = f"the page is on {page}; Ctrl-C ends and sums up"
    return Group(
        Panel(
            price_bars(demo, site.at),
            title=title,
            title_align="left",
            subtitle=hint,
            subtitle_align="left",
        ),
        Panel(powers, title="House", title_align="left"),
        Panel(_plan(demo, site), title="The plan", title_align="left"),
        Panel(decided, title="Decision", title_align="left"),
        Panel(rows, title="Last writes to the inverter", title_align="left"),
    )


def _plan(demo: Demo, site: SiteSnapshot) -> Text:
    if site.plan is None:
        return Text("none yet", "dim")
    return strip(site.plan, demo.scenario.timezone)


def price_bars(demo: Demo, now: datetime) -> Text:
    """Return the day's prices as a row of bars, the present one marked."""
    day = [(at, cost) for at, cost in demo.scenario.import_prices if at < demo.ends]
    low, high = min(c for _, c in day), max(c for _, c in day)
    text = Text()
    for at, cost in day:
        level = int((cost - low) / ((high - low) or 1) * (len(BLOCKS) - 1))
        is_now = at <= now and (now - at).total_seconds() < 1800  # noqa: PLR2004 - half an hour
        text.append(BLOCKS[level], "bold yellow" if is_now else "cyan" if at > now else "dim")
    present = [cost for at, cost in day if at <= now]
    text.append(f"  {price(low)} to {price(high)}")
    if present:
        text.append(f", now {price(present[-1])}", "bold")
    return text


def plain(tick: Tick) -> str:
    """Return one line for one turn."""
    site, command = tick.snapshot, tick.decision.command
    soc = "  –" if site.soc_pct is None else f"{site.soc_pct:3.0f}"
    decided = name_of(command) if command else "left to itself"
    wrote = [describe(r) for r in tick.results if getattr(r, "wrote", ())]
    line = (
        f"{site.local:%H:%M} {soc} % {_watts(site.battery_w):>8}  {decided}: {tick.decision.reason}"
    )
    return "\n      ".join([line, *wrote])


def _watts(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} W"


def _sided(value: float | None, above: str, below: str) -> str:
    if value is None:
        return "–"
    side = above if value > 0 else below if value < 0 else ""
    return f"{abs(value):.0f} W {side}".rstrip()


def _bar(percent: float) -> str:
    full = round(percent / 10)
    return "█" * full + "░" * (10 - full)
