"""The cloud's answers: real ones taken apart, its settings found by name, its codes made errors."""

import json
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.devices.givenergy_cloud.api import (
    CODES,
    UNSETTLED,
    data_of,
    listed_of,
    measured_of,
    sent,
    shown_of,
    totals_of,
    unsettled,
)
from ohmstead.devices.givenergy_cloud.points import POINTS, Listed, Setting, setting_of, settings_of
from ohmstead.devices.givenergy_cloud.settings import GivEnergyCloudSettings
from ohmstead.errors import (
    DeviceBusy,
    DeviceError,
    DeviceProtocolError,
    DeviceRefused,
    DeviceUnreachable,
)
from ohmstead.links.http import Page
from ohmstead.model import Range, Value

CAPTURES = sorted(path for path in (Path(__file__).parent / "captures").iterdir())


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_a_real_answer_means_what_its_owner_saw(capture: Path) -> None:
    display = json.loads((capture / "display.json").read_text())
    measured = measured_of("x", data_of("x", page(capture / "system_data.json")))
    shown: dict[str, object] = {"at": measured.at.isoformat(), **measured.values}
    if (capture / "meter_data.json").exists():
        shown |= totals_of(data_of("x", page(capture / "meter_data.json")))
    assert {key: shown[key] for key in display} == display
    assert set(shown) - {"at"} <= set(POINTS)


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_what_flows_into_the_house_is_what_it_uses(capture: Path) -> None:
    values = measured_of("x", data_of("x", page(capture / "system_data.json"))).values
    numbers = [values[key] for key in ("pv_w", "battery_w", "grid_w", "load_w")]
    pv_w, battery_w, grid_w, load_w = (n for n in numbers if isinstance(n, int | float))
    assert pv_w + battery_w + grid_w == pytest.approx(load_w, abs=50)


@pytest.mark.parametrize(
    ("data", "key"),
    [
        pytest.param({"battery": {"percent": 300}}, "battery_soc_pct", id="beyond what can be"),
        pytest.param({"battery": {"percent": "full"}}, "battery_soc_pct", id="text for a number"),
        pytest.param({"battery": {"percent": True}}, "battery_soc_pct", id="yes for a number"),
        pytest.param({"battery": {"percent": float("nan")}}, "battery_soc_pct", id="no number"),
        pytest.param({"battery": None}, "battery_w", id="a part is missing"),
        pytest.param({"grid": []}, "grid_w", id="a list for a part"),
    ],
)
def test_what_makes_no_sense_is_nothing(data: dict[str, Any], key: str) -> None:
    assert measured_of("x", {"time": "2026-01-01T00:00:00Z", **data}).values[key] is None


@pytest.mark.parametrize("data", [{}, {"time": "yesterday"}, {"time": None}, [], "x", 7])
def test_data_without_a_time_is_none(data: object) -> None:
    with pytest.raises(DeviceProtocolError, match="without a time"):
        measured_of("x", data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["time", "solar", "arrays", "array", "grid", "power", "value", "data"]),
            inner,
        )
    ),
)


