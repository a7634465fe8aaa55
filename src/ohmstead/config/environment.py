"""A container's first start: a configuration out of GivTCP's environment variables."""

import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ohmstead.config.document import read_document
from ohmstead.config.givtcp import from_givtcp
from ohmstead.config.givtcp_notes import UNKNOWN, fate, plain
from ohmstead.config.load import read_settings
from ohmstead.config.migration import Migration, quoted
from ohmstead.errors import ConfigError

__all__ = ["adopt_environment"]

_ADDRESS: Final = re.compile(r"invertorip[0-9]{0,3}")
_SECRET: Final = re.compile(r"!secret (\w+)")
_PAGE: Final = "web"
_PAGE_SECRETS: Final = ("OHMSTEAD__WEB__PASSWORD", "OHMSTEAD__WEB__TOKEN")


def adopt_environment(path: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Write *path* from GivTCP's variables if it is not there, and return what is to be told.

    Passwords go to secrets.yaml beside it, for its owner's eyes only. Nothing is written over,
    and nothing is written that the service would not take: that is a ``ConfigError``.
    """
    if path.exists():
        return ()
    theirs = {key: value for key, value in environment.items() if fate(key) != UNKNOWN}
    if not any(value.strip() and _ADDRESS.fullmatch(plain(key)) for key, value in theirs.items()):
        raise ConfigError(
            f"{path} is not there, and GivTCP's INVERTOR_IP is not set; mount the folder that "
            "holds the file, or let `ohmstead init` write one"
        )
    migration = from_givtcp(json.dumps(theirs), "environment", in_container=True)
    text = migration.yaml + _page(environment)
    words = _secrets(text, theirs, environment)
    try:
        _write(path, text, words, environment)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(
            f"nothing can be written beside {path}: {exc}; let user {os.getuid()} write there"
        ) from exc
    return (
        f"wrote {path} from GivTCP's environment variables; now the file counts, and they do not",
        *(f"note: {note}" for note in _notes(migration, words)),
        *_told_of_the_page(words, path),
    )


# ---- what is written --------------------------------------------------------------------


def _page(environment: Mapping[str, str]) -> str:
    """Return where the page is; in a container, nobody would find it on 127.0.0.1."""
    lines = ["web:", '  listen: "0.0.0.0:8080"   # inside the container; its ports lead here']
    if not any(environment.get(name) for name in _PAGE_SECRETS):
        lines.append(f"  password: !secret {_PAGE}")
    return "\n".join(lines) + "\n"


def _secrets(
    text: str, theirs: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return each secret that *text* names and nobody has; the page's own is made up."""
    values = {plain(key): value.strip() for key, value in theirs.items()}
    names = [n for n in _SECRET.findall(text) if f"OHMSTEAD_SECRET_{n.upper()}" not in environment]
    return {
        name: secrets.token_urlsafe(12) if name == _PAGE else values[plain(name)] for name in names
    }


def _write(path: Path, text: str, words: Mapping[str, str], environment: Mapping[str, str]) -> None:
    """Write both files, or neither; *path* appears whole, once the service would take it."""
    fresh = path.with_suffix(".new")
    with _with_secrets(path.with_name("secrets.yaml"), words):
        try:
            _create(fresh, text)
            read_settings(read_document(fresh, environment))
            fresh.replace(path)
        except ConfigError as exc:
            raise ConfigError(f"nothing was written: {exc}") from exc
        finally:
            fresh.unlink(missing_ok=True)


@contextmanager
def _with_secrets(path: Path, words: Mapping[str, str]) -> Iterator[None]:
    """Add *words* to the secrets in *path* that stand there; take them back on an error."""
    before = path.read_text(encoding="utf-8") if path.exists() else None
    missing = [name for name in words if name not in _known(path, before or "")]
    lines = "".join(f"{name}: {quoted(words[name])}\n" for name in missing)
    with ExitStack() as undo:
        undo.callback(_put_back, path, before)
        if before is None:
            _create(path, lines)
        elif lines:
            with path.open("a", encoding="utf-8") as file:
                file.write("\n" * (not before.endswith("\n") and bool(before)) + lines)
        yield
        undo.pop_all()


def _put_back(path: Path, before: str | None) -> None:
    if before is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(before, encoding="utf-8")


def _known(path: Path, text: str) -> Mapping[str, object]:
    try:
        values = YAML(typ="safe").load(text) or {}
    except YAMLError as exc:
        raise ConfigError(f"{path.name}: not YAML; put it right, nothing was written") from exc
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path.name} is not made of names and values; nothing was written")
    return values


def _create(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.unlink(missing_ok=True)
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(number, "w", encoding="utf-8") as file:  # noqa: PTH123 - of a number, not a path
        file.write(text)


# ---- what is told -----------------------------------------------------------------------


def _notes(migration: Migration, words: Mapping[str, str]) -> Iterator[str]:
    """Leave out that a secret has to be put where it was just put."""
    for note in migration.notes:
        if not any(f"put it as `{name}: " in note for name in words):
            yield note


def _told_of_the_page(words: Mapping[str, str], path: Path) -> Iterator[str]:
    if _PAGE in words:
        yield f"the page asks for a password: it is `{_PAGE}` in {path.with_name('secrets.yaml')}"
