"""Dispatches, saving sessions and free hours: price windows, each as sure as it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from houses import LONDON
from ohmstead.clock import ManualClock
from ohmstead.errors import PriceSourceError
from ohmstead.links.http import HttpPatience
from ohmstead.model import PriceCurve, PriceSlot
from ohmstead.prices.octopus import OctopusSettings, OctopusSource
from ohmstead.prices.octopus_dispatches import completed_of, planned_of, within_allowance
from ohmstead.prices.octopus_events import campaign_events_of, import_mpan_of, saving_sessions_of
from ohmstead.prices.octopus_graphql_simulator import (
    OctopusGraphqlSimulator,
    SimulatedDispatch,
    SimulatedEvent,
)
from ohmstead.prices.octopus_simulator import OctopusSimulator

INTELLIGENT = "E-1R-INTELLI-VAR-24-10-29-C"
OUTGOING = "E-1R-OUTGOING-VAR-24-10-26-C"
DAY, NIGHT = 0.27, 0.07
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
HALF = timedelta(minutes=30)
QUICK = HttpPatience(timeout_s=0.5, attempts=2, pause_s=0.01)


def intelligent_go() -> list[PriceSlot]:
    """Rows as Octopus gives them: 23:30 to 05:30 cheap, the rest of the day dear."""
    slots = []
    for day in range(-4, 5):
        night = NOON.replace(hour=23, minute=30) + timedelta(days=day)
        morning = night + timedelta(hours=6)
        slots.append(PriceSlot(start=night, end=morning, per_kwh=NIGHT))
        slots.append(PriceSlot(start=morning, end=morning + timedelta(hours=18), per_kwh=DAY))
    return slots


class Account:
    """A house on Intelligent Go: its server, its clock, its price source."""

    def __init__(self, server: OctopusSimulator, clock: ManualClock, url: str) -> None:
        self.server, self.clock, self.url = server, clock, url
        self.octopus = server.graphql
        self.source = self.new_source()

    def new_source(self, direction: str = "import", **settings: object) -> OctopusSource:
        known: dict[str, object] = {
            "tariff": INTELLIGENT if direction == "import" else OUTGOING,
            "account": OctopusGraphqlSimulator.ACCOUNT,
            "api_key": "sk_live_simulated",
            "intelligent": True,
            "url": self.url,
            "sessions_url": self.url,
        }
        made = OctopusSettings(**(known | settings))  # type: ignore[arg-type]
        return OctopusSource(
            made, direction=direction, timezone=LONDON, cache_dir=None, patience=QUICK
        )

    async def at(self, moment: datetime) -> PriceCurve:
        """Move to *moment* in the source's own rhythm, and return what it then knows."""
        while (due := self.source.next_due(self.clock.now())) < moment:
            self._move(due)
            await self.source.curve(due)
        self._move(moment)
        return await self.source.curve(moment)

    def _move(self, moment: datetime) -> None:
        self.clock.move((moment - self.clock.now()).total_seconds())


@asynccontextmanager
async def an_account(now: datetime = NOON) -> AsyncIterator[Account]:
    clock = ManualClock(now)
    forever = PriceSlot(start=NOON - timedelta(days=9), end=NOON + timedelta(days=9), per_kwh=0.15)
    server = OctopusSimulator(clock, {INTELLIGENT: intelligent_go(), OUTGOING: [forever]})
    async with server.serve() as port:
        yield Account(server, clock, f"http://127.0.0.1:{port}")


def seen(curve: PriceCurve, moment: datetime) -> tuple[float, str, float]:
    slot = curve.at(moment)
    assert slot is not None
    return slot.per_kwh, slot.kind, slot.confidence


ELSE = (DAY, "", 1.0)
"""What the tariff says of the day."""


async def test_every_half_hour_that_a_dispatch_touches_costs_the_night_rate() -> None:
    async with an_account() as account:
        start = NOON + timedelta(hours=2, minutes=40)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + HALF)]
        curve = await account.at(NOON)
    half_past_two = NOON + timedelta(hours=2, minutes=30)
    assert seen(curve, half_past_two - HALF) == ELSE
    assert seen(curve, half_past_two) == (NIGHT, "dispatch", 0.7)
    assert seen(curve, half_past_two + HALF) == (NIGHT, "dispatch", 0.7)
    assert seen(curve, half_past_two + 2 * HALF) == ELSE


