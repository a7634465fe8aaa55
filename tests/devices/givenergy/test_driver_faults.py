"""Every vice of a real dongle: what is shown is true or nothing, and it comes back."""

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import time

import pytest

from givenergy_dongle import QUICK, Home, a_home, until
from ohmstead.devices.givenergy.simulator import DongleSettings
from ohmstead.devices.givenergy.simulator_faults import FAULTS
from ohmstead.errors import DeviceBusy, DeviceError, DeviceUnreachable
from ohmstead.model import Reading

PATIENT = DongleSettings(heartbeat_s=1e9, slow_s=0.4)
HASTY = replace(QUICK, reply_s=0.1)
DUMB = ("silent", "slow", "wrong_crc", "half_frame", "null", "drop")
"""No proper answer ever comes."""
ODD = ("split", "duplicate", "foreign", "lan_config")
"""Every answer comes, among other things."""
LOSSY = ("lossy", "noisy")
PAGES = ("all_zero", "substituted")
"""The inverter's own pages are nonsense."""
VALUES = ("splice", "soc_zero", "clock_2000", "counter_step", "hertz_tenfold")
"""Some values are nonsense."""

ALONE = ("zero_tail", "error", "deaf", "hangs", "frozen")


def test_every_vice_has_its_test() -> None:
    known = (*DUMB, *ODD, *LOSSY, *PAGES, *VALUES, *ALONE)
    assert sorted(known) == sorted(FAULTS)


def assert_true(home: Home, reading: Reading, but: Iterable[str] = ()) -> None:
    """Check what can be compared with the house; what is not known must be doubted or absent."""
    house, values = home.simulator.house, reading.values
    near = {
        "battery_soc_pct": (house.battery.soc_pct, 1.5),
        "grid_w": (house.grid_w, 4),
        "load_w": (house.load_w, 0.1 * house.load_w + 30),
        "battery_1_soc_pct": (house.battery.soc_pct, 1.5),
        "battery_2_soc_pct": (house.battery.soc_pct, 1.5),
        "battery_1_cells_v": (house.battery.voltage_v, 0.3),
        "grid_hz": (50, 0.1),
        "grid_import_total_kwh": (1_000 + house.totals.import_kwh, 0.051),
        "pv_total_kwh": (1_000 + house.totals.pv_kwh, 0.051),
        "reserve_soc_pct": (4, 0),
        "charge_rate_pct": (50, 0),
        "clock_drift_s": (0, 1.5),
    }
    for name, (wanted, by) in near.items():
        value = values.get(name)
        if name in but:
            assert value is None
            assert name == "clock_drift_s" or name in reading.doubts
        elif value is not None:
            assert isinstance(value, int | float)
            assert value == pytest.approx(wanted, abs=by), name
    assert values.get("serial") in {None, home.simulator.inverter.serial}
    assert values.get("battery_1_serial") in {None, "DF2244G001"}


async def settled(home: Home) -> None:
    """Read until all packs behind the inverter are known."""
    for _ in range(3):
        await home.read(31)


async def comes_back(home: Home) -> None:
    """Take all faults away; what is known then is known again."""
    home.simulator.faults = set()
    for _ in range(6):
        with contextlib.suppress(DeviceError):
            reading = await home.read(130)
            assert_true(home, reading)
            if None not in {reading.values.get(name) for name in ("grid_w", "battery_1_soc_pct")}:
                return
    pytest.fail("it never came back")


# ---- on the wire ---------------------------------------------------------------------------


@pytest.mark.parametrize("fault", DUMB)
async def test_without_a_proper_answer_it_is_unreachable_and_comes_back(fault: str) -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        await settled(home)
        home.simulator.faults = {fault}
        with pytest.raises(DeviceUnreachable):
            await home.read(1_000)
        with pytest.raises(DeviceUnreachable):
            await home.change("reserve_soc_pct", 20)
        # Sent once, and perhaps stored without a word: never twice.
        assert len(home.written) <= 1
        home.simulator.inverter.holdings.show(reserve_soc_pct=4)
        await comes_back(home)


async def test_answers_that_end_in_zeros_are_none_and_short_ones_are_whole() -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        await settled(home)
        home.simulator.faults = {"zero_tail"}
        with pytest.raises(DeviceUnreachable):
            await home.read(1_000)
        assert await home.change("reserve_soc_pct", 20) == 20
        assert home.written == [(110, 20)]
        home.simulator.inverter.holdings.show(reserve_soc_pct=4)
        await comes_back(home)


async def test_an_inverter_that_answers_errors_is_busy_and_comes_back() -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        await settled(home)
        home.simulator.faults = {"error"}
        with pytest.raises(DeviceBusy, match="refused input registers 0"):
            await home.read(1_000)
        with pytest.raises(DeviceError):
            await home.change("reserve_soc_pct", 20)
        assert home.written == []
        await comes_back(home)


