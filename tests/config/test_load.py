"""A configuration is right to the last key, or every complaint names file, line and remedy."""

from pathlib import Path

import pytest

from ohmstead.cli.init import configuration
from ohmstead.clock import SystemClock
from ohmstead.config import build
from ohmstead.config.catalogue import FAMILIES, PRICE_SOURCES, STRATEGIES
from ohmstead.config.load import load
from ohmstead.config.schema import json_schema
from ohmstead.config.settings import Settings
from ohmstead.control.price_threshold import PriceThreshold
from ohmstead.control.rule import Rule
from ohmstead.devices.givenergy.settings import GivEnergySettings
from ohmstead.devices.luxpower.driver import LuxPowerDriver
from ohmstead.errors import ConfigError
from ohmstead.model import Calibration
from ohmstead.prices.octopus import OctopusSource

WHOLE = """\
site:
  name: home
  timezone: Europe/London
  location: {latitude: 51.48, longitude: -0.01}
  grid: {import_limit_w: 18000, export_limit_w: 5000}
devices:
  - name: inverter
    family: luxpower
    host: 192.168.1.20
    datalog: 2222222222
    serial: "5555555555"
    poll_s: 5
prices:
  import: {source: octopus, tariff: E-1R-AGILE-24-10-01-C}
  export: {source: fixed, price_per_kwh: 0.15}
control:
  - price_threshold: {at_most_per_kwh: 0.05}
  - limits: {min_soc_pct: 10}
  - rule:
      when: "price.import < 0.05 && battery.soc < 90"
      do: {charge: {power_w: 3000, until_soc: 90}}
  - self_consumption:
web: {listen: 127.0.0.1:8080, token: !secret web}
"""


def loaded(folder: Path, text: str, **environment: str) -> Settings:
    path = folder / "ohmstead.yaml"
    path.write_text(text)
    return load(path, environment)


def complaint(folder: Path, text: str, **environment: str) -> str:
    with pytest.raises(ConfigError) as told:
        loaded(folder, text, **environment)
    return str(told.value)


class TestAWholeHouse:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        (tmp_path / "secrets.yaml").write_text("web: hush\n")
        return loaded(tmp_path, WHOLE)

    def test_every_part_is_what_it_says(self, settings: Settings) -> None:
        assert settings.site.grid.import_limit_w == 18_000
        assert [device.poll_s for device in settings.devices] == [5]
        assert settings.control[0].settings == PriceThreshold(at_most_per_kwh=0.05)
        assert isinstance(settings.control[2].settings, Rule)
        assert settings.web.token == "hush"
        assert settings.data_dir.name == "var"

    def test_serials_may_be_written_as_numbers(self, settings: Settings) -> None:
        ((driver, poll_s),) = build.devices(settings, SystemClock())
        assert isinstance(driver, LuxPowerDriver)
        assert (driver.name, poll_s) == ("inverter", 5)
        assert driver._settings.datalog == "2222222222"

    def test_limits_and_requests_come_before_all(self, settings: Settings) -> None:
        names = [name for name, _ in build.strategies(settings)]
        assert names == [
            "grid",
            "limits",
            "requests",
            "price_threshold",
            "rule",
            "self_consumption",
        ]

    def test_price_sources_are_made(self, settings: Settings) -> None:
        buy, sell = build.prices(settings)
        assert isinstance(buy, OctopusSource)
        assert sell is not None

    def test_secrets_are_not_shown(self, settings: Settings) -> None:
        assert "hush" not in repr(settings)


