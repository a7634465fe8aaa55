"""GivTCP's settings are found in four kinds of file; another file is refused in one sentence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ohmstead.config.givtcp import from_givtcp
from ohmstead.config.givtcp_file import ELSEWHERE, read_givtcp
from ohmstead.errors import ConfigError


def settings(text: str) -> dict[str, str]:
    (part,) = read_givtcp(text, "f")
    return dict(part.settings)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=value", "value"),
        ("  export KEY = value ", "value"),
        ("KEY='a # b' # c", "a # b"),
        ('KEY="a \\"b\\" \\\\"', 'a "b" \\'),
        ("KEY=a#b # c", "a#b"),
        ("KEY=a=b", "a=b"),
        ("KEY=", ""),
        ("KEY= # nothing", ""),
        ("KEY=''", ""),
        ("KEY=it's", "it's"),
        ("KEY=1\nKEY=2", "2"),
        ("KEY=1\r\n# a comment\r\n\r\n", "1"),
        ("A=1\nKEY", ELSEWHERE),
        ("A=1\nexport KEY", ELSEWHERE),
    ],
)
def test_a_line_of_an_env_file_is_a_key_and_its_value(line: str, value: str) -> None:
    assert settings(line)["KEY"] == value


@pytest.mark.parametrize(
    "environment",
    [
        "[INVERTOR_IP=1.2.3.4, EMPTY=, SHELL, A=x=y, DOLLAR=a$$b, 'MAYBE=${X:-1}', 'IS=${X}']",
        "{INVERTOR_IP: 1.2.3.4, EMPTY: '', SHELL: , A: x=y, DOLLAR: a$$b, MAYBE: '${X-1}', IS: $X}",
    ],
    ids=["list", "mapping"],
)
def test_an_environment_is_what_compose_makes_of_it(environment: str) -> None:
    found = settings(f"services: {{one: {{environment: {environment}}}, two: {{image: x}}}}")
    assert found == {
        "INVERTOR_IP": "1.2.3.4",
        "EMPTY": "",
        "SHELL": ELSEWHERE,
        "A": "x=y",
        "DOLLAR": "a$b",
        "MAYBE": "1",
        "IS": ELSEWHERE,
    }


def test_values_of_yaml_are_what_an_env_file_would_say() -> None:
    found = settings("START: 05:30\nRATE: 0.35\nON: true\nNONE: ~\nIP: 10.0.0.1\nPW: !secret x\n")
    assert found == {
        "START": "05:30",
        "RATE": "0.35",
        "ON": "True",
        "NONE": "",
        "IP": "10.0.0.1",
        "PW": ELSEWHERE,
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "f: there is nothing in it", id="empty"),
        pytest.param("# only\n\n# comments\n", "f: there is nothing in it", id="comments"),
        pytest.param("A=1\nhunter2 is it\n", "f:2: this is not a KEY=VALUE line", id="no env"),
        pytest.param('{\n"a": 1,\n"p": hunter2}', "f:3: this is not JSON", id="broken JSON"),
        pytest.param("[1]", "f: the file is not made of keys and values", id="JSON list"),
        pytest.param("[" * 100_000, "f: this is not JSON", id="deep JSON"),
        pytest.param("- a: 1\n", "f: the file is not made of keys and values", id="YAML list"),
        pytest.param("hunter2", "f: the file is not made of keys and values", id="a word"),
        pytest.param("a: 1\n\tb: hunter2\n", "f:2: this is not YAML", id="tab"),
        pytest.param("a: '1\nb: hunter2\n", "f:", id="open quote"),
        pytest.param(
            "A: 1\nP: hunter2\nP: hunter2\n", "f:3: a key stands here twice", id="key twice"
        ),
        pytest.param(
            "services: {a: {environment: hunter2}}",
            "f: services.a.environment is neither a list nor",
            id="environment a word",
        ),
        pytest.param(
            "services: {a: {image: x/giv_tcp, env_file: .env}, b: {environment: [A=1]}, c: 1}",
            "f: no service has GivTCP's environment in it; if that is in an env_file",
            id="env_file",
        ),
        pytest.param("site: {name: home}\n", "f: no key of GivTCP's is in it", id="our own file"),
        pytest.param("!!set x", "f: this is not YAML", id="strange tag"),
        pytest.param("? : ? null|\n", "f: this is not YAML", id="strange key"),
        pytest.param("a: \x00", "f: this is not YAML", id="no text"),
    ],
)
def test_a_file_that_is_none_of_them_is_told(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        from_givtcp(text, "f")
    assert str(told.value).startswith(says)
    assert "hunter2" not in str(told.value)
    assert "\n" not in str(told.value)


KEYS = st.sampled_from(
    ["INVERTOR_IP", "invertorIP_2", "DAYRATE", "MQTT_USERNAME", "TZ", "services", "environment"]
)
LINES = st.builds("{}{}{}".format, KEYS, st.sampled_from(["=", ": ", ":\n  "]), st.text())
TEXTS = st.lists(LINES | st.text(max_size=9)).map("\n".join)


@given(st.text() | TEXTS | TEXTS.map(lambda text: "services:\n  environment:\n" + text))
def test_any_text_is_migrated_or_refused(text: str) -> None:
    try:
        migration = from_givtcp(text)
    except ConfigError:
        return
    assert migration.yaml.startswith("#")


@given(st.text())
def test_a_value_cannot_become_yaml_of_its_own(value: str) -> None:
    given = {"INVERTOR_IP": "1.2.3.4", "MQTT_USERNAME": value, "MQTT_PASSWORD": "x"}
    lines = from_givtcp(json.dumps(given)).yaml.splitlines()
    assert lines[-2].startswith("  - mqtt: {host: embedded, ")
    assert len(lines) == len(from_givtcp('{"INVERTOR_IP": "1.2.3.4"}').yaml.splitlines())
    name = value.strip()
    if name and name.isprintable():  # control characters are left out of the file
        (mqtt,) = YAML().load(lines[-2])
        assert mqtt["mqtt"]["username"] == name
