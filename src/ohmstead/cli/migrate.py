"""``ohmstead migrate``: another system's settings, turned into ours."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ohmstead.cli.common import as_json_option, print_json
from ohmstead.config.givtcp import from_givtcp
from ohmstead.config.migration import Migration
from ohmstead.config.octolux import from_octolux
from ohmstead.errors import ConfigError

__all__ = ["command"]

F = TypeVar("F", bound=Callable[..., Any])


@click.group("migrate")
def command() -> None:
    """Turn another system's settings into an ohmstead.yaml."""


def _options(verb: F) -> F:
    """Give *verb* the file it reads and the ways to hand over what becomes of it."""
    for option in (
        as_json_option,
        click.option("--force", is_flag=True, help="Write over an existing file."),
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path, dir_okay=False),
            help="The file to write; the screen if not said.",
        ),
        click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True)),
    ):
        verb = option(verb)
    return verb


@command.command("octolux")
@_options
def octolux(file: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Turn octolux's config.ini into a configuration; what has no counterpart is told."""
    _hand_over(from_octolux(_read(file), file.name), output, force=force, as_json=as_json)


@command.command("givtcp")
@_options
def givtcp(file: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Turn GivTCP's settings into a configuration; what has no counterpart is told.

    FILE is an env file, a docker compose file, version 3's allsettings.json, or the options of
    the Home Assistant add-on.
    """
    _hand_over(from_givtcp(_read(file), file.name), output, force=force, as_json=as_json)


def _hand_over(migration: Migration, output: Path | None, *, force: bool, as_json: bool) -> None:
    """Write or print the configuration, and tell what it lacks."""
    if output is not None:
        _write(output, migration.yaml, force=force)
    if as_json:
        print_json(
            {
                "yaml": migration.yaml,
                "notes": list(migration.notes),
                "written": None if output is None else str(output),
            }
        )
        return
    if output is None:
        click.echo(migration.yaml, nl=False)
    else:
        click.echo(f"wrote {output}; now: ohmstead check -c {output}")
    for note in migration.notes:
        click.echo(f"note: {note}", err=True)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"{file} cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"{file} is not UTF-8 text; save it as UTF-8, and try again") from exc


def _write(output: Path, text: str, *, force: bool) -> None:
    """Write the whole file; an existing one is kept, even one that appears just now."""
    try:
        with output.open("w" if force else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as exc:
        raise ConfigError(
            f"{output} is there already; choose another name with -o, or --force"
        ) from exc
    except OSError as exc:
        raise ConfigError(
            f"{output} cannot be written ({exc.strerror}); choose another name with -o"
        ) from exc
