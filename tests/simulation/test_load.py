"""People live by their wall clock, and use what people use."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ohmstead.simulation import HouseLoad, LoadSettings

LONDON = ZoneInfo("Europe/London")


def test_a_household_uses_about_ten_kilowatt_hours_a_day() -> None:
    load = HouseLoad(LoadSettings(), LONDON, 1)
    for day in (datetime(2026, 1, 14, tzinfo=UTC), datetime(2026, 6, 20, tzinfo=UTC)):
        assert 6 < day_kwh(load, day) < 16


def test_more_is_used_in_winter_than_in_summer() -> None:
    load = HouseLoad(LoadSettings(appliances=False), LONDON, 1)
    winter = day_kwh(load, datetime(2026, 1, 14, tzinfo=UTC))
    summer = day_kwh(load, datetime(2026, 7, 15, tzinfo=UTC))
    assert winter > 1.3 * summer


def test_the_evening_peaks_at_the_local_hour_in_winter_and_in_summer() -> None:
    load = HouseLoad(LoadSettings(appliances=False), LONDON, 1)
    for month in (1, 7):
        night = datetime(2026, month, 14, 4, tzinfo=LONDON).timestamp()
        evening = datetime(2026, month, 14, 19, tzinfo=LONDON).timestamp()
        assert load.watts(evening) > 3 * load.watts(night)


def test_weekend_mornings_begin_later() -> None:
    load = HouseLoad(LoadSettings(appliances=False), LONDON, 1)
    friday = datetime(2026, 1, 16, 7, tzinfo=LONDON)
    assert load.watts(friday.timestamp()) > load.watts((friday + timedelta(days=1)).timestamp())


def test_a_kettle_shows_and_is_gone_again() -> None:
    load = HouseLoad(LoadSettings(), LONDON, 1)
    base = HouseLoad(LoadSettings(appliances=False), LONDON, 1)
    morning = datetime(2026, 1, 14, 6, 0, tzinfo=LONDON).timestamp()
    extra = [load.watts(morning + s) - base.watts(morning + s) for s in range(0, 10_000, 10)]
    assert max(extra) > 2_000
    assert 0 <= min(extra) < 100
    assert 10 < sum(watts > 2_000 for watts in extra) < 60


def test_nothing_is_ever_below_zero_and_the_seed_decides() -> None:
    start = datetime(2026, 3, 29, tzinfo=UTC).timestamp()
    one, same, other = (HouseLoad(LoadSettings(), LONDON, seed) for seed in (1, 1, 2))
    course = [one.watts(start + s) for s in range(0, 90_000, 30)]
    assert min(course) > 0
    assert course == [same.watts(start + s) for s in range(0, 90_000, 30)]
    assert course != [other.watts(start + s) for s in range(0, 90_000, 30)]


def test_weeks_of_asking_do_not_fill_the_memory() -> None:
    load = HouseLoad(LoadSettings(), LONDON, 1)
    start = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    for hour in range(24 * 30):
        load.watts(start + 3_600 * hour)
    assert len(load._knots) < 800
    assert len(load._plans) <= 8


def day_kwh(load: HouseLoad, start: datetime) -> float:
    first = start.timestamp()
    return sum(load.watts(first + second) for second in range(0, 86_400, 10)) / 360_000
