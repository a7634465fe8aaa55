"""``ohmstead capture``: a device's own words, for the tests that judge a register table."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from ohmstead.clock import SystemClock
from ohmstead.config.catalogue import FAMILIES, validator
from ohmstead.errors import ConfigError
from ohmstead.model import Value
from ohmstead.ports import ExploringPort
from ohmstead.registers import RegisterTable

__all__ = ["command"]

_PRIVATE: Final = ("serial",)
_NOBODY: Final = 0x3535
"""Two fives: the serial number that belongs to nobody."""


@click.command("capture")
@click.argument("host")
@click.argument("family", type=click.Choice(list(FAMILIES)))
@click.option("--port", type=int, help="The device's port, if it is not the usual one.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE",
              help="What else the family needs to know: --option datalog=BA12345678.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False),
              default=Path("captures"), show_default=True, help="Where to put it.")  # fmt: skip
def command(
    host: str, family: str, port: int | None, options: tuple[str, ...], output: Path
) -> None:
    """Read the FAMILY device at HOST into a folder that can be shared.

    Serial numbers are taken out. Compare display.json with what the device's own display shows,
    put the differences right by hand, and the folder becomes a test of the register table.
    """
    if not FAMILIES[family].tables:
        raise ConfigError(f"{family} is not read by registers, so there is nothing to capture")
    given: dict[str, Any] = {"host": host} | ({"port": port} if port else {})
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise ConfigError(f"{option!r} is not KEY=VALUE")
        given[key] = value
    try:
        settings = validator(FAMILIES[family].settings).validate_python(given)
    except ValueError as exc:
        raise ConfigError(f"{family}: {exc}") from exc
    folder = asyncio.run(_capture(family, settings, output))
    click.echo(f"wrote {folder}; now compare {folder / 'display.json'} with the device's display")


async def _capture(family: str, settings: object, output: Path) -> Path:
    clock = SystemClock()
    driver = FAMILIES[family].driver("device", settings, clock, ZoneInfo("UTC"))
    async with driver:
        await driver.read()
        if isinstance(driver, ExploringPort):
            click.echo("looking for everything behind it, some 15 seconds…", err=True)
            await driver.explore()
        model, spaces = driver.captured()
    tables = FAMILIES[family].tables_for(model)
    words, display = _redacted(tables, spaces)
    folder = output / f"{model}_{_firmware(display)}"
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in (("words.json", {"model": model, **words}), ("display.json", display)):
        (folder / file).write_text(json.dumps(content, indent=1, default=_text) + "\n")
    return folder


def _firmware(display: Mapping[str, Value]) -> Value:
    found = (display.get(name) for name in ("firmware", "arm_firmware"))
    return next((value for value in found if value is not None), "unknown")


def _redacted(
    tables: Mapping[str, RegisterTable], spaces: Mapping[str, Mapping[int, int]]
) -> tuple[dict[str, dict[str, int]], dict[str, Value]]:
    """Return the words with serial numbers overwritten, and what the rest means."""
    words: dict[str, dict[str, int]] = {}
    display: dict[str, Value] = {}
    for space, table in tables.items():
        held = dict(spaces.get(space, {}))
        for row in table:
            if any(part in row.name for part in _PRIVATE):
                held |= {address: _NOBODY for address in row.addresses if address in held}
        words[space] = {str(address): word for address, word in sorted(held.items())}
        display |= {k: v for k, v in table.decode(held).values.items() if v is not None}
    return words, display


def _text(value: object) -> str:
    if isinstance(value, time):
        return value.isoformat("minutes")
    return value.isoformat() if isinstance(value, datetime) else str(value)
