"""The battery's physics in a replay: energy is conserved, limits hold, and the planner agrees."""

import math
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.backtest.cells import Cells, Order, order_of
from ohmstead.backtest.world import Plant
from ohmstead.errors import ProblemError
from ohmstead.model import BatteryCommand, BatteryMode
from ohmstead.planner.flows import settle
from ohmstead.planner.house import house_of
from ohmstead.planner.problem import Battery, Inverter, Problem, Slot

STEP = timedelta(minutes=5)
HOURS = 1 / 12
NEVER_OVER = 1e-9

powers = st.floats(0, 9_000)
plants = st.builds(
    Plant,
    capacity_kwh=st.floats(1, 20),
    charge_w=powers,
    discharge_w=powers,
    charge_efficiency=st.floats(0.7, 1),
    discharge_efficiency=st.floats(0.7, 1),
    inverter_w=st.none() | st.floats(500, 8_000),
    export_max_w=st.just(math.inf) | st.floats(0, 5_000),
    import_max_w=st.just(math.inf) | st.floats(2_000, 9_000),
    start_pct=st.floats(0, 100),
)
orders = st.builds(
    BatteryCommand,
    mode=st.sampled_from(BatteryMode),
    power_w=st.none() | powers,
    soc_pct=st.none() | st.floats(0, 100),
)
steps = st.lists(st.tuples(orders, st.floats(0, 8_000), st.floats(0, 8_000)), max_size=30)


@given(plant=plants, steps=steps)
def test_energy_is_conserved_and_no_limit_is_broken_whatever_is_ordered(
    plant: Plant, steps: list[tuple[BatteryCommand, float, float]]
) -> None:
    cells = Cells(plant, STEP)
    for command, load_w, pv_w in steps:
        load, pv = load_w * HOURS / 1_000, pv_w * HOURS / 1_000
        before = cells.stored
        bus, grid, curtailed = cells.live(order_of(command, plant, STEP), load, pv)
        assert load == pytest.approx(grid + pv - curtailed + bus, abs=NEVER_OVER)
        lost = bus / plant.discharge_efficiency if bus > 0 else bus * plant.charge_efficiency
        assert cells.stored == pytest.approx(before - lost, abs=NEVER_OVER)
        assert cells.stored <= max(plant.capacity_kwh, before) + NEVER_OVER
        assert cells.stored >= min(plant.reserve_kwh, before) - NEVER_OVER
        assert -plant.charge_w * HOURS / 1_000 - NEVER_OVER <= bus
        assert bus <= plant.discharge_w * HOURS / 1_000 + NEVER_OVER
        assert -NEVER_OVER <= curtailed <= pv + NEVER_OVER
        assert -grid <= plant.export_max_w * HOURS / 1_000 + NEVER_OVER
        if bus < 0:
            passes = pv if plant.inverter_w is None else plant.inverter_w * HOURS / 1_000
            own = max(load - min(pv, passes), 0.0)
            assert grid <= max(plant.import_max_w * HOURS / 1_000, own) + NEVER_OVER
        if plant.inverter_w is not None:
            assert abs(load - grid) <= plant.inverter_w * HOURS / 1_000 + NEVER_OVER


