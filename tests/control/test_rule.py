"""Rules: expressions of the owner's, over the names of the glossary."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from houses import NOON, a_price_curve, a_site
from ohmstead.control.rule import Action, Do, Rule, rule
from ohmstead.model import BatteryMode, Prices, Room, SiteSnapshot

CHARGE = Do(charge=Action(power_w=3_000, until_soc=90))


def a_house(memory: Mapping[str, str] | None = None, **known: float | None) -> SiteSnapshot:
    site = a_site(buy=a_price_curve(0.04, 0.30), **known)  # type: ignore[arg-type]
    return replace(
        site,
        prices=Prices(buy=site.prices.buy, sell=a_price_curve(0.15)),
        mode=BatteryMode.HOLD,
        mode_since=NOON - timedelta(minutes=5),
        memory=memory or {},
    )


@pytest.mark.parametrize(
    ("when", "so"),
    [
        ("price.import < 0.05 && battery.soc < 90", True),
        ("price.import < 0.04", False),
        ("price.next_import > price.import", True),
        ("price.export == 0.15", True),
        ("load.power_w > 400 && grid.power_w == load.power_w", True),
        ("pv.power_w > 0 || battery.power_w != 0", False),
        ("time.hour == 13 && time.minute == 0 && time.weekday == 7", True),
        ("time.hour % 2 == 1", True),
        ('time.hhmm >= "13:00" && time.hhmm < "16:00"', True),
        ('mode.name == "hold" && mode.for_s >= 300', True),
        ('mode.name in ["charge", "idle"]', False),
        ("true", True),
    ],
)
def test_what_an_expression_can_say(when: str, so: bool) -> None:
    advice = rule(a_house(), Room(), Rule(when=when, do=CHARGE))
    assert not advice.blind
    assert (advice.room is not None) is so


def test_the_configuration_example_charges_to_ninety() -> None:
    settings = Rule(when="price.import < 0.05 && battery.soc < 90", do=CHARGE)
    advice = rule(a_house(), Room(), settings)
    assert advice.room == Room(
        modes=frozenset({BatteryMode.CHARGE}), charge_w=3_000, ceiling_pct=90
    )
    assert advice.reason == "price.import < 0.05 && battery.soc < 90 has been so since 13:00"


def test_a_discharge_stops_at_its_floor() -> None:
    do = Do(discharge=Action(power_w=1_000, until_soc=40))
    advice = rule(a_house(), Room(), Rule(when="true", do=do, name="evening"))
    assert advice.room == Room(
        modes=frozenset({BatteryMode.DISCHARGE}), discharge_w=1_000, floor_pct=40
    )
    assert advice.reason.startswith("evening has been so")


def test_an_action_without_numbers_takes_the_room_there_is() -> None:
    for do in (Do(charge=Action()), Do(hold=Action())):
        advice = rule(a_house(), Room(charge_w=5, discharge_w=6), Rule(when="true", do=do))
        assert advice.room is not None
        assert (advice.room.charge_w, advice.room.discharge_w) == (5, 6)


def test_what_must_have_lasted_is_waited_for() -> None:
    settings = Rule(when="pv.power_w == 0", do=CHARGE, lasting_s=600)
    first = rule(a_house(), Room(), settings)
    assert first.room is None
    assert first.reason == "pv.power_w == 0 has been so for 0 s of 600 s"
    later = replace(a_house(first.memory), at=NOON + timedelta(minutes=10))
    assert rule(later, Room(), settings).room is not None
    sunny = rule(a_house(first.memory, pv_w=100), Room(), settings)
    assert sunny.memory == {}


def test_what_nobody_measured_makes_it_blind() -> None:
    settings = Rule(when="battery.soc < 50 || load.power_w > 1", do=CHARGE)
    advice = rule(a_house(soc_pct=None, load_w=None), Room(), settings)
    assert advice.blind
    assert advice.reason == "battery.soc, load.power_w is not known for now"


def test_an_expression_that_fails_when_it_is_asked_is_no_crash() -> None:
    settings = Rule(when="10 / (time.hour - 13) > 0", do=CHARGE)
    advice = rule(a_house(), Room(), settings)
    assert advice.blind
    assert "cannot be answered" in advice.reason


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("price.imprt < 1", "imprt"),
        ("battery.soc <", "Syntax error|parse"),
        ("weather.sunny", "weather"),
        ("battery.soc", "must say true or false"),
        ('battery.soc < "low"', "No such overload"),
        ("price.import < 1 || typo", "typo"),
        ("pv.power_w > load.power_w + 200", "write 200 as 200.0"),
    ],
)
def test_an_expression_that_cannot_be_meant_is_refused(when: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Rule(when=when, do=CHARGE)


def test_exactly_one_mode_is_said() -> None:
    with pytest.raises(ValueError, match="exactly one of self_use, charge"):
        Do()
    with pytest.raises(ValueError, match="exactly one"):
        Do(charge=Action(), hold=Action())


@pytest.mark.parametrize("wrong", [{"power_w": -1}, {"until_soc": 101}])
def test_an_action_that_cannot_be_meant_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Action(**wrong)


def test_a_wait_is_not_negative() -> None:
    with pytest.raises(ValueError, match="lasting_s"):
        Rule(when="true", do=CHARGE, lasting_s=-1)
