"""What people and programs ask for, until the next decision has heeded it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ohmstead.errors import RequestError
from ohmstead.model import CommandResult, Request, SettingChange

__all__ = ["Inbox"]

_MOST: Final = 100


@dataclass(slots=True)
class _Errand:
    request: Request
    answer: asyncio.Future[CommandResult]


class Inbox:
    """The requests of one site: battery commands that last, and changes to carry out once."""

    def __init__(self) -> None:
        """Begin empty: what was asked before a restart has to be asked again."""
        self._lasting: dict[str, Request] = {}
        self._changes: list[_Errand] = []

    def put(self, request: Request, now: datetime) -> None:
        """Let a battery command hold from the next decision on.

        Raises ``RequestError`` if it has no end, is over already, or too many hold.
        """
        if request.until is None:
            raise RequestError("a request needs an end: say for how long, or until when")
        if not request.active(now):
            raise RequestError(f"the request ended before it began ({request.until.isoformat()})")
        if len(self.active(now)) >= _MOST:
            raise RequestError(f"{_MOST} requests hold already; cancel some first")
        self._lasting[request.id] = request

    async def answer_to(self, request: Request) -> CommandResult:
        """Queue a change of a setting, and return how it ended once the loop has done it."""
        if len(self._changes) >= _MOST:
            raise RequestError(f"{_MOST} changes wait already; try again later")
        errand = _Errand(request, asyncio.get_running_loop().create_future())
        self._changes.append(errand)
        try:
            return await errand.answer
        finally:
            if errand in self._changes:  # the asker went away before its turn came
                self._changes.remove(errand)

    def cancel(self, request_id: str) -> Request:
        """Take a request back, or raise ``RequestError``."""
        try:
            return self._lasting.pop(request_id)
        except KeyError:
            raise RequestError(f"no request {request_id} holds now") from None

    def active(self, now: datetime) -> Sequence[Request]:
        """Return the requests that hold at *now*, in the order they were made."""
        self._lasting = {key: r for key, r in self._lasting.items() if r.active(now)}
        return tuple(self._lasting.values())

    def next_change(self) -> tuple[SettingChange, Request, asyncio.Future[CommandResult]] | None:
        """Take the oldest change that waits, or None."""
        while self._changes:
            errand = self._changes.pop(0)
            if isinstance(errand.request.want, SettingChange) and not errand.answer.done():
                return errand.request.want, errand.request, errand.answer
        return None