@given(plant=plants, steps=steps)
def test_the_planner_reckons_the_same_flows(
    plant: Plant, steps: list[tuple[BatteryCommand, float, float]]
) -> None:
    if not steps:
        return
    cells = Cells(plant, STEP)
    energies, grids = [cells.stored], []
    for command, load_w, pv_w in steps:
        order = order_of(command, plant, STEP)
        grids.append(cells.live(order, load_w * HOURS / 1_000, pv_w * HOURS / 1_000).grid)
        energies.append(cells.stored)
    problem = Problem(
        slots=tuple(
            Slot(
                hours=HOURS, import_per_kwh=0.3, export_per_kwh=0.1,
                load_kwh=load_w * HOURS / 1_000, pv_kwh=pv_w * HOURS / 1_000,
            )
            for _, load_w, pv_w in steps
        ),
        battery=Battery(
            capacity_kwh=plant.capacity_kwh,
            energy_kwh=plant.start_kwh,
            charge_max_w=plant.charge_w,
            discharge_max_w=plant.discharge_w,
            charge_efficiency=plant.charge_efficiency,
            discharge_efficiency=plant.discharge_efficiency,
        ),
        inverter=None if plant.inverter_w is None
        else Inverter(out_max_w=plant.inverter_w, in_max_w=plant.inverter_w),
        import_max_w=1e6,
        export_max_w=plant.export_max_w,
        curtail=False,
    )  # fmt: skip
    flows = settle(house_of(problem), [after - before for before, after in pairwise(energies)])
    assert np.allclose(flows.grid, grids, atol=1e-6)


@pytest.mark.parametrize(
    ("mode", "load_w", "pv_w", "bus_w"),
    [
        pytest.param(BatteryMode.SELF_USE, 800, 300, 500, id="self-use serves the house"),
        pytest.param(BatteryMode.SELF_USE, 300, 800, -500, id="self-use stores spare sun"),
        pytest.param(BatteryMode.HOLD, 800, 300, 0, id="a hold keeps what is stored"),
        pytest.param(BatteryMode.HOLD, 300, 800, -500, id="a hold stores spare sun"),
        pytest.param(BatteryMode.CHARGE, 800, 300, -1_000, id="a charge draws its power"),
        pytest.param(BatteryMode.CHARGE, 300, 2_800, -2_500, id="a charge takes all spare sun"),
        pytest.param(BatteryMode.CHARGE_SOLAR, 800, 300, -300, id="sun goes to the battery first"),
        pytest.param(BatteryMode.DISCHARGE, 300, 0, 1_000, id="a discharge gives its power"),
        pytest.param(BatteryMode.EXPORT_SOLAR, 300, 800, 0, id="spare sun is sold"),
        pytest.param(BatteryMode.EXPORT_SOLAR, 800, 300, 500, id="selling sun serves the house"),
        pytest.param(BatteryMode.IDLE, 800, 300, 0, id="idle is idle"),
    ],
)
def test_each_mode_does_what_its_name_says(
    mode: BatteryMode, load_w: float, pv_w: float, bus_w: float
) -> None:
    plant = Plant(start_pct=50)
    order = order_of(BatteryCommand(mode=mode, power_w=1_000), plant, STEP)
    flow = Cells(plant, STEP).live(order, load_w * HOURS / 1_000, pv_w * HOURS / 1_000)
    assert flow.bus * 1_000 / HOURS == pytest.approx(bus_w)


def test_a_charge_ends_at_its_target_and_a_discharge_at_its_floor() -> None:
    plant = Plant(capacity_kwh=10, start_pct=50)
    for mode, target in ((BatteryMode.CHARGE, 50.5), (BatteryMode.DISCHARGE, 49.5)):
        cells = Cells(plant, STEP)
        order = order_of(BatteryCommand(mode=mode, soc_pct=target), plant, STEP)
        for _ in range(12):
            cells.live(order, 0.0, 0.0)
        assert cells.stored == pytest.approx(target / 10)


def test_the_battery_s_own_draw_empties_it() -> None:
    cells = Cells(Plant(capacity_kwh=10, start_pct=50, standby_w=120), STEP)
    for _ in range(12):
        cells.live(Order(BatteryMode.IDLE, 0.0, 0.0), 0.0, 0.0)
    assert cells.stored == pytest.approx(5 - 0.12)


@pytest.mark.parametrize(
    "wrong",
    [{"capacity_kwh": 0}, {"charge_w": -1}, {"charge_efficiency": 0}, {"reserve_pct": 100}],
    ids=str,
)
def test_what_is_no_battery_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ProblemError):
        Plant(**wrong)
