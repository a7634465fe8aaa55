"""``ohmstead migrate``: what it prints, what it writes, and what it never writes over."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ohmstead.cli.migrate import command
from ohmstead.config.givtcp import from_givtcp
from ohmstead.config.octolux import from_octolux
from ohmstead.errors import ConfigError

INI = (
    "[lxp]\nhost=h\nserial=1234567890\ndatalog=BA12345678\n"
    "[octopus]\ntariff_code=E-1R-AGILE-18-02-21-C\n[mqtt]\nuri=mqtt://broker\n"
)


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    path = tmp_path / "config.ini"
    path.write_text(INI, encoding="utf-8")
    return path


def migrate(*arguments: object) -> Result:
    return CliRunner().invoke(command, ["octolux", *map(str, arguments)])


def refusal(*arguments: object) -> str:
    error = migrate(*arguments).exception
    assert isinstance(error, ConfigError)
    return str(error)


def test_the_screen_gets_the_file_and_stderr_the_notes(ini: Path) -> None:
    result = migrate(ini)
    assert result.stdout == from_octolux(INI).yaml
    assert result.stderr.splitlines() == [f"note: {note}" for note in from_octolux(INI).notes]


def test_a_file_is_written_once(ini: Path, tmp_path: Path) -> None:
    path = tmp_path / "ohmstead.yaml"
    assert f"wrote {path}; now: ohmstead check" in migrate(ini, "-o", path).stdout
    assert path.read_text(encoding="utf-8") == from_octolux(INI).yaml
    path.write_text("mine", encoding="utf-8")
    assert "is there already; choose another name" in refusal(ini, "-o", path)
    assert path.read_text(encoding="utf-8") == "mine"


def test_force_writes_over_it(ini: Path, tmp_path: Path) -> None:
    path = tmp_path / "ohmstead.yaml"
    path.write_text("mine", encoding="utf-8")
    assert migrate(ini, "-o", path, "--force").exit_code == 0
    assert path.read_text(encoding="utf-8") == from_octolux(INI).yaml


@pytest.mark.parametrize("to_file", [False, True], ids=["screen", "file"])
def test_a_program_gets_json_alone(ini: Path, tmp_path: Path, to_file: bool) -> None:
    path = tmp_path / "ohmstead.yaml"
    result = migrate(ini, "--json", *(("-o", path) if to_file else ()))
    migration = from_octolux(INI)
    assert json.loads(result.stdout) == {
        "yaml": migration.yaml,
        "notes": list(migration.notes),
        "written": str(path) if to_file else None,
    }
    assert result.stderr == ""
    assert path.exists() == to_file


def test_a_file_that_cannot_be_used_writes_nothing(ini: Path, tmp_path: Path) -> None:
    ini.write_text("[lxp]\n", encoding="utf-8")
    assert "[lxp] has no host" in refusal(ini, "-o", tmp_path / "o.yaml", "--force")
    assert list(tmp_path.iterdir()) == [ini]


def test_a_file_in_another_encoding_is_told(ini: Path) -> None:
    ini.write_bytes(b"[lxp]\nhost = \xe9\n")
    assert "is not UTF-8 text; save it as UTF-8" in refusal(ini)


def test_a_place_that_cannot_be_written_is_told(ini: Path, tmp_path: Path) -> None:
    assert "cannot be written" in refusal(ini, "-o", tmp_path / "nowhere" / "o.yaml")


def test_a_file_that_is_gone_is_misuse(tmp_path: Path) -> None:
    assert migrate(tmp_path / "config.ini").exit_code == 2


ENV = "INVERTOR_IP=192.168.1.20\nMQTT_USERNAME=me\nMQTT_PASSWORD=hunter2\nGEAPI=letmein\n"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    path = tmp_path / "givtcp.env"
    path.write_text(ENV, encoding="utf-8")
    return path


def test_givtcp_is_migrated_by_the_same_rules(env: Path, tmp_path: Path) -> None:
    path, migration = tmp_path / "ohmstead.yaml", from_givtcp(ENV)
    result = CliRunner().invoke(command, ["givtcp", str(env), "-o", str(path)])
    assert f"wrote {path}; now: ohmstead check -c {path}" in result.stdout
    assert path.read_text(encoding="utf-8") == migration.yaml
    assert result.stderr.splitlines() == [f"note: {note}" for note in migration.notes]
    again = CliRunner().invoke(command, ["givtcp", str(env), "-o", str(path)])
    assert "is there already" in str(again.exception)


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["words", "json"])
def test_no_secret_of_givtcp_is_shown(env: Path, options: tuple[str, ...]) -> None:
    result = CliRunner().invoke(command, ["givtcp", str(env), *options])
    assert "hunter2" not in result.output
    assert "letmein" not in result.output
    assert "mqtt_password" in result.output


def test_givtcp_without_a_file_is_misuse(tmp_path: Path) -> None:
    assert CliRunner().invoke(command, ["givtcp", str(tmp_path / "none.env")]).exit_code == 2


def test_a_givtcp_file_in_another_encoding_is_told(env: Path) -> None:
    env.write_bytes(b"TZ=\xe9\n")
    error = CliRunner().invoke(command, ["givtcp", str(env)]).exception
    assert isinstance(error, ConfigError)
    assert "is not UTF-8 text; save it as UTF-8" in str(error)
