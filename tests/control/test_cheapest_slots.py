"""octolux's rule: the cases its own code was run on, and what we mended."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from houses import LONDON, a_price_curve, a_site
from ohmstead.control.cheapest_slots import CheapestSlots, Verdict, cheapest_slots, judge
from ohmstead.model import BatteryMode, PriceCurve, PriceSlot, Room

BASE = [
    9, 8, 7, 6, 5, 5, 7, 11, 14, 13, 12, 11, 10, 9, 10, 14, 28, 33, 34, 26, 18, 15, 12, 10,
]  # fmt: skip
"""Pence by local hour, as the cases of the protocol document have them."""
OLD = CheapestSlots(old_behaviour=True, batteries=4)
HALF = timedelta(minutes=30)
EVENING = datetime(2020, 1, 15, 18, tzinfo=UTC)


def some_slots(
    start: datetime, count: int, pence: Mapping[str, float] | None = None
) -> Sequence[PriceSlot]:
    """Return the document's prices; *pence* replaces some, by local time of the next day."""
    slots = []
    for n in range(count):
        begin = start + n * HALF
        local = begin.astimezone(LONDON)
        cost = BASE[local.hour] + 0.25 * ((7 * n) % 5)
        if local.date() != start.astimezone(LONDON).date():
            cost = (pence or {}).get(f"{local:%H:%M}", cost)
        slots.append(PriceSlot(start=begin, end=begin + HALF, per_kwh=round(cost / 100, 6)))
    return slots


def said(verdict: Verdict) -> tuple[int, bool]:
    """Return the calls octolux would make: discharge_pct, charge."""
    return (100 if verdict.discharge else 0, verdict.charge)


def planned(verdict: Verdict) -> dict[str, float]:
    return {f"{s.astimezone(LONDON):%d %H:%M}": pence for s, pence in verdict.plan.items()}


def judged(
    settings: CheapestSlots,
    slots: Sequence[PriceSlot],
    now: datetime,
    soc_pct: float | None,
    before: Verdict | None = None,
) -> Verdict:
    known = [slot for slot in slots if slot.end > now]
    plan, at = (before.plan, before.planned_at) if before else ({}, None)
    return judge(settings, known, now, LONDON, soc_pct, plan, at)


PLAN_A = {"16 04:00": 5.0, "16 05:30": 5.25, "16 04:30": 5.5, "16 05:00": 6.0}


class TestTheOldRule:
    def test_case_a_plans_the_night(self) -> None:
        verdict = judged(OLD, some_slots(EVENING, 58), EVENING + timedelta(minutes=1), 40)
        assert said(verdict) == (100, False)
        assert list(planned(verdict).items()) == list(PLAN_A.items())

    def test_case_b_keeps_the_plan_at_night(self) -> None:
        slots = some_slots(EVENING, 58)
        before = judged(OLD, slots, EVENING + timedelta(minutes=1), 40)
        now = datetime(2020, 1, 16, 2, 0, 30, tzinfo=UTC)
        verdict = judged(OLD, slots, now, 55, before)
        assert said(verdict) == (0, False)
        assert planned(verdict) == PLAN_A

    def test_case_c_keeps_the_plan_for_almost_a_day(self) -> None:
        slots = some_slots(EVENING, 58)
        before = judged(OLD, slots, EVENING + timedelta(minutes=1), 40)
        now = datetime(2020, 1, 16, 17, 0, 30, tzinfo=UTC)
        verdict = judged(OLD, slots, now, 72, before)
        assert said(verdict) == (100, False)
        assert planned(verdict) == PLAN_A

    def test_case_d_takes_an_unknown_battery_for_an_empty_one(self) -> None:
        verdict = judged(OLD, some_slots(EVENING, 58), EVENING + timedelta(minutes=1), None)
        assert said(verdict) == (100, False)
        assert planned(verdict) == PLAN_A | {"16 03:00": 6.25, "16 03:30": 6.75}

    def test_case_e_plans_nothing_for_a_full_battery(self) -> None:
        verdict = judged(OLD, some_slots(EVENING, 58), EVENING + timedelta(minutes=1), 95)
        assert (said(verdict), planned(verdict)) == ((100, False), {})

    def test_case_f_charges_in_an_emergency_and_discharges_at_once(self) -> None:
        start = datetime(2020, 1, 15, 15, tzinfo=UTC)
        verdict = judged(OLD, some_slots(start, 16), start + timedelta(seconds=30), 45)
        assert (said(verdict), planned(verdict)) == ((100, True), {})

    def test_case_g_has_a_price_below_zero(self) -> None:
        slots = some_slots(EVENING, 58, {"04:00": -2.1, "04:30": -1.5, "13:00": 0.5})
        one = replace(OLD, batteries=1)
        verdict = judged(one, slots, EVENING + timedelta(minutes=1), 80)
        assert said(verdict) == (100, False)
        assert planned(verdict) == {"16 04:00": -2.1}
        later = judged(one, slots, datetime(2020, 1, 16, 13, 10, tzinfo=UTC), 80, verdict)
        assert later.charge

    def test_case_h_is_the_night_of_46_slots(self) -> None:
        start = datetime(2020, 3, 28, 18, tzinfo=UTC)
        two = replace(OLD, batteries=2)
        verdict = judged(two, some_slots(start, 56), start + timedelta(minutes=1), 30)
        assert said(verdict) == (100, False)
        assert list(planned(verdict).items()) == [
            ("29 05:00", 5.0),
            ("29 04:00", 5.25),
            ("29 05:30", 5.5),
        ]

    def test_case_i_is_the_night_of_50_slots(self) -> None:
        start = datetime(2020, 10, 24, 17, tzinfo=UTC)
        two = replace(OLD, batteries=2)
        verdict = judged(two, some_slots(start, 60), start + timedelta(minutes=1), 30)
        assert said(verdict) == (100, False)
        assert list(planned(verdict).items()) == [
            ("25 05:30", 5.0),
            ("25 04:30", 5.25),
            ("25 05:00", 5.75),
        ]

    def test_a_plan_is_made_anew_after_23_hours(self) -> None:
        slots = some_slots(EVENING, 110)
        before = judged(OLD, slots, EVENING, 40)
        now = EVENING + timedelta(hours=23, minutes=1)
        assert judged(OLD, slots, now, 40, before).planned_at == now


