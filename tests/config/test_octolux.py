"""octolux's configuration becomes ours, and what cannot be carried over is told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.config.load import load
from ohmstead.config.octolux import from_octolux
from ohmstead.config.settings import Settings
from ohmstead.control.cheapest_slots import CheapestSlots
from ohmstead.control.price_threshold import PriceThreshold
from ohmstead.devices.luxpower.settings import LuxPowerSettings
from ohmstead.errors import ConfigError
from ohmstead.prices.octopus import OctopusSettings

INI = """\
[lxp]
host = 192.168.1.20
port = 4346
serial = 0252016062
datalog = BA12345678
batteries = 4

# the last letter is the region
[octopus]
product_code = AGILE-18-02-21
tariff_code = E-1R-AGILE-18-02-21-C

[server]
listen_host = 0.0.0.0
port = 4346

[mqtt]
uri = mqtt://me:hunter2@broker

[rules]
required_soc = 80
cheap_charge = 2.5
my_own = 3
"""

YAML = """\
# From octolux's "config.ini". Look at it with `ohmstead check`.
site: {name: home, timezone: Europe/London}
devices:
  - name: inverter
    family: luxpower
    host: "192.168.1.20"
    port: 4346
    datalog: "BA12345678"   # quoted: a serial number may begin with 0
    serial: "0252016062"
prices:
  import: {source: octopus, tariff: "E-1R-AGILE-18-02-21-C"}
control:
  - cheapest_slots:
      required_soc_pct: 80
      emergency_soc_pct: 50
      cheap_per_kwh: 0.025   # pounds, where octolux had pence
      min_discharge_per_kwh: 0.03
      batteries: 4
      old_behaviour: true   # decides exactly as octolux did; false mends its mistakes
