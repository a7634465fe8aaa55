"""``ohmstead prices``: a chart and a table."""

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.text import Text

from ohmstead.cli.common import as_json_option, config_option, print_json, table
from ohmstead.cli.service import ask_service
from ohmstead.clock import SystemClock
from ohmstead.config import build
from ohmstead.config.settings import Settings
from ohmstead.control.words import price
from ohmstead.errors import PriceSourceError

__all__ = ["command"]

_WIDTH = 40


@click.command("prices")
@config_option
@as_json_option
def command(settings: Settings, as_json: bool) -> None:
    """Show the import and export prices from now on."""
    answer = ask_service(settings, "prices")
    found = answer if answer is not None else asyncio.run(_fetch(settings))
    if as_json:
        print_json(found)
        return
    if not any(found.values()):
        raise PriceSourceError("no prices are configured; see `prices:` in docs/configuration.md")
    now, zone = SystemClock().now(), ZoneInfo(settings.site.timezone)
    for direction, curve in found.items():
        if curve:
            _draw(direction, curve, now, zone)


async def _fetch(settings: Settings) -> dict[str, Any]:
    from ohmstead.web.schema import curve_view

    now, found = SystemClock().now(), {}
    for name, source in zip(("import", "export"), build.prices(settings), strict=True):
        view = curve_view(await source.curve(now), now) if source else None
        found[name] = view.model_dump(mode="json") if view else None
    return found


def _draw(direction: str, curve: dict[str, Any], now: datetime, zone: ZoneInfo) -> None:
    slots = [s for s in curve["slots"] if datetime.fromisoformat(s["end"]) > now]
    top = max([abs(slot["per_kwh"]) for slot in slots] + [0.01])
    rows = []
    for slot in slots:
        begins = datetime.fromisoformat(slot["start"]).astimezone(zone)
        length = round(abs(slot["per_kwh"]) / top * _WIDTH)
        bar = Text("█" * length, "red" if slot["per_kwh"] < 0 else "cyan")
        bar.append(_note(slot))
        rows.append((f"{begins:%a %H:%M}", price(slot["per_kwh"], curve["currency"]), bar))
    age = "" if curve["age_s"] is None else f", fetched {curve['age_s'] / 60:.0f} min ago"
    table(f"{direction}: {curve['source']}{age}", ("from", "price", ""), rows)


def _note(slot: dict[str, Any]) -> Text:
    """Return what makes a price other than the tariff's own, and how sure that is."""
    kind = str(slot.get("kind") or "").replace("_", " ")
    sure = float(slot.get("confidence", 1))
    return Text(
        f" {kind}, {sure:.0%} sure" if kind and sure < 1 else f" {kind}" * bool(kind), "dim"
    )
