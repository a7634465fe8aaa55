"""Tells a LuxPower datalogger from whatever else listens on its port, without its serial number.

A datalogger answers nobody who does not know its serial number, so it must be overheard. It
speaks by itself every two to five minutes, and whenever it answers somebody else. Its heartbeat
names the datalogger; sent back, as the cloud does, it is followed by the inverter's measurements,
and those name the inverter. Nothing is ever written.
"""

import asyncio
from typing import Final

from ohmstead.devices.luxpower.frames import (
    Frame,
    FrameDecoder,
    Function,
    Heartbeat,
    Serials,
    Translated,
    read_parameter_request,
    read_request,
    reply_words,
)
from ohmstead.devices.luxpower.registers import COMMON, model_of
from ohmstead.links.scan import Conversation, Found, opened

__all__ = ["PORT", "handshake"]

PORT: Final = 8000


async def handshake(host: str, port: int, patience_s: float) -> Found | None:
    """Listen for *patience_s* at *host*; an open port that stays silent is only a candidate."""
    for pause_s in (_AGAIN_S, 0.0):
        async with opened(host, port, _CONNECT_S) as conversation:
            if conversation is None:
                return None
            stream = _Stream(conversation)
            await stream.listen(min(_SETTLE_S, patience_s))
            if not stream.hung_up or stream.spoke:
                return await _judge(stream, host, port, patience_s)
        await asyncio.sleep(pause_s)
    return _candidate(host, port, f"port {port} is open and hangs up at once: {_HUNG_UP}")


async def _judge(stream: "_Stream", host: str, port: int, patience_s: float) -> Found | None:
    if not stream.datalog and not stream.hung_up:
        stream.say(_STRAY)
        await stream.listen(patience_s)
    if not stream.datalog:
        if stream.spoke or stream.hung_up:
            return None
        said = _SILENT if patience_s < _LONG_S else f"nothing was heard for {patience_s:g} s"
        return _candidate(host, port, f"port {port} is open; {said}")
    if not stream.inverter:
        await stream.listen(_FOLLOW_S)
    settings: dict[str, str | int] = {"host": host, "datalog": stream.datalog}
    if port != PORT:
        settings["port"] = port
    if not stream.inverter:
        return Found(
            host=host, port=port, model="", serial="", settings=settings, note=_NO_INVERTER
        )
    return Found(
        host=host,
        port=port,
        model=await _model(stream),
        serial=stream.inverter,
        settings=settings | {"serial": stream.inverter},
    )


async def _model(stream: "_Stream") -> str:
    """Ask the inverter, whose serial numbers are known now, what it is."""
    serials = Serials(stream.datalog, stream.inverter)
    count = COMMON.holdings["device_type"].address + 1
    stream.say(read_request(serials, Function.READ_HOLD, 0, count).to_bytes())
    words = await stream.answer(count)
    if words is None:
        return ""
    firmware = COMMON.holdings.decode(dict(enumerate(words))).values["firmware"]
    model = model_of(words[-1], str(firmware) if firmware else None)
    return model.name if model else f"device type {words[-1]}"


def _candidate(host: str, port: int, note: str) -> Found:
    return Found(
        host=host, port=port, model="", serial="", settings={"host": host},
        confirmed=False, note=note,
    )  # fmt: skip


class _Stream:
    """What a connection gives away of who is at its other end."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._decoder = FrameDecoder()
        self.datalog = ""
        self.inverter = ""
        self.spoke = False
        """Whether anything came, frame or not."""
        self.hung_up = False

    def say(self, octets: bytes) -> None:
        """Send *octets*."""
        self._conversation.say(octets)

    async def listen(self, patience_s: float) -> None:
        """Hear what comes until more is known of who it is, they hang up, or patience ends."""
        until = asyncio.get_running_loop().time() + patience_s
        known = bool(self.datalog)
        while not self.inverter and not self.hung_up and bool(self.datalog) == known:
            frames = await self._hear(until)
            if frames is None:
                return
            for frame in frames:
                self._overhear(frame)

    async def answer(self, count: int) -> tuple[int, ...] | None:
        """Return the first *count* holding registers, if they come in time."""
        until = asyncio.get_running_loop().time() + _REPLY_S
        while not self.hung_up and (frames := await self._hear(until)) is not None:
            for frame in frames:
                if (
                    isinstance(frame, Translated)
                    and frame.function == Function.READ_HOLD
                    and (frame.datalog, frame.inverter) == (self.datalog, self.inverter)
                    and (words := reply_words(frame, 0, count)) is not None
                ):
                    return words
        return None

    async def _hear(self, until: float) -> list[Frame] | None:
        """Return the frames in what comes next; None if nothing does."""
        try:
            async with asyncio.timeout_at(until):
                data = await self._conversation.hear()
        except TimeoutError:
            return None
        self.hung_up = not data
        self.spoke = self.spoke or bool(data)
        return self._decoder.feed(data)

    def _overhear(self, frame: Frame) -> None:
        if not _is_serial(frame.datalog):
            return
        self.datalog = self.datalog or frame.datalog
        if isinstance(frame, Translated) and _is_serial(frame.inverter) and not self.inverter:
            # Of one frame, and a long one: heartbeats have no checksum.
            self.datalog, self.inverter = frame.datalog, frame.inverter
        if isinstance(frame, Heartbeat):
            # Where the cloud is shut out, some send measurements only after such an echo.
            self.say(frame.to_bytes())


def _is_serial(text: str) -> bool:
    return text.isascii() and text.isalnum()


_CONNECT_S: Final = 2.0
_SETTLE_S: Final = 0.5
"""Before anything is said: some flush an old frame first, and full ones hang up."""
_AGAIN_S: Final = 1.0
"""Before a second try: it may still hold the connection that found the port open."""
_FOLLOW_S: Final = 5.0
"""How soon measurements follow a heartbeat."""
_REPLY_S: Final = 3.0

_STRAY: Final = read_parameter_request("000000\r\n\r\n", 0).to_bytes()
"""A proper question to a datalogger that cannot be, with an empty line in its serial number.

A datalogger stays silent at it; a server of pages or pictures answers or hangs up.
"""

_LONG_S: Final = 120.0
_SILENT: Final = "a LuxPower datalogger would speak within 2 minutes: try --patience 130"
_HUNG_UP: Final = "a LuxPower datalogger may do so while another program is connected to it"
_NO_INVERTER: Final = "only the datalogger spoke; the inverter's serial is on its sticker"
