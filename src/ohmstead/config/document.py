"""A YAML file as plain values, with the line of every key for the error that may follow."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.error import YAMLError

from ohmstead.config.yaml_file import UNREADABLE, read_yaml
from ohmstead.errors import ConfigError

__all__ = ["Document", "Place", "read_document"]

Place: TypeAlias = tuple[str | int, ...]
"""Where a value stands: ("control", 0, "price_threshold", "power_w")."""

_ENVIRONMENT: Final = "OHMSTEAD__"
_SECRET_ENVIRONMENT: Final = "OHMSTEAD_SECRET_"  # noqa: S105 - a prefix of names
_SECRETS: Final = "secrets.yaml"


@dataclass(slots=True)
class Document:
    """The values of one file, and where each key stands in it."""

    path: Path
    values: dict[str, Any]
    lines: dict[Place, int] = field(default_factory=dict)
    origins: dict[Place, str] = field(default_factory=dict)
    """Places that did not come from the file: the name of the variable each came from."""

    def where(self, place: Place) -> str:
        """Return the file and line of *place*, or of the nearest place around it."""
        for length in range(len(place), -1, -1):
            if place[:length] in self.origins:
                return f"{self.origins[place[:length]]} in the environment"
            if place[:length] in self.lines:
                return f"{self.path.name}:{self.lines[place[:length]]}"
        return self.path.name

    def complaint(self, place: Place, what: str) -> str:
        """Return one line: file, line, key, and what is wrong there."""
        return f"{self.where(place)}: {_spell(place)}{what}"


def read_document(path: Path, environment: Mapping[str, str] | None = None) -> Document:
    """Read the YAML file *path*, with secrets filled in and the environment's keys laid over it.

    Raises ``ConfigError`` naming the file and line.
    """
    environment = os.environ if environment is None else environment
    loaded = read_yaml(path)
    if loaded is None:
        loaded = CommentedMap()
    if not isinstance(loaded, CommentedMap):
        raise ConfigError(f"{path}: the file is not a list of keys and values; see ohmstead init")
    document = Document(path=path, values={})
    secrets = _Secrets(path.with_name(_SECRETS), environment)
    document.values = _plain(loaded, (), document, secrets)
    for name in sorted(environment):
        if name.startswith(_ENVIRONMENT):
            _override(document, name, environment[name])
    return document


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a question after the nearest known word, or nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


class _Secrets:
    """Names for what must not stand in the configuration."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment
        self._values: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - whatever YAML holds
        """Return the secret called *name*; raises ``KeyError``."""
        if (value := self._environment.get(_SECRET_ENVIRONMENT + name.upper())) is not None:
            return value
        if self._values is None:
            loaded = read_yaml(self._path) if self._path.exists() else {}
            self._values = loaded if isinstance(loaded, Mapping) else {}
        return self._values[name]


def _plain(node: Any, place: Place, document: Document, secrets: _Secrets) -> Any:  # noqa: ANN401 - YAML
    """Return *node* as plain values, noting the line of every key."""
    if isinstance(node, CommentedMap):
        for key in node:
            # A key that was merged in from elsewhere stands where the mapping does.
            line = node.lc.key(key)[0] if key in (node.lc.data or ()) else node.lc.line
            document.lines[*place, _key(key)] = line + 1
        return {
            _key(key): _plain(node[key], (*place, _key(key)), document, secrets) for key in node
        }
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            document.lines[*place, index] = node.lc.item(index)[0] + 1
        return [_plain(item, (*place, n), document, secrets) for n, item in enumerate(node)]
    if isinstance(node, TaggedScalar):
        name = str(node.value)
        try:
            return secrets[name]
        except KeyError:
            raise ConfigError(
                document.complaint(
                    place,
                    f"no secret {name}; put `{name}: …` into {_SECRETS} beside the file, "
                    f"or set {_SECRET_ENVIRONMENT}{name.upper()}",
                )
            ) from None
    return node


def _key(key: object) -> str:
    return str(key)


def _override(document: Document, name: str, text: str) -> None:
    """Lay one variable over the file: OHMSTEAD__WEB__LISTEN, OHMSTEAD__DEVICES__0__HOST."""
    parts = [part.lower() for part in name.removeprefix(_ENVIRONMENT).split("__")]
    holder: Any = document.values
    place: Place = ()
    try:
        for part, following in zip(parts, [*parts[1:], None], strict=True):
            step: str | int = int(part) if isinstance(holder, list) else part
            place = (*place, step)
            if following is None:
                holder[step] = YAML(typ="safe").load(text)
            elif isinstance(holder, dict):
                holder = holder.setdefault(step, {})
            else:
                holder = holder[step]
    except (*UNREADABLE, YAMLError) as exc:
        raise ConfigError(
            f"{name} in the environment names no place in {document.path.name}"
        ) from exc
    document.origins[place] = name


def _spell(place: Sequence[str | int]) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return f"{text.removeprefix('.')}: " if text else ""