class TestWhatWeMended:
    NEW = replace(OLD, old_behaviour=False)

    def test_a_slot_that_charges_does_not_discharge(self) -> None:
        start = datetime(2020, 1, 15, 15, tzinfo=UTC)
        verdict = judged(self.NEW, some_slots(start, 16), start + timedelta(seconds=30), 45)
        assert said(verdict) == (0, True)

    def test_a_price_below_zero_does_not_make_the_battery_cheap(self) -> None:
        slots = some_slots(EVENING, 58, dict.fromkeys(("04:00", "04:30", "05:00", "05:30"), -5.0))
        floor = replace(self.NEW, min_discharge_per_kwh=-0.01)
        verdict = judged(floor, slots, EVENING + timedelta(minutes=1), 45)
        assert verdict.why.endswith("worth 0p")
        old = judged(replace(floor, old_behaviour=True), slots, EVENING, 45)
        assert old.why.endswith("worth -1p")

    def test_the_night_ends_at_eight(self) -> None:
        cheap = {"08:00": 1.9, "08:30": 1.9}
        settings = replace(self.NEW, cheap_per_kwh=0.0)
        slots = some_slots(EVENING, 58, cheap)
        assert planned(judged(settings, slots, EVENING, 40)) == PLAN_A
        old = replace(settings, old_behaviour=True)
        assert list(planned(judged(old, slots, EVENING, 40)))[:2] == ["16 08:00", "16 08:30"]

    def test_the_night_begins_at_eight_in_the_evening_also_at_the_end_of_a_month(self) -> None:
        start = datetime(2020, 1, 31, 19, tzinfo=UTC)
        verdict = judged(self.NEW, some_slots(start, 58), start, 40)
        assert min(verdict.plan) >= start + timedelta(hours=1)
        assert max(verdict.plan) < start + timedelta(hours=13)

    def test_after_midnight_the_night_is_the_one_that_has_begun(self) -> None:
        start = datetime(2020, 1, 16, 1, tzinfo=UTC)
        verdict = judged(self.NEW, some_slots(start, 44), start, 40)
        assert planned(verdict) != {}
        assert max(verdict.plan) < datetime(2020, 1, 16, 8, tzinfo=UTC)

    def test_other_batteries_have_their_own_capacity_and_rate(self) -> None:
        settings = replace(self.NEW, capacity_kwh=10.0, charge_w=5_000)
        verdict = judged(settings, some_slots(EVENING, 58), EVENING, 40)
        assert len(verdict.plan) == 2  # 5 kWh at 5 kW


@pytest.fixture
def curve() -> PriceCurve:
    return PriceCurve.from_slots(some_slots(EVENING, 58))


@pytest.mark.parametrize(
    ("now", "soc_pct", "mode", "says"),
    [
        pytest.param(
            EVENING, 40, BatteryMode.SELF_USE, "at 34p the battery serves the house", id="dear"
        ),
        pytest.param(
            EVENING + timedelta(hours=10),
            40,
            BatteryMode.CHARGE,
            "at 5p the battery charges until 04:30",
            id="cheap",
        ),
        pytest.param(
            EVENING + timedelta(hours=8),
            40,
            BatteryMode.HOLD,
            "at 7.5p the battery is kept for dearer hours",
            id="between",
        ),
    ],
)
def test_the_advice_says_what_and_why(
    curve: PriceCurve, now: datetime, soc_pct: float, mode: BatteryMode, says: str
) -> None:
    memory = cheapest_slots(a_site(at=EVENING, soc_pct=40, buy=curve), Room(), OLD).memory
    site = replace(a_site(at=now, soc_pct=soc_pct, buy=curve), memory=memory)
    advice = cheapest_slots(site, Room(), OLD)
    assert advice.room is not None
    assert advice.room.modes == {mode}
    assert advice.reason.startswith(says)
    assert advice.memory == memory or now == EVENING


