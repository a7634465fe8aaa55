"""A container's first start: what GivTCP's variables become, and what is never touched."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ohmstead.config.environment import adopt_environment
from ohmstead.config.load import load
from ohmstead.errors import ConfigError

ENVIRONMENT = {
    "PATH": "/usr/bin",
    "HOME": "/",
    "TZ": "Europe/Dublin",
    "INVERTOR_IP": "192.168.1.20",
    "MQTT_ADDRESS": "192.168.1.5",
    "MQTT_USERNAME": "me",
    "MQTT_PASSWORD": 'hunt"er: 2 #\\ %',
    "INFLUX_OUTPUT": "True",
    "INFLUX_URL": "http://192.168.1.6:8086",
    "INFLUX_BUCKET": "giv",
    "INFLUX_TOKEN": "letmein==",
    "GEAPI": "cloud-key",
}
ANYWHERE = "0.0.0.0:8080"
NOBODY = 65_534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ohmstead.yaml"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def secrets_of(path: Path) -> str:
    return path.with_name("secrets.yaml").read_text()


def test_the_file_is_one_that_the_service_takes(path: Path) -> None:
    adopt_environment(path, ENVIRONMENT)
    settings = load(path, ENVIRONMENT)
    assert settings.site.timezone == "Europe/Dublin"
    assert [device.family for device in settings.devices] == ["givenergy"]
    mqtt, givtcp, influx = (entry.settings for entry in settings.outputs)
    assert vars_of(mqtt, "host", "username", "password") == [
        "192.168.1.5", "me", ENVIRONMENT["MQTT_PASSWORD"],
    ]  # fmt: skip
    assert vars_of(givtcp, "listen") == ["0.0.0.0:6345"]
    assert vars_of(influx, "token", "naming") == ["letmein==", "givtcp"]
    assert settings.web.listen == ANYWHERE
    assert len(settings.web.password or "") >= 12


def vars_of(settings: object, *names: str) -> list[object]:
    return [getattr(settings, name) for name in names]


def test_secrets_are_in_a_file_of_their_own_for_one_reader(path: Path) -> None:
    said = "\n".join(adopt_environment(path, ENVIRONMENT))
    assert mode(path) == mode(path.with_name("secrets.yaml")) == 0o600
    password = re.search(r'web: "(.+)"', secrets_of(path))
    assert password is not None
    for secret in ("hunt", "letmein", "cloud-key", password[1]):
        assert secret not in path.read_text() + said
    assert {file.name for file in path.parent.iterdir()} == {"ohmstead.yaml", "secrets.yaml"}


def test_it_says_what_it_did_and_what_has_no_counterpart(path: Path) -> None:
    first, *notes = adopt_environment(path, ENVIRONMENT)
    assert first.startswith(f"wrote {path} from GivTCP's environment variables")
    assert any("GEAPI: the planner comes" in note for note in notes)
    assert any("the page asks for a password: it is `web`" in note for note in notes)
    assert not any("put it as" in note or "PATH" in note for note in notes)


def test_every_page_gets_a_password_of_its_own(tmp_path: Path) -> None:
    texts = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        adopt_environment(tmp_path / name / "ohmstead.yaml", {"INVERTOR_IP": "1.2.3.4"})
        texts.add((tmp_path / name / "secrets.yaml").read_text())
    assert len(texts) == 2


@pytest.mark.parametrize("text", ["", "web: {}\n", "not YAML: ["])
def test_a_file_that_is_there_stays_and_nothing_is_said(path: Path, text: str) -> None:
    path.write_text(text)
    assert adopt_environment(path, ENVIRONMENT) == ()
    assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("ending", ["", "\n"], ids=["no newline at the end", "a newline"])
def test_secrets_that_are_there_stay_and_the_missing_follow(path: Path, ending: str) -> None:
    mine = path.with_name("secrets.yaml")
    mine.write_text(f"# mine\nmqtt_password: already{ending}")
    mine.chmod(0o640)
    adopt_environment(path, ENVIRONMENT)
    assert secrets_of(path).startswith("# mine\nmqtt_password: already\ninflux_token: ")
    assert mode(mine) == 0o640
    mqtt = load(path, ENVIRONMENT).outputs[0].settings
    assert vars_of(mqtt, "password") == ["already"]


@pytest.mark.parametrize("name", ["OHMSTEAD__WEB__PASSWORD", "OHMSTEAD__WEB__TOKEN"])
def test_a_password_of_the_page_in_the_environment_needs_none_in_the_file(
    path: Path, name: str
) -> None:
    environment = ENVIRONMENT | {name: "from outside"}
    adopt_environment(path, environment)
    assert "web" not in secrets_of(path)
    web = load(path, environment).web
    assert "from outside" in {web.password, web.token}


def test_a_secret_in_the_environment_is_written_nowhere(path: Path) -> None:
    environment = {"INVERTOR_IP": "1.2.3.4", "OHMSTEAD_SECRET_WEB": "from outside"}
    adopt_environment(path, environment)
    assert secrets_of(path) == ""
    assert load(path, environment).web.password == "from outside"


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "GivTCP's INVERTOR_IP is not set"),
        ({"TZ": "Europe/London", "NUMINVERTORS": "1"}, "GivTCP's INVERTOR_IP is not set"),
        ({"INVERTOR_IP": " "}, "GivTCP's INVERTOR_IP is not set"),
        ({"INVERTOR_IP": "1.2.3.4", "TZ": "Europe/Lundun"}, "environment: TZ is no time zone"),
        ({"INVERTOR_IP": "1.2.3.4", "OHMSTEAD__WEP__X": "1"}, "nothing was written: .*'WEP'|wep"),
    ],
    ids=["nothing", "no inverter", "an empty address", "a wrong value", "a wrong key of ours"],
)
def test_what_cannot_be_used_is_told_and_nothing_written(
    path: Path, environment: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        adopt_environment(path, environment)
    assert list(path.parent.iterdir()) == []


def test_on_an_error_secrets_that_are_there_are_as_before(path: Path) -> None:
    mine = path.with_name("secrets.yaml")
    mine.write_text("mine: 1\n")
    with pytest.raises(ConfigError):
        adopt_environment(path, ENVIRONMENT | {"OHMSTEAD__WEP__X": "1"})
    assert mine.read_text() == "mine: 1\n"
    assert list(path.parent.iterdir()) == [mine]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"a: [", "not YAML"), (b"- a\n", "names and values"), (b"a: \xe9\n", "cannot be|can be")],
    ids=["not YAML", "a list", "another encoding"],
)
def test_secrets_that_cannot_be_read_are_told(path: Path, content: bytes, says: str) -> None:
    mine = path.with_name("secrets.yaml")
    mine.write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        adopt_environment(path, ENVIRONMENT)
    assert mine.read_bytes() == content
    assert not path.exists()


@contextmanager
def as_one_who_may_not_write() -> Iterator[Path]:
    """Yield a folder that may be looked into and not written to: by root neither, who is nobody."""
    is_root = os.geteuid() == 0
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        try:
            if is_root:
                os.seteuid(NOBODY)
        except OSError as exc:
            pytest.skip(f"root cannot be anybody else here: {exc}")
        try:
            yield Path(folder)
        finally:
            if is_root:
                os.seteuid(0)
            Path(folder).chmod(0o755)


def test_a_folder_that_is_not_ours_is_told_with_the_remedy() -> None:
    with (
        as_one_who_may_not_write() as folder,
        pytest.raises(ConfigError, match=f"let user {os.getuid()} write there"),
    ):
        adopt_environment(folder / "ohmstead.yaml", ENVIRONMENT)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing can be written beside"):
        adopt_environment(tmp_path / "nowhere" / "ohmstead.yaml", ENVIRONMENT)
