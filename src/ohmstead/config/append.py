"""Adds found devices to a configuration without touching a letter of what stands there."""

import contextlib
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from ohmstead.config.catalogue import FAMILIES, validator
from ohmstead.config.document import read_document
from ohmstead.config.load import read_settings
from ohmstead.config.settings import DeviceEntry, Settings
from ohmstead.errors import ConfigError
from ohmstead.links.scan import Claim

__all__ = ["Addition", "add_devices", "as_yaml", "known_as", "read_or_empty"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What became of one claim."""

    claim: Claim
    name: str
    """What the device is called in the configuration; empty if it is not in it."""
    added: bool
    why: str = ""
    """Why it was not added."""


def read_or_empty(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in *path*, those of an empty file if it is not there."""
    if path.exists():
        return read_settings(read_document(path, environment))
    try:
        with _beside(path, "") as empty:
            return read_settings(read_document(empty, environment))
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written: {exc.strerror}") from exc


def known_as(claim: Claim, settings: Settings) -> DeviceEntry | None:
    """Return the device that has the claim's serial number, or its address, if there is one."""
    found = claim.found
    serials = {found.serial, found.settings.get("datalog", "")} - {""}
    for entry in settings.devices:
        theirs = {getattr(entry.settings, key, None) for key in ("serial", "datalog")}
        if entry.family == claim.family and serials & theirs:
            return entry
    for entry in settings.devices:
        host, port = (getattr(entry.settings, key, None) for key in ("host", "port"))
        if port == found.port and found.host in {host, _resolved(host)}:
            return entry
    return None


def add_devices(
    path: Path, claims: Sequence[Claim], environment: Mapping[str, str] | None = None
) -> list[Addition]:
    """Append those of *claims* that are confirmed and new to the file *path*, or make one.

    Everything that stands there stays, to the letter. The outcome is checked before it takes the
    file's place, all at once; raises ``ConfigError`` if that cannot be done.
    """
    settings = read_or_empty(path, environment)
    outcome: list[Addition] = []
    wanted = settings
    for claim in claims:
        addition, entry = _judge(claim, wanted)
        outcome.append(addition)
        if entry is not None:
            wanted = replace(wanted, devices=(*wanted.devices, entry))
    rows = [
        {"name": done.name, "family": done.claim.family, **done.claim.found.settings}
        for done in outcome
        if done.added
    ]
    if rows:
        try:
            new = _with_devices(_text(path), rows)
            _check(path, new, wanted, environment)
            _put(path, new)
        except (OSError, ConfigError) as exc:
            raise ConfigError(
                f"{path} was left as it is ({exc}); add under devices:\n{as_yaml(rows)}"
            ) from exc
    return outcome


def as_yaml(rows: Sequence[Mapping[str, str | int]], column: int = 2) -> str:
    """Return device entries as a configuration has them, their dashes at *column*."""
    lines: list[str] = []
    for row in rows:
        pad = " " * column + "- "
        for key, value in row.items():
            lines.append(f"{pad}{key}: {_scalar(value)}\n")
            pad = " " * (column + 2)
    return "".join(lines)


# ---- how it is done ---------------------------------------------------------------------


def _judge(claim: Claim, settings: Settings) -> tuple[Addition, DeviceEntry | None]:
    """Decide about one claim, beside what *settings* have already."""
    found = claim.found
    present = known_as(claim, settings)
    if present is not None:
        host = getattr(present.settings, "host", None)
        moved = "" if found.host in {host, _resolved(host)} else f", at {host}: change it there"
        why = f"it is there already{moved}"
        return Addition(claim=claim, name=present.name, added=False, why=why), None
    if not found.confirmed:
        return Addition(claim=claim, name="", added=False, why="it is not confirmed"), None
    try:
        checked = validator(FAMILIES[claim.family].settings).validate_python(dict(found.settings))
    except ValueError:
        why = "a part of its entry is not known"
        return Addition(claim=claim, name="", added=False, why=why), None
    name = _free_name(found.called, {entry.name for entry in settings.devices})
    entry = DeviceEntry(name=name, family=claim.family, poll_s=_ANY, settings=checked)
    return Addition(claim=claim, name=name, added=True), entry


def _resolved(host: object) -> str | None:
    """Return the address of the host with that name."""
    if not isinstance(host, str):
        return None
    try:
        return socket.gethostbyname(host)
    except (OSError, UnicodeError):
        return None


def _free_name(called: str, taken: set[str]) -> str:
    number = 1
    while (name := called if number == 1 else f"{called}_{number}") in taken:
        number += 1
    return name


def _text(path: Path) -> str:
    """Return what stands in the file, its ends of line as they are."""
    if not path.exists():
        return ""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _with_devices(text: str, rows: Sequence[Mapping[str, str | int]]) -> str:
    """Return *text* with *rows* behind the last of its devices."""
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += end_of_line
    loaded = YAML().load(text)
    if not isinstance(loaded, CommentedMap) or "devices" not in loaded:
        return text + f"devices:\n{as_yaml(rows)}".replace("\n", end_of_line)
    lines = text.splitlines(keepends=True)
    first = loaded.lc.key("devices")[0]
    later = [loaded.lc.key(key)[0] for key in loaded if loaded.lc.key(key)[0] > first]
    end = min(later, default=len(lines))
    present = loaded["devices"]
    if not isinstance(present, CommentedSeq) or not present or present.fa.flow_style():
        return _into_brackets(lines, first, end, rows, empty=not present)
    while _belongs_to_what_follows(lines[end - 1], present.lc.col):
        end -= 1
    added = as_yaml(rows, present.lc.col).replace("\n", end_of_line)
    return "".join([*lines[:end], added, *lines[end:]])


def _belongs_to_what_follows(line: str, column: int) -> bool:
    """Tell whether *line* is empty, or a comment that is not deeper than the dashes."""
    text = line.lstrip(" ")
    return not text.strip() or (text.startswith("#") and len(line) - len(text) <= column)


def _into_brackets(
    lines: Sequence[str],
    first: int,
    end: int,
    rows: Sequence[Mapping[str, str | int]],
    *,
    empty: bool,
) -> str:
    """Return the lines with *rows* before the bracket that ends the devices."""
    before, inside, after = "".join(lines[:first]), "".join(lines[first:end]), lines[end:]
    head, bracket, tail = inside.rpartition("]")
    entries = [", ".join(f"{key}: {_scalar(value)}" for key, value in row.items()) for row in rows]
    added = ", ".join(f"{{{entry}}}" for entry in entries)
    return "".join([before, head, "" if empty else ", ", added, bracket, tail, *after])


def _scalar(value: str | int) -> str:
    if isinstance(value, int) or _PLAIN.fullmatch(value):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _check(path: Path, text: str, wanted: Settings, environment: Mapping[str, str] | None) -> None:
    """Make sure that *text*, in the place of *path*, says all that was said, and what is new."""
    with _beside(path, text) as fresh:
        said = read_settings(read_document(fresh, environment))
    if _without_polls(said) != _without_polls(wanted):
        raise ConfigError("its devices are written in a way that cannot be added to")


def _without_polls(settings: Settings) -> Settings:
    devices = tuple(replace(entry, poll_s=_ANY) for entry in settings.devices)
    return replace(settings, devices=devices)


@contextlib.contextmanager
def _beside(path: Path, text: str) -> Iterator[Path]:
    """Hold *text* for a while in a file beside *path*, where the same secrets lie."""
    number, name = tempfile.mkstemp(prefix=".ohmstead-", suffix=".yaml", dir=path.absolute().parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        yield Path(name)
    finally:
        Path(name).unlink()


def _put(path: Path, text: str) -> None:
    """Let *text* take the place of the file, whole or not at all, with the same permissions."""
    target = path.resolve()
    number, name = tempfile.mkstemp(prefix=".ohmstead-", suffix=".yaml", dir=target.parent)
    fresh = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, fresh)
        else:
            fresh.chmod(_READABLE)
        fresh.replace(target)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


_ANY: Final = 0.0
_READABLE: Final = 0o644
_PLAIN: Final = re.compile(
    r"(?:\d+\.){3}\d+|(?=[a-z])(?!(?:yes|no|on|off|true|false|null|y|n)$)[a-z0-9_.-]+"
)
"""What YAML reads as the very same text without quotes: addresses, names."""
