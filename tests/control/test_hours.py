"""Parts of the local day, through the nights in which the clocks change."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from houses import LONDON, NOON
from ohmstead.control.hours import following, part_of_day, parts_until, plain


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "part", "wanted"),
    [
        pytest.param("2026-01-15T12:00", (time(9), time(16)), ("2026-01-15T09:00",
                     "2026-01-15T16:00"), id="by day"),
        pytest.param("2026-01-15T16:00", (time(9), time(16)), None, id="its end is no more"),
        pytest.param("2026-01-15T09:00", (time(9), time(16)), ("2026-01-15T09:00",
                     "2026-01-15T16:00"), id="its begin is"),
        pytest.param("2026-06-15T23:00", (time(23, 30), time(5, 30)), ("2026-06-15T22:30",
                     "2026-06-16T04:30"), id="over midnight, before it"),
        pytest.param("2026-06-16T02:00", (time(23, 30), time(5, 30)), ("2026-06-15T22:30",
                     "2026-06-16T04:30"), id="over midnight, after it"),
        pytest.param("2026-06-16T12:00", (time(23, 30), time(5, 30)), None, id="outside"),
        pytest.param("2026-06-16T12:00", (time(), time()), ("2026-06-15T23:00",
                     "2026-06-16T23:00"), id="the whole day"),
        pytest.param("2026-03-29T03:00", (time(23, 30), time(5, 30)), ("2026-03-28T23:30",
                     "2026-03-29T04:30"), id="a night of five hours"),
        pytest.param("2026-10-25T05:00", (time(23, 30), time(5, 30)), ("2026-10-24T22:30",
                     "2026-10-25T05:30"), id="a night of seven hours"),
        pytest.param("2026-10-25T01:20", (time(1), time(1, 30)), ("2026-10-25T00:00",
                     "2026-10-25T01:30"), id="it comes twice"),
        pytest.param("2026-03-29T01:10", (time(1), time(1, 30)), ("2026-03-29T01:00",
                     "2026-03-29T01:30"), id="the clocks skip it"),
    ],
)  # fmt: skip
def test_a_part_of_the_day_has_a_begin_and_an_end(
    now: str, part: tuple[time, time], wanted: tuple[str, str] | None
) -> None:
    found = part_of_day(utc(now), LONDON, *part)
    assert found == (None if wanted is None else (utc(wanted[0]), utc(wanted[1])))


@pytest.mark.parametrize(
    ("now", "at", "wanted"),
    [
        pytest.param("2026-01-15T12:00", time(13), "2026-01-15T13:00", id="later today"),
        pytest.param("2026-01-15T13:00", time(13), "2026-01-16T13:00", id="now is tomorrow"),
        pytest.param("2026-03-28T23:00", time(5, 30), "2026-03-29T04:30", id="short night"),
        pytest.param("2026-10-24T23:00", time(5, 30), "2026-10-25T05:30", id="long night"),
        pytest.param("2026-10-24T23:00", time(1, 30), "2026-10-25T00:30", id="the first of two"),
        pytest.param("2026-03-28T23:00", time(1, 30), "2026-03-29T01:30", id="a skipped one"),
    ],
)
def test_the_next_time_the_wall_clock_shows_so(now: str, at: time, wanted: str) -> None:
    assert following(utc(now), LONDON, at) == utc(wanted)


def test_it_is_the_houses_own_wall_clock() -> None:
    assert following(NOON, ZoneInfo("Asia/Kolkata"), time(18)) == utc("2026-06-21T12:30")


def test_a_time_with_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="start is a local time"):
        plain(start=time(9, tzinfo=UTC), end=time(10))


@pytest.mark.parametrize(
    ("now", "until", "part", "wanted"),
    [
        pytest.param("2026-01-15T20:00", "2026-01-16T23:00", (time(22), time(7)),
                     [("2026-01-15T22:00", "2026-01-16T07:00")], id="the whole ones alone"),
        pytest.param("2026-01-15T23:00", "2026-01-16T05:00", (time(22), time(7)),
                     [("2026-01-15T22:00", "2026-01-16T07:00")], id="under way, and cut off"),
        pytest.param("2026-01-15T12:00", "2026-01-17T12:00", (time(9), time(16)),
                     [("2026-01-15T09:00", "2026-01-15T16:00"),
                      ("2026-01-16T09:00", "2026-01-16T16:00")], id="two of them"),
        pytest.param("2026-01-15T16:00", "2026-01-16T15:00", (time(9), time(16)), [], id="none"),
        pytest.param("2026-10-24T12:00", "2026-10-25T12:00", (time(23, 30), time(5, 30)),
                     [("2026-10-24T22:30", "2026-10-25T05:30")], id="a night of seven hours"),
    ],
)  # fmt: skip
def test_the_parts_to_come_lie_whole_within_what_is_known(
    now: str, until: str, part: tuple[time, time], wanted: list[tuple[str, str]]
) -> None:
    found = parts_until(utc(now), utc(until), LONDON, *part)
    assert found == [(utc(start), utc(end)) for start, end in wanted]
