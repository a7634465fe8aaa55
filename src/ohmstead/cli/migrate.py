"""``ohmstead migrate``: another system's settings, turned into ours."""

from pathlib import Path

import click

from ohmstead.config.octolux import from_octolux
from ohmstead.errors import ConfigError

__all__ = ["command"]


@click.group("migrate")
def command() -> None:
    """Turn another system's settings into an ohmstead.yaml."""


@command.command("octolux")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file to write; the screen if not said.",
)
@click.option("--force", is_flag=True, help="Write over an existing file.")
def octolux(file: Path, output: Path | None, force: bool) -> None:
    """Turn octolux's config.ini into a configuration; what has no counterpart is told."""
    migration = from_octolux(file.read_text(encoding="utf-8"), file.name)
    if output is None:
        click.echo(migration.yaml, nl=False)
    elif output.exists() and not force:
        raise ConfigError(f"{output} is there already; choose another name with -o, or --force")
    else:
        output.write_text(migration.yaml, encoding="utf-8")
        click.echo(f"wrote {output}; now: ohmstead check -c {output}")
    for note in migration.notes:
        click.echo(f"note: {note}", err=True)
