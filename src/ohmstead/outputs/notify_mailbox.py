"""What waits for one receiver, and when it goes: not too often, not at night, and again."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, assert_never

import stamina

from ohmstead.clock import Clock
from ohmstead.errors import OutputError
from ohmstead.outputs.event import Event
from ohmstead.outputs.notify_receivers import Away, Delivered, Receiver, Undeliverable
from ohmstead.outputs.notify_settings import NotifySettings, QuietHours

__all__ = ["Mailbox"]

log = logging.getLogger(__name__)

_ROOM: Final = 100
_LONGEST_PAUSE_S: Final = 900.0
_LONGEST_SLEEP_S: Final = 60.0
"""The clock may be set while we sleep, and the quiet hours with it."""


class _AwayError(OutputError):
    """The receiver cannot take a message now; never leaves this module."""

    def __init__(self, away: Away) -> None:
        super().__init__(away.why)
        self.away = away


class Mailbox:
    """The events one receiver has yet to be told of; a full one drops its oldest."""

    def __init__(
        self, receiver: Receiver, settings: NotifySettings, clock: Clock, person: tzinfo | None
    ) -> None:
        """Deliver to *receiver*.

        A *person*, living by the clock of that zone, gets several events in one message and has
        quiet hours; a program gets each event by itself, at once.
        """
        self.dropped = 0
        self._receiver = receiver
        self._settings = settings
        self._clock = clock
        self._person = person
        self._waiting: deque[Event] = deque()
        self._some = asyncio.Event()
        self._next_s = clock.monotonic()
        self._away = False

    @property
    def name(self) -> str:
        """What its receiver is called in the log."""
        return self._receiver.name

    def __len__(self) -> int:
        """How many events wait."""
        return len(self._waiting)

    def put(self, event: Event) -> None:
        """Let *event* wait for its turn."""
        if len(self._waiting) == _ROOM:
            self._waiting.popleft()
            self._lose(1, "there is no room for more")
        self._waiting.append(event)
        self._some.set()

    async def run(self) -> None:
        """Deliver what comes in, for ever."""
        while True:
            await self._some.wait()
            while (pause_s := self._pause_s()) > 0:
                await self._clock.sleep(min(pause_s, _LONGEST_SLEEP_S))
            batch = self._take()
            await self._deliver(batch)
            self._next_s = self._clock.monotonic() + self._settings.min_interval_s

    # ---- how it is done -------------------------------------------------------------

    def _pause_s(self) -> float:
        """Return how long nothing may be sent."""
        if self._person is None:
            return 0.0
        quiet: QuietHours | None = self._settings.quiet_hours
        quiet_s = 0.0
        if quiet is not None:
            quiet_s = quiet.left(self._clock.now().astimezone(self._person)).total_seconds()
        return max(quiet_s, self._next_s - self._clock.monotonic())

    def _take(self) -> list[Event]:
        count = 1 if self._person is None else len(self._waiting)
        batch = [self._waiting.popleft() for _ in range(count)]
        if not self._waiting:
            self._some.clear()
        return batch

    async def _deliver(self, batch: Sequence[Event]) -> None:
        """Try until it is delivered, or has been tried often enough."""
        settings = self._settings
        try:
            async for attempt in stamina.retry_context(
                on=_when,
                attempts=settings.attempts,
                timeout=None,
                wait_initial=settings.pause_s,
                wait_max=max(_LONGEST_PAUSE_S, settings.pause_s),
                wait_jitter=min(1.0, settings.pause_s / 10),
                wait_exp_base=3,
            ):
                with attempt:
                    await self._try(batch)
        except _AwayError as exc:
            self._lose(len(batch), f"{exc}, {settings.attempts} times")

    async def _try(self, batch: Sequence[Event]) -> None:
        result = await self._receiver.deliver(batch)
        match result:
            case Delivered():
                if self._away:
                    log.info("notify: %s takes messages again", self._receiver.name)
                self._away = False
            case Away(why=why):
                if not self._away:
                    log.warning(
                        "notify: %s takes no messages, so they wait: %s", self._receiver.name, why
                    )
                self._away = True
                raise _AwayError(result)
            case Undeliverable(why=why):
                self._lose(len(batch), why)
            case _:
                assert_never(result)

    def _lose(self, count: int, why: str) -> None:
        self.dropped += count
        events = "1 event is" if count == 1 else f"{count} events are"
        log.error("notify: %s lost for %s: %s", events, self._receiver.name, why)


def _when(error: Exception) -> bool | float:
    """Return whether, or after how long, to try again."""
    if not isinstance(error, _AwayError):
        return False
    return True if error.away.retry_after_s is None else error.away.retry_after_s
