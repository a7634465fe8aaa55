"""Rates in watts: what they mean, and that what is written reads back as the same."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ohmstead.devices.givenergy.power import POWERS, Power, Size, size_of
from ohmstead.devices.givenergy.registers import MODELS, Model
from ohmstead.devices.givenergy.settings import GivEnergySettings
from ohmstead.model import Range, Value
from ohmstead.site.writer import same

GEN1, AC, AIO = MODELS["hybrid_gen1"], MODELS["ac_coupled"], MODELS["all_in_one"]


def a_power(
    kwh: float = 9.5, battery_w: float = 2_600, model: str = "hybrid_gen1", rated_w: float = 3_600
) -> Power:
    size = Size(rated_w=rated_w, battery_w=battery_w, battery_kwh=kwh)
    power = Power.of("charge_power_w", MODELS[model], size)
    assert power is not None
    return power


def held(**values: Value) -> dict[str, Value | None]:
    return dict(values)


# ---- watts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("watts", "rate"), [(950, 10), (2_600, 50), (2_565, 27), (0, 0), (95, 1), (1_000, 11)]
)
def test_watts_are_hundredths_of_the_capacity_an_hour(watts: float, rate: int) -> None:
    assert a_power().setting(watts) == rate


@pytest.mark.parametrize(
    ("rate", "watts"), [(10, 950), (27, 2_565), (28, 2_600), (50, 2_600), (0, 0), (100, 2_600)]
)
def test_hundredths_of_the_capacity_an_hour_are_watts_up_to_what_it_can(
    rate: int, watts: float
) -> None:
    assert a_power().watts(rate) == watts


@pytest.mark.parametrize(("watts", "rate"), [(3_600, 100), (1_800, 50), (36, 1), (54.5, 2)])
def test_where_the_rated_power_counts_it_is_hundredths_of_that(watts: float, rate: int) -> None:
    power = a_power(model="ac_coupled")
    assert power.rate == "ac_charge_rate_pct"
    assert power.setting(watts) == rate
    assert power.watts(rate) == pytest.approx(watts, abs=18)


@pytest.mark.parametrize("rate", [None, "fast"])
def test_what_is_no_number_is_no_power(rate: Value | None) -> None:
    assert a_power().watts(rate) is None


@pytest.mark.parametrize("model", ["hybrid_gen1", "ac_coupled"])
def test_a_rate_is_never_zero_where_zero_is_an_error(model: str) -> None:
    power = a_power(model=model)
    assert isinstance(power.point.writable, Range)
    least = power.setting(power.point.writable.low)
    row = MODELS[model].holdings[power.rate]
    assert row.point.check(least) == least


@given(
    kwh=st.floats(1, 100).map(lambda kwh: round(kwh, 2)),
    battery_w=st.floats(500, 20_000),
    rated_w=st.floats(1_000, 50_000),
    owners=st.booleans(),
    model=st.sampled_from(["hybrid_gen1", "hybrid_gen3", "ac_coupled", "all_in_one", "hybrid_3ph"]),
    share=st.floats(0, 1),
)
def test_what_is_written_is_confirmed(
    *, kwh: float, battery_w: float, rated_w: float, owners: bool, model: str, share: float
) -> None:
    settings = GivEnergySettings(
        host="dongle", battery_kwh=kwh, rated_w=rated_w, battery_w=battery_w if owners else None
    )
    size = size_of(settings, MODELS[model], (0x2001, 449), {})
    power = Power.of("discharge_power_w", MODELS[model], size)
    assert power is not None
    limits = power.point.writable
    assert isinstance(limits, Range)
    watts = limits.low + share * (limits.high - limits.low)
    wanted = power.point.check(watts)
    rate = power.setting(wanted)
    row = MODELS[model].holdings[power.rate]
    assert row.point.check(rate) == rate
    assert same(power.point, power.watts(rate), wanted)


@given(st.integers(0, 50), st.floats(1, 50).map(lambda kwh: round(kwh, 1)), st.floats(500, 9_000))
def test_a_rate_that_is_shown_can_be_written_back(rate: int, kwh: float, battery_w: float) -> None:
    power = a_power(kwh, battery_w)
    watts = power.watts(rate)
    assert watts is not None
    assume(watts < power.most_w)
    assert power.watts(power.setting(watts)) == pytest.approx(watts, abs=0.5)


def test_a_point_says_what_it_is() -> None:
    point = a_power().point
    assert (point.key, point.unit, point.writable) == ("charge_power_w", "W", Range(0, 2_600, 96))


# ---- which rates there are -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "size", "rate"),
    [
        ("hybrid_gen1", (2_600, 9.5), "charge_rate_pct"),
        ("hybrid_gen1", (2_600, None), None),
        ("ac_coupled", (3_000, None), "ac_charge_rate_pct"),
        ("hybrid_3ph", (11_000, None), "ac_charge_rate_pct"),
        ("pv_only", (None, None), None),
        ("ems", (None, None), None),
        ("ems", (6_000, 20), None),
    ],
)
def test_a_rate_is_told_in_watts_where_that_can_be_told(
    model: str, size: tuple[float | None, float | None], rate: str | None
) -> None:
    whole = Size(rated_w=5_000, battery_w=size[0], battery_kwh=size[1])
    power = Power.of("charge_power_w", MODELS[model], whole)
    assert (power and power.rate) == rate


@pytest.mark.parametrize("name", POWERS)
@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_the_setting_behind_it_is_one_the_model_has(model: Model, name: str) -> None:
    power = Power.of(name, model, Size(rated_w=5_000, battery_w=5_000, battery_kwh=10))
    assert power is None or model.has(power.rate)


# ---- how large it is -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("device_type", "firmware", "model", "amp_hours", "size"),
    [
        (0x2001, 449, "hybrid_gen1", 186, (5_000, 2_600, 9.52)),
        (0x2003, 920, "hybrid_gen2", 186, (3_600, 3_600, 9.52)),
        (0x2001, 310, "hybrid_gen3", 51, (5_000, 1_305, 2.61)),
        (0x2201, 310, "hybrid_gen3_plus", 372, (5_000, 5_400, 19.05)),
        (0x2206, 310, "hybrid_gen3_plus", 372, (8_000, 8_000, 19.05)),
        (0x3001, 282, "ac_coupled", 160, (3_000, 3_000, 8.19)),
        (0x8001, 620, "all_in_one", 44, (6_000, 6_000, 13.51)),
        (0x8102, 310, "hybrid_hv_gen3", 200, (8_000, 7_680, 15.36)),
        (0x4004, 110, "hybrid_3ph", 0, (11_000, 11_000, None)),
        (0x5001, 1036, "ems", None, (3_600, None, None)),
        (0x2301, 210, "pv_only", None, (5_000, None, None)),
    ],
)
def test_its_size_follows_from_what_it_is(
    device_type: int,
    firmware: int,
    model: str,
    amp_hours: int | None,
    size: tuple[float, float | None, float | None],
) -> None:
    settings = GivEnergySettings(host="dongle")
    values = {"battery_capacity_ah": amp_hours}
    found = size_of(settings, MODELS[model], (device_type, firmware), values)
    assert (found.rated_w, found.battery_w, found.battery_kwh) == pytest.approx(size)


@pytest.mark.parametrize("model", ["hybrid_gen1", "ac_coupled", "ems"])
def test_the_owner_knows_better(model: str) -> None:
    settings = GivEnergySettings(host="dongle", rated_w=4_000, battery_w=3_333, battery_kwh=12.3)
    size = size_of(settings, MODELS[model], (0x2001, 449), held(battery_capacity_ah=186))
    assert size == Size(rated_w=4_000, battery_w=3_333, battery_kwh=12.3)
