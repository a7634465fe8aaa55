"""The files that GivTCP's settings are kept in: env file, docker compose, JSON, add-on options."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.comments import TaggedScalar
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ohmstead.errors import ConfigError

__all__ = ["ELSEWHERE", "Part", "read_givtcp"]

ELSEWHERE: Final = "\0"
"""Stands for a value that is kept elsewhere: in the shell, in another file, among secrets."""

_Settings: TypeAlias = Mapping[str, str]

_ASSIGNMENT: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=(.*)")
_NAME_ALONE: Final = re.compile(r"(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*")
_QUOTED: Final = re.compile(r"""(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(?:#.*)?""")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_VARIABLE: Final = re.compile(r"\$(?:(\$)|\{\w+(?::?-([^}]*))?[^}]*\}|\w+)")
_OURS: Final = re.compile(r"(?i)invertor_?ip.*|numinvertors|self_run.*|ha_auto_d|givtcpinstance")
_PARSER_SLIPS: Final = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What the YAML parser raises, beside its own errors, for tags and keys that fit nothing."""
_REMEDY: Final = "put it right there, and migrate again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One GivTCP of the file, and what its owner set, by key as it is written there."""

    name: str
    """The service of a compose file; empty in a file that speaks of one GivTCP."""
    settings: _Settings


def read_givtcp(text: str, name: str) -> tuple[Part, ...]:
    """Return every GivTCP that the file *text* sets up; *name* stands in errors.

    Raises ``ConfigError`` naming the line, never quoting it: it may hold a password.
    """
    text = text.removeprefix("\ufeff")
    first = next((line.strip() for line in text.splitlines() if _says_something(line)), "")
    if not first:
        raise ConfigError(f"{name}: there is nothing in it; is it GivTCP's file?")
    if _ASSIGNMENT.fullmatch(first):
        return (Part(name="", settings=dict(_env_lines(text, name))),)
    tree = _json(text, name) if first[0] in "{[" else _yaml(text, name)
    if not isinstance(tree, Mapping):
        raise ConfigError(
            f"{name}: the file is not made of keys and values; give an env file, a compose file, "
            "allsettings.json or the add-on's options"
        )
    return tuple(_parts(tree, name))


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#") and line.strip() != "---"


def _env_lines(text: str, name: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not _says_something(line):
            continue
        if match := _ASSIGNMENT.fullmatch(line.strip()):
            yield match[1], _unquoted(match[2].strip())
        elif _NAME_ALONE.fullmatch(line.strip()):
            yield line.split()[-1], ELSEWHERE
        else:
            raise ConfigError(f"{name}:{number}: this is not a KEY=VALUE line; {_REMEDY}")


def _unquoted(value: str) -> str:
    if match := _QUOTED.fullmatch(value):
        return re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2]
    return _COMMENT.sub("", value, count=1).strip()


def _json(text: str, name: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        raise ConfigError(f"{name}:{exc.lineno}: this is not JSON; {_REMEDY}") from exc
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"{name}: this is not JSON; {_REMEDY}") from exc


def _yaml(text: str, name: str) -> object:
    try:
        return YAML().load(text)
    except MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = f":{mark.line + 1}" if mark else ""
        # The parser's own message quotes values when a key stands twice.
        twice = "a key stands here twice" if "duplicate key" in str(exc.problem) else ""
        raise ConfigError(f"{name}{line}: {twice or 'this is not YAML'}; {_REMEDY}") from exc
    except (YAMLError, *_PARSER_SLIPS) as exc:
        raise ConfigError(f"{name}: this is not YAML; {_REMEDY}") from exc


def _parts(tree: Mapping[Any, Any], name: str) -> Iterator[Part]:
    if isinstance(tree.get("services"), Mapping):
        parts = [
            Part(name=_word(key), settings=settings)
            for key, service in tree["services"].items()
            if isinstance(service, Mapping)
            and (settings := _environment(service, f"{name}: services.{_word(key)}"))
            and _is_givtcp(service, settings)
        ]
        if parts:
            yield from parts
            return
        raise ConfigError(
            f"{name}: no service has GivTCP's environment in it; if that is in an env_file, "
            "migrate that file"
        )
    options = tree.get("options")
    flat = options if isinstance(options, Mapping) else tree
    yield Part(name="", settings={_word(key): _written(value) for key, value in flat.items()})


def _is_givtcp(service: Mapping[Any, Any], settings: _Settings) -> bool:
    image = str(service.get("image", "")).replace("_", "").lower()
    return "givtcp" in image or any(_OURS.fullmatch(key) for key in settings)


def _environment(service: Mapping[Any, Any], where: str) -> _Settings:
    """Return what compose takes for a service's environment, list or mapping."""
    given = service.get("environment")
    if given is None:
        return {}
    if isinstance(given, Mapping):
        pairs = [
            (_word(key), ELSEWHERE if value is None else _written(value))
            for key, value in given.items()
        ]
    elif isinstance(given, Sequence) and not isinstance(given, str):
        split = [str(item).partition("=") for item in given]
        pairs = [(_word(key).strip(), value if sign else ELSEWHERE) for key, sign, value in split]
    else:
        raise ConfigError(f"{where}.environment is neither a list nor keys and values; {_REMEDY}")
    return {key: _filled_in(value) for key, value in pairs}


def _filled_in(value: str) -> str:
    """Return *value* as compose makes it of ``${NAME:-default}``, without its environment."""
    if any(not match[1] and match[2] is None for match in _VARIABLE.finditer(value)):
        return ELSEWHERE
    return _VARIABLE.sub(lambda match: match[1] or match[2], value)


def _word(key: object) -> str:
    """Return *key* as it can be shown in a sentence."""
    return "".join(letter for letter in str(key) if letter.isprintable())


def _written(value: object) -> str:
    """Return a value of JSON or YAML as an env file would have it."""
    if value is None:
        return ""
    return ELSEWHERE if isinstance(value, TaggedScalar) else str(value).strip()