"""

NO_RULES = INI.partition("[server]")[0]


def loaded(folder: Path, ini: str) -> Settings:
    """Return what the service makes of the file that *ini* becomes."""
    path = folder / "ohmstead.yaml"
    path.write_text(from_octolux(ini).yaml, encoding="utf-8")
    return load(path, {})


def test_the_file_is_this_one() -> None:
    assert from_octolux(INI).yaml == YAML


def test_the_service_takes_it_as_it_was_meant(tmp_path: Path) -> None:
    settings = loaded(tmp_path, INI)
    assert settings.control[0].settings == CheapestSlots(
        required_soc_pct=80,
        emergency_soc_pct=50,
        cheap_per_kwh=0.025,
        min_discharge_per_kwh=0.03,
        batteries=4,
        old_behaviour=True,
    )
    assert settings.devices[0].name == "inverter"
    assert settings.devices[0].settings == LuxPowerSettings(
        host="192.168.1.20", port=4346, datalog="BA12345678", serial="0252016062"
    )
    assert settings.buy is not None
    assert settings.buy.settings == OctopusSettings(tariff="E-1R-AGILE-18-02-21-C")


def test_without_rules_it_is_the_first_rule(tmp_path: Path) -> None:
    settings = loaded(tmp_path, NO_RULES)
    assert settings.control[0].settings == PriceThreshold(at_most_per_kwh=0.05)
    assert "octolux's first rule" in from_octolux(NO_RULES).notes[0]


def test_what_has_no_counterpart_is_told_by_its_key() -> None:
    notes = from_octolux(INI).notes
    assert [note.partition(":")[0] for note in notes] == [
        "rules.rb",
        "[octopus] product_code",
        "[server] listen_host, port",
        "[mqtt] uri",
        "[rules] my_own",
    ]
    assert "docs/strategies.md" in notes[0]


def test_a_second_inverter_is_told_and_not_driven(tmp_path: Path) -> None:
    ini = INI.replace("batteries", "host_slave = 192.168.1.21\nbatteries")
    assert len(loaded(tmp_path, ini).devices) == 1
    assert any("drove the first inverter only" in note for note in from_octolux(ini).notes)


def test_an_empty_section_is_nothing_to_tell() -> None:
    commented_out = INI.replace("uri =", "# uri =")
    assert not any("[mqtt]" in note for note in from_octolux(commented_out).notes)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        pytest.param("host = 192.168.1.20", "host = 192.168.1.20 ; in the loft", id="comment"),
        pytest.param("port = 4346\nserial", '  port = "4346"\nserial', id="indented and quoted"),
        pytest.param("port = 4346\nserial", "port = 1\nport = 4346\nserial", id="last one counts"),
        pytest.param("[lxp]", "\ufeff[lxp]", id="byte order mark"),
        pytest.param("\n", "\r\n", id="Windows lines"),
        pytest.param("[rules]", "[DEFAULT]\nport = 9\n[rules]\nemergency_soc =", id="no defaults"),
    ],
)
def test_what_octolux_could_read_is_read(written: str, instead: str) -> None:
    assert written in INI
    assert from_octolux(INI.replace(written, instead)).yaml == YAML


def test_a_value_cannot_become_yaml_of_its_own(tmp_path: Path) -> None:
    host = "x, read_only: true} # \\"
    ini = INI.replace("192.168.1.20", host.replace("#", "'"))
    settings = loaded(tmp_path, ini).devices[0].settings
    assert isinstance(settings, LuxPowerSettings)
    assert settings.host == host.replace("#", "'")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("host = 1", "config.ini:1: this is not a line", id="no section line"),
        pytest.param("[lxp]\nhost = 1\nhunter2", "config.ini:3: this is not a line", id="no ="),
        pytest.param("", "no section [lxp]; is it octolux's", id="empty file"),
        pytest.param("[octopus]", "no section [lxp]", id="no lxp"),
        pytest.param(INI.replace("[octopus]", "[gas]"), "no section [octopus]", id="no octopus"),
        pytest.param(INI.replace("192.168.1.20", ""), "[lxp] has no host", id="no host"),
        pytest.param(INI.replace("datalog", "log"), "[lxp] has no datalog", id="no datalog"),
        pytest.param(INI.replace("serial =", "#"), "[lxp] has no serial", id="no serial"),
        pytest.param(INI.replace("tariff_", ""), "[octopus] has no tariff_code", id="no tariff"),
        pytest.param(INI.replace("= 4346", "= abc"), "[lxp] port: 'abc' is not a whole", id="port"),
        pytest.param(INI.replace("= 4346", "= ٤"), "[lxp] port: '٤' is not a whole", id="digits"),
        pytest.param(INI.replace("= 4346", "= 70000"), "[lxp] port is a number", id="high port"),
        pytest.param(INI.replace("= 4\n", "= 0\n"), "[lxp] batteries: '0' is", id="no battery"),
        pytest.param(INI.replace("0252016062", "252"), "[lxp] serial is 10", id="short serial"),
        pytest.param(
            INI.replace("E-1R", "G-1R"), "[octopus] tariff_code: G-1R-AGILE-18", id="gas tariff"
        ),
        pytest.param(INI.replace("= 80", "= lots"), "required_soc: 'lots' is not", id="no number"),
        pytest.param(INI.replace("= 2.5", "= nan"), "cheap_charge: 'nan' is not", id="nan"),
        pytest.param(INI.replace("= 80", "= 150"), "[rules] required_soc must be", id="150 %"),
    ],
)
def test_what_cannot_be_used_is_told(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        from_octolux(text)
    said = str(told.value)
    assert said.startswith("config.ini:")
    assert says in said
    assert said.endswith(("put it right there, and migrate again", "?"))


def test_nothing_told_contains_a_password() -> None:
    assert "hunter2" not in " ".join((*from_octolux(INI).notes, from_octolux(INI).yaml))
    with pytest.raises(ConfigError) as told:
        from_octolux(INI.replace("uri = ", ""))
    assert "hunter2" not in str(told.value)


LINES = st.sampled_from(
    ["[lxp]", "[rules]", "[octopus]", "[", "[]", "= 1", "port =", *INI.split("\n")]
)


@given(st.lists(LINES | st.text(max_size=20)).map("\n".join) | st.text())
def test_any_text_is_migrated_or_refused(text: str) -> None:
    try:
        migration = from_octolux(text)
    except ConfigError:
        return
    assert migration.yaml.startswith("#")