@pytest.mark.parametrize("fault", ODD)
async def test_what_else_is_said_does_not_confuse(fault: str) -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        home.simulator.faults = {fault}
        await settled(home)
        reading = await home.read(200)
        assert_true(home, reading)
        assert reading.values["battery_2_serial"] == "DF2244G002"
        assert await home.change("reserve_soc_pct", 20) == 20
        assert await home.driver.setting("reserve_soc_pct") == 20
        assert await home.driver.setting("charge_rate_pct") == 50
        assert home.written == [(110, 20)]


async def test_somebody_elses_echo_does_not_confirm_our_write() -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        home.simulator.faults = {"foreign", "deaf"}
        assert await home.change("reserve_soc_pct", 20) == 4
        assert await home.driver.setting("charge_rate_pct") == 50


@pytest.mark.parametrize("fault", LOSSY)
async def test_a_line_with_losses_shows_what_is_true_or_nothing(fault: str) -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        home.simulator.faults = {fault}
        known = 0
        for _ in range(6):
            with contextlib.suppress(DeviceError):
                reading = await home.read(31)
                assert_true(home, reading)
                known += 1
        assert known > 3
        written = 0
        for value in (20, 21, 22):
            with contextlib.suppress(DeviceError):
                assert await home.change("reserve_soc_pct", value) == value
                written += 1
        assert written
        home.simulator.inverter.holdings.show(reserve_soc_pct=4)
        await comes_back(home)


async def test_a_deaf_inverter_shows_what_it_held_before() -> None:
    async with a_home() as home:
        home.simulator.faults = {"deaf"}
        assert await home.change("reserve_soc_pct", 20) == 4
        assert await home.change("charge_slot_1_start", time(23, 30)) == time(0)
        assert set(home.written) == {(110, 20), (94, 2330)}
        assert len(home.written) == 6


async def test_a_dongle_that_hung_from_haste_is_left_and_comes_back() -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        home.simulator.faults = {"hangs"}
        for _ in range(5):
            with contextlib.suppress(DeviceError):
                assert_true(home, await home.read(31))
        assert home.simulator.clients.seen > 1
        await comes_back(home)


async def test_who_hangs_up_on_every_write_has_it_written_once() -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        await settled(home)
        home.simulator.faults = {"drop"}
        with pytest.raises(DeviceUnreachable):
            await home.change("reserve_soc_pct", 20)
        home.simulator.faults = set()
        assert home.written == [(110, 20)]
        await until(lambda: home.simulator.clients.connected)
        assert await home.driver.setting("reserve_soc_pct") == 20


# ---- in its registers ----------------------------------------------------------------------


@pytest.mark.parametrize("fault", PAGES)
async def test_pages_of_nonsense_are_no_reading(fault: str) -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        home.simulator.faults = {fault}
        with pytest.raises(DeviceBusy):
            await home.read()
        assert home.driver.points["serial"].writable is None
        await comes_back(home)


@pytest.mark.parametrize("fault", PAGES)
async def test_pages_of_nonsense_are_not_believed_after_true_ones(fault: str) -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        await settled(home)
        home.simulator.faults = {fault}
        reading = await home.read(20)
        assert reading.values["pages_refused"] != 0
        assert reading.at < home.clock.now()
        assert_true(home, reading)
        with pytest.raises(DeviceBusy):
            await home.read(61)
        await comes_back(home)


@pytest.mark.parametrize(
    ("fault", "lost"),
    [
        ("splice", ["battery_1_soc_pct", "battery_1_cells_v"]),
        ("soc_zero", ["battery_soc_pct"]),
        ("clock_2000", ["clock_drift_s"]),
        ("counter_step", ["grid_import_total_kwh"]),
        ("hertz_tenfold", ["grid_hz"]),
    ],
)
async def test_values_that_cannot_be_true_are_none_and_say_why(fault: str, lost: list[str]) -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        await settled(home)
        await home.read(130)
        home.simulator.faults = {fault}
        assert_true(home, await home.read(1))
        # Packs and settings are asked for once a minute or two; until then what is shown is old.
        await home.read(130)
        await home.read(100)
        assert_true(home, await home.read(100), but=lost)
        await comes_back(home)


@pytest.mark.parametrize("fault", VALUES)
async def test_values_that_cannot_be_true_are_not_shown_at_first_either(fault: str) -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        home.simulator.faults = {fault}
        for _ in range(5):
            reading = await home.read(31)
            if fault != "counter_step":  # nobody could know
                assert_true(home, reading)
        if fault != "splice":  # ten polls of nonsense are to be healed first
            await comes_back(home)


async def test_packs_that_show_the_past_spoil_nothing_else() -> None:
    async with a_home(dongle=PATIENT, patience=HASTY) as home:
        await settled(home)
        home.simulator.faults = {"frozen"}
        for _ in range(3):
            reading = await home.read(100)
            assert reading.values["battery_soc_pct"] == pytest.approx(
                home.simulator.house.battery.soc_pct, abs=1.5
            )
            assert reading.values["battery_1_serial"] == "DF2244G001"
