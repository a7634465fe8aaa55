"""What the house looks like: what nobody measured is None, and the wall clock is local."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ohmstead.model import BatteryReading, SiteSnapshot

SUMMER = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)


def test_a_house_without_a_battery_has_neither_power_nor_charge() -> None:
    site = SiteSnapshot(at=SUMMER)
    assert (site.battery_w, site.soc_pct) == (None, None)


def test_the_battery_speaks_for_the_site() -> None:
    site = SiteSnapshot(at=SUMMER, battery=BatteryReading(power_w=-1_500, soc_pct=40))
    assert (site.battery_w, site.soc_pct) == (-1_500, 40)


@pytest.mark.parametrize(
    ("zone", "hour"),
    [(ZoneInfo("Europe/London"), 23), (ZoneInfo("America/New_York"), 18)],
    ids=["London", "New York"],
)
def test_the_wall_clock_is_that_of_the_house(zone: ZoneInfo, hour: int) -> None:
    local = SiteSnapshot(at=SUMMER, timezone=zone).local
    assert (local.hour, local.tzinfo) == (hour, zone)
    assert local == SUMMER


def test_the_wall_clock_is_utc_where_no_zone_is_named() -> None:
    assert SiteSnapshot(at=SUMMER).local == SUMMER
