"""What is recorded: signals, their samples, and the numbers that stand for what they say."""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum

from ohmstead.model import Value, unit_of

__all__ = ["SITE", "Form", "Sample", "Signal", "Words", "form_of"]

SITE = "site"
"""The device name under which the house's own values are recorded."""
_MOST_WORDS = 20_000
_MOST_LETTERS = 200
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a device's own clock knows no zone


class Form(StrEnum):
    """What the numbers of a signal stand for."""

    NUMBER = "number"
    TOTAL = "total"
    """A number that counts up."""
    FLAG = "flag"
    TEXT = "text"
    TIME = "time"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Signal:
    """One point of one device, as it is recorded."""

    device: str
    point: str
    form: Form = Form.NUMBER

    @property
    def is_power(self) -> bool:
        """Whether integrating it gives an energy."""
        return self.form is Form.NUMBER and unit_of(self.point) == "W"

    @property
    def is_state(self) -> bool:
        """Whether a mean of it means nothing."""
        return self.form in {Form.TEXT, Form.TIME, Form.MOMENT}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one signal said at one moment; None says that from here on nobody knows."""

    signal: Signal
    at_ms: int
    value: float | None


def form_of(value: Value, *, total: bool) -> Form:
    """Return how a point that says *value* is recorded."""
    match value:
        case bool():
            return Form.FLAG
        case int() | float():
            return Form.TOTAL if total else Form.NUMBER
        case datetime():
            return Form.MOMENT
        case time():
            return Form.TIME
        case str():
            return Form.TEXT


class Words:
    """The dictionary in which texts are numbers."""

    def __init__(self, known: dict[int, str] | None = None) -> None:
        """Begin with the words *known*, by number."""
        self._texts = known or {}
        self._numbers = {text: number for number, text in self._texts.items()}
        self._next = max(self._texts, default=0) + 1
        self._written = self._next
        self._turn = threading.Lock()

    def number(self, text: str) -> int | None:
        """Return the number that stands for *text*; None once there are too many words."""
        text = text[:_MOST_LETTERS]
        with self._turn:  # an import asks from a thread of its own
            known = self._numbers.get(text)
            if known is not None or len(self._texts) >= _MOST_WORDS:
                return known
            number, self._next = self._next, self._next + 1
            self._texts[number], self._numbers[text] = text, number
            return number

    def fresh(self) -> dict[int, str]:
        """Return the words that are not on disk yet."""
        return {n: self._texts[n] for n in range(self._written, self._next)}

    def wrote(self, words: Mapping[int, str]) -> None:
        """Note that *words* are on disk."""
        self._written = max([self._written, *(number + 1 for number in words)])

    def to_number(self, value: Value) -> float | None:
        """Return the number to record for *value*, or None if there is none."""
        match value:
            case bool() | int() | float():
                try:
                    number = float(value)
                except OverflowError:
                    return None
                return number if math.isfinite(number) else None
            case datetime():
                return (value.replace(tzinfo=None) - _EPOCH).total_seconds()
            case time():
                return value.hour * 3600.0 + value.minute * 60 + value.second
            case str():
                return self.number(value)

    def to_value(self, form: Form, number: float) -> Value:
        """Return what *number* stands for."""
        match form:
            case Form.NUMBER | Form.TOTAL:
                return number
            case Form.FLAG:
                return bool(number)
            case Form.TEXT:
                return self._texts.get(int(number), "?")
            case Form.TIME:
                minutes, seconds = divmod(int(number), 60)
                return time(minutes // 60 % 24, minutes % 60, seconds)
            case Form.MOMENT:
                return datetime.fromtimestamp(number, UTC).replace(tzinfo=None)
