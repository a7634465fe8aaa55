"""Streams of frames, whole, broken and in pieces: nothing in them can break the decoder."""

import json
import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmstead.devices.givenergy.frames import Block, Frame, FrameDecoder, Heartbeat

VECTORS = {
    name: [bytes.fromhex(frame) for frame in vector["frames"]]
    for name, vector in json.loads((Path(__file__).parent / "vectors.json").read_text())[
        "vectors"
    ].items()
}
MARK = b"\x59\x59\x00\x01"
LONGEST = 306
FLUSH = bytes(LONGEST)
"""Whatever is still being waited for is found to be broken when these have come."""


def test_noise_pieces_and_a_broken_frame_lose_nothing() -> None:
    heartbeat, half, broken = VECTORS["V1"][0], VECTORS["V7"][0], VECTORS["V24"][0]
    decoder = FrameDecoder()
    frames = decoder.feed(b"\xff\xfb\x01login: " + heartbeat + half[:50])
    frames += decoder.feed(half[50:] + broken + VECTORS["V9"][0])
    frames += [frame for octet in heartbeat for frame in decoder.feed(bytes([octet]))]
    assert frames == fed(heartbeat, half, VECTORS["V9"][0], heartbeat)
    assert [type(frame) for frame in frames] == [Heartbeat, Block, Block, Heartbeat]
    assert dict(decoder.dropped) == {"check sum": 1}
    assert len(decoder) == 0


WHOLE = {f"{name}-{n}": frame for name, frames in VECTORS.items() for n, frame in enumerate(frames)}
SOUND = sorted(name for name in WHOLE if name.split("-")[0] not in {"V24", "V25"})


@given(st.lists(st.sampled_from(sorted(WHOLE)), max_size=6), st.lists(st.integers(1, 200)))
def test_the_same_frames_come_of_any_pieces(names: list[str], sizes: list[int]) -> None:
    stream = b"".join(WHOLE[name] for name in names)
    assert fed(*cut(stream, sizes)) == fed(stream)
    assert fed(*cut(stream, [1] * len(stream))) == fed(stream)


def cut(stream: bytes, sizes: Iterable[int]) -> list[bytes]:
    pieces = []
    for size in sizes:
        pieces.append(stream[:size])
        stream = stream[size:]
    return [*pieces, stream]


@given(st.sampled_from(SOUND), st.integers(1, 163), st.sampled_from(SOUND))
def test_a_frame_cut_short_does_not_take_the_next_one_with_it(
    first: str, size: int, second: str
) -> None:
    half = WHOLE[first][: min(size, len(WHOLE[first]) - 1)]
    assert fed(half + WHOLE[second], FLUSH)[-1:] == fed(WHOLE[second])


@pytest.mark.parametrize("apart", range(4, 18))
def test_a_second_mark_too_near_the_first_makes_the_first_one_void(apart: int) -> None:
    decoder = FrameDecoder()
    assert decoder.feed(VECTORS["V9"][0][:apart] + VECTORS["V2"][0]) == fed(VECTORS["V2"][0])
    assert dict(decoder.dropped) == {"cut short": 1}


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize("name", ["V1", "V23", "V26"])
def test_a_frame_nobody_can_check_does_not_borrow_from_the_next(name: str, lost: int) -> None:
    got = fed(VECTORS[name][0][:-lost] + VECTORS["V2"][0], FLUSH)
    assert got[-1:] == fed(VECTORS["V2"][0])


@pytest.mark.parametrize("size", range(1, 4))
def test_a_beginning_of_a_mark_is_kept_until_its_rest_comes(size: int) -> None:
    octets = VECTORS["V2"][0]
    decoder = FrameDecoder()
    assert decoder.feed(b"noise" * 100 + octets[:size]) == []
    assert len(decoder) == 3
    assert decoder.feed(octets[size:]) == fed(VECTORS["V2"][0])


GARBAGE = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            MARK[:1],
            MARK[:3],
            MARK,
            MARK * 3,
            MARK + b"\x01\x2c\x01\x02",
            MARK + b"\x00\x9e\x01\x02",
            MARK + b"\x00\x0d\x01\x01",
            MARK + b"\x00\x1c\x02\x02",
            MARK + b"\x00\x1c\x01\x05",
        ]
    ),
)


@given(st.lists(st.tuples(GARBAGE, st.sampled_from(SOUND)), max_size=5))
def test_nothing_in_between_loses_a_whole_frame(pieces: list[tuple[bytes, str]]) -> None:
    got = fed(*(octets for noise, name in pieces for octets in (noise, WHOLE[name])), FLUSH)
    sent = [frame for _, name in pieces for frame in fed(WHOLE[name])]
    # Garbage may by chance be a heartbeat or an empty page; it never costs one that was sent.
    found = iter(got)
    assert all(any(frame == one for one in found) for frame in sent)


@settings(max_examples=200)
@given(st.randoms(use_true_random=False))
def test_ten_thousand_random_streams_neither_raise_nor_fill_the_memory(
    chance: random.Random,
) -> None:
    for _ in range(50):
        decoder = FrameDecoder()
        for piece in spoilt(chance):
            for frame in decoder.feed(piece):
                assert fed(frame.to_bytes()) == [frame]
            assert len(decoder) < LONGEST
        # Whatever came before, whole frames are understood again after a pause.
        decoder.feed(FLUSH)
        assert decoder.feed(VECTORS["V2"][0]) == fed(VECTORS["V2"][0])


def spoilt(chance: random.Random) -> list[bytes]:
    """Return frames with random octets changed, cut out and put in, in random pieces."""
    stream = bytearray().join(WHOLE[chance.choice(SOUND)] for _ in range(chance.randrange(4)))
    stream += chance.randbytes(chance.randrange(40))
    for _ in range(chance.randrange(6)):
        at = chance.randrange(len(stream) + 1)
        stream[at : at + chance.randrange(9)] = chance.randbytes(chance.randrange(9))
    return cut(bytes(stream), [chance.randrange(120) for _ in range(5)])


def fed(*pieces: bytes) -> list[Frame]:
    decoder = FrameDecoder()
    return [frame for piece in pieces for frame in decoder.feed(piece)]
