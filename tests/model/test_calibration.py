"""What is told is such that what is delivered is what was wanted."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.model import Ahead, BatteryCommand, BatteryMode, Calibration

NIGHT = datetime(2026, 1, 16, 5, 30, tzinfo=UTC)
MEASURED = Calibration(
    charge_offset_w=180, discharge_offset_w=100, charge_scale=1.02, discharge_scale=0.97
)


def command(mode: BatteryMode, power_w: float | None) -> BatteryCommand:
    return BatteryCommand(mode=mode, power_w=power_w, until=NIGHT)


@pytest.mark.parametrize(
    ("mode", "wanted_w", "told_w"),
    [
        (BatteryMode.CHARGE, 1_200, 1_000),
        (BatteryMode.HOLD, 1_200, 1_000),
        (BatteryMode.DISCHARGE, 1_070, 1_000),
    ],
)
def test_each_direction_has_its_own(mode: BatteryMode, wanted_w: float, told_w: float) -> None:
    said = MEASURED.told(command(mode, wanted_w)).power_w
    assert said == pytest.approx(told_w)


@pytest.mark.parametrize("power_w", [None, 0.0])
def test_no_power_stays_none(power_w: float | None) -> None:
    wanted = command(BatteryMode.CHARGE, power_w)
    assert MEASURED.told(wanted) == wanted


def test_what_is_set_ahead_is_a_charge() -> None:
    ahead = Ahead(start=NIGHT, until=NIGHT, power_w=1_200, soc_pct=80, most_w=2_220)
    said = MEASURED.told(replace(command(BatteryMode.DISCHARGE, None), ahead=ahead)).ahead
    assert said is not None
    assert said.power_w == pytest.approx(1_000)
    assert said.most_w == pytest.approx(2_000)
    assert (said.start, said.until, said.soc_pct) == (NIGHT, NIGHT, 80)


@given(power_w=st.floats(1, 20_000), mode=st.sampled_from(BatteryMode))
def test_a_power_never_becomes_zero_and_without_a_measurement_is_told_as_it_is(
    power_w: float, mode: BatteryMode
) -> None:
    told_w = MEASURED.told(command(mode, power_w)).power_w
    assert told_w is not None
    assert told_w >= 1
    assert Calibration().told(command(mode, power_w)).power_w == power_w


@pytest.mark.parametrize(
    "wrong",
    [
        {"charge_offset_w": math.nan},
        {"discharge_offset_w": math.inf},
        {"charge_scale": 0},
        {"discharge_scale": 97},
    ],
)
def test_what_no_inverter_does_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Calibration(**wrong)
