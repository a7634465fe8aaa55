"""``ohmstead why``: explain the current decision."""

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from ohmstead import app
from ohmstead.cli.common import (
    as_json_option,
    config_option,
    plan_of,
    plan_with_past,
    print_json,
    table,
)
from ohmstead.cli.service import ask_service
from ohmstead.clock import Clock, SystemClock
from ohmstead.config.settings import Settings
from ohmstead.model import Tick, shown

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
        tick = asyncio.run(_look(settings, clock))
        decision = decision_view(tick.decision).model_dump(mode="json")
        house = plan_of(settings, clock)
        entries = asyncio.run(app.last_writes(house, clock, writes)) if writes else ()
        journal = [journal_view(entry).model_dump(mode="json") for entry in entries]
    if as_json:
        print_json({"decision": decision, "journal": journal or []})
        return
    command_ = decision["command"]
    click.echo(f"{command_['mode'] if command_ else 'left to itself'}: {decision['reason']}")
    zone = ZoneInfo(settings.site.timezone)
    for ahead in decision["ahead"]:
        start, until = (
            datetime.fromisoformat(ahead[end]).astimezone(zone) for end in ("start", "until")
        )
        click.echo(
            f"{ahead['device']} charges from {start:%H:%M} to {until:%H:%M} by itself, "
            "should Ohmstead fall silent"
        )
    marks = (("overruled", "overruled"), ("spoke", "spoke"), ("blind", "nothing to say"))
    rows = [
        (a["strategy"], next((word for key, word in marks if a[key]), "passed"), a["reason"])
        for a in decision["trail"]
    ]
    table("every strategy, in order", ("strategy", "", "said"), rows)
    for entry in journal or []:
        at = datetime.fromisoformat(entry["at"]).astimezone(zone)
        old, new = (shown(entry[key]) for key in ("old", "new"))
        click.echo(f"{at:%d %b %H:%M:%S} {entry['device']} {entry['point']} {old} -> {new}")
        click.echo(f"    {entry['state']}: {entry['why']} ({entry['asked_by']})")


async def _look(settings: Settings, clock: Clock) -> Tick:
    async with plan_with_past(settings, clock) as plan:
        return await app.look(plan, clock)
