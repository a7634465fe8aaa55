"""The journal keeps what we wrote, across crashes, until it has been undone."""

import sqlite3
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from houses import NOON
from ohmstead.errors import JournalError
from ohmstead.model import JournalEntry, Value, WriteState
from ohmstead.site.journal import Journal


def an_entry(
    point: str = "charge_on",
    *,
    old: Value | None = False,
    new: Value = True,
    lease: bool = True,
    at: datetime = NOON,
    device: str = "inverter",
) -> JournalEntry:
    return JournalEntry(
        id=0, at=at, device=device, point=point, old=old, new=new, asked_by="test",
        why="a reason", state=WriteState.SENT, lease=lease, until=at + timedelta(hours=1),
    )  # fmt: skip


async def test_an_entry_is_on_disk_before_its_write_is_sent(tmp_path: Path) -> None:
    async with Journal(tmp_path / "state" / "journal.db") as journal:
        number = await journal.begin(an_entry(), counts=True)
        other = sqlite3.connect(tmp_path / "state" / "journal.db")
        rows = other.execute("SELECT id, point, state FROM writes").fetchall()
        other.close()
    assert rows == [(number, "charge_on", "sent")]


@pytest.mark.parametrize(
    "value",
    [True, 3, 2.5, "on", time(23, 30), datetime(2026, 6, 21, 12, 5)],
    ids=repr,
)
async def test_values_come_back_as_they_were(value: Value) -> None:
    async with Journal(None) as journal:
        await journal.begin(an_entry(old=value, new=value), counts=True)
        (entry,) = await journal.entries()
    assert (entry.old, entry.new, type(entry.new)) == (value, value, type(value))
    assert (entry.at, entry.until) == (NOON, NOON + timedelta(hours=1))


async def test_what_is_on_lease_survives_a_restart(tmp_path: Path) -> None:
    async with Journal(tmp_path / "journal.db") as journal:
        first = await journal.begin(an_entry(), counts=True)
        await journal.end(first, WriteState.CONFIRMED, lease=True)
        await journal.begin(an_entry("charge_w", old=1, new=2, lease=False), counts=True)
    async with Journal(tmp_path / "journal.db") as journal:
        leased = await journal.leased("inverter")
        assert [(e.point, e.state) for e in leased] == [("charge_on", WriteState.CONFIRMED)]
        assert await journal.leased("another") == []
        await journal.release("inverter", "charge_on", "undone")
        assert await journal.leased() == []
        assert [e.detail for e in await journal.entries(limit=5)] == ["", "undone"]


async def test_entries_are_paged_newest_first() -> None:
    async with Journal(None) as journal:
        for n in range(5):
            await journal.begin(an_entry(f"point_{n}"), counts=True)
        await journal.begin(an_entry(device="other"), counts=True)
        page = await journal.entries(device="inverter", limit=2)
        assert [e.point for e in page] == ["point_4", "point_3"]
        page = await journal.entries(device="inverter", limit=2, before=page[-1].id)
        assert [e.point for e in page] == ["point_2", "point_1"]


async def test_old_entries_go_but_not_what_is_still_to_be_undone() -> None:
    async with Journal(None) as journal:
        await journal.begin(an_entry("old", lease=False), counts=True)
        await journal.begin(an_entry("on_lease"), counts=True)
        await journal.begin(an_entry("new", lease=False, at=NOON + timedelta(days=9)), counts=True)
        await journal.forget(NOON + timedelta(days=1))
        assert [e.point for e in await journal.entries()] == ["new", "on_lease"]


async def test_writes_that_make_things_safe_do_not_count() -> None:
    async with Journal(None) as journal:
        await journal.begin(an_entry(), counts=True)
        await journal.begin(an_entry(), counts=False)
        assert await journal.writes_since(NOON) == {("inverter", "charge_on"): [NOON]}
        assert await journal.writes_since(NOON + timedelta(seconds=1)) == {}


async def test_memory_is_replaced_as_a_whole(tmp_path: Path) -> None:
    async with Journal(tmp_path / "journal.db") as journal:
        await journal.remember({"1:rule": "since noon", "2:rule": "x"})
        await journal.remember({"1:rule": "since one"})
    async with Journal(tmp_path / "journal.db") as journal:
        assert await journal.memory() == {"1:rule": "since one"}


async def test_a_closed_journal_forbids_to_write() -> None:
    journal = Journal(None)
    with pytest.raises(JournalError, match="closed"):
        await journal.begin(an_entry(), counts=True)


async def test_an_unusable_place_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(JournalError, match="data_dir"):
        await Journal(tmp_path / "file" / "journal.db").__aenter__()


async def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("a letter to my mother, which is quite long " * 50)
    with pytest.raises(JournalError, match="not a database"):
        await Journal(path).__aenter__()
    assert path.read_text().startswith("a letter")


async def test_a_newer_journal_is_left_alone(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "journal.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(JournalError, match="newer Ohmstead"):
        await Journal(tmp_path / "journal.db").__aenter__()


async def test_a_full_disk_is_told_as_such() -> None:
    async with Journal(None) as journal:
        await journal.begin(an_entry(), counts=True)
        assert journal._database is not None
        journal._database.execute("PRAGMA query_only = ON")
        with pytest.raises(JournalError, match="read-only"):
            await journal.begin(an_entry(), counts=True)


def test_times_are_stored_in_utc() -> None:
    assert NOON.tzinfo is UTC
