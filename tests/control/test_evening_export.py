"""What the night brings back cheaper is sold in the evening, gently, and down to a floor."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from houses import NOON, a_price_curve, a_site
from ohmstead.control.evening_export import EveningExport, evening_export
from ohmstead.model import Advice, BatteryMode, BatteryReading, Prices, PriceSlot, Room

EIGHT = datetime(2026, 6, 21, 19, tzinfo=UTC)
"""20:00 in summer."""
USUAL = EveningExport(capacity_kwh=9.5)


def said(
    soc_pct: float | None,
    settings: EveningExport = USUAL,
    *,
    at: datetime = EIGHT,
    memory: Mapping[str, str] | None = None,
    pays: float | None = None,
    capacity_kwh: float | None = None,
) -> Advice:
    sell = None if pays is None else a_price_curve(pays, start=at)
    battery = None if soc_pct is None else BatteryReading(
        soc_pct=soc_pct, capacity_kwh=capacity_kwh)  # fmt: skip
    site = replace(a_site(at=at), battery=battery, memory=memory or {}, prices=Prices(sell=sell))
    return evening_export(site, Room(), settings)


@pytest.mark.parametrize(
    ("soc_pct", "minutes", "power_w"),
    [
        pytest.param(48, 0, 1_600, id="spread over all of the evening"),
        pytest.param(90, 0, 2_000, id="no faster than allowed"),
        pytest.param(20, 0, 1_000, id="no slower than makes sense"),
        pytest.param(30, 90, 2_000, id="the later, the faster"),
        pytest.param(12, 0, 1_000, id="just enough"),
        pytest.param(11.9, 0, None, id="too little"),
        pytest.param(8, 0, None, id="at the floor"),
        pytest.param(90, -1, None, id="too early"),
        pytest.param(90, 150, None, id="too late"),
    ],
)
def test_the_power(soc_pct: float, minutes: float, power_w: float | None) -> None:
    advice = said(soc_pct, at=EIGHT + timedelta(minutes=minutes))
    if power_w is None:
        assert advice.room is None
        assert advice.blind
    else:
        assert advice.room == Room(
            modes=frozenset({BatteryMode.DISCHARGE}),
            discharge_w=power_w,
            floor_pct=8,
            until=EIGHT + timedelta(minutes=150),
        )


@pytest.mark.parametrize(
    ("socs_pct", "power_w"),
    [
        pytest.param([48, 47.8], 1_600, id="the same all evening"),
        pytest.param([48, 9], 1_600, id="to the floor, and no slower at the end"),
        pytest.param([48, 8], None, id="where it ends"),
        pytest.param([48, 8, 9], None, id="it does not begin again"),
        pytest.param([11, 30], None, id="what did not begin at first does not later"),
        pytest.param([20, 48], 1_900, id="much more is needed than thought"),
    ],
)
def test_an_evening(socs_pct: list[float], power_w: float | None) -> None:
    memory: Mapping[str, str] = {}
    advice = Advice(reason="")
    for n, soc_pct in enumerate(socs_pct):
        advice = said(soc_pct, memory=memory, at=EIGHT + n * timedelta(minutes=30))
        memory = advice.memory
    assert (None if advice.room is None else advice.room.discharge_w) == power_w


def test_the_next_evening_is_another() -> None:
    ended = said(8)
    assert said(60, at=EIGHT + timedelta(days=1), memory=ended.memory).room is not None


@pytest.mark.parametrize(
    ("pays", "exports", "reason"),
    [
        (0.15, True, "what is above 8 % is exported with 1600 W until 22:30"),
        (0.149, False, "exporting pays 14.9p, which is less than 15p"),
        (None, False, "the export price is not known for now"),
    ],
)
def test_only_while_it_pays(pays: float | None, exports: bool, reason: str) -> None:
    advice = said(48, replace(USUAL, at_least_per_kwh=0.15), pays=pays)
    assert (advice.room is not None) is exports
    assert advice.reason == reason


def test_a_gap_in_the_export_prices_is_not_known() -> None:
    late = PriceSlot(start=NOON - timedelta(hours=2), end=NOON, per_kwh=0.5)
    prices = Prices(sell=replace(a_price_curve(), slots=(late,)))
    site = replace(a_site(at=EIGHT), prices=prices)
    assert evening_export(site, Room(), replace(USUAL, at_least_per_kwh=0.15)).blind


def test_the_inverter_may_say_the_capacity_and_without_it_the_most_is_taken() -> None:
    for capacity_kwh, power_w in ((9.5, 1_600), (None, 2_000)):
        room = said(48, EveningExport(), capacity_kwh=capacity_kwh).room
        assert room is not None
        assert room.discharge_w == power_w


def test_without_knowing_the_battery_it_passes() -> None:
    assert said(None).blind


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        pytest.param("2026-03-28 23:00", "2026-03-29 02:00", id="over the night of 23 hours"),
        pytest.param("2026-10-24 22:00", "2026-10-25 03:00", id="over the night of 25 hours"),
    ],
)
def test_the_clocks_change_at_night(day: str, ends: str) -> None:
    late = replace(USUAL, start=time(23), end=time(3), max_w=9_000)
    begins, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (day, ends))
    room = said(88, late, at=begins).room
    assert room is not None
    assert room.until == end
    hours = (end - begins) / timedelta(hours=1)
    assert room.discharge_w == pytest.approx(7_600 / hours, abs=100)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"floor_pct": 100}, "floor_pct"),
        ({"least_pct": -1}, "least_pct"),
        ({"min_w": 3_000}, "min_w"),
        ({"capacity_kwh": 0}, "capacity_kwh"),
        ({"end": time(22, tzinfo=UTC)}, "end is a local time"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        EveningExport(**wrong)  # type: ignore[arg-type]
