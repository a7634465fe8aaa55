"""Out as CSV and Parquet, in from CSV: what goes out comes in again."""

import csv
import os
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from histories import MORNING, a_history, feed
from houses import LONDON
from ohmstead.errors import HistoryError
from ohmstead.history.history import History
from ohmstead.history.intake import Intake, import_csv
from ohmstead.history.query import Resolution
from ohmstead.history.settings import HistorySettings
from ohmstead.history.signals import Signal
from ohmstead.history.transfer import SAMPLE_COLUMNS, export_csv, export_parquet
from ohmstead.model import Value

GRID = Signal("inverter", "grid_w")
DAY = MORNING.date()
NEXT_DAY = MORNING + timedelta(days=1)
LATER = MORNING + timedelta(days=9)


async def a_morning(history: History) -> None:
    """Record ten minutes of every form of value, with a gap."""
    said: list[Mapping[str, Value | None]] = [
        {
            "grid_w": 100.5 * n, "import_kwh": 7 + n / 10, "on": n % 2 == 0,
            "state": 'a, "word"\nand ünother', "start": time(23, 30),
            "clock": datetime(2026, 6, 21, 7, n),
        }
        for n in range(10)
    ]  # fmt: skip
    await feed(history, MORNING, [*said, None])


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def bring(history: History, folder: Path, text: str) -> Intake:
    return await import_csv(history, a_file(folder, text), LATER)


def a_file(folder: Path, text: str) -> Path:
    path = folder / "in.csv"
    path.write_text(text)
    return path


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_what_goes_out_comes_in_again(tmp_path: Path) -> None:
    async with a_history() as old, a_history() as new:
        await a_morning(old)
        count = await export_csv(old, tmp_path / "out.csv", DAY, DAY)
        taken = await import_csv(new, tmp_path / "out.csv", NEXT_DAY)
        assert (taken.samples, taken.too_new, taken.first) == (count, 0, MORNING)
        assert set(new.signals) == set(old.signals)
        await export_csv(new, tmp_path / "again.csv", DAY, DAY)
        assert sorted(lines_of(tmp_path / "again.csv"), key=str) == sorted(
            lines_of(tmp_path / "out.csv"), key=str
        )
        for history in (old, new):
            (_, day) = (await history.days([GRID], DAY, DAY))[GRID][DAY]
            assert day.count == 10
            assert day.up == pytest.approx(4_522.5 * 60 / 3.6e6, abs=1e-5)


