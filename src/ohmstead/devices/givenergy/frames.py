"""What goes over the wire to and from a GivEnergy data adapter, the "dongle".

A frame looks like Modbus/TCP and is not: constant first words, the dongle's serial number, a
Modbus RTU frame inside with its check sum. The size tells a request (34 bytes) from an answer.
"""

import struct
from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from ohmstead.registers import crc16

__all__ = [
    "INVERTER",
    "Block",
    "Frame",
    "FrameDecoder",
    "Function",
    "Heartbeat",
    "LanConfig",
    "Null",
    "Refusal",
    "Request",
    "Stored",
]

INVERTER: Final = 0x11
"""The Modbus address of the inverter, on every model; all writes go there."""


class Function(IntEnum):
    """What is done to whose registers."""

    READ_HOLD = 3
    READ_INPUT = 4
    WRITE = 6
    READ_PRODUCT = 0x16
    """What a meter says of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The dongle asks every three minutes whether anybody listens; we say the same back."""

    dongle: str
    kind: int = 1

    def to_bytes(self) -> bytes:
        """Return the frame."""
        return _HEAD.pack(_MARK, 13, 1, _HEARTBEAT, _serial(self.dongle)) + bytes([self.kind])


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question: *value* is the number of words to read, or the one word to write."""

    address: int = INVERTER
    function: int
    register: int
    value: int
    dongle: str = "OHMSTEAD00"
    """Ten characters of no consequence: the dongle does not look."""

    def to_bytes(self) -> bytes:
        """Return the frame. Its "padding" is 8: a real inverter ignores a request with 0."""
        inner = _ASKED.pack(self.address, self.function, self.register, self.value)
        return _whole(self.dongle, inner, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Words that were read, by us or by anybody."""

    dongle: str
    address: int
    function: int
    serial: str
    """Of the inverter, or of the stack behind it."""
    register: int
    words: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """Return the frame."""
        count = len(self.words)
        head = _ANSWERED.pack(
            self.address, self.function, _serial(self.serial), self.register, count
        )
        return _whole(self.dongle, head + struct.pack(f">{count}H", *self.words))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A word that was written, by us or by anybody."""

    dongle: str
    address: int
    serial: str
    register: int
    word: int

    def to_bytes(self) -> bytes:
        """Return the frame."""
        return _whole(
            self.dongle,
            _ANSWERED.pack(
                self.address, Function.WRITE, _serial(self.serial), self.register, self.word
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error. There is no code, and old firmware repeats the question wrongly."""

    dongle: str
    address: int
    function: int
    serial: str
    register: int
    value: int

    def to_bytes(self) -> bytes:
        """Return the frame."""
        serial = _serial(self.serial)
        function = self.function | _ERROR
        return _whole(
            self.dongle, _ANSWERED.pack(self.address, function, serial, self.register, self.value)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    """The device behind *address* did not answer this time."""

    dongle: str
    address: int

    def to_bytes(self) -> bytes:
        """Return the frame: 62 words of zero after an empty serial, the check sum zero too."""
        return _whole(self.dongle, bytes([self.address, 0]) + bytes(10 + 124), check=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LanConfig:
    """Where the dongle is in the network; some broadcast it every three minutes."""

    dongle: str
    text: str

    def to_bytes(self) -> bytes:
        """Return the frame."""
        return _whole(self.dongle, self.text.encode("ascii") + _TEXT_END)


Frame: TypeAlias = Heartbeat | Request | Block | Stored | Refusal | Null | LanConfig


class FrameDecoder:
    """Turns a stream of bytes, in whatever pieces, into frames; never raises."""

    def __init__(self) -> None:
        """Begin in an empty stream."""
        self._buffer = bytearray()
        self.dropped: Counter[str] = Counter()
        """Frames thrown away so far, by reason."""

    def __len__(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that *data* completes.

        After anything wrong the search goes on behind the mark: the length may be what is
        broken. Last bytes that could begin the next frame may have been borrowed from it.
        """
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        at = 0
        while (start := buffer.find(_MARK, at)) >= 0:
            at = start
            if len(buffer) - at < _HEAD.size:
                break
            trouble, size = "", 0
            if buffer.find(_MARK, at + len(_MARK), at + _HEAD.size + len(_MARK) - 1) >= 0:
                trouble = "cut short"
            else:
                _, length, unit, function, _ = _HEAD.unpack_from(buffer, at)
                size = length + _COUNTED_FROM
                if unit > 1 or size not in _SIZES.get(function, ()):
                    trouble = "head"
                elif len(buffer) - at < size:
                    break
            octets = bytes(buffer[at : at + size])
            found = trouble or _parse(octets)
            if isinstance(found, str):
                self.dropped[found] += 1
                at += len(_MARK)
            else:
                frames.append(found)
                at += size - _begun(octets)
        else:
            at = max(at, len(buffer) - len(_MARK) + 1)
        del buffer[:at]
        return frames


_MARK: Final = b"\x59\x59\x00\x01"
_HEAD: Final = struct.Struct(">4sHBB10s")
_COUNTED_FROM: Final = 6
_OUTER: Final = _HEAD.size + 8
"""With the eight bytes that others call padding: they hold how long the rest is."""
_ASKED: Final = struct.Struct(">BBHH")
_ANSWERED: Final = struct.Struct(">BB10sHH")
_HEARTBEAT: Final = 1
_TRANSPARENT: Final = 2
_SIZES: Final = {_HEARTBEAT: range(19, 20), _TRANSPARENT: range(34, 307)}
_REQUEST: Final = 34
_ERROR: Final = 0x80
_WORD: Final = 2
_READS: Final = frozenset({Function.READ_HOLD, Function.READ_INPUT, Function.READ_PRODUCT})
_TEXT_END: Final = b"\r\n\r\n"
_TEXT: Final = frozenset(b"0123456789.,")


def _parse(octets: bytes) -> Frame | str:
    """Return the one whole frame in *octets*, or what is wrong with it."""
    dongle = octets[8:18].decode("latin-1")
    if octets[7] == _HEARTBEAT:
        return "cut short" if _begun(octets) else Heartbeat(dongle=dongle, kind=octets[18])
    inner = octets[_OUTER:-_WORD]
    if inner.endswith(_TEXT_END) and _TEXT.issuperset(inner[: -len(_TEXT_END)]):
        return LanConfig(dongle=dongle, text=inner[: -len(_TEXT_END)].decode("ascii"))
    if not any(inner[1:]):
        return Null(dongle=dongle, address=inner[0])
    if crc16(inner) != octets[-2] | octets[-1] << 8:
        return "check sum"
    return _request(dongle, inner) if len(octets) == _REQUEST else _answer(dongle, inner)


def _begun(octets: bytes) -> int:
    """Return how many of the last *octets* could be the first ones of a mark."""
    return max(n for n in range(len(_MARK) + 1) if octets.endswith(_MARK[:n]))


def _request(dongle: str, inner: bytes) -> Request:
    address, function, register, value = _ASKED.unpack(inner)
    return Request(
        dongle=dongle, address=address, function=function, register=register, value=value
    )


def _answer(dongle: str, inner: bytes) -> Frame | str:
    """Return what *inner* is: its last word is a count of words, a word, or part of an error."""
    if len(inner) < _ANSWERED.size:
        return "length"
    address, function, octets, register, value = _ANSWERED.unpack_from(inner)
    serial = octets.decode("latin-1").strip("\0")
    count, odd = divmod(len(inner) - _ANSWERED.size, _WORD)
    if odd or count != (value if function in _READS else 0):
        return "length"
    if function in _READS:
        return Block(
            dongle=dongle,
            address=address,
            function=function,
            serial=serial,
            register=register,
            words=struct.unpack_from(f">{count}H", inner, _ANSWERED.size),
        )
    if function & _ERROR:
        return Refusal(
            dongle=dongle,
            address=address,
            function=function & ~_ERROR,
            serial=serial,
            register=register,
            value=value,
        )
    if function == Function.WRITE:
        return Stored(dongle=dongle, address=address, serial=serial, register=register, word=value)
    return "function"


def _whole(
    dongle: str, inner: bytes, padding: int | None = None, check: int | None = None
) -> bytes:
    rest = len(inner) + _WORD
    head = _HEAD.pack(
        _MARK, _OUTER - _COUNTED_FROM + rest, 1, _TRANSPARENT, _serial(dongle)
    ) + struct.pack(">Q", rest if padding is None else padding)
    return head + inner + struct.pack("<H", crc16(inner) if check is None else check)


def _serial(text: str) -> bytes:
    octets = text.encode("latin-1")
    if len(octets) > 10:  # noqa: PLR2004 - as long as every serial of these devices is
        raise ValueError(f"a serial number has 10 characters, not {len(octets)}")
    return octets.ljust(10, b"\0")
