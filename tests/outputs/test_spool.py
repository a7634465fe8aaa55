"""A spool gives back everything in order, whatever moment the power went at."""

import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.outputs.spool import Spool

ROOM = 1_000_000


def drained(spool: Spool) -> list[bytes]:
    records = []
    while (record := spool.first()) is not None:
        spool.take(record)
        records.append(record.data)
    return records


def left_in(folder: Path) -> list[bytes]:
    with Spool(folder, most_bytes=ROOM) as spool:
        return drained(spool)


def test_what_goes_in_comes_out_in_order(tmp_path: Path) -> None:
    with Spool(tmp_path / "new" / "folder", most_bytes=ROOM) as spool:
        for word in (b"one", b"", b"three"):
            spool.append(word)
        assert len(spool) == 3
        assert drained(spool) == [b"one", b"", b"three"]
        assert (len(spool), spool.size_bytes, spool.dropped) == (0, 0, 0)


def test_it_waits_through_a_restart(tmp_path: Path) -> None:
    with Spool(tmp_path, most_bytes=ROOM) as spool:
        for n in range(5):
            spool.append(b"%d" % n)
        for _ in range(2):
            record = spool.first()
            assert record is not None
            spool.take(record)
    with Spool(tmp_path, most_bytes=ROOM) as spool:
        spool.append(b"5")
        assert drained(spool) == [b"2", b"3", b"4", b"5"]
    assert list(tmp_path.iterdir()) == []


def test_looking_takes_nothing(tmp_path: Path) -> None:
    with Spool(tmp_path, most_bytes=ROOM) as spool:
        spool.append(b"one")
        assert spool.first() == spool.first()
    assert left_in(tmp_path) == [b"one"]


@given(
    cut=st.integers(1, 200),
    words=st.lists(st.binary(max_size=30), min_size=1, max_size=8),
)
def test_a_torn_end_costs_only_what_was_torn(
    tmp_path_factory: pytest.TempPathFactory, cut: int, words: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    with Spool(folder, most_bytes=ROOM) as spool:
        for word in words:
            spool.append(word)
    (segment,) = folder.iterdir()
    whole = segment.read_bytes()
    segment.write_bytes(whole[: max(len(whole) - cut, 0)])

    kept = left_in(folder)
    assert kept == words[: len(kept)]
    lost_bytes = sum(9 + len(word) for word in words[len(kept) + 1 :])
    assert lost_bytes < cut or kept == words


def test_after_a_torn_end_it_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Spool(tmp_path, most_bytes=ROOM) as spool:
        spool.append(b"one")
        spool.append(b"two")
    (segment,) = tmp_path.iterdir()
    segment.write_bytes(segment.read_bytes()[:-1])
    with Spool(tmp_path, most_bytes=ROOM) as spool:
        assert spool.dropped == 1
        spool.append(b"three")
        assert drained(spool) == [b"one", b"three"]
    assert "ends within a batch" in caplog.text


def test_a_damaged_record_is_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Spool(tmp_path, most_bytes=ROOM) as spool:
        for word in (b"one", b"two", b"three"):
            spool.append(word)
    (segment,) = tmp_path.iterdir()
    segment.write_bytes(segment.read_bytes().replace(b"two", b"tow"))
    with Spool(tmp_path, most_bytes=ROOM) as spool:
        assert drained(spool) == [b"one", b"three"]
        assert spool.dropped == 1
    assert "is damaged" in caplog.text


def test_what_is_no_segment_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.spool").write_text("mine")
    (tmp_path / "000000000007.spool").write_bytes(b"nonsense")
    (tmp_path / "000000000008.spool").write_bytes(b"")
    with Spool(tmp_path, most_bytes=ROOM) as spool:
        assert drained(spool) == []
        spool.append(b"one")
    assert {path.name for path in tmp_path.iterdir()} == {"notes.spool", "000000000009.spool"}


def test_a_full_spool_drops_the_oldest_and_counts_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with Spool(tmp_path, most_bytes=2_000) as spool:
        looked_at = None
        for n in range(100):
            spool.append(b"%02d" % n + bytes(39))
            looked_at = looked_at or spool.first()
        assert spool.size_bytes <= 2_000
        assert looked_at is not None
        spool.take(looked_at)  # it went to make room, so another must not be taken for it
        kept = [int(word[:2]) for word in drained(spool)]
    assert kept == list(range(100 - len(kept), 100))
    assert len(kept) + spool.dropped == 100
    assert len(kept) >= 38
    assert "the oldest 2 batches are dropped" in caplog.text


def test_a_record_larger_than_the_room_is_kept_alone(tmp_path: Path) -> None:
    with Spool(tmp_path, most_bytes=100) as spool:
        spool.append(b"small")
        spool.append(bytes(500))
        assert drained(spool) == [bytes(500)]


def test_without_a_folder_it_lasts_as_long_as_it_is_open() -> None:
    with Spool(None, most_bytes=ROOM) as spool:
        spool.append(b"one")
        record = spool.first()
        assert record is not None
        assert record.path.exists()
    assert not record.path.parent.exists()


def test_a_disk_that_cannot_be_written_is_an_error_and_the_rest_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    with Spool(folder, most_bytes=ROOM) as spool:
        folder.rmdir()
        with pytest.raises(OSError, match="No such file"):
            spool.append(b"lost")
        folder.mkdir()
        spool.append(b"one")
        assert drained(spool) == [b"one"]


def test_a_segment_that_somebody_deleted_is_lost_and_no_more(tmp_path: Path) -> None:
    with Spool(tmp_path, most_bytes=ROOM) as spool:
        spool.append(b"one")
        for path in tmp_path.iterdir():
            path.unlink()
        assert drained(spool) == []
        assert spool.dropped == 1
        spool.append(b"two")
        assert drained(spool) == [b"two"]


def test_kill_9_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import pathlib, sys
        from ohmstead.outputs.spool import Spool
        with Spool(pathlib.Path(sys.argv[1]), most_bytes=1_000_000) as spool:
            for n in range(10_000):
                spool.append(b"%d" % n)
                print(n, flush=True)
        """
    )
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        last = 0
        for line in writer.stdout:
            last = int(line)
            if last == 200:
                writer.kill()
    kept = left_in(tmp_path)
    assert kept == [b"%d" % n for n in range(len(kept))]
    assert len(kept) >= last + 1
