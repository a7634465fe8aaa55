"""The datalogger as a bus: what is heard on it, what is asked, and what nobody answered."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar

from ohmstead.clock import Clock
from ohmstead.devices.luxpower import frames
from ohmstead.devices.luxpower.frames import Frame, Function, Heartbeat, Parameter, Translated
from ohmstead.devices.luxpower.settings import LuxPowerSettings
from ohmstead.errors import DeviceBusy, DeviceRefused, DeviceUnreachable
from ohmstead.links.frames_tcp import FrameLink, FramePatience
from ohmstead.registers import Heard, Register, RegisterTable

__all__ = ["Station"]

log = logging.getLogger(__name__)

AnswerT = TypeVar("AnswerT")


class Station:
    """One inverter's words, kept fresh by what is broadcast and asked for only when stale."""

    def __init__(
        self,
        name: str,
        settings: LuxPowerSettings,
        clock: Clock,
        *,
        patience: FramePatience | None = None,
        on_news: Callable[[], None],
    ) -> None:
        """Listen for the inverter of *settings*; call *on_news* when it speaks unasked."""
        self._name = name
        self._serials = frames.Serials(str(settings.datalog), str(settings.serial))
        self._mode = settings.heartbeat
        self._clock = clock
        self._on_news = on_news
        self._link: FrameLink[Frame] = FrameLink(
            name,
            (settings.host, settings.port),
            self._begin_stream,
            self._hear,
            patience=patience
            or FramePatience(
                reply_s=settings.reply_s,
                gap_s=settings.pause_s,
                settle_s=2 * settings.pause_s,
            ),
            advice=_ADVICE,
        )
        self.heard: Mapping[Function, Heard] = {
            Function.READ_INPUT: Heard(),
            Function.READ_HOLD: Heard(),
        }
        self.interval_s = _INTERVAL_S
        """How far apart the broadcasts are."""
        self._stream = frames.FrameDecoder()
        self._dropped_before = 0
        self._most = _LARGE
        self._large_works = False
        self._absent: set[tuple[Function, int]] = set()
        self._broadcast_at: float | None = None
        self._heartbeat_at: float | None = None
        self._unheeded = 0
        self._stranger = ""

    async def __aenter__(self) -> Self:
        """Begin to connect; does not wait for it."""
        await self._link.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        await self._link.__aexit__(kind, error, trace)

    @property
    def dropped(self) -> int:
        """How many damaged frames were thrown away so far."""
        return self._dropped_before + self._stream.dropped.total()

    async def read(
        self, function: Function, register: int, count: int, *, attempts: int | None = None
    ) -> tuple[int, ...]:
        """Ask for *count* words from *register* on, now."""
        question = frames.read_request(self._serials, function, register, count)

        def answer(frame: Frame) -> tuple[int, ...] | None:
            reply = self._answer_to(question, frame)
            return frames.reply_words(reply, register, count) if reply else None

        words = await self._ask(question, answer, attempts)
        self.heard[function].store(register, words, self._clock.monotonic())
        return words

    async def write(self, register: int, words: tuple[int, ...]) -> None:
        """Send *words* once, and wait for the echo of just them."""
        if len(words) == 1:
            question, repeats = frames.write_single(self._serials, register, words[0]), words[0]
        else:
            question = frames.write_multi_request(self._serials, register, words)
            repeats = len(words)

        def answer(frame: Frame) -> bool | None:
            reply = self._answer_to(question, frame)
            return True if reply and frames.echo(reply) == repeats else None

        self.heard[Function.READ_HOLD].forget(register, len(words))
        await self._ask(question, answer, attempts=1)

    async def refresh(
        self, function: Function, rows: Iterable[Register], age_s: Callable[[Register], float]
    ) -> None:
        """Ask for those of *rows* that were not heard within *age_s*, in as few blocks as go."""
        now, heard = self._clock.monotonic(), self.heard[function]
        stale = [
            row
            for row in rows
            if (function, row.address) not in self._absent
            and not heard.fresh(row.addresses, now, age_s(row))
        ]
        for block in _blocks(stale, self._most):
            await self._fetch(function, block)

    # ---- asking ---------------------------------------------------------------------

    async def _fetch(self, function: Function, block: range) -> None:
        """Ask for *block*; where the device does not like its size, for smaller ones.

        Older loggers take 40 registers at most, between two multiples of 40, and say so with
        an error, with silence, or with a shorter answer.
        """
        if len(block) <= _SMALL:
            try:
                await self.read(function, block.start, len(block))
            except DeviceRefused as exc:
                if exc.code not in _NOT_THERE:
                    raise
                log.info("%s: no registers %s", self._name, block)
                self._absent |= {(function, address) for address in block}
            return
        try:
            # Twice, for the connection may have dropped by chance.
            attempts = None if self._large_works else 2
            await self.read(function, block.start, len(block), attempts=attempts)
            self._large_works = True
        except (DeviceRefused, DeviceUnreachable) as exc:
            if self._large_works and isinstance(exc, DeviceUnreachable):
                raise
            for piece in _pieces(block):
                await self._fetch(function, piece)
            self._most = _SMALL
            log.info("%s: reads at most %d registers at once", self._name, _SMALL)

    async def _ask(
        self,
        question: Translated,
        answer: Callable[[Frame], AnswerT | None],
        attempts: int | None,
    ) -> AnswerT:
        try:
            return await self._link.ask(question.to_bytes(), answer, attempts=attempts)
        except DeviceUnreachable as exc:
            if not self._stranger:
                raise
            raise DeviceUnreachable(self._name, exc.detail + self._stranger) from exc

    def _answer_to(self, question: Translated, frame: Frame) -> Translated | None:
        """Return *frame* if it answers *question* as far as its head says.

        Raises ``DeviceRefused`` or ``DeviceBusy`` if it says that the device will not.
        """
        if not isinstance(frame, Translated) or not self._ours(frame):
            return None
        if frame.register != question.register:
            return None
        code = frames.error_code(frame)
        if code is not None and frame.function == question.function | frames.ERROR:
            what = f"register {question.register}: {_CODES.get(code, 'unknown reason')}"
            if code == _BUSY:
                raise DeviceBusy(self._name, what)
            raise DeviceRefused(self._name, f"refused {what} (code {code})", code)
        return frame if frame.function == question.function else None

    def _begin_stream(self) -> frames.FrameDecoder:
        self._dropped_before = self.dropped
        self._stream = frames.FrameDecoder()
        return self._stream

    # ---- hearing --------------------------------------------------------------------

    def _hear(self, frame: Frame) -> None:
        """Learn from what was not the answer to a question of ours."""
        match frame:
            case Heartbeat():
                if frame.datalog == self._serials.datalog:
                    self._heartbeat(frame)
            case Parameter():
                self._parameter(frame)
            case Translated():
                if self._ours(frame):
                    self._overhear(frame)
                else:
                    self._stranger = (
                        f" Others are heard there: logger …{frame.datalog[-4:]} with inverter"
                        f" …{frame.inverter[-4:]}."
                    )

    def _overhear(self, frame: Translated) -> None:
        """Take a broadcast, an answer to somebody else, or the echo of somebody else's write."""
        now, holdings = self._clock.monotonic(), self.heard[Function.READ_HOLD]
        echo = frames.echo(frame)
        if echo is not None:
            if frame.function == Function.WRITE_SINGLE:
                holdings.store(frame.register, (echo,), now)
            else:
                holdings.forget(frame.register, min(echo, _LARGE))
            self._on_news()
            return
        words = frames.block_words(frame)
        # A protocol-1 frame of one word may as well be somebody's request.
        if words is None or (frame.protocol == 1 and len(words) == 1):
            return
        function = Function(frame.function)
        self.heard[function].store(frame.register, words, now)
        if function is Function.READ_INPUT and frame.register == 0:
            self._broadcast(now)

    def _broadcast(self, now: float) -> None:
        if self._broadcast_at is not None:
            apart = now - self._broadcast_at
            if _INTERVAL_LEAST_S <= apart <= _INTERVAL_MOST_S:
                self.interval_s = apart
        self._broadcast_at = now
        self._on_news()

    def _parameter(self, frame: Parameter) -> None:
        parameter, values = frames.parameter_value(frame) or (None, b"")
        seconds = int.from_bytes(values, "little")
        if parameter == 0 and _INTERVAL_LEAST_S <= seconds <= _INTERVAL_MOST_S:
            self.interval_s = float(seconds)

    def _heartbeat(self, frame: Heartbeat) -> None:
        """Answer like the cloud if told to, or if nobody else seems to.

        The logger broadcasts after an answered heartbeat; where the cloud is shut out, some
        stop broadcasting. Once we have begun to answer we go on: our own answers would look
        like the cloud's.
        """
        now, last = self._clock.monotonic(), self._heartbeat_at
        self._heartbeat_at = now
        if self._mode == "auto" and last is not None and self._unheeded < _UNHEEDED_MOST:
            heard = self._broadcast_at
            heeded = heard is not None and last <= heard <= last + _HEED_S
            self._unheeded = 0 if heeded else self._unheeded + 1
        if self._mode == "always" or self._unheeded >= _UNHEEDED_MOST:
            self._link.tell(frame.to_bytes())

    def _ours(self, frame: Translated) -> bool:
        return frame.datalog == self._serials.datalog and frame.inverter == self._serials.inverter


