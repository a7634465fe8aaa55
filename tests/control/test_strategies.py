"""The strategies one by one: what they say, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from houses import LONDON, NOON, a_device, a_price_curve, a_reading, a_site
from ohmstead.control.keep_clock import KeepClock, keep_clock
from ohmstead.control.limits import Limits, limits
from ohmstead.control.price_threshold import PriceThreshold, price_threshold
from ohmstead.control.requests import Requests, requests
from ohmstead.control.self_consumption import SelfConsumption, self_consumption
from ohmstead.control.words import price
from ohmstead.model import (
    Advice,
    BatteryCommand,
    BatteryMode,
    PriceCurve,
    Request,
    Room,
    SettingChange,
    SiteSnapshot,
)

FIVE = PriceThreshold(at_most_per_kwh=0.05, power_w=2_000, until_soc_pct=80)


class TestPriceThreshold:
    @pytest.mark.parametrize(
        ("per_kwh", "charges"),
        [
            pytest.param(0.05, True, id="at the threshold"),
            pytest.param(0.0501, False, id="a hundredth of a penny above"),
            pytest.param(-0.02, True, id="below zero"),
            pytest.param(0.0, True, id="for nothing"),
        ],
    )
    def test_it_charges_at_or_below_the_threshold(self, per_kwh: float, charges: bool) -> None:
        advice = price_threshold(a_site(buy=a_price_curve(per_kwh)), Room(), FIVE)
        assert (advice.room is not None) is charges
        assert not advice.blind

    def test_it_charges_to_the_end_of_the_cheap_slots(self) -> None:
        site = a_site(buy=a_price_curve(0.01, 0.05, 0.06, 0.01))
        advice = price_threshold(site, Room(), FIVE)
        assert advice.room == Room(
            modes=frozenset({BatteryMode.CHARGE}),
            charge_w=2_000,
            ceiling_pct=80,
            until=NOON + timedelta(hours=1),
        )
        assert (
            advice.reason == "the price of 1p is not above 5p, so the battery charges until 14:00"
        )

    def test_a_gap_ends_the_cheap_slots(self) -> None:
        curve = a_price_curve(0.01, 0.01, 0.01)
        gap = PriceCurve(slots=(curve.slots[0], curve.slots[2]))
        advice = price_threshold(a_site(buy=gap), Room(), FIVE)
        assert advice.room is not None
        assert advice.room.until == NOON + timedelta(minutes=30)

    def test_it_says_why_it_does_not_charge(self) -> None:
        advice = price_threshold(a_site(buy=a_price_curve(0.123)), Room(), FIVE)
        assert advice.reason == "the price of 12.3p is above 5p, so the battery serves the house"

    def test_without_a_price_it_is_blind(self) -> None:
        assert price_threshold(a_site(), Room(), FIVE).blind
        old = a_price_curve(0.01, start=NOON - timedelta(days=1))
        assert price_threshold(a_site(buy=old), Room(), FIVE).blind

    @pytest.mark.parametrize(
        ("sure", "usual", "charges"),
        [(0.4, 0.2, False), (0.7, 0.2, True), (0.4, None, True)],
        ids=["a withdrawn dispatch is likely", "it is not", "nobody knows what it would cost"],
    )
    def test_a_price_that_may_not_hold_must_be_likely(
        self, sure: float, usual: float | None, charges: bool
    ) -> None:
        slot = replace(a_price_curve(0.05).slots[0], confidence=sure, usual_per_kwh=usual)
        advice = price_threshold(a_site(buy=PriceCurve(slots=(slot,))), Room(), FIVE)
        assert (advice.room is not None) is charges
        brave = replace(FIVE, least_confidence=0)
        advice = price_threshold(a_site(buy=PriceCurve(slots=(slot,))), Room(), brave)
        assert advice.room is not None

    def test_full_power_unless_said(self) -> None:
        site = a_site(buy=a_price_curve(0.01))
        advice = price_threshold(site, Room(), PriceThreshold(at_most_per_kwh=0.05))
        assert advice.room is not None
        assert advice.room.charge_w == Room().charge_w

    @pytest.mark.parametrize(
        "wrong", [{"power_w": 0}, {"until_soc_pct": 0}, {"least_confidence": 2}]
    )
    def test_settings_that_cannot_be_meant_are_refused(self, wrong: dict[str, float]) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            PriceThreshold(at_most_per_kwh=0.05, **wrong)


class TestSelfConsumption:
    @pytest.mark.parametrize(
        ("soc_pct", "remembered", "mode"),
        [
            pytest.param(50, False, BatteryMode.SELF_USE, id="above the reserve"),
            pytest.param(10, False, BatteryMode.HOLD, id="at the reserve"),
            pytest.param(12, True, BatteryMode.HOLD, id="not yet well above it"),
            pytest.param(12, False, BatteryMode.SELF_USE, id="on the way down"),
            pytest.param(13, True, BatteryMode.SELF_USE, id="well above it again"),
        ],
    )
    def test_the_reserve_is_kept(self, soc_pct: float, remembered: bool, mode: BatteryMode) -> None:
        site = replace(a_site(soc_pct=soc_pct), memory={"reserve": "yes"} if remembered else {})
        advice = self_consumption(site, Room(), SelfConsumption(reserve_pct=10))
        assert advice.room is not None
        assert advice.room.modes == {mode}
        assert ("reserve" in advice.memory) is (mode is BatteryMode.HOLD)

    def test_an_unknown_battery_is_left_alone(self) -> None:
        assert self_consumption(a_site(soc_pct=None), Room(), SelfConsumption()).blind

    def test_a_reserve_is_a_percentage(self) -> None:
        with pytest.raises(ValueError, match="reserve_pct"):
            SelfConsumption(reserve_pct=101)


class TestLimits:
    def test_powers_and_levels_become_room(self) -> None:
        settings = Limits(max_charge_w=2_000, max_discharge_w=3_000, min_soc_pct=20, max_soc_pct=90)
        advice = limits(a_site(), Room(), settings)
        assert advice.room == Room(charge_w=2_000, discharge_w=3_000, floor_pct=20, ceiling_pct=90)
        assert advice.blind
        assert advice.reason == "charging gets at most 2000 W"

    @pytest.mark.parametrize(
        ("soc_pct", "remembered", "empties"),
        [
            (20, False, False),
            (19, False, False),
            (21, False, True),
            (21, True, False),
            (22, True, True),
        ],
    )
    def test_a_low_battery_is_not_discharged(
        self,
        soc_pct: float,
        remembered: bool,
        empties: bool,
    ) -> None:
        site = replace(a_site(soc_pct=soc_pct), memory={"low": "yes"} if remembered else {})
        advice = limits(site, Room(), Limits(min_soc_pct=20))
        assert advice.room is not None
        assert (BatteryMode.DISCHARGE in advice.room.modes) is empties
        assert (BatteryMode.SELF_USE in advice.room.modes) is empties
        assert BatteryMode.HOLD in advice.room.modes

    def test_a_full_battery_is_not_charged(self) -> None:
        advice = limits(a_site(soc_pct=90), Room(), Limits(max_soc_pct=90))
        assert advice.room is not None
        assert BatteryMode.CHARGE not in advice.room.modes
        assert advice.reason == "at 90 % the battery is full enough"
        assert not advice.blind
        still = replace(a_site(soc_pct=89), memory=advice.memory)
        again = limits(still, Room(), Limits(max_soc_pct=90))
        assert again.room is not None
        assert BatteryMode.CHARGE not in again.room.modes

    def test_without_a_limit_a_full_battery_may_still_be_asked_to_charge(self) -> None:
        advice = limits(a_site(soc_pct=100), Room(), Limits())
        assert advice.room == Room()

    @pytest.mark.parametrize(
        ("load_w", "pv_w", "charge_w"),
        [(500, 0, 9_500), (540, 0, 9_400), (500, 1_000, 10_500), (12_000, 0, 0), (None, 0, 15_000)],
    )
    def test_charging_leaves_the_grid_connection_room(
        self, load_w: float | None, pv_w: float, charge_w: float
    ) -> None:
        site = a_site(load_w=load_w, pv_w=pv_w)
        advice = limits(site, Room(), Limits(import_limit_w=10_000, max_charge_w=15_000))
        assert advice.room is not None
        assert advice.room.charge_w == charge_w

    def test_an_unknown_level_binds_nothing(self) -> None:
        advice = limits(a_site(soc_pct=None), Room(), Limits(min_soc_pct=20))
        assert advice.reason == "nothing is near a limit"

    @pytest.mark.parametrize(
        "wrong", [{"min_soc_pct": 100}, {"max_soc_pct": 101}, {"max_charge_w": -1}]
    )
    def test_limits_that_contradict_each_other_are_refused(self, wrong: dict[str, float]) -> None:
        with pytest.raises(ValueError, match=r"_soc_pct|max_charge_w"):
            Limits(**wrong)


class TestRequests:
    def ask(self, *wanted: tuple[int, BatteryCommand], why: str = "") -> Advice:
        made = tuple(
            Request(
                id=str(minute), asked_by="web", made_at=NOON + timedelta(minutes=minute),
                want=want, until=NOON + timedelta(hours=1), why=why,
            )
            for minute, want in wanted
        )  # fmt: skip
        change = SettingChange(device="inverter", point="x", value=1)
        other = Request(id="x", asked_by="web", made_at=NOON + timedelta(days=1), want=change)
        return requests(replace(a_site(), requests=(*made, other)), Room(), Requests())

    def test_the_latest_request_counts(self) -> None:
        charge = BatteryCommand(mode=BatteryMode.CHARGE, power_w=3_000, soc_pct=80)
        advice = self.ask((2, charge), (1, BatteryCommand(mode=BatteryMode.HOLD)))
        assert advice.room == Room(
            modes=frozenset({BatteryMode.CHARGE}),
            charge_w=3_000,
            ceiling_pct=80,
            until=NOON + timedelta(hours=1),
        )
        assert advice.reason == "web asked for charge until 14:00"

    def test_a_discharge_has_a_floor(self) -> None:
        want = BatteryCommand(mode=BatteryMode.DISCHARGE, power_w=1_000, soc_pct=30)
        advice = self.ask((1, want), why="a guest's car")
        assert advice.room is not None
        assert (advice.room.discharge_w, advice.room.floor_pct) == (1_000, 30)
        assert advice.reason == "web asked for discharge until 14:00: a guest's car"

    def test_without_numbers_it_is_as_much_as_there_is_room_for(self) -> None:
        for mode in (BatteryMode.CHARGE, BatteryMode.DISCHARGE):
            advice = self.ask((1, BatteryCommand(mode=mode)))
            assert advice.room is not None
            assert advice.room == Room(modes=frozenset({mode}), until=NOON + timedelta(hours=1))

    def test_with_nobody_asking_it_is_blind(self) -> None:
        assert self.ask().blind


class TestKeepClock:
    def told(
        self, clock: datetime | None, at: datetime = NOON, memory: dict[str, str] | None = None
    ) -> Advice:
        local = at.astimezone(LONDON).replace(tzinfo=None)
        drift_s = None if clock is None else (clock - local).total_seconds()
        reading = a_reading(at=at, values={"clock": clock, "clock_drift_s": drift_s})
        site = SiteSnapshot(
            at=at,
            timezone=LONDON,
            devices={"inverter": a_device(reading), "dead": a_device(None, "silent")},
            memory=memory or {},
        )
        return keep_clock(site, Room(), KeepClock())

    def test_a_clock_that_is_off_is_set_to_local_time(self) -> None:
        advice = self.told(datetime(2026, 6, 21, 12, 0))
        assert advice.changes == (
            SettingChange(
                device="inverter",
                point="clock",
                value=datetime(2026, 6, 21, 13, 0),
            ),
        )
        assert "clock of inverter was off" in advice.reason

    @pytest.mark.parametrize("off_s", [0, 119, -119])
    def test_a_clock_that_is_nearly_right_is_left_alone(self, off_s: int) -> None:
        shown = datetime(2026, 6, 21, 13) + timedelta(seconds=off_s)
        assert self.told(shown).changes == ()

    def test_it_is_not_set_again_within_the_hour(self) -> None:
        wrong = datetime(2026, 6, 21, 12)
        memory = dict(self.told(wrong).memory)
        assert self.told(wrong, NOON + timedelta(minutes=59), memory).changes == ()
        assert self.told(wrong, NOON + timedelta(minutes=60), memory).changes != ()

    @pytest.mark.parametrize(
        "at",
        [
            pytest.param(datetime(2026, 6, 20, 22, 59, tzinfo=UTC), id="before local midnight"),
            pytest.param(datetime(2026, 6, 20, 23, 1, tzinfo=UTC), id="after local midnight"),
            pytest.param(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="the hour that comes twice"),
            pytest.param(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), id="and again"),
            pytest.param(datetime(2026, 3, 29, 0, 59, tzinfo=UTC), id="before the lost hour"),
        ],
    )
    def test_it_waits_for_a_quiet_time(self, at: datetime) -> None:
        advice = self.told(datetime(2026, 1, 1), at, {"inverter": "kept"})
        assert advice.changes == ()
        assert advice.memory == {"inverter": "kept"}

    def test_it_sets_the_clock_once_the_night_of_the_change_is_over(self) -> None:
        at = datetime(2026, 3, 29, 4, 5, tzinfo=UTC)
        (change,) = self.told(datetime(2026, 3, 29, 4, 5), at).changes
        assert change.value == datetime(2026, 3, 29, 5, 5)

    def test_a_device_without_a_clock_is_no_trouble(self) -> None:
        assert self.told(None).changes == ()

    def test_a_tolerance_that_writes_all_the_time_is_refused(self) -> None:
        with pytest.raises(ValueError, match="tolerance_s"):
            KeepClock(tolerance_s=5)


def test_prices_are_said_as_owners_say_them() -> None:
    assert price(0.30) == "30p"
    assert price(0.1, "EUR") == "10ct"
    assert price(1.2, "SEK") == "1.2 SEK"
