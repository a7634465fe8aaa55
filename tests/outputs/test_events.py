"""Each event is told once, and what only flickers is none."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from houses import NOON, a_device, a_price_curve, a_reading, a_site
from ohmstead.model import (
    Applied,
    BatteryCommand,
    BatteryMode,
    CommandResult,
    Decision,
    Failed,
    LimitCommand,
    PriceCurve,
    Prices,
    PriceSlot,
    Refused,
    SettingChange,
    Tick,
)
from ohmstead.outputs.event import Event, EventKind, EventLimits, payload_of
from ohmstead.outputs.events import Events

QUICK = EventLimits(lost_after_s=60, back_after_s=20, settle_s=20, battery_low_pct=20)
STEP_S = 10
CHARGE = BatteryCommand(mode=BatteryMode.CHARGE, power_w=3_000, until=NOON + timedelta(hours=1))
HOLD = BatteryCommand(mode=BatteryMode.HOLD, until=NOON + timedelta(hours=1))
CHANGE = SettingChange(device="inverter", point="charge_w", value=1_000)


def a_tick(
    at: datetime = NOON,
    *,
    up: bool = True,
    trouble: str | None = None,
    soc_pct: float | None = 50,
    buy: PriceCurve | None = None,
    sell: PriceCurve | None = None,
    command: BatteryCommand | None = None,
    results: tuple[CommandResult, ...] = (),
) -> Tick:
    reading = a_reading(at=at, soc_pct=soc_pct)
    device = a_device(reading, trouble)
    if not up:
        device = replace(device, reading=None, last_seen=NOON)
    site = replace(a_site(at=at), devices={"inverter": device}, prices=Prices(buy=buy, sell=sell))
    decision = Decision(at=at, command=command, reason="it is cheap", strategy="price_threshold")
    return Tick(snapshot=site, decision=decision, results=results)


def seen(events: Events, ticks: Iterable[Tick]) -> list[Event]:
    return [event for tick in ticks for event in events.see(tick)]


def kinds(events: Iterable[Event]) -> list[str]:
    return [str(event.kind) for event in events]


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ups(pattern: str) -> list[Tick]:
    """Return a turn every ten seconds: ``+`` the device is there, ``-`` it is not."""
    return [a_tick(after(STEP_S * n), up=sign == "+") for n, sign in enumerate(pattern)]


class TestADevice:
    @pytest.mark.parametrize(
        ("pattern", "told"),
        [
            pytest.param("+" * 20, [], id="that is there is nothing new"),
            pytest.param("++-----++", [], id="that is away for a moment is not lost"),
            pytest.param("++-------", ["device_lost"], id="that stays away is lost"),
            pytest.param("++" + "-" * 40, ["device_lost"], id="is lost once"),
            pytest.param("-------", ["device_lost"], id="that was never there is lost too"),
            pytest.param("+-----+-----+-----+", [], id="that flickers is not lost"),
            pytest.param("-------+-+-+-+-", ["device_lost"], id="that flickers is not back"),
            pytest.param("-------+++", ["device_lost", "device_back"], id="that stays is back"),
            pytest.param(
                "-------+++-------+++", ["device_lost", "device_back"] * 2, id="can be lost again"
            ),
        ],
    )
    def test_a_device(self, pattern: str, told: list[str]) -> None:
        assert kinds(seen(Events(QUICK), ups(pattern))) == told

    def test_says_since_when_and_why(self) -> None:
        why = "inverter: no answer in 3 s"
        ticks = [a_tick(after(STEP_S * n), up=False, trouble=why) for n in range(7)]
        (lost,) = seen(Events(QUICK), ticks)
        assert lost.text == "inverter is lost (last heard at 13:00): no answer in 3 s"
        assert (lost.device, lost.at) == ("inverter", after(60))
        assert lost.data == {"last_seen": "2026-06-21T12:00:00+00:00", "trouble": why}

    def test_in_trouble_counts_as_lost_while_its_last_reading_is_fresh(self) -> None:
        ticks = [a_tick(after(STEP_S * n), trouble="inverter: busy") for n in range(7)]
        assert kinds(seen(Events(QUICK), ticks)) == ["device_lost"]

    def test_never_heard_says_so(self) -> None:
        ticks = [a_tick(after(STEP_S * n), up=False) for n in range(7)]
        quiet = [
            replace(t, snapshot=replace(t.snapshot, devices={"inverter": a_device()}))
            for t in ticks
        ]
        (lost,) = seen(Events(QUICK), quiet)
        assert lost.text == "inverter is lost (not heard so far): it is silent"

    @pytest.mark.parametrize("jump_s", [86_400 * 700, -86_400 * 700], ids=["forwards", "backwards"])
    def test_is_not_lost_because_the_clock_was_set(self, jump_s: float) -> None:
        limits = replace(QUICK, lost_after_s=180)
        ticks = [a_tick(NOON, up=False), a_tick(after(jump_s), up=False), a_tick(after(jump_s + 1))]
        assert seen(Events(limits), ticks) == []


class TestABattery:
    @pytest.mark.parametrize(
        ("levels", "times"),
        [
            pytest.param([25, 20, 20, 20, 20], 0, id="at the limit is not below it"),
            pytest.param([25, 19, 19, 19, 18, 15], 1, id="below it is told once"),
            pytest.param([25, 0, 25, 25, 25], 0, id="a single odd value is none"),
            pytest.param([25, None, None, None], 0, id="an unknown level is none"),
            pytest.param([19, None, 19, 19], 1, id="an unknown level in between does not matter"),
            pytest.param(
                [19, 19, 19, 21, 21, 21, 19, 19, 19], 1, id="a little above and below again is one"
            ),
            pytest.param([19, 19, 19, 26, 26, 26, 19, 19, 19], 2, id="charged in between are two"),
        ],
    )
    def test_a_battery(self, levels: list[float | None], times: int) -> None:
        ticks = [a_tick(after(STEP_S * n), soc_pct=level) for n, level in enumerate(levels)]
        assert kinds(seen(Events(QUICK), ticks)) == ["battery_low"] * times

    def test_says_how_low(self) -> None:
        ticks = [a_tick(after(STEP_S * n), soc_pct=12.5) for n in range(3)]
        (low,) = seen(Events(QUICK), ticks)
        assert low.text == "inverter: the battery is at 12.5 %"
        assert low.data == {"soc_pct": 12.5, "below_pct": 20}

    def test_is_not_watched_without_a_limit(self) -> None:
        ticks = [a_tick(after(STEP_S * n), soc_pct=1) for n in range(9)]
        assert seen(Events(replace(QUICK, battery_low_pct=None)), ticks) == []

    def test_can_always_recover_whatever_the_limit(self) -> None:
        events = Events(replace(QUICK, battery_low_pct=98))
        levels = [90] * 3 + [100] * 3 + [90] * 3
        ticks = [a_tick(after(STEP_S * n), soc_pct=level) for n, level in enumerate(levels)]
        assert kinds(seen(events, ticks)) == ["battery_low"] * 2


class TestACheapTime:
    LIMITS = EventLimits(price_below_per_kwh=0.10, prices_ahead_s=0)

    def told(self, *per_kwh: float, every_min: int = 5) -> list[Event]:
        curve = a_price_curve(*per_kwh)
        moments = range(0, 30 * len(per_kwh), every_min)
        ticks = [a_tick(NOON + timedelta(minutes=n), buy=curve) for n in moments]
        return [e for e in seen(Events(self.LIMITS), ticks) if e.kind is EventKind.PRICE_BELOW]

    @pytest.mark.parametrize(
        ("per_kwh", "minutes"),
        [
            pytest.param([0.2, 0.1, 0.2], [], id="at the limit is not below it"),
            pytest.param([0.2, 0.09, 0.2], [30], id="is told once in its slot"),
            pytest.param([0.09, 0.2], [0], id="that runs already is told"),
            pytest.param([0.2, 0.09, 0.05, -0.02, 0.2], [30], id="of several slots is one"),
            pytest.param([0.09, 0.2, 0.09, 0.2], [0, 60], id="that comes again is told again"),
        ],
    )
    def test_a_cheap_time(self, per_kwh: list[float], minutes: list[int]) -> None:
        expected = [NOON + timedelta(minutes=n) for n in minutes]
        assert [event.at for event in self.told(*per_kwh)] == expected

    def test_says_what_it_costs_and_until_when(self) -> None:
        (cheap,) = self.told(0.09, 0.05, 0.2, 0.01, every_min=60)[:1]
        assert cheap.text == "a kWh costs 0.09 GBP, and less than 0.1 until 14:00"
        assert cheap.data == {
            "per_kwh": 0.09,
            "lowest_per_kwh": 0.05,
            "below_per_kwh": 0.10,
            "currency": "GBP",
            "until": "2026-06-21T13:00:00+00:00",
        }

    def test_is_not_told_without_a_limit_or_a_price(self) -> None:
        curve = a_price_curve(-0.5)
        assert seen(Events(), [a_tick(buy=curve)]) == []
        assert seen(Events(self.LIMITS), [a_tick(), a_tick(after(7_200), buy=curve)]) == []

    def test_is_told_once_though_the_service_begins_again(self) -> None:
        curve = a_price_curve(0.09, 0.09, 0.2, 0.09)
        first = Events(self.LIMITS)
        assert kinds(first.see(a_tick(buy=curve))) == ["price_below"]
        second = Events(self.LIMITS, first.standing)
        assert second.see(a_tick(after(1_900), buy=curve)) == []
        third = Events(self.LIMITS, first.standing)
        assert "price_below" in kinds(third.see(a_tick(after(5_500), buy=curve)))


class TestPrices:
    def test_are_stale_when_they_end_soon_and_told_once(self) -> None:
        curve, events = a_price_curve(*[0.2] * 4), Events(QUICK)
        ticks = [a_tick(NOON + timedelta(minutes=n), buy=curve, sell=curve) for n in range(180)]
        told = seen(events, ticks)
        assert [(e.kind, e.data["direction"]) for e in told] == [
            ("stale_prices", "import"),
            ("stale_prices", "export"),
        ]
        assert told[0].text == "import prices are known only until 15:00"
        assert told[0].at == NOON + timedelta(minutes=61)

    def test_that_come_back_can_be_stale_again(self) -> None:
        curves = [a_price_curve(0.2)] * 9 + [a_price_curve(*[0.2] * 9)] * 9 + [a_price_curve()] * 9
        ticks = [a_tick(after(STEP_S * n), buy=curve) for n, curve in enumerate(curves)]
        told = seen(Events(QUICK), ticks)
        assert [event.text for event in told] == [
            "import prices are known only until 13:30",
            "no import price is known for now",
        ]

    def test_behind_a_gap_are_not_counted(self) -> None:
        start = NOON + timedelta(hours=1)
        late = PriceSlot(start=start, end=start + timedelta(hours=9), per_kwh=0.2)
        curve = PriceCurve(slots=(*a_price_curve(0.2).slots, late))
        ticks = [a_tick(after(STEP_S * n), buy=curve) for n in range(9)]
        assert kinds(seen(Events(QUICK), ticks)) == ["stale_prices"]

    def test_of_another_day_are_told_with_the_day(self) -> None:
        evening = datetime(2026, 6, 21, 22, 30, tzinfo=UTC)
        curve = a_price_curve(0.2, 0.2, start=evening)
        ticks = [a_tick(evening + timedelta(seconds=30 * n), buy=curve) for n in range(3)]
        (told,) = seen(Events(QUICK), ticks)
        assert told.text == "import prices are known only until Mon 00:30"


class TestADecision:
    @pytest.mark.parametrize(
        ("commands", "told"),
        [
            pytest.param([CHARGE] * 9, [], id="that stands is nothing new"),
            pytest.param([None] * 3 + [CHARGE] * 9, ["charge"], id="that changes is told once"),
            pytest.param([None, CHARGE] * 9, [], id="that wavers is not told"),
            pytest.param([None, CHARGE, HOLD, HOLD, HOLD], ["hold"], id="in between is not told"),
            pytest.param(
                [CHARGE] * 2 + [None] * 3 + [CHARGE] * 3, ["none", "charge"], id="and back are two"
            ),
            pytest.param(
                [replace(CHARGE, power_w=100 * n) for n in range(9)], [], id="of power is none"
            ),
        ],
    )
    def test_a_decision(self, commands: list[BatteryCommand | None], told: list[str]) -> None:
        ticks = [a_tick(after(STEP_S * n), command=c) for n, c in enumerate(commands)]
        assert [event.data["mode"] for event in seen(Events(QUICK), ticks)] == told

    def test_says_what_and_why(self) -> None:
        ticks = [a_tick(after(STEP_S * n), command=CHARGE if n else None) for n in range(4)]
        (told,) = seen(Events(QUICK), ticks)
        assert told.text == "decided: charge at 3000 W, because it is cheap"
        assert (told.data["before"], told.data["power_w"]) == ("none", 3_000)
        assert told.data["until"] == "2026-06-21T13:00:00+00:00"


class TestAWrite:
    FAILED = Failed(device="inverter", command=CHANGE, why="silent")

    def test_that_fails_at_every_turn_is_told_once(self) -> None:
        ticks = [a_tick(after(60 * n), results=(self.FAILED,)) for n in range(30)]
        (told,) = seen(Events(), ticks)
        assert told.text == "inverter: set charge_w to 1000: failed: silent"
        assert told.data == {"subject": "charge_w", "why": "silent"}

    def test_that_fails_now_and_then_is_told_once(self) -> None:
        good = Applied(device="inverter", command=CHANGE)
        results = [self.FAILED if n % 2 else good for n in range(30)]
        ticks = [a_tick(after(60 * n), results=(result,)) for n, result in enumerate(results)]
        assert kinds(seen(Events(), ticks)) == ["write_failed"]

    def test_that_fails_much_later_is_told_again(self) -> None:
        results = [(self.FAILED,), *[()] * 11, (self.FAILED,)]
        ticks = [a_tick(after(60 * n), results=result) for n, result in enumerate(results)]
        assert kinds(seen(Events(), ticks)) == ["write_failed"] * 2

    def test_of_something_else_is_another(self) -> None:
        others = (
            Failed(device="inverter", command=CHARGE, why="silent"),
            Failed(device="inverter", command=LimitCommand(device="inverter", power_w=1), why="no"),
            Failed(device="shed", command=CHARGE, why="silent"),
        )
        told = Events().see(a_tick(results=(self.FAILED, *others)))
        assert [(e.device, e.data["subject"]) for e in told] == [
            ("inverter", "charge_w"),
            ("inverter", "battery"),
            ("inverter", "limit"),
            ("shed", "battery"),
        ]

    def test_that_was_refused_sent_nothing_and_so_failed_nothing(self) -> None:
        refused = Refused(device="inverter", command=CHANGE, why="out of range")
        assert Events().see(a_tick(results=(refused,))) == []

    def test_to_a_device_that_is_away_is_the_same_trouble(self) -> None:
        ticks = [a_tick(after(n), up=False, results=(self.FAILED,)) for n in range(5)]
        assert seen(Events(), ticks) == []


def test_a_restart_tells_nothing_twice_and_what_has_ended_meanwhile() -> None:
    first = Events(QUICK)
    down = [a_tick(after(STEP_S * n), up=False) for n in range(9)]
    assert kinds(seen(first, down)) == ["device_lost"]
    still = Events(QUICK, first.standing)
    assert seen(still, down) == []
    assert kinds(seen(still, ups("+++"))) == ["device_back"]


def test_memories_that_cannot_be_read_are_none() -> None:
    odd = {"price_below soon", "price_below 2026-06-21T12:00:00", "nonsense", ""}
    assert Events(QUICK, odd).standing == {"nonsense", ""}


def test_an_event_goes_out_as_json() -> None:
    event = Event(
        kind=EventKind.BATTERY_LOW, at=NOON, device="shed", text="low", data={"soc_pct": 9.0}
    )
    assert json.loads(json.dumps(payload_of(event, "home"))) == {
        "event": "battery_low",
        "site": "home",
        "device": "shed",
        "at": "2026-06-21T12:00:00+00:00",
        "text": "low",
        "data": {"soc_pct": 9.0},
    }


turns: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {
        "up": st.booleans(),
        "soc_pct": st.none() | st.floats(0, 100),
        "command": st.sampled_from([None, CHARGE, HOLD]),
        "buy": st.sampled_from([None, a_price_curve(0.05), a_price_curve(*[0.05, 0.3] * 9)]),
        "results": st.sampled_from([(), (TestAWrite.FAILED,)]),
    }
)


@given(st.lists(st.tuples(st.floats(-600, 600), turns), max_size=60))
def test_whatever_happens_lost_and_back_take_turns(
    story: list[tuple[float, dict[str, object]]],
) -> None:
    events, at, told = Events(replace(QUICK, price_below_per_kwh=0.1)), NOON, list[Event]()
    for step_s, turn in story:
        at += timedelta(seconds=step_s)
        told += events.see(a_tick(at, **turn))  # type: ignore[arg-type]
    presence = [k for k in kinds(told) if k.startswith("device")]
    assert presence == ["device_lost", "device_back"] * (len(presence) // 2) + (
        ["device_lost"] if len(presence) % 2 else []
    )
    assert all(json.dumps(payload_of(event, "home")) for event in told)
    again = Events(QUICK, json.loads(json.dumps(sorted(events.standing))))
    assert again.standing == events.standing
