"""What is kept on disk comes back whole, or not at all."""

import logging
from pathlib import Path

import pytest

from ohmstead.json_file import read_json, write_json


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down.json"
    write_json(path, [1, 2], "lost")
    assert read_json(path, sum, "lost") == 3
    assert [file.name for file in path.parent.iterdir()] == ["down.json"]


@pytest.mark.parametrize(
    "text", ["", "[1, 2", "7", '["one"]'], ids=["empty", "half", "a number", "words"]
)
def test_what_cannot_be_understood_is_set_aside(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "kept.json"
    path.write_text(text)
    assert read_json(path, sum, "all is asked anew") is None
    assert "all is asked anew; set aside as kept.broken" in caplog.text
    assert path.with_suffix(".broken").read_text() == text
    assert not path.exists()


def test_where_nothing_is_kept_nothing_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_json(None, sum, "") is None
    assert read_json(tmp_path / "absent.json", sum, "") is None
    write_json(None, [1], "")
    assert not caplog.records


def test_a_disk_that_takes_nothing_costs_no_more_than_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        write_json(tmp_path / "file" / "kept.json", [1], "told twice")
    assert "cannot be written" in caplog.text
    assert "told twice" in caplog.text


def test_a_file_that_cannot_be_moved_is_said_and_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "kept.json"
    path.write_text("{")
    path.with_suffix(".broken").mkdir()
    assert read_json(path, sum, "asked anew") is None
    assert "cannot be set aside" in caplog.text
    assert path.read_text() == "{"
