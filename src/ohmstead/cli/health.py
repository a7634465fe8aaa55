"""``ohmstead health``: is the service well? For health checks, which read the exit status."""

from pathlib import Path
from typing import Final

import click

from ohmstead.errors import ConfigError, OhmsteadError

__all__ = ["command"]

_PATIENCE_S: Final = 10.0


@click.command("health")
@click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("ohmstead.yaml"),
    show_default=True,
    envvar="OHMSTEAD_CONFIG",
    help="The configuration file.",
)
def command(path: Path) -> None:
    """Ask the running service whether it is well.

    Exit status 0 if it takes its turns and every device answers, else 1 and the reason.
    """
    # Here, not above: this verb runs every minute, and its --help needs none of it.
    from ohmstead.cli.service import ask_service
    from ohmstead.config.load import load

    try:
        settings = load(path)
    except ConfigError as exc:
        # Its own status 2 is one that a container's health check must not end with.
        raise OhmsteadError(str(exc)) from exc
    if not settings.web.enabled:
        raise OhmsteadError(
            "the page and the API are switched off, so nobody can be asked; "
            "set web.enabled to true, or leave the health check out"
        )
    said = ask_service(settings, "health", patience_s=_PATIENCE_S)
    if said is None:
        raise OhmsteadError(
            f"no service answers on {settings.web.listen}; is `ohmstead run` there?"
        )
    click.echo(f"well: the last turn was at {said['last_tick']}")
    for note in said.get("notes", ()):
        click.echo(f"but: {note}")
