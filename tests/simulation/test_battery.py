"""A battery gives back less than it was given, and slows down at both ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.simulation import Battery, BatterySettings


@given(
    st.lists(st.tuples(st.floats(-9_000, 9_000), st.floats(1, 3_600)), max_size=40),
    st.floats(0, 100),
)
def test_what_is_stored_is_what_went_in_less_every_loss(
    steps: list[tuple[float, float]], soc_pct: float
) -> None:
    settings = BatterySettings()
    battery = Battery(settings, soc_pct, 15)
    start, charged, discharged = battery.stored_kwh, 0.0, 0.0
    for wish_w, seconds in steps:
        battery.power_w = battery.allow(wish_w, seconds)
        battery.live(seconds, 15)
        moved = battery.power_w * seconds / 3_600_000
        charged += max(-moved, 0)
        discharged += max(moved, 0)
        assert 0 <= battery.soc_pct <= 100
    expected = (
        start
        + charged * settings.charge_efficiency
        - discharged / settings.discharge_efficiency
        - battery.standby_kwh
    )
    assert battery.stored_kwh == pytest.approx(expected, abs=1e-9)
    assert battery.throughput_kwh == pytest.approx(
        charged * settings.charge_efficiency + discharged / settings.discharge_efficiency
    )


@pytest.mark.parametrize(
    ("soc_pct", "wish_w", "got_w"),
    [
        pytest.param(50, 9_000, 3_600, id="no more out than it can"),
        pytest.param(50, -9_000, -3_600, id="no more in than it can"),
        pytest.param(50, 1_000, 1_000, id="as wished"),
        pytest.param(95, -3_600, -3_600 * 0.55, id="less in near full"),
        pytest.param(4, 3_600, 3_600 * 0.55, id="less out near empty"),
        pytest.param(95, 3_600, 3_600, id="full power out when full"),
        pytest.param(100, -3_600, 0, id="nothing into a full one"),
        pytest.param(0, 3_600, 0, id="nothing out of an empty one"),
    ],
)
def test_power_follows_the_state_of_charge(soc_pct: float, wish_w: float, got_w: float) -> None:
    assert Battery(BatterySettings(), soc_pct, 15).allow(wish_w, 10) == pytest.approx(got_w)


def test_a_long_step_never_overfills_or_overdraws() -> None:
    assert Battery(BatterySettings(), 99, 15).allow(-3_600, 86_400) > -10
    assert Battery(BatterySettings(), 1, 15).allow(3_600, 86_400) < 10


@pytest.mark.parametrize("soc_pct", [0, 2, 10, 50, 90, 99, 100])
def test_a_meter_shows_a_plausible_battery(soc_pct: float) -> None:
    battery = Battery(BatterySettings(), soc_pct, 20)
    assert 44 < battery.voltage_v < 57
    battery.power_w = 3_000
    low = battery.voltage_v
    assert battery.current_a > 0
    battery.power_w = -3_000
    assert battery.voltage_v > low
    assert battery.current_a < 0
    lowest, highest = battery.cell_voltages_v
    assert lowest < battery.voltage_v / 16 < highest
    coldest, warmest = battery.cell_temperatures_c
    assert coldest < battery.temperature_c < warmest
    assert battery.cycles == 0


def test_the_voltage_rises_with_the_charge() -> None:
    voltages = [Battery(BatterySettings(), soc, 20).voltage_v for soc in range(101)]
    assert voltages == sorted(voltages)


def test_work_warms_it_and_rest_cools_it() -> None:
    battery = Battery(BatterySettings(), 90, 15)
    battery.power_w = 3_600
    battery.live(3_600, 15)
    warm = battery.temperature_c
    assert 16 < warm < 35
    battery.power_w = 0
    battery.live(36_000, 15)
    assert 15 < battery.temperature_c < warm


def test_standing_still_costs_a_little() -> None:
    battery = Battery(BatterySettings(), 50, 15)
    battery.live(86_400, 15)
    assert battery.soc_pct == pytest.approx(48)
    empty = Battery(BatterySettings(), 0, 15)
    empty.live(86_400, 15)
    assert empty.standby_kwh == 0
