"""The tables of the history file, and how an older file becomes a newer one."""

import sqlite3
from typing import Final

from ohmstead.errors import HistoryError

__all__ = ["STEPS", "check", "migrate"]

STEPS: Final = (
    # 1: signals, every sample for some days, and the three levels that are rolled up from them.
    """
    CREATE TABLE signal (
        id INTEGER PRIMARY KEY, device TEXT NOT NULL, point TEXT NOT NULL, form TEXT NOT NULL,
        UNIQUE (device, point, form)
    ) STRICT;
    CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
    CREATE TABLE batch (
        id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
        samples BLOB NOT NULL
    ) STRICT;
    CREATE INDEX batch_by_time ON batch (last_ms, first_ms);
    CREATE TABLE five (
        day TEXT NOT NULL, signal INTEGER NOT NULL, steps BLOB NOT NULL, UNIQUE (day, signal)
    ) STRICT;
    CREATE TABLE hour (
        day TEXT NOT NULL, signal INTEGER NOT NULL, steps BLOB NOT NULL, UNIQUE (day, signal)
    ) STRICT;
    CREATE TABLE day (
        day TEXT NOT NULL, signal INTEGER NOT NULL, start INTEGER NOT NULL,
        low REAL NOT NULL, high REAL NOT NULL, last REAL NOT NULL, count INTEGER NOT NULL,
        covered_s REAL NOT NULL, mean REAL NOT NULL, up REAL NOT NULL, down REAL NOT NULL,
        PRIMARY KEY (day, signal)
    ) STRICT, WITHOUT ROWID;
    """,
    # 2: the hours of a day that is not over, so that a start need not read the whole day again.
    """
    CREATE TABLE open_hour (start INTEGER PRIMARY KEY, steps BLOB NOT NULL) STRICT;
    CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    """,
)
"""What to run, one after the other; a file's ``user_version`` says how many it has seen."""


_TOO_NEW: Final = "it was written by a newer Ohmstead; update, or move it away"


def migrate(database: sqlite3.Connection, steps: tuple[str, ...] = STEPS) -> None:
    """Bring the file up to the last of *steps*; raises ``HistoryError`` if it is newer."""
    version = _version(database)
    if version > len(steps):
        raise HistoryError(_TOO_NEW)
    for number, step in enumerate(steps[version:], start=version + 1):
        database.executescript(f"BEGIN IMMEDIATE; {step} PRAGMA user_version = {number}; COMMIT;")


def check(database: sqlite3.Connection) -> None:
    """Raise ``HistoryError`` unless the file can be read as it is."""
    version = _version(database)
    if version > len(STEPS):
        raise HistoryError(_TOO_NEW)
    if version < len(STEPS):
        raise HistoryError("it was written by an older Ohmstead; `ohmstead run` updates it")


def _version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)
