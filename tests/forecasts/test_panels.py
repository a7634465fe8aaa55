"""Panels make of the light what pvlib says they do, less what stands before the sun."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pvlib import iam, irradiance, pvsystem, temperature

from ohmstead.forecasts.panels import Air, ArraySettings, Panels, beam_and_diffuse, on_slope
from ohmstead.forecasts.sun import Light, Place, Sun, clear_light, sun_at

LONDON = Place(latitude=51.5, longitude=-0.1)
DAYS = [datetime(2026, 1, 3, tzinfo=UTC) + timedelta(hours=n * 5) for n in range(1_500)]
SLOPES = pytest.mark.parametrize(
    ("tilt", "azimuth"),
    [
        pytest.param(0, 180, id="level"),
        pytest.param(35, 180, id="south"),
        pytest.param(20, 90, id="east"),
        pytest.param(45, 270, id="west"),
        pytest.param(40, 0, id="north"),
        pytest.param(90, 200, id="a facade"),
    ],
)
CLOUDS = pytest.mark.parametrize("cloud", [0.0, 0.4, 1.0], ids=["clear", "mixed", "overcast"])


def lights(cloud: float) -> list[tuple[datetime, Sun, Light]]:
    found = []
    for moment in DAYS:
        sun = sun_at(moment, LONDON)
        if sun.height > 2:
            clear = clear_light(sun, moment, LONDON)
            beam = clear.beam_w * (1 - cloud)
            diffuse = clear.diffuse_w * (1 + cloud)
            found.append((moment, sun, Light(beam * sun.up + diffuse, beam, diffuse)))
    return found


@SLOPES
@CLOUDS
def test_the_light_on_a_slope_is_hay_and_davies(tilt: float, azimuth: float, cloud: float) -> None:
    for _, sun, light in lights(cloud):
        judged = irradiance.get_total_irradiance(
            tilt, azimuth, 90 - sun.height, sun.azimuth, light.beam_w, light.global_w,
            light.diffuse_w, dni_extra=sun.extra_w, albedo=0.2, model="haydavies",
        )  # fmt: skip
        beam, rest, _ = on_slope(sun, light, tilt, azimuth)
        assert beam + rest == pytest.approx(judged["poa_global"], rel=0.005, abs=1)


@SLOPES
@CLOUDS
def test_the_power_is_that_of_pvlibs_models(tilt: float, azimuth: float, cloud: float) -> None:
    panels = Panels([ArraySettings(kwp=4.2, tilt=tilt, azimuth=azimuth, loss_pct=10)])
    air = Air(celsius=18, wind_ms=3)
    for _, sun, light in lights(cloud):
        beam, rest, slant = on_slope(sun, light, tilt, azimuth)
        angle = irradiance.aoi(tilt, azimuth, 90 - sun.height, sun.azimuth)
        passing = iam.ashrae(min(angle, 89.99), b=0.05) if slant > 0 else 0
        cells = temperature.faiman(beam + rest, 18, 3)
        judged = 0.9 * pvsystem.pvwatts_dc(beam * passing + rest * 0.95, cells, 4_200, -0.0035)
        assert panels.power_w(sun, light, air) == pytest.approx(min(judged, 4_200), abs=2)


def test_several_arrays_add_up_to_the_inverters_limit() -> None:
    moment = datetime(2026, 6, 21, 12, tzinfo=UTC)
    sun = sun_at(moment, LONDON)
    light = clear_light(sun, moment, LONDON)
    east, west = ArraySettings(kwp=3, azimuth=90), ArraySettings(kwp=4, azimuth=270)
    apart = [Panels([array]).power_w(sun, light, Air()) for array in (east, west)]
    assert Panels([east, west]).power_w(sun, light, Air()) == pytest.approx(sum(apart))
    assert Panels([east, west], limit_w=3_680).power_w(sun, light, Air()) == 3_680


@pytest.mark.parametrize(
    ("horizon", "share"),
    [
        pytest.param((), (1.0, 1.0), id="an open field"),
        pytest.param((0, 0, 0, 0), (1.0, 1.0), id="a level horizon"),
        pytest.param((0, 0, 60, 0), (0.05, 0.35), id="a tower block in the south"),
        pytest.param((60, 0, 0, 0), (0.7, 0.999), id="one in the north takes only some sky"),
    ],
)
def test_the_horizon_takes_the_beam_and_its_part_of_the_sky(
    horizon: tuple[float, ...], share: tuple[float, float]
) -> None:
    moment = datetime(2026, 3, 21, 12, tzinfo=UTC)
    sun = sun_at(moment, LONDON)
    light = clear_light(sun, moment, LONDON)
    array = ArraySettings(kwp=4)
    whole = Panels([array]).power_w(sun, light, Air())
    for panels in (Panels([array], horizon), Panels([ArraySettings(kwp=4, horizon=horizon)])):
        assert share[0] <= panels.power_w(sun, light, Air()) / whole <= share[1]


@given(
    st.floats(-50, 1_500),
    st.floats(-50, 1_500),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    st.floats(0, 90),
    st.floats(0, 360),
)
def test_no_light_makes_more_than_the_panels_are_rated_for(
    level: float, diffuse: float, moment: datetime, tilt: float, azimuth: float
) -> None:
    sun = sun_at(moment, LONDON)
    light = beam_and_diffuse(level, diffuse, sun)
    assert light.beam_w <= sun.extra_w
    panels = Panels([ArraySettings(kwp=5, tilt=tilt, azimuth=azimuth)])
    assert 0 <= panels.power_w(sun, light, Air(celsius=-20, wind_ms=20)) <= 5_000


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        pytest.param({"kwp": 0}, "kwp", id="no panels"),
        pytest.param({"kwp": 4, "tilt": 95}, "tilt", id="upside down"),
        pytest.param({"kwp": 4, "azimuth": -90}, "azimuth", id="another compass"),
        pytest.param({"kwp": 4, "loss_pct": 100}, "loss_pct", id="nothing left"),
        pytest.param({"kwp": 4, "horizon": (0, 91)}, "horizon", id="beyond the zenith"),
    ],
)
def test_what_no_roof_has_is_refused(said: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ArraySettings(**said)
