"""``ohmstead schema``: the configuration's JSON Schema."""

import click

from ohmstead.cli.common import print_json
from ohmstead.config.schema import json_schema

__all__ = ["command"]


@click.command("schema")
def command() -> None:
    """Print the configuration's JSON Schema.

    Save it and put `# yaml-language-server: $schema=ohmstead.schema.json` at the top of the file:
    the editor then completes and checks every key.
    """
    print_json(json_schema())
