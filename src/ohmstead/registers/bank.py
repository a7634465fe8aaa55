"""A register table seen from the device's end: words that can be shown, read and written."""

from collections.abc import Mapping

from ohmstead.model import Value
from ohmstead.registers.table import RegisterTable

__all__ = ["RegisterBank"]


class RegisterBank:
    """The words of one simulated device in one address space."""

    def __init__(self, table: RegisterTable, words: Mapping[int, int] | None = None) -> None:
        """Hold *words* by address, read through *table*; all others are zero."""
        self.table = table
        self.words = dict(words or {})

    def show(self, **values: Value) -> None:
        """Put *values* into their words, whether the table lets others write them or not."""
        for name, value in values.items():
            row = self.table[name]
            for address, word in zip(row.addresses, row.encode(value), strict=True):
                self.words[address] = self.words.get(address, 0) & ~row.word.mask | word

    def value(self, name: str) -> Value | None:
        """Return what the words of *name* say."""
        row = self.table[name]
        return row.decode(
            dict(zip(row.addresses, self.read(row.address, row.word.words), strict=True))
        )

    def number(self, name: str) -> float:
        """Return the number that the words of *name* say, or raise ``TypeError``."""
        value = self.value(name)
        if not isinstance(value, int | float):
            raise TypeError(f"{name} is not a number: {value!r}")
        return value

    def read(self, address: int, count: int) -> tuple[int, ...]:
        """Return *count* words from *address* on."""
        return tuple(self.words.get(place, 0) for place in range(address, address + count))

    def write(self, address: int, words: tuple[int, ...]) -> None:
        """Store *words* from *address* on, as a client's write does."""
        self.words.update(enumerate(words, start=address))
