"""What could not be sent yet, on disk and in order, until somebody takes it.

A spool is a folder of segment files. A segment is a row of records: one byte that says whether
the record still waits, its length, a checksum, and the record itself. Records are appended and
forced to the disk; taking one overwrites its first byte in place, and a segment whose records are
all taken is deleted. So whatever moment the power goes at, at worst the record being appended is
lost (its length or checksum is wrong, and it is dropped), or the one just taken waits again.

Nothing here knows asyncio: call it from a worker thread. One lock makes that safe.
"""

import logging
import os
import struct
import tempfile
import zlib
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Final, Self

__all__ = ["Spool", "Waiting"]

log = logging.getLogger(__name__)

_HEADER: Final = struct.Struct(">cII")
_WAITS: Final = b"W"
_TAKEN: Final = b"T"
_SUFFIX: Final = ".spool"
_PARTS: Final = 20
"""A segment holds at most this part of what the spool may: the oldest goes in such steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One record that waits, and where it lies."""

    data: bytes
    path: Path
    offset: int


@dataclass(slots=True)
class _Segment:
    path: Path
    size: int = 0
    waiting: deque[int] = field(default_factory=deque)
    """Where each record that waits begins."""


class Spool:
    """First in, first out, on disk, of a bounded size."""

    def __init__(self, folder: Path | None, *, most_bytes: int) -> None:
        """Keep records in *folder*; without one in a temporary folder, forgotten at the end."""
        self._given = folder
        self._folder = Path()
        self._most_bytes = most_bytes
        self._segments: deque[_Segment] = deque()
        self._next = 0
        self._count = 0
        self._lock = Lock()
        self._exits = ExitStack()
        self.dropped = 0
        """How many records were lost, because there was no room or they could not be read."""

    def __enter__(self) -> Self:
        """Find what an earlier run left. Raises ``OSError`` if the folder cannot be used."""
        if self._given is None:
            temporary = tempfile.TemporaryDirectory(prefix="ohmstead-")
            self._folder = Path(self._exits.enter_context(temporary))
        else:
            self._folder = self._given
            self._folder.mkdir(parents=True, exist_ok=True)
        paths = [p for p in self._folder.glob(f"*{_SUFFIX}") if p.stem.isdecimal()]
        for path in sorted(paths, key=lambda path: int(path.stem)):
            segment = self._found(path)
            self._next = int(path.stem) + 1
            if segment.waiting:
                self._segments.append(segment)
                self._count += len(segment.waiting)
            else:
                path.unlink()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the folder; what waits goes on waiting."""
        self._segments.clear()
        self._count = 0
        self._exits.close()

    def __len__(self) -> int:
        """How many records wait; asking never waits for the disk."""
        return self._count

    @property
    def size_bytes(self) -> int:
        """What the spool takes up on the disk."""
        with self._lock:
            return sum(segment.size for segment in self._segments)

    def append(self, data: bytes) -> None:
        """Put *data* last; when this returns, it is on the disk. Raises ``OSError`` if not."""
        with self._lock:
            record = _HEADER.pack(_WAITS, len(data), zlib.crc32(data)) + data
            self._make_room(len(record))
            segment = self._open_segment(len(record))
            with segment.path.open("r+b", buffering=0) as file:
                # A record that was cut off, by a full disk say, is written over.
                file.seek(segment.size)
                try:
                    _write_whole(file.fileno(), record)
                    os.fsync(file.fileno())
                except OSError:
                    with suppress(OSError):
                        file.truncate(segment.size)
                    raise
            segment.waiting.append(segment.size)
            segment.size += len(record)
            self._count += 1

    def first(self) -> Waiting | None:
        """Return the record that has waited longest, or None; what cannot be read is dropped."""
        with self._lock:
            while self._segments:
                segment = self._segments[0]
                if not segment.waiting:
                    self._drop_first()
                    continue
                offset = segment.waiting[0]
                data = _record_at(segment.path, offset)
                if data is not None:
                    return Waiting(data=data, path=segment.path, offset=offset)
                log.warning("%s is damaged: a batch in it is lost", segment.path)
                self.dropped += 1
                self._count -= 1
                segment.waiting.popleft()
            return None

    def take(self, record: Waiting) -> None:
        """Have done with *record*, unless it has been dropped to make room meanwhile."""
        with self._lock:
            segment = self._segments[0] if self._segments else None
            if segment is None or segment.path != record.path:
                return
            segment.waiting.popleft()
            self._count -= 1
            if not segment.waiting:
                self._segments.popleft()
            # If the disk fails here, the record is found again after a restart: better than lost.
            with suppress(OSError):
                if not segment.waiting:
                    record.path.unlink()
                    return
                with record.path.open("r+b", buffering=0) as file:
                    file.seek(record.offset)
                    file.write(_TAKEN)

    def _found(self, path: Path) -> _Segment:
        """Return the segment that an earlier run left in *path*, without what was cut off."""
        segment, whole = _Segment(path=path), path.stat().st_size
        with path.open("rb") as file:
            while segment.size < whole:
                header = file.read(_HEADER.size)
                state, length, _ = (
                    _HEADER.unpack(header) if len(header) == _HEADER.size else (b"", 0, 0)
                )
                end = segment.size + _HEADER.size + length
                if state not in {_WAITS, _TAKEN} or end > whole:
                    log.warning("%s ends within a batch, which is lost", path)
                    self.dropped += 1
                    os.truncate(path, segment.size)
                    break
                if state == _WAITS:
                    segment.waiting.append(segment.size)
                segment.size = end
                file.seek(end)
        return segment

    def _open_segment(self, more_bytes: int) -> _Segment:
        last = self._segments[-1] if self._segments else None
        if last is not None and last.size + more_bytes <= self._most_bytes // _PARTS:
            return last
        path = self._folder / f"{self._next:012d}{_SUFFIX}"
        path.touch()
        self._sync_folder()
        self._next += 1
        self._segments.append(_Segment(path=path))
        return self._segments[-1]

    def _sync_folder(self) -> None:
        """Force the folder's list of files to the disk; a new file's name stands in there."""
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _make_room(self, more_bytes: int) -> None:
        lost = 0
        while (
            self._segments and sum(s.size for s in self._segments) + more_bytes > self._most_bytes
        ):
            lost += self._drop_first()
        if lost:
            log.warning(
                "%s is full: the oldest %d batches are dropped, %d since the start",
                self._folder, lost, self.dropped,
            )  # fmt: skip

    def _drop_first(self) -> int:
        segment = self._segments.popleft()
        with suppress(OSError):
            segment.path.unlink()
        self.dropped += len(segment.waiting)
        self._count -= len(segment.waiting)
        return len(segment.waiting)


def _write_whole(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


def _record_at(path: Path, offset: int) -> bytes | None:
    """Return the record at *offset*, or None if it is not what was written."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            header = file.read(_HEADER.size)
            if len(header) < _HEADER.size:
                return None
            _, length, checksum = _HEADER.unpack(header)
            data = file.read(length)
    except OSError:
        return None
    return data if len(data) == length and zlib.crc32(data) == checksum else None
