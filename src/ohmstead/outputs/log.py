"""Writes what changed into the log: decisions, commands and how they ended."""

import logging
from collections.abc import AsyncIterator

from ohmstead.model import Applied, Tick
from ohmstead.outputs.describe import describe, name_of

__all__ = ["log_ticks"]

log = logging.getLogger(__name__)


async def log_ticks(ticks: AsyncIterator[Tick]) -> None:
    """Log each tick that says something new."""
    said: dict[str, str] = {}
    async for tick in ticks:
        command = tick.decision.command
        decided = name_of(command) if command else "the inverter is left to itself"
        if said.get("decision") != decided:
            log.info("decided: %s, because %s", decided, tick.decision.reason)
        said["decision"] = decided
        for result in tick.results:
            sentence, key = describe(result), f"{result.device} {name_of(result.command)}"
            if said.get(key) != sentence and not (isinstance(result, Applied) and not result.wrote):
                log.log(logging.INFO if isinstance(result, Applied) else logging.WARNING, sentence)
            said[key] = sentence
