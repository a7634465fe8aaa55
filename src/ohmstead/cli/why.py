"""``ohmstead why``: explain the current decision."""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from ohmstead import app
from ohmstead.cli.common import as_json_option, config_option, plan_of, print_json, show, table
from ohmstead.cli.service import ask_service
from ohmstead.clock import SystemClock
from ohmstead.config.settings import Settings

__all__ = ["command"]


@click.command("why")
@config_option
@click.option(
    "--journal", "writes", type=int, default=0, metavar="N", help="Show the last N writes too."
)
@as_json_option
def command(settings: Settings, writes: int, as_json: bool) -> None:
    """Say what the battery does now, and what every strategy said.

    Without a running service the house is looked at once and nothing is commanded.
    """
    decision = ask_service(settings, "decision")
    journal = ask_service(settings, f"journal?limit={writes}") if writes else None
    if decision is None:
        from ohmstead.web.schema import decision_view, journal_view

        clock = SystemClock()
        plan = plan_of(settings, clock)
        tick = asyncio.run(app.look(plan, clock))
        decision = decision_view(tick.decision).model_dump(mode="json")
        entries = asyncio.run(app.last_writes(plan, clock, writes)) if writes else ()
        journal = [journal_view(entry).model_dump(mode="json") for entry in entries]
    if as_json:
        print_json({"decision": decision, "journal": journal or []})
        return
    command_ = decision["command"]
    click.echo(f"{command_['mode'] if command_ else 'left to itself'}: {decision['reason']}")
    marks = (("overruled", "overruled"), ("spoke", "spoke"), ("blind", "knows too little"))
    rows = [
        (a["strategy"], next((word for key, word in marks if a[key]), "passed"), a["reason"])
        for a in decision["trail"]
    ]
    table("every strategy, in order", ("strategy", "", "said"), rows)
    zone = ZoneInfo(settings.site.timezone)
    if journal:
        lines = [
            (
                f"{datetime.fromisoformat(e['at']).astimezone(zone):%d %b %H:%M:%S}",
                f"{e['device']} {e['point']}",
                f"{show(e['old'])} -> {show(e['new'])}",
                e["state"],
                f"{e['why']} ({e['asked_by']})",
            )
            for e in journal
        ]
        table("last writes", ("when", "what", "", "", "why"), lines)
