"""The history read without a site, beside the service or after it: never locked, made, changed."""

import logging
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from histories import MORNING, a_history, a_tick
from houses import LONDON
from ohmstead.errors import HistoryError
from ohmstead.forecasts.memory import Memory
from ohmstead.history.book import Book
from ohmstead.history.history import History
from ohmstead.history.settings import HistorySettings
from ohmstead.model import SiteSnapshot

EVENING = MORNING + timedelta(hours=12)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def a_book(path: Path) -> Book:
    return Book(path, LONDON, HistorySettings())


async def write(path: Path) -> None:
    """Record half a day of a house that uses 700 W."""
    async with a_history(path, LONDON) as history:
        await feed_site(history)


async def feed_site(history: History) -> None:
    for minute in range(0, 12 * 60, 2):
        at = MORNING + timedelta(minutes=minute)
        tick = a_tick(at, {}, site=SiteSnapshot(at=at, pv_w=0.0, grid_w=700.0, load_w=700.0))
        await history.record(tick)


async def learnt(book: Book) -> list[float]:
    memory = Memory(book, ("site", "load_w"))
    await memory.refresh(EVENING)
    return list(memory.watts.values())


async def test_what_a_service_recorded_is_there_and_the_file_stays_as_it_is(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.db"
    await write(path)
    before = path.read_bytes()
    book = a_book(path)
    async with book.reading() as past:
        assert past is book
        assert ("site", "load_w") in book.known()
        watts = await learnt(book)
        assert len(watts) > 40
        assert set(watts) == {700.0}
    assert path.read_bytes() == before
    with pytest.raises(HistoryError, match="not open yet"):
        book.known()


async def test_it_is_read_beside_the_service_that_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with a_history(path, LONDON) as history:
        await feed_site(history)
        await history.flush(EVENING)
        book = a_book(path)
        async with book.reading():
            assert len(await learnt(book)) > 40
            await history.record(a_tick(EVENING, {"battery_soc_pct": 50}))
            await history.flush(EVENING)  # nobody keeps it from writing


async def test_where_nothing_was_recorded_nothing_is_made(tmp_path: Path) -> None:
    book = a_book(tmp_path / "var" / "history.db")
    async with book.reading() as past:
        assert past is None
        assert await learnt(book) == []
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("version", "said"), [(1, "older Ohmstead"), (99, "newer Ohmstead")], ids=["old", "new"]
)
async def test_a_file_of_another_version_is_left_as_it_is(
    tmp_path: Path, version: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "history.db"
    await write(path)
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {version}")
    database.close()
    before = path.read_bytes()
    book = a_book(path)
    with caplog.at_level(logging.WARNING):
        async with book.reading():
            assert await learnt(book) == []
    assert "going on without what was recorded" in caplog.text
    assert said in caplog.text
    assert path.read_bytes() == before


async def test_a_path_that_cannot_even_be_looked_at_is_no_history(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    book = a_book(tmp_path / ("x" * 300) / "history.db")
    with caplog.at_level(logging.WARNING):
        async with book.reading():
            assert await learnt(book) == []
    assert "going on without what was recorded" in caplog.text


async def test_a_damaged_file_is_not_moved_aside_by_a_reader(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(b"no database at all, but long enough to look at" * 100)
    book = a_book(path)
    with caplog.at_level(logging.WARNING):
        async with book.reading():
            assert await learnt(book) == []
    assert names(tmp_path) == ["history.db"]
    assert "going on without" in caplog.text
