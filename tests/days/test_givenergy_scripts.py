"""Every behaviour of givenergy-scripts, and the day on which it is told.

| behaviour | told in |
|---|---|
| overnight charge to a target over the whole window at low power | test_gentle_night.py::test_it_rests_before_midnight_and_charges_slowly_to_the_target |
| the same, to what the day needs | test_gentle_night.py::test_it_charges_no_more_than_the_day_needs |
| the same, as the plan does it by itself | test_gentle_night.py::test_a_plan_is_gentle_by_itself |
| target SoC set by hand in the app | test_gentle_night.py::test_the_target_is_what_the_owner_says_in_the_app |
| extra for the taper near full | test_gentle_night.py::test_a_charge_to_the_brim_is_done_in_time_though_the_last_per_cents_are_slow |
| charge delayed until after midnight; idle 23:30-00:30 | test_gentle_night.py::test_it_rests_before_midnight_and_charges_slowly_to_the_target |
| evening dump ending at 8 % | test_evening_export_day.py::test_it_ends_at_the_floor_by_its_time |
| dump skipped below a threshold | test_evening_export_day.py::test_an_evening_that_is_not_worth_it_sells_nothing |
| no export while the car charges (outside the CT) | test_car_beside_the_battery.py::test_nothing_is_exported_while_the_car_charges_and_nothing_empties_into_it |
| no discharge into the car (inside the CT) | test_car_beside_the_battery.py::test_nothing_is_exported_while_the_car_charges_and_nothing_empties_into_it |
| the same beside a dispatch, another inverter | test_car_and_dispatches.py::test_the_battery_charges_with_the_car_and_never_empties_into_it |
| pause start after the last dispatch | test_late_dispatch.py::test_the_day_begins_after_the_last_dispatch_of_the_night |
| day mode at 05:30 | test_day_mode.py::test_the_plan_makes_the_modes_of_the_day_by_itself_and_costs_no_more |
| summer: all sun exported, the battery serves the house | test_intelligent_go_owner.py::test_a_night_and_a_day |
| clipping avoidance | test_clipping_guard.py::test_a_day_of_broken_clouds |
| limits with 5 % of hysteresis | test_corridor_day.py::test_above_the_band_it_is_sold_within_it_kept_and_below_it_filled_again |
| 25 % kept for the peak until 16:30 | test_corridor_day.py::test_a_quarter_is_kept_for_the_peak_until_half_past_four |
| discharge power restored after an export | test_evening_export_day.py::test_it_ends_at_the_floor_by_its_time |
| the same after kill -9 in mid-export | test_export_killed.py::test_the_owners_power_comes_back_after_a_kill_in_an_export |
| power corrections | test_calibrated.py::test_what_is_delivered_is_what_was_meant |
| 77 and 101, slot ids, one pause window | test_cloud_night.py::test_an_evening_and_a_night_by_the_cloud |
| settings written with read-back and retry | test_givenergy_bad_line.py::test_eight_hours_on_a_bad_line |
| timers as fallback when the network dies | test_givenergy_killed.py::test_a_command_ends_without_us |
| daily upload to PVOutput | test_pvoutput_evening.py::test_a_day_is_told_after_its_midnight |
| zappi and dispatches known to whoever decides | test_car_and_dispatches.py::test_the_battery_charges_with_the_car_and_never_empties_into_it |
| settings read and written by name | test_settings_by_name.py::test_every_short_name_has_a_setting |
| saving sessions | test_event_evening.py::test_the_plan_keeps_the_battery_for_a_session_and_empties_it_there |
| saving sessions not spoiled | test_event_evening.py::test_exports_stay_out_of_the_hours_that_sessions_are_measured_by |
| hours of free electricity | test_event_evening.py::test_what_is_free_is_taken |
"""  # noqa: E501 - a row is a row

import re
from pathlib import Path

import pytest

from ohmstead.clock import SystemClock
from ohmstead.config import build
from ohmstead.config.load import load

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "coming-from-givenergy-scripts.md"
ROWS = re.findall(r"^\| (.+?) \| (test_\w+\.py)::(test_\w+) \|$", __doc__, re.MULTILINE)


@pytest.mark.parametrize(("file", "test"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_behaviour_is_told_as_a_day(file: str, test: str) -> None:
    told = (HERE / file).read_text()
    assert re.search(rf"^(async )?def {test}\(", told, re.MULTILINE), f"{file} has no {test}"


def examples() -> tuple[str, str]:
    """Return the two configurations of the documentation."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", DOCS.read_text(), re.DOTALL | re.MULTILINE)
    return blocks[0], blocks[1]


def test_the_documented_house_is_a_configuration(tmp_path: Path) -> None:
    secrets = "zappi: one\noctopus: two\npvoutput: three\n"
    (tmp_path / "secrets.yaml").write_text(secrets)
    path = tmp_path / "ohmstead.yaml"
    path.write_text(examples()[0])
    settings = load(path)
    names = [name for name, _ in build.strategies(settings)]
    assert names == [
        "requests", "car", "clipping_guard", "soc_corridor", "evening_export", "gentle_charge",
        "solar_export", "self_consumption",
    ]  # fmt: skip
    assert len(build.devices(settings, SystemClock())) == 2
    assert [name for name, _ in build.outputs(settings, SystemClock())] == ["pvoutput"]


def test_the_documented_plan_is_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "ohmstead.yaml"
    path.write_text(examples()[1])
    settings = load(path)
    names = [name for name, _ in build.strategies(settings)]
    assert names == ["requests", "car", "clipping_guard", "follow_plan"]
    known = build.forecasts(settings, None)
    assert known.solar is not None
    assert build.planner(settings, SystemClock(), known) is not None
