"""The sun's place and a cloudless sky's light, against pvlib, which knows both better."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from pvlib import atmosphere, clearsky, irradiance, solarposition

from ohmstead.forecasts.sun import Place, clear_light, sun_at

pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex:DeprecationWarning")

PLACES = pytest.mark.parametrize(
    "place",
    [
        pytest.param(Place(latitude=51.5, longitude=-0.1), id="London"),
        pytest.param(Place(latitude=60.2, longitude=-1.2), id="Shetland"),
        pytest.param(Place(latitude=36.4, longitude=25.4, altitude_m=300), id="Santorini"),
        pytest.param(Place(latitude=-33.9, longitude=151.2), id="Sydney"),
        pytest.param(Place(latitude=39.7, longitude=-105.0, altitude_m=1_609), id="Denver"),
        pytest.param(Place(latitude=1.3, longitude=103.8), id="Singapore"),
    ],
)
MOMENTS = [
    datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n * 7, minutes=13 * (n % 5))
    for n in range(1_250)
]


@PLACES
def test_the_sun_stands_where_pvlib_sees_it(place: Place) -> None:
    judged = solarposition.get_solarposition(
        pd.DatetimeIndex(MOMENTS), place.latitude, place.longitude, place.altitude_m
    )
    for moment, height, azimuth in zip(
        MOMENTS, judged["apparent_elevation"], judged["azimuth"], strict=True
    ):
        sun = sun_at(moment, place)
        if height > 0:
            # Half set, the sun is lifted by as much as the weather likes; nothing shines then.
            assert sun.height == pytest.approx(height, abs=0.2 if height < 1 else 0.08)
        if 0 < height < 80:  # straight above, the bearing means little
            assert (sun.azimuth - azimuth + 180) % 360 - 180 == pytest.approx(0, abs=0.06)


@PLACES
def test_the_clear_sky_is_pvlibs_for_the_same_haze(place: Place) -> None:
    for moment in MOMENTS:
        sun = sun_at(moment, place)
        light = clear_light(sun, moment, place)
        if sun.height < 0.5:
            assert (light.global_w, light.beam_w, light.diffuse_w) == (0, 0, 0)
            continue
        mass = atmosphere.get_absolute_airmass(
            atmosphere.get_relative_airmass(90 - sun.height),
            atmosphere.alt2pres(place.altitude_m),
        )
        extra = irradiance.get_extra_radiation(pd.DatetimeIndex([moment])).iloc[0]
        # The haze between winter's 2.8 and summer's 3.4 brackets what we say.
        hazy, clear = (
            clearsky.ineichen(90 - sun.height, mass, haze, place.altitude_m, dni_extra=extra)
            for haze in (3.4, 2.8)
        )
        assert hazy["ghi"] * 0.985 - 2 <= light.global_w <= clear["ghi"] * 1.015 + 2
        assert hazy["dni"] * 0.985 - 6 <= light.beam_w <= clear["dni"] * 1.015 + 6
        assert light.global_w == pytest.approx(light.beam_w * sun.up + light.diffuse_w)


def test_no_light_below_the_horizon() -> None:
    midnight = datetime(2026, 6, 21, 0, tzinfo=UTC)
    place = Place(latitude=51.5, longitude=0)
    sun = sun_at(midnight, place)
    assert sun.height < 0
    assert clear_light(sun, midnight, place).global_w == 0
