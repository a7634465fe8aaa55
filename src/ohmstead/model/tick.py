"""One turn of the loop: what was seen, decided and done. All that outputs ever know."""

from dataclasses import dataclass

from ohmstead.model.command import CommandResult
from ohmstead.model.decision import Decision
from ohmstead.model.site import SiteSnapshot

__all__ = ["Tick"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """See, decide, command, tell."""

    snapshot: SiteSnapshot
    decision: Decision
    results: tuple[CommandResult, ...] = ()
    took_s: float = 0.0
    """How long the turn took, waiting for devices included."""
