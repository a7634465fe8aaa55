"""The tree of topics: where each thing is told, and where commands come in.

``<root>/<site>/<device>/<point>`` holds one value, ``<root>/<site>/<device>`` all of a device
as JSON. The house as a whole is told like a device called ``site``.
"""

from dataclasses import dataclass
from typing import Final

__all__ = ["SITE", "Inbound", "Topics"]

SITE: Final = "site"
"""The name under which the house itself stands beside its devices."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A topic somebody may write to: one point of a device, or, without them, a request."""

    device: str | None = None
    point: str | None = None


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one site."""

    root: str
    site_name: str

    @property
    def base(self) -> str:
        """Where everything of this site begins."""
        return f"{self.root}/{self.site_name}"

    @property
    def availability(self) -> str:
        """Whether we are there: online, or offline."""
        return f"{self.base}/availability"

    @property
    def request(self) -> str:
        """Where requests come in."""
        return f"{self.base}/request"

    @property
    def result(self) -> str:
        """Where they are answered."""
        return f"{self.base}/result"

    @property
    def event(self) -> str:
        """Where what happens is told, once each, not retained."""
        return f"{self.base}/event"

    @property
    def commands(self) -> tuple[str, ...]:
        """What to subscribe to, to hear every command."""
        return (self.request, f"{self.base}/+/+/set")

    def device(self, device: str) -> str:
        """All of a device as JSON."""
        return f"{self.base}/{device}"

    def device_availability(self, device: str) -> str:
        """Whether a device answers."""
        return f"{self.base}/{device}/availability"

    def point(self, device: str, point: str) -> str:
        """One value."""
        return f"{self.base}/{device}/{point}"

    def plan(self, load: str) -> str:
        """Whether the plan wants a load on now: on, or off."""
        return f"{self.base}/plan/{load}"

    def set(self, device: str, point: str) -> str:
        """Where that value is commanded."""
        return f"{self.base}/{device}/{point}/set"

    def inbound(self, topic: str) -> Inbound | None:
        """Return what *topic* commands, or None if it is none of ``commands``."""
        if topic == self.request:
            return Inbound()
        match topic.removeprefix(f"{self.base}/").split("/"):
            case [device, point, "set"] if topic.startswith(f"{self.base}/"):
                return Inbound(device, point)
            case _:
                return None
