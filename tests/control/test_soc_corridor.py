"""The state of charge stays within its corridor, without going to and fro at its edges."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from houses import NOON, a_site
from ohmstead.control.soc_corridor import Corridor, SocCorridor, soc_corridor
from ohmstead.model import Advice, BatteryMode, Room

DAY = Corridor(start=time(5, 30), end=time(16, 30), min_soc_pct=25, max_soc_pct=60)
PEAK = Corridor(start=time(16, 30), end=time(19, 55), min_soc_pct=4, max_soc_pct=40)
BOTH = SocCorridor(parts=(DAY, PEAK), power_w=2_000)
EMPTYING = {BatteryMode.SELF_USE, BatteryMode.DISCHARGE, BatteryMode.EXPORT_SOLAR}
EVERY = frozenset(BatteryMode)


def said(
    soc_pct: float | None,
    settings: SocCorridor = BOTH,
    *,
    at: datetime = NOON,
    memory: Mapping[str, str] | None = None,
) -> Advice:
    site = replace(a_site(at=at, soc_pct=soc_pct), memory=memory or {})
    return soc_corridor(site, Room(), settings)


def does(advice: Advice) -> str:
    assert advice.room is not None
    if advice.room.modes == EVERY:
        return "free"
    if advice.room.modes == EVERY - EMPTYING:
        return "keep"
    return "export" if advice.room.modes == {BatteryMode.DISCHARGE} else "shut"


@pytest.mark.parametrize(
    ("socs_pct", "wanted"),
    [
        pytest.param([50], "free", id="within"),
        pytest.param([57], "shut", id="just below the upper edge, coming from nowhere"),
        pytest.param([50, 57], "free", id="filled to the edge"),
        pytest.param([50, 57, 60], "shut", id="and no further"),
        pytest.param([50, 60, 56], "shut", id="a little below, it stays so"),
        pytest.param([50, 60, 54.9], "free", id="far below, it is filled again"),
        pytest.param([50, 60, 64], "shut", id="a little above, nothing is exported"),
        pytest.param([65], "export", id="far above, it is"),
        pytest.param([66, 61], "export", id="down to the edge"),
        pytest.param([66, 60], "shut", id="and no further down"),
        pytest.param([26], "free", id="just above the reserve"),
        pytest.param([25], "keep", id="at the reserve"),
        pytest.param([25, 27], "keep", id="a little above it, still"),
        pytest.param([25, 27.1], "free", id="then it is free again"),
    ],
)
def test_the_edges(socs_pct: list[float], wanted: str) -> None:
    memory: Mapping[str, str] = {}
    advice = Advice(reason="")
    for soc_pct in socs_pct:
        advice = said(soc_pct, memory=memory)
        memory = advice.memory
    assert does(advice) == wanted


@pytest.mark.parametrize(
    ("local", "soc_pct", "wanted"),
    [
        pytest.param("2026-06-21 16:29", 50, "free", id="before the peak"),
        pytest.param("2026-06-21 16:30", 50, "export", id="from then on"),
        pytest.param("2026-06-21 16:30", 20, "free", id="the reserve is free"),
        pytest.param("2026-06-21 16:29", 20, "keep", id="but not before"),
        pytest.param("2026-03-29 05:30", 70, "export", id="the day the clocks go forward"),
        pytest.param("2026-10-25 05:30", 70, "export", id="the day they go back"),
    ],
)
def test_every_time_has_its_own(local: str, soc_pct: float, wanted: str) -> None:
    site = a_site()
    at = datetime.fromisoformat(local).replace(tzinfo=site.timezone).astimezone(UTC)
    assert does(said(soc_pct, at=at)) == wanted


def test_outside_all_of_them_it_passes() -> None:
    for at in (datetime(2026, 6, 21, 18, 55, tzinfo=UTC), datetime(2026, 3, 29, 4, 29, tzinfo=UTC)):
        advice = said(90, at=at)
        assert advice.room is None
        assert advice.blind


def test_an_export_ends_at_the_edge_and_with_the_corridor() -> None:
    advice = said(70)
    assert advice.room == Room(
        modes=frozenset({BatteryMode.DISCHARGE}),
        discharge_w=2_000,
        floor_pct=60,
        until=datetime(2026, 6, 21, 15, 30, tzinfo=UTC),
    )
    assert advice.reason == "until 16:30 what is above 60 % is exported"


def test_it_exports_as_fast_as_it_may_if_nothing_is_said() -> None:
    room = said(70, replace(BOTH, power_w=None)).room
    assert room is not None
    assert room.discharge_w == Room().discharge_w


def test_nothing_is_exported_where_the_owner_does_not_want_it() -> None:
    assert does(said(90, replace(BOTH, export=False))) == "shut"


def test_a_corridor_up_to_full_has_no_upper_edge() -> None:
    reserve = SocCorridor(parts=(Corridor(start=time(), end=time(), min_soc_pct=25),))
    assert does(said(100, reserve)) == "free"
    assert does(said(20, reserve)) == "keep"
    assert said(20, reserve).reason == "until Mon 00:00 the battery keeps 25 %"


def test_a_corridor_without_a_reserve_may_be_emptied() -> None:
    room_for_sun = SocCorridor(parts=(Corridor(start=time(), end=time(), max_soc_pct=60),))
    assert does(said(0, room_for_sun)) == "free"


def test_without_knowing_the_battery_it_passes() -> None:
    assert said(None).blind


@pytest.mark.parametrize(
    ("kind", "wrong", "said"),
    [
        (Corridor, {"start": time(), "end": time(), "min_soc_pct": 60, "max_soc_pct": 60}, "below"),
        (Corridor, {"start": time(tzinfo=UTC), "end": time()}, "start is a local time"),
        (SocCorridor, {"parts": ()}, "parts"),
        (SocCorridor, {"parts": (DAY,), "band_pct": 0}, "band_pct"),
        (SocCorridor, {"parts": (DAY,), "power_w": 0}, "power_w"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    kind: type, wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        kind(**wrong)
