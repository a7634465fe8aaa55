"""What one GivTCP was given, by any of the spellings of its three generations."""

import re
from collections.abc import Iterator
from typing import Final

from ohmstead.config.givtcp_file import ELSEWHERE, Part
from ohmstead.config.givtcp_notes import UNKNOWN, fate, plain
from ohmstead.errors import ConfigError

__all__ = ["Given"]

_WHOLE: Final = re.compile(r"[0-9]{1,5}")
_SECRET: Final = re.compile(r"(?i)password|token")


class Given:
    """What one GivTCP was given, by any spelling, with errors that say what to do."""

    def __init__(self, part: Part, file: str) -> None:
        """Read *part* of *file*."""
        self.label: Final = f"{part.name}: " if part.name else ""
        self._file = file
        self._settings = part.settings
        self._keys = {plain(key): key for key in part.settings}

    def spelt(self, key: str) -> str:
        """Return *key* as its owner wrote it."""
        return self.label + self._keys.get(plain(key), key)

    def is_set(self, key: str) -> bool:
        """Tell whether there is a value, here or elsewhere."""
        return bool(self.value(key))

    def text(self, key: str) -> str:
        """Return the value; nothing, if nobody wrote one here."""
        value = self.value(key)
        return "" if value == ELSEWHERE else value

    def value(self, key: str) -> str:
        """Return what is written, ``ELSEWHERE`` as such."""
        return self._settings.get(self._keys.get(plain(key), ""), "")

    def flag(self, key: str, *, default: bool) -> bool:
        """Return whether it is on, *default* if nobody said."""
        text = self.text(key).lower()
        return text in {"true", "1", "yes", "on"} if text else default

    def whole(self, key: str) -> int | None:
        """Return a whole number above 0, or None if nobody wrote one."""
        text = self.text(key)
        if not text:
            return None
        if not _WHOLE.fullmatch(text) or int(text) < 1:
            raise self.wrong(key, "is not a whole number above 0")
        return int(text)

    def numbered(self, key: str) -> list[tuple[int, str]]:
        """Return KEY, KEY_1, KEY_2 … as they are written, each with its number."""
        found = [
            (int(match[1] or 1), written)
            for word, written in self._keys.items()
            if (match := re.fullmatch(plain(key) + "([0-9]{0,3})", word))
        ]
        return sorted(found)

    def knows_anything(self) -> bool:
        """Tell whether one key is GivTCP's."""
        return any(fate(key) != UNKNOWN for key in self._settings)

    def says_otherwise(self, key: str, first: "Given") -> bool:
        """Tell whether this one has another value for *key* than the *first*."""
        return self.is_set(key) and self.value(key) != first.value(key)

    def fates(self) -> Iterator[str]:
        """Return a sentence for whatever is not taken over, with all its keys before it."""
        keys: dict[str, list[str]] = {}
        for key, value in self._settings.items():
            sentence = fate(key)
            if value == ELSEWHERE and sentence is None and not _SECRET.search(key):
                sentence = "its value is not in this file; write it into the new one yourself"
            if value and sentence is not None:
                keys.setdefault(sentence, []).append(key)
        for sentence, named in keys.items():
            yield f"{self.label}{', '.join(named)}: {sentence}"

    def wrong(self, key: str, what: str) -> ConfigError:
        """Return the error that names file and key, and never the value."""
        return ConfigError(
            f"{self._file}: {self.spelt(key)} {what}; put it right there, and migrate again"
        )