def go(start: datetime, nights: int = 3) -> PriceCurve:
    """Return Octopus Go as it is told: 8.5p from 00:30 to 05:30, 30p else, a row for each."""
    rows = []
    for night in range(nights):
        cheap = (start + timedelta(days=night)).replace(hour=0, minute=30)
        until = cheap + timedelta(hours=5)
        rows += [
            PriceSlot(start=cheap, end=until, per_kwh=0.085),
            PriceSlot(start=until, end=until + timedelta(hours=19), per_kwh=0.30),
        ]
    return PriceCurve(slots=tuple(rows))


@pytest.mark.parametrize(
    ("later", "mode", "says"),
    [
        pytest.param(0, BatteryMode.SELF_USE, "at 30p the battery serves the house", id="evening"),
        pytest.param(
            7, BatteryMode.CHARGE, "at 8.5p the battery charges until 01:30", id="cheap hours"
        ),
        pytest.param(11, BatteryMode.HOLD, "at 8.5p the battery is kept", id="full by then"),
        pytest.param(14, BatteryMode.SELF_USE, "at 30p the battery serves the house", id="day"),
    ],
)
@pytest.mark.parametrize("settings", [OLD, replace(OLD, old_behaviour=False)], ids=["old", "new"])
def test_a_tariff_of_two_long_rows_a_day_charges_in_the_cheap_one(
    settings: CheapestSlots, later: int, mode: BatteryMode, says: str
) -> None:
    buy = go(EVENING)
    memory = cheapest_slots(a_site(at=EVENING, soc_pct=40, buy=buy), Room(), settings).memory
    now = EVENING + timedelta(hours=later)
    site = replace(a_site(at=now, soc_pct=60, buy=buy), memory=memory)
    advice = cheapest_slots(site, Room(), settings)
    assert advice.room is not None
    assert advice.room.modes == {mode}
    assert advice.reason.startswith(says)


def test_where_every_hour_costs_the_same_there_is_nothing_to_wait_for() -> None:
    always = PriceSlot(start=EVENING - timedelta(days=1), end=EVENING + 96 * HALF, per_kwh=0.30)
    site = a_site(at=EVENING, soc_pct=40, buy=PriceCurve(slots=(always,)))
    advice = cheapest_slots(site, Room(), CheapestSlots())
    assert advice.memory == {}
    assert advice.room is not None
    assert advice.room.modes == {BatteryMode.SELF_USE}
    old = cheapest_slots(site, Room(), OLD)
    assert "plan" in old.memory


def test_without_prices_it_is_blind_and_keeps_its_plan() -> None:
    site = replace(a_site(at=EVENING), memory={"plan": "kept"})
    advice = cheapest_slots(site, Room(), OLD)
    assert advice.blind
    assert advice.memory == {"plan": "kept"}


def test_without_a_state_of_charge_the_mended_rule_is_blind(curve: PriceCurve) -> None:
    site = a_site(at=EVENING, soc_pct=None, buy=curve)
    assert cheapest_slots(site, Room(), CheapestSlots()).blind
    assert not cheapest_slots(site, Room(), OLD).blind


def test_with_few_prices_nothing_is_planned_or_kept() -> None:
    site = a_site(at=EVENING, buy=a_price_curve(0.30, 0.30, start=EVENING))
    advice = cheapest_slots(site, Room(), replace(CheapestSlots(), charge_w=2_000))
    assert advice.memory == {}
    assert advice.room is not None
    assert advice.room.charge_w == 2_000


def test_a_price_that_may_not_hold_must_be_likely(curve: PriceCurve) -> None:
    now = curve.slots[0].start
    doubtful = [replace(s, per_kwh=0.01, confidence=0.4, usual_per_kwh=0.3) for s in curve.slots]
    site = a_site(buy=PriceCurve(slots=tuple(doubtful)), at=now, soc_pct=40)
    said = cheapest_slots(site, Room(), CheapestSlots())
    assert said.reason.startswith("at 30p ")
    old = cheapest_slots(site, Room(), CheapestSlots(old_behaviour=True))
    assert old.reason.startswith("at 1p the battery charges")


@pytest.mark.parametrize(
    "wrong",
    [
        {"required_soc_pct": 101},
        {"emergency_soc_pct": -1},
        {"least_confidence": -1},
        {"batteries": 0},
        {"capacity_kwh": 0},
        {"charge_w": -1},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        replace(CheapestSlots(), **wrong)  # type: ignore[arg-type]
