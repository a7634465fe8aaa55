"""The hub's API: from its answers to values, from changes to paths, from codes to errors. Pure.

What is zero is left out of an answer. Sources: twonk/MyEnergi-App-Api's notes on the app's own
traffic, and owners' records of what the fields held.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final

from ohmstead.devices.zappi.points import CTS, MODES, PLUGS, STATES
from ohmstead.errors import (
    DeviceBusy,
    DeviceError,
    DeviceProtocolError,
    DeviceRefused,
    DeviceUnreachable,
    NotWritable,
)
from ohmstead.links.http import Page
from ohmstead.model import Value

__all__ = ["COMMAND_FAILED", "Status", "path_for", "server_of", "status_of", "trouble_of"]

_OK, _NOT_ALLOWED, _SERVER = 200, 401, 500
_TOO_MANY: Final = frozenset({403, 429})
_DECIVOLTS: Final = 1_000
"""Older firmware tells volts, newer tenths of them; no supply has a thousand."""
_MOST_W: Final = 100_000
_MOST_KWH: Final = 500
COMMAND_FAILED: Final = 253
"""In ``cmt``: the zappi did not take the last command; 1 to 10 is on its way, 254 taken."""
_SERVERS: Final = re.compile(
    r"[a-z0-9-]+(\.[a-z0-9-]+)*\.myenergi\.net|(localhost|127\.0\.0\.1):\d+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What one zappi said."""

    serial: str
    at: datetime | None
    """The zappi's own time, UTC."""
    values: Mapping[str, Value | None]
    doubts: Mapping[str, str]
    command: int
    """How the last command went, see ``COMMAND_FAILED``."""


def trouble_of(device: str, page: Page) -> DeviceError | None:
    """Return what is wrong with *page* as an answer, or None if nothing is."""
    if page.status != _OK:
        return _refusal_of(device, page)
    if not isinstance(page.body, dict | list):
        return DeviceProtocolError(device, "the hub sent something that is not JSON")
    code = page.body.get("status") if isinstance(page.body, dict) else None
    if isinstance(code, int) and code != 0:
        return DeviceRefused(device, f"the hub refused with code {code}; check `serial`", code)
    return None


def server_of(page: Page) -> str | None:
    """Return the server that shall be asked from now on, or None if *page* names none.

    The password is proved to it, so only myenergi's own servers are believed (and tests').
    """
    named = page.headers.get("x_myenergi-asn", "")
    return named if _SERVERS.fullmatch(named) else None


def status_of(device: str, body: Any, serial: str | None) -> Status:  # noqa: ANN401 - JSON
    """Return what the zappi called *serial* said; the only one there is if that is None."""
    listed = body.get("zappi") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise DeviceProtocolError(device, "the hub's answer lists no zappis")
    found = [z for z in listed if isinstance(z, dict) and serial in {None, str(z.get("sno"))}]
    if not found:
        which = f"no zappi {serial}" if serial else "no zappi"
        raise DeviceUnreachable(device, f"the hub knows {which} now")
    if len(found) > 1:
        numbers = ", ".join(f'"{z.get("sno")}"' for z in found)
        raise DeviceProtocolError(device, f"there are several zappis; say serial, one of {numbers}")
    return _status(device, found[0])


def path_for(serial: str, point: str, value: Value, shown: Mapping[str, Value | None]) -> str:
    """Return the path that sets *point* of a zappi that shows *shown*."""
    mode = f"/cgi-zappi-mode-Z{serial}"
    match point, value:
        case "mode", str():
            number = next(n for n, name in MODES.items() if name == value)
            return f"{mode}-{number}-0-0-0000"
        case "boost_kwh", int() | float():
            return f"{mode}-0-10-{round(value)}-0000" if value else f"{mode}-0-2-0-0000"
        case "smart_boost_kwh", int() | float():
            ready = shown.get("smart_boost_ready")
            if value and not isinstance(ready, time):
                raise NotWritable("smart_boost_ready is not known; set that first, in the app")
            return _smart(mode, value, ready if isinstance(ready, time) else time())
        case "smart_boost_ready", time():
            kwh = shown.get("smart_boost_kwh")
            if not isinstance(kwh, int | float) or not kwh:
                raise NotWritable("no smart boost is on; set smart_boost_kwh first")
            return _smart(mode, kwh, value)
        case "min_green_pct", int() | float():
            return f"/cgi-set-min-green-Z{serial}-{round(value)}"
        case _:
            raise NotWritable(f"{point} can only be read")


