"""``ohmstead init``: a few questions, then a configuration."""

from pathlib import Path
from typing import Final

import click

from ohmstead.config.document import read_document
from ohmstead.config.load import read_settings
from ohmstead.errors import ConfigError

__all__ = ["command", "configuration"]

_TEMPLATE: Final = """\
# Ohmstead's configuration. `ohmstead check` looks at it, `ohmstead why` explains what it does.
# Every key: docs/configuration.md; for your editor: `ohmstead schema > ohmstead.schema.json`.
# yaml-language-server: $schema=ohmstead.schema.json
site:
  name: {name}
  timezone: {timezone}
devices:
  - name: inverter
    family: luxpower
    host: {host}            # the datalogger's address; its local server listens on port 8000
    datalog: "{datalog}"     # both serial numbers stand on the stickers
    serial: "{serial}"
prices:
  import: {{source: octopus, tariff: {tariff}}}
  # export: {{source: fixed, price_per_kwh: 0.15}}
control:                      # the first that has something to say decides; limits come before all
  - limits: {{min_soc_pct: 10}}
  - price_threshold: {{at_most_per_kwh: {threshold}}}
  # - rule:
  #     when: "price.import > 0.35 && battery.soc > 50"
  #     do: {{discharge: {{power_w: 3000}}}}
  - self_consumption: {{reserve_pct: 10}}
  - keep_clock: {{}}
web:
  listen: 127.0.0.1:8080      # to reach it from elsewhere: 0.0.0.0:8080 and a password
  # password: !secret web     # in secrets.yaml beside this file
"""


@click.command("init")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("ohmstead.yaml"),
              show_default=True, help="The file to write.")  # fmt: skip
@click.option("--force", is_flag=True, help="Write over an existing file.")
@click.option("--name", prompt="What is the house called (small letters)", default="home")
@click.option("--timezone", prompt="Its time zone", default="Europe/London")
@click.option("--host", prompt="The datalogger's address on your network", default="192.168.1.20")
@click.option("--datalog", prompt="The datalogger's serial number (10 characters)")
@click.option("--serial", prompt="The inverter's serial number (10 characters)")
@click.option("--tariff", prompt="Your Octopus tariff code", default="E-1R-AGILE-24-10-01-C")
@click.option(
    "--threshold", prompt="Charge at this price or less, in pounds", default=0.05, type=float
)
def command(output: Path, force: bool, **answers: str) -> None:
    """Ask a few questions and write a configuration that works.

    Every question can be answered by an option instead.
    """
    if output.exists() and not force:
        raise ConfigError(f"{output} is there already; choose another name with -o, or --force")
    text = configuration(**answers)
    fresh = output.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    try:
        read_settings(read_document(fresh, {}))
    except ConfigError as exc:
        fresh.unlink()
        raise ConfigError(f"nothing was written, an answer cannot be right: {exc}") from exc
    fresh.replace(output)
    click.echo(f"wrote {output}; now: ohmstead check -c {output}")


def configuration(**answers: object) -> str:
    """Return a configuration with *answers* filled in."""
    return _TEMPLATE.format(**answers)
