"""The dongle as a bus: what is heard on it, what is asked, and what must not be believed."""

import logging
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from ohmstead.clock import Clock
from ohmstead.devices.givenergy.frames import (
    INVERTER,
    Block,
    Frame,
    FrameDecoder,
    Function,
    Heartbeat,
    Refusal,
    Request,
    Stored,
)
from ohmstead.devices.givenergy.guard import PackGuard, page_doubt
from ohmstead.devices.givenergy.settings import GivEnergySettings
from ohmstead.errors import DeviceBusy, DeviceRefused, DeviceUnreachable
from ohmstead.links.frames_tcp import FrameLink, FramePatience
from ohmstead.registers import Heard

__all__ = ["PACKS", "Place", "Station"]

log = logging.getLogger(__name__)

Place = tuple[int, Function]
"""A Modbus address and the function its words are read with: one address space."""

PACKS: Final = range(0x32, 0x38)
"""The addresses of low-voltage battery packs."""


class Station:
    """Everything behind one dongle, kept as words with their age.

    Answers to others are as good as our own: what is heard on the way need not be asked for.
    """

    def __init__(
        self,
        name: str,
        settings: GivEnergySettings,
        clock: Clock,
        *,
        patience: FramePatience | None = None,
        on_news: Callable[[], None],
    ) -> None:
        """Connect to the dongle of *settings*; call *on_news* when others change a setting."""
        self._name = name
        self._clock = clock
        self._on_news = on_news
        self._probe_s = min(_PROBE_S, patience.reply_s if patience else settings.reply_s)
        self._link: FrameLink[Frame] = FrameLink(
            name,
            (settings.host, settings.port),
            self._begin_stream,
            self._hear,
            patience=patience
            or FramePatience(
                reply_s=settings.reply_s,
                gap_s=0.0,
                spacing_s=settings.pause_s,
                retry_s=_RETRY_S,
                settle_s=settings.pause_s,
                connect_s=_CONNECT_S,
                idle_s=_IDLE_S,
            ),
            advice=_ADVICE,
        )
        self._heard: dict[Place, Heard] = {}
        self._guards: dict[int, PackGuard] = {}
        self._stream = FrameDecoder()
        self._dropped_before = 0
        self.refused: Counter[str] = Counter()
        """Pages that were not believed so far, by reason."""
        self.asked = 0
        """How many questions were put so far, repetitions not counted."""

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

    def heard(self, place: Place) -> Heard:
        """Return what was heard of *place*; nothing at first."""
        return self._heard.setdefault(place, Heard())

    async def read(self, place: Place, first: int, count: int) -> tuple[int, ...]:
        """Ask for *count* words from *first* on, now.

        Raises ``DeviceBusy`` when every answer was an error, or not to be believed.
        """
        return await self._ask(place, first, count, attempts=None, reply_s=None)

    async def insist(self, place: Place, first: int, count: int) -> tuple[int, ...]:
        """Ask like ``read``, and once more on a new connection: a command depends on it."""
        try:
            return await self.read(place, first, count)
        except DeviceUnreachable as exc:
            log.debug("%s; asking once more", exc)
            return await self.read(place, first, count)

    async def probe(self, place: Place, first: int, count: int) -> tuple[int, ...] | None:
        """Ask twice, with little patience, for what may not be there; None if it is not."""
        for _ in range(_PROBES):
            try:
                return await self._ask(place, first, count, attempts=1, reply_s=self._probe_s)
            except (DeviceRefused, DeviceBusy):
                continue
            except DeviceUnreachable:
                if not self._link.connected:
                    raise
        return None

    async def write(self, register: int, word: int) -> None:
        """Send *word* once, and wait for the echo of just it."""
        question = Request(function=Function.WRITE, register=register, value=word)

        def answer(frame: Frame) -> bool | None:
            if isinstance(frame, Refusal) and _refuses(frame, question):
                detail = f"refused to set register {register} to {word}"
                raise DeviceRefused(self._name, detail, 0)
            if not isinstance(frame, Stored) or frame.address != INVERTER:
                return None
            return True if (frame.register, frame.word) == (register, word) else None

        self.heard((INVERTER, Function.READ_HOLD)).forget(register, 1)
        self.asked += 1
        await self._link.ask(question.to_bytes(), answer, attempts=1)

    # ---- how it is done -------------------------------------------------------------

    async def _ask(
        self, place: Place, first: int, count: int, *, attempts: int | None, reply_s: float | None
    ) -> tuple[int, ...]:
        address, function = place
        question = Request(address=address, function=function, register=first, value=count)

        def answer(frame: Frame) -> tuple[int, ...] | None:
            if isinstance(frame, Refusal) and _refuses(frame, question):
                raise DeviceBusy(self._name, f"refused {_shown(place, first)} for now")
            if not isinstance(frame, Block) or len(frame.words) != count:
                return None
            if (frame.address, frame.function, frame.register) != (address, function, first):
                return None
            if doubt := self._believe(frame):
                raise DeviceBusy(self._name, f"{_shown(place, first)}: {doubt}")
            return frame.words

        self.asked += 1
        return await self._link.ask(question.to_bytes(), answer, attempts=attempts, reply_s=reply_s)

    def _believe(self, block: Block) -> str | None:
        """Keep the words of *block*, or return why they cannot be true."""
        try:
            place = block.address, Function(block.function)
        except ValueError:
            return "an unknown function"
        now, heard = self._clock.monotonic(), self.heard(place)
        doubt = page_doubt(place, block.register, block.words, heard.words())
        pack = block.address in PACKS and place[1] is Function.READ_INPUT
        if doubt is None and pack and len(block.words) >= _PAGE and any(block.words):
            guard = self._guards.setdefault(block.address, PackGuard())
            doubt = guard.doubt(block.register, block.words, now)
        if doubt is None:
            heard.store(block.register, block.words, now)
            return None
        self.refused[doubt] += 1
        log.debug("%s: %s not believed: %s", self._name, _shown(place, block.register), doubt)
        return doubt

    def _hear(self, frame: Frame) -> None:
        """Learn from what was not the answer to a question of ours."""
        match frame:
            case Heartbeat():
                # Three unanswered ones, and the dongle hangs up.
                self._link.tell(frame.to_bytes())
            case Block():
                self._believe(frame)
            case Stored(address=address) if address == INVERTER:
                holdings = self.heard((INVERTER, Function.READ_HOLD))
                holdings.store(frame.register, (frame.word,), self._clock.monotonic())
                self._on_news()
            case _:
                return

    def _begin_stream(self) -> FrameDecoder:
        self._dropped_before = self.dropped
        self._stream = FrameDecoder()
        return self._stream


_ADVICE: Final = (
    "Check the data adapter's address, that it is on the same network (its own access point"
    " does not count) and that no other program holds all of its few connections. If it"
    " answered before, switch the adapter off and on."
)
_PAGE: Final = 60
_PROBES: Final = 2
_PROBE_S: Final = 0.5
_RETRY_S: Final = 0.5
_CONNECT_S: Final = 7.0
_IDLE_S: Final = 600.0


def _refuses(frame: Refusal, question: Request) -> bool:
    """Tell whether *frame* refuses *question*; what old firmware repeats wrongly is left alone."""
    return (frame.address, frame.function, frame.register) == (
        question.address,
        question.function,
        question.register,
    )


def _shown(place: Place, first: int) -> str:
    address, function = place
    kind = "holding" if function is Function.READ_HOLD else "input"
    return f"{kind} registers {first} and up at {address:#04x}"
