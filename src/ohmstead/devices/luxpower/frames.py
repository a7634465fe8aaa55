"""The datalogger's envelope: frames both ends speak, and a decoder for a stream of them.

A frame does not say which way it goes: a request for one register and a reply of a protocol-1
logger look alike. So a decoded frame keeps its tail as bytes, and whoever knows which end of
the wire it stands at asks for the meaning: ``request`` at the logger's end, ``reply_words``,
``echo`` and ``error_code`` at ours.
"""

import struct
from collections import Counter
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from ohmstead.registers import crc16

__all__ = [
    "ERROR",
    "Frame",
    "FrameDecoder",
    "Function",
    "Heartbeat",
    "Parameter",
    "ReadRequest",
    "Serials",
    "Translated",
    "WriteRequest",
    "block_words",
    "echo",
    "error_code",
    "error_reply",
    "parameter_asked",
    "parameter_value",
    "read_parameter_reply",
    "read_parameter_request",
    "read_reply",
    "read_request",
    "reply_words",
    "request",
    "write_multi_request",
    "write_parameter_reply",
    "write_reply",
    "write_single",
]


class Function(IntEnum):
    """What a translated frame does to the inverter's registers."""

    READ_HOLD = 3
    READ_INPUT = 4
    WRITE_SINGLE = 6
    WRITE_MULTI = 16


ERROR: Final = 0x80
"""Added to the function of a request that was refused."""


