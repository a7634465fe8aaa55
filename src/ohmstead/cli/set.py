"""``ohmstead set``: change one setting of one device."""

import asyncio

import click

from ohmstead import app
from ohmstead.cli.common import as_json_option, config_option, plan_of, print_json
from ohmstead.cli.service import ask_service
from ohmstead.clock import SystemClock
from ohmstead.config.settings import Settings
from ohmstead.errors import RequestError
from ohmstead.model import Applied, SettingChange
from ohmstead.outputs.describe import describe

__all__ = ["command"]


@click.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("device")
@click.argument("point")
@click.argument("value")
@config_option
@as_json_option
def command(device: str, point: str, value: str, settings: Settings, as_json: bool) -> None:
    """Set POINT of DEVICE to VALUE: checked, journalled, written, read back.

    With the service running it goes through it.
    """
    answer = ask_service(
        settings,
        f"settings/{device}/{point}",
        method="PUT",
        body={"value": value, "why": "ohmstead set"},
    )
    if answer is not None:
        said = ", ".join(f"{key} is {new}" for key, new in answer["wrote"].items()) or "already so"
        print_json(answer) if as_json else click.echo(f"{device}: {said}")
        return
    clock = SystemClock()
    change = SettingChange(device=device, point=point, value=value)
    result = asyncio.run(app.change(plan_of(settings, clock), clock, change))
    if not isinstance(result, Applied):
        raise RequestError(describe(result))
    print_json(result) if as_json else click.echo(describe(result))
