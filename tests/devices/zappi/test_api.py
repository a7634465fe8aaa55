"""What zappis said, against what it means; paths as the app sends them."""

import contextlib
import json
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.devices.zappi.api import path_for, server_of, status_of, trouble_of
from ohmstead.devices.zappi.points import POINTS
from ohmstead.devices.zappi.settings import ZappiSettings
from ohmstead.errors import (
    DeviceBusy,
    DeviceError,
    DeviceProtocolError,
    DeviceRefused,
    DeviceUnreachable,
    NotWritable,
)
from ohmstead.links.http import Page
from ohmstead.model import Value

CAPTURES = sorted(path for path in (Path(__file__).parent / "captures").iterdir())
FIELDS = ("bsm", "bss", "che", "cmt", "dat", "div", "ectp1", "ectt1", "lck", "sbh", "tbk", "vol")
ONE = {"sno": 10077777, "pst": "A", "sta": 1, "zmo": 3}


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_a_capture_means_what_its_owner_saw(capture: Path) -> None:
    status = status_of("zappi", json.loads((capture / "status.json").read_text()), None)
    display = json.loads((capture / "display.json").read_text())
    assert status.at is not None
    assert status.at.isoformat() == display.pop("at")
    assert {key: plain(status.values[key]) for key in display} == display
    assert set(status.values) | {"data_age_s"} == set(POINTS)


def plain(value: Value | None) -> object:
    return value.isoformat("minutes") if isinstance(value, time) else value


@pytest.mark.parametrize(
    ("field", "given", "key"),
    [
        ("div", 999_999, "power_w"),
        ("div", "much", "power_w"),
        ("div", float("nan"), "power_w"),
        ("pst", "Z9", "plug"),
        ("zmo", 0, "mode"),
        ("zmo", [], "mode"),
        ("sta", 77, "status"),
        ("mgl", True, "min_green_pct"),
    ],
)
def test_what_cannot_be_is_unknown_and_says_why(field: str, given: object, key: str) -> None:
    status = status_of("zappi", {"zappi": [ONE | {field: given}]}, None)
    assert status.values[key] is None
    assert field in status.doubts[key]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=10,
    )
)
def test_nothing_that_is_sent_raises_anything_but_a_device_error(body: object) -> None:
    for sent in (
        body,
        {"zappi": body},
        {"zappi": [body]},
        {"zappi": [dict.fromkeys(FIELDS, body) | ONE]},
    ):
        with contextlib.suppress(DeviceError):
            status_of("zappi", sent, None)


@pytest.mark.parametrize(
    ("zappis", "serial", "error", "says"),
    [
        ([], None, DeviceUnreachable, "knows no zappi now"),
        ([ONE], "10088888", DeviceUnreachable, "no zappi 10088888"),
        ([ONE, ONE | {"sno": 10088888}], None, DeviceProtocolError, 'one of "10077777"'),
        ([{"pst": "A"}], None, DeviceProtocolError, "without a serial number"),
    ],
)
def test_the_right_zappi_or_none(
    zappis: list[Any], serial: str | None, error: type[DeviceError], says: str
) -> None:
    with pytest.raises(error, match=says):
        status_of("zappi", {"zappi": zappis}, serial)


SHOWN: dict[str, Value | None] = {"smart_boost_ready": time(14), "smart_boost_kwh": 5}


@pytest.mark.parametrize(
    ("point", "value", "path"),
    [
        ("mode", "fast", "/cgi-zappi-mode-Z10077777-1-0-0-0000"),
        ("mode", "eco", "/cgi-zappi-mode-Z10077777-2-0-0-0000"),
        ("mode", "eco+", "/cgi-zappi-mode-Z10077777-3-0-0-0000"),
        ("mode", "stop", "/cgi-zappi-mode-Z10077777-4-0-0-0000"),
        ("boost_kwh", 5, "/cgi-zappi-mode-Z10077777-0-10-5-0000"),
        ("boost_kwh", 0, "/cgi-zappi-mode-Z10077777-0-2-0-0000"),
        ("smart_boost_kwh", 5.0, "/cgi-zappi-mode-Z10077777-0-11-5-1400"),
        ("smart_boost_kwh", 0, "/cgi-zappi-mode-Z10077777-0-2-0-0000"),
        ("smart_boost_ready", time(7, 30), "/cgi-zappi-mode-Z10077777-0-11-5-0730"),
        ("min_green_pct", 60.0, "/cgi-set-min-green-Z10077777-60"),
    ],
)
def test_a_change_goes_where_the_app_sends_it(point: str, value: Value, path: str) -> None:
    assert path_for("10077777", point, value, SHOWN) == path


@pytest.mark.parametrize(
    ("point", "value"), [("power_w", 5), ("smart_boost_ready", time(7)), ("smart_boost_kwh", 5)]
)
def test_what_cannot_be_set_is_refused(point: str, value: Value) -> None:
    with pytest.raises(NotWritable):
        path_for("10077777", point, value, {})


@pytest.mark.parametrize(
    ("page", "error"),
    [
        (Page(status=0, trouble="timed out"), DeviceUnreachable),
        (Page(status=401), DeviceRefused),
        (Page(status=429), DeviceBusy),
        (Page(status=503), DeviceUnreachable),
        (Page(status=404), DeviceProtocolError),
        (Page(status=200), DeviceProtocolError),
        (Page(status=200, body={"status": -14, "statustext": ""}), DeviceRefused),
    ],
)
def test_every_trouble_is_an_error_of_the_tree(page: Page, error: type[DeviceError]) -> None:
    assert isinstance(trouble_of("zappi", page), error)


@pytest.mark.parametrize(
    ("named", "believed"),
    [
        ("s18.myenergi.net", True),
        ("s18.myenergi.net.example.com", False),
        ("example.com/.myenergi.net", False),
        ("undefined", False),
        ("", False),
    ],
)
def test_only_myenergis_own_servers_are_believed(named: str, believed: bool) -> None:
    page = Page(status=401, headers={"x_myenergi-asn": named})
    assert (server_of(page) is not None) is believed


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"hub": "H1"}, "hub is a serial number"),
        ({"password": ""}, "password"),
        ({"base_url": "http://director.myenergi.net"}, "https"),
        ({"host": "http://192.168.1.31"}, "without http"),
        ({"stale_s": 0}, "stale_s"),
        ({"pause_s": -1}, "pause_s"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ZappiSettings(**{"hub": "10000000", "password": "x"} | wrong)


def test_the_settings_show_no_secret() -> None:
    assert "hush" not in repr(ZappiSettings(hub="10000000", password="hush"))
