"""What becomes of another system's settings: a configuration, and what it could not take along."""

import json
from dataclasses import dataclass

__all__ = ["Migration", "quoted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A configuration, and what could not be carried over."""

    yaml: str
    notes: tuple[str, ...]


def quoted(text: str) -> str:
    """Return *text* as YAML that can mean nothing but this text."""
    # JSON lets through what YAML takes for the end of a line, or not at all.
    letters = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in letters)
