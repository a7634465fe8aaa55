"""Of whatever JSON a service sends comes a sound forecast or a ``ForecastError``."""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.errors import ForecastError
from ohmstead.forecasts import carbon_uk, forecast_solar, solcast
from ohmstead.forecasts.open_meteo import OpenMeteoTeller
from ohmstead.forecasts.panels import ArraySettings, Panels
from ohmstead.forecasts.quarters import Told, spread_out
from ohmstead.forecasts.sun import Place

PANELS = Panels([ArraySettings(kwp=4)])
METEO = OpenMeteoTeller("http://127.0.0.1", PANELS, Place(latitude=51.5, longitude=0))
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["2026-06-21T12:00Z", "2026-06-21T12:30:00.0000000Z", "PT30M", "9999-12-31"])
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner)
)
TIMES = st.sampled_from([1_782_043_200 + 900 * n for n in range(3)]) | SCALARS
NAMES = ("shortwave_radiation", "diffuse_radiation", "temperature_2m", "wind_speed_10m")


def meteo() -> st.SearchStrategy[Any]:
    columns = {name: st.lists(SCALARS, max_size=3) for name in NAMES}
    return st.fixed_dictionaries(
        {"minutely_15": st.fixed_dictionaries({"time": st.lists(TIMES, max_size=3), **columns})}
    )


def solar() -> st.SearchStrategy[Any]:
    moments = st.sampled_from([f"2026-06-21T{h:02}:00:00+00:00" for h in range(24)])
    periods = st.dictionaries(moments | st.text(max_size=6), st.floats(-10, 9e3) | SCALARS)
    return st.fixed_dictionaries({"result": st.fixed_dictionaries({"watt_hours_period": periods})})


def cast() -> st.SearchStrategy[Any]:
    row = st.fixed_dictionaries(
        {
            "pv_estimate": st.floats(-1, 9) | SCALARS,
            "period_end": SCALARS,
            "period": st.just("PT30M") | SCALARS,
        },
        optional={"pv_estimate10": SCALARS, "pv_estimate90": SCALARS},
    )
    return st.fixed_dictionaries({"forecasts": st.lists(row, max_size=4)})


def carbon() -> st.SearchStrategy[Any]:
    intensity = st.fixed_dictionaries({"forecast": st.floats(-1, 900) | SCALARS})
    row = st.fixed_dictionaries({"from": SCALARS, "to": SCALARS, "intensity": intensity})
    rows = st.lists(row, max_size=4)
    return st.fixed_dictionaries({"data": rows | st.fixed_dictionaries({"data": rows})})


def check(read: Callable[[], Iterable[tuple[int, Told]]]) -> None:
    try:
        found = list(read())
    except ForecastError:
        return
    for _, told in found:
        assert all(map(math.isfinite, told))
        assert 0 <= told.low_w <= told.middle_w <= told.high_w


READERS: dict[str, tuple[Callable[[], st.SearchStrategy[Any]], Callable[[Any], Any]]] = {
    "Open-Meteo": (meteo, METEO._powers),
    "Forecast.Solar": (solar, lambda body: spread_out(forecast_solar._slots(body)).items()),
    "Solcast": (cast, lambda body: spread_out(solcast._slots(body)).items()),
    "Carbon Intensity": (carbon, lambda body: spread_out(carbon_uk._slots(body)).items()),
}


@pytest.mark.parametrize("service", READERS)
@given(st.data())
def test_pages_that_are_nearly_right(service: str, data: st.DataObject) -> None:
    near, read = READERS[service]
    body = data.draw(near())
    check(lambda: read(body))


@pytest.mark.parametrize("service", READERS)
@given(ANYTHING)
def test_pages_that_are_anything(service: str, body: Any) -> None:  # noqa: ANN401 - JSON
    read = READERS[service][1]
    check(lambda: read(body))
