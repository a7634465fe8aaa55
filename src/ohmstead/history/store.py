"""The history's file: SQLite, one writer, one transaction a batch, in a thread of its own."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self, TypeVar

from ohmstead.errors import HistoryError
from ohmstead.history.schema import check, migrate

__all__ = ["Store"]

T = TypeVar("T")

_PRAGMAS: Final = """
    PRAGMA busy_timeout = 5000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 1000;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA temp_store = MEMORY;
"""
"""With WAL, NORMAL may lose the last batches in a power cut and never damages the file."""
_TO_READ: Final = "PRAGMA busy_timeout = 5000;"

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

log = logging.getLogger(__name__)


class Store:
    """One history file; whoever wants something of it passes a function to ``run``."""

    def __init__(self, path: Path | None, *, read_only: bool = False) -> None:
        """Keep the history in the file *path*; None keeps it in memory, for demonstrations."""
        self._read_only = read_only
        self._path = path
        self._turn = asyncio.Lock()
        self._busy = threading.Lock()
        self._database: sqlite3.Connection | None = None

    async def __aenter__(self) -> Self:
        """Open the file, making it if need be, or raise ``HistoryError``.

        A damaged file is moved aside: a house must be controlled without its history too.
        """
        self._database = await asyncio.to_thread(self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the file."""
        if self._database is not None:
            database, self._database = self._database, None
            await asyncio.to_thread(self._close, database)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what *work* returns, done in one transaction, or raise ``HistoryError``."""
        async with self._turn:
            return await asyncio.to_thread(self._run, work)

    async def backup(self, path: Path) -> None:
        """Write a whole and compact copy of the file to *path*, which must not exist yet."""
        async with self._turn:
            await asyncio.to_thread(self._backup, path)

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            # A thread goes on when whoever waited for it is cancelled; the next must wait for it.
            with self._busy, self._opened() as database:
                return work(database)
        except sqlite3.Error as exc:
            raise HistoryError(f"{self._where}: {exc}; is the disk full or read-only?") from exc

    def _close(self, database: sqlite3.Connection) -> None:
        with self._busy:
            database.close()

    def _backup(self, path: Path) -> None:
        try:
            with self._busy:
                self._opened().execute("VACUUM INTO ?", (str(path),))
        except sqlite3.Error as exc:
            raise HistoryError(f"cannot copy {self._where} to {path}: {exc}") from exc

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            raise HistoryError(f"{self._where} is closed")
        return self._database

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as exc:
            code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
            if self._path is None or self._read_only or code not in _DAMAGED:
                raise self._unusable(exc) from exc
            aside = self._move_aside(self._path)
            log.warning("%s is damaged (%s); moved to %s, beginning anew", self._where, exc, aside)
        except OSError as exc:
            raise self._unusable(exc) from exc
        try:
            return self._connect()
        except (sqlite3.Error, OSError) as exc:
            raise self._unusable(exc) from exc

    def _connect(self) -> sqlite3.Connection:
        place = ":memory:" if self._path is None else self._path.absolute().as_uri()
        if self._path is not None and self._read_only:
            place += "?mode=ro"
        elif self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(
            place, check_same_thread=False, isolation_level="IMMEDIATE", uri=True
        )
        try:
            database.executescript(_TO_READ if self._read_only else _PRAGMAS)
            (check if self._read_only else migrate)(database)
        except sqlite3.Error:
            database.close()
            raise
        except HistoryError as exc:
            database.close()
            raise HistoryError(f"{self._where}: {exc}") from exc
        return database

    def _move_aside(self, path: Path) -> Path:
        number = 1
        while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
            number += 1
        path.rename(aside)
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        return aside

    def _unusable(self, why: Exception) -> HistoryError:
        return HistoryError(
            f"{self._where}: {why}; make it writable, or name another place with history.path"
        )

    @property
    def _where(self) -> str:
        return f"history {self._path or 'in memory'}"
