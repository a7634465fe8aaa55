"""``ohmstead read``: one device, all points or some."""

import sys

import click

from ohmstead.cli.common import as_json_option, config_option, print_json, table
from ohmstead.cli.devices import known_devices
from ohmstead.config.settings import Settings
from ohmstead.errors import RequestError
from ohmstead.model import shown, unit_of

__all__ = ["command"]


@click.command("read")
@click.argument("device")
@click.argument("points", nargs=-1)
@config_option
@as_json_option
def command(device: str, points: tuple[str, ...], settings: Settings, as_json: bool) -> None:
    """Read DEVICE, all its points or only POINTS.

    With the service running the values are its own last ones; otherwise the device is asked,
    and whatever hangs behind it is looked for, which may take a quarter of a minute.
    """
    known = {found["name"]: found for found in known_devices(settings, explore=device)}
    if device not in known:
        raise RequestError(f"there is no device {device}; there is {', '.join(known) or 'none'}")
    found = known[device]
    if found["trouble"]:
        click.echo(found["trouble"], err=True)
    values = found["values"]
    unknown = [point for point in points if point not in values]
    if unknown and values:
        raise RequestError(
            f"{device} says nothing of {', '.join(unknown)}; see ohmstead read {device}"
        )
    chosen = {point: values.get(point) for point in points} if points else values
    if as_json:
        print_json(chosen)
    else:
        rows = [
            (key, f"{shown(value)} {unit_of(key) or ''}", found["doubts"].get(key, ""))
            for key, value in chosen.items()
        ]
        table(device, ("point", "value", ""), rows)
    sys.exit(1 if found["trouble"] else 0)
