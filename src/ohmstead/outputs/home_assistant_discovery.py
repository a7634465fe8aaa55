"""Keeps Home Assistant's picture of what there is in step with what there is."""

import json
import logging
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any, Final

from ohmstead.clock import Clock
from ohmstead.model import DeviceSnapshot, Kind, Point, SiteSnapshot
from ohmstead.outputs.home_assistant import Subject, config_filters, config_messages, subject_id
from ohmstead.outputs.mqtt_link import Link
from ohmstead.outputs.mqtt_payload import as_json
from ohmstead.outputs.mqtt_settings import HomeAssistantSettings
from ohmstead.outputs.mqtt_site import SITE_POINTS
from ohmstead.outputs.mqtt_topics import SITE, Topics
from ohmstead.ports import DevicePort

__all__ = ["Discovery"]

log = logging.getLogger(__name__)

_SOONEST_S: Final = 1.0
_LATEST_S: Final = 10.0
_LOAD: Final = "plan_"
"""What the keys of loads begin with, among the points of the house."""
_MIGRATE: Final = '{"migrate_discovery":true}'


class Discovery:
    """The discovery messages of one site."""

    def __init__(
        self, link: Link, topics: Topics, settings: HomeAssistantSettings, clock: Clock
    ) -> None:
        """Send them over *link*."""
        self._link = link
        self._topics = topics
        self._settings = settings
        self._clock = clock
        self._chance = Random(topics.base)  # noqa: S311 - so that not everybody answers at once
        self._before: dict[str, dict[str, str]] = {}
        """What an earlier run told, by subject: topics and payloads."""
        self._known: dict[str, tuple[Mapping[str, Point], str | None]] = {}
        self._now: dict[str, dict[str, str]] = {}
        self._waits = False

    @property
    def birth_topic(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self._settings.prefix}/status"

    def filters(self, names: Iterable[str]) -> list[str]:
        """Return where an earlier run may have left messages of devices called *names*."""
        ids = [subject_id(self._topics.site_name, name) for name in names]
        return [topic for one in ids for topic in config_filters(one, self._settings)]

    def found(self, kept: Mapping[str, str], present: Iterable[str]) -> None:
        """Take note of what an earlier run left; what is of no device *present* is taken back."""
        ids = {subject_id(self._topics.site_name, name) for name in present}
        for topic, payload in kept.items():
            subject = topic.removeprefix(f"{self._settings.prefix}/").split("/")[1]
            if subject in ids:
                self._before.setdefault(subject, {})[topic] = payload
            else:
                log.info("mqtt: Home Assistant forgets %s", subject)
                self._link.tell(topic, "", 1)

    def show_site(self, site: SiteSnapshot, *, plans: bool = False) -> None:
        """Tell of the house itself; *plans* says whether it has or awaits a plan."""
        prices = {"import": site.prices.buy, "export": site.prices.sell}
        curve = site.prices.buy or site.prices.sell
        without = {
            key
            for key in SITE_POINTS
            if key.endswith("_per_kwh")
            and prices[key.partition("_")[0]] is None
            and not self._has(SITE, key)
        }
        loads = self._loads(site, plans=plans)
        points = {k: point for k, point in SITE_POINTS.items() if k not in without}
        self._show(
            Subject(
                name=SITE,
                title=f"Ohmstead {self._topics.site_name}",
                points=points | {key: _load_point(key, name) for key, name in loads.items()},
                elsewhere={key: self._topics.plan(name) for key, name in loads.items()},
                currency=curve.currency if curve else None,
                availability=(self._topics.availability,),
            )
        )

    def show(self, device: DevicePort, seen: DeviceSnapshot) -> None:
        """Tell of *device* once it has answered: only then it is known what it can do."""
        if seen.reading is None:
            return
        self._show(
            Subject(
                name=device.name,
                title=device.name.replace("_", " ").capitalize(),
                points=device.points,
                values=seen.reading.values,
                model=device.family,
                via=subject_id(self._topics.site_name, SITE),
                availability=(
                    self._topics.availability,
                    self._topics.device_availability(device.name),
                ),
            )
        )

    async def born(self, payload: bytes) -> None:
        """Send everything again, a little later, when Home Assistant says that it has started."""
        if payload != b"online" or self._waits:
            return
        self._waits = True
        try:
            await self._clock.sleep(self._chance.uniform(_SOONEST_S, _LATEST_S))
        finally:
            self._waits = False
        log.info("mqtt: Home Assistant has started; telling it everything again")
        self._link.again()

    # ---- how it is done -------------------------------------------------------------

    def _show(self, subject: Subject) -> None:
        seen = (subject.points, subject.currency)
        if self._known.get(subject.name) == seen:
            return
        self._known[subject.name] = (dict(subject.points), subject.currency)
        wanted = config_messages(subject, self._topics, self._settings)
        key = subject_id(self._topics.site_name, subject.name)
        before = self._now.get(key) or self._before.pop(key, {})
        gone = [topic for topic in before if topic not in wanted]
        if gone and self._changes_form(before, wanted):
            # Without this, its entities would lose their history and their owner's changes.
            for topic in gone:
                self._link.before(topic, _MIGRATE)
        for topic, payload in wanted.items():
            if topic in before and (parting := _parting(before[topic], payload)) is not None:
                self._link.before(topic, parting)
            self._link.tell(topic, payload, 1)
        for topic in gone:
            self._link.tell(topic, "", 1)
        self._now[key] = wanted

    def _loads(self, site: SiteSnapshot, *, plans: bool) -> dict[str, str]:
        """Return the loads that may run earlier or later, by key.

        While there is no plan yet, they are those that were told of.
        """
        if site.plan is not None:
            return {f"{_LOAD}{name}": name for name in site.plan.loads}
        told = self._told(SITE) if plans else set[str]()
        return {key: key.removeprefix(_LOAD) for key in sorted(told) if key.startswith(_LOAD)}

    def _has(self, name: str, key: str) -> bool:
        """Tell whether the point *key* is told of already, by this run or an earlier one.

        A price that has not come yet after a start must not take its entities away.
        """
        return key in self._told(name)

    def _told(self, name: str) -> set[str]:
        """Return the keys that are told of already, by this run or an earlier one."""
        subject = subject_id(self._topics.site_name, name)
        told = self._now.get(subject) or self._before.get(subject, {})
        components = {key for payload in told.values() for key in _components(payload)}
        return components | {topic.split("/")[-2] for topic in told}

    def _changes_form(self, before: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
        start = f"{self._settings.prefix}/device/"
        return {t.startswith(start) for t in before} != {t.startswith(start) for t in wanted}


def _load_point(key: str, name: str) -> Point:
    label = name.replace("_", " ").capitalize()
    return Point(key=key, label=f"{label} planned on", kind=Kind.STATE, on_off=True)


def _parting(before: str, now: str) -> str | None:
    """Return what lets entities go that *before* had and *now* has not, if there are any.

    A component that is merely left out stays alive until the next start; one that is reduced
    to its platform goes.
    """
    old, new = _components(before), _components(now)
    gone = {
        key: {"p": component.get("p")}
        for key, component in old.items()
        if key not in new or new[key].get("p") != component.get("p")
    }
    if not gone:
        return None
    payload = json.loads(now)
    payload["cmps"] = {**payload["cmps"], **gone}
    return as_json(payload)


def _components(payload: str) -> dict[str, dict[str, Any]]:
    try:
        given = json.loads(payload)
    except ValueError:
        return {}
    components = given.get("cmps") if isinstance(given, dict) else None
    return components if isinstance(components, dict) else {}
