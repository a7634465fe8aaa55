"""Small JSON files that survive a restart: read with patience, written whole or not at all."""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["read_json", "write_json"]

log = logging.getLogger(__name__)

KeptT = TypeVar("KeptT")


def read_json(path: Path | None, understand: Callable[[Any], KeptT], loss: str) -> KeptT | None:
    """Return what *understand* makes of *path*; None if there is nothing.

    A file that cannot be understood is set aside as ``.broken``; *loss* says what that costs.
    """
    if path is None or not path.exists():
        return None
    try:
        return understand(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as exc:
        aside = path.with_suffix(".broken")
        log.warning(
            "%s cannot be understood (%s): %s; set aside as %s", path, exc, loss, aside.name
        )
        try:
            path.replace(aside)
        except OSError as inner:
            log.warning("%s cannot be set aside: %s", path, inner)
        return None


def write_json(path: Path | None, document: object, loss: str) -> None:
    """Keep *document* in *path*; where the disk does not take it, *loss* says what that costs."""
    if path is None:
        return
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as exc:
        log.warning("%s cannot be written (%s): %s", path, exc, loss)