async def test_a_dispatch_grows_surer_until_it_is_certain() -> None:
    async with an_account() as account:
        start = NOON + timedelta(hours=1)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + HALF)]
        sure = [seen(await account.at(NOON), start)]
        account.octopus.state = "SMART_CONTROL_IN_PROGRESS"
        sure.append(seen(await account.at(start + timedelta(minutes=5)), start))
        sure.append(seen(await account.at(start + timedelta(hours=1)), start))
    assert sure == [(NIGHT, "dispatch", p) for p in (0.7, 0.95, 1.0)]


async def test_a_dispatch_that_is_withdrawn_costs_the_day_rate_again() -> None:
    async with an_account() as account:
        start = NOON + timedelta(hours=1)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + HALF)]
        before = await account.at(NOON)
        account.octopus.planned = []
        after = await account.at(start - timedelta(minutes=10))
    assert seen(before, start)[0] == NIGHT
    assert seen(after, start) == ELSE


async def test_a_half_hour_that_began_with_its_dispatch_stays_cheap_to_its_end() -> None:
    async with an_account() as account:
        start = NOON + timedelta(hours=1)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + 3 * HALF)]
        await account.at(start + timedelta(minutes=4))
        account.octopus.planned = []  # the car is full
        curve = await account.at(start + timedelta(minutes=20))
    assert seen(curve, start)[0] == NIGHT
    assert seen(curve, start + HALF) == ELSE


async def test_a_car_that_cannot_be_steered_makes_its_dispatches_doubtful() -> None:
    async with an_account() as account:
        account.octopus.state = "SMART_CONTROL_NOT_AVAILABLE"
        start = NOON + timedelta(hours=1)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + HALF)]
        assert seen(await account.at(NOON), start) == (NIGHT, "dispatch", 0.4)


async def test_a_boost_is_not_cheap() -> None:
    async with an_account() as account:
        start = NOON + timedelta(hours=1)
        boost = SimulatedDispatch(start=start, end=start + HALF, kind="BOOST")
        account.octopus.planned = [boost]
        assert seen(await account.at(NOON), start) == ELSE
        assert seen(await account.at(start + timedelta(hours=2)), start) == ELSE


async def test_dispatches_in_the_night_and_of_tomorrow_evening_keep_their_dates() -> None:
    async with an_account() as account:
        night, tomorrow = NOON + timedelta(hours=14), NOON + timedelta(hours=34)
        account.octopus.planned = [
            SimulatedDispatch(start=night, end=night + HALF),
            SimulatedDispatch(start=tomorrow, end=tomorrow + 2 * HALF),
        ]
        curve = await account.at(NOON + timedelta(hours=5))  # tomorrow's prices are out
    assert seen(curve, night) == (NIGHT, "", 1.0)  # it is the night rate already, and sure
    assert seen(curve, tomorrow) == (NIGHT, "dispatch", 0.7)
    assert seen(curve, tomorrow - timedelta(days=1)) == ELSE


async def test_dispatches_are_asked_for_every_three_minutes_and_prices_are_not() -> None:
    async with an_account() as account:
        await account.at(NOON)
        rest, asked = len(account.server.asked), len(account.octopus.asked)
        await account.at(NOON + timedelta(minutes=30, seconds=1))
        asked = account.octopus.asked[asked:].count("devices")
        others = [p for p in account.server.asked[rest:] if "graphql" not in p]
    assert asked == 10
    assert others == []


async def test_one_token_serves_for_an_hour() -> None:
    async with an_account() as account:
        await account.at(NOON)
        await account.at(NOON + timedelta(minutes=50))
        assert account.octopus.asked.count("obtainKrakenToken") == 1
        await account.at(NOON + timedelta(minutes=70))
        assert account.octopus.asked.count("obtainKrakenToken") == 2