@given(json_values)
def test_no_answer_breaks_anything_but_by_an_error_of_ours(body: Any) -> None:  # noqa: ANN401 - JSON
    answer = Page(status=200, body=body)
    for look in (
        lambda: measured_of("x", data_of("x", answer)),
        lambda: totals_of(data_of("x", answer)),
        lambda: settings_of(listed_of("x", data_of("x", answer))),
        lambda: shown_of("x", named("Enable Eco Mode"), answer),
        lambda: shown_of("x", named("AC Charge 1 Start Time"), answer),
        lambda: shown_of("x", named("Pause Battery"), answer),
        lambda: shown_of("x", named("Battery Reserve % Limit"), answer),
    ):
        try:
            look()
        except DeviceError:
            continue


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("Enable Eco Mode", "eco_mode_enabled"),
            ("AC Charge Enable", "charge_enabled"),
            ("AC Charge 1 Start Time", "charge_slot_1_start"),
            ("AC Charge 10 End Time", "charge_slot_10_end"),
            ("AC Charge 1 Upper SOC % Limit", "charge_slot_1_target_soc_pct"),
            ("AC Charge Upper % Limit", "charge_target_soc_pct"),
            ("DC Discharge 2 Start Time", "discharge_slot_2_start"),
            ("DC Discharge 1 Lower SOC % Limit", "discharge_slot_1_floor_soc_pct"),
            ("Pause Battery", "pause_mode"),
            ("Pause Battery End Time", "pause_slot_end"),
        ],
    )
    def test_they_are_found_by_their_name(self, name: str, key: str) -> None:
        assert named(name).point.key == key

    @pytest.mark.parametrize(
        "name", ["Restart Inverter", "DC Discharge 1 Upper SOC % Limit", "AC Charge 1 Start", ""]
    )
    def test_what_is_not_ours_is_left_alone(self, name: str) -> None:
        assert setting_of(Listed(id=1, name=name)) is None

    @pytest.mark.parametrize(
        ("rule", "bounds"),
        [
            pytest.param("between:10,90", Range(10, 90), id="the cloud's are narrower"),
            pytest.param("between:0,100", Range(4, 100), id="ours are narrower"),
            pytest.param("between:a,b", Range(4, 100), id="none that can be read"),
            pytest.param("between:200,300", Range(4, 100), id="none in common"),
        ],
    )
    def test_only_what_both_take_may_be_written(self, rule: str, bounds: Range) -> None:
        assert named("Battery Reserve % Limit", rule).point.writable == bounds

    @pytest.mark.parametrize(
        ("name", "value", "text"),
        [
            ("Enable Eco Mode", True, True),
            ("AC Charge 1 Start Time", time(23, 30), "23:30"),
            ("Battery Charge Power", 2600.0, 2600),
            ("Pause Battery", "discharge", 2),
        ],
    )
    def test_what_is_sent_reads_back(self, name: str, value: Value, text: object) -> None:
        setting = named(name)
        assert sent(setting, value) == text
        assert shown_of("x", setting, Page(status=200, body={"data": {"value": text}})) == value

    @pytest.mark.parametrize(
        ("shown", "value"), [(1, True), (0, False), ("true", True), ("?", None)]
    )
    def test_a_switch_is_understood_however_it_is_told(
        self, shown: object, value: bool | None
    ) -> None:
        answer = Page(status=200, body={"data": {"value": shown}})
        assert shown_of("x", named("Enable Eco Mode"), answer) is value


class TestErrors:
    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            (-1, DeviceUnreachable),
            (-2, DeviceUnreachable),
            (-3, DeviceRefused),
            (-4, DeviceRefused),
            (-5, DeviceUnreachable),
            (-6, DeviceUnreachable),
            (-7, DeviceRefused),
            (-99, DeviceRefused),
        ],
    )
    def test_every_code_is_an_error_that_says_what_it_is(
        self, code: int, kind: type[DeviceError]
    ) -> None:
        answer = Page(status=200, body={"data": {"value": code}})
        with pytest.raises(kind, match=f"reserve_soc_pct: .*code {code}") as caught:
            shown_of("x", named("Battery Reserve % Limit"), answer)
        assert CODES.get(code, "an unknown error") in str(caught.value)
        assert unsettled(answer) is (code in UNSETTLED)

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (0, DeviceUnreachable),
            (302, DeviceProtocolError),
            (400, DeviceProtocolError),
            (401, DeviceRefused),
            (402, DeviceRefused),
            (403, DeviceRefused),
            (404, DeviceRefused),
            (422, DeviceRefused),
            (429, DeviceBusy),
            (503, DeviceUnreachable),
        ],
    )
    def test_every_status_is_an_error_of_ours(self, status: int, kind: type[DeviceError]) -> None:
        with pytest.raises(kind):
            data_of("x", Page(status=status, body={"data": 1}))


class TestOwner:
    def test_neither_key_nor_serial_number_is_shown(self) -> None:
        settings = GivEnergyCloudSettings(api_key="hush", serial="FA0000G000")
        assert "hush" not in repr(settings)
        assert "FA0000G000" not in repr(settings)

    @pytest.mark.parametrize(
        ("given", "complaint"),
        [
            ({"api_key": ""}, "!secret"),
            ({"api_key": "two\nlines"}, "!secret"),
            ({"serial": "FA/../x"}, "letters and digits"),
            ({"base_url": "http://api.example"}, "overheard"),
            ({"base_url": "https://["}, "no address"),
            ({"fresh_s": 0}, "fresh_s"),
            ({"pause_s": -1}, "pause_s"),
            ({"rated_w": 0}, "rated_w"),
        ],
    )
    def test_what_cannot_work_is_refused(self, given: dict[str, Any], complaint: str) -> None:
        with pytest.raises(ValueError, match=complaint) as caught:
            GivEnergyCloudSettings(**{"api_key": "hush", "serial": "FA0000G000"} | given)
        assert "hush" not in str(caught.value)


def page(path: Path) -> Page:
    return Page(status=200, body=json.loads(path.read_text()))


def named(name: str, *rules: str) -> Setting:
    setting = setting_of(Listed(id=1, name=name, rules=rules))
    assert setting is not None
    return setting
