"""``ohmstead history``, as its user runs it: costs, out to files, in again."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from histories import a_history, a_tick
from houses import LONDON
from ohmstead.cli import cli
from ohmstead.clock import SystemClock


def ohmstead(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["history", *arguments, "-c", str(folder / "ohmstead.yaml")])


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house that was recorded yesterday, from noon to one."""
    (tmp_path / "ohmstead.yaml").write_text("web: {enabled: false}\n")
    (tmp_path / "var").mkdir()
    noon = (SystemClock().now() - timedelta(days=1)).replace(hour=12, minute=0, second=0)

    async def record() -> None:
        async with a_history(tmp_path / "var" / "history.db", LONDON) as history:
            for n in range(61):
                await history.record(a_tick(noon + timedelta(minutes=n), {"load_w": 400 + n}))

    asyncio.run(record())
    return tmp_path


def test_recordings_go_out_and_come_in_again(house: Path) -> None:
    out = house / "out.csv"
    written = ohmstead(house, "export", str(out))
    assert written.exit_code == 0, written.output
    lines = out.read_text().splitlines()
    assert lines[0].startswith("time,device,point")
    assert any(",load_w," in line and line.endswith(",460") for line in lines)

    (house / "var" / "history.db").unlink()
    taken = ohmstead(house, "import", str(out))
    assert taken.exit_code == 0, taken.output
    again = house / "again.csv"
    assert ohmstead(house, "export", str(again)).exit_code == 0
    assert again.read_text() == out.read_text()


def test_a_file_that_is_none_changes_nothing_and_names_the_line(house: Path) -> None:
    bad = house / "bad.csv"
    bad.write_text("time,device,point,value\nyesterday,inverter,load_w,1\n")
    refused = ohmstead(house, "import", str(bad))
    assert refused.exit_code == 1
    assert "line 2" in str(refused.exception)


def test_costs_are_a_table_or_json(house: Path) -> None:
    table = ohmstead(house, "costs", "--days", "3")
    assert table.exit_code == 0, table.output
    assert "saved by control" in table.output.replace("\n", " ") or "cost" in table.output
    assert json.loads(ohmstead(house, "costs", "--json").output) == []


def test_without_a_recording_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "ohmstead.yaml").write_text("web: {enabled: false}\n")
    refused = ohmstead(tmp_path, "costs")
    assert refused.exit_code == 1
    assert "nothing was recorded yet" in str(refused.exception)
