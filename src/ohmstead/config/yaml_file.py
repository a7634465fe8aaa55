"""YAML read with care: whatever is in the file, a complaint names its line and tells no value."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionStartEvent, Event, NodeEvent, ScalarEvent

from ohmstead.errors import ConfigError

__all__ = ["SECRET", "UNREADABLE", "read_yaml"]

SECRET: Final = "!secret"  # noqa: S105 - the name of a tag
"""The one tag that means something."""
UNREADABLE: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What the parser raises, beside its own errors, for values and keys that fit nothing."""
_DEEPEST: Final = 50
_USUAL: Final = "tag:yaml.org,2002:"


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Return what is in *path*, with the places of its keys; raises ``ConfigError``."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise ConfigError(f"{path} is not there; `ohmstead init` writes one") from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read: {exc}") from exc
    events: Sequence[Event] = ()
    try:
        events = list(YAML().parse(text))
        _check(events, path.name)
        return YAML().load(text)
    except MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path.name}{line}: {_problem(exc)}") from exc
    except YAMLError as exc:
        raise ConfigError(f"{path.name}: not YAML: {str(exc).splitlines()[0]}") from exc
    except UNREADABLE as exc:
        line = _culprit(events)
        raise ConfigError(
            f"{path.name}{line}: there is no such date, time or number; quote it if it is a text"
        ) from exc


def _problem(error: MarkedYAMLError) -> str:
    """Return what is wrong, without the values that some of the parser's sentences tell."""
    said = (error.problem or "not YAML").strip().splitlines()[0]
    if isinstance(error, DuplicateKeyError):
        key = said.partition('" with value ')[0]
        return f'{key.rstrip(chr(34))}"; two keys of one name? keep one'
    if "undefined alias" in said:
        return "a value that begins with * needs quotes"
    if "\\t" in said or "tab" in said:
        return f"{said}; indent with spaces, not tabs"
    return said


def _check(events: Sequence[Event], name: str) -> None:
    """Refuse tags that mean nothing here, and files that are built to be hard to read."""
    depth = 0
    for event in events:
        where = f"{name}:{event.start_mark.line + 1}" if event.start_mark else name
        tag = getattr(event, "tag", None)
        if isinstance(event, NodeEvent) and tag is not None:
            _check_tag(event, str(tag), where)
        if isinstance(event, CollectionStartEvent):
            depth += 1
        elif type(event).__name__ in {"MappingEndEvent", "SequenceEndEvent"}:
            depth -= 1
        if depth > _DEEPEST:
            raise ConfigError(f"{where}: more than {_DEEPEST} lists within one another")


def _check_tag(event: NodeEvent, tag: str, where: str) -> None:
    if isinstance(event, ScalarEvent):
        if tag == SECRET:
            return
        if not event.value:  # a password that begins like a tag is not told to the log
            raise ConfigError(f"{where}: a value that begins with ! needs quotes")
    elif tag == SECRET:
        raise ConfigError(f"{where}: write {SECRET} and one name behind it")
    shown = f"!!{tag.removeprefix(_USUAL)}" if tag.startswith(_USUAL) else tag
    raise ConfigError(
        f"{where}: unknown tag {shown}; write the value without it: the only tag is {SECRET} NAME"
    )


def _culprit(events: Sequence[Event]) -> str:
    """Return the line of the first value that cannot be read by itself."""
    plain = (e for e in events if isinstance(e, ScalarEvent) and e.style is None and e.start_mark)
    return next((f":{e.start_mark.line + 1}" for e in plain if not _reads(e.value)), "")


def _reads(text: str) -> bool:
    try:
        YAML().load(text)
    except (*UNREADABLE, YAMLError):
        return False
    return True
