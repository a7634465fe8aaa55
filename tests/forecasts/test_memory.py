"""The house's own measurements by the quarter of an hour, from any kind of chart."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from diary import Diary
from histories import a_history, a_tick
from ohmstead.forecasts import quarters
from ohmstead.forecasts.memory import Memory, measured
from ohmstead.history.book import Book
from ohmstead.history.settings import HistorySettings
from ohmstead.model import Chart, SiteSnapshot

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_chart(step_s: int, *points: tuple[float, float | None]) -> Chart:
    """Return a chart with a value at each of so many minutes after noon."""
    values = tuple(value for _, value in points)
    return Chart(
        device="site", point="pv_w", resolution="raw", step_s=step_s,
        times=tuple(NOON + minutes * MINUTE for minutes, _ in points),
        low=values, mean=values, high=values, last=values,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("chart", "known"),
    [
        pytest.param(
            a_chart(300, (0, 100), (5, 200), (10, 300), (15, 7), (20, 7)), [200, 7], id="steps"
        ),
        pytest.param(a_chart(3600, (0, 500)), [500] * 4, id="an hour spreads over its quarters"),
        pytest.param(
            a_chart(0, (0, 0), (5, 300), (15, None)), [200], id="a sample holds until the next"
        ),
        pytest.param(a_chart(300, (0, None), (5, 100), (10, 200)), [150], id="a part is enough"),
        pytest.param(a_chart(60, (0, 100), (1, 100)), [], id="too little is nothing"),
        pytest.param(a_chart(0, (0, 100), (5, None)), [100], id="silence ends a value"),
        pytest.param(a_chart(300), [], id="nothing"),
    ],
)
def test_quarters_are_the_mean_of_what_was_known(chart: Chart, known: list[float]) -> None:
    found = measured(chart, NOON, NOON + 60 * MINUTE)
    assert list(found.values()) == pytest.approx(known)
    assert list(found) == [quarters.of(NOON) + n for n in range(len(known))]


async def test_only_what_is_new_is_asked_for() -> None:
    diary = Diary({("site", "pv_w"): lambda _: 5.0}, NOON - timedelta(days=60), NOON + 90 * MINUTE)
    memory = Memory(diary, ("site", "pv_w"), days=30)
    await memory.refresh(NOON)
    assert len(memory.watts) == 30 * 96 - 1  # the last quarter is not all written down yet
    diary.asked.clear()
    await memory.refresh(NOON + 2 * MINUTE)
    assert diary.asked == []
    await memory.refresh(NOON + 31 * MINUTE)
    assert diary.asked == [(NOON - 15 * MINUTE, NOON + 15 * MINUTE)]
    assert len(memory.watts) == 30 * 96 - 1


async def test_a_closed_history_is_asked_again_and_an_unknown_point_is_no_trouble() -> None:
    diary = Diary({("site", "pv_w"): lambda _: 5.0}, NOON - timedelta(days=1), NOON, closed=True)
    memory, other = Memory(diary, ("site", "pv_w")), Memory(diary, ("zappi", "power_w"))
    await memory.refresh(NOON)
    await other.refresh(NOON)
    assert not memory.watts
    diary.closed = False
    await memory.refresh(NOON)
    await other.refresh(NOON)
    assert len(memory.watts) == 95
    assert not other.watts
    without = Memory(None, ("site", "pv_w"))
    await without.refresh(NOON)
    assert not without.watts


async def test_it_reads_the_real_history() -> None:
    settings = HistorySettings()
    async with a_history() as history:
        at = NOON - timedelta(hours=26)
        while at < NOON:
            site = SiteSnapshot(at=at, pv_w=float(at.hour * 100))
            await history.record(a_tick(at, {}, site=site))
            at += timedelta(seconds=30)
        book = Book(None, ZoneInfo("Europe/London"), settings)  # type: ignore[arg-type]
        book._history = history
        memory = Memory(book, ("site", "pv_w"))
        await memory.refresh(NOON)
        for hours in (1, 5, 20):
            assert memory.watts[quarters.of(NOON - timedelta(hours=hours))] == pytest.approx(
                (NOON.hour - hours) % 24 * 100, abs=2
            )
        assert len(memory.watts) > 100