async def test_lines_can_be_read_by_anybody(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    async with a_history() as history:
        await a_morning(history)
        await export_csv(history, path, DAY, DAY)
    first = {(line["point"], line["form"]): line["value"] for line in lines_of(path)[:6]}
    assert first == {
        ("grid_w", "number"): "0", ("import_kwh", "total"): "7", ("on", "flag"): "true",
        ("state", "text"): 'a, "word"\nand ünother', ("start", "time"): "23:30:00",
        ("clock", "moment"): "2026-06-21T07:00:00",
    }  # fmt: skip
    assert lines_of(path)[0]["time"] == "2026-06-21T06:00:00Z"
    assert {line["value"] for line in lines_of(path)[-6:]} == {""}
    assert names_in(tmp_path) == ["out.csv"]


@pytest.mark.parametrize(("level", "count"), [("5min", 2), ("hour", 1), ("day", 1)])
async def test_steps_go_out_too(tmp_path: Path, level: Resolution, count: int) -> None:
    async with a_history() as history:
        await a_morning(history)
        lines = await export_csv(
            history,
            tmp_path / "out.csv",
            DAY,
            DAY,
            level=level,
            signals=[GRID],
        )
        assert lines == count
    (first, *_) = lines_of(tmp_path / "out.csv")
    assert (first["time"][:10], first["min"], first["device"]) == (
        "2026-06-21",
        "0",
        "inverter",
    )


@pytest.mark.parametrize("level", ["raw", "5min"])
async def test_parquet_holds_the_same(tmp_path: Path, level: Resolution) -> None:
    if "CI" not in os.environ:
        pytest.importorskip("pyarrow", reason="the extra `history` is not installed")
    from pyarrow import parquet

    path = tmp_path / "out.parquet"
    async with a_history() as history:
        await a_morning(history)
        count = await export_parquet(history, path, DAY, DAY, level=level)
    table = parquet.read_table(path).to_pylist()
    assert len(table) == count
    assert table[0]["time"] == MORNING
    grid = [line for line in table if line["point"] == "grid_w"]
    if level == "raw":
        assert [line["value"] for line in grid] == [*(100.5 * n for n in range(10)), None]
        (state, *_) = [line for line in table if line["point"] == "state"]
        assert (state["value"], state["text"]) == (None, 'a, "word"\nand ünother')
    else:
        assert [line["count"] for line in grid] == [5, 5]


async def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    async with a_history() as history:
        with pytest.raises(HistoryError, match=r"install ohmstead\[history\]"):
            await export_parquet(history, tmp_path / "out.parquet", DAY, DAY)
    assert names_in(tmp_path) == []


async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    async with a_history() as history:
        for export in (export_csv, export_parquet):
            with pytest.raises(HistoryError, match="cannot write"):
                await export(history, tmp_path / "nowhere" / "out", DAY, DAY)


async def test_an_import_twice_is_an_import_once(tmp_path: Path) -> None:
    async with a_history() as old, a_history(tmp_path / "history.db") as new:
        await a_morning(old)
        await export_csv(old, tmp_path / "out.csv", DAY, DAY)
        for _ in range(2):
            await import_csv(new, tmp_path / "out.csv", NEXT_DAY)
        _, day = (await new.days([GRID], DAY, DAY))[GRID][DAY]
        assert day.count == 10
        assert len((await new.samples([GRID], 0, 2**50))[GRID]) == 11


async def test_others_need_no_form_and_may_use_any_zone(tmp_path: Path) -> None:
    async with a_history(zone=LONDON) as history:
        text = (
            "device,point,value,time\n"
            "meter,import_kwh,100,2026-06-20T23:30:00+01:00\n"
            "meter,import_kwh,103.5,2026-06-20T22:45:00Z\n"
            "meter,state,fine,2026-06-21T00:15:00+01:00\n"
            "meter,state,,2026-06-21T00:20:00+01:00\n"
            "meter,on,true,2026-06-21T00:20:00+01:00\n"
        )
        taken = await bring(history, tmp_path, text)
        assert taken.last == datetime(2026, 6, 20, 23, 20, tzinfo=UTC)
        forms = {signal.point: signal.form.value for signal in history.signals}
        assert forms == {"import_kwh": "total", "state": "text", "on": "flag"}
        total = history.find("meter", "import_kwh")
        assert total is not None
        days = await history.days([total], date(2026, 6, 20), date(2026, 6, 21))
        assert {day: bucket.up for day, (_, bucket) in days[total].items()} == {
            date(2026, 6, 20): 3.5
        }


async def test_old_samples_come_in_as_steps_only(tmp_path: Path) -> None:
    header = ",".join(SAMPLE_COLUMNS)
    text = f"{header}\n2024-01-01T00:00:00Z,meter,grid_w,number,5\n"
    async with a_history(settings=HistorySettings(raw_days=14)) as history:
        await bring(history, tmp_path, text)
        grid = Signal("meter", "grid_w")
        assert (await history.samples([grid], 0, 2**50))[grid] == []
        steps = await history.steps("five", [grid], date(2024, 1, 1), date(2024, 1, 1))
        assert [bucket.last for bucket in steps[grid].values()] == [5]


async def test_today_is_left_to_what_is_heard(tmp_path: Path) -> None:
    async with a_history() as history:
        now = await feed(history, LATER, [{"grid_w": 1}] * 3)
        text = f"time,device,point,value\n{LATER.isoformat()},inverter,grid_w,99\n"
        taken = await import_csv(history, a_file(tmp_path, text), now)
        assert (taken.samples, taken.too_new) == (0, 1)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("yesterday,meter,grid_w,number,5", "line 3: Invalid isoformat", id="no time"),
        pytest.param("2026-06-21T07:00:00,meter,grid_w,number,5", "has no zone", id="no zone"),
        pytest.param("2026-06-21T07:00:00Z,meter,grid_w,number,x", "line 3: could not", id="text"),
        pytest.param("2026-06-21T07:00:00Z,meter,grid_w,novel,5", "not a valid Form", id="form"),
        pytest.param("2026-06-21T07:00:00Z,meter,on,flag,5", "neither true nor", id="no flag"),
        pytest.param("2026-06-21T07:00:00Z,,grid_w,number,5", "a device and a point", id="device"),
        pytest.param("2026-06-21T07:00:00Z,meter", "too few columns", id="short line"),
        pytest.param("2026-06-19T07:00:00Z,meter,grid_w,number,5", "sort the file", id="order"),
    ],
)
async def test_a_bad_line_is_named_and_changes_nothing(tmp_path: Path, line: str, why: str) -> None:
    header = ",".join(SAMPLE_COLUMNS)
    text = f"{header}\n2026-06-21T06:00:00Z,meter,grid_w,number,5\n{line}\n"
    async with a_history(tmp_path / "history.db") as history:
        with pytest.raises(HistoryError, match=why):
            await bring(history, tmp_path, text)
        assert list(history.signals) == []
        assert await history.begins() == {}
        text = text.replace(line, "2026-06-21T06:05:00Z,meter,grid_w,number,6")
        assert (await bring(history, tmp_path, text)).samples == 2


async def test_a_file_that_is_no_csv_is_named(tmp_path: Path) -> None:
    async with a_history() as history:
        with pytest.raises(HistoryError, match="no column called device, point, value"):
            await bring(history, tmp_path, "time,what\n")
        with pytest.raises(HistoryError, match="cannot read"):
            await import_csv(history, tmp_path / "nowhere.csv", LATER)
        (tmp_path / "in.csv").write_bytes(b"time,device,point,value\n\xff\xfe\n")
        with pytest.raises(HistoryError, match="cannot read"):
            await import_csv(history, tmp_path / "in.csv", LATER)


async def test_a_history_can_be_read_beside_the_program_that_records(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with a_history(path) as history:
        now = await feed(history, MORNING, [{"grid_w": n} for n in range(4)])
        await history.flush(now)
        async with a_history(path, read_only=True) as reader:
            assert await export_csv(reader, tmp_path / "out.csv", DAY, DAY) == 4
    with pytest.raises(HistoryError, match="unable to open"):
        async with a_history(tmp_path / "none.db", read_only=True):
            pass
