"""What an owner says about a zappi."""

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Literal
from urllib.parse import urlsplit

__all__ = ["ZappiSettings"]

_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_DIRECTOR: Final = "https://director.myenergi.net"
_HOST: Final = re.compile(r"[A-Za-z0-9.-]+(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ZappiSettings:
    """One zappi on one hub."""

    # A zappi tells its hub every few seconds; asked much more often, the servers shut us out.
    POLL_S: ClassVar[float] = 30.0
    LEAST_POLL_S: ClassVar[float] = 10.0

    hub: str
    """Serial number of the hub, on its sticker: the name to log in with."""
    password: str
    """The hub's API key, made in the myenergi account; write `!secret NAME`."""
    serial: str | None = None
    """Serial number of the zappi, where the hub has several."""
    behind: Literal["inside", "outside"] = "inside"
    """Whether the battery's own meter sees the car (inside) or not (outside)."""
    host: str | None = None
    """A hub in the house that answers by itself; without it myenergi's servers are asked."""
    base_url: str = _DIRECTOR
    """Which of myenergi's servers to ask first; it says which one to ask from then on."""
    read_only: bool = False
    """Never change its mode, nor boost."""
    stale_s: float = 300.0
    """When the newest data is older than this, the zappi counts as unreachable."""
    reply_s: float = 10.0
    """How long to wait for an answer."""
    pause_s: float = 2.0
    """What is left before looking whether a change has arrived."""

    def __post_init__(self) -> None:
        """Refuse what cannot work, or would let the password be overheard."""
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        for name in ("hub", "serial"):
            number = getattr(self, name)
            if number is not None and not (number.isascii() and number.isdigit()):
                raise ValueError(f'{name} is a serial number in quotes: "10077777"')
        if not self.password:
            raise ValueError("password is the hub's API key; write `password: !secret NAME`")
        if self.host is not None and not _HOST.fullmatch(self.host):
            raise ValueError("host is a name or an address, without http:// before it")
        parts = urlsplit(self.base_url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
        if not parts.hostname or not safe:
            raise ValueError("base_url begins with https://")
        for name in ("stale_s", "reply_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above zero")
        if self.pause_s < 0:
            raise ValueError("pause_s must not be below zero")

    def __repr__(self) -> str:
        """Show no password and no serial number."""
        return f"ZappiSettings(behind={self.behind!r}, read_only={self.read_only})"
