"""What we wrote to which device, kept on disk before it is sent, so that it can be undone.

One small SQLite file. An entry is committed to the disk before its write goes on the wire:
whatever ends the program, the next start knows what the device may hold that is not its
owner's.
"""

import asyncio
import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Final, Self

from ohmstead.errors import JournalError
from ohmstead.model import JournalEntry, Value, WriteState

__all__ = ["Journal"]

_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE writes (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL, device TEXT NOT NULL, point TEXT NOT NULL,
    old TEXT NOT NULL, new TEXT NOT NULL,
    asked_by TEXT NOT NULL, why TEXT NOT NULL,
    state TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '',
    lease INTEGER NOT NULL, until TEXT, counts INTEGER NOT NULL
) STRICT;
CREATE INDEX writes_by_point ON writes (device, point, at);
CREATE INDEX writes_on_lease ON writes (lease) WHERE lease;
CREATE TABLE memory (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""
_COLUMNS: Final = "id, at, device, point, old, new, asked_by, why, state, detail, lease, until"


class Journal:
    """The journal of one site; every method is one transaction."""

    def __init__(self, path: Path | None) -> None:
        """Keep the journal in the file *path*; None keeps it in memory, for demonstrations."""
        self._path = path
        self._turn = asyncio.Lock()
        self._database: sqlite3.Connection | None = None

    async def __aenter__(self) -> Self:
        """Open the file, making it if need be; raises ``JournalError`` if it is not usable."""
        self._database = await asyncio.to_thread(self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    async def begin(self, entry: JournalEntry, *, counts: bool) -> int:
        """Note, safely on disk, that *entry* is about to be sent, and return its number.

        *counts* says whether it counts against the budget; the number *entry* has is not used.
        """
        row = (
            _iso(entry.at), entry.device, entry.point, _dump(entry.old), _dump(entry.new),
            entry.asked_by, entry.why, entry.state, entry.lease,
            entry.until and _iso(entry.until), counts,
        )  # fmt: skip
        statement = (
            "INSERT INTO writes (at, device, point, old, new, asked_by, why, state, lease,"
            " until, counts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
        )
        return int(str((await self._run(statement, row))[0][0]))

    async def end(self, entry: int, state: WriteState, detail: str = "", *, lease: bool) -> None:
        """Note how the write *entry* ended, and whether it is still to be undone."""
        await self._run(
            "UPDATE writes SET state = ?, detail = ?, lease = ? WHERE id = ?",
            (state, detail, lease, entry),
        )

    async def release(self, device: str, point: str, detail: str) -> None:
        """Note that what we wrote to *point* need no longer be undone."""
        await self._run(
            "UPDATE writes SET lease = 0, detail = trim(detail || ' ' || ?)"
            " WHERE device = ? AND point = ? AND lease",
            (detail, device, point),
        )

    async def leased(self, device: str | None = None) -> Sequence[JournalEntry]:
        """Return the entries that are still to be undone, oldest first."""
        return await self._entries(
            "WHERE lease AND (? IS NULL OR device = ?) ORDER BY id", (device, device)
        )

    async def writes_since(self, since: datetime) -> Mapping[tuple[str, str], list[datetime]]:
        """Return when each (device, point) was written since *since*, as the budget counts."""
        rows = await self._run(
            "SELECT device, point, at FROM writes WHERE counts AND at >= ? ORDER BY at",
            (_iso(since),),
        )
        times: dict[tuple[str, str], list[datetime]] = {}
        for device, point, at in rows:
            times.setdefault((str(device), str(point)), []).append(datetime.fromisoformat(str(at)))
        return times

    async def entries(
        self, *, device: str | None = None, limit: int = 100, before: int | None = None
    ) -> Sequence[JournalEntry]:
        """Return the last writes, newest first."""
        return await self._entries(
            "WHERE (? IS NULL OR device = ?) AND (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?",
            (device, device, before, before, limit),
        )

    async def forget(self, before: datetime) -> None:
        """Drop entries older than *before*; what is still to be undone stays."""
        await self._run("DELETE FROM writes WHERE at < ? AND NOT lease", (_iso(before),))

    async def remember(self, memory: Mapping[str, str]) -> None:
        """Keep what the strategies want to be reminded of."""
        await self._run("DELETE FROM memory")
        for pair in memory.items():
            await self._run("INSERT INTO memory VALUES (?, ?)", pair)

    async def memory(self) -> Mapping[str, str]:
        """Return what the strategies wanted to be reminded of."""
        return {str(key): str(value) for key, value in await self._run("SELECT * FROM memory")}

    # ---- how it is done -------------------------------------------------------------

    async def _entries(self, where: str, values: Sequence[object]) -> Sequence[JournalEntry]:
        rows = await self._run(f"SELECT {_COLUMNS} FROM writes {where}", values)  # noqa: S608 - constants
        return [_entry(row) for row in rows]

    async def _run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        async with self._turn:
            return await asyncio.to_thread(self._execute, statement, values)

    def _execute(self, statement: str, values: Sequence[object]) -> list[tuple[object, ...]]:
        if self._database is None:
            raise JournalError("the journal is closed, so nothing may be written to a device")
        try:
            with self._database:
                return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as exc:
            raise JournalError(f"{self._where}: {exc}; is the disk full or read-only?") from exc

    def _open(self) -> sqlite3.Connection:
        try:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(
                self._path or ":memory:", check_same_thread=False, isolation_level="IMMEDIATE"
            )
        except (sqlite3.Error, OSError) as exc:
            raise self._unusable(exc) from exc
        try:
            self._prepare(database)
        except sqlite3.Error as exc:
            database.close()
            raise self._unusable(exc) from exc
        except JournalError:
            database.close()
            raise
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        database.executescript(
            "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        )
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            raise JournalError(
                f"{self._where} was written by a newer Ohmstead; update, or move it away"
            )

    def _unusable(self, why: Exception) -> JournalError:
        return JournalError(
            f"{self._where}: {why}; make it writable, or name another place with data_dir"
        )

    @property
    def _where(self) -> str:
        return f"journal {self._path or 'in memory'}"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _dump(value: Value | None) -> str:
    if isinstance(value, datetime | time):
        return json.dumps({type(value).__name__: value.isoformat()})
    return json.dumps(value)


def _load(text: str) -> Value | None:
    match json.loads(text):
        case {"time": str(iso)}:
            return time.fromisoformat(iso)
        case {"datetime": str(iso)}:
            return datetime.fromisoformat(iso)
        case bool() | int() | float() | str() as plain:
            return plain
        case _:
            return None


def _entry(row: tuple[object, ...]) -> JournalEntry:
    number, at, device, point, old, new, asked_by, why, state, detail, lease, until = row
    value = _load(str(new))
    return JournalEntry(
        id=int(str(number)),
        at=datetime.fromisoformat(str(at)),
        device=str(device),
        point=str(point),
        old=_load(str(old)),
        new="" if value is None else value,
        asked_by=str(asked_by),
        why=str(why),
        state=WriteState(str(state)),
        detail=str(detail),
        lease=bool(lease),
        until=datetime.fromisoformat(str(until)) if until else None,
    )
