"""GivTCP's settings become ours, from whatever file they are kept in."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ohmstead.config.givtcp import from_givtcp
from ohmstead.config.load import load
from ohmstead.errors import ConfigError

ENV = """\
# what docker was given
export INVERTOR_IP="192.168.1.20"   # in the loft
NUM_BATTERIES=2
MQTT_ADDRESS=192.168.1.5
MQTT_USERNAME=me
MQTT_PASSWORD='hunter2 # really'
MQTT_TOPIC=GivEnergy
HA_AUTO_D=True
SELF_RUN_LOOP_TIMER=15
INFLUX_OUTPUT=True
INFLUX_URL=http://192.168.1.6:8086
INFLUX_TOKEN=letmein==
INFLUX_BUCKET=giv
INFLUX_ORG=home
DAYRATE=0.30
NIGHTRATE=0.075
EXPORTRATE=0.15
DAYRATESTART=05:30
NIGHTRATESTART=00:30
TZ=Europe/Dublin
GEAPI=letmein
MY_OWN=3
"""

YAML_TEXT = """\
# From GivTCP's "givtcp.env". Look at it with `ohmstead check`.
site: {name: home, timezone: "Europe/Dublin"}
devices:
  - name: inverter
    family: givenergy
    host: "192.168.1.20"
    poll_s: 15
prices:
  import:
    source: time_of_use
    default_per_kwh: 0.3
    windows:
      - {start: "00:30", end: "05:30", per_kwh: 0.075}
  export: {source: fixed, price_per_kwh: 0.15}
# GivTCP did what it was told and so does this file; to let it decide: docs/strategies.md
# control:
#   - self_consumption: {reserve_pct: 10}
outputs:
  - mqtt: {host: "192.168.1.5", port: 1883, username: "me", password: !secret mqtt_password, \
home_assistant: true}
  - givtcp: {listen: "127.0.0.1:6345", version: 1, mqtt: {host: "192.168.1.5", port: 1883, \
username: "me", \
password: !secret mqtt_password}}
  - influx: {url: "http://192.168.1.6:8086", bucket: "giv", org: "home", \
token: !secret influx_token, naming: givtcp}
"""

COMPOSE = """\
version: "3.9"
x-common: &common
  TZ: Europe/London
  MQTT_ADDRESS: 127.0.0.1
  DAYRATE: 0.3
services:
  first:
    image: britkat/giv_tcp-ma:latest
    environment:
      <<: *common
      INVERTOR_IP: 192.168.1.20
      SELF_RUN_LOOP_TIMER: 30
  second:
    image: mine/copy
    environment:
      - INVERTOR_IP=192.168.1.21
      - DAYRATE=0.2
      - MQTT_PASSWORD
      - CACHELOCATION=${PLACE:-/config}
  grafana:
    image: grafana/grafana
    environment: {GF_SECURITY_ADMIN_PASSWORD: hunter2}
