"""Frames decoded per second, beside a decoder that reckons its checksum bit by bit."""

import struct
from collections.abc import Callable, Iterable
from time import perf_counter

from ohmstead.devices.luxpower.frames import (
    FrameDecoder,
    Serials,
    Translated,
    read_reply,
    read_request,
)
from tables import print_table

SERIALS = Serials("2222222222", "5555555555")
ROUNDS = 400


def main() -> None:
    """Measure small replies and the largest, whole and in pieces."""
    rows = []
    for count in (1, 40, 127):
        asked = read_request(SERIALS, 4, 0, count)
        frame = read_reply(asked, tuple(range(count)), protocol=5).to_bytes()
        stream = frame * 50
        whole = rate(lambda data: FrameDecoder().feed(data), [stream])
        pieces = rate(feed_in_pieces, [stream])
        plain = rate(decode_plainly, [stream])
        rows.append(
            [
                f"{count} registers, {len(frame)} bytes",
                f"{whole:,.0f}",
                f"{pieces:,.0f}",
                f"{plain:,.0f}",
                f"{whole / plain:.1f}x",
            ]
        )
    print_table(
        "Frames per second", ("reply", "whole", "in pieces of 64", "baseline", "against it"), rows
    )


def rate(decode: Callable[[bytes], Iterable[object]], streams: list[bytes]) -> float:
    """Return how many frames *decode* finds in a second, the best of five runs."""
    best = 0.0
    for _ in range(5):
        frames, began = 0, perf_counter()
        for _ in range(ROUNDS // 20):
            for stream in streams:
                frames += len(list(decode(stream)))
        best = max(best, frames / (perf_counter() - began))
    return best


def feed_in_pieces(stream: bytes) -> Iterable[object]:
    """Decode as a socket delivers: in pieces."""
    decoder = FrameDecoder()
    for at in range(0, len(stream), 64):
        yield from decoder.feed(stream[at : at + 64])


def decode_plainly(stream: bytes) -> Iterable[object]:
    """Decode one frame after the other as the protocol's description reads."""
    while stream:
        (length,) = struct.unpack_from("<H", stream, 4)
        frame, stream = stream[: length + 6], stream[length + 6 :]
        inner, checksum = frame[20:-2], struct.unpack("<H", frame[-2:])[0]
        crc = 0xFFFF
        for byte in inner:
            crc ^= byte
            for _ in range(8):
                crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        assert crc == checksum
        yield Translated(
            protocol=frame[2], datalog=frame[8:18].decode(), inverter=inner[2:12].decode(),
            function=inner[1], register=struct.unpack_from("<H", inner, 12)[0], tail=inner[14:],
        )  # fmt: skip