def test_an_empty_file_is_a_house_without_anything(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    assert settings.devices == ()
    assert build.prices(settings) == (None, None)
    assert [name for name, _ in build.strategies(settings)] == ["requests"]


def test_what_init_writes_is_a_configuration(tmp_path: Path) -> None:
    answers = {
        "name": "home", "timezone": "Europe/London", "host": "192.168.1.20",
        "datalog": "BA12345678",
        "serial": "1234567890", "tariff": "E-1R-AGILE-24-10-01-C", "threshold": 0.05,
    }  # fmt: skip
    settings = loaded(tmp_path, configuration(**answers))
    assert [entry.strategy for entry in settings.control] == [
        "limits", "price_threshold", "self_consumption", "keep_clock",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "sites: {}", "ohmstead.yaml:1: unknown key 'sites'; did you mean 'site'?", id="key"
        ),
        pytest.param(
            "site:\n  name: home\n  timezne: Europe/London",
            "ohmstead.yaml:3: site: unknown key 'timezne'",
            id="key inside",
        ),
        pytest.param(
            "control:\n  - price_threshold: {at_mots_per_kwh: 0.05}",
            "ohmstead.yaml:2: control[0].price_threshold: unknown key 'at_mots_per_kwh'; "
            "did you mean 'at_most_per_kwh'?",
            id="key of a strategy",
        ),
        pytest.param(
            "control:\n  - price_threshold: {}",
            "ohmstead.yaml:2: control[0].price_threshold.at_most_per_kwh: is missing",
            id="missing",
        ),
        pytest.param("site: {timezone: Mars}", "'Mars' is no time zone", id="zone"),
        pytest.param("site: {name: My House}", "site.name", id="name"),
        pytest.param(
            "control:\n  - price_treshold: {}",
            "ohmstead.yaml:2: control[0]: unknown strategy 'price_treshold'; "
            "did you mean 'price_threshold'?",
            id="strategy",
        ),
        pytest.param("control: [{a: 1, b: 2}]", "say one strategy here", id="two strategies"),
        pytest.param(
            "devices:\n  - {name: x, family: toaster}",
            "ohmstead.yaml:2: devices[0].family: unknown device family 'toaster'",
            id="family",
        ),
        pytest.param(
            "devices: [{name: x}]", "devices[0].family: is missing; there is", id="no family"
        ),
        pytest.param(
            "devices: [{family: luxpower, host: a, datalog: b, serial: c}]",
            "a device needs a name",
            id="no device name",
        ),
        pytest.param(
            "devices: [{name: x, family: luxpower, host: a, datalog: BA12345678, serial: c}]",
            "serial is 10 characters long",
            id="serial",
        ),
        pytest.param(
            "devices:\n"
            "- {name: x, family: luxpower, host: a, datalog: BA12345678, serial: BA12345678}\n"
            "- {name: x, family: luxpower, host: b, datalog: BA12345678, serial: BA12345678}",
            "ohmstead.yaml:3: devices[1].name: there is another device x",
            id="two of one name",
        ),
        pytest.param(
            "devices: [{name: x, poll_s: 0}]", "poll_s: is a number of seconds", id="poll"
        ),
        pytest.param(
            "prices: {import: {source: octopus}}", "say a tariff, or an account", id="tariff"
        ),
        pytest.param("prices: {import: {}}", "prices.import.source: is missing", id="no source"),
        pytest.param(
            "control:\n- rule: {when: 'price.imprt < 1', do: {charge: {}}}",
            "imprt",
            id="expression",
        ),
        pytest.param("control: [{rule: {when: 'true', do: {}}}]", "exactly one of", id="no mode"),
        pytest.param("outputs: [{mqtt: {}}]", "outputs[0].mqtt.host: is missing", id="outputs"),
        pytest.param("outputs: [{mqtt: {host: a}, influx: {}}]", "say one output", id="two"),
        pytest.param(
            "outputs: [{mqqt: {}}]", "unknown output 'mqqt'; did you mean 'mqtt'", id="typo"
        ),
        pytest.param(
            "outputs: [{mqtt: {host: a, home_assistant: {form: both}}}]",
            "outputs[0].mqtt.home_assistant.form: should be 'device' or 'component'",
            id="in a part that may be true",
        ),
        pytest.param(
            "outputs: [{mqtt: {host: a, tls: {CA: x}}}]", "mqtt.tls: unknown key 'CA'", id="CA"
        ),
        pytest.param("devices: [{name: request, family: luxpower}]", "name of a topic", id="taken"),
        pytest.param("web: {listen: '0.0.0.0:8080'}", "set web.password", id="open door"),
        pytest.param("web: {listen: 'somewhere'}", "listen needs a port", id="no port"),
        pytest.param("site: [", "ohmstead.yaml:1:", id="not yaml"),
        pytest.param("site:\n\tname: x", "indent with spaces, not tabs", id="tab"),
        pytest.param("site: {}\nsite: {}", "two keys of one name", id="twice"),
        pytest.param("- a\n- b", "not a list of keys and values", id="a list"),
        pytest.param(
            "web: {token: !secret web}", "no secret web; put `web: …` into", id="no secret"
        ),
        pytest.param(
            "control: [{limits: {}}, {follow_plan: {carbon_per_kg: 0.1}}]",
            "control[1].follow_plan.carbon_per_kg: needs to know what power weighs",
            id="no carbon",
        ),
        pytest.param("web: {token: !env web}", "unknown tag !env", id="tag"),
        pytest.param(
            "journal: {writes_per_point_per_day: 0}", "greater than or equal to 1", id="range"
        ),
        pytest.param(
            "site: {location: {latitude: 91, longitude: 0}}", "site.location.latitude", id="pole"
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    assert says in complaint(tmp_path, text)


def test_several_complaints_come_together(tmp_path: Path) -> None:
    said = complaint(tmp_path, "outputs: [{a: 1}]\ncontrol: [{nonsense: {}}]\nprices: {import: {}}")
    assert len(said.splitlines()) == 3


def test_a_missing_file_names_the_way_to_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ohmstead init"):
        load(tmp_path / "nowhere.yaml", {})


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"cannot be read|not YAML"):
        load(tmp_path / "x.yaml", {})


class TestEnvironment:
    def test_it_overrides_any_key(self, tmp_path: Path) -> None:
        settings = loaded(
            tmp_path,
            WHOLE.replace("!secret web", "x"),
            OHMSTEAD__SITE__NAME="cabin",
            OHMSTEAD__DEVICES__0__POLL_S="7",
            OHMSTEAD__JOURNAL__WRITES_PER_POINT_PER_DAY="5",
            OHMSTEAD__DATA_DIR="/somewhere",
        )
        assert settings.site.name == "cabin"
        assert settings.devices[0].poll_s == 7
        assert settings.journal.writes_per_point_per_day == 5
        assert settings.data_dir == Path("/somewhere")

    def test_its_mistakes_are_told_by_its_name(self, tmp_path: Path) -> None:
        said = complaint(tmp_path, "", OHMSTEAD__SITE__NAME="MY HOUSE")
        assert said.startswith("OHMSTEAD__SITE__NAME in the environment: site.name")

    @pytest.mark.parametrize("name", ["OHMSTEAD__DEVICES__9__HOST", "OHMSTEAD__SITE__NAME__X"])
    def test_a_place_that_is_not_there_is_told(self, tmp_path: Path, name: str) -> None:
        text = "devices: []\nsite: {name: home}"
        assert f"{name} in the environment names no place" in complaint(
            tmp_path, text, **{name: "x"}
        )

    def test_a_secret_may_come_from_it(self, tmp_path: Path) -> None:
        settings = loaded(tmp_path, "web: {token: !secret web}", OHMSTEAD_SECRET_WEB="hush")
        assert settings.web.token == "hush"


class TestCatalogue:
    def test_everything_it_names_is_there(self) -> None:
        schema = json_schema()
        assert schema["$schema"].endswith("2020-12/schema")
        for family in FAMILIES:
            assert f"device.{family}" in schema["$defs"]
        for name in STRATEGIES:
            assert schema["$defs"][f"control.{name}"]["additionalProperties"] is False
        for name in PRICE_SOURCES:
            assert schema["$defs"][f"price.{name}"]["properties"]["source"] == {"const": name}

    def test_every_key_of_a_strategy_is_described(self) -> None:
        definitions = json_schema()["$defs"]
        dark = [
            f"{name}.{key}"
            for name, part in definitions.items()
            if name.startswith("control.")
            for key, about in part.get("properties", {}).items()
            if "description" not in about and "$ref" not in about
        ]
        assert dark == []


def test_a_part_that_may_be_true_is_complained_of_once(tmp_path: Path) -> None:
    said = complaint(tmp_path, "outputs: [{mqtt: {host: a, home_assistant: {form: both}}}]")
    assert len(said.splitlines()) == 1


def test_outputs_are_built_with_a_name_and_a_folder_each(tmp_path: Path) -> None:
    path = tmp_path / "ohmstead.yaml"
    path.write_text("outputs: [{mqtt: {host: one}}, {mqtt: {host: two, home_assistant: true}}]")
    settings = load(path)
    assert [entry.output for entry in settings.outputs] == ["mqtt", "mqtt"]
    assert [name for name, _ in build.outputs(settings, SystemClock())] == ["mqtt", "mqtt-2"]


CALIBRATED = """\
devices:
  - {name: inverter, family: givenergy, host: 192.168.1.20, calibration: CALIBRATION}
"""


def test_what_an_inverter_delivers_may_be_measured(tmp_path: Path) -> None:
    measured = "{charge_offset_w: 180, discharge_scale: 1.05}"
    settings = loaded(tmp_path, CALIBRATED.replace("CALIBRATION", measured))
    said = settings.devices[0].settings
    assert isinstance(said, GivEnergySettings)
    assert said.calibration == Calibration(charge_offset_w=180, discharge_scale=1.05)


def test_a_slip_in_a_calibration_is_told_with_its_place(tmp_path: Path) -> None:
    said = complaint(tmp_path, CALIBRATED.replace("CALIBRATION", "{charge_ofset_w: 180}"))
    assert "ohmstead.yaml:2" in said
    assert "calibration: unknown key 'charge_ofset_w'" in said
