"""Points as Home Assistant's entities. Pure: the same points, the same messages.

Only platforms, keys, classes and units are used that Home Assistant 2024.3 knew: one unknown
platform makes it refuse a whole device.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ohmstead import __version__
from ohmstead.model import (
    Button,
    Category,
    Choice,
    Instant,
    Kind,
    Point,
    Range,
    Switch,
    Text,
    TimeOfDay,
    Value,
    Writable,
)
from ohmstead.outputs.home_assistant_words import name_of_entity, slug, unit_and_class
from ohmstead.outputs.mqtt_payload import as_json
from ohmstead.outputs.mqtt_settings import HomeAssistantSettings
from ohmstead.outputs.mqtt_topics import Topics

__all__ = ["Entity", "Subject", "config_filters", "config_messages", "entities", "subject_id"]

_ORIGIN: Final = {"name": "Ohmstead", "sw": __version__}
_UNKNOWN: Final = "unknown"
_TIME: Final = r"(([01]\d|2[0-3]):[0-5]\d)?"
_INSTANT: Final = r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?([+-]\d\d:\d\d|Z)?)?"
_LONGEST_TEXT: Final = 255
_SMALLEST_STEP: Final = 0.001
_COUNTED: Final = ("energy", "duration", None)
"""The device classes whose values may be a total."""

Config = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What becomes one device of Home Assistant's: a device of the house, or the house."""

    name: str
    """As the topics have it."""
    title: str
    points: Mapping[str, Point]
    values: Mapping[str, Value | None] = field(default_factory=dict)
    """What the points held when the device was first read."""
    model: str = ""
    via: str | None = None
    """The subject it belongs to, by id."""
    currency: str | None = None
    availability: tuple[str, ...] = field(default=())
    """The topics that must all say online."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """The topics of points that are not told below the subject's name, by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity: its platform, and how it is configured, without what a device's share."""

    platform: str
    key: str
    config: Config


def subject_id(site_name: str, name: str) -> str:
    """Return the id of a subject: as lasting as the names its owner gave."""
    return slug(f"ohmstead-{site_name}-{name}")


def entities(
    subject: Subject, topics: Topics, settings: HomeAssistantSettings
) -> tuple[Entity, ...]:
    """Return an entity for every point of *subject*."""
    base = subject_id(topics.site_name, subject.name)
    names = _names(subject.points)
    found = []
    for point in subject.points.values():
        platform, own = _platform(point, subject, settings)
        config: Config = {
            "name": names[point.key],
            "uniq_id": f"{base}-{slug(point.key)}",
            "def_ent_id": f"{platform}.{_entity_id(subject.title, point.key)}",
        }
        if platform != "button":
            here = topics.point(subject.name, point.key)
            config["stat_t"] = subject.elsewhere.get(point.key, here)
        if point.writable is not None:
            config["cmd_t"] = topics.set(subject.name, point.key)
        if (category := _category(point)) is not None:
            config["ent_cat"] = category
        if point.category is Category.DIAGNOSTIC and not settings.all_enabled:
            config["en"] = False
        found.append(Entity(platform=platform, key=slug(point.key), config=config | own))
    return tuple(found)


def config_messages(
    subject: Subject, topics: Topics, settings: HomeAssistantSettings
) -> dict[str, str]:
    """Return the discovery messages of *subject*, by topic."""
    base = subject_id(topics.site_name, subject.name)
    device: Config = {"ids": [base], "name": subject.title}
    if subject.model:
        device["mdl"] = subject.model
    if subject.via is not None:
        device["via_device"] = subject.via
    shared: Config = {
        "dev": device,
        "o": _ORIGIN,
        "avty": [{"t": topic} for topic in subject.availability],
        "avty_mode": "all",
        "qos": 1,
    }
    found = entities(subject, topics, settings)
    if settings.form == "component":
        return {
            f"{settings.prefix}/{e.platform}/{base}/{e.key}/config": as_json(e.config | shared)
            for e in found
        }
    components = {entity.key: {"p": entity.platform, **entity.config} for entity in found}
    return {f"{settings.prefix}/device/{base}/config": as_json({**shared, "cmps": components})}


def config_filters(subject: str, settings: HomeAssistantSettings) -> tuple[str, ...]:
    """Return where discovery messages of the subject with the id *subject* may lie."""
    return (
        f"{settings.prefix}/device/{subject}/config",
        f"{settings.prefix}/+/{subject}/+/config",
    )


# ---- one point --------------------------------------------------------------------------


def _platform(
    point: Point, subject: Subject, settings: HomeAssistantSettings
) -> tuple[str, Config]:
    """Return the platform of *point*, and what it needs to know."""
    known = "{{ value or 'None' }}"
    match point.writable:
        case None:
            return _read_only(point, subject)
        case Range() as bounds:
            return "number", _number(point, bounds, subject)
        case Choice(options=options):
            return "select", {"ops": list(options), "val_tpl": known}
        case Switch():
            return "switch", {"pl_on": "on", "pl_off": "off", "val_tpl": known}
        case Button():
            return "button", {"pl_prs": "on"}
        case TimeOfDay() | Instant() | Text():
            return _text(point.writable, settings)


def _read_only(point: Point, subject: Subject) -> tuple[str, Config]:
    if point.on_off:
        return "binary_sensor", {
            "pl_on": "on", "pl_off": "off", "val_tpl": "{{ value or 'None' }}"
        }  # fmt: skip
    unit, device_class = unit_and_class(point, subject.currency)
    config: Config = {}
    if unit is not None:
        config["unit_of_meas"] = unit
    if device_class is not None:
        config["dev_cla"] = device_class
    if point.kind is Kind.TOTAL and device_class in _COUNTED:
        config["stat_cla"] = "total_increasing"
    elif point.kind in {Kind.MEASUREMENT, Kind.TOTAL} and unit is not None:
        config["stat_cla"] = "measurement"
    if config:
        return "sensor", config | {"val_tpl": "{{ value or 'None' }}"}
    if point.options:
        names = ",".join(f"'{_quoted(option)}'" for option in point.options)
        return "sensor", {
            "dev_cla": "enum",
            "ops": [*point.options, _UNKNOWN],
            "val_tpl": f"{{{{ value if value in [{names}] else '{_UNKNOWN}' }}}}",
        }
    return "sensor", {"val_tpl": f"{{{{ (value or '{_UNKNOWN}')[:{_LONGEST_TEXT}] }}}}"}


def _number(point: Point, bounds: Range, subject: Subject) -> Config:
    """Return the bounds of a number, wide enough for what the device holds already.

    A value outside them would be an error to Home Assistant; what may be written is for us to
    check.
    """
    unit, _ = unit_and_class(point, subject.currency)
    held = subject.values.get(point.key)
    inside = [bounds.low, bounds.high]
    if isinstance(held, int | float) and math.isfinite(held):
        inside.append(held)
    low, high = min(inside), max(inside)
    config: Config = {
        "min": low,
        "max": high,
        "step": max(bounds.step, _SMALLEST_STEP),
        "mode": "slider" if unit == "%" else "box",
        "val_tpl": f"{{{{ value if value and {low} <= value|float <= {high} else 'None' }}}}",
    }
    return config | ({} if unit is None else {"unit_of_meas": unit})


def _text(writable: Writable, settings: HomeAssistantSettings) -> tuple[str, Config]:
    """Return the bounds of a text; it may be empty, which is how a missing value looks."""
    match writable:
        case TimeOfDay() if settings.time_entities:
            return "time", {"val_tpl": "{{ value or 'None' }}"}
        case TimeOfDay():
            return "text", {"min": 0, "max": 5, "ptrn": _TIME}
        case Instant():
            return "text", {"min": 0, "max": 25, "ptrn": _INSTANT}
        case Text(length=length):
            return "text", {"min": 0, "max": min(length, _LONGEST_TEXT)}
        case _:
            return "text", {}


def _category(point: Point) -> str | None:
    """Return who looks at the entity. A sensor cannot be configuration: it would be refused."""
    if point.category is Category.MAIN:
        return None
    return "diagnostic" if point.writable is None else "config"


def _names(points: Mapping[str, Point]) -> dict[str, str]:
    """Return a name for each point, none twice: older versions make the entity's id of it."""
    names = {key: name_of_entity(point) for key, point in points.items()}
    taken: dict[str, int] = {}
    for name in names.values():
        taken[name.lower()] = taken.get(name.lower(), 0) + 1
    return {k: name if taken[name.lower()] == 1 else f"{name} ({k})" for k, name in names.items()}


def _entity_id(title: str, key: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", slug(f"{title}_{key}".lower().replace(" ", "_")))
    return words.strip("_")


def _quoted(option: str) -> str:
    return option.replace("\\", "\\\\").replace("'", "\\'")