@pytest.mark.parametrize(
    "fault",
    ["bad_key", "bad_token", "too_many_questions", "no_devices", "no_data", "null_plans"],
)
async def test_without_dispatches_the_tariff_holds(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with an_account() as account:
        account.octopus.faults.add(fault)
        start = NOON + timedelta(hours=1)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + HALF)]
        curve = await account.at(NOON + timedelta(minutes=10))
        assert seen(curve, start) == ELSE
        asked = len(account.octopus.asked)
        assert asked <= 12, "hammering"
    assert "sk_live" not in caplog.text
    assert caplog.text.count("dispatches:") == (0 if fault == "null_plans" else 1)


async def test_a_plan_that_nobody_confirms_is_believed_for_a_quarter_of_an_hour() -> None:
    async with an_account() as account:
        start = NOON + timedelta(hours=2)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + HALF)]
        await account.at(NOON)
        account.server.faults.add("down")
        assert seen(await account.at(NOON + timedelta(minutes=14)), start)[1] == "dispatch"
        assert seen(await account.at(NOON + timedelta(minutes=16)), start) == ELSE
        account.server.faults.clear()
        assert seen(await account.at(NOON + timedelta(minutes=40)), start)[1] == "dispatch"


async def test_a_charger_without_plans_still_has_completed_dispatches() -> None:
    async with an_account() as account:
        account.octopus.faults.add("no_plans")
        start = NOON + timedelta(hours=1)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + HALF)]
        assert seen(await account.at(start + timedelta(minutes=10)), start) == ELSE
        curve = await account.at(start + timedelta(minutes=50))
    assert seen(curve, start) == (NIGHT, "dispatch", 1.0)


async def test_fields_that_are_gone_are_asked_for_under_their_other_names() -> None:
    async with an_account() as account:
        account.octopus.faults.add("no_flex")
        start = NOON + timedelta(hours=1)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + HALF)]
        assert seen(await account.at(NOON), start) == (NIGHT, "dispatch", 0.7)


async def test_times_that_mean_nothing_are_no_dispatches() -> None:
    async with an_account() as account:
        account.octopus.faults.add("odd_times")
        start = NOON + timedelta(hours=1)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + HALF)]
        assert seen(await account.at(NOON), start) == ELSE


async def test_a_contract_may_make_only_some_hours_a_day_cheap() -> None:
    async with an_account() as account:
        account.source = account.new_source(cheap_per_day_h=1)
        start = NOON + timedelta(hours=1)
        account.octopus.planned = [SimulatedDispatch(start=start, end=start + 4 * HALF)]
        curve = await account.at(NOON)
    prices = [seen(curve, start + n * HALF)[0] for n in range(4)]
    assert prices == [NIGHT, NIGHT, DAY, DAY]


async def test_a_joined_saving_session_makes_its_hour_dear_both_ways() -> None:
    async with an_account() as account:
        start = NOON + timedelta(hours=5, minutes=30)
        account.octopus.sessions = [
            SimulatedEvent(start=start, end=start + 2 * HALF, points=1_800),
            SimulatedEvent(start=start + 4 * HALF, end=start + 6 * HALF, points=800, joined=False),
            SimulatedEvent(start=start - 4 * HALF, end=start - 2 * HALF, points=0),
        ]
        account.source = account.new_source(events=True, intelligent=False)
        bought = await account.at(NOON)
        sold = await account.new_source("export", events=True).curve(NOON)
    assert seen(bought, start) == (DAY + 2.25, "saving_session", 1.0)
    assert seen(sold, start) == (0.15 + 2.25, "saving_session", 1.0)
    assert seen(bought, start + 4 * HALF) == ELSE
    assert seen(bought, start - 4 * HALF) == ELSE


async def test_sessions_by_campaign_tell_no_reward_so_the_owner_says_it() -> None:
    async with an_account() as account:
        account.octopus.faults.add("no_sessions")
        start = NOON + timedelta(hours=5, minutes=30)
        account.octopus.sessions = [SimulatedEvent(start=start, end=start + HALF)]
        unsaid = await account.new_source(events=True).curve(NOON)
        said = await account.new_source(events=True, session_per_kwh=1.5).curve(NOON)
    assert seen(unsaid, start) == ELSE
    assert seen(said, start)[0] == pytest.approx(DAY + 1.5)


