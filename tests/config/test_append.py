"""Found devices are added once, and what stands in the file stays, to the letter."""

from pathlib import Path

import pytest

from ohmstead.config.append import add_devices, read_or_empty
from ohmstead.config.load import load
from ohmstead.errors import ConfigError
from ohmstead.links.scan import Claim, Found

ENTRY = 'family: luxpower, host: h, datalog: BA00000001, serial: "0000000001"'


def claim(
    host: str = "192.0.2.7",
    datalog: str = "BA12345678",
    serial: str = "1234567890",
    *,
    confirmed: bool = True,
) -> Claim:
    settings: dict[str, str | int] = {"host": host, "datalog": datalog}
    if serial:
        settings["serial"] = serial
    found = Found(
        host=host, port=8000, model="", serial=serial, settings=settings, confirmed=confirmed
    )
    return Claim(family="luxpower", found=found)


NEW = """\
  - name: inverter_2
    family: luxpower
    host: 192.0.2.7
    datalog: "BA12345678"
    serial: "1234567890"
"""


def house(text: str, folder: Path) -> Path:
    path = folder / "ohmstead.yaml"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("", "devices:\n" + NEW.replace("_2", ""), id="an empty file"),
        pytest.param(
            "site: {name: home}  # mine",
            "site: {name: home}  # mine\ndevices:\n" + NEW.replace("_2", ""),
            id="no devices, and no end of line",
        ),
        pytest.param(
            f"devices:   # all\n  - {{name: inverter, {ENTRY}}}  # old\n\n# Prices\nprices: {{}}\n",
            f"devices:   # all\n  - {{name: inverter, {ENTRY}}}  # old\n{NEW}\n# Prices\n"
            "prices: {}\n",
            id="comments and empty lines keep to what follows",
        ),
        pytest.param(
            "devices:\n- name: inverter\n  family: luxpower\n  host: h\n  datalog: BA00000001\n"
            "  serial: '0000000001'\n  # port: 4346\nprices: {}\n",
            "devices:\n- name: inverter\n  family: luxpower\n  host: h\n  datalog: BA00000001\n"
            "  serial: '0000000001'\n  # port: 4346\n"
            + NEW.replace("  - ", "- ").replace("    ", "  ")
            + "prices: {}\n",
            id="dashes at the margin, and a comment of the last device",
        ),
        pytest.param(
            f"prices: {{}}\r\ndevices:\r\n  - {{name: inverter, {ENTRY}}}\r\n",
            f"prices: {{}}\r\ndevices:\r\n  - {{name: inverter, {ENTRY}}}\r\n"
            + NEW.replace("\n", "\r\n"),
            id="another system's ends of line",
        ),
        pytest.param(
            f"devices: [{{name: inverter, {ENTRY}}}]  # one\nprices: {{}}\n",
            f"devices: [{{name: inverter, {ENTRY}}}, {{name: inverter_2, family: luxpower, "
            'host: 192.0.2.7, datalog: "BA12345678", serial: "1234567890"}]  # one\nprices: {}\n',
            id="in brackets",
        ),
        pytest.param(
            "devices: []\n",
            "devices: [{name: inverter, family: luxpower, host: 192.0.2.7, "
            'datalog: "BA12345678", serial: "1234567890"}]\n',
            id="in empty brackets",
        ),
    ],
)
def test_a_device_is_added_and_the_rest_stays(before: str, after: str, tmp_path: Path) -> None:
    path = house(before, tmp_path)
    (done,) = add_devices(path, [claim()], {})
    assert done.added
    assert path.read_bytes().decode() == after
    assert load(path, {}).devices[-1].name == done.name
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "ohmstead.yaml"
    add_devices(path, [claim()], {})
    assert [entry.name for entry in load(path, {}).devices] == ["inverter"]


def test_twice_is_once(tmp_path: Path) -> None:
    path = house("", tmp_path)
    add_devices(path, [claim()], {})
    once = path.read_text()
    (again,) = add_devices(path, [claim()], {})
    assert (again.name, again.added, again.why) == ("inverter", False, "it is there already")
    assert path.read_text() == once


def test_several_get_names_of_their_own(tmp_path: Path) -> None:
    path = house("", tmp_path)
    found = [claim(f"192.0.2.{n}", f"BA0000000{n}", f"000000000{n}") for n in (1, 2, 3)]
    found.append(found[0])
    done = add_devices(path, found, {})
    assert [one.name for one in done] == ["inverter", "inverter_2", "inverter_3", "inverter"]
    assert [one.added for one in done] == [True, True, True, False]
    assert len(load(path, {}).devices) == 3


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (claim("192.0.2.9"), "it is there already, at localhost: change it there"),
        (claim("192.0.2.9", serial=""), "it is there already, at localhost: change it there"),
        (claim("127.0.0.1", "XX00000000", "9999999999"), "it is there already"),
        (claim("192.0.2.9", "XX00000000", ""), "a part of its entry is not known"),
        (claim("192.0.2.9", "XX00000000", "9999999999", confirmed=False), "it is not confirmed"),
    ],
    ids=["its serial", "its datalogger", "its address", "half known", "a candidate"],
)
def test_an_address_given_by_hand_is_never_changed(found: Claim, why: str, tmp_path: Path) -> None:
    text = (
        "devices:\n  - {name: battery, family: luxpower, host: localhost, datalog: BA12345678, "
        "serial: 1234567890}\n"
    )
    path = house(text, tmp_path)
    (done,) = add_devices(path, [found], {})
    assert (done.added, done.why) == (False, why)
    assert path.read_text() == text


def test_secrets_and_the_environment_are_heeded(tmp_path: Path) -> None:
    (tmp_path / "secrets.yaml").write_text("web: long enough to be one\n")
    path = house("web: {password: !secret web}\n", tmp_path)
    add_devices(path, [claim()], {"OHMSTEAD__SITE__NAME": "other"})
    assert path.read_text().startswith("web: {password: !secret web}\ndevices:\n")


@pytest.mark.parametrize(
    "text",
    ["{site: {name: home}}\n", "site: {name: home}\n...\n"],
    ids=["one line", "an end mark"],
)
def test_a_file_that_cannot_be_added_to_is_left_and_the_entry_is_told(
    text: str, tmp_path: Path
) -> None:
    path = house(text, tmp_path)
    with pytest.raises(ConfigError) as told:
        add_devices(path, [claim()], {})
    assert "was left as it is" in str(told.value)
    assert 'datalog: "BA12345678"' in str(told.value)
    assert path.read_text() == text
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_with_a_mistake_is_left(tmp_path: Path) -> None:
    path = house("devises: []\n", tmp_path)
    with pytest.raises(ConfigError, match="devises"):
        add_devices(path, [claim()], {})
    assert path.read_text() == "devises: []\n"


def test_permissions_stay_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real = house("", tmp_path)
    real.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    add_devices(link, [claim()], {})
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert len(load(real, {}).devices) == 1


def test_no_file_is_an_empty_one(tmp_path: Path) -> None:
    assert read_or_empty(tmp_path / "ohmstead.yaml", {}).devices == ()
    assert list(tmp_path.iterdir()) == []
