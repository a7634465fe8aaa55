"""Whom GivTCP told is told by Ohmstead: its brokers, its routes, its database."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from ohmstead.config.givtcp import from_givtcp
from ohmstead.config.load import load
from ohmstead.errors import ConfigError

ADDRESS = "INVERTOR_IP=192.168.1.20\n"
CREDENTIALS = "MQTT_USERNAME=me\nMQTT_PASSWORD=hunter2\n"
SECRETS = {"OHMSTEAD_SECRET_MQTT_PASSWORD": "hunter2", "OHMSTEAD_SECRET_INFLUX_TOKEN": "letmein"}


def outputs(lines: str, *, in_container: bool = False) -> dict[str, Any]:
    text = from_givtcp(ADDRESS + lines, in_container=in_container).yaml
    listed = YAML().load(text)["outputs"]
    return {name: values for entry in listed for name, values in entry.items()}


def notes(lines: str, *, in_container: bool = False) -> str:
    return "\n".join(from_givtcp(ADDRESS + lines, in_container=in_container).notes)


INFLUX = "INFLUX_OUTPUT=True\nMQTT_OUTPUT=False\n"


@pytest.mark.parametrize("in_container", [False, True], ids=["on a machine", "in a container"])
@pytest.mark.parametrize(
    "lines",
    [
        "",
        CREDENTIALS,
        CREDENTIALS + "MQTT_ADDRESS=192.168.1.5\nMQTT_TOPIC=Solar/loft\n",
        "MQTT_USERNAME=me\n",
        "MQTT_PASSWORD=hunter2\n",
        "MQTT_USERNAME=me\nMQTT_ADDRESS=192.168.1.5\n",
        "MQTT_OUTPUT=False\n",
        INFLUX,
        INFLUX + "INFLUX_URL=http://root:hunter2@192.168.1.6:8086?db=a\nINFLUX_TOKEN=letmein\n",
        INFLUX + "INFLUX_URL=192.168.1.6:8086\nINFLUX_BUCKET=giv\nINFLUX_ORG=home\n",
    ],
    ids=[
        "nothing said", "own broker with a password", "a broker elsewhere", "a name alone",
        "a password alone", "a name elsewhere", "no broker", "influx", "influx with a password",
        "influx without a scheme",
    ],
)  # fmt: skip
def test_whatever_was_set_the_service_takes_what_becomes_of_it(
    tmp_path: Path, lines: str, in_container: bool
) -> None:
    path = tmp_path / "ohmstead.yaml"
    migration = from_givtcp(ADDRESS + lines, in_container=in_container)
    path.write_text(migration.yaml)
    assert load(path, SECRETS).outputs
    assert "hunter2" not in migration.yaml + "".join(migration.notes)


def test_the_old_routes_are_there_for_this_machine_alone() -> None:
    assert outputs("")["givtcp"]["listen"] == "127.0.0.1:6345"
    assert "for this machine alone" in notes("")


def test_in_a_container_they_are_where_its_ports_lead_for_networks_of_a_house() -> None:
    found = outputs("", in_container=True)["givtcp"]
    assert found["listen"] == "0.0.0.0:6345"
    assert found["allow"] == ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    assert "know no password" in notes("", in_container=True)


def test_the_broker_in_a_container_opens_with_a_password_only() -> None:
    opened = outputs(CREDENTIALS, in_container=True)["mqtt"]
    assert opened["embedded"] == {"listen": "0.0.0.0"}  # noqa: S104 - the point
    assert "embedded" not in outputs("", in_container=True)["mqtt"]
    assert "is for the container alone" in notes("", in_container=True)
    assert "embedded" not in outputs(CREDENTIALS)["mqtt"]


def test_the_old_topics_go_to_the_same_broker_under_their_root() -> None:
    lines = CREDENTIALS + "MQTT_ADDRESS=192.168.1.5\nMQTT_PORT=1884\nMQTT_TOPIC=Solar/loft\n"
    theirs = outputs(lines)["givtcp"]["mqtt"]
    assert (theirs["host"], theirs["port"], theirs["username"]) == ("192.168.1.5", 1884, "me")
    assert theirs["topic"] == "Solar/loft"
    assert theirs["password"].value == "mqtt_password"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("INVERTOR_IP=1.2.3.4\n", 1, id="the first version had one inverter"),
        pytest.param("INVERTOR_IP_1=1.2.3.4\n", 2, id="the second numbered them"),
        pytest.param('{"invertorIP_1": "1.2.3.4"}', None, id="the third wrote them small"),
    ],
)
def test_flows_mean_what_they_meant_to_the_version_they_were_written_for(
    text: str, version: int | None
) -> None:
    migration = from_givtcp(text)
    (givtcp,) = (e["givtcp"] for e in YAML().load(migration.yaml)["outputs"] if "givtcp" in e)
    assert givtcp.get("version") == version
    assert ("charge rates are per cent" in "".join(migration.notes)) == (version == 1)


def test_raw_values_are_left_out_where_they_were() -> None:
    assert outputs("PRINT_RAW=False\n")["givtcp"]["raw"] is False
    assert "raw" not in outputs("PRINT_RAW=True\n")["givtcp"]


def test_influx_keeps_the_names_that_boards_are_made_for() -> None:
    found = outputs(INFLUX + "INFLUX_URL=http://me:hunter2@h:8086/x?y=1\nINFLUX_BUCKET=giv\n")
    assert dict(found["influx"]) == {"url": "http://h:8086/x", "bucket": "giv", "naming": "givtcp"}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("MQTT_ADDRESS=my broker", "MQTT_ADDRESS is no address"),
        ("MQTT_PORT=99999", "MQTT_PORT is no port; the last is 65535"),
        ("MQTT_TOPIC=Giv#", "MQTT_TOPIC is no topic"),
        ("INFLUX_OUTPUT=1\nINFLUX_URL=ftp://hunter2", "INFLUX_URL is no address"),
        ("INFLUX_OUTPUT=1\nINFLUX_URL=http://hunter2:99999", "INFLUX_URL is no address"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_key_and_never_quoted(line: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        from_givtcp(ADDRESS + line)
    assert "hunter2" not in str(refused.value)
