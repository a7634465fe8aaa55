"""A request holds until its end, or for good when it has none."""

from datetime import UTC, datetime, timedelta

import pytest

from ohmstead.model import BatteryCommand, BatteryMode, Request

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "active"),
    [(None, True), (NOON + timedelta(seconds=1), True), (NOON, False)],
    ids=["no end", "just before the end", "at the end"],
)
def test_a_request_holds_until_its_end(until: datetime | None, active: bool) -> None:
    request = Request(
        id="1",
        asked_by="cli",
        made_at=NOON - timedelta(hours=1),
        want=BatteryCommand(mode=BatteryMode.HOLD),
        until=until,
    )
    assert request.active(NOON) is active
