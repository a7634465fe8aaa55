"""The room left to the battery: two rooms together allow what both allow."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ohmstead.model import BatteryMode, Room

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

POWERS = st.floats(0, 10_000) | st.just(float("inf"))
ROOMS = st.builds(
    Room,
    modes=st.frozensets(st.sampled_from(BatteryMode)),
    charge_w=POWERS,
    discharge_w=POWERS,
    floor_pct=st.floats(0, 100),
    ceiling_pct=st.floats(0, 100),
    until=st.none() | st.integers(0, 1_000).map(lambda minutes: NOON + timedelta(minutes=minutes)),
)


@given(ROOMS, ROOMS)
def test_two_rooms_together_lie_within_each(one: Room, other: Room) -> None:
    both = one & other
    assert both.within(one)
    assert both.within(other)
    assert both == other & one


@given(ROOMS)
def test_a_room_lies_within_itself_and_within_the_widest(room: Room) -> None:
    assert room.within(room)
    assert room.within(Room())


def test_a_wider_room_does_not_lie_within_a_narrower_one() -> None:
    assert not Room().within(Room(charge_w=1_000))


def test_rooms_without_a_common_mode_leave_none() -> None:
    charge, hold = (
        Room(modes=frozenset({mode})) for mode in (BatteryMode.CHARGE, BatteryMode.HOLD)
    )
    assert (charge & hold).modes == frozenset()


def test_the_earlier_end_holds() -> None:
    soon, late = NOON, NOON + timedelta(hours=1)
    assert (Room(until=late) & Room(until=soon)).until == soon
    assert (Room() & Room(until=late)).until == late
    assert (Room() & Room()).until is None