"""

ALL_SETTINGS = {
    "number_of_inverters": 3,
    "NUMINVERTORS": "1",
    "invertorIP_1": "192.168.1.20",
    "inverter_enable_1": True,
    "inverterName_1": "GivTCP_GW",
    "invertorIP_2": "192.168.1.21",
    "inverter_enable_2": True,
    "invertorIP_3": "192.168.1.22",
    "inverter_enable_3": False,
    "MQTT_Output": True,
    "MQTT_Address": "core-mosquitto",
    "MQTT_Port": 1884,
    "MQTT_Password": None,
    "HA_Auto_D": False,
    "self_run_timer": 60,
    "self_run_timer_full": 120,
    "day_rate": "0.395",
    "night_rate": 0.155,
    "day_rate_start": "05:30",
    "night_rate_start": "23:30",
    "Influx_Output": False,
    "influxToken": "",
    "SOLCASTAPI": "",
    "PALM_WEIGHT": 35,
}

ADD_ON = """\
INVERTOR_IP_1: "192.168.1.20"
NUMINVERTORS: 1
INVERTOR_IP_2: 192.168.1.21
MQTT_OUTPUT: false
DAYRATE: "0.25"
DAYRATESTART: 04:30
"""


def document(text: str, name: str = "givtcp.env") -> Any:  # noqa: ANN401 - whatever YAML holds
    return YAML().load(from_givtcp(text, name).yaml)


def outputs(text: str) -> dict[str, Any]:
    return {name: values for entry in document(text)["outputs"] for name, values in entry.items()}


def notes(text: str) -> dict[str, str]:
    """Return what is told, by the keys it is about."""
    told = from_givtcp(text).notes
    return {keys: sentence for keys, _, sentence in (note.partition(": ") for note in told)}


def hosts(text: str) -> list[tuple[str, str]]:
    return [(device["name"], device["host"]) for device in document(text)["devices"]]


def test_the_file_is_this_one() -> None:
    assert from_givtcp(ENV).yaml == YAML_TEXT


def test_the_service_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "ohmstead.yaml"
    path.write_text(YAML_TEXT, encoding="utf-8")
    secrets = {"OHMSTEAD_SECRET_MQTT_PASSWORD": "a", "OHMSTEAD_SECRET_INFLUX_TOKEN": "b"}
    settings = load(path, secrets)
    assert [(one.name, one.family, one.poll_s) for one in settings.devices] == [
        ("inverter", "givenergy", 15)
    ]
    assert [one.output for one in settings.outputs] == ["mqtt", "givtcp", "influx"]


def test_what_is_not_taken_over_is_told_by_its_key() -> None:
    told = notes(ENV)
    assert list(told) == [
        "MQTT_PASSWORD",
        "givtcp",
        "INFLUX_TOKEN",
        "NUM_BATTERIES",
        "GEAPI",
        "MY_OWN",
    ]
    assert "secrets.yaml" in told["MQTT_PASSWORD"]
    assert "comes with `forecasts`" in told["GEAPI"]
    assert "left out" in told["MY_OWN"]


@pytest.mark.parametrize("text", [ENV, ENV.replace("http://", "http://root:hunter2@")])
def test_nothing_told_or_written_is_a_secret(text: str) -> None:
    migration = from_givtcp(text)
    everything = " ".join((migration.yaml, *migration.notes))
    assert "hunter2" not in everything
    assert "letmein" not in everything


@pytest.mark.parametrize("address", ["MQTT_ADDRESS=127.0.0.1", "MQTT_ADDRESS=", "MQTT_PORT="])
def test_givtcps_own_broker_becomes_the_embedded_one(address: str) -> None:
    found = outputs(f"INVERTOR_IP=1.2.3.4\n{address}\n")
    assert found["mqtt"] == {"host": "embedded", "port": 1883, "home_assistant": True}
    assert found["givtcp"]["mqtt"] == {"host": "127.0.0.1", "port": 1883}


def test_every_service_of_a_compose_file_is_an_inverter() -> None:
    assert hosts(COMPOSE) == [("inverter", "192.168.1.20"), ("inverter_2", "192.168.1.21")]
    assert [device.get("poll_s") for device in document(COMPOSE)["devices"]] == [30, None]
    assert document(COMPOSE)["prices"]["import"] == {"source": "fixed", "price_per_kwh": 0.3}
    told = from_givtcp(COMPOSE).notes
    assert "second: DAYRATE, MQTT_PASSWORD: not as in the first service, which counts" in told
    assert any(note.startswith("second: CACHELOCATION: ") for note in told)
    assert not any("grafana" in note or "GF_" in note for note in told)


def test_services_that_agree_are_nothing_to_tell() -> None:
    text = COMPOSE.replace("DAYRATE=0.2", "DAYRATE=0.3").replace("      - MQTT_PASSWORD\n", "")
    assert not any("first service" in note for note in from_givtcp(text).notes)


def test_the_settings_of_version_3_are_understood() -> None:
    text = json.dumps(ALL_SETTINGS, indent=4)
    assert hosts(text) == [("inverter", "192.168.1.20"), ("inverter_2", "192.168.1.21")]
    assert document(text)["devices"][0]["poll_s"] == 60
    assert outputs(text)["mqtt"] == {
        "host": "core-mosquitto",
        "port": 1884,
        "home_assistant": False,
    }
    told = notes(text)
    assert "switched off" in told["invertorIP_3"]
    assert "GivTCP came with" in told["day_rate, night_rate"]
    assert "only add-ons know" in told["MQTT_Address"]
    assert "PALM_WEIGHT" in told
    assert "influxToken" not in told


@pytest.mark.parametrize(
    "text",
    [
        ADD_ON,
        "---\n" + ADD_ON,
        "\ufeff" + ADD_ON,
        "name: GivTCP\nservices: ['mqtt:want']\noptions:\n"
        + "".join(f"  {line}\n" for line in ADD_ON.splitlines()),
    ],
    ids=["options", "document mark", "byte order mark", "whole add-on"],
)
def test_the_options_of_the_add_on_are_understood(text: str) -> None:
    assert hosts(text) == [("inverter", "192.168.1.20")]
    assert outputs(text) == {"givtcp": {"listen": "127.0.0.1:6345", "version": 2}}
    told = notes(text)
    assert "told of 1 only" in told["INVERTOR_IP_2"]
    assert "one price" in told["DAYRATE"]


def test_a_value_kept_elsewhere_is_asked_for() -> None:
    text = (
        "services: {g: {image: x/givtcp, environment: {INVERTOR_IP: '${IP}', TZ: , "
        "MQTT_PASSWORD: '${P}', MQTT_USERNAME: 'a$$b'}}}"
    )
    told = notes(text)
    assert hosts(text) == [("inverter", "")]
    assert from_givtcp(text).notes[-1] == (
        "g: INVERTOR_IP, TZ: its value is not in this file; write it into the new one yourself"
    )
    assert "g" in told
    assert outputs(text)["mqtt"]["username"] == "a$b"
    assert "!secret mqtt_password" in from_givtcp(text).yaml
    secret = (
        "INVERTOR_IP_1: 1.2.3.4\nMQTT_USERNAME: me\nMQTT_PASSWORD: !secret broker\n"
        "EVC_IP_ADDRESS: !secret evc\n"
    )
    assert outputs(secret)["mqtt"]["password"].value == "mqtt_password"


def test_an_inverter_that_was_searched_for_is_left_to_discover() -> None:
    text = "INVERTOR_IP=\nMQTT_OUTPUT=False\n"
    assert hosts(text) == [("inverter", "")]
    assert "ohmstead discover" in from_givtcp(text).yaml
    assert "ohmstead discover" in notes(text)["INVERTOR_IP"]


def test_an_address_that_stands_twice_is_one_inverter() -> None:
    text = "INVERTOR_IP=1.2.3.4\nINVERTOR_IP_2=1.2.3.4\nINVERTOR_IP_3=1.2.3.5\n"
    assert hosts(text) == [("inverter", "1.2.3.4"), ("inverter_2", "1.2.3.5")]
    assert any("stands twice" in note for note in from_givtcp(text).notes)


@pytest.mark.parametrize(
    ("lines", "prices", "says"),
    [
        pytest.param("NIGHTRATE=0.1", None, "no tariff", id="night alone"),
        pytest.param("EXPORTRATE=0.1", {"export"}, "", id="export alone"),
        pytest.param("DAYRATE=30\nNIGHTRATE=7", {"import"}, "pence", id="pence"),
        pytest.param("DAYRATE=0.3\nNIGHTRATE=0.1", {"import"}, "23:30 to 05:30", id="no hours"),
        pytest.param(
            "DAYRATE=0.3\nNIGHTRATE=0.1\nDAYRATESTART=5:00\nNIGHTRATESTART=0500",
            {"import"},
            "one price",
            id="no night",
        ),
        pytest.param("TZ=", None, "", id="none"),
    ],
)
def test_prices_are_those_that_were_chosen(lines: str, prices: set[str] | None, says: str) -> None:
    text = f"INVERTOR_IP=1.2.3.4\n{lines}\n"
    found = document(text).get("prices")
    assert (found and set(found)) == prices
    assert says in " ".join(from_givtcp(text).notes)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("24:00", "00:00"), ("1:05", "01:05"), ("0105", "01:05"), ("01:05:00", "01:05")],
)
def test_hours_are_understood_however_they_are_written(written: str, meant: str) -> None:
    text = f"DAYRATE=0.3\nNIGHTRATE=0.1\nDAYRATESTART=06:00\nNIGHTRATESTART={written}\n"
    assert document(text)["prices"]["import"]["windows"][0]["start"] == meant


def test_the_inverter_is_not_asked_too_often() -> None:
    text = "INVERTOR_IP=1.2.3.4\nSELF_RUN_LOOP_TIMER=1\n"
    assert document(text)["devices"][0]["poll_s"] == 5
    assert "SELF_RUN_LOOP_TIMER" in notes(text)


IP = "INVERTOR_IP=1.2.3.4\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("INVERTOR_IP=a b\n", "INVERTOR_IP is no address", id="address"),
        pytest.param(IP + "TZ=Mars\n", "TZ is no time zone", id="time zone"),
        pytest.param(IP + "TZ=../..\n", "TZ is no time zone", id="a path"),
        pytest.param(IP + "SELF_RUN_LOOP_TIMER=often\n", "SELF_RUN_LOOP_TIMER is not", id="timer"),
        pytest.param(IP + "SELF_RUN_LOOP_TIMER=0\n", "SELF_RUN_LOOP_TIMER is not", id="zero"),
        pytest.param(IP + "DAYRATE=cheap\n", "DAYRATE is not a number", id="rate"),
        pytest.param(IP + "EXPORTRATE=nan\n", "EXPORTRATE is not a number", id="nan"),
        pytest.param(
            IP + "DAYRATE=1\nNIGHTRATE=1\nDAYRATESTART=25:00", "DAYRATESTART is no time", id="hour"
        ),
        pytest.param(
            IP + "DAYRATE=1\nNIGHTRATE=1\nDAYRATESTART=5:60", "DAYRATESTART is no time", id="minute"
        ),
        pytest.param(
            IP + "DAYRATE=1\nNIGHTRATE=1\nDAYRATESTART=dawn", "DAYRATESTART is no time", id="time"
        ),
        pytest.param(IP + "MQTT_PORT=70000\n", "MQTT_PORT is no port", id="port"),
        pytest.param(IP + "MQTT_ADDRESS=me:hunter2@x\n", "MQTT_ADDRESS is no address", id="broker"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_by_its_key(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        from_givtcp(text)
    said = str(told.value)
    assert said.startswith(f"givtcp.env: {says}")
    assert said.endswith("put it right there, and migrate again")
    assert "hunter2" not in said
