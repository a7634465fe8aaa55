"""A house that names the cloud's family: polled at the cloud's pace, its key kept."""

from pathlib import Path

import pytest

from ohmstead.clock import SystemClock
from ohmstead.config import build
from ohmstead.config.catalogue import FAMILIES
from ohmstead.config.load import load
from ohmstead.devices.givenergy_cloud.driver import GivEnergyCloudDriver
from ohmstead.errors import ConfigError

HOUSE = """\
devices:
  - name: inverter
    family: givenergy_cloud
    api_key: !secret givenergy
    serial: FA0000G000
"""


def test_it_is_built_and_polled_at_the_clouds_own_pace(tmp_path: Path) -> None:
    path = tmp_path / "ohmstead.yaml"
    path.write_text(HOUSE)
    settings = load(path, {"OHMSTEAD_SECRET_GIVENERGY": "hush"})
    ((driver, poll_s),) = build.devices(settings, SystemClock())
    assert isinstance(driver, GivEnergyCloudDriver)
    assert poll_s == 240
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param("    poll_s: 60\n", "poll_s: is a number of seconds, 180 or more", id="fast"),
        pytest.param("    base_url: http://api.example\n", "overheard", id="open line"),
        pytest.param("    host: 192.168.1.2\n", "host", id="no host"),
    ],
)
def test_what_is_wrong_is_told_without_the_key(tmp_path: Path, more: str, says: str) -> None:
    path = tmp_path / "ohmstead.yaml"
    path.write_text(HOUSE + more)
    with pytest.raises(ConfigError, match=says) as told:
        load(path, {"OHMSTEAD_SECRET_GIVENERGY": "hush"})
    assert "hush" not in str(told.value)


def test_three_polls_outlast_two_of_the_clouds_reports() -> None:
    assert (
        3 * FAMILIES["givenergy_cloud"].least_poll_s
        > 300 + FAMILIES["givenergy_cloud"].least_poll_s
    )
