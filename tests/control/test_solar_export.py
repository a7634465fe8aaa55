"""In summer the sun is sold by day, and the battery serves the house from the night's charge."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from functools import partial

import pytest

from houses import NOON, a_price_curve, a_site
from ohmstead.control.decide import decide
from ohmstead.control.evening_export import EveningExport, evening_export
from ohmstead.control.solar_export import SolarExport, solar_export
from ohmstead.model import Advice, BatteryMode, Prices, Room, SiteSnapshot

USUAL = SolarExport()
PRICED = SolarExport(at_least_per_kwh=0.15, cheap_per_kwh=0.08)


def a_house(
    soc_pct: float | None = 60,
    *,
    at: datetime = NOON,
    memory: Mapping[str, str] | None = None,
    costs: float | None = None,
    pays: float | None = None,
) -> SiteSnapshot:
    buy, sell = (
        None if value is None else a_price_curve(value, start=at) for value in (costs, pays)
    )
    site = a_site(at=at, soc_pct=soc_pct)
    return replace(site, memory=memory or {}, prices=Prices(buy=buy, sell=sell))


def said(house: SiteSnapshot, settings: SolarExport = USUAL) -> Advice:
    return solar_export(house, Room(), settings)


@pytest.mark.parametrize(
    ("at", "exports"),
    [
        pytest.param("2026-06-21 12:00", True, id="a summer's day"),
        pytest.param("2026-06-21 04:29", False, id="before it"),
        pytest.param("2026-06-21 04:30", True, id="from half past five"),
        pytest.param("2026-06-21 19:00", False, id="from eight"),
        pytest.param("2026-03-31 22:59", False, id="March"),
        pytest.param("2026-04-01 12:00", True, id="April"),
        pytest.param("2026-10-01 12:00", False, id="October"),
    ],
)
def test_when(at: str, exports: bool) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    advice = said(a_house(at=moment))
    assert (advice.room is not None) is exports
    assert advice.blind is not exports


@pytest.mark.parametrize(
    ("at", "exports"),
    [
        pytest.param("2026-03-29 04:29", False, id="the clocks went forward: 05:29"),
        pytest.param("2026-03-29 04:30", True, id="05:30"),
        pytest.param("2026-10-25 05:29", False, id="the clocks went back: 05:29"),
        pytest.param("2026-10-25 05:30", True, id="05:30 again"),
    ],
)
def test_the_day_begins_by_the_wall_clock(at: str, exports: bool) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    advice = said(a_house(at=moment), replace(USUAL, months=(3, 10)))
    assert (advice.room is not None) is exports


def test_it_says_how_long() -> None:
    advice = said(a_house())
    assert advice.reason == "until 20:00 the sun is exported, and the battery serves the house"
    assert advice.room is not None
    assert advice.room.until == datetime(2026, 6, 21, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("socs_pct", "exports"),
    [
        ([16], True),
        ([15], False),
        ([15, 20], False),
        ([15, 20.1], True),
        ([None], False),
    ],
    ids=["enough", "low", "a little more", "enough again", "unknown"],
)
def test_a_low_battery_stores_the_sun(socs_pct: list[float | None], exports: bool) -> None:
    memory: Mapping[str, str] = {}
    advice = Advice(reason="")
    for soc_pct in socs_pct:
        advice = said(a_house(soc_pct, memory=memory))
        memory = advice.memory
    assert (advice.room is not None) is exports


@pytest.mark.parametrize(
    ("costs", "pays", "reason"),
    [
        pytest.param(0.27, 0.15, None, id="dear to buy, and it pays"),
        pytest.param(0.07, 0.15, "importing costs 7p, so the night goes on", id="a dispatch"),
        pytest.param(0.27, 0.04, "exporting pays 4p, less than 15p", id="it does not pay"),
        pytest.param(None, 0.15, "the import price is not known for now", id="import unknown"),
        pytest.param(0.27, None, "the export price is not known for now", id="export unknown"),
    ],
)
def test_the_prices(costs: float | None, pays: float | None, reason: str | None) -> None:
    advice = said(a_house(costs=costs, pays=pays), PRICED)
    assert (advice.room is None) is (reason is not None)
    assert reason is None or advice.reason == reason


@pytest.mark.parametrize("month", [5, 6])
def test_a_gap_in_the_prices_is_not_known(month: int) -> None:
    at = datetime(2026, month, 21, 12, tzinfo=UTC)
    empty = a_price_curve()
    for prices in (Prices(buy=empty), Prices(buy=a_price_curve(0.27, start=at), sell=empty)):
        advice = said(replace(a_house(at=at), prices=prices), PRICED)
        assert advice.reason.endswith("price is not known for now")


def test_an_export_of_the_battery_goes_before() -> None:
    evening = EveningExport(start=time(12), end=time(15))
    chain = [
        ("solar_export", partial(solar_export, settings=USUAL)),
        ("evening_export", partial(evening_export, settings=evening)),
    ]
    for number, mode in ((1, BatteryMode.EXPORT_SOLAR), (2, BatteryMode.DISCHARGE)):
        command = decide(a_house(), chain[:number]).command
        assert command is not None
        assert command.mode is mode


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"months": ()}, "months"),
        ({"months": (0,)}, "months"),
        ({"min_soc_pct": 100}, "min_soc_pct"),
        ({"start": time(5, tzinfo=UTC)}, "start is a local time"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SolarExport(**wrong)  # type: ignore[arg-type]
