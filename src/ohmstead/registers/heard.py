"""The words of one address space, each with the moment it was heard."""

import math
from collections.abc import Iterable

__all__ = ["Heard"]


class Heard:
    """What was heard last; it says how old that is, and never makes it younger."""

    def __init__(self) -> None:
        """Begin without any."""
        self._words: dict[int, tuple[int, float]] = {}

    def store(self, first: int, words: Iterable[int], at: float) -> None:
        """Keep *words* from address *first* on, heard *at*."""
        self._words.update((first + n, (word, at)) for n, word in enumerate(words))

    def forget(self, first: int, count: int) -> None:
        """Drop *count* words from *first* on: they have changed, nobody knows to what."""
        for address in range(first, first + count):
            self._words.pop(address, None)

    def fresh(self, addresses: Iterable[int], now: float, age_s: float) -> bool:
        """Tell whether all of *addresses* were heard within *age_s* before *now*."""
        return self.age_s(addresses, now) <= age_s

    def age_s(self, addresses: Iterable[int], now: float) -> float:
        """Return the age of the oldest of *addresses*; infinite if one was never heard."""
        known = [self._words.get(address) for address in addresses]
        return max(math.inf if entry is None else now - entry[1] for entry in known)

    def words(self) -> dict[int, int]:
        """Return every word by address, however old."""
        return {address: word for address, (word, _) in self._words.items()}
