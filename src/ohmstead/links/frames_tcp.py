"""One TCP connection to a device that speaks in frames: kept up, one question at a time."""

import asyncio
import contextlib
import logging
import os
import random
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Generic, Protocol, Self, TypeVar, cast

from ohmstead.errors import DeviceBusy, DeviceError, DeviceUnreachable

__all__ = ["FrameLink", "FramePatience", "StreamDecoder"]

log = logging.getLogger(__name__)

FrameT = TypeVar("FrameT")
FrameT_co = TypeVar("FrameT_co", covariant=True)
AnswerT = TypeVar("AnswerT")


class StreamDecoder(Protocol[FrameT_co]):
    """Turns bytes into frames; never raises."""

    def feed(self, data: bytes) -> Iterable[FrameT_co]:
        """Return the frames that *data* completes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePatience:
    """How long we wait for a device, and how often we ask again."""

    connect_s: float = 10.0
    reply_s: float = 5.0
    read_attempts: int = 3
    gap_s: float = 0.3
    """Left between an answer and the next question."""
    spacing_s: float = 0.0
    """The least time from one question to the next."""
    retry_s: float = 0.0
    """Left before a question that got no answer is asked again."""
    settle_s: float = 0.5
    """Left after connecting, for what the device had still to say to somebody else."""
    idle_s: float = 900.0
    """A connection on which nothing comes for so long is dead."""
    again_s: float = 1.0
    """Before connecting again after a connection that had worked."""
    backoff_s: float = 5.0
    """Before connecting again after one that had not; doubled each time."""
    backoff_most_s: float = 60.0


class FrameLink(Generic[FrameT]):
    """A connection that comes back by itself, and asks one question at a time.

    The stream is a bus: answers to others arrive too. Whoever asks also says how to tell the
    answer; everything else is handed to *hear*.
    """

    def __init__(
        self,
        device: str,
        address: tuple[str, int],
        decoder: Callable[[], StreamDecoder[FrameT]],
        hear: Callable[[FrameT], None],
        *,
        patience: FramePatience | None = None,
        advice: str = "",
    ) -> None:
        """Connect to *address* for *device*; *advice* ends every sentence about its silence."""
        self._device = device
        self._address = address
        self._decoder = decoder
        self._hear = hear
        self._patience = patience or FramePatience()
        self._advice = f" {advice}" if advice else ""
        self._jitter = random.Random(device)  # noqa: S311 - spreads reconnections, guards nothing
        self._turn = asyncio.Lock()
        self._tried = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._question: _Question[FrameT] | None = None
        self._not_before = 0.0
        self._trouble = "not connected yet"
        self._hung_up = ""
        self._group = asyncio.TaskGroup()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to connect; does not wait for it. Whoever left may come again."""
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._task = self._group.create_task(self._keep_up(), name=f"link {self._device}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection and leave no task behind."""
        if self._task is not None:
            self._task.cancel()
        if isinstance(error, asyncio.CancelledError):
            await self._group.__aexit__(kind, error, trace)
        else:  # the group would wrap what is none of its business
            await self._group.__aexit__(None, None, None)

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._writer is not None

    async def ask(
        self,
        question: bytes,
        understand: Callable[[FrameT], AnswerT | None],
        *,
        attempts: int | None = None,
        reply_s: float | None = None,
    ) -> AnswerT:
        """Send *question* and return what *understand* makes of the first frame it knows.

        Asks again, *attempts* times in all, when nothing comes within *reply_s*, the connection
        drops or the device is busy: say 1 for anything that changes the device. ``understand``
        returns None for a frame that is not the answer, and may raise a ``DeviceError``.
        """
        reply_s = self._patience.reply_s if reply_s is None else reply_s
        left = attempts or self._patience.read_attempts
        async with self._turn:
            while True:
                left -= 1
                try:
                    return await self._exchange(question, understand, reply_s)
                except _Silence as exc:
                    log.debug("%s", exc)
                    if left:
                        await asyncio.sleep(self._patience.retry_s)
                        continue
                    if attempts != 1:
                        self._hang_up("several questions in a row got no answer")
                    raise DeviceUnreachable(self._device, exc.detail + self._advice) from exc
                except DeviceBusy:
                    if not left:
                        raise
                    await asyncio.sleep(self._patience.retry_s)

    def tell(self, octets: bytes) -> None:
        """Send *octets* if there is a connection that takes them; expects no answer."""
        writer = self._writer
        if writer is not None and writer.transport.get_write_buffer_size() < _UNSENT:
            writer.write(octets)

    # ---- one question ---------------------------------------------------------------

    async def _exchange(
        self, octets: bytes, understand: Callable[[FrameT], AnswerT | None], reply_s: float
    ) -> AnswerT:
        writer = await self._connection()
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(self._not_before - loop.time(), 0))
        answer: asyncio.Future[object] = loop.create_future()
        self._question = _Question(understand, answer)
        asked_at = loop.time()
        try:
            async with asyncio.timeout(reply_s):
                if writer is not self._writer:
                    raise self._lost()
                writer.write(octets)
                await writer.drain()
                return cast("AnswerT", await answer)
        except TimeoutError:
            raise _Silence(self._device, f"no answer within {reply_s:g} s.") from None
        except OSError as exc:
            self._trouble = _said(exc)
            raise self._lost() from exc
        finally:
            self._question = None
            self._not_before = max(
                loop.time() + self._patience.gap_s, asked_at + self._patience.spacing_s
            )

    async def _connection(self) -> asyncio.StreamWriter:
        """Return the connection, waiting for the next try to make one if there is none."""
        if self._writer is None:
            self._tried.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience.connect_s):
                    await self._tried.wait()
        if self._writer is None:
            host, port = self._address
            raise DeviceUnreachable(
                self._device, f"no connection to {host}:{port}: {self._trouble}.{self._advice}"
            )
        return self._writer

    def _lost(self) -> "_Silence":
        return _Silence(self._device, f"the connection was lost: {self._trouble}.")

    def _take(self, frame: FrameT) -> None:
        question = self._question
        if question is None or not question.take(frame):
            self._hear(frame)

    # ---- the connection -------------------------------------------------------------

    async def _keep_up(self) -> None:
        patience = self._patience
        backoff_s = patience.backoff_s
        while True:
            heard = False
            try:
                async with asyncio.timeout(patience.connect_s):
                    reader, writer = await asyncio.open_connection(*self._address)
            except (OSError, UnicodeError) as exc:  # the latter for a host like "a..b"
                self._trouble = _said(exc) or f"no answer within {patience.connect_s:g} s"
                self._tried.set()
            else:
                heard = await self._converse(reader, writer)
                log.info("%s: connection lost: %s", self._device, self._trouble)
            if heard:
                backoff_s, wait_s = patience.backoff_s, patience.again_s
            else:
                wait_s, backoff_s = backoff_s, min(2 * backoff_s, patience.backoff_most_s)
            await asyncio.sleep(wait_s * self._jitter.uniform(0.8, 1.2))

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Hand on what comes until the connection ends; tell whether a frame ever came."""
        _keep_alive(writer)
        self._not_before = asyncio.get_running_loop().time() + self._patience.settle_s
        self._writer = writer
        self._tried.set()
        decoder, heard, why = self._decoder(), False, ""
        try:
            while not why:
                async with asyncio.timeout(self._patience.idle_s):
                    data = await reader.read(_CHUNK)
                if not data:
                    why = "the device closed it"
                for frame in decoder.feed(data):
                    heard = True
                    self._take(frame)
        except TimeoutError:
            why = f"nothing came for {self._patience.idle_s:g} s"
        except OSError as exc:
            why = _said(exc)
        finally:
            self._writer = None
            self._trouble, self._hung_up = self._hung_up or why, ""
            if self._question is not None:
                self._question.fail(self._lost())
            await _close(writer)
        return heard

    def _hang_up(self, why: str) -> None:
        if self._writer is not None:
            self._hung_up, writer, self._writer = why, self._writer, None
            writer.transport.abort()


_CHUNK: Final = 4096
_UNSENT: Final = 65_536
"""A peer that has left so much unread is not told anything more."""


class _Silence(DeviceUnreachable):
    """One question got no answer; the next attempt may."""


@dataclass(frozen=True, slots=True)
class _Question(Generic[FrameT]):
    """What was asked, and where the answer goes."""

    understand: Callable[[FrameT], object | None]
    answer: "asyncio.Future[object]"

    def take(self, frame: FrameT) -> bool:
        """Tell whether *frame* was the answer."""
        if self.answer.done():
            return False
        try:
            understood = self.understand(frame)
        except DeviceError as exc:
            self.answer.set_exception(exc)
            return True
        if understood is None:
            return False
        self.answer.set_result(understood)
        return True

    def fail(self, why: Exception) -> None:
        """End the wait."""
        if not self.answer.done():
            self.answer.set_exception(why)


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Let the system notice a peer that vanished; the numbers have served others well."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 50), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 5)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _said(exc: OSError | UnicodeError) -> str:
    """Return what the system says of its error; nothing for a timeout of ours."""
    if not isinstance(exc, OSError):
        return str(exc)
    if isinstance(exc, socket.gaierror) or not exc.errno:  # its numbers are not the system's
        return exc.strerror or str(exc)
    return os.strerror(exc.errno)
