"""The three clocks: the machine's, a faster one, and one that moves when told to."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ohmstead.clock import Clock, ManualClock, ScaledClock, SystemClock

START = datetime(2026, 11, 21, 12, tzinfo=UTC)

every_clock = pytest.mark.parametrize(
    "make",
    [SystemClock, lambda: ScaledClock(START, 600), lambda: ManualClock(START)],
    ids=["system", "scaled", "manual"],
)


@every_clock
def test_every_clock_shows_utc_and_says_so(make: Callable[[], Clock]) -> None:
    assert make().now().utcoffset() == timedelta(0)


@every_clock
async def test_whoever_sleeps_wakes_that_much_later(make: Callable[[], Clock]) -> None:
    clock = make()
    before, ticks = clock.now(), clock.monotonic()
    await clock.sleep(0.05)
    # Event loops may wake a hair early, and wall clocks are stepped by their keepers.
    assert clock.monotonic() - ticks > 0.04
    assert clock.now() > before


@every_clock
async def test_a_sleep_of_less_than_nothing_is_no_sleep(make: Callable[[], Clock]) -> None:
    clock = make()
    ticks = clock.monotonic()
    await clock.sleep(-3_600)
    assert 0 <= clock.monotonic() - ticks < 3_000


@every_clock
def test_time_never_runs_backwards_by_itself(make: Callable[[], Clock]) -> None:
    clock = make()
    seen = [clock.monotonic() for _ in range(100)]
    assert seen == sorted(seen)


async def test_a_scaled_clock_runs_faster_than_the_machines() -> None:
    real, scaled = SystemClock(), ScaledClock(START, 10_000)
    began = real.monotonic()
    await scaled.sleep(600)
    took = real.monotonic() - began
    assert scaled.now() - START >= timedelta(seconds=590)
    assert took < 60
    assert scaled.monotonic() > 100 * took


def test_a_manual_clock_stands_still_until_moved() -> None:
    clock = ManualClock(START)
    assert (clock.now(), clock.monotonic()) == (START, 0)
    clock.move(90)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=90), 90)
    clock.move(-30)
    assert clock.now() == START + timedelta(seconds=60)


async def test_whoever_sleeps_moves_a_manual_clock() -> None:
    clock = ManualClock(START)
    await clock.sleep(3_600)
    assert clock.now() == START + timedelta(hours=1)
