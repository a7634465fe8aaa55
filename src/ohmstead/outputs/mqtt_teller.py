"""Turns each tick into topics, and takes back what is no more."""

from collections.abc import Mapping
from typing import Final

from ohmstead.model import DeviceSnapshot, Reading, Tick, Value
from ohmstead.outputs.home_assistant_discovery import Discovery
from ohmstead.outputs.mqtt_commands import Desk, SiteControl
from ohmstead.outputs.mqtt_link import Link
from ohmstead.outputs.mqtt_state import device_state, loads_state, site_state
from ohmstead.outputs.mqtt_topics import SITE, Topics
from ohmstead.ports import SitePort

__all__ = ["Teller"]

_DURATION: Final = "duration_min"


class Teller:
    """What one broker is told of one site."""

    def __init__(
        self, site: SitePort, link: Link, topics: Topics, desk: Desk, discovery: Discovery | None
    ) -> None:
        """Tell over *link*, and let *discovery* tell Home Assistant."""
        self._site = site
        self._link = link
        self._topics = topics
        self._desk = desk
        self._discovery = discovery
        self._left: dict[str, str] = {}
        self._loads: dict[str, str] = {}
        self._last: Tick | None = None
        self._said: dict[str, tuple[Reading | None, set[str]]] = {}

    async def look_around(self) -> None:
        """See what an earlier run left at the broker."""
        topics = self._topics
        self._left = await self._link.retained([f"{topics.base}/#"])
        self._resume()
        if self._discovery is None:
            return
        depth = topics.base.count("/") + 1
        named = {topic.split("/")[depth] for topic in self._left}
        present = {SITE, *self._site.devices}
        filters = self._discovery.filters(sorted(named | present))
        self._discovery.found(await self._link.retained(filters), present)

    def tell(self, tick: Tick) -> None:
        """Tell what *tick* has that is new."""
        self._last = tick
        for name, seen in tick.snapshot.devices.items():
            self._tell_device(name, seen)
        self.tell_site()
        if self._left:
            self._take_back()

    def tell_site(self) -> None:
        """Tell of the house itself, and of its controls."""
        if self._last is None:
            return
        own: Mapping[str, Value] = {_DURATION: self._desk.control.duration_min}
        for topic, payload in site_state(self._topics, self._last, own).items():
            self._link.tell(topic, payload)
        loads = loads_state(self._topics, self._last.snapshot)
        for topic in {**self._loads, **loads}:
            self._link.tell(topic, loads.get(topic, ""))
        self._loads = loads
        if self._discovery is not None:
            trail = self._last.decision.trail
            plans = any(advice.strategy == "follow_plan" for advice in trail)
            self._discovery.show_site(self._last.snapshot, plans=plans)

    # ---- how it is done -------------------------------------------------------------

    def _tell_device(self, name: str, seen: DeviceSnapshot) -> None:
        last, topics_before = self._said.get(name, (None, set[str]()))
        if name in self._said and last is seen.reading:
            return
        assert self._last is not None  # noqa: S101 - a tick is being told
        messages = device_state(self._topics, seen, self._last.snapshot.timezone)
        for topic, payload in messages.items():
            self._link.tell(topic, payload, self._qos(topic, name))
        for topic in topics_before - set(messages):
            self._link.tell(topic, "")
        self._said[name] = (seen.reading, set(messages))
        if self._discovery is not None and name in self._site.devices:
            self._discovery.show(self._site.devices[name], seen)

    def _qos(self, topic: str, device: str) -> int:
        return 1 if topic == self._topics.device_availability(device) else 0

    def _take_back(self) -> None:
        """Clear what an earlier run said and this one does not: it would pass for the present."""
        kept = {self._topics.request, self._topics.result, self._topics.availability}
        for topic in self._left:
            ours = topic not in kept and not topic.endswith("/set")
            if ours and self._link.told(topic) is None:
                self._link.tell(topic, "")
        self._left = {}

    def _resume(self) -> None:
        """Take the controls up where an earlier run left them."""
        try:
            minutes = float(self._left.get(self._topics.point(SITE, _DURATION), ""))
        except ValueError:
            return
        if minutes > 0:
            self._desk.control = SiteControl(duration_min=minutes)
