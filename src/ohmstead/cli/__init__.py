"""The command line: one file a verb, loaded only when that verb is used."""

import os
import sys
from importlib import import_module
from typing import Final

import click

from ohmstead import __version__
from ohmstead.errors import ConfigError, OhmsteadError

__all__ = ["cli", "main"]

VERBS: Final = {
    "run": "The service: read, decide, command and tell, until stopped.",
    "once": "One turn and exit, for cron.",
    "check": "Validate the configuration and reach every device.",
    "health": "Ask the running service whether it is well.",
    "init": "A few questions, then a configuration.",
    "discover": "Find devices on the network.",
    "devices": "The devices, and how they are.",
    "read": "Read one device.",
    "set": "Change one setting of one device.",
    "history": "What days cost; recordings out to files and in from them.",
    "prices": "The prices, as a chart and a table.",
    "plan": "The cheapest way through the coming hours.",
    "backtest": "What strategies and tariffs would have cost over a year.",
    "why": "Explain the current decision.",
    "demo": "A simulated house on this machine, live in the terminal.",
    "simulate": "One simulated device or price server.",
    "capture": "Read a device into a redacted capture folder.",
    "migrate": "Turn another system's settings into ours.",
    "schema": "The configuration's JSON Schema, for editors.",
}


_PLANNERS: Final = frozenset({"plan", "backtest"})
"""Verbs that plan as fast as they can: with compiled kernels, if numba is installed."""
_SWITCH: Final = "OHMSTEAD_FAST"
"""What ``ohmstead.compiled`` reads; its own name for it would load numpy for every verb."""


class _Verbs(click.Group):
    """Knows every verb's name and sentence without importing its file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order in which an owner meets them."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one verb, importing its file."""
        del ctx
        if cmd_name not in VERBS:
            return None
        if cmd_name in _PLANNERS:
            os.environ.setdefault(_SWITCH, "1")
        command = import_module(f"ohmstead.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - what every verb's file defines
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table above."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """Ohmstead: a local-first home-energy controller.

    Start with `ohmstead demo` to see a simulated day, then `ohmstead init` for your own house.
    """


def main() -> None:
    """Run the command line; errors are one sentence, exit 1 for failed, 2 for misused."""
    code: object = None
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as exc:
        exc.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except OhmsteadError as exc:
        _fail(exc)
    except BaseExceptionGroup as group:
        ours = group.subgroup(OhmsteadError)
        if ours is None or group.split(OhmsteadError)[1] is not None:
            raise
        _fail(_first(ours))
    sys.exit(code if isinstance(code, int) else 0)


def _fail(error: BaseException) -> None:
    click.echo(f"ohmstead: {error}", err=True)
    sys.exit(2 if isinstance(error, ConfigError) else 1)


def _first(group: BaseExceptionGroup[OhmsteadError]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
