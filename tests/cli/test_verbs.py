"""Every verb, as its user runs it, against simulated devices in processes of their own."""

import asyncio
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from houses import NOON
from ohmstead import app
from ohmstead import cli as command_line
from ohmstead.cli import VERBS, cli
from ohmstead.clock import ManualClock, SystemClock
from ohmstead.errors import ConfigError, DeviceUnreachable, JournalError


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run ohmstead with *arguments* until the block ends; it has said its first line."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-u", "-m", "ohmstead", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A configuration whose inverter and price server answer."""
    folder = tmp_path_factory.mktemp("house")
    device, prices, web = free_port(), free_port(), free_port()
    path = folder / "ohmstead.yaml"
    path.write_text(
        "devices:\n- {name: inverter, family: luxpower, host: 127.0.0.1, "
        f"port: {device}, datalog: 2222222222, serial: 5555555555, pause_s: 0}}\n"
        "prices:\n  import: {source: octopus, tariff: E-1R-AGILE-24-10-01-C, "
        f"url: 'http://127.0.0.1:{prices}'}}\n"
        "control:\n- price_threshold: {at_most_per_kwh: 2.0, power_w: 2000}\n"
        f"web: {{listen: '127.0.0.1:{web}', token: hush}}\n"
    )
    with (
        running("simulate", "luxpower", "--port", str(device)),
        running("simulate", "octopus", "--port", str(prices)),
    ):
        yield path


def run(verb: str, path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [verb, *arguments, "-c", str(path)])


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = CliRunner().invoke(cli, [verb, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: cli {verb}")


def test_the_list_of_verbs_is_whole() -> None:
    said = CliRunner().invoke(cli, ["--help"]).output
    assert all(f"  {verb} " in said for verb in VERBS)
    assert CliRunner().invoke(cli, ["dance"]).exit_code == 2


class TestWithoutAService:
    def test_check_reaches_everything(self, house: Path) -> None:
        result = run("check", house)
        assert result.exit_code == 0, result.output
        assert re.search(r"inverter: fine: \d+ values", result.output)
        assert "import prices: fine" in result.output
        assert json.loads(run("check", house, "--json").output)[0]["ok"] is True
        assert run("check", house, "--offline").output.count("\n") == 1

    def test_devices_and_their_values(self, house: Path) -> None:
        assert "luxpower" in run("devices", house).output
        assert json.loads(run("devices", house, "--json").output)[0]["name"] == "inverter"
        result = run("read", house, "inverter", "battery_soc_pct")
        assert result.exit_code == 0
        assert "battery_soc_pct" in result.output
        said = json.loads(run("read", house, "inverter", "ac_charge_enabled", "--json").output)
        assert list(said) == ["ac_charge_enabled"]

    def test_prices_are_drawn(self, house: Path) -> None:
        assert "█" in run("prices", house).output
        assert json.loads(run("prices", house, "--json").output)["import"]["slots"]

    def test_why_looks_and_commands_nothing(self, house: Path) -> None:
        result = run("why", house, "--journal", "5")
        assert result.output.startswith("charge: the price of")
        assert json.loads(run("why", house, "--json").output)["decision"]["strategy"]

    def test_a_setting_is_changed_and_journalled(self, house: Path) -> None:
        assert run("set", house, "inverter", "ac_charge_soc_limit_pct", "91").exit_code == 0
        result = run("set", house, "inverter", "ac_charge_soc_limit_pct", "92")
        assert result.exit_code == 0, result.output
        assert "91 -> 92" in result.output
        assert "91 -> 92" in run("why", house, "--journal", "5").output
        assert json.loads(
            run("set", house, "inverter", "ac_charge_soc_limit_pct", "92", "--json").output
        )

    def test_once_is_idempotent(self, house: Path) -> None:
        first = run("once", house)
        assert first.exit_code == 0, first.output
        assert "ac_charge_enabled off -> on" in first.output
        assert "already so" in run("once", house).output
        assert json.loads(run("once", house, "--json").stdout)["results"][0]["wrote"] == []

    def test_capture_is_redacted(self, house: Path, tmp_path: Path) -> None:
        port = re.search(r"port: (\d+)", house.read_text())
        assert port is not None
        arguments = ["capture", "127.0.0.1", "luxpower", "--port", port[1], "-o", str(tmp_path)]
        arguments += ["--option", "datalog=2222222222", "--option", "serial=5555555555"]
        result = CliRunner().invoke(cli, [*arguments, "--option", "pause_s=0"])
        assert result.exit_code == 0, result.output
        (folder,) = tmp_path.iterdir()
        assert json.loads((folder / "words.json").read_text())["model"] == "acs_3600"
        assert json.loads((folder / "display.json").read_text())["firmware"] == "BAAA"

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("read", "toaster"), "there is no device toaster; there is inverter"),
            (("read", "inverter", "warp"), "says nothing of warp"),
            (("set", "inverter", "ac_charge_soc_limit_pct", "190"), "outside 0 to 101"),
            (("set", "toaster", "x", "1"), "no device toaster"),
        ],
    )
    def test_what_cannot_be_done_is_told(
        self,
        house: Path,
        arguments: tuple[str, ...],
        says: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["ohmstead", *arguments, "-c", str(house)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        assert ended.value.code == 1
        assert says in capsys.readouterr().err


def test_with_a_service_verbs_go_through_it(house: Path) -> None:
    with running("run", "-c", str(house), "-v") as service:
        assert any(seen(run("devices", house, "--json")) for _ in range(100))
        assert run("read", house, "inverter", "battery_soc_pct").exit_code == 0
        said = run("set", house, "inverter", "ac_first_slot_1_start", "03:00")
        assert said.exit_code == 0, said.output + str(said.exception)
        assert "ac_first_slot_1_start is 03:00" in said.output
        assert (
            "already so" in run("set", house, "inverter", "ac_first_slot_1_start", "03:00").output
        )
        assert run("why", house, "--journal", "3").output.startswith("charge: ")
        assert "█" in run("prices", house).output
        refused = run("set", house, "inverter", "ac_charge_soc_limit_pct", "190")
        assert "outside 0 to 101" in str(refused.exception)
        again = run("once", house)
        assert isinstance(again.exception, JournalError)
        assert "another Ohmstead drives this house" in str(again.exception)
        assert service.poll() is None


def seen(result: Result) -> bool:
    return result.exit_code == 0 and bool(json.loads(result.output)[0]["values"])


def test_a_dead_inverter_is_told_by_every_verb(tmp_path: Path) -> None:
    (tmp_path / "o.yaml").write_text(
        "devices: [{name: inverter, family: luxpower, host: 127.0.0.1, port: 9, "
        "datalog: 2222222222, serial: 5555555555, reply_s: 0.2, pause_s: 0}]\n"
        "control: [{self_consumption: {}}]\nweb: {enabled: false}\n"
    )
    for verb, arguments in (("check", ()), ("once", ()), ("read", ("inverter",))):
        result = run(verb, tmp_path / "o.yaml", *arguments)
        assert result.exit_code == 1, (verb, result.output)
        assert "inverter" in result.output + result.stderr
    assert isinstance(run("prices", tmp_path / "o.yaml").exception, Exception)


class TestInitAndMigrate:
    ANSWERS = ("--datalog", "BA12345678", "--serial", "1234567890", "--name", "home", "--timezone",
               "Europe/London", "--host", "h", "--tariff", "E-1R-AGILE-24-10-01-C",
               "--threshold", "0.1")  # fmt: skip

    def test_init_writes_once(self, tmp_path: Path) -> None:
        path = tmp_path / "o.yaml"
        arguments = ["init", "-o", str(path), *self.ANSWERS]
        assert CliRunner().invoke(cli, arguments).exit_code == 0
        assert run("check", path, "--offline").exit_code == 0
        again = CliRunner().invoke(cli, arguments)
        assert "is there already" in str(again.exception)

    def test_init_refuses_an_answer_that_cannot_be(self, tmp_path: Path) -> None:
        arguments = ["init", "-o", str(tmp_path / "o.yaml"), *self.ANSWERS, "--timezone", "Mars"]
        assert "no time zone" in str(CliRunner().invoke(cli, arguments).exception)
        assert list(tmp_path.iterdir()) == []

    def test_migrate_octolux(self, tmp_path: Path) -> None:
        ini, path = tmp_path / "config.ini", tmp_path / "o.yaml"
        ini.write_text(
            "[lxp]\nhost=h\nserial=1234567890\ndatalog=BA12345678\n"
            "[octopus]\ntariff_code=E-1R-AGILE-18-02-21-C\n"
        )
        assert "price_threshold" in CliRunner().invoke(cli, ["migrate", "octolux", str(ini)]).output
        arguments = ["migrate", "octolux", str(ini), "-o", str(path)]
        assert CliRunner().invoke(cli, arguments).exit_code == 0
        assert run("check", path, "--offline").exit_code == 0
        assert "is there already" in str(CliRunner().invoke(cli, arguments).exception)

    def test_the_schema_is_json(self) -> None:
        assert json.loads(CliRunner().invoke(cli, ["schema"]).output)["title"] == "ohmstead.yaml"


class TestSimulateAndCapture:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (("simulate", "luxpower", "--fault", "x"), "no fault x; there is silent"),
            (("simulate", "luxpower", "--model", "x"), "no model x; there is acs_3600"),
            (("capture", "h", "luxpower"), "datalog"),
            (("capture", "h", "luxpower", "--option", "x"), "is not KEY=VALUE"),
        ],
    )
    def test_what_cannot_be_is_told(self, arguments: tuple[str, ...], says: str) -> None:
        assert says in str(CliRunner().invoke(cli, arguments).exception)

    def test_a_port_in_use_is_told(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            result = CliRunner().invoke(cli, ["simulate", "luxpower", "--port", port])
        assert "cannot listen" in str(result.exception)


class TestTheSupervisor:
    async def test_a_part_that_breaks_begins_again(self) -> None:
        clock, said = ManualClock(NOON), list[str]()
        troubles = [DeviceUnreachable("inverter", "gone"), ZeroDivisionError("a bug"), None]

        async def work() -> None:
            trouble = troubles.pop(0)
            if trouble is not None:
                raise trouble

        await app.supervise("part", work, said.append, clock)
        assert said == ["inverter: gone", "part: ZeroDivisionError('a bug'), a bug"]
        assert clock.now() > NOON

    async def test_a_configuration_error_ends_the_program(self) -> None:
        async def work() -> None:
            raise ConfigError("the port is taken")

        with pytest.raises(ConfigError):
            await app.supervise("web", work, print, SystemClock())

    async def test_a_part_that_ran_long_begins_again_soon(self) -> None:
        clock, runs = ManualClock(NOON), list[float]()

        async def work() -> None:
            runs.append(clock.monotonic())
            if len(runs) < 12:
                clock.move(400)
                raise DeviceUnreachable("inverter", "gone")

        await app.supervise("part", work, print, clock)
        assert runs[-1] == 11 * 401

    def test_a_folder_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        plan = app.Plan(timezone=NOON.tzinfo, devices=[], strategies=[], data_dir=tmp_path / "file")  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="cannot be used"):
            asyncio.run(app.once(plan, SystemClock()))
