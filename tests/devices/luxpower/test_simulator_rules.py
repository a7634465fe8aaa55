"""The simulated firmware does what its settings say, in the order of their rank."""

from dataclasses import replace

import pytest

from ohmstead.devices.luxpower.registers import MODELS
from ohmstead.devices.luxpower.simulator_images import IMAGES
from ohmstead.devices.luxpower.simulator_rules import Moment, Orders, orders_of, wish, within
from ohmstead.registers import RegisterBank

NOON = Moment(minute=720, soc_pct=50, pv_w=0, load_w=500)
SUNNY = replace(NOON, pv_w=3_000)
AC, FORCED, PRIORITY = 128, 1_024, 2_048


def orders(**words: int) -> Orders:
    """Return the orders of an ACS with some registers set, r21=… and so on."""
    bank = RegisterBank(MODELS["acs_3600"].holdings, IMAGES["acs_3600"].holdings)
    for name, word in words.items():
        bank.words[int(name[1:])] = word
    return orders_of(bank, MODELS["acs_3600"], 3_600, 3_600, 3_000)


ALL_DAY = 0x3B17
BASE = 62292


@pytest.mark.parametrize(
    ("given", "now", "expected"),
    [
        pytest.param(orders(), NOON, 500, id="the battery carries the house"),
        pytest.param(orders(), SUNNY, -2_500, id="spare sun is stored"),
        pytest.param(orders(), replace(NOON, soc_pct=10), 0, id="down to the cut-off"),
        pytest.param(orders(r105=30), replace(NOON, soc_pct=30), 0, id="a higher cut-off"),
        pytest.param(orders(r65=0), NOON, 0, id="no discharge at a rate of nothing"),
        pytest.param(orders(r65=10), NOON, 300, id="a tenth of the discharge"),
        pytest.param(orders(r64=0), SUNNY, 0, id="no charge at a rate of nothing"),
        pytest.param(orders(r64=50), SUNNY, -1_800, id="half of the charge"),
        pytest.param(orders(r21=BASE | AC), NOON, -3_600, id="AC charge"),
        pytest.param(orders(r21=BASE | AC, r66=25), NOON, -900, id="AC charge, a quarter"),
        pytest.param(
            orders(r21=BASE | AC, r66=25), SUNNY, -2_500, id="and whatever the sun spares"
        ),
        pytest.param(orders(r21=BASE | AC, r64=10), NOON, -360, id="AC charge within the rate"),
        pytest.param(orders(r21=BASE | AC, r67=50), NOON, 0, id="AC charge up to its limit"),
        pytest.param(
            orders(r21=BASE | AC, r67=101), replace(NOON, soc_pct=100), -3_600, id="without limit"
        ),
        pytest.param(orders(r21=BASE | AC, r69=0), NOON, 500, id="AC charge without a slot"),
        pytest.param(
            orders(r21=BASE | AC, r68=13, r69=14), NOON, 500, id="AC charge in another hour"
        ),
        pytest.param(
            orders(r21=BASE | AC, r69=0, r70=11, r71=13), NOON, -3_600, id="in the second slot"
        ),
        pytest.param(orders(r152=0, r153=ALL_DAY), NOON, 0, id="AC first keeps the battery"),
        pytest.param(orders(r21=BASE | FORCED, r85=ALL_DAY), NOON, 3_000, id="forced discharge"),
        pytest.param(
            orders(r21=BASE | FORCED, r85=ALL_DAY, r82=50), NOON, 1_800, id="at half power"
        ),
        pytest.param(
            orders(r21=BASE | FORCED, r85=ALL_DAY),
            replace(NOON, soc_pct=20),
            500,
            id="above its floor only",
        ),
        pytest.param(
            orders(r21=(BASE | FORCED) & 0x7FFF, r85=ALL_DAY),
            NOON,
            500,
            id="not into a grid it may not feed",
        ),
        pytest.param(
            orders(r21=BASE | FORCED | AC, r85=ALL_DAY), NOON, -3_600, id="AC charge goes before it"
        ),
        pytest.param(
            orders(r21=BASE | FORCED, r85=ALL_DAY, r153=ALL_DAY), NOON, 0, id="so does AC first"
        ),
        pytest.param(
            orders(r21=BASE | PRIORITY, r77=ALL_DAY), SUNNY, -3_000, id="the sun charges first"
        ),
        pytest.param(
            orders(r21=BASE | PRIORITY, r77=ALL_DAY, r74=25),
            replace(SUNNY, load_w=4_000),
            -900,
            id="as far as its power goes",
        ),
        pytest.param(
            orders(r21=BASE | PRIORITY, r77=ALL_DAY, r75=50), SUNNY, -2_500, id="up to its limit"
        ),
        pytest.param(
            orders(r21=BASE | PRIORITY, r77=ALL_DAY), NOON, 500, id="in the dark all is as ever"
        ),
        pytest.param(orders(r110=16), SUNNY, 0, id="charge last lets the sun out"),
        pytest.param(orders(r110=16), NOON, 500, id="and still serves the house"),
        pytest.param(orders(r21=BASE & ~512), NOON, 0, id="standby"),
    ],
)
def test_the_battery_does(given: Orders, now: Moment, expected: float) -> None:
    assert wish(given, now) == pytest.approx(expected)


def test_large_models_count_in_hundreds_of_watts() -> None:
    bank = RegisterBank(MODELS["eg4_12kpv"].holdings, IMAGES["eg4_12kpv"].holdings)
    found = orders_of(bank, MODELS["eg4_12kpv"], 12_000, 12_000, 12_000)
    assert (found.ac_charge.power_w, found.ac_charge.slots[0]) == (5_000, (21 * 60, 7 * 60))
    assert found.feed_in_w == 25_500


@pytest.mark.parametrize(
    ("slot", "inside", "outside"),
    [
        pytest.param((0, 1439), [0, 720, 1438], [1439], id="all day but its last minute"),
        pytest.param((0, 0), [], [0, 720], id="off"),
        pytest.param((600, 600), [], [600], id="no time at all"),
        pytest.param((1410, 330), [1410, 0, 329], [330, 1409], id="over midnight"),
    ],
)
def test_a_slot_ends_before_its_end(
    slot: tuple[int, int], inside: list[int], outside: list[int]
) -> None:
    assert all(within(minute, (slot,)) for minute in inside)
    assert not any(within(minute, (slot,)) for minute in outside)
