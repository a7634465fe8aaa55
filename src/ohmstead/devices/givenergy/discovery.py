"""Tells a GivEnergy data adapter from whatever else listens on its port: cameras do too.

It is asked the one question every model answers. Only a whole, intact answer makes a claim; one
that speaks the protocol but has no answer in time is claimed without its model. Nothing is
written.
"""

import asyncio
from typing import Final

from ohmstead.devices.givenergy.frames import (
    INVERTER,
    Block,
    FrameDecoder,
    Function,
    Heartbeat,
    Request,
)
from ohmstead.devices.givenergy.guard import is_serial
from ohmstead.devices.givenergy.registers import UNKNOWN, model_of
from ohmstead.links.scan import Conversation, Found, opened

__all__ = ["PORT", "handshake"]

PORT: Final = 8899


async def handshake(host: str, port: int, patience_s: float) -> Found | None:
    """Ask at *host* who is there, a few times within *patience_s*."""
    async with opened(host, port, _CONNECT_S) as conversation:
        if conversation is None:
            return None
        settings: dict[str, str | int] = {"host": host} | ({} if port == PORT else {"port": port})
        asked = _Asked(conversation)
        words = await asked.words(patience_s)
        if words is None:
            if not asked.spoke:
                return None
            return Found(host=host, port=port, model="", serial="", settings=settings, note=_SILENT)
        said = UNKNOWN.holdings.decode(dict(enumerate(words))).values
        model = model_of(words[0], words[_ARM])
        return Found(
            host=host,
            port=port,
            model=model.name if model else f"device type {words[0]:04x}",
            serial=str(said["serial"]),
            settings=settings,
        )


class _Asked:
    """One connection to what may be a dongle."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._decoder = FrameDecoder()
        self.spoke = False
        """Whether a frame of the protocol came at all."""

    async def words(self, patience_s: float) -> tuple[int, ...] | None:
        """Return the first sixty holding registers, if they come within *patience_s*."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience_s
        while loop.time() < until:
            self._conversation.say(_QUESTION)
            try:
                async with asyncio.timeout_at(min(until, loop.time() + _REPLY_S)):
                    return await self._answer()
            except TimeoutError:
                continue
            except EOFError:
                return None
        return None

    async def _answer(self) -> tuple[int, ...]:
        while data := await self._conversation.hear():
            for frame in self._decoder.feed(data):
                self.spoke = True
                if isinstance(frame, Heartbeat):
                    self._conversation.say(frame.to_bytes())
                elif _identifies(frame):
                    assert isinstance(frame, Block)  # noqa: S101 - what was looked at just now
                    return frame.words
        raise EOFError


def _identifies(frame: object) -> bool:
    """Tell whether *frame* holds an inverter's first registers, ours to ask for or not."""
    if not isinstance(frame, Block) or (frame.address, frame.register) != (INVERTER, 0):
        return False
    whole = frame.function == Function.READ_HOLD and len(frame.words) >= _COUNT
    return whole and bool(frame.words[0]) and is_serial(frame.serial)


_CONNECT_S: Final = 2.0
_REPLY_S: Final = 1.5
_COUNT: Final = 60
_ARM: Final = 21
_QUESTION: Final = Request(function=Function.READ_HOLD, register=0, value=_COUNT).to_bytes()
_SILENT: Final = "a data adapter, whose inverter does not answer; is it on?"
