"""A day is told when it is over and whole, by the house's own midnight."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from houses import LONDON
from ohmstead.outputs.pvoutput_day import Day, DayMaker

MINUTE = timedelta(minutes=1)
MIDSUMMER = datetime(2026, 6, 20, 23, tzinfo=UTC)
"""When the 21st begins in London."""


def lived(
    maker: DayMaker, start: datetime, minutes: int, pv_w: float | None, grid_w: float | None
) -> list[Day]:
    """Let the house take a turn a minute, and return the days that ended."""
    return [d for n in range(minutes) for d in maker.see(start + n * MINUTE, pv_w, grid_w)]


def test_a_day_is_told_after_its_midnight() -> None:
    maker = DayMaker(LONDON)
    assert lived(maker, MIDSUMMER, 24 * 60, 1_000, -250) == []
    (day,) = lived(maker, MIDSUMMER + timedelta(days=1), 2, 0, 500)
    assert day.day == date(2026, 6, 21)
    assert day.generated_wh == pytest.approx(24_000, rel=0.002)
    assert day.exported_wh == pytest.approx(6_000, rel=0.002)


@pytest.mark.parametrize(
    ("start", "hours"),
    [
        pytest.param(datetime(2026, 3, 29, 0, tzinfo=UTC), 23, id="the day of 23 hours"),
        pytest.param(datetime(2026, 10, 24, 23, tzinfo=UTC), 25, id="the day of 25 hours"),
    ],
)
def test_days_of_23_and_25_hours_are_whole(start: datetime, hours: int) -> None:
    maker = DayMaker(LONDON)
    (day,) = lived(maker, start, hours * 60 + 1, 100, 0)
    assert day.generated_wh == pytest.approx(100 * hours, rel=0.002)


@pytest.mark.parametrize(
    ("start", "pv_w", "grid_w"),
    [
        pytest.param(MIDSUMMER + timedelta(hours=2), 100, 0, id="it began at two"),
        pytest.param(MIDSUMMER, None, 0, id="nobody knew the sun"),
        pytest.param(MIDSUMMER, 100, None, id="nobody knew the grid"),
    ],
)
def test_a_day_that_is_not_whole_is_not_told(
    start: datetime, pv_w: float | None, grid_w: float | None
) -> None:
    maker, end = DayMaker(LONDON), MIDSUMMER + timedelta(days=1, minutes=2)
    minutes = round((end - start) / MINUTE)
    assert lived(maker, start, minutes, pv_w, grid_w) == []


def test_a_restart_goes_on_with_the_day() -> None:
    before, after = DayMaker(LONDON), DayMaker(LONDON)
    assert before.kept() is None
    lived(before, MIDSUMMER, 12 * 60, 1_000, 0)
    after.take_up(json.loads(json.dumps(before.kept())))
    (day,) = lived(after, MIDSUMMER + timedelta(hours=12, minutes=5), 12 * 60, 1_000, 0)
    assert day.generated_wh == pytest.approx(24_000, rel=0.01)


def test_a_clock_put_back_over_midnight_tells_no_day_twice() -> None:
    maker, midnight = DayMaker(LONDON), MIDSUMMER + timedelta(days=1)
    assert len(lived(maker, MIDSUMMER, 24 * 60 + 2, 100, 0)) == 1
    assert lived(maker, midnight - 3 * MINUTE, 10, 100, 0) == []


def test_an_export_from_the_battery_is_capped_as_pvoutput_wants_it() -> None:
    day = Day(day=date(2026, 1, 15), generated_wh=1_000, exported_wh=5_000)
    assert day.fields() == {"d": "20260115", "g": "1000", "e": "1100"}


@pytest.mark.parametrize("kept", [{}, {"day": "today"}, {"day": "2026-01-15"}])
def test_what_is_no_day_is_refused(kept: dict[str, str]) -> None:
    with pytest.raises((KeyError, ValueError)):
        DayMaker(LONDON).take_up(kept)
