"""A window to come, as a slot of every day on the house's own clock."""

from datetime import UTC, datetime, time, timedelta

import pytest

from houses import LONDON
from ohmstead.model import coming_window


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        pytest.param(datetime(2026, 1, 15, 22, tzinfo=UTC), (time(1), time(4, 30)), id="winter"),
        pytest.param(datetime(2026, 7, 15, 22, tzinfo=UTC), (time(2), time(5, 30)), id="summer"),
        pytest.param(
            datetime(2026, 3, 28, 22, tzinfo=UTC), (time(1), time(4, 30)),
            id="the night the clocks change, which the inverter's does not by itself",
        ),
    ],
)  # fmt: skip
def test_a_window_is_in_the_time_that_holds_now(now: datetime, slot: tuple[time, time]) -> None:
    start = now + timedelta(hours=3)
    assert coming_window(now, start, start + timedelta(hours=3.5), LONDON) == slot
