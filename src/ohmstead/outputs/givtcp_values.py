"""What GivTCP's tree is made of: its branches and leaves, and a reading's values to fill them."""

from collections.abc import Iterable, Mapping
from datetime import time
from typing import TypeAlias

from ohmstead.model import Reading, Value

__all__ = [
    "Leaf",
    "Names",
    "Tree",
    "Values",
    "above",
    "leaves",
    "numbered",
    "picked",
    "slot_ends",
    "titled",
    "turned",
]

Leaf: TypeAlias = bool | float | str
Tree: TypeAlias = dict[str, "Tree | Leaf"]
Names: TypeAlias = Mapping[str, tuple[str, ...]]
"""GivTCP's key, and the points it may be found in."""


class Values:
    """A reading's values, by the first of several names that has one."""

    def __init__(self, reading: Reading) -> None:
        """Look into *reading*."""
        self.reading = reading
        self._values = reading.values

    def __call__(self, *names: str) -> float | None:
        """Return the first of *names* that is a number."""
        for name in names:
            value = self._values.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return value
        return None

    def get(self, name: str) -> Value | None:
        """Return the value of *name* as it is."""
        return self._values.get(name)

    def has(self, name: str) -> bool:
        """Tell whether the device has the point *name*, whatever it says now."""
        return name in self._values

    def text(self, *names: str) -> str | None:
        """Return the first of *names* that has a value, as text."""
        return next((str(v) for name in names if (v := self._values.get(name)) is not None), None)

    def items(self) -> Iterable[tuple[str, Value | None]]:
        """Return all of them."""
        return self._values.items()


def leaves(tree: Tree, path: str = "") -> Iterable[tuple[str, Leaf]]:
    """Yield every value of *tree* with its path, as topics have it."""
    for key, branch in tree.items():
        place = f"{path}/{key}" if path else key
        if isinstance(branch, dict):
            yield from leaves(branch, place)
        else:
            yield place, branch


def picked(values: Values, names: Names, prefix: str = "") -> Tree:
    """Return the numbers and texts of *names* that are there; points begin with *prefix*."""
    found: Tree = {}
    for key, points in names.items():
        value = next((v for point in points if (v := values.get(prefix + point)) is not None), None)
        if isinstance(value, int | float | str):
            found[key] = value
    return found


def numbered(key: str, point: str, numbers: Iterable[int]) -> Names:
    """Return names of which there are several: both texts hold a ``{}`` for the number.

    >>> numbered("Meter_{}_Power", "meter_{}_w", (1,))
    {'Meter_1_Power': ('meter_1_w',)}
    """
    return {key.format(n): (point.format(n),) for n in numbers}


def slot_ends(values: Values, key: str, point: str, numbers: Iterable[int]) -> Tree:
    """Return start and end of each numbered slot *point*, called *key*."""
    found: Tree = {}
    for n in numbers:
        for end in ("start", "end"):
            at = values.get(f"{point}_slot_{n}_{end}")
            if isinstance(at, time):
                found[f"{key}_{end}_time_slot_{n}"] = at.isoformat("seconds")
    return found


def turned(power_w: float | None) -> float | None:
    """Return *power_w* the other way round; no minus zero, it reads oddly."""
    return None if power_w is None else 0 - power_w


def above(power_w: float | None) -> float | None:
    """Return *power_w*, at least zero."""
    return None if power_w is None else max(power_w, 0)


def titled(value: Value | None) -> str | None:
    """Return a word as GivTCP writes it, the first letter large."""
    return None if value is None else str(value).capitalize()
