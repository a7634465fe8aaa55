"""Every point of every family becomes an entity that Home Assistant takes, old or new."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from houses import POINTS
from ohmstead.config.catalogue import FAMILIES
from ohmstead.model import (
    UNITS,
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
)
from ohmstead.outputs.home_assistant import Subject, config_messages, entities
from ohmstead.outputs.home_assistant_words import slug
from ohmstead.outputs.mqtt_settings import HomeAssistantSettings
from ohmstead.outputs.mqtt_site import SITE_POINTS
from ohmstead.outputs.mqtt_topics import SITE, Topics
from web_site import EVERY_KIND

TOPICS = Topics("ohmstead", "home")
DEVICE = HomeAssistantSettings()
COMPONENT = HomeAssistantSettings(form="component")
SNAPSHOT = Path(__file__).parent / "home_assistant_luxpower.json"

PLATFORMS = {"binary_sensor", "button", "number", "select", "sensor", "switch", "text"}
"""What Home Assistant 2024.3 knew, and we use."""
KEYS = {
    "*": {"p", "name", "uniq_id", "def_ent_id", "ent_cat", "en"},
    "binary_sensor": {"stat_t", "val_tpl", "pl_on", "pl_off"},
    "button": {"cmd_t", "pl_prs"},
    "number": {"stat_t", "cmd_t", "val_tpl", "min", "max", "step", "mode", "unit_of_meas"},
    "select": {"stat_t", "cmd_t", "val_tpl", "ops"},
    "sensor": {"stat_t", "val_tpl", "unit_of_meas", "dev_cla", "stat_cla", "ops"},
    "switch": {"stat_t", "cmd_t", "val_tpl", "pl_on", "pl_off"},
    "text": {"stat_t", "cmd_t", "min", "max", "ptrn"},
}
CLASS_UNITS = {
    "power": {"W", "kW"},
    "apparent_power": {"VA"},
    "reactive_power": {"var"},
    "energy": {"Wh", "kWh"},
    "energy_storage": {"Wh", "kWh"},
    "voltage": {"V", "mV"},
    "current": {"A", "mA"},
    "frequency": {"Hz"},
    "temperature": {"°C"},
    "battery": {"%"},
    "duration": {"d", "h", "min", "s"},
    "signal_strength": {"dBm"},
}
CLASS_STATES: dict[str, set[str | None]] = {
    "energy": {"total_increasing"},
    "energy_storage": {"measurement", None},
    "duration": {"measurement", "total_increasing", None},
}


def points_of(family: str) -> dict[str, Point]:
    """Return every point a device of *family* can have, whatever its model."""
    points = {row.name: row.point for table in FAMILIES[family].tables for row in table}
    try:
        derived: dict[str, Point] = resolve_name(f"ohmstead.devices.{family}.reading:DERIVED")
    except (AttributeError, ModuleNotFoundError):
        derived = {}
    return {**points, **derived}


def each(points: dict[str, Point]) -> Subject:
    return Subject(
        name="inverter",
        title="Inverter",
        points=points,
        model="luxpower",
        via="ohmstead-home-site",
        currency="GBP",
        availability=("ohmstead/home/availability", "ohmstead/home/inverter/availability"),
    )


SUBJECTS = {
    **{family: each(points_of(family)) for family in FAMILIES},
    **{
        f"{family}, read-only": each(
            {key: replace(point, writable=None) for key, point in points_of(family).items()}
        )
        for family in FAMILIES
    },
    "every kind of point": each(EVERY_KIND),
    "the house": replace(each(dict(SITE_POINTS)), name=SITE, title="Ohmstead home", via=None),
    "every unit": each(
        {
            f"{kind}{suffix}": Point(key=f"{kind}{suffix}", label=f"{kind} {suffix}", kind=kind)
            for suffix in UNITS
            for kind in Kind
        }
    ),
}
every_subject = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)


@every_subject
def test_only_platforms_and_keys_that_the_oldest_version_knows(subject: Subject) -> None:
    for key, one in components(subject).items():
        assert one["p"] in PLATFORMS, key
        assert set(one) <= KEYS["*"] | KEYS[one["p"]], key
        assert {"p", "name", "uniq_id", "def_ent_id"} <= set(one), key


@every_subject
def test_ids_names_and_topics_are_the_only_ones_of_their_kind(subject: Subject) -> None:
    found = components(subject)
    assert len(found) == len(subject.points)
    for key in ("uniq_id", "name", "def_ent_id"):
        said = [one[key].lower() for one in found.values()]
        assert len(set(said)) == len(said), key
    for key, one in found.items():
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", key)
        assert re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", one["def_ent_id"])
        assert one["def_ent_id"].startswith(f"{one['p']}.")
        for topic in (one.get("stat_t"), one.get("cmd_t")):
            assert topic is None or not re.search(r"[+#\s]", topic)


@every_subject
def test_a_sensor_has_a_unit_and_classes_that_fit_together(subject: Subject) -> None:
    for key, one in components(subject).items():
        if one["p"] != "sensor":
            continue
        kind, unit, state = (one.get(k) for k in ("dev_cla", "unit_of_meas", "stat_cla"))
        if kind == "enum":
            assert unit is None, key
            assert state is None, key
            assert len(set(one["ops"])) == len(one["ops"]) > 1, key
        elif kind is not None:
            assert unit in CLASS_UNITS[kind], key
            assert state in CLASS_STATES.get(kind, {"measurement", None}), key
        if unit in {"W", "kWh", "V", "A", "Hz", "°C"}:
            assert kind is not None, key
        if unit is None and kind != "enum":
            assert state in {None, "total_increasing"}, key


@every_subject
def test_entities_are_in_the_category_that_is_allowed_to_them(subject: Subject) -> None:
    for key, one in components(subject).items():
        allowed = {None, "diagnostic"} if one["p"].endswith("sensor") else {None, "config"}
        assert one.get("ent_cat") in allowed, key


@every_subject
def test_what_is_written_has_bounds_that_can_be(subject: Subject) -> None:
    for key, one in components(subject).items():
        match one["p"]:
            case "number":
                assert one["min"] < one["max"], key
                assert one["step"] >= 0.001, key
            case "select":
                assert one["ops"], key
                assert all(isinstance(option, str) for option in one["ops"]), key
            case "text":
                assert 0 <= one.get("min", 0) < one["max"] <= 255, key
                re.compile(one.get("ptrn", ""))
            case _:
                pass


@every_subject
def test_both_forms_say_the_same_and_are_whole(subject: Subject) -> None:
    ((topic, payload),) = config_messages(subject, TOPICS, DEVICE).items()
    whole = json.loads(payload)
    shared = {key: value for key, value in whole.items() if key != "cmps"}
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)
    assert set(shared) == {"dev", "o", "avty", "avty_mode", "qos"}
    assert whole["o"]["name"] == "Ohmstead"
    assert whole["dev"]["ids"] == [topic.split("/")[2]]
    assert len(payload.encode()) < 250_000

    single = config_messages(subject, TOPICS, COMPONENT)
    assert len(single) == len(whole["cmps"])
    for where, text in single.items():
        _, platform, device, key, last = where.split("/")
        assert (device, last) == (topic.split("/")[2], "config")
        one = whole["cmps"][key]
        assert platform == one["p"]
        assert json.loads(text) == {k: v for k, v in one.items() if k != "p"} | shared


@pytest.mark.parametrize(
    ("point", "says"),
    [
        (
            Point(key="pv_w", label="PV"),
            {"p": "sensor", "name": "PV power", "dev_cla": "power", "stat_cla": "measurement"},
        ),
        (
            Point(key="import_total_kwh", label="Import", kind=Kind.TOTAL),
            {"p": "sensor", "dev_cla": "energy", "stat_cla": "total_increasing",
             "unit_of_meas": "kWh"},
        ),
        (
            Point(key="stored_kwh", label="Stored"),
            {"dev_cla": "energy_storage", "stat_cla": "measurement"},
        ),
        (Point(key="battery_soc_pct", label="SoC"), {"dev_cla": "battery", "unit_of_meas": "%"}),
        (Point(key="import_per_kwh", label="Price"), {"unit_of_meas": "GBP/kWh"}),
        (Point(key="on_grid", label="On grid", kind=Kind.STATE, on_off=True),
         {"p": "binary_sensor"}),
        (Point(key="state", label="State", kind=Kind.STATE, options=("a", "it's")),
         {"p": "sensor", "dev_cla": "enum", "ops": ["a", "it's", "unknown"],
          "val_tpl": "{{ value if value in ['a','it\\'s'] else 'unknown' }}"}),
        (Point(key="faults", label="Faults", kind=Kind.STATE),
         {"p": "sensor", "val_tpl": "{{ (value or 'unknown')[:255] }}"}),
        (Point(key="limit_pct", label="Limit", writable=Range(10, 90, 5)),
         {"p": "number", "min": 10, "max": 90, "step": 5, "mode": "slider", "unit_of_meas": "%"}),
        (Point(key="limit_w", label="Limit", writable=Range(0, 1, 1e-6),
               category=Category.CONFIGURATION),
         {"p": "number", "step": 0.001, "mode": "box", "ent_cat": "config"}),
        (Point(key="mode", label="Mode", writable=Choice(("a", "b"))),
         {"p": "select", "ops": ["a", "b"]}),
        (Point(key="on", label="On", writable=Switch()),
         {"p": "switch", "pl_on": "on", "pl_off": "off"}),
        (Point(key="starts", label="Starts", writable=TimeOfDay()),
         {"p": "text", "min": 0, "max": 5}),
        (Point(key="clock", label="Clock", writable=Instant()), {"p": "text", "max": 25}),
        (Point(key="title", label="Title", writable=Text(400)), {"p": "text", "max": 255}),
        (Point(key="restart", label="Restart", writable=Button()), {"p": "button", "pl_prs": "on"}),
        (Point(key="inside_c", label="Inside", category=Category.DIAGNOSTIC),
         {"ent_cat": "diagnostic", "en": False}),
    ],
    ids=lambda given: given.key if isinstance(given, Point) else "",
)  # fmt: skip
def test_a_point_becomes_the_component_that_fits(point: Point, says: dict[str, object]) -> None:
    (one,) = components(each({point.key: point})).values()
    assert {key: one.get(key) for key in says} == says


@pytest.mark.parametrize(("held", "bounds"), [(5, (5, 90)), (95.5, (10, 95.5)), (50, (10, 90))])
def test_a_number_is_shown_even_where_it_could_not_be_written(
    held: float, bounds: tuple[float, float]
) -> None:
    point = Point(key="a", label="A", writable=Range(10, 90))
    (one,) = components(replace(each({"a": point}), values={"a": held})).values()
    assert (one["min"], one["max"]) == bounds
    assert f"{bounds[0]} <= value|float <= {bounds[1]}" in one["val_tpl"]


@pytest.mark.parametrize("text", ["", "00:00", "23:59"])
def test_a_time_we_tell_is_one_that_home_assistant_takes(text: str) -> None:
    (one,) = components(each({"a": Point(key="a", label="A", writable=TimeOfDay())})).values()
    assert re.fullmatch(one["ptrn"], text)
    assert not re.fullmatch(one["ptrn"], text + "24:00")


def test_times_are_entities_of_their_own_where_the_owner_says_so() -> None:
    point = Point(key="a", label="A", writable=TimeOfDay())
    (one,) = entities(each({"a": point}), TOPICS, HomeAssistantSettings(time_entities=True))
    assert one.platform == "time"


def test_all_can_be_enabled_at_once() -> None:
    subject = SUBJECTS["luxpower"]
    assert any("en" in one for one in components(subject).values())
    found = entities(subject, TOPICS, HomeAssistantSettings(all_enabled=True))
    assert not any("en" in entity.config for entity in found)


def test_names_that_are_alike_are_told_apart() -> None:
    points = {key: Point(key=key, label="Grid") for key in ("grid_w", "grid_v", "grid", "grid_2")}
    names = [one["name"] for one in components(each(points)).values()]
    assert names == ["Grid power", "Grid voltage", "Grid (grid)", "Grid (grid_2)"]


def test_ids_keep_to_the_letters_that_are_allowed() -> None:
    assert slug("dach_süd") == "dach_s-fc-d"
    subject = replace(each(POINTS), name="dach_süd", title="Dach süd")
    (topic,) = config_messages(subject, TOPICS, DEVICE)
    assert topic == "homeassistant/device/ohmstead-home-dach_s-fc-d/config"


def test_a_luxpower_inverter_is_told_as_it_was() -> None:
    """Compare with the snapshot; write it anew with WRITE_SNAPSHOTS=1 in the environment."""
    rows = [row for t in FAMILIES["luxpower"].tables_for("acs_3600").values() for row in t]
    derived: dict[str, Point] = resolve_name("ohmstead.devices.luxpower.reading:DERIVED")
    subject = each({**derived, **{row.name: row.point for row in rows}})
    ((topic, payload),) = config_messages(subject, TOPICS, DEVICE).items()
    whole = json.loads(payload)
    whole["o"]["sw"] = "…"
    lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in whole.items()
             if k != "cmps"]  # fmt: skip
    parts = [f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}"
             for k, v in whole["cmps"].items()]  # fmt: skip
    told = "{\n" + ",\n".join([f'"topic": "{topic}"', *lines]) + ',\n"cmps": {\n'
    told += ",\n".join(parts) + "\n}}\n"
    if os.environ.get("WRITE_SNAPSHOTS"):
        SNAPSHOT.write_text(told)
    assert json.loads(told) == json.loads(SNAPSHOT.read_text())


def components(subject: Subject) -> dict[str, dict[str, Any]]:
    (payload,) = config_messages(subject, TOPICS, DEVICE).values()
    found: dict[str, dict[str, Any]] = json.loads(payload)["cmps"]
    return found