# ---- how it is done -----------------------------------------------------------------


def _refusal_of(device: str, page: Page) -> DeviceError:
    if page.status == 0:
        return DeviceUnreachable(device, f"no answer from the hub: {page.trouble}")
    if page.status == _NOT_ALLOWED:
        said = "the hub's serial number or password is not accepted; check both"
        return DeviceRefused(device, said, page.status)
    if page.status in _TOO_MANY:
        return DeviceBusy(device, f"asked too often (HTTP {page.status})")
    if page.status >= _SERVER:
        return DeviceUnreachable(device, f"myenergi's server is in trouble (HTTP {page.status})")
    return DeviceProtocolError(device, f"the hub answered with HTTP {page.status}")


def _smart(mode: str, kwh: float, ready: time) -> str:
    return f"{mode}-0-11-{round(kwh)}-{ready:%H%M}" if kwh else f"{mode}-0-2-0-0000"


def _status(device: str, said: Mapping[str, Any]) -> Status:
    serial = str(said.get("sno", ""))
    if not serial.isdigit():
        raise DeviceProtocolError(device, "a zappi without a serial number")
    doubts: dict[str, str] = {}

    def number(key: str, field: str, most: float = _MOST_W) -> float | None:
        """Return a number that is left out when it is zero."""
        given = said.get(field, 0)
        if isinstance(given, bool) or not isinstance(given, int | float):
            doubts[key] = f"{field} is no number"
        elif abs(given) > most or not math.isfinite(given):
            doubts[key] = f"{field} of {given} cannot be"
        else:
            return given
        return None

    def name(key: str, field: str, names: Mapping[Any, str]) -> str | None:
        given = said.get(field)
        found = names.get(given) if isinstance(given, int | str) else None
        if found is None:
            doubts[key] = f"{field} of {str(given)[:20]!r} is not known"
        return found

    values: dict[str, Value | None] = {
        "power_w": number("power_w", "div"),
        "session_kwh": number("session_kwh", "che", _MOST_KWH),
        "plug": name("plug", "pst", PLUGS),
        "status": name("status", "sta", STATES),
        "mode": name("mode", "zmo", MODES),
        "boost_kwh": number("boost_kwh", "tbk", _MOST_KWH) if said.get("bsm") else 0,
        "smart_boost_kwh": number("smart_boost_kwh", "sbk", _MOST_KWH) if said.get("bss") else 0,
        "smart_boost_ready": _ready(said),
        "min_green_pct": number("min_green_pct", "mgl", 100),
        "grid_w": number("grid_w", "grd"),
        "pv_w": number("pv_w", "gen"),
        "supply_v": number("supply_v", "vol", 5_000),
        "supply_hz": number("supply_hz", "frq", 70),
        "locked": _bit(said.get("lck"), 0),
    }
    volts = values["supply_v"]
    if isinstance(volts, int | float) and volts > _DECIVOLTS:
        values["supply_v"] = volts / 10
    for n in CTS:
        called = str(said.get(f"ectt{n}", "None")).strip()
        connected = called not in {"", "None"}
        values[f"ct{n}"] = called.lower() if connected else None
        values[f"ct{n}_w"] = number(f"ct{n}_w", f"ectp{n}") if connected else None
    command = said.get("cmt", 0)
    return Status(
        serial=serial,
        at=_moment(said),
        values=values,
        doubts=doubts,
        command=command if isinstance(command, int) else 0,
    )


def _ready(said: Mapping[str, Any]) -> time | None:
    """Return when a smart boost is to be ready; an hour of zero is left out, so is no boost."""
    if "sbh" not in said and "sbm" not in said:
        return None
    try:
        return time(int(said.get("sbh", 0)), int(said.get("sbm", 0)))
    except (TypeError, ValueError, OverflowError):
        return None


def _bit(given: object, number: int) -> bool | None:
    return bool(given >> number & 1) if isinstance(given, int) else None


def _moment(said: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.strptime(f"{said['dat']} {said['tim']} +0000", "%d-%m-%Y %H:%M:%S %z")
    except (KeyError, TypeError, ValueError):
        return None
