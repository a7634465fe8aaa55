"""Hours in which the panels were held back teach nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from diary import Diary
from ohmstead.forecasts import quarters
from ohmstead.forecasts.lessons import Lessons, held_back

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("grid_w", "soc_pct", "limit_w", "held"),
    [
        pytest.param(-3_660, 50, 3_680, True, id="at the limit"),
        pytest.param(-3_000, 100, 3_680, False, id="below it"),
        pytest.param(200, 100, 3_680, False, id="drawing"),
        pytest.param(5, 60, 0, False, id="no feed-in allowed, and room in the battery"),
        pytest.param(5, 99, 0, True, id="no feed-in allowed, and the battery full"),
        pytest.param(400, 99, 0, False, id="drawing though the battery is full"),
    ],
)
def test_the_feed_in_at_its_limit(
    grid_w: float, soc_pct: float, limit_w: float, held: bool
) -> None:
    assert held_back({7: grid_w}, {7: soc_pct}, limit_w) == ({7} if held else set())


def test_without_a_battery_no_feed_in_is_always_held_back() -> None:
    assert held_back({7: 5.0}, {}, 0) == {7}


@pytest.mark.parametrize(
    ("limit_w", "known"), [pytest.param(None, 95, id="free"), pytest.param(5_000, 47, id="limited")]
)
async def test_only_free_hours_are_lessons(limit_w: float | None, known: int) -> None:
    morning = NOON - timedelta(hours=12)
    diary = Diary(
        {
            ("site", "pv_w"): lambda _: 6_000.0,
            ("site", "grid_w"): lambda at: -5_000.0 if at < morning else -100.0,
        },
        NOON - timedelta(days=1),
        NOON,
    )
    lessons = Lessons(diary, ("site", "pv_w"), limit_w)
    await lessons.refresh(NOON)
    assert len(lessons.watts) == known
    assert quarters.of(NOON) - 2 in lessons.watts
