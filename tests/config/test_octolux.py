"""octolux's configuration becomes ours, and what cannot be carried over is told."""

from pathlib import Path

import pytest

from ohmstead.config.load import load
from ohmstead.config.octolux import from_octolux
from ohmstead.control.cheapest_slots import CheapestSlots
from ohmstead.control.price_threshold import PriceThreshold
from ohmstead.errors import ConfigError

INI = """\
[lxp]
host = 192.168.1.20
port = 4346
serial = 5555555555
datalog = 2222222222
batteries = 4

[octopus]
product_code = AGILE-18-02-21
tariff_code = E-1R-AGILE-18-02-21-C

[server]
listen_host = 0.0.0.0

[mqtt]
uri = mqtt://broker

[rules]
required_soc = 80
cheap_charge = 2.5
my_own = 3
"""


def test_the_rule_keeps_its_numbers_and_its_behaviour(tmp_path: Path) -> None:
    migration = from_octolux(INI)
    (tmp_path / "ohmstead.yaml").write_text(migration.yaml)
    settings = load(tmp_path / "ohmstead.yaml", {})
    assert settings.control[0].settings == CheapestSlots(
        required_soc_pct=80,
        emergency_soc_pct=50,
        cheap_per_kwh=0.025,
        min_discharge_per_kwh=0.03,
        batteries=4,
        old_behaviour=True,
    )
    assert settings.devices[0].name == "inverter"
    noted = " ".join(migration.notes)
    for word in ("rules.rb", "[server]", "[mqtt]", "[rules] my_own: has no counterpart"):
        assert word in noted


def test_without_rules_it_is_the_first_rule(tmp_path: Path) -> None:
    migration = from_octolux(INI.partition("[server]")[0])
    (tmp_path / "ohmstead.yaml").write_text(migration.yaml)
    settings = load(tmp_path / "ohmstead.yaml", {})
    assert settings.control[0].settings == PriceThreshold(at_most_per_kwh=0.05)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("host = 1", "no configuration of octolux"),
        ("[octopus]\n", "has no section [lxp]"),
        (INI.replace("host = 192.168.1.20", "host ="), "[lxp] has no host"),
        (INI.replace("port = 4346", "port = abc"), "[lxp] port: 'abc' is not a whole number"),
        (INI.replace("required_soc = 80", "required_soc = lots"), "required_soc: 'lots' is not"),
    ],
)
def test_what_cannot_be_used_is_told(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as told:
        from_octolux(text)
    assert says in str(told.value)