_ADVICE: Final = (
    "Check that the datalogger's local server is on (port 8000), that both serial numbers are"
    " those on the stickers and that nothing else is connected to it: newer loggers take one"
    " client only. If it answered before, switch the datalogger off and on."
)
_CODES: Final = {
    1: "the function is not supported",
    2: "there is no such register",
    3: "the value is out of range, or not for this model",
    4: "the inverter could not",
    6: "the inverter is busy",
}
_NOT_THERE: Final = {1, 2, 3}
_BUSY: Final = 6

_LARGE: Final = 125
_SMALL: Final = 40

_INTERVAL_S: Final = 120.0
_INTERVAL_LEAST_S: Final = 20.0
_INTERVAL_MOST_S: Final = 900.0
_HEED_S: Final = 5.0
_UNHEEDED_MOST: Final = 2


def _blocks(rows: Sequence[Register], most: int) -> tuple[range, ...]:
    table = RegisterTable("stale", tuple(rows))
    return table.blocks(most, boundary=_SMALL if most == _SMALL else None)


def _pieces(block: range) -> list[range]:
    """Cut *block* at every multiple of 40."""
    cuts = [block.start, *range(block.start // _SMALL * _SMALL + _SMALL, block.stop, _SMALL)]
    return [range(a, b) for a, b in zip(cuts, [*cuts[1:], block.stop], strict=True)]