async def test_a_free_hour_costs_nothing_for_those_who_take_part() -> None:
    async with an_account() as account:
        start = NOON + timedelta(hours=1)
        account.octopus.free = [
            SimulatedEvent(start=start, end=start + HALF),
            SimulatedEvent(start=start + HALF, end=start + 2 * HALF, joined=None),
            SimulatedEvent(start=start + 2 * HALF, end=start + 3 * HALF, joined=False),
        ]
        curve = await account.new_source(events=True).curve(NOON)
    assert seen(curve, start) == (0.0, "free_electricity", 1.0)
    assert seen(curve, start + HALF) == (0.0, "free_electricity", 0.7)
    assert seen(curve, start + 2 * HALF) == ELSE


def test_the_allowance_counts_from_noon_to_noon() -> None:
    noon, before = NOON, NOON - timedelta(days=1)
    starts = [NOON + n * HALF for n in (-2, -1, 0, 1)]
    days = dict(zip(starts, (before, before, noon, noon), strict=True))
    assert within_allowance(starts, 0.5, days) == [starts[0], starts[2]]
    assert within_allowance(starts, None, days) == starts


@pytest.mark.parametrize(
    ("row", "count"),
    [
        pytest.param({"startDt": "2026-01-15T20:00:00+00:00",
                      "endDt": "2026-01-15T21:30:00+00:00", "delta": "-6.8"}, 1, id="old names"),
        pytest.param({"start": "2026-01-15T20:00:00", "end": "2026-01-15T21:00:00"}, 0,
                     id="no zone: it could be any hour"),
        pytest.param({"start": "2026-01-15T22:00:00Z", "end": "2026-01-15T21:00:00Z"}, 0,
                     id="ends before it begins"),
        pytest.param({"start": "2026-01-15T22:00:00Z", "end": "2026-02-15T21:00:00Z"}, 0,
                     id="a month long"),
        pytest.param({"start": None, "end": 7}, 0, id="no times"),
        pytest.param({"start": "2026-01-15T22:00:00Z", "end": "2026-01-15T23:00:00Z",
                      "delta": "much", "meta": None}, 1, id="an amount that is no number"),
    ],
)  # fmt: skip
def test_a_dispatch_is_believed_only_where_its_times_can_be(
    row: dict[str, object], count: int
) -> None:
    assert len(planned_of([row, "nonsense"])) == count


def test_the_answer_of_a_real_account_is_understood() -> None:
    done = {
        "start": "2026-01-15T01:00:00+00:00",
        "end": "2026-01-15T02:00:00+00:00",
        "delta": "-6.8",
        "meta": {"source": "smart-charge", "location": "AT_HOME"},
    }
    (dispatch,) = completed_of([done])
    assert (dispatch.energy_kwh, dispatch.completed) == (6.8, True)
    with pytest.raises(PriceSourceError, match="no list"):
        completed_of("none")


@pytest.mark.parametrize("nonsense", [{}, {"savingSessions": 3}, {"account": []}])
def test_nonsense_is_no_event(nonsense: dict[str, object]) -> None:
    assert saving_sessions_of(nonsense) == ()
    assert campaign_events_of(nonsense) == ()
    assert import_mpan_of(nonsense) is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"tariff": INTELLIGENT, "intelligent": True}, "need account and api_key"),
        ({"account": "A-1", "api_key": "k", "events": True, "url": "http://example.com"},
         "could be overheard"),
        ({"tariff": INTELLIGENT, "cheap_per_day_h": 0}, "above 0"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        OctopusSettings(**wrong)  # type: ignore[arg-type]


def test_the_account_and_its_key_are_not_shown() -> None:
    settings = OctopusSettings(account="A-AAAA1111", api_key="sk_live_secret", intelligent=True)
    assert "secret" not in repr(settings)
    assert "AAAA" not in repr(settings)
