"""GivTCP's settings, of any of its three generations, as a configuration of ours. Pure."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from ohmstead.config.givtcp_file import read_givtcp
from ohmstead.config.givtcp_given import Given
from ohmstead.config.givtcp_outputs import givtcp_outputs
from ohmstead.config.migration import Migration, quoted
from ohmstead.errors import ConfigError

__all__ = ["from_givtcp"]

_LEAST_POLL_S: Final = 5
_HOST: Final = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_FEW: Final = re.compile(r"[1-9]")
_TIME: Final = re.compile(r"([0-9]{1,2}):?([0-9]{2})(?::[0-9]{2})?")
_CAME_WITH: Final = (
    ("0.395", "0.155", "05:30", "23:30"),
    ("0.395", "0.155", "04:30", "00:30"),
    ("0.155", "0.055", "04:30", "00:30"),
)
"""Rates and times that nobody chose."""
_PENCE: Final = 5.0
_HOUSE: Final = (
    *("TZ", "DAYRATE", "NIGHTRATE", "EXPORTRATE", "DAYRATESTART", "NIGHTRATESTART"),
    *("MQTT_OUTPUT", "MQTT_ADDRESS", "MQTT_PORT", "MQTT_USERNAME", "MQTT_PASSWORD", "MQTT_TOPIC"),
    "HA_AUTO_D",
    *("INFLUX_OUTPUT", "INFLUX_URL", "INFLUX_BUCKET", "INFLUX_ORG", "INFLUX_TOKEN"),
)
"""Settings of the house, not of one inverter."""
_CONTROL: Final = (
    "# GivTCP did what it was told and so does this file; to let it decide: docs/strategies.md",
    "# control:",
    "#   - self_consumption: {reserve_pct: 10}",
)


def from_givtcp(text: str, name: str = "givtcp.env", *, in_container: bool = False) -> Migration:
    """Return what GivTCP's settings mean here; *name* stands in errors.

    Takes an env file, a docker compose file, v3's allsettings.json, or the options of the Home
    Assistant add-on. In a container, outputs listen where its owner's ports lead. Raises
    ``ConfigError`` naming the key that cannot be used.
    """
    parts = [Given(part, name) for part in read_givtcp(text, name)]
    if not any(part.knows_anything() for part in parts):
        raise ConfigError(f"{name}: no key of GivTCP's is in it; is it the right file?")
    notes: list[str] = []
    lines = [
        f"# From GivTCP's {json.dumps(name)}. Look at it with `ohmstead check`.",
        f"site: {{name: home, timezone: {quoted(_timezone(parts[0]))}}}",
        "devices:",
        *_devices(parts, notes),
        *_prices(parts[0], notes),
        *_CONTROL,
        "outputs:",
        *(f"  - {line}" for line in givtcp_outputs(parts[0], notes, in_container=in_container)),
    ]
    notes += [note for part in parts for note in part.fates()]
    notes += _differences(parts)
    return Migration(yaml="\n".join(lines) + "\n", notes=tuple(dict.fromkeys(notes)))


def _timezone(given: Given) -> str:
    key = "TZ" if given.text("TZ") else "timezone"
    zone = given.text(key) or "Europe/London"
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError) as exc:
        raise given.wrong(key, "is no time zone; write it as Europe/London") from exc
    return zone


# ---- devices ----------------------------------------------------------------------------


def _devices(parts: Sequence[Given], notes: list[str]) -> list[str]:
    lines: list[str] = []
    hosts: list[str] = []
    for part in parts:
        for host in _hosts(part, notes):
            if host in hosts:
                notes.append(
                    f"{part.label}{quoted(host)} stands twice in the file, and is read once"
                )
                continue
            hosts.append(host)
            lines += _device(len(hosts), quoted(host), _poll_s(part, notes))
    if lines:
        return lines
    notes.append("INVERTOR_IP: no address in the file; find it with `ohmstead discover`")
    found = '""   # GivTCP searched for it; put here what `ohmstead discover` finds'
    return _device(1, found, _poll_s(parts[0], notes))


def _device(number: int, host: str, poll_s: int | None) -> list[str]:
    return [
        f"  - name: inverter{'' if number == 1 else f'_{number}'}",
        "    family: givenergy",
        f"    host: {host}",
        *([] if poll_s is None else [f"    poll_s: {poll_s}"]),
    ]


def _hosts(given: Given, notes: list[str]) -> Iterator[str]:
    """Return the addresses that GivTCP used, in their order."""
    count = given.text("NUMINVERTORS")
    most = int(count) if _FEW.fullmatch(count) else None
    for number, key in given.numbered("INVERTOR_IP"):
        host = given.text(key)
        if not host:
            continue
        if not _HOST.fullmatch(host):
            raise given.wrong(key, "is no address; write it as 192.168.1.20")
        switch = f"inverter_enable_{number}"
        if not given.flag(switch, default=True):
            notes.append(f"{given.spelt(key)}: it was switched off in GivTCP, and is left out")
        elif most is not None and number > most and not given.is_set(switch):
            notes.append(f"{given.spelt(key)}: GivTCP was told of {most} only, so it is left out")
        else:
            yield host


def _poll_s(given: Given, notes: list[str]) -> int | None:
    key = "SELF_RUN_LOOP_TIMER" if given.text("SELF_RUN_LOOP_TIMER") else "self_run_timer"
    seconds = given.whole(key)
    if seconds is not None and seconds < _LEAST_POLL_S:
        notes.append(f"{given.spelt(key)}: is now {_LEAST_POLL_S} s, or others get no answer")
        return _LEAST_POLL_S
    return seconds


# ---- prices -----------------------------------------------------------------------------


def _prices(given: Given, notes: list[str]) -> list[str]:
    lines = _import(given, notes)
    if (export := _rate(given, "EXPORTRATE", notes)) is not None:
        lines.append(f"  export: {{source: fixed, price_per_kwh: {export:g}}}")
    return ["prices:", *lines] if lines else []


def _import(given: Given, notes: list[str]) -> list[str]:
    day, night = _rate(given, "DAYRATE", notes), _rate(given, "NIGHTRATE", notes)
    if day is None:
        if night is not None:
            notes.append(f"{given.spelt('NIGHTRATE')}: without DAYRATE it is no tariff; left out")
        return []
    day_from, night_from = _time(given, "DAYRATESTART"), _time(given, "NIGHTRATESTART")
    if night is None or (day_from is not None and day_from == night_from):
        notes.append(f"{given.spelt('DAYRATE')}: there are no night hours, so it is the one price")
        return [f"  import: {{source: fixed, price_per_kwh: {day:g}}}"]
    if day_from is None or night_from is None:
        day_from, night_from = day_from or "05:30", night_from or "23:30"
        notes.append(
            f"DAYRATESTART, NIGHTRATESTART: GivTCP's own hours fill what is missing; the night is "
            f"{night_from} to {day_from} in the file, look whether it is yours"
        )
    if (f"{day:g}", f"{night:g}", day_from, night_from) in _CAME_WITH:
        notes.append(
            f"{given.spelt('DAYRATE')}, {given.spelt('NIGHTRATE')}: these are the prices GivTCP "
            "came with; put those of your tariff into the file (docs/prices.md)"
        )
    return [
        "  import:",
        "    source: time_of_use",
        f"    default_per_kwh: {day:g}",
        "    windows:",
        f"      - {{start: {quoted(night_from)}, end: {quoted(day_from)}, per_kwh: {night:g}}}",
    ]


def _rate(given: Given, key: str, notes: list[str]) -> float | None:
    text = given.text(key)
    if not text:
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not math.isfinite(rate):
        raise given.wrong(key, "is not a number")
    if rate > _PENCE:
        notes.append(f"{given.spelt(key)}: prices are in pounds, 0.30 and not 30; is it in pence?")
    return rate


def _time(given: Given, key: str) -> str | None:
    text = given.text(key)
    if not text:
        return None
    match = _TIME.fullmatch(text)
    hour, minute = (int(match[1]) % 24, int(match[2])) if match else (24, 0)
    if match is None or int(match[1]) > 24 or minute > 59:  # noqa: PLR2004 - a clock
        raise given.wrong(key, "is no time of day; write it as 05:30")
    return f"{hour:02}:{minute:02}"


# ---- what is left -----------------------------------------------------------------------


def _differences(parts: Sequence[Given]) -> Iterator[str]:
    """Return a sentence for each part whose house-wide settings are not those of the first."""
    for part in parts[1:]:
        if differing := [key for key in _HOUSE if part.says_otherwise(key, parts[0])]:
            yield f"{part.label}{', '.join(differing)}: not as in the first service, which counts"
