"""Lines that a database will never take: put aside, where their owner can look at them."""

import logging
import re
from pathlib import Path
from typing import Final

__all__ = ["RefusedLines"]

log = logging.getLogger(__name__)

_FILE: Final = "lines.rejected"
_MOST_BYTES: Final = 5_000_000
_MOST_SENTENCES: Final = 100


class RefusedLines:
    """A file of refused lines, each below the server's sentence; the log has a sentence once."""

    def __init__(self, folder: Path | None) -> None:
        """Keep the file in *folder*; without one, lines are only logged and counted."""
        self._path = folder / _FILE if folder else None
        self._said: set[str] = set()
        self.count = 0

    def add(self, place: str, line: str, why: str) -> None:
        """Put *line* aside, which *place* refused, saying *why*."""
        self.count += 1
        # The same trouble with another line or moment differs in its numbers alone.
        kind = re.sub(r"[\d.]+", "#", why)
        if kind not in self._said and len(self._said) < _MOST_SENTENCES:
            self._said.add(kind)
            where = f"see {self._path}" if self._path else "it is lost"
            log.warning("%s refused a line, %s: %s: %.200s", place, where, why, line)
        if self._path is not None:
            try:
                self._append(self._path, f"# {why}\n{line}\n")
            except OSError as exc:
                log.error("a refused line is lost: %s", exc)  # noqa: TRY400 - the disk is at fault, not the code

    def _append(self, path: Path, text: str) -> None:
        if path.exists() and path.stat().st_size > _MOST_BYTES:
            path.replace(path.with_name(f"{_FILE}.old"))
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