@dataclass(frozen=True, slots=True)
class Serials:
    """Whom a frame is for: both must be right, or the logger stays silent."""

    datalog: str
    inverter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The logger's sign of life; the cloud sends it back byte for byte."""

    protocol: int
    datalog: str
    payload: bytes = b"\0"
    mark: int = 1
    """The byte nobody knows the meaning of, kept for the echo."""

    def to_bytes(self) -> bytes:
        """Return the frame as it goes over the wire."""
        return _outer(self.protocol, _HEARTBEAT, self.datalog, self.payload, self.mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """A request to the inverter's registers, or what came back."""

    protocol: int
    datalog: str
    inverter: str
    function: int
    register: int
    tail: bytes
    address: int = 0
    """0 in requests and errors, 1 in replies; never to be relied on."""

    def to_bytes(self) -> bytes:
        """Return the frame as it goes over the wire."""
        inner = _INNER.pack(self.address, self.function, _serial(self.inverter), self.register)
        inner += self.tail
        payload = struct.pack("<H", len(inner) + 2) + inner + struct.pack("<H", crc16(inner))
        return _outer(self.protocol, _TRANSLATED, self.datalog, payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A question about the logger's own parameters, or the answer; it has no checksum."""

    protocol: int
    datalog: str
    payload: bytes
    write: bool = False

    def to_bytes(self) -> bytes:
        """Return the frame as it goes over the wire."""
        function = _WRITE_PARAMETER if self.write else _READ_PARAMETER
        return _outer(self.protocol, function, self.datalog, self.payload)


Frame: TypeAlias = Heartbeat | Translated | Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """*count* registers from *register* on are asked for."""

    holding: bool
    register: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """*words* shall be stored from *register* on."""

    register: int
    words: tuple[int, ...]
    multi: bool


# ---- what the inverter's end asks and says --------------------------------------------------


def request(frame: Translated) -> ReadRequest | WriteRequest | None:
    """Return what *frame*, sent by a client, asks for; None if it is no proper request."""
    tail = frame.tail
    match frame.function:
        case Function.READ_HOLD | Function.READ_INPUT if len(tail) == _WORD:
            (count,) = struct.unpack("<H", tail)
            holding = frame.function == Function.READ_HOLD
            return ReadRequest(holding=holding, register=frame.register, count=count)
        case Function.WRITE_SINGLE if len(tail) == _WORD:
            return WriteRequest(register=frame.register, words=_words(tail), multi=False)
        case Function.WRITE_MULTI if len(tail) > _WORD:
            count, size = struct.unpack_from("<HB", tail)
            if size != _WORD * count or len(tail) != size + 3:
                return None
            return WriteRequest(register=frame.register, words=_words(tail[3:]), multi=True)
        case _:
            return None


def read_reply(asked: Translated, words: tuple[int, ...], *, protocol: int) -> Translated:
    """Return the answer of a *protocol* logger to the read *asked*."""
    values = struct.pack(f"<{len(words)}H", *words)
    return _answer(asked, values if protocol == 1 else bytes([len(values)]) + values, protocol)


def write_reply(asked: Translated, *, protocol: int) -> Translated:
    """Return the answer of a *protocol* logger that stored what was *asked*.

    A single write is repeated with its value, a multi write with its count.
    """
    return _answer(asked, asked.tail[:_WORD], protocol)


def error_reply(asked: Translated, code: int, *, protocol: int) -> Translated:
    """Return the refusal of *asked* with the error *code*."""
    return Translated(
        protocol=protocol,
        datalog=asked.datalog,
        inverter=asked.inverter,
        function=asked.function | ERROR,
        register=asked.register,
        tail=bytes([code]),
    )


def read_parameter_reply(protocol: int, datalog: str, parameter: int, values: bytes) -> Parameter:
    """Return the answer to a question for the logger's *parameter*."""
    payload = struct.pack("<HH", parameter, len(values)) + values
    return Parameter(protocol=protocol, datalog=datalog, payload=payload)


def write_parameter_reply(protocol: int, datalog: str, parameter: int) -> Parameter:
    """Return the answer to a write of the logger's *parameter*: a short form of its own."""
    payload = struct.pack("<BH", parameter, 0)
    return Parameter(protocol=protocol, datalog=datalog, payload=payload, write=True)


def parameter_asked(frame: Parameter) -> int | None:
    """Return which parameter *frame*, sent by a client, is about; None if it does not say."""
    if len(frame.payload) < _WORD:
        return None
    return int.from_bytes(frame.payload[:_WORD], "little")


# ---- what our end asks and understands ------------------------------------------------------


def read_request(serials: Serials, function: int, register: int, count: int) -> Translated:
    """Ask for *count* registers from *register* on."""
    return _question(serials, function, register, struct.pack("<H", count), protocol=1)


def write_single(serials: Serials, register: int, word: int) -> Translated:
    """Ask to store one word."""
    tail = struct.pack("<H", word)
    return _question(serials, Function.WRITE_SINGLE, register, tail, protocol=1)


def write_multi_request(serials: Serials, register: int, words: tuple[int, ...]) -> Translated:
    """Ask to store *words* from *register* on."""
    tail = struct.pack(f"<HB{len(words)}H", len(words), _WORD * len(words), *words)
    return _question(serials, Function.WRITE_MULTI, register, tail, protocol=2)


def read_parameter_request(datalog: str, parameter: int) -> Parameter:
    """Ask for one of the logger's own parameters."""
    return Parameter(protocol=2, datalog=datalog, payload=struct.pack("<H", parameter))


def block_words(frame: Translated) -> tuple[int, ...] | None:
    """Return the words of a read reply, asked for or not; None where their number is in doubt.

    Protocol 1 sends the values alone, every later one a length byte before them. Taking the
    length byte for half a value has cleared protection bits of real inverters.
    """
    if frame.function not in {Function.READ_HOLD, Function.READ_INPUT}:
        return None
    tail = frame.tail
    if len(tail) % _WORD:
        return _words(tail[1:]) if tail[0] == len(tail) - 1 else None
    return _words(tail) if frame.protocol == 1 else None


def reply_words(frame: Translated, register: int, count: int) -> tuple[int, ...] | None:
    """Return the words if *frame* answers a read of exactly *count* words from *register* on."""
    if frame.register != register:
        return None
    words = block_words(frame)
    return words if words is not None and len(words) == count else None


def echo(frame: Translated) -> int | None:
    """Return the word a write reply repeats: the value of a single one, the count of a multi."""
    if frame.function not in {Function.WRITE_SINGLE, Function.WRITE_MULTI}:
        return None
    return _words(frame.tail)[0] if len(frame.tail) == _WORD else None


def error_code(frame: Translated) -> int | None:
    """Return the code of an error reply; None if *frame* is none."""
    return frame.tail[0] if frame.function & ERROR and len(frame.tail) == 1 else None


def parameter_value(frame: Parameter) -> tuple[int, bytes] | None:
    """Return the number and the bytes of a parameter answer; None if *frame* is none."""
    if frame.write or len(frame.payload) < 2 * _WORD:
        return None
    parameter, size = struct.unpack_from("<HH", frame.payload)
    values = frame.payload[2 * _WORD :]
    return (parameter, values) if len(values) == size else None


# ---- the stream -----------------------------------------------------------------------------


class FrameDecoder:
    """Turns a stream of bytes, in whatever pieces, into frames; never raises."""

    def __init__(self) -> None:
        """Begin in an empty stream."""
        self._buffer = bytearray()
        self.dropped: Counter[str] = Counter()
        """Frames thrown away so far, by reason."""
        self.skipped = 0
        """How many bytes belonged to no frame so far, those of dropped ones included."""

    def __len__(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that *data* completes.

        After anything wrong the search goes on two bytes further, not behind the broken
        frame: its length may be what is broken.
        """
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        at = 0
        while (start := buffer.find(_PREFIX, at)) >= 0:
            self.skipped += start - at
            at = start
            size, trouble = _size(buffer, at)
            if not trouble and len(buffer) - at < size:
                break
            found = trouble or _parse(bytes(buffer[at : at + size]))
            if isinstance(found, str):
                self.dropped[found] += 1
                self.skipped += len(_PREFIX)
                at += len(_PREFIX)
            else:
                frames.append(found)
                at += size
        else:
            end = len(buffer) - buffer.endswith(_PREFIX[:1], at)
            self.skipped += end - at
            at = end
        del buffer[:at]
        return frames


_PREFIX: Final = b"\xa1\x1a"
_OUTER: Final = struct.Struct("<2sHHBB10s")
_INNER: Final = struct.Struct("<BB10sH")
_HEAD: Final = struct.Struct("<2xHH")
_WORD: Final = 2

_HEARTBEAT: Final = 193
_TRANSLATED: Final = 194
_READ_PARAMETER: Final = 195
_WRITE_PARAMETER: Final = 196

_MOST: Final = 1024
"""No frame is longer; 127 registers, the most there can be, make 291 bytes."""
_MOST_HEARTBEAT: Final = 64
"""19 bytes as a rule; 21 have been seen."""


def _size(buffer: bytearray, at: int) -> tuple[int, str]:
    """Return how long the frame at *at* is, and what is wrong with its head, if anything."""
    head = buffer[at : at + _OUTER.size + _WORD]
    if len(head) < _OUTER.size:
        return _OUTER.size, ""
    _, length = _HEAD.unpack_from(head)
    size, function = length + 6, head[7]
    if not _HEARTBEAT <= function <= _WRITE_PARAMETER:
        return size, "unknown function"
    least = {_TRANSLATED: 37, _HEARTBEAT: _OUTER.size + 1}.get(function, _OUTER.size + _WORD)
    if not least <= size <= (_MOST_HEARTBEAT if function == _HEARTBEAT else _MOST):
        return size, "length"
    if function == _TRANSLATED and len(head) > _OUTER.size + 1:
        (inner,) = struct.unpack_from("<H", head, _OUTER.size)
        if length != inner + 14:
            return size, "length"
    return size, ""


def _parse(octets: bytes) -> Frame | str:
    """Return the one whole frame in *octets*, or what is wrong with it."""
    _, protocol, _, mark, function, serial = _OUTER.unpack_from(octets)
    datalog = serial.decode("latin-1")
    payload = octets[_OUTER.size :]
    if function == _HEARTBEAT:
        return Heartbeat(protocol=protocol, datalog=datalog, payload=payload, mark=mark)
    if function != _TRANSLATED:
        write = function == _WRITE_PARAMETER
        return Parameter(protocol=protocol, datalog=datalog, payload=payload, write=write)
    inner = payload[_WORD:-_WORD]
    if crc16(inner) != payload[-2] | payload[-1] << 8:
        return "checksum"
    address, called, inverter, register = _INNER.unpack_from(inner)
    return Translated(
        protocol=protocol,
        datalog=datalog,
        inverter=inverter.decode("latin-1"),
        function=called,
        register=register,
        tail=inner[_INNER.size :],
        address=address,
    )


def _outer(protocol: int, function: int, datalog: str, payload: bytes, mark: int = 1) -> bytes:
    length = _OUTER.size - 6 + len(payload)
    head = _OUTER.pack(_PREFIX, protocol, length, mark, function, _serial(datalog))
    return head + payload


def _serial(text: str) -> bytes:
    octets = text.encode("latin-1")
    if len(octets) != 10:  # noqa: PLR2004 - as long as every serial of these devices is
        raise ValueError(f"a serial number has 10 characters, not {len(octets)}")
    return octets


def _question(
    serials: Serials, function: int, register: int, tail: bytes, *, protocol: int
) -> Translated:
    return Translated(
        protocol=protocol,
        datalog=serials.datalog,
        inverter=serials.inverter,
        function=function,
        register=register,
        tail=tail,
    )


def _answer(asked: Translated, tail: bytes, protocol: int) -> Translated:
    return Translated(
        protocol=protocol,
        datalog=asked.datalog,
        inverter=asked.inverter,
        function=asked.function,
        register=asked.register,
        tail=tail,
        address=1,
    )


def _words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // _WORD}H", data)
