"""``ohmstead devices``: the devices, and how they are."""

import asyncio
from typing import Any

import click

from ohmstead import app
from ohmstead.cli.common import as_json_option, config_option, plan_of, print_json, table
from ohmstead.cli.service import ask_service
from ohmstead.clock import SystemClock
from ohmstead.config.settings import Settings

__all__ = ["command", "known_devices"]


@click.command("devices")
@config_option
@as_json_option
def command(settings: Settings, as_json: bool) -> None:
    """List the devices, from the running service or by asking them."""
    devices = known_devices(settings)
    if as_json:
        print_json(devices)
        return
    rows = [
        (
            d["name"],
            d["family"],
            d["trouble"] or "fine",
            d["last_seen"] or "never",
            len(d["values"]),
        )
        for d in devices
    ]
    table(settings.site.name, ("device", "family", "state", "last seen", "values"), rows)


def known_devices(settings: Settings, explore: str = "") -> list[dict[str, Any]]:
    """Return every device as the API shows it; *explore* names one to be read to the last."""
    from ohmstead.web.schema import device_view

    answer = ask_service(settings, "devices")
    if answer is not None:
        return list(answer)
    clock = SystemClock()
    tick = asyncio.run(app.look(plan_of(settings, clock), clock, explore))
    return [device_view(d).model_dump(mode="json") for d in tick.snapshot.devices.values()]
