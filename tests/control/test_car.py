"""While a car charges, export does not go into it, and the battery does not empty into it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from houses import NOON, a_price_curve, a_site
from ohmstead.control.car import Car, car
from ohmstead.control.decide import Strategy, decide
from ohmstead.control.price_threshold import PriceThreshold, price_threshold
from ohmstead.control.rule import Action, Do, Rule, rule
from ohmstead.model import (
    Advice,
    BatteryMode,
    ChargerReading,
    Decision,
    PriceCurve,
    Room,
    SiteSnapshot,
)

CHARGING = ChargerReading(power_w=7_000, plugged=True, charging=True)
OUTSIDE = replace(CHARGING, inside_meter=False)
FULL = ChargerReading(power_w=0, plugged=True, charging=False)
EVERY = frozenset(BatteryMode)
EXPORTS = {BatteryMode.DISCHARGE, BatteryMode.EXPORT_SOLAR}
CHEAP = partial(price_threshold, settings=PriceThreshold(at_most_per_kwh=0.10))
DUMP = partial(rule, settings=Rule(when="true", do=Do(discharge=Action(until_soc=8)), name="dump"))


def a_house(
    *chargers: ChargerReading,
    after_s: float = 0,
    before: Advice | None = None,
    buy: PriceCurve | None = None,
) -> SiteSnapshot:
    site = a_site(at=NOON + timedelta(seconds=after_s), buy=buy)
    return replace(site, chargers=chargers, memory=before.memory if before else {})


def left(advice: Advice) -> frozenset[BatteryMode]:
    return EVERY if advice.room is None else advice.room.modes


@pytest.mark.parametrize(
    ("chargers", "forbidden"),
    [
        pytest.param([OUTSIDE], EXPORTS, id="outside, the inverter does not see it"),
        pytest.param([CHARGING], EXPORTS | {BatteryMode.SELF_USE}, id="inside, it does"),
        pytest.param([OUTSIDE, CHARGING], EXPORTS | {BatteryMode.SELF_USE}, id="one of each"),
        pytest.param([FULL], set(), id="plugged in and full"),
        pytest.param([replace(CHARGING, power_w=300)], set(), id="it sips"),
        pytest.param([replace(CHARGING, power_w=None)], EXPORTS | {BatteryMode.SELF_USE},
                     id="it charges, nobody knows how fast"),
        pytest.param([ChargerReading()], set(), id="a charger that knows nothing"),
        pytest.param([], set(), id="no charger"),
    ],
)  # fmt: skip
def test_what_a_charging_car_forbids(
    chargers: Sequence[ChargerReading], forbidden: set[BatteryMode]
) -> None:
    advice = car(a_house(*chargers), Room(), Car())
    assert left(advice) == EVERY - forbidden
    assert advice.blind is (not forbidden)


def test_it_says_why() -> None:
    assert car(a_house(OUTSIDE), Room(), Car()).reason == (
        "the car charges with 7000 W, so nothing is forced out"
    )
    assert car(a_house(CHARGING), Room(), Car()).reason == (
        "the car charges with 7000 W, so nothing is forced out and "
        "the battery does not empty into it"
    )


@pytest.mark.parametrize(
    ("settings", "forbidden"),
    [
        (Car(no_export=False), EXPORTS | {BatteryMode.SELF_USE}),
        (Car(no_discharge=False), EXPORTS),
        (Car(no_export=False, no_discharge=False), set()),
        (Car(from_w=8_000), set()),
    ],
    ids=["may export", "may discharge", "may do both", "only a faster car"],
)
def test_the_owner_chooses_what_matters(settings: Car, forbidden: set[BatteryMode]) -> None:
    assert left(car(a_house(CHARGING), Room(), settings)) == EVERY - forbidden


@pytest.mark.parametrize(
    ("now", "after_s", "kept"),
    [
        pytest.param([FULL], 60, True, id="a pause of a minute"),
        pytest.param([FULL], 121, False, id="it has ended"),
        pytest.param([], 600, True, id="the charger fell silent"),
        pytest.param([], 901, False, id="silent for too long"),
        pytest.param([ChargerReading()], 600, True, id="it answers and says nothing"),
        pytest.param([], -60, False, id="the clock was put back"),
    ],
)
def test_what_was_seen_last_holds_for_a_while(
    now: Sequence[ChargerReading], after_s: float, kept: bool
) -> None:
    before = car(a_house(CHARGING), Room(), Car())
    advice = car(a_house(*now, after_s=after_s, before=before), Room(), Car())
    assert (left(advice) != EVERY) is kept
    assert bool(advice.memory) is kept


def test_the_wiring_is_remembered_too() -> None:
    before = car(a_house(OUTSIDE), Room(), Car())
    advice = car(a_house(after_s=60, before=before), Room(), Car())
    assert left(advice) == EVERY - EXPORTS


def decided(site: SiteSnapshot, *strategies: Strategy) -> Decision:
    first: Strategy = partial(car, settings=Car())
    named = [("car", first), *((f"other{n}", other) for n, other in enumerate(strategies))]
    return decide(site, named)


@pytest.mark.parametrize(
    ("charger", "others", "mode"),
    [
        pytest.param(OUTSIDE, [DUMP], BatteryMode.SELF_USE, id="outside: no dump"),
        pytest.param(CHARGING, [DUMP], BatteryMode.HOLD, id="inside: no dump, the battery is held"),
        pytest.param(FULL, [DUMP], BatteryMode.DISCHARGE, id="the car is full: the dump goes on"),
        pytest.param(CHARGING, [CHEAP], BatteryMode.CHARGE, id="a cheap hour charges both"),
        pytest.param(CHARGING, [], BatteryMode.HOLD, id="alone it still guards"),
    ],
)  # fmt: skip
def test_what_the_battery_then_does(
    charger: ChargerReading, others: Sequence[Strategy], mode: BatteryMode
) -> None:
    decision = decided(a_house(charger, buy=a_price_curve(0.05)), *others)
    assert decision.command is not None
    assert decision.command.mode is mode


def test_without_a_car_it_takes_no_command_of_the_inverter() -> None:
    assert decided(a_house(FULL)).command is None


@pytest.mark.parametrize("wrong", [{"from_w": 0}, {"settle_s": -1}, {"believe_s": -1}])
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Car(**wrong)  # type: ignore[arg-type]


def test_rules_may_speak_of_the_car() -> None:
    settings = Rule(when="car.power_w > 1000.0", do=Do(hold=Action()))
    assert left(rule(a_house(CHARGING), Room(), settings)) == {BatteryMode.HOLD}
    assert rule(a_house(), Room(), settings).blind
