"""What an owner says about an inverter that is reached through GivEnergy's cloud."""

from dataclasses import dataclass, field
from typing import ClassVar, Final
from urllib.parse import urlsplit

from ohmstead.model import Calibration

__all__ = ["GivEnergyCloudSettings"]

_HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GivEnergyCloudSettings:
    """One inverter on one account."""

    # The data adapter speaks to the cloud every five minutes; to ask more often finds nothing
    # new, and three polls must outlast five minutes, or good data would pass for stale.
    POLL_S: ClassVar[float] = 240.0
    LEAST_POLL_S: ClassVar[float] = 180.0

    api_key: str
    """API token of the account, made on the portal's page of API tokens; write `!secret NAME`."""
    serial: str
    """Serial number of the inverter, on its sticker and in the app: two letters, then more."""
    base_url: str = "https://api.givenergy.cloud/v1"
    """Where the API is."""
    rated_w: float | None = None
    """What its battery side can do; the cloud's own limits say it, where they are there."""
    battery_kwh: float | None = None
    """What the battery holds; the cloud does not say it here."""
    calibration: Calibration = field(default_factory=Calibration)
    """How far what its battery moves is from what the inverter is told; you measured it."""
    read_only: bool = False
    """Never write anything."""
    fresh_s: float = 60.0
    """The cloud is not asked for measurements again sooner than this."""
    stale_s: float = 1200.0
    """When the cloud's newest data is older than this, the inverter counts as unreachable."""
    settings_fresh_s: float = 3600.0
    """An everyday setting read longer ago than this is read anew; others ten times as rarely."""
    settings_per_read: int = 8
    """How many settings are read anew at most with each poll: each is a trip to the inverter."""
    reply_s: float = 30.0
    """How long to wait for an answer."""
    pause_s: float = 3.0
    """What is left before something that was not clear is asked again."""

    def __post_init__(self) -> None:
        """Refuse what cannot work, or would send the key over the net unprotected."""
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        if not self.api_key or not _plain(self.api_key):
            raise ValueError("api_key is the token from the portal; write `api_key: !secret NAME`")
        if not (self.serial.isascii() and self.serial.isalnum()):
            raise ValueError("serial is the inverter's serial number: letters and digits")
        try:
            parts = urlsplit(self.base_url)
            host = parts.hostname
        except ValueError as exc:
            raise ValueError(f"base_url is no address: {exc}") from exc
        if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in _HERE)):
            raise ValueError("base_url begins with https://, or the key could be overheard")
        for name in ("fresh_s", "stale_s", "settings_fresh_s", "reply_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above zero")
        if self.pause_s < 0 or self.settings_per_read < 0:
            raise ValueError("pause_s and settings_per_read must not be below zero")
        for name in ("rated_w", "battery_kwh"):
            given = getattr(self, name)
            if given is not None and given <= 0:
                raise ValueError(f"{name} must be above zero")

    def __repr__(self) -> str:
        """Show no key and no serial number."""
        return f"GivEnergyCloudSettings(base_url={self.base_url!r}, read_only={self.read_only})"


def _plain(text: str) -> bool:
    """Tell whether *text* can stand in a header as it is."""
    return text.isascii() and text.isprintable() and " " not in text
