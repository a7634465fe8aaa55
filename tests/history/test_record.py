"""What is recorded: changes, heartbeats, gaps; each point at its own rhythm."""

from datetime import UTC, datetime, time, timedelta

import pytest

from histories import MORNING, a_tick, kind_of
from houses import ToyBattery, a_price_curve
from ohmstead.history.record import Recorder, kinds_of
from ohmstead.history.settings import HistorySettings
from ohmstead.history.signals import SITE, Form, Sample, Signal, Words
from ohmstead.model import BatteryMode, BatteryReading, Kind, Point, Prices, SiteSnapshot, Value


def a_recorder(**settings: float) -> Recorder:
    return Recorder(HistorySettings(**settings), Words(), kind_of)  # type: ignore[arg-type] # floats


def said(recorder: Recorder, second: float, value: Value | None, **read: float) -> list[object]:
    """Return what is recorded of one point: seconds since the morning, and the value."""
    at = MORNING + timedelta(seconds=second)
    read_at = MORNING + timedelta(seconds=read["read_s"]) if read else at
    found = recorder.samples(a_tick(at, {"grid_w": value}, read_at=read_at))
    origin = MORNING.timestamp()
    return [(s.at_ms / 1_000 - origin, s.value) for s in found if s.signal.device == "inverter"]


def test_an_unchanged_value_is_recorded_again_with_the_heartbeat_only() -> None:
    recorder = a_recorder()
    found = [said(recorder, 60 * minute, 500) for minute in range(21)]
    assert [minute for minute, samples in enumerate(found) if samples] == [0, 10, 20]


def test_a_changed_value_is_recorded_at_once_but_not_too_often() -> None:
    recorder = a_recorder(least_s=10)
    found = [said(recorder, second, 500 + second) for second in range(0, 31, 2)]
    assert [2 * n for n, samples in enumerate(found) if samples] == [0, 10, 20, 30]


def test_each_sample_has_the_moment_of_its_reading() -> None:
    recorder = a_recorder()
    assert said(recorder, 12, 500, read_s=10) == [(10, 500)]
    assert said(recorder, 72, 600, read_s=70) == [(70, 600)]


def test_a_slow_device_is_not_recorded_at_the_rhythm_of_the_loop() -> None:
    recorder = a_recorder()
    found = [said(recorder, 60 * minute, 500, read_s=0) for minute in range(15)]
    assert [minute for minute, samples in enumerate(found) if samples] == [0, 10]


def test_a_value_nobody_knows_begins_a_gap_once() -> None:
    recorder = a_recorder()
    found = [said(recorder, 60 * n, value) for n, value in enumerate([5, None, None, 5])]
    assert found == [[(0, 5)], [(60, None)], [], [(180, 5)]]


def test_a_point_that_never_had_a_value_is_not_recorded() -> None:
    assert said(a_recorder(), 0, None) == []


def test_a_silent_device_begins_a_gap_in_all_its_points() -> None:
    recorder = a_recorder()
    recorder.samples(a_tick(MORNING, {"grid_w": 5, "mode": "eco"}))
    later = MORNING + timedelta(seconds=60)
    gaps = recorder.samples(a_tick(later, None))
    assert {(s.signal.point, s.value) for s in gaps} == {("grid_w", None), ("mode", None)}
    assert recorder.samples(a_tick(later + timedelta(seconds=60), None)) == []


def test_a_device_that_is_gone_begins_a_gap() -> None:
    recorder = a_recorder()
    recorder.samples(a_tick(MORNING, {"grid_w": 5}))
    later = MORNING + timedelta(seconds=60)
    gaps = recorder.samples(a_tick(later, {"grid_w": 6}, device="another"))
    assert Sample(Signal("inverter", "grid_w"), round(later.timestamp() * 1_000), None) in gaps


def test_recording_goes_on_when_the_clock_is_set_back() -> None:
    recorder = a_recorder()
    found = [said(recorder, second, second) for second in (7_200, 7_190, 3_600, 3_660)]
    assert [len(samples) for samples in found] == [1, 0, 1, 1]


@pytest.mark.parametrize(
    ("value", "form"),
    [
        pytest.param(2_300.5, Form.NUMBER, id="number"),
        pytest.param(7, Form.NUMBER, id="whole number"),
        pytest.param(True, Form.FLAG, id="flag"),
        pytest.param("eco", Form.TEXT, id="text"),
        pytest.param(time(23, 30), Form.TIME, id="time of day"),
        pytest.param(datetime(2026, 6, 21, 7, 30, 5), Form.MOMENT, id="a device's clock"),
    ],
)
def test_every_kind_of_value_comes_back(value: Value, form: Form) -> None:
    words = Words()
    recorder = Recorder(HistorySettings(), words, kind_of)
    (sample,) = recorder.samples(a_tick(MORNING, {"it": value}))
    assert sample.signal.form is form
    assert sample.value is not None
    assert words.to_value(form, sample.value) == value


def test_a_total_is_known_by_its_kind() -> None:
    (sample,) = a_recorder().samples(a_tick(MORNING, {"import_kwh": 5.5}))
    assert sample.signal.form is Form.TOTAL


def test_the_kind_of_a_point_is_what_its_device_says() -> None:
    points = {"made_kwh": Point(key="made_kwh", label="Made", kind=Kind.TOTAL)}
    kind = kinds_of({"inverter": ToyBattery(points=points)})
    assert kind("inverter", "made_kwh") is Kind.TOTAL
    assert kind("inverter", "another") is kind(SITE, "grid_w") is None


def test_a_point_that_begins_to_say_words_becomes_another_signal() -> None:
    recorder = a_recorder()
    first = recorder.samples(a_tick(MORNING, {"state": 3}))
    second = recorder.samples(a_tick(MORNING + timedelta(seconds=60), {"state": "fault"}))
    assert [s.signal.form for s in (*first, *second)] == [Form.NUMBER, Form.TEXT]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_what_is_no_number_is_unknown(value: float) -> None:
    assert said(a_recorder(), 0, value) == []


def test_the_house_itself_is_recorded_with_battery_and_prices() -> None:
    curve = a_price_curve(0.25, start=MORNING)
    site = SiteSnapshot(
        at=MORNING, grid_w=-200, pv_w=3_000, load_w=800, prices=Prices(buy=curve),
        battery=BatteryReading(soc_pct=55, power_w=-2_000, capacity_kwh=9.5, max_charge_w=3_600),
        mode=BatteryMode.SELF_USE,
    )  # fmt: skip
    words = Words()
    recorder = Recorder(HistorySettings(), words, kind_of)
    found = {
        s.signal.point: words.to_value(s.signal.form, s.value)
        for s in recorder.samples(a_tick(MORNING, {}, site=site))
        if s.value is not None and s.signal.device == SITE
    }
    assert found == {
        "grid_w": -200, "pv_w": 3_000, "load_w": 800, "battery_w": -2_000, "soc_pct": 55,
        "battery_capacity_kwh": 9.5, "battery_max_charge_w": 3_600, "buy_per_kwh": 0.25,
        "mode": "self_use",
    }  # fmt: skip


def test_too_many_words_are_unknown_instead_of_filling_the_disk() -> None:
    words = Words({n: f"word {n}" for n in range(1, 20_001)})
    assert words.number("word 17") == 17
    assert words.number("one too many") is None
    assert words.fresh() == {}


def test_moments_are_in_utc() -> None:
    (sample,) = a_recorder().samples(a_tick(MORNING, {"grid_w": 1}))
    assert datetime.fromtimestamp(sample.at_ms / 1_000, UTC) == MORNING
