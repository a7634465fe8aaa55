"""The file: older, newer, damaged, unwritable, and written to by a process that is killed."""

import asyncio
import os
import signal as signals
import sqlite3
import sys
from pathlib import Path

import pytest

from histories import MORNING, a_history, feed
from ohmstead.errors import HistoryError
from ohmstead.history.batch import pack_batch
from ohmstead.history.schema import STEPS, migrate
from ohmstead.history.signals import Signal
from ohmstead.history.store import Store

GRID = Signal("inverter", "grid_w")

WRITER = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from histories import MORNING, a_tick, kind_of
from ohmstead.history.history import History
from ohmstead.history.settings import HistorySettings
from datetime import UTC

async def main():
    settings = HistorySettings(commit_s=60)
    async with History(Path(sys.argv[1]), UTC, kind_of, settings) as history:
        number = int(sys.argv[2])
        while True:
            at = MORNING + timedelta(seconds=30 * number)
            said = {f"it_{n}_w": number + n for n in range(20)}
            if await history.record(a_tick(at, said)):
                print(number, flush=True)
            number += 1

asyncio.run(main())
"""


def version_of(path: Path) -> int:
    database = sqlite3.connect(path)
    (version,) = database.execute("PRAGMA user_version").fetchone()
    database.close()
    return int(version)


async def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    database = sqlite3.connect(path)
    migrate(database, STEPS[:1])
    database.execute("INSERT INTO signal VALUES (7, 'inverter', 'grid_w', 'number')")
    at_ms = round(MORNING.timestamp() * 1_000)
    piece = pack_batch({7: [(at_ms, 6_000.0), (at_ms + 600_000, 0.0)]})
    database.execute("INSERT INTO batch VALUES (1, ?, ?, ?)", (at_ms, at_ms + 600_000, piece))
    database.commit()
    database.close()
    assert version_of(path) == 1

    async with a_history(path) as history:
        assert version_of(path) == len(STEPS)
        await feed(history, MORNING.replace(hour=7), [{"grid_w": 0}] * 200)
        day = MORNING.date()
        assert (await history.days([GRID], day, day))[GRID][day][1].up == pytest.approx(1)


async def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(HistoryError, match="newer Ohmstead"):
        await Store(path).__aenter__()
    assert version_of(path) == 99


async def test_a_damaged_file_is_moved_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "history.db"
    for number in (1, 2):
        path.write_bytes(b"no database at all, but long enough to look at" * 100)
        async with a_history(path) as history:
            assert list(history.signals) == []
        assert (tmp_path / f"history.db.damaged-{number}").exists()
    assert "is damaged" in caplog.text


async def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HistoryError, match="name another place"):
        await Store(tmp_path / "file" / "history.db").__aenter__()
    with pytest.raises(HistoryError, match="name another place"):
        await Store(tmp_path).__aenter__()


async def test_a_closed_history_says_so() -> None:
    async with a_history() as history:
        pass
    with pytest.raises(HistoryError, match="is closed"):
        await history.begins()


async def test_who_is_cancelled_while_it_writes_leaves_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with a_history(path) as history:
        now = await feed(history, MORNING, [{"grid_w": n} for n in range(4)])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await history.flush(now)
        await feed(history, now, [{"grid_w": n} for n in range(4, 6)])
    async with a_history(path) as history:
        column = (await history.samples([GRID], 0, 2**50))[GRID]
        assert [value for _, value in column] == list(range(6))


async def test_who_is_cancelled_while_the_disk_is_busy_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.db"
    async with a_history(path) as history:
        now = await feed(history, MORNING, [{"grid_w": n, "mode": f"m{n}"} for n in range(4)])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await history.flush(now)
        other.execute("COMMIT")
        other.close()
        now = await feed(history, now, [{"grid_w": n, "mode": f"m{n}"} for n in range(4, 6)])
        await history.flush(now)
    async with a_history(path) as history:
        mode = history.find("inverter", "mode")
        assert mode is not None
        found = await history.samples([GRID, mode], 0, 2**50)
        assert [value for _, value in found[GRID]] == list(range(6))
        words = [history.words.to_value(mode.form, value or 0) for _, value in found[mode]]
        assert words == [f"m{n}" for n in range(6)]
        assert len(history.signals) == len(set(history.signals)) == 2


async def test_a_killed_process_loses_its_last_batch_at_most(tmp_path: Path) -> None:
    path, number = tmp_path / "history.db", 0
    for wait_s in (0.3, 0.05, 0.15, 0.4):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(path), str(number), stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        assert process.stdout is not None
        first = await process.stdout.readline()
        await asyncio.sleep(wait_s)
        process.send_signal(signals.SIGKILL)
        said = [int(line) for line in (first + await process.stdout.read()).split()]
        await process.wait()

        database = sqlite3.connect(path)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.close()
        async with a_history(path) as history:
            for n in (0, 19):
                it = Signal("inverter", f"it_{n}_w")
                column = (await history.samples([it], 0, 2**50))[it]
                known = {at: value for at, value in column if value is not None}
                # Everything up to the last commit that was reported, without a hole before it.
                numbers = [round(value) - n for value in known.values()]
                assert numbers == list(range(len(numbers)))
                assert len(numbers) > said[-1]
                number = len(numbers)
