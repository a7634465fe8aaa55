"""The simulated inverter checks what it is told, obeys it, and measures its house."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from luxpower_station import AC_OFF, AC_ON, START, Station, a_station
from ohmstead.devices.luxpower.simulator import LoggerSettings
from ohmstead.simulation import HouseSettings

# ---- settings -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "register", "word", "code"),
    [
        pytest.param("acs_3600", 66, 100, None, id="per cent"),
        pytest.param("acs_3600", 66, 101, 3, id="more than all"),
        pytest.param("eg4_12kpv", 66, 120, None, id="hundreds of watts"),
        pytest.param("acs_3600", 67, 101, None, id="never stop"),
        pytest.param("acs_3600", 105, 9, 3, id="too deep a discharge"),
        pytest.param("acs_3600", 68, 0x3C00, 3, id="sixty minutes"),
        pytest.param("acs_3600", 21, AC_ON, None, id="AC charge on"),
        pytest.param("acs_3600", 21, AC_OFF | 1, 3, id="EPS on a model that has none"),
        pytest.param("eg4_12kpv", 21, AC_OFF | 1, None, id="EPS on a model that has it"),
        pytest.param("acs_3600", 110, 3, 3, id="off-grid PV on a model that has none"),
        pytest.param("acs_3600", 234, 60, 3, id="what only newer firmware has"),
        pytest.param("eg4_12kpv", 234, 60, None, id="newer firmware has it"),
        pytest.param("acs_3600", 300, 1, 2, id="beyond its map"),
        pytest.param("acs_3600", 11, 2, 3, id="a factory reset"),
        pytest.param("acs_3600", 12, 1044, 3, id="a third of the clock"),
        pytest.param("acs_3600", 120, 0b1110, 3, id="a choice nobody has"),
        pytest.param("acs_3600", 31, 5, None, id="a register of the grid code, alas"),
    ],
)
async def test_it_checks_what_it_is_told(
    model: str, register: int, word: int, code: int | None
) -> None:
    async with a_station(model=model) as station:
        before = await station.peer.words(register, 1) if register < 240 else ()
        assert await station.peer.write(register, word) == code
        assert [(at, place, told) for at, place, told in station.simulator.writes] == [
            (START, register, word)
        ]
        if register < 240:
            expected = (word,) if code is None else before
            assert await station.peer.words(register, 1) == expected


async def test_settings_outlive_a_restart(tmp_path: Path) -> None:
    logger = LoggerSettings(broadcast_s=None, store=tmp_path / "settings.json")
    async with a_station(logger) as station:
        await station.peer.write(67, 85)
    async with a_station(logger) as station:
        assert await station.peer.words(67, 1) == (85,)
        assert await station.peer.words(21, 1) == (AC_OFF,)


async def test_the_clock_runs_can_be_set_and_knows_no_summer_time() -> None:
    spring = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    async with a_station(start=spring) as station:
        assert await clock_of(station) == datetime(2026, 3, 29, 0, 30)
        station.clock.move(7_200)
        assert await clock_of(station) == datetime(2026, 3, 29, 2, 30)
        words = (2026 - 2000 | 3 << 8, 29 | 3 << 8, 30)
        assert await station.peer.write(12, *words) is None
        station.clock.move(60)
        assert await clock_of(station) == datetime(2026, 3, 29, 3, 31)
        assert await station.peer.write(12, 26 | 13 << 8, 1, 0) == 3  # month 13


async def test_a_clock_may_run_away() -> None:
    logger = LoggerSettings(broadcast_s=None, drift_s_per_day=60)
    async with a_station(logger) as station:
        station.clock.move(43_200)
        assert await clock_of(station) == datetime(2026, 1, 15, 14, 0, 30)


async def clock_of(station: Station) -> datetime:
    first, second, third = await station.peer.words(12, 3)
    return datetime(
        2000 + (first & 255), first >> 8, second & 255, second >> 8, third & 255, third >> 8
    )


# ---- behaviour ------------------------------------------------------------------------


async def test_ac_charge_charges_and_ends_by_itself_at_the_slots_end() -> None:
    async with a_station() as station:
        house, peer = station.simulator.house, station.peer
        await peer.words(0, 40, holding=False)
        assert house.battery_w == 500
        for register, word in ((66, 50), (68, 2), (69, 3), (21, AC_ON)):
            assert await peer.write(register, word) is None
        assert house.battery_w == pytest.approx(-1_800)
        shown = await peer.words(0, 40, holding=False)
        assert shown[0] == 0x20
        assert (shown[17], shown[10], shown[11]) == (1_800, 1_710, 0)
        assert shown[27] == 2_300
        station.clock.move(3_599)
        await peer.words(0, 40, holding=False)
        assert house.battery_w < 0
        station.clock.move(1)
        shown = await peer.words(0, 40, holding=False)
        assert (shown[0], shown[17]) == (0x10, 0)
        assert house.battery_w == pytest.approx(500)
        assert house.totals.ac_charged_kwh == pytest.approx(1.8, rel=0.001)
        assert shown[32] == 18


async def test_ac_charge_stops_at_its_limit_and_keeps_what_it_has() -> None:
    async with a_station(house=HouseSettings(start_soc_pct=58)) as station:
        for register, word in ((67, 60), (21, AC_ON)):
            await station.peer.write(register, word)
        station.clock.move(3_600)
        shown = await station.peer.words(0, 40, holding=False)
        assert (shown[5] & 0xFF, shown[0], shown[17]) == (60, 0, 0)


async def test_day_totals_begin_anew_at_the_inverters_own_midnight() -> None:
    async with a_station(load_w=3_000) as station:
        await station.peer.write(12, 26 | 1 << 8, 15 | 23 << 8, 0)
        await station.peer.write(65, 0)
        station.clock.move(3_590)
        assert (await station.peer.words(37, 1, holding=False)) == (30,)
        station.clock.move(20)
        low, high, day = (
            await station.peer.words(58, 1, holding=False),
            await station.peer.words(59, 1, holding=False),
            await station.peer.words(37, 1, holding=False),
        )
        assert day == (0,)
        assert low[0] + (high[0] << 16) == 0x2E3F + 30


async def test_its_measurements_agree_with_its_house() -> None:
    house = HouseSettings(hybrid=True, inverter_w=12_000)
    async with a_station(model="lxp_12k", house=house, pv_w=4_000) as station:
        station.clock.move(3_600)
        words = await station.peer.words(0, 127, holding=False)
        seen = station.simulator.inverter.inputs.table.decode(dict(enumerate(words))).values
        assert seen["status"] == "PV charge"
        assert (seen["pv1_w"], seen["pv2_w"]) == (2_200, 1_800)
        assert seen["grid_import_w"] == 0
        assert seen["battery_charge_w"] == pytest.approx(3_500 * 0.95, abs=1)
        assert seen["inverter_w"] == 500
        assert 49 < number(seen["battery_v"]) < 56
        assert 230 < number(seen["grid_v"]) < 250
        assert 3.2 < number(seen["cell_min_v"]) < number(seen["cell_max_v"]) < 3.6
        assert number(seen["battery_a"]) < -50
        assert seen["inverter_serial"] == "5555555555"
        assert seen["pv1_today_kwh"] == 2.2


async def test_a_power_cut_shows() -> None:
    async with a_station() as station:
        station.simulator.house.grid_up = False
        station.simulator.house.settle()
        shown = await station.peer.words(0, 40, holding=False)
        assert (shown[0], shown[12], shown[24]) == (0x40, 0, 500)


def number(value: object) -> float:
    assert isinstance(value, int | float)
    return value
